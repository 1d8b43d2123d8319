//! Reads secrets through the SDK for Rust and prints a line of JSON for each. The SDK finds the sidecar and the token in the
//! environment. Usage: `dapr-sdk-client STORE/NAME ...` (one secret), `STORE ...` (all).

use std::collections::BTreeMap;

use dapr::Client;
use dapr::client::TonicClientWithAuth;
use dapr::error::Error;
use serde_json::{Value, json};

/// What the SDK gives for one secret, or for all.
async fn read(client: &mut Client<TonicClientWithAuth>, step: &str) -> Result<Value, Error> {
    if let Some((store, name)) = step.split_once('/') {
        let found = client.get_secret(store, name).await?;
        return Ok(json!(found.data));
    }
    let found = client.get_bulk_secret(step, None).await?;
    let secrets: BTreeMap<_, _> = found
        .data
        .into_iter()
        .map(|(name, answer)| (name, answer.secrets))
        .collect();
    Ok(json!(secrets))
}

/// The SDK gives a program neither the code nor the message of an error, only this text; the bytes of the details and the
/// metadata end it.
fn show(error: &Error) -> String {
    let text = error.to_string();
    let end = [", details: ", ", metadata: "]
        .into_iter()
        .filter_map(|part| text.find(part))
        .min();
    text[..end.unwrap_or(text.len())].to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut client = Client::new().await?;
    for step in std::env::args().skip(1) {
        let line = match read(&mut client, &step).await {
            Ok(value) => json!({"step": step, "value": value}),
            Err(error) => json!({"step": step, "error": show(&error)}),
        };
        println!("{line}");
    }
    Ok(())
}
