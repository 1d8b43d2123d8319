//! An axum app on its way from one static token to JSON Web Tokens of an issuer, whose keys it fetches.
//!
//! `README.md` beside this folder says how it is configured and tried out. `settings.rs` reads the environment.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says where it listens and what went wrong"
)]

mod settings;

use std::error::Error;
use std::process::ExitCode;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use settings::Settings;
use tokio::net::TcpListener;
use tower_dapr_token::{Authenticated, TokenMode};

/// What this app wants to know of a caller. Other claims may stand beside these.
#[derive(Deserialize)]
struct Caller {
    sub: String,
    #[serde(default)]
    roles: Vec<String>,
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
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    // Waits for the first keys: an app that cannot check a token should not say that it is ready.
    let layer = settings.layer().build().await?;
    let app = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/orders", post(order))
        .layer(layer); // last, so that it covers every route

    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// The layer has said who calls; what they may do is for the app to say.
async fn order(
    Extension(authenticated): Extension<Authenticated>,
    order: String,
) -> Result<String, (StatusCode, &'static str)> {
    if authenticated.mode() == TokenMode::Static {
        return Ok(format!("taken: {order}, from whoever has the static token"));
    }
    let caller: Caller = authenticated.claims().map_err(|_| {
        let reason = "the token has no `sub`, or `roles` that are no list";
        (StatusCode::FORBIDDEN, reason)
    })?;
    if !caller.roles.iter().any(|role| role == "buyer") {
        return Err((StatusCode::FORBIDDEN, "the token has no role `buyer`"));
    }
    Ok(format!("taken: {order}, from {}", caller.sub))
}
