//! What is done by hand to tokens that come from a source, and in which order mistakes are found.

use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use tower_dapr_token::{
    ConfigError, InjectTokenLayer, Notice, Observer, Overlap, Reloaded, RequireTokenLayer,
    SourceError, TokenHandle, TokenSet,
};

use crate::rotation::{Moved, Script, accepted, token};
use crate::support::Told;

#[tokio::test]
async fn r7_a_token_that_is_set_by_hand_ends_what_the_source_listed_and_stays_until_it_says_something_new()
 {
    let script = Script::of(&[Ok("b a")]);
    let clock = Arc::new(Moved::default());
    let (layer, handle) = RequireTokenLayer::builder()
        .source(script.clone())
        .overlap(Overlap::For(Duration::from_secs(60)))
        .clock(clock.clone())
        .build_with_handle()
        .expect("valid");
    let all = "a b c d";
    assert_eq!(accepted(&layer, all).await, "a b", "listed");

    handle.rotate(token("c")).expect("fits");
    assert_eq!(accepted(&layer, all).await, "b c", "the current one alone");
    assert_eq!(handle.refresh(), Ok(Reloaded::Unchanged));
    assert_eq!(accepted(&layer, all).await, "b c", "the same list again");
    clock.advance(Duration::from_secs(60));
    assert_eq!(accepted(&layer, all).await, "c", "after the overlap");

    script.say(&[Ok("d a")]);
    assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
    assert_eq!(accepted(&layer, all).await, "a d", "another list");
}

#[tokio::test]
async fn e4_the_least_limit_of_any_layer_binds_a_handle_for_good() {
    let handle = TokenHandle::new(TokenSet::new(token("short")));
    let build = |limit| {
        RequireTokenLayer::builder()
            .reader(handle.reader())
            .max_value_len(limit)
            .build()
    };
    let wide = build(100).expect("valid");
    handle.rotate(token("seven77")).expect("fits");
    let narrow = build(8).expect("valid");
    let is_refused = || {
        let refused = handle.rotate(token("ninenine9"));
        matches!(refused, Err(ConfigError::ValueLimit { limit: 8, .. }))
    };
    assert!(is_refused());
    drop(narrow);
    assert!(is_refused(), "dropped");
    let wider = build(1000).expect("valid");
    assert!(is_refused(), "a wider one");
    for layer in [wide, wider] {
        assert_eq!(accepted(&layer, "ninenine9 seven77").await, "seven77");
    }
    // Another handle is not bound.
    let other = TokenHandle::new(TokenSet::new(token("seven77")));
    assert_eq!(other.rotate(token("ninenine9")), Ok(()));
}

/// Long enough to cause no notice of its own, whose reader would set it again without end.
const BY_HAND: &str = "a-token-that-is-set-by-hand-32-b";

/// Does to the tokens what it may do, whenever it is told something.
#[derive(Default)]
struct Meddling {
    handle: OnceLock<TokenHandle>,
    told: Mutex<Vec<&'static str>>,
}

impl Meddling {
    fn meddle(&self, event: &'static str) {
        self.told.lock().expect("no test panicked").push(event);
        if let Some(handle) = self.handle.get() {
            handle.rotate(token(BY_HAND)).expect("fits");
            let _ = handle.revoke_previous();
            let reader = handle.reader();
            assert_eq!(reader.header_value().expect("a token"), BY_HAND);
        }
    }
}

impl Observer for Meddling {
    fn on_reload(&self, _: Result<Reloaded, &SourceError>) {
        self.meddle("reload");
    }

    fn on_notice(&self, notice: &Notice) {
        self.meddle(match notice {
            Notice::ReloadFailing(_) => "failing",
            Notice::ReloadRecovered => "recovered",
            Notice::PreviousStillUsed { .. } => "still used",
            _ => "another notice",
        });
    }
}

/// `refresh()` is the one method that it may not call.
#[test]
fn o1_r7_an_observer_may_rotate_and_revoke_while_it_is_told_of_a_reload() {
    let script = Script::of(&[Ok("the-first-token-of-32-bytes-or-so")]);
    let meddling = Arc::new(Meddling::default());
    let handle = TokenHandle::builder()
        .source(script.clone())
        .clock(Arc::new(Moved::default()))
        .observer(meddling.clone())
        .build()
        .expect("valid");
    assert!(meddling.handle.set(handle.clone()).is_ok());
    let (done, is_done) = mpsc::channel();
    // On a thread of its own, so that one that waits for itself fails the test and does not hang it.
    std::thread::spawn(move || {
        for answer in [
            Err("is gone"),
            Ok("short"),
            Ok("an-other-token-of-32-bytes-or-so"),
        ] {
            script.say(&[answer]);
            done.send(handle.refresh().is_ok()).expect("awaited");
        }
    });
    for expected in [false, true, true] {
        let refreshed = is_done.recv_timeout(Duration::from_secs(10));
        assert_eq!(refreshed, Ok(expected), "it waits for nothing");
    }
    let told = meddling.told.lock().expect("no test panicked");
    for event in ["reload", "failing", "recovered", "another notice"] {
        assert!(told.contains(&event), "{event}: {told:?}");
    }
}

/// What a builder can see by itself is told before a source is asked, which takes its time, and nobody is told of
/// a layer that is never built.
#[test]
fn r6_i3_cheap_checks_come_before_the_source_is_asked() {
    let script = Script::of(&[Ok("short")]);
    let told = Arc::new(Told::default());
    let outbound = || {
        InjectTokenLayer::builder()
            .source(script.clone())
            .observer(told.clone())
    };
    let bad_environment =
        |name: &str| (name == "DAPR_HTTP_ENDPOINT").then(|| "ftp://dapr.example".into());
    let mut table = vec![
        (
            "no origin",
            outbound().build().err(),
            "no origin may get the token",
        ),
        (
            "plain http to another host",
            outbound()
                .add_origin("http://dapr.example".parse().expect("an origin"))
                .build()
                .err(),
            "allow_plaintext",
        ),
        (
            "an endpoint that is none",
            outbound()
                .dapr_origins()
                .environment(&bad_environment)
                .build()
                .err(),
            "DAPR_HTTP_ENDPOINT",
        ),
        (
            "no origin, of a literal",
            InjectTokenLayer::builder()
                .token(token("short"))
                .observer(told.clone())
                .build()
                .err(),
            "no origin may get the token",
        ),
        (
            "an exemption that matches nothing",
            RequireTokenLayer::builder()
                .source(script.clone())
                .observer(told.clone())
                .http_health_at("/*")
                .build()
                .err(),
            "wildcard",
        ),
        (
            "a limit beyond any token",
            RequireTokenLayer::builder()
                .source(script.clone())
                .observer(told.clone())
                .max_value_len(1025)
                .build()
                .err(),
            "at most 1024",
        ),
    ];
    #[cfg(feature = "tokio")]
    table.push((
        "no runtime",
        outbound()
            .any_loopback_port()
            .reload_in_background()
            .build()
            .err(),
        "no Tokio runtime",
    ));
    for (name, error, expected) in table.drain(..) {
        let error = error.expect(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    assert_eq!(script.loads(), 0, "never asked");
    assert_eq!(told.take(), Vec::<String>::new(), "nobody was told");
}

/// A clock that goes on while the machine sleeps ends what is over when it wakes.
#[tokio::test]
async fn r7_a_clock_of_the_users_own_that_jumps_ahead_ends_what_is_over() {
    let clock = Arc::new(Moved::default());
    let (layer, handle) = RequireTokenLayer::builder()
        .source(Script::of(&[Ok("a")]))
        .clock(clock.clone())
        .build_with_handle()
        .expect("valid");
    handle.rotate(token("b")).expect("fits");
    assert_eq!(accepted(&layer, "a b").await, "a b");
    clock.advance(Duration::from_secs(8 * 3600));
    assert_eq!(accepted(&layer, "a b").await, "b", "at the first request");
}
