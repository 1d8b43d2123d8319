//! Asks a service one thing, and takes the answer apart.

use dapr_secrets_service::{Profile, SecretsService};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// A response that has been read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }

    pub(crate) fn error_code(&self) -> String {
        self.json()["errorCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

pub(crate) async fn ask(service: &SecretsService, method: &str, target: &str) -> Answer {
    // A body that is neither `Clone` nor readable: the service never looks at it.
    struct Untouched;
    let request = Request::builder()
        .method(method)
        .uri(target)
        .body(Untouched)
        .expect("a request");
    let response = match service.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    };
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8(body.into()).expect("JSON is UTF-8"),
    }
}

pub(crate) async fn get(service: &SecretsService, target: &str) -> Answer {
    ask(service, "GET", target).await
}

pub(crate) const PROFILES: [Profile; 2] = [Profile::Documented, Profile::Daprd];
