//! Reads the test tables of JWT mode into plain cases; `README.md` beside this file explains the format.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Every table of tokens: its name and its text.
pub(crate) const TABLES: [(&str, &str); 6] = [
    ("interop", include_str!("vectors/interop.json")),
    ("rfc", include_str!("vectors/rfc.json")),
    ("attacks", include_str!("vectors/attacks.json")),
    ("claims", include_str!("vectors/claims.json")),
    ("sentry", include_str!("vectors/sentry.json")),
    (
        "wycheproof_style",
        include_str!("vectors/wycheproof_style.json"),
    ),
];

/// The table of key documents.
pub(crate) const KEYS: &str = include_str!("vectors/keys.json");

/// One token, with the keys, rules and time it is judged by.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The rules that it proves, in lower case.
    pub(crate) rule: Vec<String>,
    /// The header value.
    pub(crate) token: Vec<u8>,
    /// No HTTP header can hold the value.
    pub(crate) direct: bool,
    pub(crate) keys: Keys,
    pub(crate) rules: Rules,
    /// Seconds since 1970.
    pub(crate) now: u64,
    /// `accept`, or a reason of O2.
    pub(crate) expect: String,
    pub(crate) why: String,
    /// The signature holds, and the refusal comes after it.
    pub(crate) signature_only: bool,
    pub(crate) backends: Backends,
}

/// Local key configuration.
#[derive(Debug)]
pub(crate) enum Keys {
    /// A JWKS document.
    Set(String),
    Pem(String),
    Secret(Vec<u8>),
}

/// What the builder is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) issuer: Option<String>,
    #[serde(default)]
    pub(crate) audience: Audience,
    pub(crate) leeway_s: u64,
    pub(crate) algorithms: Option<Vec<String>>,
    pub(crate) types: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) allow_kidless: bool,
    pub(crate) max_lifetime_s: Option<u64>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    pub(crate) sub: Option<Subject>,
    pub(crate) max_len: Option<usize>,
    /// The trust domain of the preset.
    pub(crate) dapr_sentry: Option<String>,
}

/// No, one or several audiences.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

/// The matcher of `sub`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    Exact(String),
    Spiffe(String),
}

/// The backends that a case is for; without a list, all.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Backends(Option<Vec<String>>);

impl Backends {
    /// `name` is `aws_lc` or `rust_crypto`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|n| n == name))
    }
}

#[derive(Deserialize)]
struct File {
    now: u64,
    rules: Map<String, Value>,
    key_sets: BTreeMap<String, Value>,
    cases: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    rule: Vec<String>,
    token: Option<String>,
    token_hex: Option<String>,
    #[serde(default)]
    direct: bool,
    keys: Value,
    #[serde(default)]
    rules: Map<String, Value>,
    now: Option<u64>,
    expect: String,
    why: String,
    #[serde(default)]
    signature_only: bool,
    #[serde(default)]
    backends: Backends,
}

/// The cases of one table of tokens, each complete in itself.
pub(crate) fn tokens(text: &str) -> Vec<Case> {
    let file: File = parse(text);
    let complete = |line: Line| {
        let keys = match line.keys {
            Value::String(name) => keys(&file.key_sets[&name]),
            document => keys(&document),
        };
        let token = match (line.token, line.token_hex) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(hex)) => unhex(&hex),
            _ => panic!("{}: one token, as text or in hexadecimal", line.name),
        };
        Case {
            token,
            keys,
            rules: merged(&file.rules, line.rules),
            now: line.now.unwrap_or(file.now),
            name: line.name,
            rule: line.rule,
            direct: line.direct,
            expect: line.expect,
            why: line.why,
            signature_only: line.signature_only,
            backends: line.backends,
        }
    };
    file.cases.into_iter().map(complete).collect()
}

/// The table of key documents.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) now: u64,
    /// A key that may stand beside any other, as JSON, and its token.
    pub(crate) good: (String, String),
    pub(crate) keys: Vec<Document>,
    pub(crate) sets: Vec<Document>,
    pub(crate) pems: Vec<Document>,
    pub(crate) secrets: Vec<Document>,
}

/// One document, and the tokens that are judged with it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) rule: Vec<String>,
    /// The document itself: a JWK, a JWKS or PEM as text, or the bytes of a secret.
    pub(crate) body: Vec<u8>,
    pub(crate) rules: Rules,
    /// `accepted`, `skipped` (a JWK) or `refused` (anything else).
    pub(crate) expect: String,
    /// How many keys of a set count.
    pub(crate) usable: Option<usize>,
    /// Each token and what it gets, once the document is loaded (a JWK: beside the good key).
    pub(crate) tokens: Vec<(String, String)>,
    pub(crate) why: String,
    pub(crate) backends: Backends,
}

#[derive(Deserialize)]
struct KeyFile {
    now: u64,
    rules: Map<String, Value>,
    good: Good,
    jwks: Vec<Entry>,
    sets: Vec<Entry>,
    pems: Vec<Entry>,
    secrets: Vec<Entry>,
}

#[derive(Deserialize)]
struct Good {
    jwk: Value,
    token: String,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    rule: Vec<String>,
    expect: String,
    why: String,
    jwk: Option<Value>,
    text: Option<String>,
    pem: Option<String>,
    secret_b64: Option<String>,
    token: Option<String>,
    token_expect: Option<String>,
    #[serde(default)]
    tokens: Vec<Judged>,
    usable: Option<usize>,
    #[serde(default)]
    rules: Map<String, Value>,
    #[serde(default)]
    backends: Backends,
}

#[derive(Deserialize)]
struct Judged {
    token: String,
    expect: String,
}

/// The table of key documents, each entry complete in itself.
pub(crate) fn documents() -> Documents {
    let file: KeyFile = parse(KEYS);
    let complete = |entry: Entry| {
        let body = match (entry.jwk, entry.text, entry.pem, entry.secret_b64) {
            (Some(jwk), None, None, None) => jwk.to_string().into_bytes(),
            (None, Some(text), None, None) | (None, None, Some(text), None) => text.into_bytes(),
            (None, None, None, Some(secret)) => unbase64(&secret),
            _ => panic!("{}: one document", entry.name),
        };
        let mut tokens: Vec<_> = entry
            .tokens
            .into_iter()
            .map(|t| (t.token, t.expect))
            .collect();
        tokens.extend(entry.token.zip(entry.token_expect));
        Document {
            body,
            tokens,
            rules: merged(&file.rules, entry.rules),
            name: entry.name,
            rule: entry.rule,
            expect: entry.expect,
            usable: entry.usable,
            why: entry.why,
            backends: entry.backends,
        }
    };
    let list = |entries: Vec<Entry>| entries.into_iter().map(complete).collect();
    Documents {
        now: file.now,
        good: (file.good.jwk.to_string(), file.good.token),
        keys: list(file.jwks),
        sets: list(file.sets),
        pems: list(file.pems),
        secrets: list(file.secrets),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("a table")
}

/// The rules of a file with those of a case in place of them, member by member.
fn merged(file: &Map<String, Value>, case: Map<String, Value>) -> Rules {
    let mut rules = file.clone();
    rules.extend(case);
    serde_json::from_value(Value::Object(rules)).expect("rules of the format")
}

fn keys(document: &Value) -> Keys {
    let text = |member: &str| document[member].as_str().map(str::to_owned);
    match (text("pem"), text("secret_b64")) {
        (Some(pem), None) => Keys::Pem(pem),
        (None, Some(secret)) => Keys::Secret(unbase64(&secret)),
        _ => Keys::Set(document.to_string()),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        })
        .collect()
}

/// base64url without padding. The tables are ours, so anything else is a mistake in them.
fn unbase64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = LETTERS
            .iter()
            .position(|l| *l == letter)
            .expect("base64url");
        held = held << 6 | u32::try_from(value).expect("below 64");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).expect("a byte"));
        }
    }
    bytes
}
