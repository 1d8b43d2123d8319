//! JWT mode with keys that are fetched, over the layer: who waits, for what, and who never does.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use tokio::sync::mpsc;
use tower::{Layer, Service, ServiceExt};
use tower_dapr_token::{
    Authenticated, ConfigError, Decision, JwksErrorKind, JwtKeys, JwtRules, KeyEvent, Observer,
    RemoteKeys, RequireRemoteTokenBuilder, RequireToken, RequireTokenBuilder, RequireTokenLayer,
    TokenMode, Waiting,
};

use crate::issuer::Issuer;
use crate::signing::{ISSUER, Key, NOW, Wall, forged, rules, signed};
use crate::support::{MovedClock, NAME};

const STATIC: &str = "the-static-token-of-a-migration";
/// As long as no request may have the keys fetched again, and a little more.
const PAUSE: Duration = Duration::from_secs(31);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Keeps the reasons of decisions, and passes on what it is told of keys.
struct Told {
    reasons: Mutex<Vec<&'static str>>,
    keys: mpsc::UnboundedSender<KeyEvent>,
}

impl Told {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<KeyEvent>) {
        let (keys, told) = mpsc::unbounded_channel();
        let reasons = Mutex::default();
        (Arc::new(Self { reasons, keys }), told)
    }

    fn reasons(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.reasons.lock().expect("no test panicked"))
    }
}

impl Observer for Told {
    fn on_decision(&self, decision: &Decision) {
        assert!(matches!(
            decision.mode(),
            TokenMode::Jwt | TokenMode::Static
        ));
        let reason = decision.reason().map_or("none", |kind| kind.as_str());
        self.reasons.lock().expect("no test panicked").push(reason);
    }

    fn on_key_event(&self, event: &KeyEvent) {
        // A test that has ended listens no more.
        let _ = self.keys.send(event.clone());
    }
}

/// Everything around one layer.
struct Scene {
    issuer: Issuer,
    layer: RequireTokenLayer<Waiting>,
    clock: Arc<MovedClock>,
    told: Arc<Told>,
    events: mpsc::UnboundedReceiver<KeyEvent>,
}

impl Scene {
    async fn new(keys: &[&Key]) -> Self {
        Self::with(keys, |builder| builder).await
    }

    async fn with(
        keys: &[&Key],
        adapt: impl FnOnce(RequireRemoteTokenBuilder<'static>) -> RequireRemoteTokenBuilder<'static>,
    ) -> Self {
        let issuer = Issuer::with(keys).await;
        let clock = Arc::new(MovedClock::default());
        let (told, mut events) = Told::new();
        let builder = RequireTokenLayer::builder()
            .wall_clock(Wall::at(NOW))
            .http_health()
            .observer(told.clone())
            .jwks(issuer.url(), rules())
            .key_clock(clock.clone());
        let layer = adapt(builder).build().await.expect("keys");
        let first = events.recv().await.expect("told");
        assert_eq!(first.as_str(), "refreshed");
        Self {
            issuer,
            layer,
            clock,
            told,
            events,
        }
    }

    /// The next event but those of requests.
    async fn fetched(&mut self) -> KeyEvent {
        loop {
            match self.events.recv().await.expect("told") {
                KeyEvent::UnknownKid { .. } => {}
                event => return event,
            }
        }
    }

    async fn ask(&self, token: &str) -> StatusCode {
        let response = self.layer.layer(App::default()).oneshot(post(token)).await;
        response.expect("infallible").status()
    }

    /// Asks, and panics if the answer is not there at the first poll.
    fn ask_at_once(&self, request: Request<()>) -> StatusCode {
        let answered = at_once(self.layer.layer(App::default()).oneshot(request));
        let response = answered.expect("nothing to wait for");
        response.expect("infallible").status()
    }

    /// Begins to ask.
    fn begin(&self, token: &str) -> Pin<Box<impl Future<Output = StatusCode> + Send + use<>>> {
        let asked = self.layer.layer(App::default()).oneshot(post(token));
        Box::pin(async { asked.await.expect("infallible").status() })
    }
}

fn post(token: &str) -> Request<()> {
    let request = Request::post("/orders").header(NAME, token);
    request.body(()).expect("valid")
}

/// Polls once.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    at_once(future).is_none()
}

/// Answers 200 where the header is gone. Panics when it is called unready; its clone is not ready.
#[derive(Default)]
struct App {
    ready: bool,
}

impl Clone for App {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<B> Service<Request<B>> for App {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called unready");
        assert!(!request.headers().contains_key(NAME), "E5");
        assert!(!request.headers().contains_key("authorization"), "E5");
        let mut response = Response::new("inner".to_owned());
        if let Some(told) = request.extensions().get::<Authenticated>() {
            response.extensions_mut().insert(told.clone());
        }
        ready(Ok(response))
    }
}

#[tokio::test]
async fn t7_e6_a_rollover_makes_its_first_request_wait_and_no_request_fail() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let mut scene = Scene::new(&[&old]).await;
    assert_eq!(scene.ask(&old.token()).await, StatusCode::OK);
    assert_eq!(scene.issuer.asked(), 1);

    scene.issuer.has(&[&old, &new]);
    scene.issuer.holds_up();
    let waiting = scene
        .layer
        .layer(App::default())
        .oneshot(post(&new.token()));
    let mut waiting = Box::pin(waiting);
    assert!(is_pending(&mut waiting));
    scene.issuer.was_asked(2).await;
    let mut others: Vec<_> = (0..10).map(|_| scene.begin(&new.token())).collect();
    assert!(others.iter_mut().all(is_pending));
    assert_eq!(scene.told.reasons(), ["none"], "not decided yet");

    scene.issuer.goes_on();
    let response = waiting.await.expect("infallible");
    assert_eq!(response.status(), StatusCode::OK);
    let told = response.extensions().get::<Authenticated>();
    let told = told.expect("marked");
    assert_eq!(told.mode(), TokenMode::Jwt);
    assert_eq!(
        told.jwt().and_then(|claims| claims.subject()),
        Some("daprd")
    );
    for other in others {
        assert_eq!(other.await, StatusCode::OK);
    }
    assert_eq!(scene.told.reasons(), ["none"; 11], "each is told once");
    assert_eq!(scene.issuer.asked(), 2, "one fetch for all");
    assert_eq!(scene.ask_at_once(post(&new.token())), StatusCode::OK);
}

#[tokio::test]
async fn t7_e1_a_bearer_token_waits_as_any_other() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let scene = Scene::with(&[&old], |builder| {
        builder.with(RequireTokenBuilder::authorization_bearer)
    })
    .await;
    scene.issuer.has(&[&new]);
    let request =
        Request::post("/orders").header("authorization", format!("Bearer {}", new.token()));
    let service = scene.layer.layer(App::default());
    let response = service.oneshot(request.body(()).expect("valid")).await;
    assert_eq!(response.expect("infallible").status(), StatusCode::OK);
    assert_eq!(scene.issuer.asked(), 2);
}

#[tokio::test]
async fn t7_a_flood_of_unknown_keys_makes_one_fetch_and_256_wait() {
    let key = Key::new("known");
    let mut scene = Scene::new(&[&key]).await;
    scene.issuer.holds_up();
    let mut waiting: Vec<_> = (0..256)
        .map(|i| scene.begin(&forged(&format!("unknown {i}"))))
        .collect();
    assert!(waiting.iter_mut().all(is_pending));
    scene.issuer.was_asked(2).await;
    for i in 256..5_000 {
        let status = scene.ask_at_once(post(&forged(&format!("unknown {i}"))));
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{i}");
    }
    scene.issuer.goes_on();
    for request in waiting {
        assert_eq!(request.await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(scene.fetched().await.as_str(), "refreshed");
    for i in 5_000..10_000 {
        let status = scene.ask_at_once(post(&forged(&format!("unknown {i}"))));
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{i}");
    }
    assert_eq!(scene.told.reasons(), ["kid"; 10_000]);
    assert_eq!(scene.ask(&key.token()).await, StatusCode::OK);
    assert_eq!(scene.issuer.asked(), 2, "one for 10,000");
}

/// Lets the time of Tokio pass at once. The sockets know nothing of it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// What becomes of an issuer that was good before.
enum Bad {
    Answers(u16, &'static str),
    /// A document of a byte more than may be.
    Huge,
    /// It takes the request and says nothing.
    Slow,
    HungUp,
    /// Nobody listens.
    Down,
}

#[tokio::test]
async fn t6_t8_a_fetch_that_fails_leaves_the_last_good_keys_and_refuses_who_waited() {
    use JwksErrorKind::{
        Broken, NoUsableKey, NotAKeySet, Redirected, Status, TimedOut, TooLarge, Unreachable,
    };

    let key = Key::new("known");
    let mut scene = Scene::new(&[&key]).await;
    let no_use = r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#;
    let table: &[(&str, Bad, JwksErrorKind)] = &[
        ("an error", Bad::Answers(500, "{}"), Status(500)),
        (
            "garbage",
            Bad::Answers(200, "<html>not keys</html>"),
            NotAKeySet,
        ),
        ("nothing", Bad::Answers(200, ""), NotAKeySet),
        ("no key", Bad::Answers(200, r#"{"keys":[]}"#), NoUsableKey),
        ("no usable key", Bad::Answers(200, no_use), NoUsableKey),
        ("elsewhere", Bad::Answers(302, ""), Redirected),
        ("huge", Bad::Huge, TooLarge),
        ("slow", Bad::Slow, TimedOut),
        ("hung up", Bad::HungUp, Broken),
        ("down", Bad::Down, Unreachable),
    ];
    for (name, bad, expected) in table {
        match bad {
            Bad::Answers(status, body) => scene.issuer.answers(*status, body),
            Bad::Huge => scene.issuer.answers(200, &" ".repeat(256 * 1024 + 1)),
            Bad::Slow => scene.issuer.holds_up(),
            Bad::HungUp => scene.issuer.hangs_up(true),
            Bad::Down => scene.issuer.ends().await,
        }
        scene.clock.advance(PAUSE);
        let asked = scene.issuer.asked();
        let mut refused = scene.begin(&forged(name));
        assert!(is_pending(&mut refused), "{name}");
        if let Bad::Slow = bad {
            scene.issuer.was_asked(asked + 1).await;
            pass(Duration::from_secs(6)).await;
        }
        assert_eq!(refused.await, StatusCode::UNAUTHORIZED, "{name}");
        scene.issuer.goes_on();
        assert_eq!(scene.told.reasons(), ["kid"], "{name}");
        let event = scene.fetched().await;
        let KeyEvent::Failed { error, .. } = &event else {
            panic!("{name}: {event}");
        };
        assert_eq!(error.kind(), *expected, "{name}");
        assert_eq!(
            scene.ask_at_once(post(&key.token())),
            StatusCode::OK,
            "{name}"
        );
        scene.told.reasons();
    }
}

#[tokio::test]
async fn t8_a_server_that_stays_down_ends_in_503_until_it_is_back() {
    let key = Key::new("known");
    let mut scene = Scene::new(&[&key]).await;
    let token = key.token();
    scene.issuer.hangs_up(true);
    scene.clock.advance(PAUSE);
    let refused = scene.ask(&forged("unknown")).await;
    assert_eq!(refused, StatusCode::UNAUTHORIZED);
    assert_eq!(scene.fetched().await.as_str(), "failed");
    assert_eq!(scene.ask_at_once(post(&token)), StatusCode::OK);

    scene.clock.advance(DAY);
    for (name, value) in [("known", &token), ("unknown", &forged("unknown"))] {
        let status = scene.ask_at_once(post(value));
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
    }
    // The schedule goes on meanwhile, and fails.
    pass(DAY).await;
    assert_eq!(scene.fetched().await.as_str(), "failed");
    let status = scene.ask_at_once(post(&token));
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "down still");

    scene.issuer.hangs_up(false);
    pass(DAY).await;
    assert_eq!(scene.fetched().await.as_str(), "refreshed");
    assert_eq!(scene.ask_at_once(post(&token)), StatusCode::OK, "back");
    assert_eq!(
        scene.told.reasons(),
        [
            "kid",
            "none",
            "unavailable",
            "unavailable",
            "unavailable",
            "none"
        ]
    );
}

#[tokio::test]
async fn t8_x1_keys_that_are_too_old_are_answered_with_503_and_nothing_waits_for_them() {
    let key = Key::new("known");
    let scene = Scene::with(&[&key], |builder| {
        builder.with(|layer| layer.token(STATIC.parse().expect("a token")))
    })
    .await;
    let token = key.token();
    let health = || {
        let request = Request::get("/healthz").header(NAME, forged("unknown"));
        request.body(()).expect("valid")
    };
    assert_eq!(scene.ask_at_once(post(&token)), StatusCode::OK);
    scene.clock.advance(DAY);
    assert_eq!(scene.ask_at_once(post(&token)), StatusCode::OK, "not yet");
    scene.clock.advance(Duration::from_secs(1));
    let nothing = Request::post("/orders").body(()).expect("valid");
    for (name, request, status) in [
        ("remembered", post(&token), 503),
        ("not seen before", post(&key.token_of("other")), 503),
        ("unknown", post(&forged("unknown")), 503),
        ("no JWT", post("a.b.c"), 401),
        ("no token", nothing, 401),
        ("static", post(STATIC), 200),
        ("exempt", health(), 200),
    ] {
        assert_eq!(scene.ask_at_once(request).as_u16(), status, "{name}");
    }
    assert_eq!(scene.issuer.asked(), 1);
}

#[tokio::test]
async fn t7_j5_known_keys_and_static_tokens_never_wait_while_a_fetch_hangs() {
    let key = Key::new("known");
    let local = b"64 bytes that are a secret in tests alone and nowhere else......";
    let other = JwtRules::new("https://other.example", "orders")
        .algorithms([tower_dapr_token::Algorithm::HS256]);
    let mut scene = Scene::with(&[&key], |builder| {
        builder.with(|layer| {
            let keys = JwtKeys::secret(local).expect("a secret");
            let keys = keys.with_kid("local").expect("a name");
            layer
                .token(STATIC.parse().expect("a token"))
                .jwt(keys, other)
        })
    })
    .await;
    scene.issuer.holds_up();
    let mut waiting = scene.begin(&forged("unknown"));
    assert!(is_pending(&mut waiting));
    scene.issuer.was_asked(2).await;
    let good = key.token();
    let bad_signature = forged("known");
    let local = signed(
        &format!(
            r#"{{"iss":"https://other.example","aud":"orders","exp":{}}}"#,
            NOW + 60
        ),
        local,
    );
    for (name, value, status) in [
        ("known", good.as_str(), 200),
        ("remembered", &good, 200),
        ("a bad signature", &bad_signature, 401),
        ("static", STATIC, 200),
        ("no token at all", "x", 401),
        ("local keys, without a name", &local, 200),
    ] {
        assert_eq!(scene.ask_at_once(post(value)).as_u16(), status, "{name}");
    }
    assert!(is_pending(&mut waiting));
    scene.issuer.goes_on();
    assert_eq!(waiting.await, StatusCode::UNAUTHORIZED);
    assert_eq!(scene.issuer.asked(), 2);
}

#[tokio::test]
async fn t8_t9_removed_keys_end_at_once_for_tokens_that_are_remembered_too() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let scene = Scene::new(&[&old]).await;
    let token = old.token();
    for _ in 0..2 {
        assert_eq!(scene.ask_at_once(post(&token)), StatusCode::OK);
    }
    scene.issuer.has(&[&new]);
    assert_eq!(scene.ask(&new.token()).await, StatusCode::OK);
    assert_eq!(scene.ask_at_once(post(&token)), StatusCode::UNAUTHORIZED);
    assert_eq!(scene.told.reasons(), ["none", "none", "none", "kid"]);
}

#[tokio::test]
async fn x1_t7_nothing_waits_and_nothing_is_fetched_on_an_exempt_path() {
    let key = Key::new("known");
    let mut scene = Scene::new(&[&key]).await;
    let request = Request::get("/healthz").header(NAME, forged("unknown"));
    let status = scene.ask_at_once(request.body(()).expect("valid"));
    assert_eq!(status, StatusCode::OK);
    // A fetch is asked for in the moment in which it is told.
    assert!(scene.events.try_recv().is_err());
    let request = Request::head("/healthz").header(NAME, forged("unknown"));
    let mut elsewhere = scene
        .layer
        .layer(App::default())
        .oneshot(request.body(()).expect("valid"));
    assert!(is_pending(&mut elsewhere));
    let event = scene.events.try_recv().expect("told");
    assert_eq!(event.as_str(), "unknown_kid");
    assert_eq!(
        elsewhere.await.expect("infallible").status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn t7_j5_who_drops_a_waiting_request_makes_room_and_drops_all_of_it() {
    let scene = Scene::new(&[&Key::new("known")]).await;
    scene.issuer.holds_up();
    let mut waiting: Vec<_> = (0..256).map(|_| scene.begin(&forged("a"))).collect();
    assert!(waiting.iter_mut().all(is_pending));
    assert_eq!(
        scene.ask_at_once(post(&forged("a"))),
        StatusCode::UNAUTHORIZED
    );
    waiting.pop();
    assert!(is_pending(&mut scene.begin(&forged("a"))), "there is room");

    waiting.clear();
    let body = Arc::new(());
    let request = post(&forged("a")).map(|()| Arc::clone(&body));
    let mut service = scene.layer.layer(App::default());
    let ready = ServiceExt::<Request<Arc<()>>>::ready(&mut service).await;
    let future = ready.expect("infallible").call(request);
    let mut future = Box::pin(future);
    assert!(is_pending(&mut future));
    assert_eq!(Arc::strong_count(&body), 2);
    drop(future);
    assert_eq!(Arc::strong_count(&body), 1);
}

/// Counts who was readied and who was called. A clone is another one.
struct Numbered {
    number: usize,
    ready: bool,
    shared: Arc<(AtomicUsize, Mutex<Vec<usize>>)>,
}

impl Numbered {
    fn first() -> Self {
        Self {
            number: 0,
            ready: false,
            shared: Arc::default(),
        }
    }
}

impl Clone for Numbered {
    fn clone(&self) -> Self {
        Self {
            number: self.shared.0.fetch_add(1, Ordering::Relaxed) + 1,
            ready: false,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<B> Service<Request<B>> for Numbered {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called unready");
        self.shared
            .1
            .lock()
            .expect("no test panicked")
            .push(self.number);
        ready(Err("broken inside"))
    }
}

#[tokio::test]
async fn j5_j8_the_instance_that_is_ready_goes_with_the_request_and_its_clone_stays_behind() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let mut scene = Scene::new(&[&old]).await;
    let inner = Numbered::first();
    let shared = Arc::clone(&inner.shared);
    let called = || shared.1.lock().expect("no test panicked").clone();
    let mut service: RequireToken<Numbered, Waiting> = scene.layer.layer(inner);

    // Decided at once: no clone.
    let ready = ServiceExt::<Request<()>>::ready(&mut service).await;
    let ready = ready.expect("ready");
    assert_eq!(
        ready.call(post(&old.token())).await.err(),
        Some("broken inside")
    );
    assert_eq!((called(), shared.0.load(Ordering::Relaxed)), (vec![0], 0));

    scene.issuer.has(&[&old, &new]);
    scene.issuer.holds_up();
    let ready = ServiceExt::<Request<()>>::ready(&mut service).await;
    let ready = ready.expect("ready");
    let mut waiting = Box::pin(ready.call(post(&new.token())));
    assert!(is_pending(&mut waiting));
    assert_eq!(service.get_ref().number, 1, "the clone");
    assert!(!service.get_ref().ready);
    scene.issuer.was_asked(2).await;

    // The clone serves others meanwhile.
    let ready = ServiceExt::<Request<()>>::ready(&mut service).await;
    let ready = ready.expect("ready");
    assert!(at_once(ready.call(post(&old.token()))).is_some());
    assert_eq!(called(), [0, 1]);
    scene.issuer.goes_on();
    assert_eq!(waiting.await.err(), Some("broken inside"), "J8");
    assert_eq!(called(), [0, 1, 0]);
}

/// A request body that must not be touched.
struct Untouchable(Arc<AtomicBool>);

impl Body for Untouchable {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.store(true, Ordering::Relaxed);
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn j5_the_body_of_a_request_that_waits_is_not_polled() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let scene = Scene::new(&[&old]).await;
    scene.issuer.has(&[&new]);
    for (token, status) in [(new.token(), 200), (forged("x"), 401), (forged("new"), 401)] {
        scene.clock.advance(PAUSE);
        let touched = Arc::new(AtomicBool::new(false));
        let request = post(&token).map(|()| Untouchable(Arc::clone(&touched)));
        let response = scene.layer.layer(App::default()).oneshot(request).await;
        assert_eq!(response.expect("infallible").status().as_u16(), status);
        assert!(!touched.load(Ordering::Relaxed));
    }
}

#[tokio::test]
async fn t8_a_lazy_layer_answers_503_until_the_first_keys_are_there() {
    let key = Key::new("known");
    let mut issuer = Issuer::with(&[&key]).await;
    issuer.holds_up();
    let (told, mut events) = Told::new();
    let layer = RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .http_health()
        .observer(told.clone())
        .jwks(issuer.url(), rules())
        .build_lazy()
        .expect("valid");
    let ask = |request| {
        let answered = at_once(layer.layer(App::default()).oneshot(request));
        let response = answered.expect("nothing to wait for");
        response.expect("infallible").status().as_u16()
    };
    issuer.was_asked(1).await;
    assert_eq!(ask(post(&key.token())), 503);
    assert_eq!(told.reasons(), ["unavailable"]);
    assert_eq!(ask(Request::post("/orders").body(()).expect("valid")), 401);
    assert_eq!(ask(Request::get("/healthz").body(()).expect("valid")), 200);
    issuer.goes_on();
    assert_eq!(events.recv().await.expect("told").as_str(), "refreshed");
    assert_eq!(ask(post(&key.token())), 200);
}

#[tokio::test]
async fn t6_t8_a_layer_is_not_built_without_its_first_keys() {
    let mut issuer = Issuer::with(&[]).await;
    let build = |keys: RemoteKeys| {
        let builder = RequireTokenLayer::builder().remote_keys(keys, rules());
        async { builder.build().await.expect_err("no keys") }
    };
    let error = build(RemoteKeys::jwks(issuer.url())).await;
    assert!(matches!(error, ConfigError::KeySet { .. }), "{error}");
    issuer.ends().await;
    let error = build(RemoteKeys::jwks(issuer.url())).await;
    assert!(matches!(error, ConfigError::KeySet { .. }), "{error}");
    let error = build(RemoteKeys::jwks("http://issuer.example/keys")).await;
    assert!(matches!(error, ConfigError::KeySetUrl { .. }), "{error}");
    let error = build(RemoteKeys::jwks("https://h/k").max_stale(Duration::ZERO)).await;
    assert!(matches!(error, ConfigError::KeyRefresh { .. }), "{error}");
}

#[test]
fn t6_e4_settings_that_do_not_go_together_are_found_before_anything_is_fetched() {
    // There is no runtime, so whoever would fetch is told so.
    let builder = || RequireTokenLayer::builder().jwks("http://127.0.0.1:1/keys", rules());
    let error = builder().build_lazy().expect_err("no runtime");
    assert_eq!(error, ConfigError::NoRuntime);
    let error = builder().with(RequireTokenBuilder::any_valid).build_lazy();
    assert!(matches!(error, Err(ConfigError::Jwt { .. })), "{error:?}");
    let error = builder()
        .with(RequireTokenBuilder::insecure_allow_all)
        .build_lazy();
    assert_eq!(error.err(), Some(ConfigError::SeveralTokenSources));
    let twice = builder().add_remote_keys(RemoteKeys::discovery(ISSUER), rules());
    let error = twice.build_lazy();
    assert!(matches!(error, Err(ConfigError::Jwt { .. })), "{error:?}");
    let error = builder()
        .with(|layer| layer.exempt(http::Method::GET, "/*"))
        .build_lazy();
    assert!(
        matches!(error, Err(ConfigError::ExemptPath { .. })),
        "{error:?}"
    );
}

#[test]
fn t6_keys_that_discovery_finds_do_not_vouch_for_the_tokens_of_another_issuer() {
    let found = |issuer: &str, rules: JwtRules| {
        RequireTokenLayer::builder()
            .remote_keys(RemoteKeys::discovery(issuer), rules)
            .build_lazy()
            .expect_err("no runtime")
    };
    let rules = |issuer: &str| JwtRules::new(issuer, "orders");
    let sentry = || JwtRules::dapr_sentry("public").expect("a trust domain");
    let table: &[(&str, JwtRules, bool)] = &[
        ("the same", rules("https://a.example"), true),
        (
            "among others",
            rules("https://b.example").add_issuer("https://a.example"),
            true,
        ),
        ("none, as with Sentry", sentry(), true),
        (
            "Sentry with this one",
            sentry().add_issuer("https://a.example"),
            true,
        ),
        ("another", rules("https://b.example"), false),
        ("with a slash", rules("https://a.example/"), false),
        ("in another case", rules("https://A.example"), false),
        (
            "Sentry with another",
            sentry().add_issuer("https://b.example"),
            false,
        ),
    ];
    for (name, rules, fits) in table {
        let error = found("https://a.example", rules.clone());
        if *fits {
            assert_eq!(error, ConfigError::NoRuntime, "{name}");
        } else {
            let error = error.to_string();
            assert!(error.contains("discovery(..)"), "{name}: {error}");
            assert!(!error.contains("example"), "{name}: {error}");
        }
    }
    // An address of keys is the word of whoever configured it.
    let error = RequireTokenLayer::builder()
        .jwks("https://a.example/keys", table[4].1.clone())
        .build_lazy()
        .expect_err("no runtime");
    assert_eq!(error, ConfigError::NoRuntime);
}

#[tokio::test]
async fn j5_what_waits_crosses_threads_and_fits_a_router() {
    fn crosses<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}

    let (old, new) = (Key::new("old"), Key::new("new"));
    let issuer = Issuer::with(&[&old]).await;
    let url = issuer.url();
    let layer = crosses(async move {
        let builder = RequireTokenLayer::builder().wall_clock(Wall::at(NOW));
        builder.jwks(url, rules()).build().await
    });
    let layer = tokio::spawn(layer).await.expect("no panic").expect("keys");
    is_shared(&layer);
    is_shared(&layer.layer(App::default()));
    issuer.has(&[&new]);
    let router = axum::Router::new()
        .route("/orders", axum::routing::post(|| async { "taken" }))
        .layer(layer);
    let request = post(&new.token()).map(|()| axum::body::Body::empty());
    let answer = tokio::spawn(crosses(router.oneshot(request)));
    let answer = answer.await.expect("no panic").expect("infallible");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(issuer.asked(), 2);
}
