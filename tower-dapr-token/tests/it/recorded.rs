//! Every request that a real daprd sent to an app, replayed.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use serde::Deserialize;
use tower::ServiceExt;
use tower_dapr_token::RequireTokenLayer;

use crate::support::{NAME, answer};

const APP_TOKEN: &str = "apptok";

#[derive(Deserialize)]
struct Http {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize)]
struct Grpc {
    path: String,
    metadata: Vec<(String, String)>,
}

fn lines<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a recorded line"))
        .collect()
}

/// An app that echoes its request: the names of the headers, and the body.
fn app(layer: RequireTokenLayer) -> Router {
    Router::new()
        .fallback(|headers: HeaderMap, body: String| async move {
            let names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
            format!("{}\n{body}", names.join(","))
        })
        .layer(layer)
}

fn build(request: &Http, token: Option<&str>) -> Request<Body> {
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(&request.path);
    for (name, value) in &request.headers {
        let value = if name == NAME {
            token.unwrap_or(value)
        } else {
            value
        };
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(request.body.clone()))
        .expect("valid")
}

/// The token with each single byte of it changed in turn.
fn altered() -> impl Iterator<Item = String> {
    (0..APP_TOKEN.len()).map(|at| {
        let mut bytes = APP_TOKEN.as_bytes().to_vec();
        bytes[at] ^= 1;
        String::from_utf8(bytes).expect("ASCII")
    })
}

#[tokio::test]
async fn e5_x4_recorded_http_requests_are_accepted_and_refused_when_a_byte_of_the_token_changes() {
    let recorded: Vec<Http> = lines(include_str!(
        "../recorded/daprd-1.18.1/daprd-to-app-http.ndjson"
    ));
    assert_eq!(recorded.len(), 7);
    let layer = RequireTokenLayer::builder()
        .token(APP_TOKEN.parse().expect("valid"))
        .http_health()
        .build()
        .expect("valid");
    let mut with_token = 0;
    for request in &recorded {
        let name = format!("{} {}", request.method, request.path);
        let response = app(layer.clone())
            .oneshot(build(request, None))
            .await
            .expect("infallible");
        let accepted = answer(response).await;
        assert_eq!(accepted.status, 200, "{name}");
        let echoed = String::from_utf8(accepted.body.to_vec()).expect("text");
        let (names, body) = echoed.split_once('\n').expect("two parts");
        assert_eq!(body, request.body, "{name}");
        assert!(
            !names.split(',').any(|header| header == NAME),
            "{name}: {names}"
        );
        assert_eq!(
            names.split(',').count(),
            request
                .headers
                .iter()
                .filter(|(header, _)| header != NAME)
                .count(),
            "{name}: every other header comes through"
        );
        if request.headers.iter().any(|(header, _)| header == NAME) {
            with_token += 1;
            for wrong in altered() {
                let response = app(layer.clone())
                    .oneshot(build(request, Some(&wrong)))
                    .await
                    .expect("infallible");
                assert_eq!(response.status(), 401, "{name}, {wrong}");
            }
        }
    }
    assert_eq!(with_token, 6, "all but the health probe carry the token");
}

#[tokio::test]
async fn x4_recorded_grpc_calls_without_a_token_are_those_that_the_presets_exempt() {
    let recorded: Vec<Grpc> = lines(include_str!(
        "../recorded/daprd-1.18.1/daprd-to-app-grpc.ndjson"
    ));
    assert_eq!(recorded.len(), 6);
    let builder = || RequireTokenLayer::builder().token(APP_TOKEN.parse().expect("valid"));
    let preset = builder()
        .daprd_probes()
        .daprd_discovery()
        .build()
        .expect("valid");
    let strict = builder().build().expect("valid");
    for call in &recorded {
        let has_token = call.metadata.iter().any(|(name, _)| name == NAME);
        for (layer, accepted) in [(&preset, true), (&strict, has_token)] {
            let mut request = Request::post(&call.path)
                .version(http::Version::HTTP_2)
                .header("content-type", "application/grpc");
            for (name, value) in &call.metadata {
                request = request.header(name, value);
            }
            let response = app(layer.clone())
                .oneshot(request.body(Body::empty()).expect("valid"))
                .await
                .expect("infallible");
            let refused = response.headers().contains_key("grpc-status");
            assert_eq!(!refused, accepted, "{}", call.path);
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    call: String,
    code: String,
    message: String,
    details: Vec<BTreeMap<String, RecordedInfo>>,
}

#[derive(Deserialize)]
struct RecordedInfo {
    reason: String,
    domain: String,
    metadata: BTreeMap<String, String>,
}

#[tokio::test]
async fn j7_grpc_refusals_of_daprd_compat_are_the_recorded_ones() {
    use tonic_types::StatusExt as _;

    let recorded: Vec<Refusal> = lines(include_str!(
        "../recorded/daprd-1.18.1/daprd-refusals-grpc.ndjson"
    ));
    assert_eq!(recorded.len(), 4);
    let layer = RequireTokenLayer::builder()
        .token(APP_TOKEN.parse().expect("valid"))
        .daprd_compat()
        .build()
        .expect("valid");
    for refusal in &recorded {
        let values: &[&str] = match refusal.call.as_str() {
            "no token" => &[],
            "wrong token" => &["wrong"],
            "empty token" => &[""],
            "wrong then good" => &["wrong", APP_TOKEN],
            other => unreachable!("{other} was not recorded"),
        };
        let request = values.iter().fold(
            Request::post("/dapr.proto.runtime.v1.Dapr/GetSecret")
                .version(http::Version::HTTP_2)
                .header("content-type", "application/grpc"),
            |request, value| request.header(NAME, *value),
        );
        let response = app(layer.clone())
            .oneshot(request.body(Body::empty()).expect("valid"))
            .await
            .expect("infallible");
        let status = tonic::Status::from_header_map(response.headers()).expect("a status");
        let name = &refusal.call;
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{name}");
        assert_eq!(refusal.code, "UNAUTHENTICATED", "{name}");
        assert_eq!(status.message(), refusal.message, "{name}");
        let details = status.get_error_details();
        let ours = details.error_info().expect("an ErrorInfo");
        let theirs = &refusal.details[0]["ErrorInfo"];
        assert_eq!(ours.reason, theirs.reason, "{name}");
        assert_eq!(ours.domain, theirs.domain, "{name}");
        assert_eq!(
            ours.metadata
                .clone()
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            theirs.metadata,
            "{name}"
        );
    }
}
