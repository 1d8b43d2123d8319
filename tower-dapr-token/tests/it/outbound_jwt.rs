//! JWTs that a client sends, through the public face of the outbound layer.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    Clock, ConfigError, InjectTokenLayer, JwtFile, JwtHandle, JwtSigner, JwtSource, MintedToken,
    Reloaded, Renewal, SourceError, SourceErrorKind, WallClock,
};

use crate::support::{MovedClock, NAME, Told};

const START: u64 = 1_800_000_000;
const HERE: &str = "http://127.0.0.1:3500/";

/// A wall clock that the test sets, in seconds after the start.
#[derive(Default)]
struct Wall(AtomicU64);

impl Wall {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl WallClock for Wall {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(START + self.0.load(Ordering::Relaxed))
    }
}

fn signer() -> JwtSigner {
    let der = include_bytes!("../../src/token/jwt/testing/p256.private.der");
    let label = "PRIVATE KEY";
    let text = STANDARD.encode(der);
    JwtSigner::builder()
        .pem(format!(
            "-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"
        ))
        .key_id("a")
        .issuer("https://issuer.example")
        .audience("orders")
        .build()
        .expect("valid")
}

/// A token of nobody in particular, with this payload.
fn token(payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.AAAA", encode(r#"{"alg":"ES256"}"#), encode(payload))
}

fn ending_at(seconds: u64) -> String {
    token(&format!(r#"{{"exp":{}}}"#, START + seconds))
}

/// The headers with which a request leaves the layer, answered with this status.
async fn exchange(layer: &InjectTokenLayer, uri: &str, status: u16) -> HeaderMap {
    let client = layer.layer(service_fn(async |request: Request<()>| {
        let headers = request.headers().clone();
        let response = Response::builder().status(status).body(headers);
        Ok::<_, Infallible>(response.expect("valid"))
    }));
    let request = Request::get(uri).body(()).expect("valid");
    client
        .oneshot(request)
        .await
        .expect("infallible")
        .into_body()
}

/// When the token ends that a request is sent with, in seconds after the start.
async fn sent(layer: &InjectTokenLayer) -> Option<u64> {
    let headers = exchange(layer, HERE, 200).await;
    let value = headers.get(NAME)?;
    assert!(value.is_sensitive());
    assert_eq!(headers.get_all(NAME).iter().count(), 1);
    let token = MintedToken::new(value.as_bytes().to_vec()).expect("a JWT");
    Some(token.expires_at().as_secs() - START)
}

fn layer(handle: &JwtHandle) -> InjectTokenLayer {
    InjectTokenLayer::builder()
        .jwt_handle(handle)
        .any_loopback_port()
        .build()
        .expect("valid")
}

#[tokio::test]
async fn i9_i3_a_minted_token_is_sent_where_it_may_go_renewed_at_two_thirds() {
    let wall = Arc::new(Wall::default());
    let told = Arc::new(Told::default());
    let handle = JwtHandle::builder(signer())
        .wall_clock(wall.clone())
        .build()
        .expect("minted");
    let layer = InjectTokenLayer::builder()
        .jwt_handle(&handle)
        .any_loopback_port()
        .observer(told.clone())
        .build()
        .expect("valid");
    for (now, expected) in [(0, 300), (199, 300), (200, 500), (399, 500), (1000, 1300)] {
        wall.set(now);
        assert_eq!(sent(&layer).await, Some(expected), "at {now}");
        assert_eq!(told.take(), ["Injected"], "at {now}");
    }
    wall.set(5000);
    let elsewhere = exchange(&layer, "https://evil.example/", 200).await;
    assert!(!elsewhere.contains_key(NAME));
    assert_eq!(told.take(), ["OriginNotAllowed"]);
    let end = Some(Duration::from_secs(START + 1300));
    assert_eq!(handle.expires_at(), end, "nothing was minted for it");
}

#[tokio::test]
async fn i9_e1_in_the_header_authorization_the_scheme_is_bearer() {
    let layer = InjectTokenLayer::builder()
        .jwt(signer())
        .wall_clock(Arc::new(Wall::default()))
        .any_loopback_port()
        .header_name(AUTHORIZATION)
        .build()
        .expect("valid");
    let headers = exchange(&layer, HERE, 200).await;
    let value = headers[AUTHORIZATION].to_str().expect("text");
    let token = value.strip_prefix("Bearer ").expect("the scheme");
    assert!(MintedToken::new(token.into()).is_ok());
    assert!(headers[AUTHORIZATION].is_sensitive());
    assert!(!headers.contains_key(NAME));
}

/// Says what it is told to, and counts.
#[derive(Clone)]
struct Says {
    says: Arc<Mutex<Result<String, &'static str>>>,
    fetches: Arc<AtomicUsize>,
    renewal: Renewal,
}

impl Says {
    fn new(renewal: Renewal, token: String) -> Self {
        Self {
            says: Arc::new(Mutex::new(Ok(token))),
            fetches: Arc::default(),
            renewal,
        }
    }

    fn change_to(&self, says: Result<String, &'static str>) {
        *self.says.lock().expect("no test panicked") = says;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl JwtSource for Says {
    fn fetch(&self, _: Duration) -> Result<MintedToken, SourceError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let says = self.says.lock().expect("no test panicked").clone();
        MintedToken::new(says.map_err(SourceError::other)?.into_bytes())
    }

    fn renewal(&self) -> Renewal {
        self.renewal
    }
}

#[tokio::test]
async fn i9_an_expired_token_is_never_sent_and_the_observer_is_told() {
    let wall = Arc::new(Wall::default());
    let told = Arc::new(Told::default());
    let source = Says::new(Renewal::Fetched, ending_at(300));
    let handle = JwtHandle::builder(source.clone())
        .wall_clock(wall.clone())
        .observer(told.clone())
        .build()
        .expect("fetched");
    let layer = InjectTokenLayer::builder()
        .jwt_handle(&handle)
        .any_loopback_port()
        .observer(told.clone())
        .build()
        .expect("valid");
    source.change_to(Err("is broken"));
    for (now, expected, injection) in [
        (200, Some(300), "Injected"),
        (299, Some(300), "Injected"),
        (300, None, "NoToken"),
        (10_000, None, "NoToken"),
    ] {
        wall.set(now);
        assert_eq!(sent(&layer).await, expected, "at {now}");
        assert_eq!(told.take(), [injection], "at {now}");
        assert!(handle.is_renewal_due(), "at {now}");
    }
    assert_eq!(source.fetches(), 1, "never on a request");
    for _ in 0..2 {
        assert!(handle.refresh().is_err());
    }
    let notices = told.take();
    assert_eq!(notices.len(), 1, "once: {notices:?}");
    assert!(
        notices[0].contains("the token source is broken"),
        "{notices:?}"
    );
    // An expired one is none either.
    source.change_to(Ok(ending_at(10_000)));
    let error = handle.refresh().expect_err("over");
    assert_eq!(error.kind(), SourceErrorKind::JwtExpired);
    assert_eq!(sent(&layer).await, None);
    source.change_to(Ok(ending_at(10_001)));
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    assert_eq!(sent(&layer).await, Some(10_001));
    let told = told.take();
    assert!(
        told.iter().any(|text| text.contains("ReloadRecovered")),
        "{told:?}"
    );
}

#[tokio::test]
async fn i9_i6_a_refused_token_is_renewed_once() {
    let wall = Arc::new(Wall::default());
    let clock = Arc::new(MovedClock::default());
    let source = Says::new(Renewal::Minted, ending_at(300));
    let handle = JwtHandle::builder(source.clone())
        .wall_clock(wall.clone())
        .clock(clock.clone())
        .build()
        .expect("minted");
    let layer = layer(&handle);
    clock.advance(Duration::from_secs(2));
    source.change_to(Ok(ending_at(301)));
    // Two requests with the old token, both refused, the second answer after the renewal.
    let (first, second) = (held(&layer), held(&layer));
    assert!(!handle.is_renewal_due());
    first.refuse().await;
    assert!(handle.is_renewal_due());
    assert_eq!(source.fetches(), 1, "not in the answer");
    assert_eq!(sent(&layer).await, Some(301), "with the next request");
    second.refuse().await;
    assert!(!handle.is_renewal_due(), "a newer one is there already");
    assert_eq!((sent(&layer).await, source.fetches()), (Some(301), 2));

    // A server that refuses everything gets a new one every second, and no more.
    for _ in 0..20 {
        exchange(&layer, HERE, 401).await;
    }
    assert_eq!(source.fetches(), 2);
    clock.advance(Duration::from_secs(1));
    for _ in 0..20 {
        exchange(&layer, HERE, 401).await;
    }
    assert_eq!(source.fetches(), 3);

    // A request that did not get it asks for nothing.
    handle.refresh().expect("a token");
    exchange(&layer, "https://evil.example/", 401).await;
    assert!(!handle.is_renewal_due());
}

/// A request on its way.
struct Held {
    answer: tokio::sync::oneshot::Sender<()>,
    response: std::pin::Pin<Box<dyn Future<Output = ()>>>,
}

fn held(layer: &InjectTokenLayer) -> Held {
    let (answer, answered) = tokio::sync::oneshot::channel::<()>();
    let answered = Mutex::new(Some(answered));
    let mut client = layer.layer(service_fn(move |_: Request<()>| {
        let answered = answered.lock().expect("sound").take().expect("once");
        async move {
            answered.await.expect("answered");
            Ok::<_, Infallible>(Response::builder().status(401).body(()).expect("valid"))
        }
    }));
    let request = Request::get(HERE).body(()).expect("valid");
    // Called here, polled later: it leaves with the token of this moment.
    let future = tower::Service::call(&mut client, request);
    Held {
        answer,
        response: Box::pin(async move {
            assert_eq!(future.await.expect("infallible").status(), 401);
        }),
    }
}

impl Held {
    async fn refuse(self) {
        self.answer.send(()).expect("waited for");
        self.response.await;
    }
}

/// A clock that does something in the tenth of a second in which content settles.
#[derive(Default)]
struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Clock for Meanwhile {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self, duration: Duration) {
        assert_eq!(duration, Duration::from_millis(100));
        let act = self.0.lock().expect("no test panicked").take();
        if let Some(act) = act {
            act();
        }
    }
}

struct Mount {
    folder: TempDir,
    wall: Arc<Wall>,
    clock: Arc<Meanwhile>,
}

impl Mount {
    fn new(content: &str) -> Self {
        let mount = Self {
            folder: tempfile::tempdir().expect("a folder"),
            wall: Arc::default(),
            clock: Arc::default(),
        };
        mount.write(content);
        mount
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::write(self.path(), content).expect("written");
    }

    fn handle(&self) -> Result<JwtHandle, ConfigError> {
        JwtHandle::builder(JwtFile::new(self.path()))
            .wall_clock(self.wall.clone())
            .clock(self.clock.clone())
            .build()
    }
}

#[tokio::test]
async fn i9_r3_r4_a_file_is_renewed_by_somebody_else() {
    let mount = Mount::new(&format!("{}\n", ending_at(300)));
    let handle = mount.handle().expect("a token");
    let layer = layer(&handle);
    assert_eq!(sent(&layer).await, Some(300));
    assert_eq!(handle.refresh(), Ok(Reloaded::Unchanged));
    mount.wall.set(100);
    // Swapped at once, as Kubernetes does it.
    let next = mount.folder.path().join("next");
    fs::write(&next, ending_at(400)).expect("written");
    fs::rename(&next, mount.path()).expect("renamed");
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    assert_eq!(sent(&layer).await, Some(400));

    // Written while it is read: neither half counts, and then the whole one does.
    let whole = ending_at(500);
    mount.write(ending_at(450));
    let (path, later) = (mount.path(), whole.clone());
    *mount.clock.0.lock().expect("sound") =
        Some(Box::new(move || fs::write(path, later).expect("written")));
    let error = handle.refresh().expect_err("not settled");
    assert_eq!(error.kind(), SourceErrorKind::Unsettled);
    assert_eq!(sent(&layer).await, Some(400), "R5: the last good one");
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    assert_eq!(sent(&layer).await, Some(500));
    mount.wall.set(500);
    assert_eq!(sent(&layer).await, None, "its end is honoured");
}

#[tokio::test]
async fn i9_r5_a_bad_file_changes_nothing_and_the_old_token_still_ends() {
    use SourceErrorKind::{
        Empty, JwtExpired, JwtTooLong, JwtWithoutExpiry, NotAFile, NotAJwt, NotFound, TooLarge,
    };

    let good = ending_at(300);
    let long = format!("{good}{}", "A".repeat(8192));
    let table: &[(&str, Option<Vec<u8>>, SourceErrorKind)] = &[
        ("gone", None, NotFound),
        ("empty", Some(Vec::new()), Empty),
        ("blank", Some(b" \n".to_vec()), Empty),
        (
            "half of it",
            Some(good.as_bytes()[..good.len() - 6].to_vec()),
            NotAJwt,
        ),
        ("garbage", Some(b"\xff\xfe\0".to_vec()), NotAJwt),
        ("a static token", Some(b"hunter2".to_vec()), NotAJwt),
        (
            "two tokens",
            Some(format!("{good}\n{good}").into_bytes()),
            NotAJwt,
        ),
        ("no exp", Some(token("{}").into_bytes()), JwtWithoutExpiry),
        ("over", Some(ending_at(10).into_bytes()), JwtExpired),
        ("longer than 8 KiB", Some(long.into_bytes()), JwtTooLong),
        (
            "longer than 64 KiB",
            Some(vec![b'A'; 64 * 1024 + 1]),
            TooLarge,
        ),
    ];
    for (name, content, expected) in table {
        let mount = Mount::new(&good);
        let handle = mount.handle().expect("a token");
        let layer = layer(&handle);
        mount.wall.set(10);
        match content {
            Some(content) => mount.write(content),
            None => fs::remove_file(mount.path()).expect("removed"),
        }
        let error = handle.refresh().expect_err(name);
        assert_eq!(error.kind(), *expected, "{name}");
        assert_eq!(error.path(), Some(&*mount.path()), "{name}");
        assert!(!error.to_string().contains("eyJ"), "{name}: {error}");
        assert_eq!(sent(&layer).await, Some(300), "{name}");
        mount.wall.set(300);
        assert_eq!(sent(&layer).await, None, "{name}");
        // R6: the same content at the start is an error.
        let error = mount.handle().expect_err(name);
        assert!(
            matches!(error, ConfigError::JwtSource { .. }),
            "{name}: {error}"
        );
    }
    let mount = Mount::new(&good);
    fs::remove_file(mount.path()).expect("removed");
    fs::create_dir(mount.path()).expect("created");
    let error = mount.handle().expect_err("a folder");
    assert!(
        matches!(&error, ConfigError::JwtSource { error, .. } if error.kind() == NotAFile),
        "{error}"
    );
}

#[tokio::test]
async fn i9_r6_a_lazy_handle_sends_nothing_until_there_is_a_token() {
    let source = Says::new(Renewal::Fetched, ending_at(300));
    source.change_to(Err("is not up yet"));
    let handle = JwtHandle::builder(source.clone())
        .wall_clock(Arc::new(Wall::default()))
        .build_lazy()
        .expect("lazy");
    let layer = layer(&handle);
    assert_eq!((sent(&layer).await, handle.expires_at()), (None, None));
    assert!(handle.is_renewal_due());
    source.change_to(Ok(ending_at(300)));
    handle.refresh().expect("a token");
    assert_eq!(sent(&layer).await, Some(300));
}

/// What a caller set, or a gateway copied from its own caller, does not take the place of a token that is missing.
#[tokio::test]
async fn i2_i9_without_a_token_a_value_that_was_there_is_taken_out() {
    let source = Says::new(Renewal::Fetched, ending_at(300));
    source.change_to(Err("is not up yet"));
    let handle = JwtHandle::builder(source)
        .wall_clock(Arc::new(Wall::default()))
        .build_lazy()
        .expect("lazy");
    for (name, layer, expected) in [
        ("overwrite", layer(&handle), None),
        (
            "keep",
            InjectTokenLayer::builder()
                .jwt_handle(&handle)
                .any_loopback_port()
                .keep_existing()
                .build()
                .expect("valid"),
            Some("of-a-stranger"),
        ),
    ] {
        let kept = Arc::new(Mutex::new(None));
        let seen = kept.clone();
        let client = layer.layer(service_fn(move |request: Request<()>| {
            let value = request.headers().get(NAME).cloned();
            *seen.lock().expect("no test panicked") = value;
            async { Ok::<_, Infallible>(Response::new(())) }
        }));
        let request = Request::get("http://127.0.0.1:3500/").header(NAME, "of-a-stranger");
        let answer = client.oneshot(request.body(()).expect("valid")).await;
        answer.expect("infallible");
        let value = kept.lock().expect("no test panicked").take();
        let value = value.map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(value.as_deref(), expected, "{name}");
    }
}

#[test]
fn i9_every_mistake_is_an_error_before_the_first_request() {
    let mount = Mount::new(&ending_at(300));
    let file = || JwtFile::new(mount.path());
    let builder = || InjectTokenLayer::builder().any_loopback_port();
    let wall = || Arc::new(Wall::default());
    let handle = JwtHandle::builder(signer()).wall_clock(wall()).build();
    let handle = handle.expect("minted");
    let stale = Duration::from_secs(60);
    for (name, builder, expected) in [
        (
            "nobody reads the file",
            builder().jwt(file()),
            "reload_in_background",
        ),
        (
            "an age beside exp",
            builder().jwt(signer()).max_stale(stale),
            "max_stale() has no effect",
        ),
        (
            "an age beside a handle",
            builder().jwt_handle(&handle).max_stale(stale),
            "max_stale() has no effect",
        ),
        (
            "a clock beside a handle",
            builder().jwt_handle(&handle).wall_clock(wall()),
            "wall_clock() has no effect",
        ),
        (
            "a clock of a token that does not end",
            builder()
                .token("the-static-token-of-a-migration".parse().expect("a token"))
                .wall_clock(wall()),
            "wall_clock() has no effect",
        ),
        (
            "two sources",
            builder().jwt(signer()).jwt_handle(&handle),
            "name exactly one",
        ),
        (
            "no origin",
            InjectTokenLayer::builder().jwt(signer()),
            "no origin may get the token",
        ),
        (
            "plain http elsewhere",
            builder()
                .jwt(signer())
                .add_origin("http://orders.example".parse().expect("valid")),
            "allow_plaintext",
        ),
    ] {
        let error = builder.build().expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let minted = || builder().jwt(signer()).wall_clock(wall());
    let error = minted().build_with_handle();
    let error = error.expect_err("its handle is another type");
    assert!(
        matches!(
            error,
            ConfigError::NothingToReload {
                setting: "build_with_handle",
                ..
            }
        ),
        "{error}"
    );
    assert!(minted().build().is_ok());
}

#[cfg(feature = "inotify")]
#[test]
fn i9_a_jwt_file_is_polled_and_not_watched() {
    let error = InjectTokenLayer::builder()
        .jwt(signer())
        .any_loopback_port()
        .watch_files()
        .build()
        .expect_err("nothing to watch");
    assert_eq!(error, ConfigError::NothingToWatch);
}

/// The task, on the paused clock of Tokio.
#[cfg(feature = "tokio")]
mod task {
    use tokio::time::Instant;

    use super::*;

    /// The wall clock goes with Tokio's, and can be set ahead.
    struct WithTokio {
        began: Instant,
        ahead: Wall,
    }

    impl WithTokio {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                began: Instant::now(),
                ahead: Wall::default(),
            })
        }
    }

    impl WallClock for WithTokio {
        fn unix_time(&self) -> Duration {
            self.ahead.unix_time() + self.began.elapsed()
        }
    }

    async fn seconds(seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn end(handle: &JwtHandle) -> u64 {
        handle.expires_at().expect("a token").as_secs() - START
    }

    fn tasks() -> usize {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    }

    #[tokio::test(start_paused = true)]
    async fn i9_the_task_renews_at_two_thirds_and_ends_with_the_last_handle() {
        let handle = JwtHandle::builder(signer())
            .wall_clock(WithTokio::new())
            .renew_in_background()
            .build()
            .expect("minted");
        let layer = layer(&handle);
        seconds(199).await;
        assert_eq!(end(&handle), 300);
        seconds(2).await;
        assert_eq!(end(&handle), 500);
        for _ in 0..100 {
            seconds(60).await;
            assert!(sent(&layer).await.is_some());
        }
        drop(handle);
        assert_eq!(tasks(), 1, "the layer holds one too");
        drop(layer);
        seconds(1).await;
        assert_eq!(tasks(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn i9_the_task_sees_that_the_clock_was_set_or_the_machine_slept() {
        let wall = WithTokio::new();
        let handle = JwtHandle::builder(signer())
            .wall_clock(wall.clone())
            .renew_in_background()
            .build()
            .expect("minted");
        seconds(5).await;
        wall.ahead.set(100_000);
        assert_eq!(end(&handle), 300);
        seconds(12).await;
        assert!(end(&handle) > 100_000);
    }

    #[tokio::test(start_paused = true)]
    async fn i9_i6_a_request_that_finds_nothing_to_send_and_a_refused_one_wake_the_task() {
        let wall = WithTokio::new();
        let source = Says::new(Renewal::Fetched, ending_at(1000));
        let layer = {
            let handle = JwtHandle::builder(source.clone())
                .wall_clock(wall.clone())
                .renew_in_background()
                .build()
                .expect("fetched");
            layer(&handle)
        };
        seconds(5).await;
        assert_eq!(source.fetches(), 1);
        exchange(&layer, HERE, 401).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(source.fetches(), 2, "refused");
        seconds(2).await;
        wall.ahead.set(2000);
        source.change_to(Ok(ending_at(9000)));
        assert_eq!(sent(&layer).await, None, "not on the request");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!((sent(&layer).await, source.fetches()), (Some(9000), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn i9_r5_the_task_goes_on_after_failures_and_panics() {
        struct Panics;

        impl JwtSource for Panics {
            fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError> {
                let second = now.as_secs() - START;
                assert!(!(5..=60).contains(&second), "told to");
                MintedToken::new(ending_at(second + 15).into_bytes())
            }
        }

        let handle = JwtHandle::builder(Panics)
            .wall_clock(WithTokio::new())
            .renew_in_background()
            .build()
            .expect("fetched");
        seconds(59).await;
        assert_eq!(end(&handle), 15);
        assert!(handle.header_value().is_none(), "over");
        seconds(13).await;
        assert!(end(&handle) > 60);
        assert!(handle.header_value().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn i9_r3_the_task_reads_a_file_at_every_poll() {
        let mount = Mount::new(&ending_at(3600));
        let handle = JwtHandle::builder(JwtFile::new(mount.path()))
            .wall_clock(WithTokio::new())
            .clock(mount.clock.clone())
            .renew_in_background()
            .build()
            .expect("a token");
        mount.write(ending_at(7200));
        seconds(8).await;
        assert_eq!(end(&handle), 3600);
        seconds(4).await;
        assert_eq!(end(&handle), 7200);
        let layer = InjectTokenLayer::builder()
            .jwt(JwtFile::new(mount.path()))
            .wall_clock(WithTokio::new())
            .clock(mount.clock.clone())
            .reload_in_background()
            .any_loopback_port()
            .build()
            .expect("a token");
        assert_eq!(sent(&layer).await, Some(7200));
        mount.write(ending_at(10_800));
        seconds(12).await;
        assert_eq!(sent(&layer).await, Some(10_800), "by the layer's own task");
    }

    #[test]
    fn i9_r9_without_a_runtime_the_builder_says_so() {
        let error = JwtHandle::builder(signer()).renew_in_background().build();
        assert_eq!(error.expect_err("no runtime"), ConfigError::NoRuntime);
        let error = InjectTokenLayer::builder()
            .jwt(signer())
            .reload_in_background()
            .any_loopback_port()
            .build();
        assert_eq!(error.expect_err("no runtime"), ConfigError::NoRuntime);
    }
}
