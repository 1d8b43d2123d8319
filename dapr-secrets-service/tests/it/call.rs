//! Serves gRPC on a free port, and calls it: tonic's client over a connection of hyper's, without the timers and
//! retries of a channel, so that every status is the server's.

use std::convert::Infallible;
use std::task::{Context, Poll};

use dapr_secrets_service::{Profile, SecretsGrpc};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tonic::Status;
use tonic::body::Body;

use crate::dapr::dapr_client::DaprClient;
use crate::dapr::{GetBulkSecretRequest, GetBulkSecretResponse, GetSecretRequest};

/// One connection as a service.
#[derive(Clone)]
pub(crate) struct Connection(pub(crate) SendRequest<Body>);

impl tower::Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

pub(crate) type Client = DaprClient<Connection>;

/// A connection to a server of `service`.
pub(crate) async fn connect<S, B>(service: S) -> Connection
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a caller");
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
            .await
    });
    let socket = TcpStream::connect(address).await.expect("listening");
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket))
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);
    Connection(sender)
}

pub(crate) fn origin() -> http::Uri {
    http::Uri::from_static("http://localhost")
}

pub(crate) async fn client(service: SecretsGrpc) -> Client {
    DaprClient::with_origin(connect(service).await, origin()).max_decoding_message_size(usize::MAX)
}

pub(crate) async fn client_of(engine: &dapr_secrets_service::Engine, profile: Profile) -> Client {
    let service = SecretsGrpc::builder(engine.clone()).profile(profile);
    client(service.build()).await
}

/// A client of the service itself, without a socket: for a clock that stands still.
pub(crate) fn in_process(engine: &dapr_secrets_service::Engine, profile: Profile) -> InProcess {
    let service = SecretsGrpc::builder(engine.clone()).profile(profile);
    DaprClient::new(service.build())
}

pub(crate) type InProcess = DaprClient<SecretsGrpc>;

pub(crate) fn secret_of(store: &str, key: &str) -> GetSecretRequest {
    GetSecretRequest {
        store_name: store.to_owned(),
        key: key.to_owned(),
        ..GetSecretRequest::default()
    }
}

/// One secret, as pairs in sorted order.
pub(crate) async fn get(
    client: &mut Client,
    store: &str,
    key: &str,
) -> Result<Vec<(String, String)>, Status> {
    let answer = client.get_secret(secret_of(store, key)).await?;
    let mut pairs: Vec<_> = answer.into_inner().data.into_iter().collect();
    pairs.sort();
    Ok(pairs)
}

pub(crate) async fn bulk(
    client: &mut Client,
    store: &str,
    metadata: &[(&str, &str)],
) -> Result<tonic::Response<GetBulkSecretResponse>, Status> {
    let request = GetBulkSecretRequest {
        store_name: store.to_owned(),
        metadata: metadata
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    client.get_bulk_secret(request).await
}

/// A message with its prefix.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a length");
    let mut bytes = vec![0];
    bytes.extend(length.to_be_bytes());
    bytes.extend(message);
    bytes
}

/// Sends bytes as they are, and gives the answer up to its head.
pub(crate) async fn send(
    connection: &mut Connection,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Response<Incoming> {
    let mut request = Request::post(format!("http://localhost{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::new(http_body_util::Full::from(body));
    let request = request.body(body).expect("a request");
    connection.0.send_request(request).await.expect("answered")
}
