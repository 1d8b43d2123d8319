//! A refused upload costs nothing: its body is never read.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use tokio::net::TcpStream;
use tonic::Code;
use tower::{Layer, ServiceExt as _};

use crate::support::{CLIENT_STREAM, Echo, WRONG, client, layer, serve, soon, with};

const GIB: usize = 1 << 30;
/// What a stream may send before the server has read any of it: the window that hyper's server opens.
const WINDOW: usize = 1 << 20;
const CHUNK: usize = 16 << 10;

fn upload() -> Request<()> {
    Request::post(format!("http://localhost{CLIENT_STREAM}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("valid")
}

/// Sends until the server wants no more; gives how many bytes went out.
async fn send_a_gib(body: &mut h2::SendStream<Bytes>) -> usize {
    let chunk = Bytes::from(vec![0; CHUNK]);
    let mut sent = 0;
    while sent < GIB {
        body.reserve_capacity(CHUNK);
        let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
        let Some(Ok(room)) = room else { break };
        let part = chunk.slice(..room.min(CHUNK));
        let length = part.len();
        if body.send_data(part, false).is_err() {
            break;
        }
        sent += length;
    }
    sent
}

#[tokio::test]
async fn j5_a_refused_upload_of_one_gib_sends_a_window_at_most_and_leaves_the_connection_usable() {
    let echo = Echo::default();
    let address = serve(layer(), echo.clone()).await;
    let socket = TcpStream::connect(address).await.expect("connected");
    let (mut client, connection) = h2::client::handshake(socket).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut sent_by_all = 0;
    // More than the window of the whole connection: what nobody reads is given back.
    for round in 0..100 {
        client = soon(client.ready()).await.expect("ready");
        let (response, mut body) = client.send_request(upload(), false).expect("room for one");
        let (response, sent) = soon(async { tokio::join!(response, send_a_gib(&mut body)) }).await;
        let response = response.expect("answered");
        assert_eq!(response.headers()["grpc-status"], "16", "round {round}");
        assert!(response.body().is_end_stream(), "round {round}");
        assert!(sent <= WINDOW, "round {round}: {sent} bytes went out");
        sent_by_all += sent;
    }
    assert!(echo.take().is_empty(), "no handler ran");
    println!("{sent_by_all} bytes of 100 GiB were sent");
    client = soon(client.ready()).await.expect("ready");
    let mut accepted = upload();
    let token = crate::support::TOKEN.parse().expect("a value");
    accepted.headers_mut().insert(crate::support::NAME, token);
    let (response, _) = client.send_request(accepted, true).expect("room for one");
    let response = soon(response).await.expect("answered");
    assert!(!response.headers().contains_key("grpc-status"), "accepted");
    assert_eq!(echo.take().len(), 1);
}

/// Gives out one message of 1 MiB after the other, and counts them.
struct Messages {
    given: Arc<AtomicUsize>,
}

impl tokio_stream::Stream for Messages {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let given = self.given.fetch_add(1, Ordering::Relaxed);
        Poll::Ready((given < 1024).then(|| Bytes::from(vec![0; 1 << 20])))
    }
}

#[tokio::test]
async fn j5_a_tonic_client_that_streams_one_gib_is_stopped_after_a_few_messages() {
    let echo = Echo::default();
    let mut client = client(serve(layer(), echo.clone()).await).await;
    for values in [&[][..], &[WRONG]] {
        let given = Arc::new(AtomicUsize::new(0));
        let messages = Messages {
            given: Arc::clone(&given),
        };
        let reply = soon(client.client_stream(with(messages, values))).await;
        let status = reply.expect_err("refused");
        assert_eq!(status.code(), Code::Unauthenticated);
        let given = given.load(Ordering::Relaxed);
        assert!(given <= 4, "{given} MiB of 1,024 were taken");
    }
    assert!(echo.take().is_empty());
}

/// A request body that counts how often it is asked.
struct Counted(Arc<AtomicUsize>);

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn j5_the_body_of_a_refused_call_is_dropped_unasked() {
    let polled = Arc::new(AtomicUsize::new(0));
    let (parts, ()) = upload().into_parts();
    let mut request = Request::from_parts(parts, Counted(Arc::clone(&polled)));
    *request.version_mut() = http::Version::HTTP_2;
    let response = layer().layer(Echo::default()).oneshot(request).await;
    let response = response.expect("infallible");
    assert_eq!(response.headers()["grpc-status"], "16");
    assert_eq!(polled.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&polled), 1, "dropped");
}
