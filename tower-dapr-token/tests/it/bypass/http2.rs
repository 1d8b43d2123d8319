//! Writes raw frames to hyper's HTTP/2 server.

use std::io;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::frames::{
    self, END_HEADERS, END_STREAM, Field, GOAWAY, HEADERS, PREFACE, RST_STREAM, block, frame,
};
use super::guarded::{Setup, both};
use super::table::{Expected, Row};

/// The status of the answer to a row; none if its stream or its connection ended without one.
pub(super) async fn send(setup: &Setup, row: &Row) -> Vec<u16> {
    if matches!(row.http2, Expected::CannotSay(_)) {
        return Vec::new();
    }
    let pseudo = |name: &str, value: &str| (name.into(), value.into());
    let mut fields: Vec<Field> = vec![pseudo(":method", row.method)];
    if row.method == "CONNECT" && !row.target.starts_with('/') {
        fields.push(pseudo(":authority", row.target));
    } else {
        fields.push(pseudo(":scheme", "http"));
        fields.push(pseudo(":authority", row.host));
        fields.push(pseudo(":path", row.target));
    }
    if let Some(protocol) = row.protocol {
        fields.push(pseudo(":protocol", protocol));
    }
    for (name, value) in &row.headers {
        fields.push((name.as_bytes().into(), value.clone()));
    }
    one(setup, &fields).await
}

/// Sends one request, without a body, over a new connection.
pub(super) async fn one(setup: &Setup, fields: &[Field]) -> Vec<u16> {
    let request = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(fields));
    exchange(setup, &request, &[1]).await
}

/// Sends frames at once over a new connection and waits until each of these streams is answered or ended, or the connection
/// is. The statuses in the order of the streams, without those that had no answer.
pub(super) async fn exchange(setup: &Setup, frames: &[u8], streams: &[u32]) -> Vec<u16> {
    let (mut stream, served) = setup.connection().await;
    let client = async move {
        let bytes = [PREFACE, &frames::settings(), &setup.spelt(frames)].concat();
        stream.write_all(&bytes).await.expect("written");
        answers(&mut stream, streams).await.expect("read")
    };
    let server = async {
        let service = TowerToHyperService::new(setup.guarded());
        let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        // Off, every `:protocol` would end at the server.
        server.enable_connect_protocol();
        // What it makes of the bytes is seen in its answers.
        let _ = server.serve_connection(TokioIo::new(served), service).await;
    };
    both(client, server).await
}

async fn answers(stream: &mut TcpStream, streams: &[u32]) -> io::Result<Vec<u16>> {
    let mut ended: Vec<(u32, Option<u16>)> = Vec::new();
    while streams
        .iter()
        .any(|id| ended.iter().all(|(ended, _)| ended != id))
    {
        let Some(received) = frames::read(stream).await? else {
            break;
        };
        let answer = match received.kind {
            HEADERS => Some(frames::status(&received.payload)),
            RST_STREAM => None,
            // What ends the connection is not answered, and what is answered came before.
            GOAWAY => break,
            _ => continue,
        };
        if ended.iter().all(|(ended, _)| *ended != received.stream) {
            ended.push((received.stream, answer));
        }
    }
    ended.sort_unstable();
    Ok(ended.into_iter().filter_map(|(_, answer)| answer).collect())
}
