//! Reads one secret from the sidecar over gRPC. The layer around the channel adds the token.
//!
//! ```text
//! DAPR_API_TOKEN=... cargo run -p grpc-client -- STORE NAME
//! ```
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints the secret, or what went wrong"
)]

#[rustfmt::skip]
mod dapr;

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use dapr::GetSecretRequest;
use dapr::dapr_client::DaprClient;
use tonic::transport::Endpoint;
use tonic_dapr_token::{InjectTokenLayer, TokenRejection};
use tower::ServiceBuilder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(store), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("usage: grpc-client STORE NAME".into());
    };
    let port = std::env::var("DAPR_GRPC_PORT").unwrap_or_else(|_| "50001".to_owned());
    let sidecar = format!("http://127.0.0.1:{port}");

    let inject = InjectTokenLayer::builder()
        .dapr_token() // DAPR_API_TOKEN; unset is an error
        .for_fixed_origin(sidecar.parse()?) // a channel's requests do not say where they go
        .build()?;
    let channel = Endpoint::from_shared(sidecar)?.connect_lazy();
    let mut dapr = DaprClient::new(ServiceBuilder::new().layer(inject).service(channel));

    let request = GetSecretRequest {
        store_name: store,
        key: name,
        metadata: HashMap::new(),
    };
    match dapr.get_secret(request).await {
        Ok(response) => {
            for (key, value) in response.into_inner().data {
                println!("{key}={value}");
            }
            Ok(())
        }
        Err(status) => Err(match TokenRejection::from_status(&status) {
            Some(rejection) => format!("{rejection}: is DAPR_API_TOKEN the sidecar's?").into(),
            None => status.message().into(),
        }),
    }
}
