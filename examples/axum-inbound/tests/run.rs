//! Starts the example and asks it over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const TOKEN: &str = "the-app-token-of-this-test";

/// The example, stopped when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn the_app_answers_daprd_and_nobody_else() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_axum-inbound"))
        .arg("127.0.0.1:0")
        .env("APP_API_TOKEN", TOKEN)
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

    for (name, header, status) in [
        ("without a token", String::new(), "401 Unauthorized"),
        (
            "with a wrong one",
            "\r\ndapr-api-token: guess".to_owned(),
            "401 Unauthorized",
        ),
        (
            "with the token",
            format!("\r\ndapr-api-token: {TOKEN}"),
            "200 OK",
        ),
    ] {
        let answer = ask(
            address,
            &format!("POST /orders HTTP/1.1{header}"),
            "one book",
        );
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{name}: {answer}"
        );
        assert_eq!(
            answer.ends_with("taken: one book"),
            status == "200 OK",
            "{name}"
        );
    }
}

#[test]
fn it_does_not_start_without_a_token() {
    let output = Command::new(env!("CARGO_BIN_EXE_axum-inbound"))
        .arg("127.0.0.1:0")
        .env_remove("APP_API_TOKEN")
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.starts_with("error: APP_API_TOKEN is not set: set it to the token"),
        "{told}"
    );
}
