//! An axum app behind daprd: one added line refuses whoever does not know the app token.
//!
//! ```text
//! APP_API_TOKEN=... cargo run -p axum-inbound
//! curl -i -X POST http://127.0.0.1:8080/orders                                # 401
//! curl -i -X POST http://127.0.0.1:8080/orders -H "dapr-api-token: ..."       # 200
//! ```
//!
//! An address behind the command is listened on instead; port 0 picks a free one.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says where it listens and what went wrong"
)]

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_dapr_token::RequireTokenLayer;

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
    let app = Router::new()
        .route(
            "/orders",
            post(async |order: String| format!("taken: {order}")),
        )
        .route("/greeting", get(async || "hello"))
        .layer(RequireTokenLayer::from_env()?); // the added line: last, so that it covers every route

    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
