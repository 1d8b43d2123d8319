//! Dapr's secrets API in a bare hyper server, behind the token.
//!
//! ```text
//! DAPR_API_TOKEN=... cargo run -p secrets-in-hyper -- examples/resources
//! curl -H "dapr-api-token: ..." http://127.0.0.1:3500/v1.0/secrets/passwords/redis
//! ```
//!
//! An address behind the folder is listened on instead; port 0 picks a free one.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says where it listens and what is odd"
)]

use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use dapr_secrets_service::SecretsService;
use dapr_secrets_service::config::Loader;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::Layer;
use tower_dapr_token::RequireTokenLayer;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = serve().await;
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

async fn serve() -> Result<Infallible, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: secrets-in-hyper RESOURCES [ADDRESS]")?;
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:3500".to_owned());

    let config = Loader::new().add_resources_path(folder).load()?;
    for warning in config.warnings() {
        eprintln!("{warning}");
    }
    let token = RequireTokenLayer::builder().dapr_token().build()?;
    let service = token.layer(SecretsService::new(config.into_engine()?));

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of file descriptors, say: the connections that are open go on, and some will close.
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            // A client that goes away is its own affair.
            let _ = connection.await;
        });
    }
}
