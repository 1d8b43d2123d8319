//! Sockets in place of ports.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::process::{PATIENCE, Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{self, Answer, read_answer};

const SECRET: &str = "/v1.0/secrets/files/a";

fn files() -> Files {
    Files::with_secrets(r#"{"a": "1"}"#).folder("sockets")
}

fn on_socket(files: &Files) -> Start {
    let flags = ["--unix-domain-socket", "sockets", "--app-id", "orders"];
    files
        .start(Start::bare())
        .env("DAPR_API_TOKEN", TOKEN)
        .args(flags)
}

fn get(path: &Path, headers: &[(&str, &str)]) -> Answer {
    let mut stream = UnixStream::connect(path).expect("it accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let head = wire::head("GET", SECRET, headers);
    stream.write_all(head.as_bytes()).expect("a request");
    read_answer(&mut stream, false)
}

#[test]
fn api_g1_a_socket_serves_in_place_of_the_port_and_is_removed_at_the_end() {
    let files = files();
    let sidecar = on_socket(&files).serve();
    let path = files.path().join("sockets/dapr-orders-http.socket");
    assert_eq!(
        sidecar.ready_line(),
        "listening http=unix:sockets/dapr-orders-http.socket grpc=unix:sockets/dapr-orders-grpc.socket"
    );
    let metadata = fs::symlink_metadata(&path).expect("there");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.mode() & 0o7777, 0o660);
    assert_eq!(get(&path, &[("dapr-api-token", TOKEN)]).status, 200);
    assert_eq!(get(&path, &[]).status, 401, "the token counts here too");
    let output = sidecar.stop();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(
        fs::read_dir(files.path().join("sockets"))
            .expect("a folder")
            .count(),
        0
    );
}

#[test]
fn api_g1_a_socket_that_was_left_behind_is_replaced_and_a_live_one_is_not() {
    let files = files();
    let path = files.path().join("sockets/dapr-orders-http.socket");
    drop(UnixListener::bind(&path).expect("free"));
    let first = on_socket(&files).serve();
    assert_eq!(get(&path, &[("dapr-api-token", TOKEN)]).status, 200);

    let second = on_socket(&files).finish();
    assert_eq!(second.code(), Some(1), "{}", second.stderr);
    assert!(
        second.stderr.contains("another process listens"),
        "{}",
        second.stderr
    );
    assert_eq!(
        get(&path, &[("dapr-api-token", TOKEN)]).status,
        200,
        "the first is untouched"
    );
    first.stop();

    fs::write(&path, "content").expect("written");
    let third = on_socket(&files).finish();
    assert_eq!(third.code(), Some(1), "{}", third.stderr);
    assert!(third.stderr.contains("not removed"), "{}", third.stderr);
    assert_eq!(fs::read(&path).expect("still there"), b"content");
}

#[test]
fn api_g1_a_socket_needs_an_app_id_that_names_a_file_and_goes_without_tls() {
    let files = files();
    let rows: [(&str, &[&str], &str); 4] = [
        ("none", &[], "--app-id"),
        ("a path", &["--app-id", "../orders"], "--app-id"),
        ("a space", &["--app-id", "or ders"], "--app-id"),
        (
            "TLS",
            &[
                "--app-id",
                "a",
                "--tls-cert-file",
                "a",
                "--tls-key-file",
                "b",
            ],
            "--unix-domain-socket",
        ),
    ];
    for (name, args, says) in rows {
        let output = files
            .start(Start::new())
            .args(["--unix-domain-socket", "sockets"])
            .args(args)
            .finish();
        assert_eq!(output.code(), Some(1), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(says), "{name}: {}", output.stderr);
    }
    let output = files
        .start(Start::new())
        .args(["--unix-domain-socket", "nowhere", "--app-id", "a"])
        .finish();
    assert_eq!(output.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("nowhere"), "{}", output.stderr);
}
