//! A gRPC server and its client with mutual TLS, and the app token inside. The certificate says whose machine calls,
//! and keeps the token unread on its way; the token says that the caller is the sidecar.
//!
//! ```text
//! APP_API_TOKEN=... cargo run -p grpc-mutual-tls
//! ```
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints what each caller is told, or what went wrong"
)]

mod certificates;

use std::error::Error;
use std::process::ExitCode;

use certificates::Certificates;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::service::Interceptor;
use tonic::transport::{self, Certificate, ClientTlsConfig, Endpoint, Server, ServerTlsConfig};
use tonic_dapr_token::{InjectTokenInterceptor, Origin, RequireTokenLayer, TokenRejection};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::main]
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
    let certificates = Certificates::issue()?;
    let authority = Certificate::from_pem(&certificates.authority);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = format!("https://localhost:{}", listener.local_addr()?.port());
    let tls = ServerTlsConfig::new()
        .identity(certificates.server)
        .client_ca_root(authority.clone()); // no connection without a certificate
    let (_, health) = tonic_health::server::health_reporter();
    let serve = Server::builder()
        .tls_config(tls)?
        .layer(RequireTokenLayer::strict()?) // no call without the token
        .add_service(health)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serve);

    let anyone = ClientTlsConfig::new().ca_certificate(authority);
    let known = anyone.clone().identity(certificates.client);
    let inject = InjectTokenInterceptor::app(server.parse::<Origin>()?)?;
    let nothing = |request| Ok(request);

    let both = ask(&server, known.clone(), inject.clone()).await?;
    println!("with a certificate and the token: {both}");
    let certificate = ask(&server, known, nothing).await?;
    println!("with a certificate alone: {certificate}");
    let token = ask(&server, anyone, inject).await?;
    println!("with the token alone: {token}");
    Ok(())
}

/// Asks for the server's health; gives what a caller is told.
async fn ask<I: Interceptor>(
    server: &str,
    tls: ClientTlsConfig,
    interceptor: I,
) -> Result<String, Box<dyn Error>> {
    let endpoint = Endpoint::from_shared(server.to_owned())?.tls_config(tls)?;
    // Lazily: a server that wants another certificate may say so in answer to the first call.
    let mut health = HealthClient::with_interceptor(endpoint.connect_lazy(), interceptor);
    let answer = health.check(HealthCheckRequest::default()).await;
    Ok(match answer {
        Ok(_) => "accepted".to_owned(),
        Err(status) => explain(&status),
    })
}

fn explain(status: &Status) -> String {
    match TokenRejection::from_status(status) {
        Some(rejection) => rejection.to_string(),
        None if status
            .source()
            .is_some_and(<dyn Error>::is::<transport::Error>) =>
        {
            "no connection".to_owned()
        }
        None => status.to_string(),
    }
}
