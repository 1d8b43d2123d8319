//! What bounds a call: how many there are at once, and how long each is waited for.

use std::time::Duration;

use bytes::Bytes;
use dapr_secrets_service::{Engine, Profile};
use http_body_util::Full;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::*;
use crate::admission::Admission;
use crate::budget::AnswerBudget;
use crate::shutdown::{Shutdown, Signals};
use crate::silent::Silent;

/// Serves a store that never answers, to one caller at a time.
async fn calls(profile: Profile) -> Calls {
    let engine = Engine::builder().add_store("silent", Silent).build();
    let signals = Signals::listen().expect("signals");
    let backend = Backend {
        engine: engine.expect("one store"),
        profile,
        app_id: String::new(),
        admission: Admission::new(1),
        budget: AnswerBudget::new(),
    };
    Calls::new(backend, Shutdown::new(signals, Duration::ZERO).drain()).await
}

fn call() -> Request<Full<Bytes>> {
    // store_name = "silent", key = "a"
    let message = b"\0\0\0\0\x0b\x0a\x06silent\x12\x01a";
    Request::post("/dapr.proto.runtime.v1.Dapr/GetSecret")
        .header("content-type", "application/grpc")
        .body(Full::from(&message[..]))
        .expect("a call")
}

async fn refusal(calls: &Calls) -> Status {
    let refusal = calls.0.secrets(call()).await.expect_err("a refusal");
    Status::from_header_map(refusal.headers()).expect("a status")
}

#[tokio::test(start_paused = true)]
async fn api_g6_api_d_a_call_is_answered_after_30_s_at_the_latest_and_no_longer_counts() {
    for (profile, code) in [
        (Profile::Documented, Code::DeadlineExceeded),
        (Profile::Daprd, Code::Internal),
    ] {
        let calls = calls(profile).await;
        // The second finds the place of the first free again.
        for _ in 0..2 {
            let start = Instant::now();
            assert_eq!(refusal(&calls).await.code(), code, "{profile:?}");
            assert_eq!(start.elapsed(), Duration::from_secs(30), "{profile:?}");
        }
    }
}

#[tokio::test]
async fn api_g6_api_d_calls_over_the_limit_are_refused() {
    for profile in [Profile::Documented, Profile::Daprd] {
        let calls = calls(profile).await;
        let _taken = calls.0.backend.admission.enter().expect("room for one");
        let status = refusal(&calls).await;
        assert_eq!(status.code(), Code::ResourceExhausted, "{profile:?}");
    }
}
