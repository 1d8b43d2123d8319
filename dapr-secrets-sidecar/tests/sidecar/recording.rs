//! What a real daprd 1.18.1 answered, as recorded for the library's tests, and a sidecar started as that daprd was.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::process::{Sidecar, Start, TOKEN};
use crate::wire::{self, Answer};

/// One exchange.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) status: u16,
    response_headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Exchange {
    /// The body as JSON; `None` when it is none.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    pub(crate) fn error_code(&self) -> Option<String> {
        wire::error_code(self.json().as_ref())
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        let mut headers = self.response_headers.iter();
        headers
            .find(|(name, _)| name == "content-type")
            .map(|(_, value)| value.as_str())
    }

    /// What the request sends as its token, value by value.
    pub(crate) fn tokens(&self) -> Vec<&str> {
        let headers = self.headers.iter();
        headers
            .filter(|(name, _)| name.eq_ignore_ascii_case("dapr-api-token"))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Whether the request sends the right token, and nothing besides.
    pub(crate) fn has_the_token(&self) -> bool {
        self.tokens() == ["<token>"]
    }

    /// Sends it to `sidecar`.
    pub(crate) fn replay(&self, sidecar: &Sidecar) -> Answer {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str(),
                    if value == "<token>" { TOKEN } else { value },
                )
            })
            .collect();
        wire::request(sidecar.address(), &self.method, &self.path, &headers)
    }
}

fn folder() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "dapr-secrets-service",
        "tests",
        "recorded",
        "daprd-1.18.1",
    ]
    .iter()
    .collect()
}

/// Every line of the recording.
pub(crate) fn exchanges() -> Vec<Exchange> {
    let path = folder().join("http.ndjson");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let exchanges: Vec<Exchange> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an exchange a line"))
        .collect();
    assert_eq!(exchanges.len(), 82, "the recording is whole");
    exchanges
}

/// The recording's stores, scopes, variables and flags, in the given profile.
pub(crate) fn sidecar(profile: &str) -> Sidecar {
    as_recorded(Start::new())
        .args(["--profile", profile])
        .serve()
}

/// What daprd was started with for the recording.
pub(crate) fn as_recorded(start: Start) -> Start {
    start
        .current_dir(folder())
        .env("APP_API_TOKEN", "apptok")
        .env("DEMO_GREETING", "hi")
        .env("DEMO_EMPTY", "")
        .args(["--app-id", "t", "--resources-path", "resources"])
        .args(["--config", "config.yaml", "--mode", "standalone"])
}
