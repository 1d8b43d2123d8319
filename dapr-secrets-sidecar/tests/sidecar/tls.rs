//! TLS of the ports, as a client meets it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::certificates::{Authority, Identity, Valid, client};
use crate::http2::Client;
use crate::process::{PATIENCE, Sidecar, Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{self, Answer, connect, read_answer};

const SECRET: &str = "/v1.0/secrets/files/a";
const BOTH: &[&str] = &["h2", "http/1.1"];
const HTTP1: &[&str] = &["http/1.1"];

fn files(server: &Identity) -> Files {
    Files::with_secrets(r#"{"a": "1"}"#)
        .file("tls.crt", &server.certificate)
        .file("tls.key", &server.key)
}

fn with_tls(files: &Files) -> Start {
    let flags = ["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key"];
    files.start(Start::new()).args(flags)
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn over_tls(address: SocketAddr, config: Arc<ClientConfig>) -> Stream {
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(config, name).expect("settings");
    StreamOwned::new(connection, connect(address))
}

/// The error is what TLS says, on either side.
fn try_get(address: SocketAddr, config: Arc<ClientConfig>) -> Result<Answer, String> {
    let mut stream = over_tls(address, config);
    let head = wire::head("GET", SECRET, &[("dapr-api-token", TOKEN)]);
    stream
        .write_all(head.as_bytes())
        .map_err(|error| error.to_string())?;
    // A refusal of the certificate comes in place of the first byte.
    stream.fill().map_err(|error| error.to_string())?;
    Ok(read_answer(&mut stream, false))
}

trait Fill {
    fn fill(&mut self) -> std::io::Result<()>;
}

impl Fill for Stream {
    fn fill(&mut self) -> std::io::Result<()> {
        while self.conn.wants_read() || self.conn.is_handshaking() {
            if self.conn.wants_write() {
                self.conn.write_tls(&mut self.sock)?;
                continue;
            }
            if self.conn.read_tls(&mut self.sock)? == 0 {
                break;
            }
            let state = self
                .conn
                .process_new_packets()
                .map_err(std::io::Error::other)?;
            if state.plaintext_bytes_to_read() > 0 {
                break;
            }
        }
        Ok(())
    }
}

fn assert_refused(name: &str, sidecar: &Sidecar, config: Arc<ClientConfig>) {
    let answer = try_get(sidecar.address(), config);
    let error = answer.map(|answer| answer.status).expect_err(name);
    assert!(!error.contains("timed out"), "{name}: {error}");
}

#[test]
fn api_g5_both_versions_of_http_are_served_over_tls_by_alpn() {
    let ours = Authority::new();
    let files = files(&ours.server(Valid::Now));
    let sidecar = with_tls(&files).serve();
    let answer = try_get(sidecar.address(), client(&ours, None, HTTP1)).expect("let in");
    assert_eq!(
        (answer.status, answer.text()),
        (200, r#"{"a":"1"}"#.to_owned())
    );
    let answer = try_get(sidecar.address(), client(&ours, None, &[])).expect("let in");
    assert_eq!(answer.status, 200, "no ALPN is HTTP/1.1");

    let mut http2 = Client::connect_tls(sidecar.address(), client(&ours, None, BOTH));
    assert_eq!(
        http2.send("GET", SECRET, Some(TOKEN)).body(),
        r#"{"a":"1"}"#
    );
    assert_eq!(http2.send("GET", SECRET, None).status(), 401);
    assert_eq!(http2.send("GET", "/v1.0/healthz", None).status(), 204);

    // A protocol that is neither.
    assert_refused(
        "another protocol",
        &sidecar,
        client(&ours, None, &["spdy/3"]),
    );
}

#[test]
fn api_g5_a_server_that_cannot_be_trusted_is_refused_by_the_client() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let expired = files(&ours.server(Valid::NoMore));
    let sidecar = with_tls(&expired).serve();
    assert_refused("expired", &sidecar, client(&ours, None, HTTP1));
    let valid = files(&ours.server(Valid::Now));
    let sidecar = with_tls(&valid).serve();
    assert_refused("another authority", &sidecar, client(&theirs, None, HTTP1));
    try_get(sidecar.address(), client(&ours, None, HTTP1)).expect("and the right one is let in");
}

#[test]
fn api_g5_with_a_client_authority_a_certificate_is_needed_beside_the_token() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let files = files(&ours.server(Valid::Now)).file("ca.crt", &ours.pem);
    let sidecar = with_tls(&files)
        .args(["--tls-client-ca-file", "ca.crt"])
        .serve();
    let good = ours.client(Valid::Now);
    let answer = try_get(sidecar.address(), client(&ours, Some(&good), HTTP1)).expect("let in");
    assert_eq!(answer.status, 200);
    let mut http2 = Client::connect_tls(sidecar.address(), client(&ours, Some(&good), BOTH));
    assert_eq!(
        http2.send("GET", SECRET, Some("wrong")).status(),
        401,
        "the token counts too"
    );

    assert_refused("no certificate", &sidecar, client(&ours, None, HTTP1));
    let foreign = theirs.client(Valid::Now);
    assert_refused(
        "a foreign one",
        &sidecar,
        client(&ours, Some(&foreign), HTTP1),
    );
    let expired = ours.client(Valid::NoMore);
    assert_refused(
        "an expired one",
        &sidecar,
        client(&ours, Some(&expired), HTTP1),
    );
}

#[test]
fn api_g5_what_is_older_than_tls_1_2_or_no_tls_is_refused() {
    let ours = Authority::new();
    let files = files(&ours.server(Valid::Now));
    let sidecar = with_tls(&files).serve();
    // minor version, and what comes back first: an alert, or a greeting
    for (minor, expected) in [(1, 21), (2, 21), (3, 22)] {
        // A greeting with one suite, the group secp256r1 and ECDSA over it.
        let mut hello = vec![3, minor];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
        hello.extend([0, 16, 0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3]);
        let length = u8::try_from(hello.len()).expect("short");
        let mut bytes = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
        bytes.extend(&hello);
        let mut stream = connect(sidecar.address());
        stream.write_all(&bytes).expect("a greeting");
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer[0], expected, "minor version {minor}: {answer:?}");
        if expected == 21 {
            // Fatal: protocol_version.
            assert_eq!(answer[5..], [2, 70], "minor version {minor}: {answer:?}");
        }
    }
    let mut plain = connect(sidecar.address());
    let head = wire::head("GET", SECRET, &[("dapr-api-token", TOKEN)]);
    plain.write_all(head.as_bytes()).expect("a request");
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).expect("an end");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn api_g5_new_files_are_used_without_dropping_a_connection() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = files(&old.server(Valid::Now));
    let mut sidecar = with_tls(&files).serve();
    let mut open = over_tls(sidecar.address(), client(&old, None, HTTP1));
    let head = format!("GET {SECRET} HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\n\r\n");
    let mut ask = || {
        open.write_all(head.as_bytes()).expect("still open");
        read_answer(&mut open, false).status
    };
    assert_eq!(ask(), 200);

    let put = |name: &str, content: &str| {
        let next = files.path().join("next");
        fs::write(&next, content).expect("written");
        fs::rename(next, files.path().join(name)).expect("replaced");
    };
    put("tls.crt", "no certificate");
    let line = sidecar.wait_for("the last good ones stay");
    assert!(
        line.contains("failures=1") && line.contains("tls.crt"),
        "{line}"
    );
    assert!(!line.contains("no certificate at"), "{line}");
    try_get(sidecar.address(), client(&old, None, HTTP1)).expect("the last good one");
    assert_eq!(ask(), 200);

    let renewed = new.server(Valid::Now);
    put("tls.key", &renewed.key);
    put("tls.crt", &renewed.certificate);
    sidecar.wait_for("new TLS files are in force");
    try_get(sidecar.address(), client(&new, None, HTTP1)).expect("the new one");
    assert_refused("the old one", &sidecar, client(&old, None, HTTP1));
    assert_eq!(ask(), 200, "the connection of before");
    let output = sidecar.stop();
    assert!(!output.stderr.contains("PRIVATE KEY"), "{}", output.stderr);
}

#[test]
fn api_g5_files_that_cannot_be_used_keep_it_from_starting() {
    let ours = Authority::new();
    let good = ours.server(Valid::Now);
    let other = ours.server(Valid::Now);
    let files = files(&good)
        .file("other.key", &other.key)
        .file("empty.crt", "");
    let rows: [(&str, &[&str], &str); 6] = [
        ("no key", &["--tls-cert-file", "tls.crt"], "--tls-key-file"),
        (
            "no certificate",
            &["--tls-key-file", "tls.key"],
            "--tls-cert-file",
        ),
        (
            "authorities alone",
            &["--tls-client-ca-file", "tls.crt"],
            "--tls-cert-file",
        ),
        (
            "gone",
            &["--tls-cert-file", "gone.crt", "--tls-key-file", "tls.key"],
            "gone.crt",
        ),
        (
            "empty",
            &["--tls-cert-file", "empty.crt", "--tls-key-file", "tls.key"],
            "empty.crt",
        ),
        (
            "another's key",
            &["--tls-cert-file", "tls.crt", "--tls-key-file", "other.key"],
            "other.key",
        ),
    ];
    for (name, args, says) in rows {
        let output = files.start(Start::new()).args(args).finish();
        assert_eq!(output.code(), Some(1), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(says), "{name}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{name}");
    }
}

#[test]
fn api_g5_api_g7_a_handshake_that_is_not_finished_delays_nobody() {
    let ours = Authority::new();
    let files = files(&ours.server(Valid::Now));
    let sidecar = with_tls(&files)
        .args(["--dapr-graceful-shutdown-seconds", "3600"])
        .serve();
    let _silent: Vec<TcpStream> = (0..50)
        .map(|at| {
            let mut stream = connect(sidecar.address());
            stream
                .write_all(&b"\x16\x03\x01"[..at % 4])
                .expect("a beginning");
            stream
        })
        .collect();
    let begun = Instant::now();
    try_get(sidecar.address(), client(&ours, None, HTTP1)).expect("let in");
    let output = sidecar.stop();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert!(begun.elapsed() < PATIENCE);
}
