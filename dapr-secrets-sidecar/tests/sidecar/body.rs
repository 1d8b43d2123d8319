//! Bodies where none belongs, and requests in one piece: where one request ends and the next begins.

use std::io::Write;

use crate::process::{Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{connect, read_some};

const SECRET: &str = "/v1.0/secrets/files/a";

/// Sends the bytes, and reads all answers to the end of the connection; their statuses.
fn statuses(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u16> {
    let mut stream = connect(address);
    stream.write_all(bytes).expect("requests");
    let mut answers = Vec::new();
    while read_some(&mut stream, &mut answers) > 0 {}
    let text = String::from_utf8(answers).expect("text");
    text.split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer[..3].parse().expect("a status"))
        .collect()
}

#[test]
fn api_b6_a_body_on_get_is_never_taken_for_a_request() {
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let sidecar = files.start(Start::new()).serve();
    let head = |more: &str| {
        format!("GET {SECRET} HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\n{more}\r\n")
    };
    let plain = head("");
    let last = head("connection: close\r\n");
    // A request for shutdown that hides in a body must not be answered: it would be a 204.
    let hidden =
        format!("POST /v1.0/shutdown HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\n\r\n");
    let chunked = format!(
        "{}{:x}\r\n{hidden}\r\n0\r\n\r\n",
        head("transfer-encoding: chunked\r\n"),
        hidden.len()
    );
    let counted = format!(
        "{}{hidden}",
        head(&format!("content-length: {}\r\n", hidden.len()))
    );
    let both = format!(
        "{}0\r\n\r\n{hidden}",
        head(&format!(
            "content-length: {}\r\ntransfer-encoding: chunked\r\n",
            5 + hidden.len()
        ))
    );
    let two_lengths = format!(
        "{}{hidden}",
        head("content-length: 0\r\ncontent-length: 5\r\n")
    );
    let rows: [(&str, String, &[&[u16]]); 8] = [
        (
            "three in one piece",
            [&plain[..], &plain].concat(),
            &[&[200, 200, 200]],
        ),
        ("a chunked body", chunked, &[&[200, 200], &[200]]),
        ("a counted body", counted, &[&[200, 200], &[200]]),
        ("a length and chunks", both, &[&[400], &[200]]),
        ("two lengths", two_lengths, &[&[400]]),
        (
            "a length that is none",
            head("content-length: +5\r\n"),
            &[&[400]],
        ),
        (
            "chunked, and not last",
            head("transfer-encoding: chunked, gzip\r\n"),
            &[&[400]],
        ),
        ("a folded header", head("x: a\r\n b\r\n"), &[&[400]]),
    ];
    for (name, bytes, allowed) in rows {
        // Whatever comes before, this one ends the connection.
        let bytes = bytes + &last;
        let got = statuses(sidecar.address(), bytes.as_bytes());
        assert!(allowed.contains(&&got[..]), "{name}: {got:?}");
    }
    assert_eq!(
        statuses(sidecar.address(), last.as_bytes()),
        [200],
        "it was not shut down"
    );
}

#[test]
fn api_b6_a_chunked_body_that_never_ends_is_not_waited_for() {
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let sidecar = files.start(Start::new()).serve();
    let mut stream = connect(sidecar.address());
    let head = format!(
        "GET {SECRET} HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"
    );
    stream.write_all(head.as_bytes()).expect("a head");
    assert_eq!(crate::wire::read_answer(&mut stream, false).status, 200);
}
