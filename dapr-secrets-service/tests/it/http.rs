//! Success bodies, headers and methods.

use dapr_secrets_service::{Engine, FileStore, Metadata, SecretsService};
use serde_json::json;

use crate::talk::{PROFILES, ask, get};

const SECRETS: &str = r#"{
    "plain": "hunter2",
    "empty": "",
    "db": {"user": "admin", "password": "p@ss", "port": 5432},
    "none": {},
    "a b": "space", "a+b": "plus", "a/b": "slash", "..": "dots", "100%": "percent",
    "bulk": "named bulk",
    "html": "<a href='x'>&amp;</a>",
    "odd": "quote\" back\\ line\n tab\t nul\u0000 del\u007f héllo ✓ 😀"
}"#;

fn engine() -> Engine {
    let flat = FileStore::builder().parse(SECRETS).expect("valid");
    let multi = FileStore::builder()
        .with_multi_valued(true)
        .parse(SECRETS)
        .expect("valid");
    Engine::builder()
        .add_store("flat", flat)
        .add_store("multi", multi)
        .build()
        .expect("sound")
}

#[tokio::test]
async fn api_c1_api_c3_one_secret_is_an_object_of_texts() {
    for (name, target, body) in [
        (
            "name and value",
            "/v1.0/secrets/flat/plain",
            r#"{"plain":"hunter2"}"#,
        ),
        (
            "a flattened member",
            "/v1.0/secrets/flat/db:user",
            r#"{"db:user":"admin"}"#,
        ),
        (
            "several keys, sorted, without the name",
            "/v1.0/secrets/multi/db",
            r#"{"password":"p@ss","port":"5432","user":"admin"}"#,
        ),
        (
            "no HTML escaping",
            "/v1.0/secrets/flat/html",
            r#"{"html":"<a href='x'>&amp;</a>"}"#,
        ),
        (
            "JSON escaping",
            "/v1.0/secrets/flat/odd",
            "{\"odd\":\"quote\\\" back\\\\ line\\n tab\\t nul\\u0000 del\u{7f} héllo ✓ 😀\"}",
        ),
        (
            "the name is escaped too",
            "/v1.0/secrets/flat/100%25",
            r#"{"100%":"percent"}"#,
        ),
        (
            "an escaped slash",
            "/v1.0/secrets/flat/a%2Fb",
            r#"{"a/b":"slash"}"#,
        ),
        (
            "plus is a space",
            "/v1.0/secrets/flat/a+b",
            r#"{"a b":"space"}"#,
        ),
        (
            "an escaped plus",
            "/v1.0/secrets/flat/a%2Bb",
            r#"{"a+b":"plus"}"#,
        ),
        (
            "escaped dots",
            "/v1.0/secrets/flat/%2e%2e",
            r#"{"..":"dots"}"#,
        ),
        (
            "a secret called bulk",
            "/v1.0/secrets/flat/bul%6B",
            r#"{"bulk":"named bulk"}"#,
        ),
    ] {
        for profile in PROFILES {
            let service = SecretsService::builder(engine()).profile(profile).build();
            let answer = get(&service, target).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, body), "{name}");
        }
    }
}

#[tokio::test]
async fn api_c4_no_keys_and_an_empty_value_are_answers() {
    let service = SecretsService::new(engine());
    let answer = get(&service, "/v1.0/secrets/multi/none").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    let answer = get(&service, "/v1.0/secrets/flat/empty").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, r#"{"empty":""}"#)
    );
}

#[tokio::test]
async fn api_c2_bulk_is_sorted_and_each_name_can_be_asked_for() {
    let service = SecretsService::new(engine());
    let answer = get(&service, "/v1.0/secrets/multi/bulk").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["db"],
        json!({"password": "p@ss", "port": "5432", "user": "admin"})
    );
    for store in ["flat", "multi"] {
        let bulk = get(&service, &format!("/v1.0/secrets/{store}/bulk")).await;
        let bulk = bulk.json();
        let members = bulk.as_object().expect("an object");
        assert!(members.len() > 10);
        for (name, secret) in members {
            let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let single = get(&service, &format!("/v1.0/secrets/{store}/{escaped}")).await;
            assert_eq!(single.status, 200, "{name}");
            assert_eq!(&single.json(), secret, "{name}");
        }
    }
    let again = get(&service, "/v1.0/secrets/multi/bulk").await;
    assert_eq!(answer.body, again.body, "equal content gives equal bytes");
    let names: Vec<&str> = answer
        .body
        .split("\":{\"")
        .map(|part| part.rsplit('"').next().unwrap_or_default())
        .collect();
    let mut sorted = names.clone();
    sorted.pop();
    let listed = sorted.clone();
    sorted.sort_unstable();
    assert_eq!(listed, sorted, "sorted as bytes");
}

#[tokio::test]
async fn api_c_api_d_every_body_is_json_with_its_length_and_not_stored() {
    for profile in PROFILES {
        let service = SecretsService::builder(engine()).profile(profile).build();
        for (target, status) in [
            ("/v1.0/secrets/flat/plain", 200),
            ("/v1.0/secrets/flat/bulk", 200),
            ("/v1.0/secrets/flat/%zz", 400),
            ("/v1.0/nothing", 404),
        ] {
            let answer = get(&service, target).await;
            assert_eq!(answer.status, status, "{target}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let length = answer.body.len().to_string();
            assert_eq!(answer.header("content-length"), Some(&*length), "{target}");
        }
    }
}

#[tokio::test]
async fn api_d2_a_definite_miss_is_204_without_a_body() {
    let service = SecretsService::new(engine());
    for target in [
        "/v1.0/secrets/flat/nope",
        "/v1.0/secrets/flat/Plain",
        "/v1.0/secrets/flat/db",
        "/v1.0/secrets/multi/db:user",
    ] {
        let answer = get(&service, target).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{target}");
        assert_eq!(answer.header("content-type"), None);
        assert_eq!(answer.header("content-length"), None);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn api_b_head_has_the_head_of_get_and_no_body() {
    for profile in PROFILES {
        let service = SecretsService::builder(engine()).profile(profile).build();
        for target in [
            "/v1.0/secrets/flat/plain",
            "/v1.0/secrets/flat/bulk",
            "/v1.0/secrets/flat/nope",
            "/v1.0/secrets/nostore/x",
            "/v1.0/secrets/flat/%zz",
            "/v1.0/nothing",
        ] {
            let with_body = get(&service, target).await;
            let head = ask(&service, "HEAD", target).await;
            assert_eq!(head.body, "", "{target}");
            assert_eq!(head.status, with_body.status, "{target}");
            assert_eq!(head.headers, with_body.headers, "{target}");
        }
    }
}

#[tokio::test]
async fn api_b_another_method_is_405_and_says_which_are_allowed() {
    for profile in PROFILES {
        let service = SecretsService::builder(engine()).profile(profile).build();
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
            for target in ["/v1.0/secrets/flat/plain", "/v1.0/secrets/flat/bulk"] {
                let answer = ask(&service, method, target).await;
                assert_eq!(answer.status, 405, "{method} {target}");
                assert_eq!(answer.header("allow"), Some("GET, HEAD"));
                assert_eq!(answer.error_code(), "ERR_METHOD_NOT_ALLOWED");
            }
        }
    }
}

#[tokio::test]
async fn api_b_anything_else_is_404() {
    let service = SecretsService::new(engine());
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/v1.0/secrets/flat"),
        ("GET", "/v1.0/secrets/flat/a/b"),
        ("GET", "/v1.0/secrets/flat/.."),
        ("POST", "/v1.0/state/flat"),
        ("OPTIONS", "*"),
    ] {
        let answer = ask(&service, method, target).await;
        assert_eq!(answer.status, 404, "{method} {target}");
        assert_eq!(answer.error_code(), "ERR_NOT_FOUND");
    }
}

#[tokio::test]
async fn api_b5_s30_prefix_reaches_the_store() {
    let service = SecretsService::new(engine());
    let answer = get(&service, "/v1.0/secrets/flat/bulk?metadata.prefix=db%3A").await;
    let names: Vec<_> = answer
        .json()
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(names, ["db:password", "db:port", "db:user"]);
}

#[tokio::test]
async fn api_i1_calls_in_process_give_the_same_answers() {
    let service = SecretsService::new(engine());
    let none = Metadata::default();
    let secret = service
        .engine()
        .get("multi", "db", &none)
        .await
        .expect("there");
    let members: serde_json::Map<_, _> = secret
        .iter()
        .map(|(key, value)| (key.to_owned(), json!(value.expose())))
        .collect();
    let answer = get(&service, "/v1.0/secrets/multi/db").await;
    assert_eq!(serde_json::Value::Object(members), answer.json());

    let bulk = service.engine().bulk("flat", &none).await.expect("there");
    let answer = get(&service, "/v1.0/secrets/flat/bulk").await;
    assert_eq!(
        bulk.len(),
        answer.json().as_object().expect("an object").len()
    );

    fn is_shareable<T: Clone + Send + Sync + 'static>(_: &T) {}
    is_shareable(&service);
    is_shareable(service.engine());
}
