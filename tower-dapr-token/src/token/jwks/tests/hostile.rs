//! Every byte of the answer is the attacker's: a raw server on loopback.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::super::client::Client;
use super::super::roots::Roots;
use super::super::source::{KeySource, Place};
use super::super::task::{Refresh, Why};
use super::super::url::{KeyUrl, Plaintext};
use super::super::{JwksErrorKind, KeySetSink};
use super::support::{Names, read_head};
use crate::token::MAX_KEY_SET_LEN;

/// What a server sends in answer to the one request it gets, byte for byte; then it closes.
async fn refresh(answer: Vec<u8>) -> (Result<(), JwksErrorKind>, Arc<Names>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/keys", listener.local_addr().expect("bound"));
    let names = Arc::new(Names::default());
    let place = Place::KeySet(KeyUrl::parse(&url, Plaintext::Loopback).expect("valid"));
    let tls = Roots::Unused.into_tls_config().expect("no roots to read");
    let mut source = KeySource::new(Client::new(tls), place, Arc::clone(&names) as _);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        read_head(&mut stream).await;
        // The client may have closed already.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    });
    let result = source.refresh(Why::Scheduled).await;
    (result.map(drop).map_err(|error| error.kind()), names)
}

fn with_body(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\n\r\n{body}").into_bytes()
}

fn chunked(head: &str, chunk: &str, count: usize, end: &str) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked{head}\r\n\r\n");
    for _ in 0..count {
        answer.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    answer.push_str(end);
    answer.into_bytes()
}

/// A key set of exactly this many bytes.
fn of_length(len: usize) -> String {
    let document = Names::document(&["a"]);
    let spaces = len - document.len();
    document + &" ".repeat(spaces)
}

#[tokio::test]
async fn t6_no_answer_does_more_than_fail_the_fetch() {
    use JwksErrorKind::{Broken, Encoded, NoUsableKey, NotAKeySet, Status, TooLarge};

    let keys = Names::document(&["a"]);
    let len = keys.len();
    let cut = &keys[..10];
    let kib = "k".repeat(1024);
    let many_headers = "x: y\r\n".repeat(101);
    let table: Vec<(&str, Vec<u8>, Result<(), JwksErrorKind>)> = vec![
        (
            "good",
            with_body(&format!("200 OK\r\ncontent-length: {len}"), &keys),
            Ok(()),
        ),
        ("until the end", with_body("200 OK", &keys), Ok(())),
        (
            "HTTP/1.0",
            format!("HTTP/1.0 200 OK\r\n\r\n{keys}").into_bytes(),
            Ok(()),
        ),
        ("chunked", chunked("", &keys, 1, "0\r\n\r\n"), Ok(())),
        (
            "with trailers",
            chunked("", &keys, 1, "0\r\nx: y\r\n\r\n"),
            Ok(()),
        ),
        (
            "other content type",
            with_body("200 OK\r\ncontent-type: text/html", &keys),
            Ok(()),
        ),
        (
            "not encoded",
            with_body("200 OK\r\ncontent-encoding: Identity", &keys),
            Ok(()),
        ),
        (
            "after 100",
            with_body("100 Continue\r\n\r\nHTTP/1.1 200 OK", &keys),
            Ok(()),
        ),
        (
            "as large as allowed",
            with_body("200 OK", &of_length(MAX_KEY_SET_LEN)),
            Ok(()),
        ),
        (
            "too large",
            with_body("200 OK", &of_length(MAX_KEY_SET_LEN + 1)),
            Err(TooLarge),
        ),
        (
            "much too large",
            with_body("200 OK", &of_length(MAX_KEY_SET_LEN * 8)),
            Err(TooLarge),
        ),
        (
            "too large in chunks",
            chunked("", &kib, 300, "0\r\n\r\n"),
            Err(TooLarge),
        ),
        (
            "announced too large",
            with_body("200 OK\r\ncontent-length: 262145", &keys),
            Err(TooLarge),
        ),
        (
            "announced absurdly",
            with_body("200 OK\r\ncontent-length: 9223372036854775807", &keys),
            Err(TooLarge),
        ),
        (
            "longer than announced",
            with_body("200 OK\r\ncontent-length: 10", &keys),
            Err(NotAKeySet),
        ),
        (
            "shorter than announced",
            with_body("200 OK\r\ncontent-length: 999", &keys),
            Err(Broken),
        ),
        (
            "two lengths",
            with_body("200 OK\r\ncontent-length: 1\r\ncontent-length: 2", &keys),
            Err(Broken),
        ),
        ("cut chunk", chunked("", cut, 1, ""), Err(Broken)),
        ("bad chunk", chunked("", cut, 1, "zz\r\n"), Err(Broken)),
        (
            "endless trailers",
            chunked("", &keys, 1, &format!("0\r\nx: {}", kib.repeat(32))),
            Err(Broken),
        ),
        (
            "gzip",
            with_body("200 OK\r\ncontent-encoding: gzip", &keys),
            Err(Encoded),
        ),
        (
            "two encodings",
            with_body(
                "200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: br",
                &keys,
            ),
            Err(Encoded),
        ),
        (
            "empty encoding",
            with_body("200 OK\r\ncontent-encoding: ", &keys),
            Err(Encoded),
        ),
        (
            "no content",
            with_body("204 No Content", ""),
            Err(Status(204)),
        ),
        (
            "partial",
            with_body("206 Partial Content", &keys),
            Err(Status(206)),
        ),
        (
            "304 that nobody asked for",
            with_body("304 Not Modified", ""),
            Err(Status(304)),
        ),
        (
            "300",
            with_body("300 Multiple Choices", &keys),
            Err(Status(300)),
        ),
        ("404", with_body("404 Not Found", &keys), Err(Status(404))),
        (
            "500",
            with_body("500 Internal Server Error", &keys),
            Err(Status(500)),
        ),
        ("999", with_body("999 What", &keys), Err(Status(999))),
        (
            "switch",
            with_body(
                "101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c",
                "",
            ),
            Err(Status(101)),
        ),
        (
            "large head",
            with_body(&format!("200 OK\r\nx: {}", kib.repeat(17)), &keys),
            Err(Broken),
        ),
        (
            "endless head",
            with_body(&format!("200 OK\r\nx: {}", kib.repeat(1024)), ""),
            Err(Broken),
        ),
        (
            "many headers",
            with_body(&format!("200 OK\r\n{many_headers}x: y"), &keys),
            Err(Broken),
        ),
        ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), Err(Broken)),
        ("TLS", vec![0x15, 3, 3, 0, 2, 2, 80], Err(Broken)),
        ("HTTP/0.9", keys.clone().into_bytes(), Err(Broken)),
        ("nothing", Vec::new(), Err(Broken)),
        ("empty document", with_body("200 OK", ""), Err(NotAKeySet)),
        (
            "HTML",
            with_body("200 OK", "<html></html>"),
            Err(NotAKeySet),
        ),
        ("cut JSON", with_body("200 OK", cut), Err(NotAKeySet)),
        ("no keys in it", with_body("200 OK", "{}"), Err(NotAKeySet)),
        (
            "empty set",
            with_body("200 OK", r#"{"keys":[]}"#),
            Err(NoUsableKey),
        ),
        (
            "none usable",
            with_body("200 OK", &Names::document(&["-a", "-b"])),
            Err(NoUsableKey),
        ),
    ];
    for (name, answer, expected) in table {
        let (result, names) = refresh(answer).await;
        assert_eq!(result, expected, "{name}");
        assert_eq!(names.holds("a"), expected.is_ok(), "{name}");
    }
}
