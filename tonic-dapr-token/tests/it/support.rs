//! What the tests share: a service of raw bytes that keeps what it saw, a server for it, and ways to call it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::StdError;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::NamedService;
use tonic::service::{AxumRouter, Routes};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status, Streaming};
use tonic_dapr_token::{Authenticated, RequireTokenLayer};
use tower::{Service, service_fn};

pub(crate) const TOKEN: &str = "the-token-that-is-accepted-43-bytes-long-ok";
pub(crate) const WRONG: &str = "the-token-that-is-accepted-43-bytes-long-oK";
pub(crate) const NAME: &str = "dapr-api-token";

/// The four forms of a call, and one that is never answered.
pub(crate) const UNARY: &str = "/test.Echo/Unary";
pub(crate) const SERVER_STREAM: &str = "/test.Echo/ServerStream";
pub(crate) const CLIENT_STREAM: &str = "/test.Echo/ClientStream";
pub(crate) const BOTH_WAYS: &str = "/test.Echo/BothWays";
pub(crate) const NEVER: &str = "/test.Echo/Never";

pub(crate) fn layer() -> RequireTokenLayer {
    RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .build()
        .expect("valid")
        .into()
}

/// Messages are bytes as they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// What reached a handler.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) metadata: MetadataMap,
    pub(crate) slot: Option<Option<u32>>,
}

/// What becomes of a call that is never answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Began,
    Dropped,
}

/// Answers any path; those of `test.Echo` in their own form, every other one as `Unary`.
#[derive(Clone)]
pub(crate) struct Echo {
    seen: Arc<Mutex<Vec<Seen>>>,
    waiting: mpsc::UnboundedSender<Waiting>,
}

impl Default for Echo {
    fn default() -> Self {
        Self::and_waiting().0
    }
}

impl Echo {
    /// And who is told of the calls that are never answered.
    pub(crate) fn and_waiting() -> (Self, mpsc::UnboundedReceiver<Waiting>) {
        let (waiting, told) = mpsc::unbounded_channel();
        let echo = Self {
            seen: Arc::default(),
            waiting,
        };
        (echo, told)
    }

    /// The calls that reached a handler since the last time.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().expect("no test panicked"))
    }

    fn keep<T>(&self, path: &str, request: &Request<T>) {
        let authenticated = request.extensions().get::<Authenticated>();
        self.seen.lock().expect("no test panicked").push(Seen {
            path: path.to_owned(),
            metadata: request.metadata().clone(),
            slot: authenticated.map(Authenticated::slot),
        });
    }

    async fn answer<B>(self, request: http::Request<B>) -> http::Response<Body>
    where
        B: http_body::Body + Send + 'static,
        B::Error: Into<StdError> + Send,
    {
        let path = request.uri().path().to_owned();
        let mut grpc = tonic::server::Grpc::new(Raw);
        match path.as_str() {
            SERVER_STREAM => {
                let count = service_fn(|request: Request<Bytes>| {
                    self.keep(&path, &request);
                    let upto: u32 = text(request.get_ref()).parse().expect("a number");
                    let messages = (0..upto).map(|i| Ok(Bytes::from(i.to_string())));
                    std::future::ready(Ok(Response::new(tokio_stream::iter(
                        messages.collect::<Vec<_>>(),
                    ))))
                });
                grpc.server_streaming(count, request).await
            }
            CLIENT_STREAM => {
                let add_up = service_fn(|request: Request<Streaming<Bytes>>| {
                    self.keep(&path, &request);
                    async {
                        let mut messages = request.into_inner();
                        let (mut count, mut bytes) = (0, 0);
                        while let Some(message) = messages.message().await? {
                            count += 1;
                            bytes += message.len();
                        }
                        Ok(Response::new(Bytes::from(format!("{count}:{bytes}"))))
                    }
                });
                grpc.client_streaming(add_up, request).await
            }
            BOTH_WAYS => {
                let echo = service_fn(|request: Request<Streaming<Bytes>>| {
                    self.keep(&path, &request);
                    std::future::ready(Ok(Response::new(request.into_inner())))
                });
                grpc.streaming(echo, request).await
            }
            NEVER => {
                let wait = service_fn(|request: Request<Bytes>| {
                    self.keep(&path, &request);
                    let guard = Guard::new(&self.waiting);
                    async move {
                        std::future::pending::<()>().await;
                        drop(guard);
                        Ok(Response::new(Bytes::new()))
                    }
                });
                grpc.unary(wait, request).await
            }
            _ => {
                let echo = service_fn(|request: Request<Bytes>| {
                    self.keep(&path, &request);
                    std::future::ready(Ok(Response::new(request.into_inner())))
                });
                grpc.unary(echo, request).await
            }
        }
    }
}

impl<B> Service<http::Request<B>> for Echo
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<StdError> + Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move { Ok(echo.answer(request).await) })
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

/// Tells when a call begins to wait, and when it is dropped.
struct Guard(mpsc::UnboundedSender<Waiting>);

impl Guard {
    fn new(told: &mpsc::UnboundedSender<Waiting>) -> Self {
        let _ = told.send(Waiting::Began);
        Self(told.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(Waiting::Dropped);
    }
}

/// Any path, whatever its service is called.
pub(crate) fn any_path(echo: Echo) -> Routes {
    Routes::from(AxumRouter::new().fallback_service(echo))
}

/// A server on a loopback socket, with the layer around it all. It takes HTTP/1.1 too.
pub(crate) async fn serve(layer: RequireTokenLayer, echo: Echo) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(
        Server::builder()
            .accept_http1(true)
            .layer(layer)
            .add_routes(any_path(echo))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    address
}

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .expect("an address")
        .connect()
        .await
        .expect("connected")
}

/// A client of `test.Echo`.
#[derive(Clone)]
pub(crate) struct Client<S = Channel>(Grpc<S>);

pub(crate) async fn client(address: SocketAddr) -> Client {
    Client::new(channel(address).await)
}

impl<S> Client<S>
where
    S: GrpcService<Body>,
    S::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <S::ResponseBody as http_body::Body>::Error: Into<StdError> + Send,
{
    pub(crate) fn new(service: S) -> Self {
        Self(Grpc::new(service))
    }

    async fn ready(&mut self) {
        if let Err(error) = self.0.ready().await {
            unreachable!("not ready: {}", error.into());
        }
    }

    pub(crate) async fn unary(&mut self, path: &str, request: Request<&str>) -> Reply {
        self.ready().await;
        let request = request.map(|text| Bytes::copy_from_slice(text.as_bytes()));
        let path = path.parse().expect("a path");
        let response = self.0.unary(request, path, Raw).await?;
        Ok(text(response.get_ref()))
    }

    pub(crate) async fn server_stream(&mut self, request: Request<&str>) -> Replies {
        self.ready().await;
        let request = request.map(|text| Bytes::copy_from_slice(text.as_bytes()));
        let path = SERVER_STREAM.parse().expect("a path");
        let response = self.0.server_streaming(request, path, Raw).await?;
        all(response.into_inner()).await
    }

    pub(crate) async fn client_stream<M>(&mut self, request: Request<M>) -> Reply
    where
        M: Stream<Item = Bytes> + Send + 'static,
    {
        self.ready().await;
        let path = CLIENT_STREAM.parse().expect("a path");
        let response = self.0.client_streaming(request, path, Raw).await?;
        Ok(text(response.get_ref()))
    }

    /// Both ways; gives the stream of answers.
    pub(crate) async fn both_ways<M>(
        &mut self,
        request: Request<M>,
    ) -> Result<Streaming<Bytes>, Status>
    where
        M: Stream<Item = Bytes> + Send + 'static,
    {
        self.ready().await;
        let path = BOTH_WAYS.parse().expect("a path");
        let response = self.0.streaming(request, path, Raw).await?;
        Ok(response.into_inner())
    }
}

pub(crate) type Reply = Result<String, Status>;
pub(crate) type Replies = Result<Vec<String>, Status>;

pub(crate) async fn all(mut messages: Streaming<Bytes>) -> Replies {
    let mut replies = Vec::new();
    while let Some(message) = messages.next().await {
        replies.push(text(&message?));
    }
    Ok(replies)
}

pub(crate) fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// A request with these values of the token in its metadata.
pub(crate) fn with<T>(message: T, values: &[&str]) -> Request<T> {
    let mut request = Request::new(message);
    for value in values {
        let value = MetadataValue::try_from(*value).expect("a value");
        request.metadata_mut().append(NAME, value);
    }
    request
}

/// Waits for what must come; a test that would hang fails.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(std::time::Duration::from_secs(30), what)
        .await
        .expect("it comes soon")
}
