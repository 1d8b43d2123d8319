//! Starts the example over a folder and asks it over a socket.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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
fn api_i2_a_store_of_your_own_is_served_like_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in [
        ("db/user", "shop"),
        ("db/password", "correct-horse"),
        ("key/key", "k"),
    ] {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, content).expect("written");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_own-secret-store"))
        .arg(folder.path())
        .arg("127.0.0.1:0")
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
    for (path, header, status, body) in [
        (
            "/v1.0/secrets/mounted/db",
            &*token,
            "200",
            r#"{"password":"correct-horse","user":"shop"}"#,
        ),
        (
            "/v1.0/secrets/mounted/bulk?metadata.prefix=k",
            &token,
            "200",
            r#"{"key":{"key":"k"}}"#,
        ),
        ("/v1.0/secrets/mounted/nothing", &token, "204", ""),
        (
            "/v1.0/secrets/mounted/db",
            "",
            "401",
            r#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#,
        ),
    ] {
        let answer = get(address, path, header);
        let (head, answered) = answer.split_once("\r\n\r\n").expect("a head");
        assert_eq!(head.split(' ').nth(1), Some(status), "{path}: {answer}");
        assert_eq!(answered, body, "{path}");
    }
    let refused = get(address, "/v1.0/secrets/mounted/..%2Fdb", &token);
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
}
