//! A client that speaks HTTP/2 with prior knowledge.

use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder as Connector, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::process::PATIENCE;

/// How much of an answer may be sent before the client has asked for more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// What is usual.
    Open,
    /// Nothing: an answer gets as far as its head.
    Closed,
}

/// One connection.
pub(crate) struct Client {
    runtime: Runtime,
    requests: SendRequest<Empty<Bytes>>,
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn greet<I>(stream: I, window: Window) -> SendRequest<Empty<Bytes>>
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

impl Client {
    pub(crate) fn connect(address: SocketAddr, window: Window) -> Self {
        let runtime = runtime();
        let requests = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.expect("it accepts");
            greet(stream, window).await
        });
        Self { runtime, requests }
    }

    /// Over TLS to `localhost`; the server must choose HTTP/2.
    #[cfg(feature = "tls")]
    pub(crate) fn connect_tls(address: SocketAddr, config: Arc<rustls::ClientConfig>) -> Self {
        let runtime = runtime();
        let requests = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.expect("it accepts");
            let name = "localhost".try_into().expect("a name");
            let shaken = tokio_rustls::TlsConnector::from(config).connect(name, stream);
            let stream = timeout(PATIENCE, shaken).await.expect("in time");
            let stream = stream.expect("a handshake");
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            greet(stream, Window::Open).await
        });
        Self { runtime, requests }
    }

    /// `GET path`, up to the head of the answer; the stream stays open as long as the answer is held.
    pub(crate) fn begin(&mut self, path: &str, token: &str) -> Response<Incoming> {
        self.answer("GET", path, Some(token))
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
    ) -> Response<Bytes> {
        let (parts, body) = self.answer(method, path, token).into_parts();
        let body = self
            .runtime
            .block_on(async { timeout(PATIENCE, body.collect()).await });
        let body = body.expect("in time").expect("a body");
        Response::from_parts(parts, body.to_bytes())
    }

    fn answer(&mut self, method: &str, path: &str, token: Option<&str>) -> Response<Incoming> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"));
        if let Some(token) = token {
            request = request.header("dapr-api-token", token);
        }
        let request = request.body(Empty::new()).expect("a request");
        let answer = self.requests.send_request(request);
        self.runtime.block_on(async {
            let answer = timeout(PATIENCE, answer).await.expect("in time");
            answer.expect("an answer")
        })
    }
}
