//! The status table over gRPC, in both profiles, for every way that a call can fail.

use std::collections::HashMap;
use std::time::Duration;

use dapr_secrets_service::{Engine, Profile, Scope, SecretMap, StoreError, StoreErrorKind};
use prost::Message;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::call::{Client, bulk, client_of, get, in_process, secret_of};
use crate::shelf::{Shelf, Silent};
use crate::talk::PROFILES;

fn engine() -> Engine {
    let mut shelf = Shelf::default().with("good", "v");
    for kind in [
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
    ] {
        let name = kind.as_str().to_lowercase();
        shelf = shelf.failing(&name, StoreError::new(kind, "our words"));
    }
    let throttled = StoreError::new(StoreErrorKind::Throttled, "");
    shelf = shelf.failing(
        "waits",
        throttled.with_retry_after(Duration::from_millis(2_500)),
    );
    Engine::builder()
        .add_store("shelf", shelf)
        .add_scope("shelf", Scope::default().add_denied("refused"))
        .add_store("silent", Silent::default())
        .build()
        .expect("sound")
}

async fn ask(client: &mut Client, store: &str, key: &str) -> Status {
    let answer = client.get_secret(secret_of(store, key)).await;
    answer.expect_err(key)
}

/// A call of a store that never answers, by a caller who does not wait forever.
async fn ask_in_vain(engine: &Engine, profile: Profile) -> Status {
    let mut request = Request::new(secret_of("silent", "x"));
    request.set_timeout(Duration::from_secs(5));
    let answer = in_process(engine, profile).get_secret(request).await;
    answer.expect_err("nobody answers")
}

#[tokio::test(start_paused = true)]
async fn api_d_api_a1_api_f2_the_status_table_in_both_profiles() {
    let (internal, invalid) = (Code::Internal, Code::InvalidArgument);
    // Store, key, documented code and reason, whether the error is about the secret, daprd's code.
    let rows = [
        (
            "nostore",
            "x",
            invalid,
            "SECRET_STORE_NOT_FOUND",
            false,
            invalid,
        ),
        (
            "shelf",
            "misconfigured",
            Code::FailedPrecondition,
            "SECRET_STORE_MISCONFIGURED",
            false,
            invalid,
        ),
        (
            "shelf",
            "refused",
            Code::PermissionDenied,
            "PERMISSION_DENIED",
            true,
            Code::PermissionDenied,
        ),
        (
            "shelf",
            "notfound",
            Code::NotFound,
            "SECRET_NOT_FOUND",
            true,
            internal,
        ),
        (
            "shelf",
            "nope",
            Code::NotFound,
            "SECRET_NOT_FOUND",
            true,
            internal,
        ),
        (
            "shelf",
            "versionnotfound",
            Code::NotFound,
            "SECRET_VERSION_NOT_FOUND",
            true,
            internal,
        ),
        ("shelf", "a?b", invalid, "BAD_REQUEST", true, invalid),
        (
            "shelf",
            "invalidrequest",
            invalid,
            "BAD_REQUEST",
            true,
            invalid,
        ),
        (
            "shelf",
            "denied",
            internal,
            "BACKEND_DENIED",
            true,
            internal,
        ),
        (
            "shelf",
            "throttled",
            Code::ResourceExhausted,
            "BACKEND_THROTTLED",
            true,
            internal,
        ),
        (
            "shelf",
            "timeout",
            Code::Unavailable,
            "BACKEND_UNAVAILABLE",
            true,
            internal,
        ),
        (
            "shelf",
            "unavailable",
            Code::Unavailable,
            "BACKEND_UNAVAILABLE",
            true,
            internal,
        ),
        (
            "shelf",
            "corrupt",
            Code::DataLoss,
            "SECRET_CORRUPT",
            true,
            internal,
        ),
        (
            "silent",
            "x",
            Code::DeadlineExceeded,
            "BACKEND_UNAVAILABLE",
            true,
            internal,
        ),
    ];
    let engine = engine();
    let mut documented = client_of(&engine, Profile::Documented).await;
    let mut daprd = client_of(&engine, Profile::Daprd).await;
    for (store, key, code, reason, about_secret, daprd_code) in rows {
        let name = format!("{store}/{key}");
        let status = match store {
            "silent" => ask_in_vain(&engine, Profile::Documented).await,
            _ => ask(&mut documented, store, key).await,
        };
        assert_eq!(status.code(), code, "documented {name}");
        let told = tonic_types::pb::Status::decode(status.details()).expect("google.rpc.Status");
        assert_eq!(told.code, i32::from(code), "{name}");
        assert_eq!(told.message, status.message(), "{name}");
        let details = status.get_error_details();
        let info = details.error_info().expect("an ErrorInfo");
        assert_eq!(
            (&*info.reason, &*info.domain),
            (reason, "dapr.io"),
            "{name}"
        );
        let both = HashMap::from([("store", store), ("secret", key)]);
        let named: HashMap<_, _> = info.metadata.iter().map(|(k, v)| (&**k, &**v)).collect();
        let resource = details.resource_info().expect("a ResourceInfo");
        let resource = (
            &*resource.resource_type,
            &*resource.resource_name,
            &*resource.owner,
        );
        if about_secret {
            assert_eq!(named, both, "{name}");
            assert_eq!(resource, ("secret", key, store), "{name}");
        } else {
            assert_eq!(named, HashMap::from([("store", store)]), "{name}");
            assert_eq!(resource, ("secretstore", store, ""), "{name}");
        }
        let waits = details.retry_info().is_some();
        assert_eq!(waits, reason == "BACKEND_THROTTLED", "{name}");

        let status = match store {
            "silent" => ask_in_vain(&engine, Profile::Daprd).await,
            _ => ask(&mut daprd, store, key).await,
        };
        assert_eq!(status.code(), daprd_code, "daprd {name}");
        assert!(status.details().is_empty(), "daprd {name}");
    }
}

#[tokio::test]
async fn api_d_no_stores_at_all_is_an_answer_of_its_own() {
    let engine = Engine::builder().build().expect("empty");
    for profile in PROFILES {
        let mut client = client_of(&engine, profile).await;
        let one = get(&mut client, "s", "n").await.expect_err("no store");
        let all = bulk(&mut client, "s", &[]).await.expect_err("no store");
        for status in [one, all] {
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert_eq!(status.message(), "secret store is not configured");
            assert_eq!(status.details().is_empty(), profile == Profile::Daprd);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn api_d1_messages_are_the_same_in_both_profiles() {
    for profile in PROFILES {
        let mut client = client_of(&engine(), profile).await;
        for (store, key, message) in [
            (
                "nostore",
                "x",
                "failed finding secret store with key nostore",
            ),
            (
                "shelf",
                "refused",
                r#"access denied by policy to get "refused" from "shelf""#,
            ),
            (
                "shelf",
                "corrupt",
                "failed getting secret with key corrupt from secret store shelf: our words",
            ),
            (
                "shelf",
                "h\u{e9} 100%\u{2713}",
                "failed getting secret with key h\u{e9} 100%\u{2713} from secret store shelf: secret h\u{e9} 100%\u{2713} not found",
            ),
        ] {
            let status = ask(&mut client, store, key).await;
            assert_eq!(status.message(), message, "{profile:?} {key}");
        }
        assert_eq!(
            ask_in_vain(&engine(), profile).await.message(),
            "failed getting secret with key x from secret store silent: the deadline of the call has passed"
        );
        let misconfigured = ask(&mut client, "shelf", "misconfigured").await;
        assert_eq!(
            misconfigured.message(),
            match profile {
                Profile::Daprd => "failed finding secret store with key shelf",
                _ => "secret store shelf is misconfigured: our words",
            }
        );
    }
}

#[tokio::test]
async fn api_d_an_unset_variable_is_empty_in_the_daprd_profile_alone() {
    let mut client = client_of(&engine(), Profile::Daprd).await;
    let answer = get(&mut client, "shelf", "unset").await.expect("empty");
    assert_eq!(answer, [("unset".to_owned(), String::new())]);
    let mut client = client_of(&engine(), Profile::Documented).await;
    let status = get(&mut client, "shelf", "unset")
        .await
        .expect_err("a miss");
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn api_d_a_throttled_caller_is_told_when_to_come_back() {
    let mut client = client_of(&engine(), Profile::Documented).await;
    for (key, wait) in [("waits", 2_500), ("throttled", 1_000)] {
        let details = ask(&mut client, "shelf", key).await.get_error_details();
        let told = details.retry_info().expect("a RetryInfo").retry_delay;
        assert_eq!(told, Some(Duration::from_millis(wait)), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn api_d_a_failed_bulk_has_the_status_of_its_cause() {
    let engine = Engine::builder()
        .add_store(
            "corrupt",
            Shelf::default().failing("a", StoreError::new(StoreErrorKind::Corrupt, "our words")),
        )
        .add_store("silent", Silent::default())
        .build()
        .expect("sound");
    for (profile, corrupt, late) in [
        (Profile::Documented, Code::DataLoss, Code::DeadlineExceeded),
        (Profile::Daprd, Code::Internal, Code::Internal),
    ] {
        let mut client = client_of(&engine, profile).await;
        let status = bulk(&mut client, "corrupt", &[]).await.expect_err("failed");
        assert_eq!(status.code(), corrupt);
        let mut request = Request::new(crate::dapr::GetBulkSecretRequest {
            store_name: "silent".into(),
            ..Default::default()
        });
        request.set_timeout(Duration::from_secs(5));
        let late_answer = in_process(&engine, profile).get_bulk_secret(request).await;
        let status = late_answer.expect_err("late");
        assert_eq!(status.code(), late);
        assert_eq!(
            status.message(),
            "failed getting secrets from secret store silent: the deadline of the call has passed"
        );
    }
}

#[tokio::test]
async fn api_d_partial_bulk_lists_the_failed_names_in_the_initial_metadata() {
    let shelf = Shelf::default()
        .with("a", "1")
        .failing("b,=;é", StoreError::new(StoreErrorKind::Denied, ""))
        .failing("c", StoreError::new(StoreErrorKind::Timeout, ""));
    let engine = Engine::builder()
        .add_store("shelf", shelf)
        .build()
        .expect("sound");
    for profile in PROFILES {
        let mut client = client_of(&engine, profile).await;
        let answer = bulk(&mut client, "shelf", &[("partial", "true")]).await;
        let answer = answer.expect("the rest");
        assert_eq!(
            answer
                .metadata()
                .get("x-dapr-secrets-failed")
                .map(tonic::metadata::MetadataValue::as_bytes),
            Some(&b"b%2C%3D%3B%C3%A9=Denied,c=Timeout"[..])
        );
        assert_eq!(answer.get_ref().data.len(), 1);
        let whole = [("partial", "true"), ("prefix", "a")];
        let answer = bulk(&mut client, "shelf", &whole).await.expect("all of it");
        assert_eq!(answer.metadata().get("x-dapr-secrets-failed"), None);
    }
}

#[tokio::test]
async fn api_f2_a_long_name_is_cut_so_that_an_error_fits_what_clients_take() {
    // What a Java client takes of headers, unless it is told otherwise.
    const HEADERS_MAX: usize = 8 << 10;
    let store = "\u{2713}".repeat(85);
    let engine = Engine::builder()
        .add_store(&store, Shelf::default())
        .build()
        .expect("sound");
    for profile in PROFILES {
        let mut connection = crate::call::connect(
            dapr_secrets_service::SecretsGrpc::builder(engine.clone())
                .profile(profile)
                .build(),
        )
        .await;
        let asked = secret_of(&store, &"\u{2713}".repeat(682)).encode_to_vec();
        let answer = crate::call::send(
            &mut connection,
            "/dapr.proto.runtime.v1.Dapr/GetSecret",
            &[("content-type", "application/grpc")],
            crate::call::framed(&asked),
        )
        .await;
        // As HTTP/2 counts them.
        let size: usize = answer
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum();
        assert!(size < HEADERS_MAX, "{profile:?}: {size} bytes");
        let status = Status::from_header_map(answer.headers()).expect("a status");
        let shown = format!("{}... not found", "\u{2713}".repeat(85));
        assert!(status.message().ends_with(&shown), "{}", status.message());
    }
}

#[tokio::test]
async fn api_d3_a_refusal_tells_nothing_of_what_is_there() {
    let shelf = Shelf::default().with_map("there", SecretMap::single("there", "v"));
    let reads = shelf.reads.clone();
    let engine = Engine::builder()
        .add_store("shelf", shelf)
        .add_scope("shelf", Scope::only(["other"]))
        .build()
        .expect("sound");
    for profile in PROFILES {
        let mut client = client_of(&engine, profile).await;
        for name in ["there", "missing"] {
            let status = get(&mut client, "shelf", name).await.expect_err("refused");
            assert_eq!(status.code(), Code::PermissionDenied, "{name}");
        }
    }
    assert!(reads.lock().expect("sound").is_empty(), "nothing was read");
}
