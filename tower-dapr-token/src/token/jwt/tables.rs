//! The tables of `tests/jwt`, judged by every backend: what they expect of a token or of a key is what happens.
//!
//! A test lists every disagreement of its table. It also counts the cases by the rules that they prove, so that a table
//! that lost some cannot pass.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::time::Duration;

use http::HeaderValue;

use super::algorithm::{Algorithm, AlgorithmName};
use super::backend::{Backend, VERIFIED};
use super::jwk::Origin;
use super::key_set::{KeySet, KeySlot};
use super::local_keys::JwtKeys;
use super::rules::JwtRules;
use super::subject::SubjectRule;
use super::verify::{DEFAULT_MAX_LEN, JwtOptions, JwtVerifier, Trust};
use format::{Case, Document, Documents, Keys, Rules, Subject};

#[path = "../../../tests/jwt/tables.rs"]
mod format;

/// As the tables call it.
fn name_of(backend: Backend) -> &'static str {
    match backend {
        #[cfg(feature = "jwt")]
        Backend::AwsLc => "aws_lc",
        #[cfg(feature = "jwt-rust-crypto")]
        Backend::RustCrypto => "rust_crypto",
    }
}

fn rules(asked: &Rules) -> JwtRules {
    let mut audiences = asked.audience.as_slice().iter();
    let mut rules = match (&asked.dapr_sentry, &asked.issuer) {
        (None, Some(issuer)) => JwtRules::new(issuer, audiences.next().expect("an audience")),
        (Some(domain), issuer) => {
            let preset = JwtRules::dapr_sentry(domain).expect("a trust domain");
            let preset = audiences
                .next()
                .into_iter()
                .fold(preset, JwtRules::audience);
            issuer.iter().fold(preset, JwtRules::add_issuer)
        }
        (None, None) => panic!("rules without an issuer"),
    };
    rules = audiences.fold(rules, JwtRules::add_audience);
    rules = rules.leeway(Duration::from_secs(asked.leeway_s));
    if let Some(names) = &asked.algorithms {
        rules = rules.algorithms(names.iter().map(|name| algorithm(name)));
    }
    if let Some(types) = &asked.types {
        rules = rules.types(types);
    }
    if asked.allow_kidless {
        rules = rules.allow_kidless();
    }
    if let Some(seconds) = asked.max_lifetime_s {
        rules = rules.max_lifetime(Duration::from_secs(seconds));
    }
    rules = asked.scopes.iter().fold(rules, JwtRules::require_scope);
    match &asked.sub {
        Some(Subject::Exact(subject)) => rules.add_subject(SubjectRule::exact(subject)),
        Some(Subject::Spiffe(id)) => rules.add_subject(SubjectRule::spiffe(id)),
        None => rules,
    }
}

fn algorithm(name: &str) -> Algorithm {
    AlgorithmName::parse(name).expect("known").algorithm()
}

/// Keys as a user configures them, or nothing where that is an error.
fn configured(keys: &Keys, rules: &JwtRules, backend: Backend) -> Option<KeySet> {
    let keys = match keys {
        Keys::Set(set) => JwtKeys::key_set(set),
        Keys::Pem(pem) => JwtKeys::pem(pem),
        Keys::Secret(secret) => JwtKeys::secret(secret),
    };
    let keys = keys.ok()?;
    Trust::local(&keys, rules.clone(), backend).ok()?;
    Some(KeySet::new(keys.specs(), backend, rules.algorithms).0)
}

fn parse(document: &[u8], rules: &JwtRules, backend: Backend) -> Option<KeySet> {
    let parsed = KeySet::parse_jwks(document, Origin::Local, backend, rules.algorithms);
    parsed.ok().map(|(set, _)| set)
}

/// Verifies by one backend: a verifier for all that is judged by the same rules, whose keys are changed. To build one
/// costs more than a token, because it asks the backend what it knows.
struct Judge {
    backend: Backend,
    verifiers: HashMap<String, (KeySlot, JwtVerifier)>,
}

impl Judge {
    fn new(backend: Backend) -> Self {
        Self {
            backend,
            verifiers: HashMap::new(),
        }
    }

    fn with(&mut self, set: KeySet, asked: &Rules) -> &JwtVerifier {
        let build = || {
            let slot = KeySlot::empty();
            let options = JwtOptions {
                backend: self.backend,
                max_len: asked.max_len.unwrap_or(DEFAULT_MAX_LEN),
                // A token is remembered for its key, not for the set around it.
                cache_entries: 0,
            };
            let trust = Trust::following(slot.clone(), rules(asked));
            let verifier = JwtVerifier::new(vec![trust], options).expect("good rules");
            (slot, verifier)
        };
        let (slot, verifier) = self
            .verifiers
            .entry(format!("{asked:?}"))
            .or_insert_with(build);
        slot.publish(set);
        verifier
    }
}

/// `accept`, or the reason under which a refusal is counted.
fn verdict(verifier: &JwtVerifier, token: &[u8], now: u64) -> &'static str {
    let verdict = verifier.verify(token, Duration::from_secs(now));
    verdict.map_or_else(|refused| refused.kind.as_str(), |_| "accept")
}

/// What was found, and how many cases proved each rule.
#[derive(Default)]
struct Found {
    cases: usize,
    by_rule: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Found {
    fn count(&mut self, rules: &[String]) {
        self.cases += 1;
        for rule in rules {
            *self.by_rule.entry(rule.clone()).or_default() += 1;
        }
    }

    fn agree(&self, cases: usize, by_rule: &[(&str, usize)]) {
        assert!(
            self.wrong.is_empty(),
            "{} disagreements:\n{}",
            self.wrong.len(),
            self.wrong.join("\n")
        );
        let counted: Vec<_> = self.by_rule.iter().map(|(r, n)| (r.as_str(), *n)).collect();
        assert_eq!((self.cases, &*counted), (cases, by_rule));
    }
}

/// Judges every token of a table with every backend.
fn judge_tokens(table: &str) -> Found {
    let (_, text) = format::TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .expect("a table of this name");
    let cases = format::tokens(text);
    let mut found = Found::default();
    for case in &cases {
        found.count(&case.rule);
    }
    for backend in Backend::ALL {
        let mut judge = Judge::new(*backend);
        for case in &cases {
            found.wrong.extend(judge_token(case, &mut judge));
        }
    }
    found
}

fn judge_token(case: &Case, judge: &mut Judge) -> Option<String> {
    let expected = match case.expect.as_str() {
        // The layer says so before it asks a verifier (E3), for which nothing is a token without dots.
        "empty" => {
            assert!(case.token.is_empty(), "{}", case.name);
            "malformed"
        }
        other => other,
    };
    let (backend, rules) = (judge.backend, rules(&case.rules));
    // Where nothing is left of the keys, the token gets the answer of an issuer that has none.
    let set = configured(&case.keys, &rules, backend)
        .unwrap_or_else(|| KeySet::new(&[], backend, rules.algorithms).0);
    let verifier = judge.with(set, &case.rules);
    VERIFIED.set(0);
    let answer = verdict(verifier, &case.token, case.now);
    let verified = VERIFIED.get();
    let is_right = if case.backends.has(name_of(backend)) {
        *answer == *expected
    } else {
        *answer != *"accept"
    };
    let Case { name, why, .. } = case;
    if !signatures_before(answer).contains(&verified) {
        return Some(format!(
            "{name}: {verified} signatures were verified before {answer}, by {backend:?} ({why})"
        ));
    }
    let wrong = || format!("{name}: {answer}, not {expected}, by {backend:?} ({why})");
    (!is_right).then(wrong)
}

/// How many signatures an answer may have cost (`T1`, `T3`): what can be told without one costs none, and one of a
/// length that the key cannot make is refused without one too.
fn signatures_before(answer: &str) -> RangeInclusive<usize> {
    match answer {
        "malformed" | "too_large" | "alg" | "kid" => 0..=0,
        "signature" => 0..=4,
        _ => 1..=4,
    }
}

#[test]
fn t2_t3_tokens_of_other_implementations() {
    judge_tokens("interop").agree(201, &[("t2", 201), ("t3", 55)]);
}

#[test]
fn t1_t2_t3_t4_examples_of_the_standards() {
    let by_rule = [("t1", 14), ("t2", 19), ("t3", 3), ("t4", 5)];
    judge_tokens("rfc").agree(26, &by_rule);
}

#[test]
fn e3_e4_t1_t2_t3_t4_hostile_tokens_up_to_the_signature() {
    let by_rule = [
        ("e3", 36),
        ("e4", 7),
        ("t1", 372),
        ("t2", 182),
        ("t3", 126),
        ("t4", 3),
    ];
    judge_tokens("attacks").agree(639, &by_rule);
}

#[test]
fn t4_payloads_under_a_signature_that_holds() {
    judge_tokens("claims").agree(592, &[("t4", 592)]);
}

#[test]
fn t5_tokens_in_the_form_of_sentry() {
    judge_tokens("sentry").agree(33, &[("t5", 33)]);
}

#[test]
fn t2_wrong_signatures_of_every_algorithm() {
    judge_tokens("wycheproof_style").agree(879, &[("t2", 879)]);
}

/// Judges one list of the table of keys with every backend. What is wrong with a document is a text.
fn judge_documents(
    list: impl Fn(&Documents) -> &[Document],
    judge_document: impl Fn(&Documents, &Document, &mut Judge) -> Vec<String>,
) -> Found {
    let documents = format::documents();
    let mut found = Found::default();
    for document in list(&documents) {
        found.count(&document.rule);
    }
    for backend in Backend::ALL {
        let mut judge = Judge::new(*backend);
        for document in list(&documents) {
            let Document { name, why, .. } = document;
            let wrong = judge_document(&documents, document, &mut judge).into_iter();
            found
                .wrong
                .extend(wrong.map(|wrong| format!("{name}: {wrong}, by {backend:?} ({why})")));
        }
    }
    found
}

fn is_accepted(document: &Document, backend: Backend) -> bool {
    document.expect == "accepted" && document.backends.has(name_of(backend))
}

/// The tokens of a document that did not get what they should.
fn wrong_tokens(document: &Document, verifier: &JwtVerifier, now: u64) -> Vec<String> {
    let judge = |(token, expected): &(String, String)| {
        let answer = verdict(verifier, token.as_bytes(), now);
        (answer != expected).then(|| format!("its token gets {answer}, not {expected}"))
    };
    document.tokens.iter().filter_map(judge).collect()
}

fn text(document: &Document) -> &str {
    std::str::from_utf8(&document.body).expect("text")
}

#[test]
fn t2_t3_t11_keys_of_a_set_are_taken_or_skipped() {
    let judge = |all: &Documents, document: &Document, judge: &mut Judge| {
        let (rules, backend) = (rules(&document.rules), judge.backend);
        let is_good = is_accepted(document, backend);
        let mut wrong = Vec::new();

        let alone = format!(r#"{{"keys":[{}]}}"#, text(document));
        let is_loaded = parse(alone.as_bytes(), &rules, backend).is_some();
        let is_configured = configured(&Keys::Set(alone), &rules, backend).is_some();
        if is_loaded != is_good || is_configured != is_good {
            wrong.push(format!(
                "alone: {is_loaded}, {is_configured}, not {is_good}"
            ));
        }

        let (good, good_token) = &all.good;
        let both = format!(r#"{{"keys":[{},{good}]}}"#, text(document));
        let Some(set) = parse(both.as_bytes(), &rules, backend) else {
            wrong.push("hides the good key beside it".to_owned());
            return wrong;
        };
        if set.len() != 1 + usize::from(is_good) {
            wrong.push(format!("{} keys beside the good one", set.len()));
        }
        let verifier = judge.with(set, &document.rules);
        let answer = verdict(verifier, good_token.as_bytes(), all.now);
        if answer != "accept" {
            wrong.push(format!("the good token gets {answer}"));
        }
        if is_good || document.expect != "accepted" {
            wrong.extend(wrong_tokens(document, verifier, all.now));
        } else if wrong_tokens(document, verifier, all.now).is_empty()
            && !document.tokens.is_empty()
        {
            wrong.push("its token is accepted, and the key was to be skipped".to_owned());
        }
        wrong
    };
    judge_documents(|all| &all.keys, judge).agree(249, &[("t11", 212), ("t2", 241), ("t3", 8)]);
}

#[test]
fn t2_t3_t6_t8_key_sets_are_taken_or_refused_as_a_whole() {
    let judge = |all: &Documents, document: &Document, judge: &mut Judge| {
        let (rules, backend) = (rules(&document.rules), judge.backend);
        let set = parse(&document.body, &rules, backend);
        let is_good = is_accepted(document, backend);
        if set.is_some() != is_good {
            return vec![format!("loaded: {}, not {is_good}", set.is_some())];
        }
        let Some(set) = set else { return Vec::new() };
        let usable = document.usable.unwrap_or(set.len());
        if set.len() != usable {
            return vec![format!("{} keys, not {usable}", set.len())];
        }
        wrong_tokens(document, judge.with(set, &document.rules), all.now)
    };
    let by_rule = [("t2", 3), ("t3", 5), ("t6", 3), ("t8", 42)];
    judge_documents(|all| &all.sets, judge).agree(53, &by_rule);
}

/// A key that is configured by itself: it is of use, or an error.
fn judge_one(all: &Documents, document: &Document, keys: &Keys, judge: &mut Judge) -> Vec<String> {
    let set = configured(keys, &rules(&document.rules), judge.backend);
    let is_good = is_accepted(document, judge.backend);
    match set {
        Some(set) if is_good => wrong_tokens(document, judge.with(set, &document.rules), all.now),
        None if !is_good => Vec::new(),
        set => vec![format!("taken: {}, not {is_good}", set.is_some())],
    }
}

#[test]
fn t2_t11_keys_in_pem_are_taken_or_refused() {
    let judge = |all: &Documents, document: &Document, judge: &mut Judge| {
        let keys = Keys::Pem(text(document).to_owned());
        judge_one(all, document, &keys, judge)
    };
    judge_documents(|all| &all.pems, judge).agree(121, &[("t11", 29), ("t2", 120)]);
}

#[test]
fn t2_secrets_are_taken_or_refused() {
    let judge = |all: &Documents, document: &Document, judge: &mut Judge| {
        let keys = Keys::Secret(document.body.clone());
        judge_one(all, document, &keys, judge)
    };
    judge_documents(|all| &all.secrets, judge).agree(25, &[("t2", 25)]);
}

#[test]
fn t1_every_table_is_judged() {
    let names: Vec<_> = format::TABLES.iter().map(|(name, _)| *name).collect();
    let judged = [
        "interop",
        "rfc",
        "attacks",
        "claims",
        "sentry",
        "wycheproof_style",
    ];
    assert_eq!(names, judged);
    let documents = format::documents();
    let lists = [
        &documents.keys,
        &documents.sets,
        &documents.pems,
        &documents.secrets,
    ];
    let tokens = format::TABLES
        .iter()
        .map(|(_, text)| format::tokens(text).len());
    let total = tokens.sum::<usize>() + lists.iter().map(|list| list.len()).sum::<usize>();
    assert_eq!(total, 2818);
}

#[test]
fn t1_the_tables_say_of_each_token_what_a_header_can_hold_and_what_comes_after_the_signature() {
    let after = [
        "accept", "expired", "not_yet", "aud", "iss", "sub", "claims",
    ];
    for (table, text) in format::TABLES {
        for case in format::tokens(text) {
            let is_held = HeaderValue::from_bytes(&case.token).is_ok();
            assert_eq!(is_held, !case.direct, "{table}: {}", case.name);
            let comes_after = after.contains(&case.expect.as_str());
            assert!(
                comes_after || !case.signature_only,
                "{table}: {}",
                case.name
            );
        }
    }
}
