//! Runs the example against a sidecar's socket and reads what it sends.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};

const TOKEN: &str = "the-dapr-token-of-this-test";

/// Runs the example; gives its output and the lines of the one request that it sent.
fn run(answer: &'static str) -> (Output, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let sidecar = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it connects");
        let lines = BufReader::new(&stream)
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .collect();
        stream.write_all(answer.as_bytes()).expect("answered");
        lines
    });
    let output = Command::new(env!("CARGO_BIN_EXE_client-outbound"))
        .args(["passwords", "a/b #1"])
        .env("DAPR_API_TOKEN", TOKEN)
        .env("DAPR_HTTP_PORT", port.to_string())
        .output()
        .expect("it runs");
    (output, sidecar.join().expect("one request came"))
}

#[test]
fn the_token_goes_to_the_sidecar_and_the_secret_is_printed() {
    let (output, request) = run(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 20\r\n\r\n{\"a/b #1\":\"hunter2\"}",
    );
    assert_eq!(
        request[0],
        "GET /v1.0/secrets/passwords/a%2Fb%20%231 HTTP/1.1"
    );
    let token = format!("dapr-api-token: {TOKEN}");
    assert_eq!(
        request.iter().filter(|line| **line == token).count(),
        1,
        "{request:?}"
    );
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "{\"a/b #1\":\"hunter2\"}\n"
    );
}

#[test]
fn a_refusal_is_told_and_fails_without_the_token_in_the_text() {
    let (output, _) = run(
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 17\r\n\r\ninvalid api token",
    );
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("401 Unauthorized: invalid api token"),
        "{told}"
    );
    assert!(!told.contains(TOKEN), "{told}");
}

#[test]
fn a_missing_secret_is_told_and_fails() {
    let (output, _) = run("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        told,
        "error: the store `passwords` has no secret `a/b #1`\n"
    );
}

#[test]
fn it_does_not_run_without_a_token() {
    let output = Command::new(env!("CARGO_BIN_EXE_client-outbound"))
        .args(["passwords", "a/b #1"])
        .env_remove("DAPR_API_TOKEN")
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.starts_with("error: DAPR_API_TOKEN is not set: set it to the token"),
        "{told}"
    );
}
