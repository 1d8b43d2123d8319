//! Tokens that change while a layer runs: on a clock that the test moves, with files in a folder of its own.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};
use tower_dapr_token::{
    Clock, ConfigError, InjectTokenLayer, LoadedTokens, Observer, Overlap, Reloaded,
    RequireTokenLayer, SourceError, SourceErrorKind, Token, TokenHandle, TokenSet, TokenSource,
};

use crate::support::{NAME, Told};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// A clock that the test moves.
#[derive(Default)]
pub(crate) struct Moved {
    now: Mutex<Duration>,
    reads: AtomicUsize,
    waits: AtomicUsize,
}

impl Moved {
    pub(crate) fn advance(&self, by: Duration) {
        *self.now.lock().expect("no test panicked") += by;
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

impl Clock for Moved {
    fn now(&self) -> Duration {
        self.reads.fetch_add(1, Ordering::Relaxed);
        *self.now.lock().expect("no test panicked")
    }

    fn wait(&self, duration: Duration) {
        assert_eq!(duration, Duration::from_millis(100), "the settle time");
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.advance(duration);
    }
}

/// A source that says what the test tells it to, last of all for ever.
#[derive(Clone, Default)]
pub(crate) struct Script {
    answers: Arc<Mutex<Vec<Result<&'static str, &'static str>>>>,
    atomic: bool,
    loads: Arc<AtomicUsize>,
}

impl Script {
    /// The tokens of each load, with a space between them; an error is a reason.
    pub(crate) fn of(answers: &[Result<&'static str, &'static str>]) -> Self {
        let script = Self::default();
        script.say(answers);
        script
    }

    pub(crate) fn say(&self, answers: &[Result<&'static str, &'static str>]) {
        *self.answers.lock().expect("no test panicked") = answers.to_vec();
    }

    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }
}

impl TokenSource for Script {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().expect("no test panicked");
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0]
        };
        let lines = answer.map_err(SourceError::other)?.replace(' ', "\n");
        LoadedTokens::from_lines(lines.as_bytes())
    }

    fn is_atomic(&self) -> bool {
        self.atomic
    }
}

/// A layer over a script, all that it needs to be moved, and what it answers.
struct Rotating {
    layer: RequireTokenLayer,
    handle: TokenHandle,
    script: Script,
    clock: Arc<Moved>,
    told: Arc<Told>,
}

impl Rotating {
    fn starting_with(tokens: &'static str, overlap: Overlap) -> Self {
        let script = Script::of(&[Ok(tokens)]);
        let clock = Arc::new(Moved::default());
        let told = Arc::new(Told::default());
        let (layer, handle) = RequireTokenLayer::builder()
            .source(script.clone())
            .overlap(overlap)
            .clock(clock.clone())
            .observer(told.clone())
            .build_with_handle()
            .expect("valid");
        told.take();
        Self {
            layer,
            handle,
            script,
            clock,
            told,
        }
    }

    /// The source names other tokens, and they are loaded.
    fn change_to(&self, tokens: &'static str) {
        self.script.say(&[Ok(tokens)]);
        assert_eq!(self.handle.refresh(), Ok(Reloaded::Changed), "{tokens}");
    }

    /// Of these tokens, the accepted ones.
    async fn accepted(&self, tokens: &str) -> String {
        accepted(&self.layer, tokens).await
    }

    /// Why the token is refused.
    async fn kind(&self, token: &str) -> String {
        self.told.take();
        status(&self.layer, token).await;
        let told = self.told.take();
        let kinds = ["Mismatch", "Expired", "Unavailable"];
        let found = kinds.iter().find(|kind| told[0].contains(*kind));
        found.map_or_else(|| told[0].clone(), ToString::to_string)
    }
}

pub(crate) async fn status(layer: &RequireTokenLayer, token: &str) -> u16 {
    let service = layer.layer(tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let request = Request::post("/").header(NAME, token).body(());
    let response = service.oneshot(request.expect("valid")).await;
    response.expect("infallible").status().as_u16()
}

pub(crate) async fn accepted(layer: &RequireTokenLayer, tokens: &str) -> String {
    let mut accepted = Vec::new();
    for token in tokens.split(' ') {
        if status(layer, token).await == 200 {
            accepted.push(token);
        }
    }
    accepted.join(" ")
}

pub(crate) fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

#[tokio::test]
async fn r7_after_a_change_both_are_accepted_and_the_old_one_until_its_deadline() {
    let rotating = Rotating::starting_with("a", Overlap::default());
    rotating.change_to("b");
    assert_eq!(rotating.accepted("a b").await, "a b");
    let left = rotating.handle.reader().previous_expires_in();
    assert_eq!(left, Some(HOUR));

    rotating.clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(rotating.accepted("a b").await, "a b", "before the deadline");
    rotating.clock.advance(Duration::from_millis(1));
    assert_eq!(rotating.accepted("a b").await, "b", "at the deadline");
    rotating.clock.advance(HOUR);
    assert_eq!(rotating.accepted("a b").await, "b", "after the deadline");
    assert_eq!(rotating.handle.reader().previous_expires_in(), None);
}

#[tokio::test]
async fn r7_o2_a_previous_token_is_expired_and_any_other_a_mismatch() {
    let rotating = Rotating::starting_with("a", Overlap::For(SECOND));
    rotating.change_to("b");
    rotating.clock.advance(SECOND);
    for (token, kind) in [("a", "Expired"), ("c", "Mismatch"), ("ab", "Mismatch")] {
        assert_eq!(rotating.kind(token).await, kind, "{token}");
        assert_eq!(status(&rotating.layer, token).await, 401, "{token}");
    }
}

#[tokio::test]
async fn r7_only_a_match_of_a_previous_token_reads_the_clock() {
    let rotating = Rotating::starting_with("a", Overlap::default());
    rotating.change_to("b");
    for (token, reads) in [("b", 0), ("c", 0), ("a", 1)] {
        let before = rotating.clock.reads();
        status(&rotating.layer, token).await;
        assert_eq!(rotating.clock.reads() - before, reads, "{token}");
    }
}

#[tokio::test]
async fn r7_which_tokens_are_accepted_after_which_changes() {
    let hour = Overlap::For(HOUR);
    let table: &[(&str, Overlap, &[&'static str], &str)] = &[
        ("one change", hour, &["a", "b"], "a b"),
        ("three tokens", hour, &["a", "b", "c"], "a b c"),
        (
            "the two latest previous ones",
            hour,
            &["a", "b", "c", "d"],
            "b c d",
        ),
        ("back to the first", hour, &["a", "b", "a"], "a b"),
        ("there and back again", hour, &["a", "b", "a", "b"], "a b"),
        ("no overlap", Overlap::None, &["a", "b"], "b"),
        (
            "an overlap of nothing",
            Overlap::For(Duration::ZERO),
            &["a", "b"],
            "b",
        ),
        (
            "until restart",
            Overlap::UntilRestart,
            &["a", "b", "c"],
            "a b c",
        ),
        ("a list is believed", hour, &["a", "c d"], "c d"),
        (
            "even with an older one on its way out",
            hour,
            &["a", "b", "b d"],
            "b d",
        ),
        ("a list that names the old one", hour, &["a", "b a"], "a b"),
        (
            "after a list only its current one",
            hour,
            &["b a", "c"],
            "b c",
        ),
        (
            "a list that loses its previous one",
            hour,
            &["b a", "b"],
            "b",
        ),
        (
            "a list of other previous ones",
            hour,
            &["c a b", "c d"],
            "c d",
        ),
        (
            "a list without an overlap",
            Overlap::None,
            &["a", "b a"],
            "a b",
        ),
    ];
    for (name, overlap, changes, expected) in table {
        let rotating = Rotating::starting_with(changes[0], *overlap);
        for change in &changes[1..] {
            rotating.change_to(change);
        }
        assert_eq!(rotating.accepted("a b c d").await, *expected, "{name}");
    }
}

#[tokio::test]
async fn r7_listed_tokens_and_until_restart_have_no_end() {
    for (overlap, changes) in [
        (Overlap::For(SECOND), ["a", "b a"]),
        (Overlap::UntilRestart, ["a", "b"]),
    ] {
        let rotating = Rotating::starting_with(changes[0], overlap);
        rotating.change_to(changes[1]);
        rotating.clock.advance(1_000_000 * HOUR);
        assert_eq!(rotating.accepted("a b").await, "a b", "{overlap:?}");
    }
}

#[tokio::test]
async fn r7_each_previous_token_has_a_deadline_of_its_own() {
    let rotating = Rotating::starting_with("a", Overlap::For(HOUR));
    rotating.change_to("b");
    rotating.clock.advance(HOUR / 2);
    rotating.change_to("c");
    assert_eq!(rotating.accepted("a b c").await, "a b c");
    rotating.clock.advance(HOUR / 2);
    assert_eq!(rotating.accepted("a b c").await, "b c");
    rotating.clock.advance(HOUR / 2);
    assert_eq!(rotating.accepted("a b c").await, "c");
}

#[tokio::test]
async fn r7_revoking_ends_all_previous_tokens_at_once_and_loading_the_same_brings_none_back() {
    for changes in [["a", "b"], ["x", "b a"]] {
        let rotating = Rotating::starting_with(changes[0], Overlap::UntilRestart);
        rotating.change_to(changes[1]);
        assert!(rotating.accepted("a b").await.contains('a'));
        let _ = rotating.handle.revoke_previous();
        assert_eq!(rotating.accepted("a b").await, "b", "{changes:?}");
        assert_eq!(rotating.kind("a").await, "Mismatch");
        assert_eq!(rotating.handle.refresh(), Ok(Reloaded::Unchanged));
        assert_eq!(rotating.accepted("a b").await, "b", "{changes:?}: reloaded");
    }
}

#[tokio::test]
async fn r7_a_warning_is_given_once_at_four_fifths_if_the_old_token_is_in_use() {
    let minute = Duration::from_secs(60);
    /// When it is used, when it is looked after, both in minutes after the change, and whether a warning is
    /// due.
    type Row = (&'static str, Option<u32>, u32, bool);
    let table: &[Row] = &[
        ("never used", None, 50, false),
        ("used long ago", Some(42), 48, false),
        ("used lately", Some(43), 48, true),
        ("too early", Some(47), 47, false),
        ("over already", Some(59), 60, false),
    ];
    for (name, used, looked, due) in table {
        let rotating = Rotating::starting_with("a", Overlap::For(60 * minute));
        rotating.change_to("b");
        if let Some(used) = used {
            rotating.clock.advance(*used * minute);
            assert_eq!(status(&rotating.layer, "a").await, 200, "{name}");
        }
        rotating.told.take();
        rotating
            .clock
            .advance((looked - used.unwrap_or_default()) * minute);
        for expected in [*due, false] {
            rotating.handle.refresh().expect("unchanged");
            let told = rotating.told.take();
            let warned = told.iter().any(|text| text.contains("PreviousStillUsed"));
            assert_eq!(warned, expected, "{name}: {told:?}");
        }
    }

    let rotating = Rotating::starting_with("a", Overlap::For(60 * minute));
    rotating.change_to("b");
    rotating.clock.advance(50 * minute);
    rotating.told.take();
    status(&rotating.layer, "a").await;
    let told = rotating.told.take().join("\n");
    assert!(told.contains("ends in 600 s"), "without a reload: {told}");
}

#[tokio::test]
async fn r7_tokens_set_by_hand_overlap_as_loaded_ones_do() {
    let handle = TokenHandle::new(TokenSet::new(token("a")));
    let layer = RequireTokenLayer::builder()
        .reader(handle.reader())
        .build()
        .expect("valid");
    handle.rotate(token("b")).expect("fits");
    assert_eq!(accepted(&layer, "a b c").await, "a b");
    let listed = TokenSet::new(token("c")).add_previous(token("b"));
    handle.replace(listed.expect("fits")).expect("fits");
    assert_eq!(accepted(&layer, "a b c").await, "b c");
    let _ = handle.revoke_previous();
    assert_eq!(accepted(&layer, "a b c").await, "c");
    assert_eq!(handle.refresh(), Ok(Reloaded::Unchanged), "no source");
}

#[tokio::test]
async fn r7_tokens_set_by_hand_have_the_overlap_that_was_asked_for() {
    for (overlap, expected) in [
        (Overlap::None, ["b", "b"]),
        (Overlap::For(HOUR), ["a b", "b"]),
        (Overlap::UntilRestart, ["a b", "a b"]),
    ] {
        let clock = Arc::new(Moved::default());
        let handle = TokenHandle::builder()
            .tokens(TokenSet::new(token("a")))
            .overlap(overlap)
            .clock(clock.clone())
            .build()
            .expect("valid");
        let layer = RequireTokenLayer::builder()
            .reader(handle.reader())
            .build()
            .expect("valid");
        handle.rotate(token("b")).expect("fits");
        for expected in expected {
            assert_eq!(accepted(&layer, "a b").await, expected, "{overlap:?}");
            clock.advance(HOUR);
        }
    }
}

#[tokio::test]
async fn r3_the_same_content_changes_nothing_and_is_not_waited_for() {
    let rotating = Rotating::starting_with("a", Overlap::default());
    let (generation, waits) = (
        rotating.handle.reader().generation(),
        rotating.clock.waits.load(Ordering::Relaxed),
    );
    for _ in 0..3 {
        assert_eq!(rotating.handle.refresh(), Ok(Reloaded::Unchanged));
    }
    assert_eq!(rotating.handle.reader().generation(), generation);
    assert_eq!(rotating.clock.waits.load(Ordering::Relaxed), waits);
}

#[tokio::test]
async fn r4_new_content_counts_only_if_it_is_the_same_when_read_again() {
    let rotating = Rotating::starting_with("aaaa", Overlap::default());
    let unsettled = Err(SourceErrorKind::Unsettled);
    let refresh = || rotating.handle.refresh().map_err(|error| error.kind());

    rotating.script.say(&[Ok("bb"), Ok("bbbb")]);
    assert_eq!(refresh(), unsettled, "half written");
    assert_eq!(rotating.accepted("aaaa bb bbbb").await, "aaaa");

    rotating.script.say(&[Ok("bbbb"), Err("is gone")]);
    assert!(refresh().is_err(), "gone in between");
    assert_eq!(rotating.accepted("aaaa bbbb").await, "aaaa");

    rotating.script.say(&[Ok("bbbb")]);
    assert_eq!(refresh(), Ok(Reloaded::Changed));
    assert_eq!(
        rotating.accepted("aaaa bb bbbb").await,
        "aaaa bbbb",
        "what was half written is not a previous token"
    );
}

#[tokio::test]
async fn r4_a_source_that_is_atomic_is_believed_at_once() {
    let script = Script {
        atomic: true,
        ..Script::of(&[Ok("a")])
    };
    let clock = Arc::new(Moved::default());
    let handle = TokenHandle::builder()
        .source(script.clone())
        .clock(clock.clone())
        .build()
        .expect("valid");
    script.say(&[Ok("b"), Ok("c")]);
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    assert_eq!(handle.reader().header_value().expect("a token"), "b");
    assert_eq!(clock.waits.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn r5_a_failed_load_keeps_the_last_good_tokens_and_warns_once_per_change() {
    let rotating = Rotating::starting_with("a", Overlap::default());
    let reload = |answer| {
        rotating.script.say(&[answer]);
        let failed = rotating.handle.refresh().is_err();
        let told = rotating.told.take();
        let count = |text: &str| told.iter().filter(|told| told.contains(text)).count();
        (failed, count("ReloadFailing"), count("ReloadRecovered"))
    };
    for (name, answer, expected) in [
        ("good", Ok("a"), (false, 0, 0)),
        ("first failure", Err("is empty"), (true, 1, 0)),
        ("second failure", Err("is gone"), (true, 0, 0)),
        ("good again", Ok("a"), (false, 0, 1)),
        ("still good", Ok("a"), (false, 0, 0)),
        ("failure again", Err("is gone"), (true, 1, 0)),
        ("other tokens", Ok("b"), (false, 0, 1)),
    ] {
        assert_eq!(reload(answer), expected, "{name}");
        assert_eq!(status(&rotating.layer, "a").await, 200, "{name}");
        rotating.told.take();
    }
}

#[tokio::test]
async fn r5_max_stale_refuses_with_503_until_the_source_can_be_read_again() {
    let script = Script::of(&[Ok("a")]);
    let clock = Arc::new(Moved::default());
    let limit = Duration::from_secs(60);
    let (layer, handle) = RequireTokenLayer::builder()
        .source(script.clone())
        .max_stale(limit)
        .clock(clock.clone())
        .http_health()
        .build_with_handle()
        .expect("valid");
    let client = InjectTokenLayer::builder()
        .reader(handle.reader())
        .any_loopback_port()
        .build()
        .expect("valid");
    let sent = async || {
        let client = client.layer(tower::service_fn(|request: Request<()>| async move {
            Ok::<_, Infallible>(Response::new(request.headers().contains_key(NAME)))
        }));
        let request = Request::get("http://127.0.0.1:3500/")
            .body(())
            .expect("valid");
        client
            .oneshot(request)
            .await
            .expect("infallible")
            .into_body()
    };
    script.say(&[Err("is gone")]);
    clock.advance(limit);
    assert!(handle.refresh().is_err());
    assert_eq!(status(&layer, "a").await, 200, "at the limit");
    assert!(sent().await);
    clock.advance(SECOND);
    assert_eq!(
        status(&layer, "a").await,
        503,
        "beyond, with the good token"
    );
    assert_eq!(status(&layer, "b").await, 503, "and with any other");
    assert!(!sent().await, "nothing is sent");
    assert_eq!(handle.reader().header_value(), None);

    script.say(&[Ok("a")]);
    assert_eq!(handle.refresh(), Ok(Reloaded::Unchanged));
    assert_eq!(status(&layer, "a").await, 200, "seen again");
    assert_eq!(status(&layer, "b").await, 401);
    assert!(sent().await);
}

#[test]
fn r5_o1_every_reading_is_told_with_its_result() {
    #[derive(Default)]
    struct Results(Mutex<Vec<Result<Reloaded, SourceErrorKind>>>);
    impl Observer for Results {
        fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
            let mut results = self.0.lock().expect("no test panicked");
            results.push(result.map_err(SourceError::kind));
        }
    }
    let results = Arc::new(Results::default());
    let script = Script::of(&[Ok("a")]);
    let handle = TokenHandle::builder()
        .source(script.clone())
        .clock(Arc::new(Moved::default()))
        .observer(results.clone())
        .build()
        .expect("valid");
    for answer in [Ok("a"), Err("is gone"), Ok("b")] {
        script.say(&[answer]);
        let _told = handle.refresh();
    }
    assert_eq!(
        *results.0.lock().expect("no test panicked"),
        [
            Ok(Reloaded::Changed),
            Ok(Reloaded::Unchanged),
            Err(SourceErrorKind::Other("is gone")),
            Ok(Reloaded::Changed),
        ]
    );
}

#[test]
fn r5_the_age_of_the_tokens_counts_from_the_last_good_reading() {
    let script = Script::of(&[Ok("a")]);
    let clock = Arc::new(Moved::default());
    let handle = TokenHandle::builder()
        .source(script.clone())
        .clock(clock.clone())
        .build()
        .expect("valid");
    let reader = handle.reader();
    assert_eq!(reader.age(), Duration::ZERO);
    clock.advance(HOUR);
    assert_eq!(reader.age(), HOUR);
    script.say(&[Err("is gone")]);
    assert!(handle.refresh().is_err());
    assert_eq!(reader.age(), HOUR, "a failed one does not count");
    script.say(&[Ok("a")]);
    assert!(handle.refresh().is_ok());
    assert_eq!(reader.age(), Duration::ZERO);
}

#[tokio::test]
async fn r6_build_fails_without_a_token_and_reads_twice() {
    for (name, answers, expected) in [
        (
            "gone",
            vec![Err("is gone")],
            SourceErrorKind::Other("is gone"),
        ),
        (
            "half written",
            vec![Ok("a"), Ok("ab")],
            SourceErrorKind::Unsettled,
        ),
        (
            "gone in between",
            vec![Ok("a"), Err("x")],
            SourceErrorKind::Other("x"),
        ),
    ] {
        let error = RequireTokenLayer::builder()
            .source(Script::of(&answers))
            .clock(Arc::new(Moved::default()))
            .build()
            .expect_err(name);
        let ConfigError::TokenSource { error, .. } = error else {
            panic!("{name}: {error}");
        };
        assert_eq!(error.kind(), expected, "{name}");
    }
    let script = Script::of(&[Ok("a")]);
    let clock = Arc::new(Moved::default());
    let built = RequireTokenLayer::builder()
        .source(script.clone())
        .clock(clock.clone())
        .build();
    assert!(built.is_ok());
    assert_eq!(
        (script.loads(), clock.waits.load(Ordering::Relaxed)),
        (2, 1)
    );
}

#[tokio::test]
async fn r6_build_lazy_answers_503_until_the_first_load() {
    let script = Script::of(&[Err("is not there")]);
    let (layer, handle) = RequireTokenLayer::builder()
        .source(script.clone())
        .clock(Arc::new(Moved::default()))
        .http_health()
        .build_lazy()
        .expect("valid settings");
    let service = layer.layer(tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let answer = async |request: http::request::Builder| {
        let request = request.body(()).expect("valid");
        service.clone().oneshot(request).await.expect("infallible")
    };
    for body in ["a", "anything"] {
        let response = answer(Request::post("/").header(NAME, body)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(!response.headers().contains_key("www-authenticate"));
        let body = response.into_body().collect().await.expect("a body");
        assert!(
            body.to_bytes()
                .starts_with(br#"{"errorCode":"ERR_AUTH_UNAVAILABLE""#)
        );
    }
    assert_eq!(
        answer(Request::get("/healthz")).await.status(),
        200,
        "exempt"
    );
    assert_eq!(answer(Request::get("/")).await.status(), 401, "no token");
    assert!(handle.reader().is_empty());

    script.say(&[Ok("a")]);
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    for (value, status) in [("a", 200), ("anything", 401)] {
        let response = answer(Request::post("/").header(NAME, value)).await;
        assert_eq!(
            response.status(),
            status,
            "{value}: the same service goes on"
        );
    }
}

#[tokio::test]
async fn e4_a_loaded_token_above_the_limit_is_refused_and_the_last_good_one_stays() {
    let script = Script::of(&[Ok("short")]);
    let (layer, handle) = RequireTokenLayer::builder()
        .source(script.clone())
        .clock(Arc::new(Moved::default()))
        .max_value_len(5)
        .build_with_handle()
        .expect("valid");
    script.say(&[Ok("longer")]);
    let kind = handle.refresh().map_err(|error| error.kind());
    assert_eq!(kind, Err(SourceErrorKind::LongerThanLimit));
    assert_eq!(accepted(&layer, "short longer").await, "short");
    let by_hand = handle.rotate(token("longer"));
    let limit = "ValueLimit { limit: 5 }";
    assert_eq!(format!("{:?}", by_hand.expect_err("too long")), limit);

    let handle = TokenHandle::new(TokenSet::new(token("longer")));
    let mistaken = RequireTokenLayer::builder()
        .reader(handle.reader())
        .max_value_len(5)
        .build();
    assert_eq!(format!("{:?}", mistaken.expect_err("too long")), limit);
}

#[tokio::test]
async fn r1_each_mistake_is_found_when_the_layer_is_built_and_says_what_to_do() {
    let inbound = RequireTokenLayer::builder;
    let outbound = || InjectTokenLayer::builder().any_loopback_port();
    let source = || Script::of(&[Ok("a")]);
    let reader = TokenHandle::new(TokenSet::new(token("a"))).reader();
    let idle = |setting| format!("NothingToReload {{ setting: {setting:?} }}");
    let table = [
        (
            "previous beside a source",
            inbound()
                .source(source())
                .add_previous(token("b"))
                .build()
                .err(),
            "PreviousBesideSource".to_owned(),
            "let the source list",
        ),
        (
            "previous beside a reader",
            inbound()
                .reader(reader.clone())
                .add_previous(token("b"))
                .build()
                .err(),
            "PreviousBesideSource".to_owned(),
            "let the source list",
        ),
        (
            "overlap of a literal",
            inbound()
                .token(token("a"))
                .overlap(Overlap::None)
                .build()
                .err(),
            idle("overlap"),
            "name a source that can be read again",
        ),
        (
            "age of a literal",
            outbound().token(token("a")).max_stale(HOUR).build().err(),
            idle("max_stale"),
            "name a source that can be read again",
        ),
        (
            "overlap of a reader",
            inbound()
                .reader(reader)
                .overlap(Overlap::None)
                .build()
                .err(),
            idle("overlap"),
            "on the handle's own builder",
        ),
        (
            "a handle of a literal",
            inbound().token(token("a")).build_with_handle().err(),
            idle("build_with_handle"),
            "name a source",
        ),
        (
            "lazily, a literal",
            outbound().token(token("a")).build_lazy().err(),
            idle("build_lazy"),
            "name a source",
        ),
        (
            "an age that passes between two polls",
            inbound()
                .source(source())
                .max_stale(29 * SECOND)
                .build()
                .err(),
            "MaxStale { limit: 29s }".to_owned(),
            "use at least 30 s",
        ),
        (
            "two sources",
            inbound().source(source()).file("/nowhere").build().err(),
            "SeveralTokenSources".to_owned(),
            "name exactly one",
        ),
        (
            "a source and a literal",
            outbound().token(token("a")).source(source()).build().err(),
            "SeveralTokenSources".to_owned(),
            "name exactly one",
        ),
        (
            "two sources of a handle",
            TokenHandle::builder()
                .source(source())
                .source(source())
                .build()
                .err(),
            "SeveralTokenSources".to_owned(),
            "name exactly one",
        ),
        (
            "tokens and a source",
            TokenHandle::builder()
                .tokens(TokenSet::new(token("a")))
                .source(source())
                .build()
                .err(),
            "SeveralTokenSources".to_owned(),
            "name exactly one",
        ),
        (
            "age of tokens without a source",
            TokenHandle::builder()
                .tokens(TokenSet::new(token("a")))
                .max_stale(HOUR)
                .build()
                .err(),
            idle("max_stale"),
            "name a source",
        ),
        (
            "a handle of nothing",
            TokenHandle::builder().build().err(),
            "NoTokenSource".to_owned(),
            "name a source",
        ),
        (
            "a limit beyond any token",
            inbound().source(source()).max_value_len(1025).build().err(),
            "ValueLimit { limit: 1025 }".to_owned(),
            "at most 1024",
        ),
        (
            "a source that has nothing",
            inbound()
                .source(Script::of(&[Err("is closed today")]))
                .build()
                .err(),
            format!(
                "TokenSource {{ error: {:?} }}",
                SourceError::other("is closed today")
            ),
            "the token source is closed today; put 1 to 8 tokens there",
        ),
    ];
    for (name, error, expected, advice) in table {
        let error = error.expect(name);
        assert_eq!(format!("{error:?}"), expected, "{name}");
        assert!(error.to_string().contains(advice), "{name}: {error}");
    }
}

#[tokio::test]
async fn i7_only_the_current_token_is_sent_and_every_reader_follows() {
    let handle = TokenHandle::new(TokenSet::new(token("a")));
    let layer = InjectTokenLayer::builder()
        .reader(handle.reader())
        .any_loopback_port()
        .build()
        .expect("valid");
    let mut client = layer.layer(tower::service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(Response::new(request.headers()[NAME].clone()))
    }));
    for text in ["a", "b", "c"] {
        handle.rotate(token(text)).expect("fits");
        let request = Request::get("http://localhost/").body(()).expect("valid");
        let sent = client.ready().await.expect("ready").call(request);
        let value = sent.await.expect("infallible").into_body();
        assert_eq!(value, text);
        assert!(value.is_sensitive());
    }
}

#[tokio::test]
async fn i3_i7_a_token_from_a_source_may_go_to_daprd_where_the_environment_says_it_is() {
    let environment = |name: &str| (name == "DAPR_HTTP_PORT").then(|| "3501".into());
    let layer = InjectTokenLayer::builder()
        .source(Script::of(&[Ok("a")]))
        .clock(Arc::new(Moved::default()))
        .dapr_origins()
        .environment(&environment)
        .build()
        .expect("valid");
    for (uri, expected) in [
        ("http://127.0.0.1:3501/", true),
        ("http://127.0.0.1:50001/", true),
        ("http://127.0.0.1:3500/", false),
        ("http://elsewhere.example:3501/", false),
    ] {
        let client = layer.layer(tower::service_fn(|request: Request<()>| async move {
            Ok::<_, Infallible>(Response::new(request.headers().contains_key(NAME)))
        }));
        let sent = client.oneshot(Request::get(uri).body(()).expect("valid"));
        assert_eq!(
            sent.await.expect("infallible").into_body(),
            expected,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn i7_a_failed_reload_keeps_the_last_good_token() {
    let script = Script::of(&[Ok("a")]);
    let (layer, handle) = InjectTokenLayer::builder()
        .source(script.clone())
        .clock(Arc::new(Moved::default()))
        .any_loopback_port()
        .build_with_handle()
        .expect("valid");
    script.say(&[Err("is gone")]);
    assert!(handle.refresh().is_err());
    let client = layer.layer(tower::service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(Response::new(request.headers()[NAME].clone()))
    }));
    let request = Request::get("http://localhost/").body(()).expect("valid");
    let sent = client.oneshot(request).await.expect("infallible");
    assert_eq!(sent.into_body(), "a");
}

#[tokio::test]
async fn i6_a_refused_token_asks_for_a_reload_unless_one_began_since_and_nothing_is_sent_again() {
    /// The status, `grpc-status`, whether a load begins before the answer, and whether one is asked for.
    type Row = (&'static str, u16, Option<&'static str>, bool, bool);
    let table: &[Row] = &[
        ("accepted", 200, None, false, false),
        ("401", 401, None, false, true),
        (
            "401 to a token that is older than the last load",
            401,
            None,
            true,
            false,
        ),
        ("UNAUTHENTICATED", 200, Some("16"), false, true),
        ("UNAUTHENTICATED after a load", 200, Some("16"), true, false),
        ("another gRPC status", 200, Some("7"), false, false),
        ("403", 403, None, false, false),
    ];
    for (name, code, grpc_status, reloads, expected) in table {
        let (layer, handle) = InjectTokenLayer::builder()
            .source(Script::of(&[Ok("a")]))
            .clock(Arc::new(Moved::default()))
            .any_loopback_port()
            .build_with_handle()
            .expect("valid");
        let calls = AtomicUsize::new(0);
        let client = layer.layer(tower::service_fn(|_: Request<()>| {
            calls.fetch_add(1, Ordering::Relaxed);
            let mut response = Response::builder().status(*code);
            if let Some(status) = grpc_status {
                response = response
                    .header("content-type", "application/grpc")
                    .header("grpc-status", *status);
            }
            if *reloads {
                handle.refresh().expect("unchanged");
            }
            std::future::ready(Ok::<_, Infallible>(response.body(()).expect("valid")))
        }));
        let request = Request::get("http://localhost/").body(()).expect("valid");
        let response = client.oneshot(request).await.expect("infallible");
        assert_eq!(response.status().as_u16(), *code, "{name}: passed on");
        assert_eq!(handle.is_reload_wanted(), *expected, "{name}");
        assert_eq!(calls.load(Ordering::Relaxed), 1, "{name}: sent once");
        handle.refresh().expect("unchanged");
        assert!(!handle.is_reload_wanted(), "{name}: done");
    }
}

#[tokio::test]
async fn i6_a_request_that_did_not_get_the_token_asks_for_nothing() {
    let (layer, handle) = InjectTokenLayer::builder()
        .source(Script::of(&[Ok("a")]))
        .clock(Arc::new(Moved::default()))
        .any_loopback_port()
        .build_with_handle()
        .expect("valid");
    let client = layer.layer(tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::builder().status(401).body(()).expect("valid"))
    }));
    let request = Request::get("http://elsewhere.example/")
        .body(())
        .expect("valid");
    client.oneshot(request).await.expect("infallible");
    assert!(!handle.is_reload_wanted());
}

/// Many threads with a clone of the service for every request, as hyper and axum make it, against a writer that
/// rotates a thousand times. Needs no runtime.
#[test]
fn r8_r9_a_thousand_rotations_under_load_refuse_and_accept_nothing_wrongly() {
    const ROTATIONS: u64 = 1_000;
    let name = |number: u64| format!("token-number-{number:08}");
    let handle = TokenHandle::new(TokenSet::new(token(&name(0))));
    let layer = RequireTokenLayer::builder()
        .reader(handle.reader())
        .build()
        .expect("valid");
    let template = layer.layer(tower::service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    let ask = |service: &mut dyn FnMut(Request<()>) -> u16, number: u64| {
        let request = Request::post("/").header(NAME, name(number)).body(());
        service(request.expect("valid"))
    };
    // The last one in force before a request, and the newest one that may be.
    let (published, begun) = (AtomicU64::new(0), AtomicU64::new(0));
    let done = AtomicBool::new(false);
    let served = AtomicUsize::new(0);

    std::thread::scope(|scope| {
        let readers = [true, false].map(|kept| {
            let (published, begun, done, served) = (&published, &begun, &done, &served);
            let template = template.clone();
            scope.spawn(move || {
                let mut own = template.clone();
                let mut service = |request: Request<()>| {
                    let mut fresh = template.clone();
                    let service = if kept { &mut own } else { &mut fresh };
                    poll_now(service, request)
                };
                while !done.load(Ordering::Relaxed) {
                    let before = published.load(Ordering::Acquire);
                    let good = ask(&mut service, before);
                    let after = begun.load(Ordering::Acquire);
                    // Two newer ones may take its place while it is asked for, and it is accepted still.
                    assert!(good == 200 || after > before + 2, "{before} refused");
                    let Some(old) = before.checked_sub(3) else {
                        continue;
                    };
                    assert_eq!(ask(&mut service, old), 401, "{old} accepted after {before}");
                    assert_eq!(ask(&mut service, after + 1_000_000), 401);
                    served.fetch_add(3, Ordering::Relaxed);
                    std::thread::yield_now();
                }
            })
        });
        for number in 1..=ROTATIONS {
            begun.store(number, Ordering::Release);
            handle.rotate(token(&name(number))).expect("fits");
            published.store(number, Ordering::Release);
            // Each state is looked at by somebody.
            let seen = served.load(Ordering::Relaxed);
            for _ in 0..20 {
                if served.load(Ordering::Relaxed) != seen {
                    break;
                }
                std::thread::yield_now();
            }
        }
        while served.load(Ordering::Relaxed) < 1_000
            && !readers
                .iter()
                .any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(handle.reader().generation(), ROTATIONS + 1);
    let mut last = template.clone();
    let mut service = |request: Request<()>| poll_now(&mut last, request);
    for (number, status) in [(0, 401), (997, 401), (998, 200), (999, 200), (1_000, 200)] {
        assert_eq!(ask(&mut service, number), status, "{number} in the end");
    }
}

fn poll_now<S, B>(service: &mut S, request: Request<()>) -> u16
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let future = std::pin::pin!(service.call(request));
    match future.poll(&mut context) {
        Poll::Ready(Ok(response)) => response.status().as_u16(),
        Poll::Pending => unreachable!("all is ready at once"),
    }
}

/// Stops a writer in the midst of a load, until it is released: in its source, where it holds the turn to load, or at
/// the clock that it reads last of all, where it holds every lock that it has.
struct Stops {
    at: StopAt,
    armed: AtomicBool,
    entered: std::sync::mpsc::SyncSender<()>,
    release: Mutex<std::sync::mpsc::Receiver<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum StopAt {
    Source,
    Clock,
}

impl Stops {
    fn pass(&self, at: StopAt) {
        if at == self.at && self.armed.swap(false, Ordering::AcqRel) {
            self.entered.send(()).expect("awaited");
            let release = self.release.lock().expect("no test panicked");
            release.recv().expect("released");
        }
    }
}

struct StoppingSource(Arc<Stops>, AtomicUsize);

impl TokenSource for StoppingSource {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        self.0.pass(StopAt::Source);
        let text = format!("loaded-{}", self.1.fetch_add(1, Ordering::Relaxed));
        Ok(LoadedTokens::new(token(&text)))
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

struct StoppingClock(Arc<Stops>);

impl Clock for StoppingClock {
    fn now(&self) -> Duration {
        self.0.pass(StopAt::Clock);
        Duration::ZERO
    }

    fn wait(&self, _: Duration) {}
}

/// No request waits for a writer: not that of a service that is stale, nor that of a new one, nor a client's.
#[test]
fn r8_a_request_takes_no_lock_of_a_load_that_hangs() {
    use std::sync::mpsc::{channel, sync_channel};

    for at in [StopAt::Source, StopAt::Clock] {
        let (entered, has_entered) = sync_channel(1);
        let (release, released) = sync_channel(1);
        let stops = Arc::new(Stops {
            at,
            armed: AtomicBool::new(false),
            entered,
            release: Mutex::new(released),
        });
        let handle = TokenHandle::builder()
            .source(StoppingSource(Arc::clone(&stops), AtomicUsize::new(0)))
            .clock(Arc::new(StoppingClock(Arc::clone(&stops))))
            .build()
            .expect("valid");
        let layer = RequireTokenLayer::builder()
            .reader(handle.reader())
            .build()
            .expect("valid");
        let inner = tower::service_fn(|_: Request<()>| {
            std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        });
        let stale = layer.layer(inner);
        handle.rotate(token("by-hand")).expect("fits");

        stops.armed.store(true, Ordering::Release);
        let hanging = handle.clone();
        let load = std::thread::spawn(move || hanging.refresh());
        has_entered.recv().expect("the load hangs");

        // On a thread of its own, so that one that waits for a lock fails the test and does not hang it.
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            for mut service in [stale.clone(), layer.layer(inner), stale] {
                for value in ["by-hand", "loaded-0", "wrong"] {
                    let request = Request::post("/").header(NAME, value).body(());
                    let status = poll_now(&mut service, request.expect("valid"));
                    answer.send((value, status)).expect("awaited");
                }
            }
        });
        for _ in 0..3 {
            for expected in [("by-hand", 200), ("loaded-0", 200), ("wrong", 401)] {
                let answered = answers.recv_timeout(Duration::from_secs(10));
                assert_eq!(answered, Ok(expected), "while a load hangs at its {at:?}");
            }
        }
        if at == StopAt::Source {
            // Nor does a hand that writes wait for a source.
            handle.rotate(token("by-hand-2")).expect("fits");
            assert_eq!(handle.revoke_previous(), 2, "revoked meanwhile");
        }
        release.send(()).expect("it waits");
        assert_eq!(load.join().expect("no panic"), Ok(Reloaded::Changed));
        assert_eq!(
            handle.reader().header_value().expect("a token"),
            "loaded-1",
            "the load went on"
        );
    }
}
