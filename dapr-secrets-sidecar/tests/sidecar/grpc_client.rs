//! A client of gRPC that sends messages as bytes, and tokens as it is told.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder as Connector, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::dapr::{GetBulkSecretRequest, GetSecretRequest};
use crate::grpc_recording::Outcome;
use crate::http2::Window;
use crate::process::PATIENCE;

pub(crate) const GET: &str = "/dapr.proto.runtime.v1.Dapr/GetSecret";
pub(crate) const BULK: &str = "/dapr.proto.runtime.v1.Dapr/GetBulkSecret";
pub(crate) const METADATA: &str = "/dapr.proto.runtime.v1.Dapr/GetMetadata";
pub(crate) const HEALTH: &str = "/grpc.health.v1.Health/Check";
pub(crate) const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// One connection.
pub(crate) struct Caller {
    runtime: Runtime,
    requests: SendRequest<Full<Bytes>>,
}

async fn greet<I>(stream: I, window: Window) -> SendRequest<Full<Bytes>>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut connector = Connector::new(TokioExecutor::new());
    if window == Window::Closed {
        connector.initial_stream_window_size(0);
    }
    let (requests, connection) = connector
        .handshake(TokioIo::new(stream))
        .await
        .expect("it speaks HTTP/2");
    tokio::spawn(connection);
    requests
}

impl Caller {
    fn new<F>(connect: impl FnOnce() -> F) -> Self
    where
        F: Future<Output = SendRequest<Full<Bytes>>>,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let requests = runtime.block_on(async { connect().await });
        Self { runtime, requests }
    }

    pub(crate) fn connect(address: SocketAddr, window: Window) -> Self {
        Self::new(|| async move {
            let stream = TcpStream::connect(address).await.expect("it accepts");
            greet(stream, window).await
        })
    }

    pub(crate) fn connect_unix(path: &Path) -> Self {
        Self::new(|| async move {
            let stream = UnixStream::connect(path).await.expect("it accepts");
            greet(stream, Window::Open).await
        })
    }

    /// A call, up to the head of its answer; it stays open as long as the answer is held.
    pub(crate) fn begin(
        &mut self,
        path: &str,
        tokens: &[&str],
        body: Vec<u8>,
    ) -> Response<Incoming> {
        let mut request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for token in tokens {
            request = request.header("dapr-api-token", *token);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let answer = self.requests.send_request(request);
        self.runtime.block_on(async {
            let answer = timeout(PATIENCE, answer).await.expect("in time");
            answer.expect("an answer")
        })
    }

    /// The rest of an answer.
    pub(crate) fn finish(&self, answer: Response<Incoming>) -> Outcome {
        let outcome = async { timeout(PATIENCE, Outcome::of(answer)).await };
        self.runtime.block_on(outcome).expect("in time")
    }

    /// The next message of a stream, without its prefix; `None` at its end.
    pub(crate) fn next(&self, answer: &mut Response<Incoming>) -> Option<Bytes> {
        let frame = async { timeout(PATIENCE, answer.body_mut().frame()).await };
        let frame = self.runtime.block_on(frame).expect("in time")?;
        let data = frame.ok()?.into_data().ok()?;
        Some(data.slice(5..))
    }

    pub(crate) fn call(&mut self, path: &str, tokens: &[&str], body: Vec<u8>) -> Outcome {
        let answer = self.begin(path, tokens, body);
        self.finish(answer)
    }
}

/// A message with its prefix.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a length");
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// Asks for one secret.
pub(crate) fn secret(store: &str, key: &str) -> Vec<u8> {
    let request = GetSecretRequest {
        store_name: store.to_owned(),
        key: key.to_owned(),
        ..GetSecretRequest::default()
    };
    framed(&request.encode_to_vec())
}

/// Asks for all of them.
pub(crate) fn secrets(store: &str) -> Vec<u8> {
    let request = GetBulkSecretRequest {
        store_name: store.to_owned(),
        ..GetBulkSecretRequest::default()
    };
    framed(&request.encode_to_vec())
}
