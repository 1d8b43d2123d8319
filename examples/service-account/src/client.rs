//! A client that shows its pod's service-account token to the app, and the next one before that ends.
//!
//! `orders.rs` holds what is worth copying. `README.md` beside this folder says how it is configured.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints what it is answered, or what went wrong"
)]

mod orders;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use orders::Orders;

/// Where `deploy.yaml` mounts it.
const TOKEN_FILE: &str = "/var/run/secrets/tokens/orders";

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

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let url = set("ORDERS_URL").ok_or(
        "ORDERS_URL is not set: set it to the address of the app, as http://127.0.0.1:8080",
    )?;
    let file = set("TOKEN_FILE").unwrap_or_else(|| TOKEN_FILE.to_owned());
    let is_mesh = match set("ORDERS_NETWORK_ENCRYPTS").as_deref() {
        None => false,
        Some("true") => true,
        Some(_) => return Err("ORDERS_NETWORK_ENCRYPTS is neither `true` nor unset".into()),
    };
    let orders = Orders::new(file, &url, is_mesh)?;
    loop {
        let (status, answer) = orders.send("one book").await?;
        println!("{status}: {answer}");
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
}
