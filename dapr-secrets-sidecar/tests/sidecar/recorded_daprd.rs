//! In the `daprd` profile every recorded request gets the recorded answer, save for a named list.

use serde_json::{Value, json};

use crate::process::Sidecar;
use crate::recording::{self, Exchange};
use crate::wire::Answer;

/// One recorded line that is answered otherwise on purpose.
struct Exception {
    line: &'static str,
    reason: &'static str,
    expected: Expected,
}

/// What we answer instead.
enum Expected {
    /// 200 with the recorded body in which these values replace daprd's.
    Values(&'static [(&'static str, &'static str)]),
    /// This status, and this `errorCode` if there is one.
    Status(u16, Option<&'static str>),
    /// 405 with what the path allows.
    NotAllowed(&'static str),
    /// daprd's metadata document without some members, and with our version.
    Metadata,
}

const JSON_TEXT: &str =
    "a scalar is its JSON text, not the output of a failed format (stores.md F3)";
const ROUTES: &str = "another route is ERR_NOT_FOUND, not a failed service invocation";
const METHODS: &str = "a method other than GET is refused as such";
const EXACT: &str = "an exemption is exact, byte by byte (auth.md X1)";

/// Every difference of `docs/spec/secrets-api.md` A3 that the recording shows, and nothing else.
static EXCEPTIONS: [Exception; 23] = [
    Exception {
        line: "get number",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("db:port", "5432")]),
    },
    Exception {
        line: "get bool",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("db:tls", "true")]),
    },
    Exception {
        line: "get null",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("nothing", "null")]),
    },
    Exception {
        line: "get multi valued",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("port", "5432"), ("tls", "true")]),
    },
    Exception {
        line: "bulk",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("db:port", "5432"), ("db:tls", "true"), ("nothing", "null")]),
    },
    Exception {
        line: "bulk multi valued",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("port", "5432"), ("tls", "true")]),
    },
    Exception {
        line: "bulk deny list",
        reason: JSON_TEXT,
        expected: Expected::Values(&[("db:port", "5432"), ("db:tls", "true"), ("nothing", "null")]),
    },
    Exception {
        line: "get name with raw slash",
        reason: ROUTES,
        expected: Expected::Status(404, Some("ERR_NOT_FOUND")),
    },
    Exception {
        line: "no name",
        reason: ROUTES,
        expected: Expected::Status(404, Some("ERR_NOT_FOUND")),
    },
    Exception {
        line: "empty name",
        reason: ROUTES,
        expected: Expected::Status(404, Some("ERR_NOT_FOUND")),
    },
    Exception {
        line: "unknown route",
        reason: ROUTES,
        expected: Expected::Status(404, Some("ERR_NOT_FOUND")),
    },
    Exception {
        line: "dot segments",
        reason: "dot segments are never resolved (secrets-api.md B3)",
        expected: Expected::Status(404, Some("ERR_NOT_FOUND")),
    },
    Exception {
        line: "bad percent",
        reason: "every 400 has a JSON body",
        expected: Expected::Status(400, Some("ERR_BAD_REQUEST")),
    },
    Exception {
        line: "nul in name",
        reason: "a control character is no part of a name (secrets-api.md B1)",
        expected: Expected::Status(400, Some("ERR_BAD_REQUEST")),
    },
    Exception {
        line: "post",
        reason: METHODS,
        expected: Expected::NotAllowed("GET, HEAD"),
    },
    Exception {
        line: "options",
        reason: METHODS,
        expected: Expected::NotAllowed("GET, HEAD"),
    },
    Exception {
        line: "delete",
        reason: METHODS,
        expected: Expected::NotAllowed("GET, HEAD"),
    },
    Exception {
        line: "head",
        reason: "HEAD is answered as GET, without a body",
        expected: Expected::Status(200, None),
    },
    Exception {
        line: "healthz HEAD with token",
        reason: "HEAD is answered as GET, without a body (secrets-api.md G3)",
        expected: Expected::Status(204, None),
    },
    Exception {
        line: "token twice good first",
        reason: "of two values nobody can tell which one counts (auth.md E2)",
        expected: Expected::Status(401, None),
    },
    Exception {
        line: "healthz with trailing slash without token",
        reason: EXACT,
        expected: Expected::Status(401, None),
    },
    Exception {
        line: "healthz leading doubled slash without token",
        reason: EXACT,
        expected: Expected::Status(401, None),
    },
    Exception {
        line: "metadata",
        reason: "members without a meaning here are left out, and the version is ours (secrets-api.md G3)",
        expected: Expected::Metadata,
    },
];

#[test]
fn api_a1_api_a3_api_d1_every_recorded_request_gets_the_recorded_answer() {
    let sidecar = recording::sidecar("daprd");
    let mut unused: Vec<_> = EXCEPTIONS.iter().map(|exception| exception.line).collect();
    for exchange in recording::exchanges() {
        let answer = exchange.replay(&sidecar);
        let exception = EXCEPTIONS
            .iter()
            .find(|exception| exception.line == exchange.name);
        match exception {
            None => assert_as_recorded(&exchange, &answer),
            Some(exception) => {
                unused.retain(|line| *line != exception.line);
                assert!(!exception.reason.is_empty());
                assert_as_expected(&exchange, &exception.expected, &answer);
            }
        }
    }
    assert_eq!(unused, [""; 0], "exceptions that no recorded line needs");
}

fn assert_as_recorded(exchange: &Exchange, answer: &Answer) {
    let name = &exchange.name;
    assert_eq!(answer.status, exchange.status, "{name}: {}", answer.text());
    assert_eq!(answer.error_code(), exchange.error_code(), "{name}");
    assert_eq!(
        answer.header("content-type"),
        exchange.content_type(),
        "{name}"
    );
    match exchange.json() {
        Some(recorded) => assert_eq!(answer.json(), Some(recorded), "{name}"),
        None => assert_eq!(answer.text(), exchange.body, "{name}"),
    }
}

fn assert_as_expected(exchange: &Exchange, expected: &Expected, answer: &Answer) {
    let name = &exchange.name;
    match expected {
        Expected::Values(values) => {
            assert_eq!(answer.status, exchange.status, "{name}");
            let mut body = exchange.json().expect("a recorded object");
            let replaced = replace_formats(&mut body, values);
            assert_eq!(
                replaced,
                values.len(),
                "{name}: every value replaces one of daprd's"
            );
            assert_eq!(answer.json(), Some(body), "{name}");
        }
        Expected::Status(status, code) => {
            assert_eq!(answer.status, *status, "{name}: {}", answer.text());
            assert_eq!(answer.error_code().as_deref(), *code, "{name}");
            let differs = answer.status != exchange.status
                || answer.error_code() != exchange.error_code()
                || answer.header("content-type") != exchange.content_type();
            assert!(
                differs,
                "{name} is no exception: it is answered as recorded"
            );
        }
        Expected::NotAllowed(allow) => {
            assert_eq!(answer.status, 405, "{name}");
            assert_eq!(
                answer.error_code().as_deref(),
                Some("ERR_METHOD_NOT_ALLOWED"),
                "{name}"
            );
            assert_eq!(answer.header("allow"), Some(*allow), "{name}");
        }
        Expected::Metadata => {
            assert_eq!(answer.status, exchange.status, "{name}");
            let mut body = exchange.json().expect("a recorded object");
            let members = body.as_object_mut().expect("an object");
            for member in ["enabledFeatures", "appConnectionProperties", "actorRuntime"] {
                assert!(members.remove(member).is_some(), "{member} was recorded");
            }
            let version = json!(env!("CARGO_PKG_VERSION"));
            members["runtimeVersion"] = version.clone();
            members["extended"]["daprRuntimeVersion"] = version;
            assert_eq!(answer.json(), Some(body), "{name}");
        }
    }
}

/// Puts `values` where daprd wrote `%!s(...)`; returns how many there were.
fn replace_formats(body: &mut Value, values: &[(&str, &str)]) -> usize {
    let Some(members) = body.as_object_mut() else {
        return 0;
    };
    let mut count = 0;
    for (key, value) in members {
        let is_format = value.as_str().is_some_and(|text| text.starts_with("%!s("));
        let replacement = values.iter().find(|(name, _)| name == key);
        match replacement {
            Some((_, text)) if is_format => {
                *value = json!(text);
                count += 1;
            }
            _ => count += replace_formats(value, values),
        }
    }
    count
}

/// The recording has no line for these differences of A3.
#[test]
fn api_a3_differences_that_were_not_recorded_hold_too() {
    let sidecar = recording::sidecar("daprd");
    let long = "x".repeat(2049);
    let rows = [
        (
            "a control character",
            "/v1.0/secrets/filestore/a%09b".to_owned(),
            400,
        ),
        (
            "a name over the limit",
            format!("/v1.0/secrets/filestore/{long}"),
            400,
        ),
        (
            "a store name over the limit",
            format!("/v1.0/secrets/{}/x", &long[..257]),
            400,
        ),
        (
            "encoded dots are a name like any other",
            "/v1.0/secrets/filestore/%2e%2e".to_owned(),
            500,
        ),
    ];
    for (name, target, status) in rows {
        let answer = crate::wire::get(sidecar.address(), &target);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert!(answer.error_code().is_some(), "{name}: a JSON body");
    }
    stop(sidecar);
}

fn stop(sidecar: Sidecar) {
    assert_eq!(sidecar.stop().code(), Some(0));
}
