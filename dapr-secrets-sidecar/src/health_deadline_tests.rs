//! A store that never answers: how long a request waits for it.

use std::time::Duration;

use dapr_secrets_service::{Engine, Profile};
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::Instant;

use super::*;
use crate::admission::Admission;
use crate::budget::AnswerBudget;
use crate::silent::Silent;

#[tokio::test(start_paused = true)]
async fn api_g6_a_request_is_answered_after_30_s_at_the_latest_and_no_longer_counts() {
    for profile in [Profile::Documented, Profile::Daprd] {
        let engine = Engine::builder().add_store("silent", Silent).build();
        let backend = Backend {
            engine: engine.expect("one store"),
            profile,
            app_id: String::new(),
            admission: Admission::new(1),
            budget: AnswerBudget::new(),
        };
        let api = RuntimeApi::new(backend, Listening::new(0), StopRequest::default());
        for path in ["/v1.0/secrets/silent/a", "/v1.0/secrets/silent/bulk"] {
            let start = Instant::now();
            let requests = Gauge::new();
            let request = Request::builder().uri(path).body(()).expect("a request");
            let Ok(answer) = api.answer(request, &requests).await;
            assert_eq!(start.elapsed(), Duration::from_secs(30), "{path}");
            assert_eq!(answer.status().as_u16(), 500, "{path}");
            let body = answer.into_body().collect().await.expect("our own");
            let body: Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
            assert_eq!(body["errorCode"], "ERR_SECRET_GET", "{path}");
            let is_told = body["details"][0]["reason"] == "BACKEND_UNAVAILABLE";
            assert_eq!(is_told, profile == Profile::Documented, "{path}: {body}");
            assert_eq!(requests.count(), 0, "{path}");
            assert!(api.0.backend.admission.enter().is_some(), "{path}");
        }
    }
}
