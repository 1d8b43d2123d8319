//! Runs the example against a sidecar's socket.

#[rustfmt::skip]
#[path = "../src/dapr.rs"]
mod dapr;

use std::collections::HashMap;
use std::process::Output;

use dapr::dapr_server::{Dapr, DaprServer};
use dapr::{GetSecretRequest, GetSecretResponse};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, async_trait};
use tonic_dapr_token::RequireTokenLayer;

const TOKEN: &str = "the-dapr-token-of-this-test";

/// A sidecar with one secret.
struct Sidecar;

#[async_trait]
impl Dapr for Sidecar {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let GetSecretRequest {
            store_name, key, ..
        } = request.into_inner();
        if (store_name.as_str(), key.as_str()) != ("passwords", "redis") {
            return Err(Status::not_found(format!("no secret {key}")));
        }
        let data = HashMap::from([(key, "hunter2".to_owned())]);
        Ok(Response::new(GetSecretResponse { data }))
    }
}

/// Runs the example with this token.
async fn run(arguments: [&'static str; 2], token: Option<&'static str>) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let layer = RequireTokenLayer::builder().token(TOKEN.parse().expect("valid"));
    let layer: RequireTokenLayer = layer.build().expect("valid").into();
    tokio::spawn(
        Server::builder()
            .layer(layer)
            .add_service(DaprServer::new(Sidecar))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let run = move || {
        let mut example = std::process::Command::new(env!("CARGO_BIN_EXE_grpc-client"));
        example
            .args(arguments)
            .env("DAPR_GRPC_PORT", port.to_string())
            .env_remove("DAPR_API_TOKEN");
        if let Some(token) = token {
            example.env("DAPR_API_TOKEN", token);
        }
        example.output().expect("it runs")
    };
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

#[tokio::test]
async fn the_secret_is_printed_or_why_there_is_none() {
    let table = [
        (
            "the token",
            ["passwords", "redis"],
            Some(TOKEN),
            Ok("redis=hunter2\n"),
        ),
        (
            "another secret",
            ["passwords", "mysql"],
            Some(TOKEN),
            Err("error: no secret mysql\n"),
        ),
        (
            "another token",
            ["passwords", "redis"],
            Some("a-token-of-somebody-else"),
            Err("error: the api token was not accepted: is DAPR_API_TOKEN the sidecar's?\n"),
        ),
    ];
    for (name, arguments, token, expected) in table {
        let output = run(arguments, token).await;
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert_eq!(output.status.success(), expected.is_ok(), "{name}");
        match expected {
            Ok(told) => assert_eq!((stdout.as_str(), stderr.as_str()), (told, ""), "{name}"),
            Err(told) => assert_eq!((stdout.as_str(), stderr.as_str()), ("", told), "{name}"),
        }
    }
}

#[tokio::test]
async fn it_does_not_run_without_a_token() {
    let output = run(["passwords", "redis"], None).await;
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.starts_with("error: DAPR_API_TOKEN is not set: set it to the token"),
        "{told}"
    );
}
