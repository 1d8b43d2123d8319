//! Starts the example beside an issuer on loopback, and asks it over a socket.

#[path = "../../support/issuer.rs"]
mod issuer;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use issuer::{Issuer, now};
use serde_json::{Value, json};

const STATIC: &str = "the-static-token-from-before";

/// The example, stopped when the test ends.
struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axum-jwks"));
    for name in [
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWT_KEY_SET",
        "JWT_ROOT_CERTIFICATE",
        "APP_API_TOKEN",
        "APP_API_TOKEN_UNTIL",
    ] {
        command.env_remove(name);
    }
    command.arg("127.0.0.1:0").envs(variables.iter().copied());
    command
}

fn start(variables: &[(&str, &str)]) -> Running {
    let mut command = command(variables);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let stdout = child.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("listening on ");
    let address = address.expect("an address").to_owned();
    Running { child, address }
}

fn fails(variables: &[(&str, &str)]) -> String {
    let Output { status, stderr, .. } = command(variables).output().expect("it runs");
    assert!(!status.success());
    String::from_utf8(stderr).expect("text")
}

impl Running {
    /// The status and the body.
    fn ask(&self, line: &str, token: Option<&str>) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let token = token.map_or(String::new(), |token| {
            format!("dapr-api-token: {token}\r\n")
        });
        write!(
            stream,
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{token}content-length: 8\r\n\r\none book"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        (status.to_owned(), body.to_owned())
    }

    fn order(&self, token: Option<&str>) -> (String, String) {
        self.ask("POST /orders", token)
    }
}

/// Claims that are accepted, with these in place of them.
fn claims(issuer: &Issuer, changed: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer.name(), "aud": "orders", "exp": now() + 600, "sub": "alice", "roles": ["buyer"],
    });
    for (name, value) in changed.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

/// Asks with tokens of the issuer and of somebody else.
fn check(app: &Running, issuer: &Issuer) {
    let stranger = Issuer::start("2026-11");
    let signed = |by: &Issuer, changed: Value| by.token(&claims(issuer, &changed));
    let taken = "taken: one book, from alice";
    let refused = r#"{"errorCode":"ERR_API_TOKEN_INVALID","message":"invalid api token"}"#;
    for (name, token, status, body) in [
        ("good", signed(issuer, json!({})), "200", taken),
        (
            "for two",
            signed(issuer, json!({ "aud": ["stock", "orders"] })),
            "200",
            taken,
        ),
        (
            "without its role",
            signed(issuer, json!({ "roles": ["cook"] })),
            "403",
            "the token has no role `buyer`",
        ),
        (
            "with a subject of the wrong type",
            signed(issuer, json!({ "sub": 7 })),
            "401",
            refused,
        ),
        (
            "with roles of the wrong type",
            signed(issuer, json!({ "roles": "buyer" })),
            "403",
            "the token has no `sub`, or `roles` that are no list",
        ),
        (
            "for another app",
            signed(issuer, json!({ "aud": "stock" })),
            "401",
            refused,
        ),
        (
            "of another issuer",
            signed(issuer, json!({ "iss": "http://127.0.0.1:1" })),
            "401",
            refused,
        ),
        (
            "over",
            signed(issuer, json!({ "exp": now() - 61 })),
            "401",
            refused,
        ),
        (
            "signed by a stranger",
            signed(&stranger, json!({})),
            "401",
            refused,
        ),
    ] {
        let (found, text) = app.order(Some(&token));
        assert_eq!((found.as_str(), text.as_str()), (status, body), "{name}");
    }
    assert_eq!(app.order(None).0, "401");
    assert_eq!(app.ask("GET /healthz", None), ("200".into(), "ok".into()));
    assert_eq!(app.ask("GET /healthz/", None).0, "401", "another path");
}

#[test]
fn it_trusts_an_issuer_that_says_where_its_keys_are() {
    let issuer = Issuer::start("2026-11");
    let app = start(&[("JWT_ISSUER", &issuer.name()), ("JWT_AUDIENCE", "orders")]);
    check(&app, &issuer);
    assert_eq!(app.order(Some(STATIC)).0, "401", "there is no static token");
}

#[test]
fn it_trusts_keys_at_an_address_and_the_static_token_until_its_day() {
    let issuer = Issuer::start("2026-11");
    let (name, url) = (issuer.name(), issuer.key_set_url());
    let start = |until| {
        start(&[
            ("JWT_ISSUER", &name),
            ("JWT_AUDIENCE", "orders"),
            ("JWT_KEY_SET", &url),
            ("APP_API_TOKEN", STATIC),
            ("APP_API_TOKEN_UNTIL", until),
        ])
    };
    let app = start("9999-12-31");
    check(&app, &issuer);
    let (status, body) = app.order(Some(STATIC));
    let taken = "taken: one book, from whoever has the static token";
    assert_eq!((status.as_str(), body.as_str()), ("200", taken));

    let app = start("2020-01-01");
    check(&app, &issuer);
    assert_eq!(app.order(Some(STATIC)).0, "401", "its day is over");
}

#[test]
fn it_does_not_start_without_settings_or_keys_and_says_what_to_do() {
    let told = fails(&[]);
    assert!(
        told.starts_with("error: JWT_ISSUER is not set: set it to the `iss`"),
        "{told}"
    );
    let issuer = ("JWT_ISSUER", "http://login.example.com");
    let told = fails(&[issuer, ("JWT_AUDIENCE", "orders")]);
    assert!(told.contains("use an `https` address"), "{told}");

    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    let told = fails(&[("JWT_ISSUER", &nobody), ("JWT_AUDIENCE", "orders")]);
    assert!(
        told.starts_with("error: no keys could be fetched: "),
        "{told}"
    );
}
