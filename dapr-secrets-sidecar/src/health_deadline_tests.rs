//! A store that never answers: how long a request waits for it.

use std::borrow::Cow;
use std::future::pending;
use std::time::Duration;

use dapr_secrets_service::{
    BulkPermit, BulkSecrets, Engine, Metadata, Permit, Profile, SecretMap, SecretStore, StoreError,
    StoreFuture,
};
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::Instant;

use super::*;

struct Silent;

impl SecretStore for Silent {
    fn component_type(&self) -> &str {
        "secretstores.silent"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        Ok(Cow::Borrowed(name))
    }

    fn get<'a>(&'a self, _: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        StoreFuture::boxed(pending())
    }

    fn bulk<'a>(&'a self, _: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::boxed(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn api_g6_a_request_is_answered_after_30_s_at_the_latest_and_no_longer_counts() {
    for profile in [Profile::Documented, Profile::Daprd] {
        let engine = Engine::builder().add_store("silent", Silent).build();
        let api = RuntimeApi::new(
            engine.expect("one store"),
            profile,
            None,
            Listening::new(0),
            StopRequest::default(),
            Admission::new(1),
        );
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
            assert!(api.0.admission.enter().is_some(), "{path}");
        }
    }
}
