//! Starts the example over the resources that it names, and asks it over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const TOKEN: &str = "the-dapr-token-of-this-test";

/// The example, stopped when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close{header}\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn secrets_are_served_to_who_knows_the_token() {
    // The resources name their secrets file from the root of the repository.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut child = Command::new(env!("CARGO_BIN_EXE_secrets-in-hyper"))
        .args(["examples/resources", "127.0.0.1:0"])
        .current_dir(root)
        .env("DAPR_API_TOKEN", TOKEN)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = child.stdout.take().expect("piped");
    let _running = Running(child);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .expect("an address");

    let token = format!("\r\ndapr-api-token: {TOKEN}");
    for (name, path, header, status, body) in [
        (
            "a secret",
            "/v1.0/secrets/passwords/redis",
            &token,
            "200 OK",
            r#"{"redis":"hunter2"}"#,
        ),
        (
            "a missing one",
            "/v1.0/secrets/passwords/nope",
            &token,
            "204 No Content",
            "",
        ),
        (
            "without the token",
            "/v1.0/secrets/passwords/redis",
            &String::new(),
            "401 Unauthorized",
            r#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#,
        ),
    ] {
        let answer = get(address, path, header);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{name}: {answer}"
        );
        assert_eq!(
            answer.split_once("\r\n\r\n").map(|(_, body)| body),
            Some(body),
            "{name}"
        );
    }
}

#[test]
fn what_is_wrong_with_the_resources_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_secrets-in-hyper"))
        .args(["no/such/folder", "127.0.0.1:0"])
        .env("DAPR_API_TOKEN", TOKEN)
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.starts_with("error: no/such/folder: "), "{told}");
}
