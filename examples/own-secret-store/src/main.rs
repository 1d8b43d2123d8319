//! A secret store of your own behind Dapr's secrets API: the Secrets that Kubernetes mounts below one folder.
//!
//! ```text
//! mkdir -p secrets/db && printf shop > secrets/db/user
//! DAPR_API_TOKEN=... cargo run -p own-secret-store -- secrets
//! curl -H "dapr-api-token: ..." http://127.0.0.1:3500/v1.0/secrets/mounted/db        # {"user":"shop"}
//! ```
//!
//! An address behind the folder is listened on instead; port 0 picks a free one.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says where it listens and what went wrong"
)]

mod mounted;

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use dapr_secrets_service::{Engine, SecretsService};
use tokio::net::TcpListener;
use tower::Layer;
use tower_dapr_token::RequireTokenLayer;

use crate::mounted::MountedStore;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: own-secret-store FOLDER [ADDRESS]")?;
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:3500".to_owned());

    let engine = Engine::builder()
        .add_store("mounted", MountedStore::new(folder))
        .build()?;
    let token = RequireTokenLayer::builder().dapr_token().build()?;
    let app = Router::new().fallback_service(token.layer(SecretsService::new(engine)));

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
