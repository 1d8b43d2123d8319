//! The status table, in both profiles, for every way that a store can fail.

use std::time::Duration;

use dapr_secrets_service::{
    Engine, Error, ErrorKind, Metadata, Profile, Scope, SecretMap, SecretsService, StoreError,
    StoreErrorKind,
};
use serde_json::json;

use crate::log::Log;
use crate::shelf::Shelf;
use crate::talk::{PROFILES, get};

const KINDS: [StoreErrorKind; 10] = [
    StoreErrorKind::NotFound,
    StoreErrorKind::Unset,
    StoreErrorKind::VersionNotFound,
    StoreErrorKind::Denied,
    StoreErrorKind::Throttled,
    StoreErrorKind::Timeout,
    StoreErrorKind::Unavailable,
    StoreErrorKind::InvalidRequest,
    StoreErrorKind::Misconfigured,
    StoreErrorKind::Corrupt,
];

fn engine() -> Engine {
    let mut shelf = Shelf::default().with("good", "v");
    for kind in KINDS {
        let name = kind.as_str().to_lowercase();
        shelf = shelf.failing(&name, StoreError::new(kind, "our words"));
    }
    let throttled = StoreError::new(StoreErrorKind::Throttled, "");
    let waits = throttled.with_retry_after(Duration::from_millis(2_500));
    shelf = shelf
        .failing("waits", waits)
        .failing("refused", throttled_now());
    Engine::builder()
        .add_store("shelf", shelf)
        .add_scope("shelf", Scope::default().add_denied("refused"))
        .build()
        .expect("sound")
}

fn throttled_now() -> StoreError {
    StoreError::new(StoreErrorKind::Throttled, "").with_retry_after(Duration::ZERO)
}

fn service(profile: Profile) -> SecretsService {
    SecretsService::builder(engine()).profile(profile).build()
}

#[tokio::test]
async fn e2_e3_the_status_table_in_both_profiles() {
    // Target, documented status, code and reason, daprd status and code.
    let get_error = "ERR_SECRET_GET";
    for (target, documented, daprd) in [
        (
            "nostore/x",
            (400, "ERR_SECRET_STORE_NOT_FOUND", "SECRET_STORE_NOT_FOUND"),
            (401, "ERR_SECRET_STORE_NOT_FOUND"),
        ),
        (
            "shelf/misconfigured",
            (
                400,
                "ERR_SECRET_STORE_MISCONFIGURED",
                "SECRET_STORE_MISCONFIGURED",
            ),
            (401, "ERR_SECRET_STORE_NOT_FOUND"),
        ),
        (
            "shelf/refused",
            (403, "ERR_PERMISSION_DENIED", "PERMISSION_DENIED"),
            (403, "ERR_PERMISSION_DENIED"),
        ),
        ("shelf/notfound", (204, "", ""), (500, get_error)),
        ("shelf/versionnotfound", (204, "", ""), (500, get_error)),
        (
            "shelf/%00",
            (400, "ERR_BAD_REQUEST", "BAD_REQUEST"),
            (400, "ERR_BAD_REQUEST"),
        ),
        (
            "shelf/a%3Fb",
            (400, "ERR_BAD_REQUEST", "BAD_REQUEST"),
            (400, "ERR_BAD_REQUEST"),
        ),
        (
            "shelf/invalidrequest",
            (400, "ERR_BAD_REQUEST", "BAD_REQUEST"),
            (400, "ERR_BAD_REQUEST"),
        ),
        (
            "shelf/good?metadata.partial=maybe",
            (400, "ERR_BAD_REQUEST", "BAD_REQUEST"),
            (400, "ERR_BAD_REQUEST"),
        ),
        (
            "shelf/denied",
            (500, get_error, "BACKEND_DENIED"),
            (500, get_error),
        ),
        (
            "shelf/throttled",
            (500, get_error, "BACKEND_THROTTLED"),
            (500, get_error),
        ),
        (
            "shelf/timeout",
            (500, get_error, "BACKEND_UNAVAILABLE"),
            (500, get_error),
        ),
        (
            "shelf/unavailable",
            (500, get_error, "BACKEND_UNAVAILABLE"),
            (500, get_error),
        ),
        (
            "shelf/corrupt",
            (500, get_error, "SECRET_CORRUPT"),
            (500, get_error),
        ),
        (
            "shelf/bulk",
            (500, get_error, "SECRET_CORRUPT"),
            (500, get_error),
        ),
    ] {
        let target = format!("/v1.0/secrets/{target}");
        let answer = get(&service(Profile::Documented), &target).await;
        assert_eq!(answer.status, documented.0, "documented {target}");
        if answer.status == 204 {
            assert_eq!(answer.body, "", "{target}");
        } else {
            assert_eq!(answer.error_code(), documented.1, "documented {target}");
            let detail = &answer.json()["details"][0];
            assert_eq!(detail["reason"], documented.2, "documented {target}");
        }
        let answer = get(&service(Profile::Daprd), &target).await;
        assert_eq!(answer.status, daprd.0, "daprd {target}");
        assert_eq!(answer.error_code(), daprd.1, "daprd {target}");
        assert_eq!(answer.json().get("details"), None, "daprd {target}");
    }
}

#[tokio::test]
async fn api_d_no_stores_at_all_is_an_answer_of_its_own() {
    let engine = Engine::builder().build().expect("empty");
    for profile in PROFILES {
        let service = SecretsService::builder(engine.clone())
            .profile(profile)
            .build();
        for target in ["/v1.0/secrets/s/n", "/v1.0/secrets/s/bulk"] {
            let answer = get(&service, target).await;
            assert_eq!(answer.status, 500);
            assert_eq!(answer.error_code(), "ERR_SECRET_STORES_NOT_CONFIGURED");
            assert_eq!(answer.json()["message"], "secret store is not configured");
        }
    }
}

#[tokio::test]
async fn api_d_the_documented_body_has_one_error_info() {
    let answer = get(&service(Profile::Documented), "/v1.0/secrets/shelf/Corrupt").await;
    assert_eq!(
        answer.json(),
        json!({
            "errorCode": "ERR_SECRET_GET",
            "message": "failed getting secret with key Corrupt from secret store shelf: our words",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "SECRET_CORRUPT",
                "domain": "dapr.io",
                "metadata": {"store": "shelf", "secret": "Corrupt"},
            }],
        })
    );
    let answer = get(&service(Profile::Documented), "/v1.0/secrets/nostore/bulk").await;
    assert_eq!(
        answer.json()["details"][0]["metadata"],
        json!({"store": "nostore"}),
        "no secret, no member"
    );
}

#[tokio::test]
async fn api_d1_messages_are_the_same_in_both_profiles() {
    for (target, message) in [
        ("nostore/x", "failed finding secret store with key nostore"),
        (
            "shelf/refused",
            r#"access denied by policy to get "refused" from "shelf""#,
        ),
        (
            "shelf/corrupt",
            "failed getting secret with key corrupt from secret store shelf: our words",
        ),
    ] {
        for profile in PROFILES {
            let answer = get(&service(profile), &format!("/v1.0/secrets/{target}")).await;
            assert_eq!(answer.json()["message"], message, "{profile:?}");
        }
    }
    let miss = get(&service(Profile::Daprd), "/v1.0/secrets/shelf/nope").await;
    assert_eq!(
        miss.json()["message"],
        "failed getting secret with key nope from secret store shelf: secret nope not found"
    );
    let misconfigured = "/v1.0/secrets/shelf/misconfigured";
    let daprd = get(&service(Profile::Daprd), misconfigured).await;
    assert_eq!(
        daprd.json()["message"],
        "failed finding secret store with key shelf",
        "daprd knows no store that failed to start"
    );
}

#[tokio::test]
async fn api_d_a_throttled_caller_is_told_when_to_come_back() {
    for (target, documented) in [
        ("shelf/waits", Some("3")),
        ("shelf/throttled", Some("1")),
        ("shelf/unavailable", None),
    ] {
        let target = format!("/v1.0/secrets/{target}");
        let answer = get(&service(Profile::Documented), &target).await;
        assert_eq!(answer.header("retry-after"), documented, "{target}");
        let answer = get(&service(Profile::Daprd), &target).await;
        assert_eq!(answer.header("retry-after"), None, "{target}");
    }
}

#[tokio::test]
async fn api_d2_no_failure_but_a_miss_is_204() {
    for kind in KINDS {
        let target = format!("/v1.0/secrets/shelf/{}", kind.as_str().to_lowercase());
        let answer = get(&service(Profile::Documented), &target).await;
        let is_miss = matches!(
            kind,
            StoreErrorKind::NotFound | StoreErrorKind::Unset | StoreErrorKind::VersionNotFound
        );
        assert_eq!(answer.status == 204, is_miss, "{kind:?}");
    }
}

#[tokio::test]
async fn s29_one_failed_name_fails_bulk_with_its_error() {
    let shelf = Shelf::default()
        .with("a", "1")
        .failing("b", StoreError::new(StoreErrorKind::Denied, "our words"))
        .failing("gone", StoreError::new(StoreErrorKind::NotFound, ""));
    let engine = Engine::builder()
        .add_store("shelf", shelf)
        .build()
        .expect("sound");
    let error: Error = engine
        .bulk("shelf", &Metadata::default())
        .await
        .expect_err("b failed");
    assert_eq!(error.kind(), ErrorKind::BackendDenied);
    assert_eq!((error.store(), error.secret()), ("shelf", Some("b")));
}

#[tokio::test]
async fn s30_partial_bulk_lists_the_failed_names_in_a_header() {
    let shelf = Shelf::default()
        .with("a", "1")
        .failing("b,=;é", StoreError::new(StoreErrorKind::Denied, ""))
        .failing("c", StoreError::new(StoreErrorKind::Timeout, ""));
    let engine = Engine::builder()
        .add_store("shelf", shelf)
        .build()
        .expect("sound");
    for profile in PROFILES {
        let service = SecretsService::builder(engine.clone())
            .profile(profile)
            .build();
        let answer = get(&service, "/v1.0/secrets/shelf/bulk?metadata.partial=true").await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"a": {"a": "1"}}))
        );
        assert_eq!(
            answer.header("x-dapr-secrets-failed"),
            Some("b%2C%3D%3B%C3%A9=Denied,c=Timeout")
        );
        let prefixed = "/v1.0/secrets/shelf/bulk?metadata.partial=true&metadata.prefix=a";
        let answer = get(&service, prefixed).await;
        assert_eq!(answer.header("x-dapr-secrets-failed"), None);
    }
}

#[tokio::test]
async fn api_d_the_list_of_failed_names_is_cut_at_4_kib() {
    let mut shelf = Shelf::default();
    for index in 0..100 {
        let name = format!("{index:03}{}", "n".repeat(97));
        shelf = shelf.failing(&name, StoreError::new(StoreErrorKind::Denied, ""));
    }
    let engine = Engine::builder()
        .add_store("shelf", shelf)
        .build()
        .expect("sound");
    let service = SecretsService::new(engine);
    let answer = get(&service, "/v1.0/secrets/shelf/bulk?metadata.partial=1").await;
    let list = answer.header("x-dapr-secrets-failed").expect("there");
    // 107 bytes an item and a comma between two of them.
    assert_eq!(list.matches("=Denied").count(), 37);
    assert!(list.ends_with(";more=63"), "{list}");
    assert!(list.len() <= 4_096 + ";more=63".len());
}

#[tokio::test]
async fn s31_sizes_are_bounded() {
    let mib = |count: usize| "x".repeat(count << 20);
    let large = Shelf::default()
        .with("fits", &"x".repeat((8 << 20) - 4))
        .with("large", &mib(8));
    let large = Engine::builder()
        .add_store("s", large)
        .build()
        .expect("sound");
    let none = Metadata::default();
    assert!(large.get("s", "fits", &none).await.is_ok());
    let error = large.get("s", "large", &none).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = large.bulk("s", &none).await.expect_err("one is too large");
    assert_eq!(
        (error.kind(), error.secret()),
        (ErrorKind::Corrupt, Some("large"))
    );
    let partial = Metadata::default().with("partial", "true").expect("room");
    let answer = large.bulk("s", &partial).await.expect("the rest");
    assert_eq!((answer.len(), answer.failed().len()), (1, 1));

    let mut heavy = Shelf::default();
    for index in 0..9 {
        heavy = heavy.with(&format!("{index}"), &"x".repeat((8 << 20) - 1));
    }
    let mut wide = Shelf::default();
    for index in 0..10_001 {
        wide = wide.with_map(&format!("n{index}"), SecretMap::single("k", "v"));
    }
    let engine = Engine::builder()
        .add_store("heavy", heavy)
        .add_store("wide", wide)
        .build()
        .expect("sound");
    for store in ["heavy", "wide"] {
        let error = engine.bulk(store, &none).await.expect_err("too much");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{store}");
        assert!(error.to_string().contains("`prefix`"), "{error}");
    }
    let some = Metadata::default().with("prefix", "n1").expect("room");
    assert!(engine.bulk("wide", &some).await.is_ok(), "as advised");
}

#[tokio::test]
async fn s25_s26_foreign_request_metadata_is_ignored_with_one_warning_a_key() {
    let log = Log::start();
    let service = service(Profile::Documented);
    for (target, lines) in [
        ("good", 0),
        ("good?metadata.version_id=7", 0),
        (
            "good?metadata.prefix=x&metadata.partial=0&metadata.refresh_cache=true",
            0,
        ),
        ("good?metadata.version_stage=", 0),
        ("good?metadata.version_stage=x", 1),
        ("good?metadata.version_stage=y", 1),
        ("good?metadata.namespace=x&metadata.maxresults=1", 3),
        ("good?metadata.Version_id=1", 4),
        ("good?other=1", 4),
    ] {
        let answer = get(&service, &format!("/v1.0/secrets/shelf/{target}")).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"good":"v"}"#),
            "{target}"
        );
        assert_eq!(log.lines(), lines, "{target}: {}", log.text());
    }
}

#[tokio::test]
async fn s25_callers_cannot_fill_the_log_or_write_lines_of_their_own() {
    let log = Log::start();
    let service = service(Profile::Documented);
    for index in 0..1_000 {
        get(
            &service,
            &format!("/v1.0/secrets/shelf/good?metadata.k{index}=v"),
        )
        .await;
    }
    assert_eq!(log.lines(), 64);
    let log = Log::start();
    let fresh = self::service(Profile::Documented);
    get(
        &fresh,
        "/v1.0/secrets/shelf/good?metadata.a%0AERROR%1b[31m=v",
    )
    .await;
    assert_eq!(log.lines(), 1, "{}", log.text());
    assert!(!log.text().contains('\u{1b}'));
}

#[tokio::test]
async fn s32_an_unset_variable_is_a_kind_and_no_words_of_a_store_are() {
    let shelf = Shelf::default()
        .failing("unset", StoreError::new(StoreErrorKind::Unset, ""))
        .failing(
            "missing",
            StoreError::new(StoreErrorKind::NotFound, "unset_variable"),
        );
    let engine = Engine::builder()
        .add_store("shelf", shelf)
        .build()
        .expect("sound");
    for (name, documented, daprd) in [("unset", 204, 200), ("missing", 204, 500)] {
        let target = format!("/v1.0/secrets/shelf/{name}");
        for (profile, status) in [(Profile::Documented, documented), (Profile::Daprd, daprd)] {
            let service = SecretsService::builder(engine.clone())
                .profile(profile)
                .build();
            let answer = get(&service, &target).await;
            assert_eq!(answer.status, status, "{name} {profile:?}");
            if status == 200 {
                assert_eq!(answer.body, r#"{"unset":""}"#);
            }
        }
    }
}
