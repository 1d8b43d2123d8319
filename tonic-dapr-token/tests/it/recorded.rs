//! Every gRPC call that a real daprd made to an app, made again to a real server.

use std::collections::BTreeSet;

use serde::Deserialize;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Code, Request, Status};
use tonic_dapr_token::{RequireTokenLayer, TokenRejection};

use crate::support::{Client, Echo, NAME, Seen, client, serve};

const APP_TOKEN: &str = "apptok";

#[derive(Deserialize)]
struct Call {
    path: String,
    metadata: Vec<(String, String)>,
}

impl Call {
    fn carries_token(&self) -> bool {
        self.metadata.iter().any(|(name, _)| name == NAME)
    }

    /// As it was recorded, but with this token in place of its own.
    fn request(&self, token: Option<&str>) -> Request<&'static str> {
        let mut request = Request::new("");
        for (name, value) in &self.metadata {
            let value = match token {
                _ if name != NAME => value,
                Some(token) => token,
                None => continue,
            };
            let key: tonic::metadata::AsciiMetadataKey = name.parse().expect("a name");
            request
                .metadata_mut()
                .append(key, value.parse().expect("a value"));
        }
        request
    }
}

fn recorded() -> Vec<Call> {
    let text = include_str!(
        "../../../tower-dapr-token/tests/recorded/daprd-1.18.1/daprd-to-app-grpc.ndjson"
    );
    let calls: Vec<Call> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a recorded line"))
        .collect();
    assert_eq!(calls.len(), 6);
    calls
}

fn names(metadata: &MetadataMap) -> BTreeSet<String> {
    metadata
        .iter()
        .map(|entry| match entry {
            KeyAndValueRef::Ascii(key, _) => key.to_string(),
            KeyAndValueRef::Binary(key, _) => key.to_string(),
        })
        .collect()
}

/// What one call comes to: what its handler saw, or why it was refused.
async fn make(
    client: &mut Client,
    echo: &Echo,
    call: &Call,
    token: Option<&str>,
) -> Result<Seen, Status> {
    client.unary(&call.path, call.request(token)).await?;
    let mut seen = echo.take();
    assert_eq!(seen.len(), 1, "{}", call.path);
    Ok(seen.remove(0))
}

#[tokio::test]
async fn e5_x4_recorded_calls_pass_as_daprd_makes_them_and_no_handler_sees_the_token() {
    let echo = Echo::default();
    // What `for_dapr_app()` sets, with a token that is not from the environment.
    let layer = RequireTokenLayer::builder()
        .token(APP_TOKEN.parse().expect("valid"))
        .daprd_probes()
        .daprd_discovery()
        .build()
        .expect("valid");
    let mut client = client(serve(layer.into(), echo.clone()).await).await;
    for call in &recorded() {
        let path = &call.path;
        let seen = make(&mut client, &echo, call, Some(APP_TOKEN)).await;
        let seen = seen.expect(path);
        assert_eq!(&seen.path, path);
        let arrived = names(&seen.metadata);
        assert!(!arrived.contains(NAME), "{path}: {arrived:?}");
        for (name, _) in call.metadata.iter().filter(|(name, _)| name != NAME) {
            assert!(arrived.contains(name), "{path}: {name} comes through");
        }

        for token in [None, Some("apptoK"), Some("")] {
            let refused = make(&mut client, &echo, call, token).await;
            if !call.carries_token() {
                let seen = refused.expect("exempt, and it never had a token");
                assert!(!names(&seen.metadata).contains(NAME), "{path}");
                continue;
            }
            let status = refused.expect_err(path);
            assert_eq!(status.code(), Code::Unauthenticated, "{path}, {token:?}");
            let rejection = match token {
                None => TokenRejection::Missing,
                Some(_) => TokenRejection::Invalid,
            };
            assert_eq!(TokenRejection::from_status(&status), Some(rejection));
        }
    }
}

/// An exempt call is stripped too, whatever it brings.
#[tokio::test]
async fn e5_x1_x4_an_exempt_call_with_a_token_is_stripped_and_its_neighbours_are_not_exempt() {
    let echo = Echo::default();
    let layer = RequireTokenLayer::builder()
        .token(APP_TOKEN.parse().expect("valid"))
        .daprd_probes()
        .daprd_discovery()
        .build()
        .expect("valid");
    let mut client = client(serve(layer.into(), echo.clone()).await).await;
    for call in recorded().iter().filter(|call| !call.carries_token()) {
        for values in [&["wrong"][..], &[APP_TOKEN], &["", "wrong", APP_TOKEN]] {
            let request = crate::support::with("", values);
            let reply = client.unary(&call.path, request).await;
            reply.expect("exempt");
            let seen = echo.take();
            assert!(seen[0].metadata.get(NAME).is_none(), "{values:?}");
        }
        for neighbour in [
            format!("{}/", call.path),
            call.path.to_ascii_lowercase(),
            format!("/{}", call.path),
            format!("{}Alpha1", call.path),
            call.path.replace("runtime.v1", "runtime.v2"),
        ] {
            let reply = client.unary(&neighbour, Request::new("")).await;
            let status = reply.expect_err("not on the list");
            assert_eq!(status.code(), Code::Unauthenticated, "{neighbour}");
        }
    }
}

#[tokio::test]
async fn x4_the_strict_preset_refuses_even_the_calls_that_daprd_makes_without_a_token() {
    let echo = Echo::default();
    let layer = RequireTokenLayer::builder().token(APP_TOKEN.parse().expect("valid"));
    let layer = layer.build().expect("valid");
    let mut client = client(serve(layer.into(), echo.clone()).await).await;
    for call in &recorded() {
        let made = make(&mut client, &echo, call, Some(APP_TOKEN)).await;
        assert_eq!(made.is_ok(), call.carries_token(), "{}", call.path);
    }
}
