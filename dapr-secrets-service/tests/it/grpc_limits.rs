//! How large messages may be, and how long a call is waited for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dapr_secrets_service::{Engine, Profile, SecretsGrpc};
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};
use tower::ServiceExt;

use crate::call::{bulk, client_of, connect, framed, get, in_process, secret_of, send};
use crate::dapr::GetSecretRequest;
use crate::shelf::{Shelf, Silent};
use crate::talk::PROFILES;

/// How long a healthy machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;

fn engine() -> Engine {
    let mut shelf = Shelf::default().with("one", "1");
    for index in 0..3 {
        let value = "x".repeat(6 * MIB);
        shelf = shelf.with(&format!("large-{index}"), &value);
    }
    Engine::builder()
        .add_store("shelf", shelf)
        .build()
        .expect("sound")
}

#[tokio::test]
async fn api_f3_a_message_has_at_most_4_mib_on_its_way_in() {
    for profile in PROFILES {
        let mut client = client_of(&engine(), profile).await;
        for (length, code) in [
            (MIB, Code::InvalidArgument),
            // The field in front of the name takes five bytes.
            (4 * MIB - 5, Code::InvalidArgument),
            (4 * MIB - 4, Code::ResourceExhausted),
            (8 * MIB, Code::ResourceExhausted),
        ] {
            let request = GetSecretRequest {
                store_name: "n".repeat(length),
                ..GetSecretRequest::default()
            };
            let status = client.get_secret(request).await.expect_err("refused");
            assert_eq!(status.code(), code, "{length}");
            assert!(status.message().len() < 100, "nothing of it is repeated");
            // The connection goes on.
            assert!(get(&mut client, "shelf", "one").await.is_ok(), "{length}");
        }
    }
}

#[tokio::test]
async fn api_f3_an_answer_of_more_than_16_mib_advises_a_prefix() {
    for profile in PROFILES {
        let mut client = client_of(&engine(), profile).await;
        let status = bulk(&mut client, "shelf", &[]).await.expect_err("18 MiB");
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(
            status.message().contains("`prefix`"),
            "{}",
            status.message()
        );
        let some = bulk(&mut client, "shelf", &[("prefix", "large-1")]).await;
        let some = some.expect("as advised").into_inner();
        assert_eq!(some.data["large-1"].secrets["large-1"].len(), 6 * MIB);
    }
}

#[tokio::test]
async fn api_b4_api_b5_api_f2_names_and_request_metadata_are_bounded() {
    let long = "n".repeat(2_049);
    let names: [(&str, &str, &str); 7] = [
        ("no store", "", "x"),
        ("no name", "shelf", ""),
        ("a long store name", &long[..257], "x"),
        ("a long name", "shelf", &long),
        ("nul", "shelf", "\0"),
        ("a line feed", "shelf", "a\nb"),
        ("a control character in the store", "a\u{85}", "x"),
    ];
    let numbered = |count: usize| -> Vec<(String, String)> {
        (0..count)
            .map(|index| (format!("k{index}"), String::new()))
            .collect()
    };
    let pair = |key: &str, value: String| vec![(key.to_owned(), value)];
    let metadata = [
        ("none", vec![], true),
        ("32 keys", numbered(32), true),
        ("33 keys", numbered(33), false),
        ("8 KiB", pair("k", "v".repeat(8_191)), true),
        ("a byte more", pair("k", "v".repeat(8_192)), false),
        ("a key without a name", pair("", "v".repeat(9_000)), true),
        ("no truth value", pair("partial", "maybe".into()), false),
        ("a truth value", pair("partial", "yes".into()), true),
    ];
    for profile in PROFILES {
        let mut client = client_of(&engine(), profile).await;
        for (name, store, key) in names {
            let status = get(&mut client, store, key).await.expect_err(name);
            assert_eq!(status.code(), Code::InvalidArgument, "{name}");
            assert!(status.message().len() < 100, "{name}: {}", status.message());
        }
        for (name, map, accepted) in &metadata {
            let request = GetSecretRequest {
                metadata: map.iter().cloned().collect(),
                ..secret_of("shelf", "one")
            };
            let answer = client.get_secret(request).await;
            match answer {
                Ok(_) => assert!(accepted, "{name}"),
                Err(status) => {
                    assert!(!accepted, "{name}: {status}");
                    assert_eq!(status.code(), Code::InvalidArgument, "{name}");
                }
            }
            let map: Vec<_> = map.iter().map(|(k, v)| (&**k, &**v)).collect();
            let prefixed = [&map[..], &[("prefix", "one")]].concat();
            let answer = bulk(&mut client, "shelf", &prefixed).await;
            // The prefix is one key, and bytes, more.
            let fits = *accepted && !matches!(*name, "32 keys" | "8 KiB");
            assert_eq!(answer.is_ok(), fits, "bulk: {name}");
        }
    }
}

#[tokio::test]
async fn api_f3_what_is_no_message_is_told() {
    for profile in PROFILES {
        let service = SecretsGrpc::builder(engine()).profile(profile).build();
        let mut connection = connect(service).await;
        for (name, bytes) in [
            ("nothing", vec![]),
            ("two messages", [framed(b""), framed(b"")].concat()),
            ("no message", framed(b"\xff\xff\xff")),
            ("not UTF-8", framed(b"\x0a\x02\xff\xfe")),
        ] {
            let path = "/dapr.proto.runtime.v1.Dapr/GetSecret";
            let headers = [("content-type", "application/grpc")];
            let answer = send(&mut connection, path, &headers, bytes).await;
            let status = Status::from_header_map(answer.headers()).expect("a status");
            assert_eq!(status.code(), Code::Internal, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn api_f4_a_store_is_not_asked_any_longer_than_the_caller_waits() {
    let dropped = Arc::new(Notify::new());
    let engine = Engine::builder()
        .add_store("silent", Silent::telling(&dropped))
        .build()
        .expect("sound");
    let mut client = in_process(&engine, Profile::Documented);
    let mut request = tonic::Request::new(secret_of("silent", "x"));
    request.set_timeout(Duration::from_secs(5));
    let began = Instant::now();
    let status = client.get_secret(request).await.expect_err("late");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let waited = began.elapsed();
    let (least, most) = (Duration::from_secs(5), Duration::from_secs(6));
    assert!((least..most).contains(&waited), "{waited:?}");
    timeout(PATIENCE, dropped.notified())
        .await
        .expect("the store's future is dropped");
}

#[tokio::test]
async fn api_f4_a_deadline_that_is_far_away_or_malformed() {
    let service = SecretsGrpc::new(engine());
    let mut connection = connect(service).await;
    let asked = framed(b"\x0a\x05shelf\x12\x03one");
    for (time, code) in [
        ("99999999H", None),
        ("30S", None),
        ("soon", Some("3")),
        ("1", Some("3")),
    ] {
        let answer = send(
            &mut connection,
            "/dapr.proto.runtime.v1.Dapr/GetSecret",
            &[("content-type", "application/grpc"), ("grpc-timeout", time)],
            asked.clone(),
        )
        .await;
        let status = answer.headers().get("grpc-status");
        assert_eq!(
            status.map(http::HeaderValue::as_bytes),
            code.map(str::as_bytes),
            "{time}"
        );
    }
}

#[tokio::test]
async fn api_f4_a_message_that_does_not_come_is_not_waited_for_either() {
    for (profile, code) in [
        (Profile::Documented, Code::DeadlineExceeded),
        (Profile::Daprd, Code::Internal),
    ] {
        let service = SecretsGrpc::builder(engine()).profile(profile).build();
        let never =
            StreamBody::new(tokio_stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        let request = Request::post("/dapr.proto.runtime.v1.Dapr/GetSecret")
            .header("content-type", "application/grpc")
            .header("grpc-timeout", "1m")
            .body(never)
            .expect("a request");
        let answer = timeout(PATIENCE, service.oneshot(request)).await;
        let Ok(answer) = answer.expect("an answer in time");
        let status = Status::from_header_map(answer.headers()).expect("a status");
        assert_eq!(status.code(), code);
    }
}

#[tokio::test]
async fn api_f4_a_cancelled_call_stops_waiting() {
    let (asked, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let engine = Engine::builder()
        .add_store("silent", Silent::telling(&dropped).asked(&asked))
        .add_store("shelf", Shelf::default().with("one", "1"))
        .build()
        .expect("sound");
    let mut client = client_of(&engine, Profile::Documented).await;
    let mut cancelled = client.clone();
    let call = tokio::spawn(async move { cancelled.get_secret(secret_of("silent", "x")).await });
    timeout(PATIENCE, asked.notified())
        .await
        .expect("the store is asked");
    call.abort();
    timeout(PATIENCE, dropped.notified())
        .await
        .expect("the store's future is dropped");
    assert!(get(&mut client, "shelf", "one").await.is_ok());
}
