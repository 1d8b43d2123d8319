//! In the documented profile every recorded request gets what the table of `docs/spec/secrets-api.md` D says.
//!
//! The expected answer of a line follows from rules over the request and over what daprd answered, never from an answer
//! of ours.

use serde_json::{Value, json};

use crate::recording::{self, Exchange};
use crate::wire::Answer;

/// A rule: what it is about, which lines it covers, and what they get. The first that covers a line counts.
struct Rule {
    name: &'static str,
    covers: fn(&Exchange) -> bool,
    expected: Expected,
}

#[derive(Clone, Copy)]
enum Expected {
    /// This status and `errorCode`.
    Error(u16, &'static str),
    /// This status, and no body.
    Empty(u16),
    /// 200 with daprd's content, in which a scalar of the file is its JSON text.
    Content,
    /// 200 with an object of these members.
    Members(&'static [&'static str]),
}

/// Health routes that need no token: exact.
fn is_exempt(exchange: &Exchange) -> bool {
    let path = exchange.path.split('?').next().unwrap_or_default();
    exchange.method == "GET" && ["/v1.0/healthz", "/v1.0/healthz/outbound"].contains(&path)
}

fn is_health(exchange: &Exchange) -> bool {
    let segments: Vec<_> = exchange
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    segments.starts_with(&["v1.0", "healthz"])
}

/// The segments of a request for one secret or for all, without empty ones.
fn secret(exchange: &Exchange) -> Option<(String, String)> {
    let path = exchange.path.split('?').next()?;
    let mut segments = path.split('/').filter(|part| !part.is_empty());
    if segments.next()? != "v1.0" || segments.next()? != "secrets" {
        return None;
    }
    let found = (segments.next()?.to_owned(), segments.next()?.to_owned());
    segments.next().is_none().then_some(found)
}

const RULES: [Rule; 15] = [
    Rule {
        name: "an exempt path needs no token",
        covers: is_exempt,
        expected: Expected::Empty(204),
    },
    Rule {
        name: "HEAD without the token is refused, without a body",
        covers: |exchange| !exchange.has_the_token() && exchange.method == "HEAD",
        expected: Expected::Empty(401),
    },
    Rule {
        name: "no token",
        covers: |exchange| exchange.tokens().is_empty(),
        expected: Expected::Error(401, "ERR_API_TOKEN_MISSING"),
    },
    Rule {
        name: "another token, an empty one, or two",
        covers: |exchange| !exchange.has_the_token(),
        expected: Expected::Error(401, "ERR_API_TOKEN_INVALID"),
    },
    Rule {
        name: "a health route with a token takes HEAD and more slashes",
        covers: is_health,
        expected: Expected::Empty(204),
    },
    Rule {
        name: "metadata",
        covers: |exchange| exchange.path == "/v1.0/metadata",
        expected: Expected::Members(&["components", "extended", "id", "runtimeVersion"]),
    },
    Rule {
        name: "HEAD of a secret has the status of GET",
        covers: |exchange| exchange.method == "HEAD" && secret(exchange).is_some(),
        expected: Expected::Empty(200),
    },
    Rule {
        name: "another method on a secret",
        covers: |exchange| exchange.method != "GET" && secret(exchange).is_some(),
        expected: Expected::Error(405, "ERR_METHOD_NOT_ALLOWED"),
    },
    Rule {
        name: "every other route",
        covers: |exchange| secret(exchange).is_none(),
        expected: Expected::Error(404, "ERR_NOT_FOUND"),
    },
    Rule {
        name: "a name that cannot be read, or holds a control character",
        covers: |exchange| exchange.path.contains("%zz") || exchange.path.contains("%00"),
        expected: Expected::Error(400, "ERR_BAD_REQUEST"),
    },
    Rule {
        name: "an unknown store, or one of another app",
        covers: |exchange| exchange.error_code().as_deref() == Some("ERR_SECRET_STORE_NOT_FOUND"),
        expected: Expected::Error(400, "ERR_SECRET_STORE_NOT_FOUND"),
    },
    Rule {
        name: "refused by scope",
        covers: |exchange| exchange.error_code().as_deref() == Some("ERR_PERMISSION_DENIED"),
        expected: Expected::Error(403, "ERR_PERMISSION_DENIED"),
    },
    Rule {
        name: "a secret that does not exist",
        covers: |exchange| {
            exchange.error_code().as_deref() == Some("ERR_SECRET_GET")
                && exchange.body.contains(" not found\"")
        },
        expected: Expected::Empty(204),
    },
    Rule {
        name: "a variable that is unset or forbidden",
        covers: |exchange| {
            let is_single =
                secret(exchange).filter(|(store, name)| store.contains("env") && name != "bulk");
            is_single.is_some_and(|(_, name)| exchange.json() == Some(json!({ name: "" })))
        },
        expected: Expected::Empty(204),
    },
    Rule {
        name: "a secret, or all of them",
        covers: |exchange| exchange.status == 200,
        expected: Expected::Content,
    },
];

#[test]
fn api_a1_api_d2_every_recorded_request_gets_the_documented_answer() {
    let sidecar = recording::sidecar("documented");
    let mut used = [false; RULES.len()];
    for exchange in recording::exchanges() {
        let at = RULES.iter().position(|rule| (rule.covers)(&exchange));
        let at = at.unwrap_or_else(|| panic!("no rule covers {}", exchange.name));
        used[at] = true;
        let context = format!("{} ({})", exchange.name, RULES[at].name);
        assert_answer(
            &exchange,
            RULES[at].expected,
            &exchange.replay(&sidecar),
            &context,
        );
    }
    for (rule, used) in RULES.iter().zip(used) {
        assert!(used, "no recorded line needs the rule: {}", rule.name);
    }
}

fn assert_answer(exchange: &Exchange, expected: Expected, answer: &Answer, context: &str) {
    match expected {
        Expected::Error(status, code) => {
            assert_eq!(answer.status, status, "{context}: {}", answer.text());
            assert_eq!(answer.error_code().as_deref(), Some(code), "{context}");
            assert_eq!(
                answer.header("content-type"),
                Some("application/json"),
                "{context}"
            );
            assert_eq!(
                answer.header("cache-control"),
                Some("no-store"),
                "{context}"
            );
        }
        Expected::Empty(status) => {
            assert_eq!(answer.status, status, "{context}: {}", answer.text());
            assert_eq!(answer.body, b"", "{context}");
        }
        Expected::Content => {
            assert_eq!(answer.status, 200, "{context}: {}", answer.text());
            let mut content = exchange.json().expect("a recorded object");
            as_json_text(&mut content);
            assert_eq!(answer.json(), Some(content), "{context}");
            assert_eq!(
                answer.header("cache-control"),
                Some("no-store"),
                "{context}"
            );
        }
        Expected::Members(names) => {
            assert_eq!(answer.status, 200, "{context}");
            let body = answer.json().expect("an object");
            let members: Vec<_> = body.as_object().expect("an object").keys().collect();
            assert_eq!(members, names, "{context}");
        }
    }
}

/// daprd's `%!s(float64=5432)` is `5432` in the file that both read.
fn as_json_text(content: &mut Value) {
    match content {
        Value::String(text) => {
            let inner = text
                .strip_prefix("%!s(")
                .and_then(|rest| rest.strip_suffix(')'));
            if let Some(inner) = inner {
                let scalar = inner.split_once('=').map_or("null", |(_, scalar)| scalar);
                *text = scalar.to_owned();
            }
        }
        Value::Object(members) => members.values_mut().for_each(as_json_text),
        _ => {}
    }
}
