//! A key rollover, step by step: an issuer, an app that fetches its keys, and clients that sign with them.
//!
//! ```text
//! cargo run -p key-rollover
//! ```
//!
//! `README.md` beside this folder says what to see in what it prints.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints what happens, or what went wrong"
)]

mod app;
mod client;
mod issuer;
mod key;

use std::error::Error;
use std::process::ExitCode;

use app::App;
use client::Client;
use issuer::Issuer;
use key::Key;

/// Sent at the same time, so that some of them meet a key that the app does not know yet.
const REQUESTS: usize = 20;

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
    let (old, new) = (Key::generate("2026-10")?, Key::generate("2026-11")?);
    let unpublished = Key::generate("2026-12")?;
    let issuer = Issuer::start().await?;

    println!("1. One key.");
    issuer.publish(&[&old]);
    let app = App::start(&issuer).await?;
    let with_old = Client::new(&issuer, &old, &app)?;
    send(&issuer, &with_old).await?;

    println!("2. The new key is published, and nobody signs with it yet.");
    issuer.publish(&[&old, &new]);
    send(&issuer, &with_old).await?;

    println!(
        "3. Half of the clients sign with the new key. The app meets it before its next refresh."
    );
    let with_new = Client::new(&issuer, &new, &app)?;
    send(&issuer, &with_new).await?;
    send(&issuer, &with_old).await?;

    println!(
        "4. All clients sign with the new key. The last token of the old one has expired: it is removed."
    );
    issuer.publish(&[&new]);
    send(&issuer, &with_new).await?;

    println!(
        "5. Somebody signs with a key that is not published, half a minute later. The app looks it up."
    );
    app.let_half_a_minute_pass();
    let stranger = Client::new(&issuer, &unpublished, &app)?;
    send(&issuer, &stranger).await?;

    println!("6. The removed key ended with that look.");
    send(&issuer, &with_new).await?;
    send(&issuer, &with_old).await?;
    Ok(())
}

/// Sends requests at once, and prints what became of them.
async fn send(issuer: &Issuer, client: &Client) -> Result<(), Box<dyn Error>> {
    let accepted = client.send(REQUESTS).await?;
    println!(
        "   {REQUESTS} requests signed with {}: {accepted} accepted, {} refused; keys fetched so far: {}",
        client.kid(),
        REQUESTS - accepted,
        issuer.fetches()
    );
    Ok(())
}
