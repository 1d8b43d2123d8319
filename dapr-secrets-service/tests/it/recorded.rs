//! The lines about secrets of what a real daprd answered, replayed in the daprd profile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dapr_secrets_service::config::Loader;
use dapr_secrets_service::{Profile, SecretsService};
use serde_json::Value;

use crate::files::write;
use crate::talk::ask;

/// A line that is answered otherwise on purpose, and what it is answered instead.
struct Exception {
    name: &'static str,
    reason: &'static str,
    status: u16,
    /// The body, or the error code when the status is an error.
    answer: &'static str,
}

const SCALARS: &str = "a scalar of a file is its JSON text, not Go's %!s(...)";
const ROUTES: &str = "a route that is none of ours is ERR_NOT_FOUND: there is no app to invoke";
const METHODS: &str = "a method other than GET is 405: there is no app to invoke";
const NAMES: &str = "what cannot be a name is 400, with a JSON body";

const fn except(
    name: &'static str,
    reason: &'static str,
    status: u16,
    answer: &'static str,
) -> Exception {
    Exception {
        name,
        reason,
        status,
        answer,
    }
}

/// Exactly these lines differ.
const EXCEPTIONS: [Exception; 18] = [
    except("get number", SCALARS, 200, r#"{"db:port":"5432"}"#),
    except("get bool", SCALARS, 200, r#"{"db:tls":"true"}"#),
    except("get null", SCALARS, 200, r#"{"nothing":"null"}"#),
    except(
        "get multi valued",
        SCALARS,
        200,
        r#"{"password":"p@ss","port":"5432","tls":"true","user":"admin"}"#,
    ),
    except("bulk", SCALARS, 200, "%!s(...) as JSON text"),
    except("bulk multi valued", SCALARS, 200, "%!s(...) as JSON text"),
    except("bulk deny list", SCALARS, 200, "%!s(...) as JSON text"),
    except("get name with raw slash", ROUTES, 404, "ERR_NOT_FOUND"),
    except("no name", ROUTES, 404, "ERR_NOT_FOUND"),
    except("empty name", ROUTES, 404, "ERR_NOT_FOUND"),
    except(
        "dot segments",
        "dot segments are never resolved",
        404,
        "ERR_NOT_FOUND",
    ),
    except("bad percent", NAMES, 400, "ERR_BAD_REQUEST"),
    except("nul in name", NAMES, 400, "ERR_BAD_REQUEST"),
    except("post", METHODS, 405, "ERR_METHOD_NOT_ALLOWED"),
    except("options", METHODS, 405, "ERR_METHOD_NOT_ALLOWED"),
    except("delete", METHODS, 405, "ERR_METHOD_NOT_ALLOWED"),
    except("head", "HEAD is answered like GET", 200, ""),
    except("unknown route", ROUTES, 404, "ERR_NOT_FOUND"),
];

pub(crate) fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/daprd-1.18.1")
}

/// The recorded components; the relative path of their secrets file made absolute in a copy.
pub(crate) fn service() -> SecretsService {
    let recorded = recorded();
    let copy = tempfile::tempdir().expect("a folder");
    let secrets = recorded.join("secrets.json");
    let components = fs::read_to_string(recorded.join("resources/stores.yaml"))
        .expect("recorded")
        .replace("value: secrets.json", &format!("value: {secrets:?}"));
    write(&copy.path().join("stores.yaml"), components);
    let configuration = copy.path().join("config.yaml.txt");
    let scopes = fs::read(recorded.join("config.yaml")).expect("recorded");
    write(&configuration, scopes);
    let environment = BTreeMap::from(
        [
            ("DAPR_API_TOKEN", "the token"),
            ("APP_API_TOKEN", "apptok"),
            ("DEMO_GREETING", "hi"),
            ("DEMO_EMPTY", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let config = Loader::new()
        .add_resources_path(copy.path())
        .add_configuration(configuration)
        .app_id("t")
        .environment(environment)
        .load()
        .expect("sound");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    let engine = config.into_engine().expect("sound");
    SecretsService::builder(engine)
        .profile(Profile::Daprd)
        .build()
}

/// Lines with the right token, once, that are not about the sidecar's own routes. The library
/// checks no token.
fn is_about_secrets(line: &Value) -> bool {
    let headers = line["headers"].as_array().expect("recorded");
    let has_token = matches!(&headers[..], [header] if header[1] == "<token>");
    let path = line["path"].as_str().expect("recorded");
    has_token && !path.contains("healthz") && path != "/v1.0/metadata"
}

pub(crate) fn without_go_formats(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), without_go_formats(value)))
            .collect(),
        Value::String(text) => Value::String(match text.as_str() {
            "%!s(<nil>)" => "null".to_owned(),
            formatted if formatted.starts_with("%!s(") => formatted
                .trim_end_matches(')')
                .split('=')
                .next_back()
                .expect("a split has a last part")
                .to_owned(),
            _ => text.clone(),
        }),
        other => other.clone(),
    }
}

#[tokio::test]
async fn api_a1_api_a3_the_daprd_profile_answers_what_daprd_answered() {
    let service = service();
    let lines = fs::read_to_string(recorded().join("http.ndjson")).expect("recorded");
    let mut unused: BTreeSet<&str> = EXCEPTIONS.iter().map(|except| except.name).collect();
    assert_eq!(unused.len(), EXCEPTIONS.len());
    let mut replayed = 0;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("recorded");
        if !is_about_secrets(&line) {
            continue;
        }
        replayed += 1;
        let text = |field: &str| line[field].as_str().expect("recorded");
        let name = text("name");
        let answer = ask(&service, text("method"), text("path")).await;
        let recorded_body = serde_json::from_str::<Value>(text("body")).ok();
        if let Some(exception) = EXCEPTIONS.iter().find(|except| except.name == name) {
            unused.remove(exception.name);
            let why = format!("{name}: {}", exception.reason);
            assert_eq!(answer.status, exception.status, "{why}");
            if answer.status >= 400 {
                assert_eq!(answer.error_code(), exception.answer, "{why}");
            } else if exception.answer.starts_with("%!s") {
                let recorded_body = recorded_body.expect("recorded as JSON");
                assert_eq!(answer.json(), without_go_formats(&recorded_body), "{why}");
                assert_ne!(answer.json(), recorded_body, "{name} is no exception");
            } else {
                assert_eq!(answer.body, exception.answer, "{why}");
            }
            continue;
        }
        assert_eq!(u64::from(answer.status), line["status"], "{name}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{name}"
        );
        assert_eq!(Some(answer.json()), recorded_body, "{name}");
    }
    assert!(unused.is_empty(), "no such lines: {unused:?}");
    assert_eq!(replayed, 58);
}

#[tokio::test]
async fn s32_the_documented_profile_tells_unset_from_empty() {
    let daprd = service();
    let documented = SecretsService::new(daprd.engine().clone());
    for (target, status_documented, body_daprd) in [
        ("envstore/NOPE", 204, r#"{"NOPE":""}"#),
        ("openenv/DAPR_API_TOKEN", 204, r#"{"DAPR_API_TOKEN":""}"#),
        ("envstore/EMPTY", 200, r#"{"EMPTY":""}"#),
        ("envstore/GREETING", 200, r#"{"GREETING":"hi"}"#),
    ] {
        let target = format!("/v1.0/secrets/{target}");
        let answer = ask(&documented, "GET", &target).await;
        assert_eq!(answer.status, status_documented, "{target}");
        let answer = ask(&daprd, "GET", &target).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, body_daprd),
            "{target}"
        );
    }
    for service in [daprd, documented] {
        let answer = ask(&service, "GET", "/v1.0/secrets/openenv/A%3DB").await;
        assert_eq!(
            answer.status, 400,
            "what no variable can be called stays refused"
        );
    }
}
