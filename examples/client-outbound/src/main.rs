//! A client of the Dapr sidecar: reads one secret, and sends the token to the sidecar alone.
//!
//! ```text
//! DAPR_API_TOKEN=... cargo run -p client-outbound -- passwords redis
//! ```
//!
//! The sidecar is asked on 127.0.0.1 and `DAPR_HTTP_PORT`, 3500 unless it is set.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints what it read, or why it could not"
)]

use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower::{Layer, ServiceExt};
use tower_dapr_token::InjectTokenLayer;

/// The largest answer that is read into memory, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match read_secret().await {
        Ok(secret) => {
            println!("{secret}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn read_secret() -> Result<String, Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(store), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("usage: client-outbound STORE NAME".into());
    };
    let port = std::env::var("DAPR_HTTP_PORT").unwrap_or_else(|_| "3500".to_owned());

    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let client = InjectTokenLayer::dapr()?.layer(client); // the added line

    // A name may hold any character, a slash included.
    let path = [&store, &name].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
    let uri = format!("http://127.0.0.1:{port}/v1.0/secrets/{}", path.join("/"));
    let response = client
        .oneshot(Request::get(uri).body(Empty::new())?)
        .await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LIMIT)
        .collect()
        .await?
        .to_bytes();
    let text = String::from_utf8_lossy(&body).trim_end().to_owned();
    match status {
        StatusCode::OK => Ok(text),
        StatusCode::NO_CONTENT => Err(format!("the store `{store}` has no secret `{name}`").into()),
        _ => Err(format!("{status}: {text}").into()),
    }
}
