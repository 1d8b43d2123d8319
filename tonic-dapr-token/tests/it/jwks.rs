//! JWT mode with keys that are fetched, around a real tonic server: the layer waits for keys, as the one of
//! `tower-dapr-token` does, and its claims reach the method.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic::server::NamedService;
use tonic::service::LayerExt as _;
use tonic::transport::Server;
use tonic::{Code, Request, Response};
use tonic_dapr_token::tower_dapr_token::{JwtSigner, JwtSource, WallClock};
use tonic_dapr_token::{
    Authenticated, JwtRules, KeyEvent, Observer, RequireRemoteTokenBuilder, RequireTokenLayer,
    TokenRejection, Waiting,
};
use tower::{Service, service_fn};

use crate::support::{Client, Raw, channel, soon, with};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const NOW: Duration = Duration::from_secs(1_800_000_000);
const WHO_AM_I: &str = "/test.WhoAmI/Tell";

/// The key of RFC 8037, appendix A.1, and its public half (A.2) under two names.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

pub(crate) fn key_set(kids: &[&str]) -> String {
    let keys = kids.iter().map(|kid| {
        serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "kid": kid,
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    });
    serde_json::json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
}

pub(crate) fn jwt(kid: &str, audience: &str) -> String {
    let signer = JwtSigner::builder()
        .pem(PRIVATE)
        .key_id(kid)
        .issuer(ISSUER)
        .audience(audience)
        .subject("daprd")
        .build()
        .expect("a key");
    let minted = signer.fetch(NOW).expect("signed");
    String::from_utf8(minted.expose().to_vec()).expect("ASCII")
}

/// A server of key sets on loopback: the least HTTP/1.1 that there is.
pub(crate) struct Keys {
    address: SocketAddr,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Keys {
    pub(crate) async fn with(kids: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let answer = Arc::new(Mutex::new((200, key_set(kids))));
        let shared = Arc::clone(&answer);
        let asked = Arc::<AtomicUsize>::default();
        let times = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => request.push(byte),
                        Err(_) => break,
                    }
                }
                times.fetch_add(1, Ordering::SeqCst);
                let (status, body) = shared.lock().expect("no test panicked").clone();
                let len = body.len();
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n"
                );
                // A client that closes early is no error of the server.
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        Self {
            address,
            answer,
            asked,
        }
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    pub(crate) fn answers(&self, status: u16, body: String) {
        *self.answer.lock().expect("no test panicked") = (status, body);
    }
}

pub(crate) struct At(pub(crate) Duration);

impl WallClock for At {
    fn unix_time(&self) -> Duration {
        self.0
    }
}

/// Passes on what it is told of keys.
struct Told(mpsc::UnboundedSender<&'static str>);

impl Observer for Told {
    fn on_key_event(&self, event: &KeyEvent) {
        // A test that has ended listens no more.
        let _ = self.0.send(event.as_str());
    }
}

pub(crate) fn builder(
    keys: &Keys,
) -> (
    RequireRemoteTokenBuilder<'static>,
    mpsc::UnboundedReceiver<&'static str>,
) {
    let (tell, told) = mpsc::unbounded_channel();
    let builder = RequireTokenLayer::builder()
        .wall_clock(Arc::new(At(NOW)))
        .observer(Arc::new(Told(tell)))
        .jwks(keys.address(), JwtRules::new(ISSUER, "orders"));
    (builder, told)
}

/// Says who called it, by claims of its own type.
#[derive(Clone)]
pub(crate) struct WhoAmI;

#[derive(Deserialize)]
struct Mine {
    sub: String,
    exp: u64,
}

impl NamedService for WhoAmI {
    const NAME: &'static str = "test.WhoAmI";
}

impl<B> Service<http::Request<B>> for WhoAmI
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
        let tell = service_fn(|request: Request<Bytes>| {
            let told = request.extensions().get::<Authenticated>();
            let mine: Mine = told.expect("accepted").claims().expect("they fit");
            let left = mine.exp - NOW.as_secs();
            ready(Ok(Response::new(Bytes::from(format!(
                "{} for {left} s",
                mine.sub
            )))))
        });
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(tell, request).await) })
    }
}

/// A server with the layer around that one service.
async fn serve(layer: RequireTokenLayer<Waiting>) -> Client {
    serve_service(layer.named_layer(WhoAmI)).await
}

/// A server of that one service, whatever stands before it.
pub(crate) async fn serve_service<S, B>(service: S) -> Client
where
    S: Service<http::Request<Body>, Response = http::Response<B>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError> + Send + Sync,
{
    assert_eq!(S::NAME, "test.WhoAmI");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    Client::new(channel(address).await)
}

pub(crate) async fn ask(
    client: &mut Client,
    token: &str,
) -> Result<String, (Code, Option<TokenRejection>)> {
    let reply = client.unary(WHO_AM_I, with("", &[token])).await;
    reply.map_err(|status| (status.code(), TokenRejection::from_status(&status)))
}

pub(crate) const REFUSED: Result<String, (Code, Option<TokenRejection>)> =
    Err((Code::Unauthenticated, Some(TokenRejection::Invalid)));

#[tokio::test]
async fn t6_t7_e6_j5_x4_fetched_keys_decide_and_the_first_call_with_a_new_one_waits() {
    let keys = Keys::with(&["old"]).await;
    let (builder, mut told) = builder(&keys);
    let layer = builder.build().await.expect("keys");
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    let mut client = serve(layer.into()).await;
    let accepted = Ok("daprd for 300 s".to_owned());
    assert_eq!(ask(&mut client, &jwt("old", "orders")).await, accepted);
    assert_eq!(
        ask(&mut client, &jwt("old", "others")).await,
        REFUSED,
        "aud"
    );
    let forged = format!(
        "{}AAAA",
        &jwt("old", "orders")[..jwt("old", "orders").len() - 4]
    );
    assert_eq!(ask(&mut client, &forged).await, REFUSED, "signature");
    let missing = client.unary(WHO_AM_I, with("", &[])).await;
    let missing = missing.expect_err("no token");
    assert_eq!(
        (missing.code(), TokenRejection::from_status(&missing)),
        (Code::Unauthenticated, Some(TokenRejection::Missing))
    );

    keys.answers(200, key_set(&["old", "new"]));
    assert_eq!(ask(&mut client, &jwt("new", "orders")).await, accepted);
    assert_eq!(soon(told.recv()).await, Some("unknown_kid"));
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    assert_eq!(ask(&mut client, &jwt("newer", "orders")).await, REFUSED);
}

#[tokio::test]
async fn t8_j1_x4_a_call_is_unavailable_until_the_first_keys_are_there() {
    let keys = Keys::with(&[]).await;
    keys.answers(500, String::new());
    let (builder, mut told) = builder(&keys);
    let layer = builder.build_lazy().expect("valid");
    assert_eq!(soon(told.recv()).await, Some("failed"));
    let mut client = serve(layer.into()).await;
    let unavailable = Err((Code::Unavailable, Some(TokenRejection::Unavailable)));
    assert_eq!(ask(&mut client, &jwt("a", "orders")).await, unavailable);
    let missing = client.unary(WHO_AM_I, with("", &[])).await;
    assert_eq!(missing.expect_err("no token").code(), Code::Unauthenticated);

    // It is tried again about a second later.
    keys.answers(200, key_set(&["a"]));
    while soon(told.recv()).await != Some("refreshed") {}
    let accepted = Ok("daprd for 300 s".to_owned());
    assert_eq!(ask(&mut client, &jwt("a", "orders")).await, accepted);
}

#[test]
fn t7_the_layer_is_shared_whatever_its_parameter() {
    fn is_shared<T: Clone + Send + Sync + std::fmt::Debug>() {}

    is_shared::<RequireTokenLayer>();
    is_shared::<RequireTokenLayer<Waiting>>();
}
