//! A refusal as it is on the wire, frame by frame.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::support::{Echo, NAME, TOKEN, UNARY, WRONG, layer, serve, soon};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// A socket whose incoming bytes are kept.
struct Tap {
    socket: TcpStream,
    came: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, into))?;
        let mut came = self.came.lock().expect("no test panicked");
        came.extend_from_slice(&into.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// Kind and flags of each frame of one stream (RFC 9113, section 4.1).
fn frames(bytes: &[u8], stream: u32) -> Vec<(u8, u8)> {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while let Some((head, behind)) = rest.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        if id == stream {
            frames.push((head[3], head[4]));
        }
        rest = behind.get(length..).unwrap_or_default();
    }
    frames
}

fn request(content_type: &str, token: Option<&str>) -> Request<()> {
    let mut request = Request::post(format!("http://localhost{UNARY}"))
        .header("content-type", content_type)
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.header(NAME, token);
    }
    request.body(()).expect("valid")
}

/// Sends one request and gives the head of its answer, whether it ended there, and the frames that came.
async fn ask(request: Request<()>, with_body: bool) -> (u16, HeaderMap, bool, Vec<(u8, u8)>) {
    let address = serve(layer(), Echo::default()).await;
    let came = Arc::new(Mutex::new(Vec::new()));
    let tap = Tap {
        socket: TcpStream::connect(address).await.expect("connected"),
        came: Arc::clone(&came),
    };
    let (client, connection) = h2::client::handshake(tap).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.expect("ready");
    let (response, mut body) = client
        .send_request(request, !with_body)
        .expect("room for one");
    if with_body {
        // A message of five bytes: not compressed, its length, nothing.
        body.send_data(Bytes::from_static(&[0; 5]), true)
            .expect("in the window");
    }
    let stream = response.stream_id().as_u32();
    let (head, mut rest) = soon(response).await.expect("answered").into_parts();
    let ended = rest.is_end_stream();
    while let Some(data) = soon(rest.data()).await {
        data.expect("data");
    }
    soon(rest.trailers()).await.expect("an end");
    drop((client, body, rest));
    // The connection ends by itself: nobody needs it any more.
    soon(connection).await.expect("no panic").expect("an end");
    let frames = frames(&came.lock().expect("no test panicked"), stream);
    (head.status.as_u16(), head.headers, ended, frames)
}

#[tokio::test]
async fn j2_a_refusal_is_one_frame_of_headers_that_ends_the_stream() {
    for (name, content_type, answered, token) in [
        ("missing", "application/grpc", "application/grpc", None),
        ("wrong", "application/grpc", "application/grpc", Some(WRONG)),
        (
            "with an encoding",
            "application/grpc+proto",
            "application/grpc",
            Some(WRONG),
        ),
        (
            "gRPC-Web",
            "application/grpc-web+proto",
            "application/grpc-web+proto",
            Some(WRONG),
        ),
    ] {
        for with_body in [false, true] {
            let name = format!("{name}, with a body: {with_body}");
            let (status, headers, ended, frames) =
                ask(request(content_type, token), with_body).await;
            assert_eq!(status, 200, "{name}");
            assert_eq!(headers["content-type"], answered, "{name}");
            assert_eq!(headers["grpc-status"], "16", "{name}");
            assert!(headers.contains_key("grpc-status-details-bin"), "{name}");
            assert!(!headers.contains_key(NAME), "{name}");
            assert!(ended, "{name}: nothing follows the head");
            let (resets, told): (Vec<_>, Vec<_>) = frames
                .into_iter()
                .partition(|(kind, _)| *kind == RST_STREAM);
            assert_eq!(told, [(HEADERS, END_HEADERS | END_STREAM)], "{name}");
            assert!(resets.len() <= 1, "{name}: at most a reset of the request");
        }
    }
}

/// The same measure on an accepted call: a head, data, and trailers of its own.
#[tokio::test]
async fn j2_an_accepted_call_is_answered_in_more_than_one_frame() {
    let (status, headers, ended, frames) =
        ask(request("application/grpc", Some(TOKEN)), true).await;
    assert_eq!(status, 200);
    assert!(!headers.contains_key("grpc-status"));
    assert!(!ended);
    let kinds: Vec<_> = frames.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [HEADERS, DATA, HEADERS]);
}
