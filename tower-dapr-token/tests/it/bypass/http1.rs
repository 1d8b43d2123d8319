//! Writes raw bytes to hyper's HTTP/1 server.

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::guarded::{Setup, both};
use super::table::{Expected, Row};

/// The statuses of all answers to a row.
pub(super) async fn send(setup: &Setup, row: &Row) -> Vec<u16> {
    if matches!(row.http1, Expected::CannotSay(_)) {
        return Vec::new();
    }
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\n",
        row.method, row.target, row.host
    )
    .into_bytes();
    if row.headers.iter().all(|(name, _)| *name != "connection") {
        head.extend(b"connection: close\r\n");
    }
    for (name, value) in &row.headers {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    let statuses = exchange(setup, &head).await;
    assert!(!statuses.is_empty(), "{}: not answered", row.name);
    statuses
}

/// Sends the bytes at once over a new connection, and reads to its end; the statuses of all answers.
///
/// The bytes must make the server close it. When this returns, the server is done with it.
pub(super) async fn exchange(setup: &Setup, bytes: &[u8]) -> Vec<u16> {
    let (mut stream, served) = setup.connection().await;
    let client = async {
        stream
            .write_all(&setup.spelt(bytes))
            .await
            .expect("written");
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await.expect("read");
        statuses(&String::from_utf8(answers).expect("text"))
    };
    let server = async {
        let service = TowerToHyperService::new(setup.guarded());
        // What it makes of the bytes is seen in its answers.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(served), service)
            .await;
    };
    both(client, server).await
}

/// No body of ours holds the text that begins an answer.
fn statuses(answers: &str) -> Vec<u16> {
    answers
        .split("HTTP/1.")
        .skip(1)
        .map(|answer| answer[2..5].parse().expect("a status"))
        .collect()
}
