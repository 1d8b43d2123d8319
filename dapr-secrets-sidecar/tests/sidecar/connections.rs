//! Many clients, slow clients, clients that send too much, and both versions of HTTP.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use crate::http2::{Client, Window};
use crate::process::{Sidecar, Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{self, connect, get, get_anonymously, read_answer, request};

const SECRET: &str = "/v1.0/secrets/files/a";

fn files() -> Files {
    Files::with_secrets(r#"{"a": "1"}"#)
}

fn started(files: &Files) -> Sidecar {
    files.start(Start::new()).serve()
}

#[test]
fn api_g5_http2_with_prior_knowledge_is_served_like_http1() {
    let files = files();
    let sidecar = started(&files);
    let mut client = Client::connect(sidecar.address(), Window::Open);
    let rows = [
        ("GET", SECRET, Some(TOKEN), 200),
        ("HEAD", SECRET, Some(TOKEN), 200),
        ("GET", SECRET, None, 401),
        ("GET", SECRET, Some("wrong"), 401),
        ("GET", "/v1.0/healthz", None, 204),
        ("HEAD", "/v1.0/healthz", None, 401),
        ("HEAD", "/v1.0/healthz", Some(TOKEN), 204),
        ("HEAD", "/v1.0/metadata", Some(TOKEN), 200),
        ("POST", SECRET, Some(TOKEN), 405),
        ("GET", "/v1.0/nothing", Some(TOKEN), 404),
    ];
    for (method, path, token, status) in rows {
        let answer = client.send(method, path, token);
        assert_eq!(
            answer.status().as_u16(),
            status,
            "{method} {path} {token:?}"
        );
    }
    assert_eq!(
        client.send("GET", SECRET, Some(TOKEN)).body(),
        r#"{"a":"1"}"#
    );
}

#[test]
fn api_g2_the_token_is_asked_for_on_every_request_of_a_connection() {
    let files = files();
    let sidecar = started(&files);
    let mut stream = connect(sidecar.address());
    let rows = [
        (format!("dapr-api-token: {TOKEN}\r\n"), 200),
        (String::new(), 401),
        ("dapr-api-token: wrong\r\n".to_owned(), 401),
        (format!("dapr-api-token: {TOKEN}\r\n"), 200),
    ];
    for (header, status) in rows {
        let head = format!("GET {SECRET} HTTP/1.1\r\nhost: x\r\n{header}\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        assert_eq!(read_answer(&mut stream, false).status, status, "{header}");
    }
}

#[test]
fn api_g6_slow_and_silent_clients_block_nobody() {
    let files = files();
    let sidecar = started(&files);
    let beginnings: [&[u8]; 5] = [
        b"",
        b"G",
        b"GET /v1.0/secrets/files/a HTTP/1.1\r\nhost",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let _open: Vec<TcpStream> = (0..200)
        .map(|at: usize| {
            let mut stream = connect(sidecar.address());
            stream
                .write_all(beginnings[at % beginnings.len()])
                .expect("a beginning");
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(get(sidecar.address(), SECRET).status, 200);
    }
}

#[test]
fn api_b6_a_body_on_get_is_never_waited_for() {
    let files = files();
    let sidecar = started(&files);
    let mut stream = connect(sidecar.address());
    let head = format!(
        "GET {SECRET} HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\ncontent-length: 1000000\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .expect("a head without its body");
    assert_eq!(read_answer(&mut stream, false).status, 200);
}

#[test]
fn api_b4_api_g6_a_head_over_the_buffer_is_refused() {
    let files = files();
    let sidecar = started(&files);
    let filler = |length: usize| "x".repeat(length);
    let rows = [
        ("room to spare", filler(8 * 1024), 200),
        ("over 16 KiB", filler(17 * 1024), 431),
        ("a megabyte", filler(1024 * 1024), 431),
    ];
    for (name, value, status) in rows {
        let headers = [("dapr-api-token", TOKEN), ("x-filler", value.as_str())];
        let answer = request(sidecar.address(), "GET", SECRET, &headers);
        assert_eq!(answer.status, status, "{name}");
    }
    let many: String = (0..1000).map(|at| format!("x-{at}: y\r\n")).collect();
    let head = format!("GET {SECRET} HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    assert_eq!(
        wire::send(sidecar.address(), &head).status,
        431,
        "a thousand headers"
    );
    assert_eq!(get(sidecar.address(), SECRET).status, 200);
}

#[cfg(target_os = "linux")]
#[test]
fn running_out_of_files_neither_ends_the_process_nor_its_service() {
    use rustix::process::{Resource, Rlimit, prlimit};

    let files = files();
    let mut sidecar = started(&files);
    let address: SocketAddr = sidecar.address();
    assert_eq!(get_anonymously(address, "/v1.0/healthz").status, 204);
    let few = Rlimit {
        current: Some(8),
        maximum: Some(8),
    };
    prlimit(Some(sidecar.pid()), Resource::Nofile, few).expect("a child of ours");
    // The kernel completes a handshake before `accept`, so all of these connect.
    let crowd: Vec<TcpStream> = (0..64).map(|_| connect(address)).collect();
    sidecar.wait_for("connections cannot be accepted for now");
    drop(crowd);
    let stderr = sidecar.stop().stderr;
    // One line for the whole time without files, not one a try.
    let lines = stderr.matches("connections cannot be accepted").count();
    assert!(lines < 5, "{stderr}");
}

#[test]
fn api_g6_the_limit_of_files_bounds_the_connections_so_that_accepting_never_stops() {
    let files = files();
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        r#"ulimit -n 64 && exec "$@""#,
        "sh",
        env!("CARGO_BIN_EXE_dapr-secrets-sidecar"),
    ]);
    let start = Start::through(command)
        .env("DAPR_API_TOKEN", TOKEN)
        .args(["--dapr-http-port", "0"]);
    let sidecar = files.start(start).serve();
    let crowd: Vec<TcpStream> = (0..200).map(|_| connect(sidecar.address())).collect();
    for _ in 0..10 {
        assert_eq!(get(sidecar.address(), SECRET).status, 200);
    }
    drop(crowd);
    let stderr = sidecar.stop().stderr;
    assert!(stderr.contains("room=32"), "{stderr}");
    assert!(!stderr.contains("cannot be accepted"), "{stderr}");
}
