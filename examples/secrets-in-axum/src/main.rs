//! Dapr's secrets API as a part of an axum app: in one of two places, and behind the token in both.
//!
//! ```text
//! DAPR_API_TOKEN=... cargo run -p secrets-in-axum -- nest examples/resources
//! curl http://127.0.0.1:3500/                                                                # the app's own route
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

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use dapr_secrets_service::config::Loader;
use dapr_secrets_service::{Engine, SecretsService};
use tokio::net::TcpListener;
use tower::Layer;
use tower_dapr_token::RequireTokenLayer;

const USAGE: &str = "usage: secrets-in-axum nest|fallback RESOURCES [ADDRESS]";

/// The app as it was before.
fn app() -> Router {
    Router::new().route("/", get(async || "my app"))
}

/// Below its prefix. axum cuts the prefix off, and `nested` says so to the service.
fn nest(engine: Engine, token: &RequireTokenLayer) -> Router {
    let secrets = SecretsService::builder(engine).nested().build();
    app().nest_service("/v1.0/secrets", token.layer(secrets))
}

/// Where no route of the app matches. The service sees the path as it was sent; what is not its own is 404, or 401 without
/// the token.
fn fallback(engine: Engine, token: &RequireTokenLayer) -> Router {
    app().fallback_service(token.layer(SecretsService::new(engine)))
}

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
    let place = match arguments.next().as_deref() {
        Some("nest") => nest,
        Some("fallback") => fallback,
        _ => return Err(USAGE.into()),
    };
    let folder = arguments.next().ok_or(USAGE)?;
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:3500".to_owned());

    let config = Loader::new().add_resources_path(folder).load()?;
    for warning in config.warnings() {
        eprintln!("{warning}");
    }
    let token = RequireTokenLayer::builder().dapr_token().build()?;
    let app = place(config.into_engine()?, &token);

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
