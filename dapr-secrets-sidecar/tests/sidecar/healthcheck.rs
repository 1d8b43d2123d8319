//! `healthcheck` against a sidecar, and against what is none.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};

use crate::process::{Output, Start, TOKEN};
use crate::store_files::{Files, file_store};

fn check(args: &[&str]) -> Output {
    Start::bare().args(["healthcheck"]).args(args).finish()
}

/// Reads one request and writes `answer`; the request is what the thread returns.
fn answer_once(mut stream: impl Read + Write + Send + 'static, answer: &'static [u8]) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut chunk).expect("a request");
        assert!(count > 0, "a whole request");
        request.extend_from_slice(&chunk[..count]);
    }
    // Whoever has read enough may be gone.
    let _ = stream.write_all(answer);
    String::from_utf8(request).expect("text")
}

/// A server of one answer, and its port.
fn server(answer: &'static [u8]) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port().to_string();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a caller");
        answer_once(stream, answer)
    });
    (port, thread)
}

#[test]
fn api_g4_api_g3_a_healthy_sidecar_is_healthy_without_a_token() {
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let sidecar = files.start(Start::new()).serve();
    let port = sidecar.address().port().to_string();
    for args in [
        &["--dapr-http-port", &*port][..],
        &["--dapr-http-port", &port, "--outbound"],
        &[
            "--dapr-http-port",
            &port,
            "--dapr-listen-addresses",
            "0.0.0.0,::",
        ],
        &["--dapr-http-port", &port, "--timeout", "20s"],
    ] {
        let output = check(args);
        assert_eq!(output.code(), Some(0), "{args:?}: {}", output.stderr);
        assert_eq!((&*output.stdout, &*output.stderr), ("", ""), "{args:?}");
    }
    let by_variable = Start::bare()
        .env("DAPR_HTTP_PORT", &port)
        .args(["healthcheck"])
        .finish();
    assert_eq!(by_variable.code(), Some(0), "{}", by_variable.stderr);
    sidecar.stop();
    let output = check(&["--dapr-http-port", &port]);
    assert_eq!(output.code(), Some(1));
    let says = format!("error: 127.0.0.1:{port} cannot be asked: ");
    assert!(output.stderr.starts_with(&says), "{}", output.stderr);
}

#[test]
fn api_g4_api_g3_a_store_that_failed_is_unhealthy_outbound_alone() {
    // A truth value that is none fails the store; with --lenient the process starts all the same.
    let broken =
        file_store("broken", "secrets.json") + "    - name: multiValued\n      value: perhaps\n";
    let files = Files::with_secrets(r#"{"a": "1"}"#).file("resources/broken.yaml", broken);
    let sidecar = files.start(Start::new()).args(["--lenient"]).serve();
    let port = sidecar.address().port().to_string();
    assert_eq!(check(&["--dapr-http-port", &port]).code(), Some(0));
    let output = check(&["--dapr-http-port", &port, "--outbound"]);
    assert_eq!(output.code(), Some(1));
    assert_eq!(
        output.stderr.trim_end(),
        format!("error: 127.0.0.1:{port} answered 500 to GET /v1.0/healthz/outbound")
    );
}

#[test]
fn api_g4_only_204_is_healthy() {
    let rows: [(&[u8], &str); 6] = [
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "answered 200 ",
        ),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "answered 401 "),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answered 503 "),
        (b"\x15\x03\x03\x00\x02\x02\x32", "did not answer in HTTP "),
        (b"", "did not answer in HTTP "),
        (&[b'x'; 100_000], "did not answer in HTTP "),
    ];
    for (answer, says) in rows {
        let (port, server) = server(answer);
        let output = check(&["--dapr-http-port", &port]);
        assert_eq!(output.code(), Some(1), "{says}");
        assert_eq!(output.stdout, "", "{says}");
        let says = format!("error: 127.0.0.1:{port} {says}");
        assert!(output.stderr.starts_with(&says), "{}", output.stderr);
        let request = server.join().expect("no panic");
        assert!(request.starts_with("GET /v1.0/healthz HTTP/1.1\r\nhost: localhost\r\n"));
        assert!(!request.contains("dapr-api-token"), "{request}");
    }
}

#[test]
fn api_g4_who_says_nothing_is_unhealthy_in_time() {
    // It accepts, through the backlog, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("bound").port().to_string();
    let output = check(&["--dapr-http-port", &port, "--timeout", "50ms"]);
    assert_eq!(output.code(), Some(1));
    assert_eq!(
        output.stderr.trim_end(),
        format!("error: 127.0.0.1:{port} did not answer GET /v1.0/healthz within 50ms")
    );
}

#[test]
fn api_g4_api_g1_the_public_port_and_the_socket_of_a_sidecar_are_asked() {
    let files = Files::with_secrets(r#"{"a": "1"}"#).folder("sockets");
    let sidecar = files
        .start(Start::new())
        .args(["--dapr-public-port", "0"])
        .args(["--dapr-public-listen-address", "127.0.0.1"])
        .serve();
    let port = sidecar.addresses_of("public")[0].port().to_string();
    let output = check(&["--dapr-public-port", &port, "--outbound"]);
    assert_eq!(output.code(), Some(0), "{}", output.stderr);

    let flags = ["--unix-domain-socket", "sockets", "--app-id", "orders"];
    let on_socket = files.start(Start::bare().env("DAPR_API_TOKEN", TOKEN));
    let _sidecar = on_socket.args(flags).serve();
    let ask = Start::bare()
        .current_dir(files.path())
        .args(["healthcheck"]);
    let output = ask.args(flags).finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
}

#[test]
fn api_g4_api_g1_a_unix_socket_is_asked_by_the_name_of_the_app() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text").to_owned();
    let listener = UnixListener::bind(folder.path().join("dapr-shop-http.socket")).expect("bound");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a caller");
        answer_once(stream, b"HTTP/1.1 204 No Content\r\n\r\n")
    });
    let output = check(&["--unix-domain-socket", &path, "--app-id", "shop"]);
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    let request = server.join().expect("no panic");
    assert!(request.starts_with("GET /v1.0/healthz "), "{request}");

    let output = check(&["--unix-domain-socket", &path, "--app-id", "other"]);
    assert_eq!(output.code(), Some(1));
    assert!(
        output
            .stderr
            .contains("dapr-other-http.socket cannot be asked: "),
        "{}",
        output.stderr
    );
    let output = check(&["--unix-domain-socket", &path]);
    assert_eq!(output.code(), Some(1));
    assert!(output.stderr.contains("--app-id"), "{}", output.stderr);
}
