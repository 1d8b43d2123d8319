//! An app that takes requests of some service accounts of its cluster, and of nobody else.
//!
//! The kubelet gives each pod a token that the API server has signed. The app fetches the keys for it where the cluster's
//! issuer says, and asks for its own audience, so that a token for the API server or for another app is refused here.
//! `README.md` beside this folder says how both apps are configured; `deploy.yaml` does it.
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
use tower_dapr_token::Authenticated;

/// What the API server says of the pod that a token was made for.
#[derive(Deserialize)]
struct Caller {
    #[serde(rename = "kubernetes.io")]
    kubernetes: Kubernetes,
}

#[derive(Deserialize)]
struct Kubernetes {
    namespace: String,
    serviceaccount: Named,
    /// A token may also be made for a service account alone.
    pod: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
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
    let layer = settings.layer().build().await?;
    let app = Router::new()
        .route("/healthz", get(async || "ok")) // for the kubelet, which has no token
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

async fn order(
    Extension(authenticated): Extension<Authenticated>,
    order: String,
) -> Result<String, StatusCode> {
    let caller: Caller = authenticated.claims().map_err(|_| StatusCode::FORBIDDEN)?;
    let ends = authenticated
        .jwt()
        .map_or(0, |claims| claims.expires_at().as_secs());
    let Kubernetes {
        namespace,
        serviceaccount,
        pod,
    } = caller.kubernetes;
    let pod = pod.map_or_else(|| "no pod".to_owned(), |pod| format!("pod {}", pod.name));
    Ok(format!(
        "taken: {order}, from {pod} of {namespace}/{}, whose token ends at {ends}",
        serviceaccount.name
    ))
}
