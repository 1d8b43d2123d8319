//! What the tests share: a service that tells what reached it, and ways to call it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};
use tower_dapr_token::{
    Clock, Decision, Injection, LoadedTokens, Notice, Observer, RequireTokenLayer, SourceError,
    TokenSource,
};

pub(crate) const TOKEN: &str = "the-token-that-is-accepted-43-bytes-long-ok";
pub(crate) const WRONG: &str = "the-token-that-is-accepted-43-bytes-long-oK";
pub(crate) const NAME: &str = "dapr-api-token";

/// A service that keeps the headers of what it was given. Panics when it is called unready, so that
/// every test under it also checks readiness.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    requests: Arc<Mutex<Vec<HeaderMap>>>,
    ready: bool,
}

impl Seen {
    /// The headers of the one request that came through, if one did.
    pub(crate) fn take(&self) -> Option<HeaderMap> {
        let mut requests = self.requests.lock().expect("no test panicked");
        assert!(requests.len() <= 1, "one request at a time");
        requests.pop()
    }
}

impl<B> Service<Request<B>> for Seen {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        self.requests
            .lock()
            .expect("no test panicked")
            .push(request.headers().clone());
        std::future::ready(Ok(Response::new(Full::from("inner"))))
    }
}

/// Status and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Sends one request through the layer; gives the answer and what the inner service saw.
pub(crate) async fn send<B>(
    layer: &RequireTokenLayer,
    request: Request<B>,
) -> (Answer, Option<HeaderMap>) {
    let seen = Seen::default();
    let response = layer
        .layer(seen.clone())
        .oneshot(request)
        .await
        .expect("infallible");
    (answer(response).await, seen.take())
}

pub(crate) async fn answer<B>(response: Response<B>) -> Answer
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status.as_u16(),
        body: body.collect().await.expect("a body").to_bytes(),
    }
}

pub(crate) fn layer() -> RequireTokenLayer {
    RequireTokenLayer::new(TOKEN.parse().expect("valid"))
}

/// A request with these values of the token header.
pub(crate) fn request(values: &[&str]) -> Request<()> {
    values
        .iter()
        .fold(Request::post("/orders"), |builder, value| {
            builder.header(NAME, *value)
        })
        .body(())
        .expect("valid")
}

/// Keeps all that an observer is told, as text.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Told {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panicked"))
    }

    fn push(&self, text: String) {
        self.0.lock().expect("no test panicked").push(text);
    }
}

impl Observer for Told {
    fn on_decision(&self, decision: &Decision) {
        self.push(format!("{decision:?}"));
    }

    fn on_injection(&self, injection: Injection) {
        self.push(format!("{injection:?}"));
    }

    fn on_notice(&self, notice: &Notice) {
        self.push(format!("{notice:?}: {notice}"));
    }
}

/// A clock that the test moves.
#[derive(Default)]
pub(crate) struct MovedClock(Mutex<Duration>);

impl MovedClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().expect("no test panicked") += by;
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no test panicked")
    }

    fn wait(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// A source that says what the test tells it to: lines of tokens, or why there are none. It takes no time.
#[derive(Clone)]
pub(crate) struct Says(Arc<Mutex<Result<String, &'static str>>>);

impl Says {
    pub(crate) fn tokens(lines: &str) -> Self {
        Self(Arc::new(Mutex::new(Ok(lines.to_owned()))))
    }

    pub(crate) fn change_to(&self, lines: Result<&str, &'static str>) {
        *self.0.lock().expect("no test panicked") = lines.map(str::to_owned);
    }
}

impl TokenSource for Says {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        let lines = self.0.lock().expect("no test panicked").clone();
        LoadedTokens::from_lines(lines.map_err(SourceError::other)?.as_bytes())
    }

    fn is_atomic(&self) -> bool {
        true
    }
}
