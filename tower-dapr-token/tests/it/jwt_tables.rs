//! The tables of `tests/jwt` sent as headers, through the layer and through the check on bare headers: each gives the
//! reason that the table names, and the status that belongs to it.
#![allow(clippy::panic, reason = "a table that cannot be read ends the test")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    Algorithm, Backend, ConfigError, Decision, HeaderVerifier, JwtKeys, JwtRules, Observer,
    Protocol, RequireTokenBuilder, RequireTokenLayer, SubjectRule, TokenMode,
};

use crate::signing::Wall;
use crate::support::NAME;
use format::{Case, Keys, Rules, Subject};

#[path = "../jwt/tables.rs"]
#[allow(
    dead_code,
    reason = "key documents, and which rule a case proves, are for the unit tests"
)]
mod format;

/// Keeps the reasons of decisions.
#[derive(Default)]
struct Reasons(Mutex<Vec<&'static str>>);

impl Reasons {
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().expect("no test panicked"))
    }
}

impl Observer for Reasons {
    fn on_decision(&self, decision: &Decision) {
        assert_eq!(decision.mode(), TokenMode::Jwt);
        let reason = decision.reason().map_or("accept", |kind| kind.as_str());
        self.0.lock().expect("no test panicked").push(reason);
    }
}

/// As the tables call it.
fn name_of(backend: Backend) -> &'static str {
    match backend {
        #[cfg(feature = "jwt")]
        Backend::AwsLc => "aws_lc",
        #[cfg(feature = "jwt-rust-crypto")]
        Backend::RustCrypto => "rust_crypto",
        other => panic!("{other:?} has no name in the tables"),
    }
}

fn algorithm(name: &str) -> Algorithm {
    match name {
        "HS256" => Algorithm::HS256,
        "HS384" => Algorithm::HS384,
        "HS512" => Algorithm::HS512,
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        other => panic!("{other} is no algorithm of T2"),
    }
}

fn rules(asked: &Rules) -> JwtRules {
    let mut audiences = asked.audience.as_slice().iter();
    let mut rules = match (&asked.dapr_sentry, &asked.issuer) {
        (None, Some(issuer)) => JwtRules::new(issuer, audiences.next().expect("an audience")),
        (Some(domain), issuer) => {
            let preset = JwtRules::dapr_sentry(domain).expect("a trust domain");
            let audience = audiences.next().into_iter();
            let preset = audience.fold(preset, JwtRules::audience);
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

/// What is built once for all cases with the same keys and rules. Accepted tokens are remembered, as they are by
/// default.
struct Guards {
    layer: RequireTokenLayer,
    verifier: HeaderVerifier,
    clock: Arc<Wall>,
    told: Arc<Reasons>,
}

impl Guards {
    fn new(case: &Case) -> Result<Self, ConfigError> {
        let keys = match &case.keys {
            Keys::Set(set) => JwtKeys::key_set(set),
            Keys::Pem(pem) => JwtKeys::pem(pem),
            Keys::Secret(secret) => JwtKeys::secret(secret),
        }?;
        let (clock, told) = (Wall::at(case.now), Arc::new(Reasons::default()));
        let builder = || -> RequireTokenBuilder<'static> {
            let builder = RequireTokenLayer::builder()
                .jwt(keys.clone(), rules(&case.rules))
                .wall_clock(clock.clone())
                .observer(told.clone());
            match case.rules.max_len {
                Some(limit) => builder.max_jwt_len(limit),
                None => builder,
            }
        };
        Ok(Self {
            layer: builder().build()?,
            verifier: builder().build_verifier()?,
            clock,
            told,
        })
    }

    /// Through the layer: the status, and the reason that was told.
    async fn ask_layer(&self, value: &HeaderValue) -> (StatusCode, &'static str) {
        let service = self.layer.layer(service_fn(async |request: Request<()>| {
            assert!(!request.headers().contains_key(NAME), "E5");
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
        let request = Request::post("/orders").header(NAME, value);
        let answer = service.oneshot(request.body(()).expect("valid")).await;
        (answer.expect("infallible").status(), self.told())
    }

    /// Through the check on bare headers: the same.
    fn ask_verifier(&self, value: &HeaderValue) -> (StatusCode, &'static str) {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, value.clone());
        let status = match self.verifier.verify(&mut headers, Protocol::Http) {
            Ok(authenticated) => {
                assert_eq!(authenticated.mode(), TokenMode::Jwt);
                StatusCode::OK
            }
            Err(rejection) => self.verifier.answer(&rejection).status(),
        };
        assert!(headers.is_empty(), "E5");
        (status, self.told())
    }

    fn told(&self) -> &'static str {
        match *self.told.take() {
            [reason] => reason,
            ref other => panic!("one decision, and not {other:?}"),
        }
    }
}

/// How many cases of a table went which way.
#[derive(Debug, Default)]
struct Went {
    sent: usize,
    /// No header can hold the token.
    not_a_header: usize,
    /// No layer is built, because its one key cannot be used.
    not_built: usize,
    /// The same, because the key is for another backend.
    of_other_backends: usize,
}

impl Went {
    fn agrees(&self, (sent, not_a_header, not_built): (usize, usize, usize)) {
        let of_both = self.sent + self.of_other_backends;
        let went = (of_both, self.not_a_header, self.not_built);
        assert_eq!(went, (sent, not_a_header, not_built), "{self:?}");
    }
}

/// Sends every case of a table that a header can hold.
async fn send(table: &str) -> Went {
    let mut tables = format::TABLES.iter();
    let (_, text) = tables.find(|(name, _)| *name == table).expect("a table");
    let mut built = HashMap::new();
    let (mut went, mut wrong) = (Went::default(), Vec::new());
    for case in format::tokens(text) {
        let Case { name, why, .. } = &case;
        let is_for_us = case.backends.has(name_of(Backend::default()));
        let value = HeaderValue::from_bytes(&case.token);
        assert_eq!(value.is_err(), case.direct, "{name}: fits a header");
        let Ok(value) = value else {
            went.not_a_header += 1;
            continue;
        };
        let guards = built
            .entry(format!("{:?} {:?}", case.keys, case.rules))
            .or_insert_with(|| Guards::new(&case));
        let guards = match guards {
            Ok(guards) => guards,
            Err(_) if !is_for_us => {
                went.of_other_backends += 1;
                continue;
            }
            Err(error) => {
                assert_eq!(case.expect, "kid", "{name}: {error}");
                went.not_built += 1;
                continue;
            }
        };
        went.sent += 1;
        guards.clock.set(case.now);
        let answers = [
            ("layer", guards.ask_layer(&value).await),
            ("layer, again", guards.ask_layer(&value).await),
            ("verifier", guards.ask_verifier(&value)),
            ("verifier, again", guards.ask_verifier(&value)),
        ];
        for (asked, (status, reason)) in answers {
            let is_right = if is_for_us {
                *reason == *case.expect
            } else {
                reason != "accept"
            };
            let expected = if reason == "accept" { 200 } else { 401 };
            if !is_right || status != expected {
                let expect = &case.expect;
                wrong.push(format!(
                    "{name}: the {asked} says {reason}, {status}, and not {expect} ({why})"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    went
}

#[tokio::test]
async fn t1_t2_t3_t4_examples_of_the_standards_as_headers() {
    send("rfc").await.agrees((26, 0, 0));
}

#[tokio::test]
async fn e3_e4_t1_t2_t3_t4_hostile_tokens_as_headers() {
    send("attacks").await.agrees((618, 21, 0));
}

#[tokio::test]
async fn t4_payloads_under_a_signature_that_holds_as_headers() {
    send("claims").await.agrees((592, 0, 0));
}

#[tokio::test]
async fn t5_tokens_in_the_form_of_sentry_as_headers() {
    send("sentry").await.agrees((33, 0, 0));
}

#[tokio::test]
async fn t2_t3_tokens_of_other_implementations_as_headers() {
    send("interop").await.agrees((201, 0, 0));
}

#[tokio::test]
async fn t2_wrong_signatures_of_every_algorithm_as_headers() {
    send("wycheproof_style").await.agrees((875, 0, 4));
}
