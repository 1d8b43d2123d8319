//! What an observer of one's own is told: enough for every metric, and by every way in which tokens are set.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Version};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    Clock, Decision, Event, InjectTokenLayer, Injection, Notice, Observer, Outcome, Overlap,
    Protocol, RejectionKind, Reloaded, RequireTokenBuilder, RequireTokenLayer, SourceError, Token,
    TokenHandle, TokenMode, TokenSet, TokenStatus,
};

use crate::support::{MovedClock, Says, TOKEN, WRONG, request, send};

const SECOND: Duration = Duration::from_secs(1);

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

/// Keeps what it is told, in words, each under the name of the method.
#[derive(Default)]
struct Everything(Mutex<Vec<String>>);

impl Everything {
    fn push(&self, text: String) {
        self.0.lock().expect("no test panicked").push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panicked"))
    }
}

impl Observer for Everything {
    fn on_decision(&self, decision: &Decision) {
        self.push(format!("decision {decision:?}"));
    }

    fn on_injection(&self, injection: Injection) {
        self.push(format!("injection {injection:?}"));
    }

    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        self.push(format!("reload {result:?}"));
    }

    fn on_notice(&self, notice: &Notice) {
        self.push(format!("notice {}", notice.as_str()));
    }

    fn on_event(&self, event: &Event) {
        self.push(format!("event {event:?}"));
    }
}

/// The state of the tokens as an observer knows it, and when it was told.
struct Status {
    clock: Arc<MovedClock>,
    told: Mutex<Option<(TokenStatus, Duration)>>,
}

impl Status {
    fn now(&self) -> TokenStatus {
        let (status, at) = self
            .told
            .lock()
            .expect("no test panicked")
            .expect("told once at least");
        status.after(self.clock.now() - at)
    }
}

impl Observer for Status {
    fn on_event(&self, event: &Event) {
        if let Event::Tokens { status, .. } = event {
            *self.told.lock().expect("no test panicked") = Some((*status, self.clock.now()));
        }
    }
}

async fn inject(layer: &InjectTokenLayer) {
    let client = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(()))
    }));
    let request = Request::get("http://127.0.0.1:3500/")
        .body(())
        .expect("valid");
    client.oneshot(request).await.expect("infallible");
}

#[tokio::test]
async fn o1_a_pair_tells_both_and_an_arc_the_same_observer_of_everything() {
    let [first, second, third] = [(); 3].map(|()| Arc::new(Everything::default()));
    let alone = Arc::new(Everything::default());
    let drive = async |observer: Arc<dyn Observer>| {
        let source = Says::tokens("short");
        let (server, handle) = RequireTokenLayer::builder()
            .source(source.clone())
            .http_health()
            .observer(observer.clone())
            .build_with_handle()
            .expect("valid");
        let client = InjectTokenLayer::builder()
            .token(token(TOKEN))
            .any_loopback_port()
            .observer(observer)
            .build()
            .expect("valid");
        send(&server, request(&[WRONG])).await;
        inject(&client).await;
        source.change_to(Err("is gone"));
        handle.refresh().expect_err("gone");
    };
    drive(alone.clone()).await;
    let pair = (
        (first.clone(), second.clone()),
        third.clone() as Arc<dyn Observer>,
    );
    drive(Arc::new(pair)).await;
    let expected: Vec<_> = alone.take().into_iter().map(without_times).collect();
    for method in ["decision", "injection", "reload", "notice", "event"] {
        assert!(
            expected.iter().any(|told| told.starts_with(method)),
            "{method} is among it: {expected:?}"
        );
    }
    for (name, observer) in [("first", first), ("second", second), ("third", third)] {
        let told: Vec<_> = observer.take().into_iter().map(without_times).collect();
        assert_eq!(told, expected, "{name}");
    }
}

/// Ages are those of the real clock here.
fn without_times(told: String) -> String {
    match told.split_once("age: ") {
        Some((before, after)) => {
            let (_, rest) = after.split_once(',').expect("not the last field");
            format!("{before}{rest}")
        }
        None => told,
    }
}

#[test]
fn o1_what_is_told_suffices_to_know_the_state_of_the_tokens_at_any_time() {
    let clock = Arc::new(MovedClock::default());
    let status = Arc::new(Status {
        clock: clock.clone(),
        told: Mutex::default(),
    });
    let source = Says::tokens("token-a");
    let handle = TokenHandle::builder()
        .source(source.clone())
        .overlap(Overlap::For(60 * SECOND))
        .clock(clock.clone())
        .observer(status.clone())
        .build()
        .expect("a token");
    let reader = handle.reader();
    type Step<'s> = (&'static str, Box<dyn Fn() + 's>);
    let steps: [Step<'_>; 9] = [
        ("built", Box::new(|| ())),
        (
            "read again",
            Box::new(|| assert_eq!(handle.refresh(), Ok(Reloaded::Unchanged))),
        ),
        (
            "changed",
            Box::new(|| {
                source.change_to(Ok("token-b"));
                assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
            }),
        ),
        (
            "gone",
            Box::new(|| {
                source.change_to(Err("is gone"));
                handle.refresh().expect_err("gone");
            }),
        ),
        (
            "rotated by hand",
            Box::new(|| handle.rotate(token("token-c")).expect("fits")),
        ),
        (
            "replaced by hand",
            Box::new(|| {
                let set = TokenSet::new(token("token-d")).add_previous(token("token-c"));
                handle.replace(set.expect("fits")).expect("fits");
            }),
        ),
        (
            "rotated once more",
            Box::new(|| handle.rotate(token("token-e")).expect("fits")),
        ),
        (
            "revoked",
            Box::new(|| assert_eq!(handle.revoke_previous(), 1)),
        ),
        (
            "revoked again",
            Box::new(|| assert_eq!(handle.revoke_previous(), 0)),
        ),
    ];
    for (name, step) in steps {
        step();
        for seconds in [0, 1, 29, 30, 45] {
            clock.advance(seconds * SECOND);
            let status = status.now();
            assert_eq!(
                (
                    status.generation(),
                    status.age(),
                    status.previous_expires_in()
                ),
                (
                    reader.generation(),
                    reader.age(),
                    reader.previous_expires_in()
                ),
                "{name}, {seconds} s later"
            );
        }
    }
    assert_eq!(reader.generation(), 8);
}

#[test]
fn o1_a_change_of_the_tokens_is_told_apart_from_a_reading_of_the_same() {
    #[derive(Default)]
    struct Changes(Mutex<Vec<bool>>);
    impl Observer for Changes {
        fn on_event(&self, event: &Event) {
            if let Event::Tokens { changed, .. } = event {
                self.0.lock().expect("no test panicked").push(*changed);
            }
        }
    }
    let changes = Arc::new(Changes::default());
    let take = || std::mem::take(&mut *changes.0.lock().expect("no test panicked"));
    let source = Says::tokens("token-a");
    let handle = TokenHandle::builder()
        .source(source.clone())
        .observer(changes.clone())
        .build()
        .expect("a token");
    assert_eq!(take(), [true], "loaded first");
    for (name, lines, told) in [
        ("the same", Ok("token-a"), false),
        ("another one", Ok("token-b"), true),
        ("gone", Err("is gone"), false),
        ("back", Ok("token-b"), false),
    ] {
        source.change_to(lines);
        assert_eq!(handle.refresh().is_ok(), lines.is_ok(), "{name}");
        assert_eq!(take(), [told], "{name}");
    }
    handle.rotate(token("token-c")).expect("fits");
    assert_eq!(take(), [true], "by hand");
    let _ = handle.revoke_previous();
    assert_eq!(take(), [true], "revoked");

    let _by_hand = TokenHandle::builder()
        .tokens(token("token-a").into())
        .observer(changes.clone())
        .build()
        .expect("a token");
    assert_eq!(take(), [true], "there from the start");
    let _lazy = TokenHandle::builder()
        .source({
            source.change_to(Err("is not there yet"));
            source
        })
        .observer(changes.clone())
        .build_lazy()
        .expect("valid");
    assert_eq!(take(), [false], "nothing there yet");
}

#[test]
fn c1_tokens_are_noticed_however_they_are_set() {
    const GOOD: &str = "a-token-of-16-bytes-or-more";
    let told = Arc::new(Everything::default());
    let notices = || {
        let told = told.take().into_iter();
        told.filter_map(|text| Some(text.strip_prefix("notice ")?.to_owned()))
            .collect::<Vec<_>>()
    };
    let by_hand = |tokens: TokenSet| {
        TokenHandle::builder()
            .tokens(tokens)
            .observer(told.clone())
            .build()
            .expect("valid")
    };
    let set = |current: &str, previous: &str| {
        TokenSet::new(token(current))
            .add_previous(token(previous))
            .expect("fits")
    };
    let good = by_hand(token(GOOD).into());
    assert!(notices().is_empty(), "nothing odd");
    let with_server = |current: &str, previous: &str| {
        let handle = TokenHandle::new(set(current, previous));
        let layer = RequireTokenLayer::builder()
            .reader(handle.reader())
            .observer(told.clone());
        let _layer = layer.build().expect("valid");
    };
    let with_client = |current: &str, previous: &str| {
        let handle = TokenHandle::new(set(current, previous));
        let layer = InjectTokenLayer::builder()
            .reader(handle.reader())
            .any_loopback_port()
            .observer(told.clone());
        let _layer = layer.build().expect("valid");
    };
    type Way<'w> = (&'static str, Box<dyn Fn(&str, &str) + 'w>);
    let ways: [Way<'_>; 5] = [
        (
            "tokens()",
            Box::new(|current, previous| drop(by_hand(set(current, previous)))),
        ),
        (
            "replace()",
            Box::new(|current, previous| good.replace(set(current, previous)).expect("fits")),
        ),
        ("reader() of a server", Box::new(with_server)),
        ("reader() of a client", Box::new(with_client)),
        (
            "source()",
            Box::new(|current, previous| {
                let source = Says::tokens(&format!("{current}\n{previous}"));
                let handle = TokenHandle::builder().source(source).observer(told.clone());
                handle.build().expect("valid");
            }),
        ),
    ];
    let table: [(&str, &str, &[&str]); 6] = [
        (GOOD, "another-token-of-16-bytes-or-more", &[]),
        ("short", GOOD, &["short_token"]),
        (GOOD, "short", &["short_token"]),
        (
            "with-a-comma,of-16-bytes-or-more",
            GOOD,
            &["token_with_comma"],
        ),
        ("a,b", GOOD, &["short_token", "token_with_comma"]),
        (
            "15-bytes-no-more",
            "a,b,c",
            &["short_token", "token_with_comma"],
        ),
    ];
    for (way, set_tokens) in ways {
        for (current, previous, expected) in table {
            set_tokens(current, previous);
            assert_eq!(notices(), expected, "{way}: {current} {previous}");
        }
    }
    for (current, expected) in [(GOOD, &[][..]), ("short", &["short_token"])] {
        good.rotate(token(current)).expect("fits");
        assert_eq!(notices(), expected, "rotate(): {current}");
    }
    let refused = TokenHandle::builder()
        .tokens(token(GOOD).into())
        .observer(told.clone())
        .build()
        .expect("valid");
    let _layer = RequireTokenLayer::builder()
        .reader(refused.reader())
        .max_value_len(30)
        .build()
        .expect("valid");
    told.take();
    let long = format!("{GOOD},{GOOD}");
    refused.rotate(token(&long)).expect_err("too long");
    assert!(told.take().is_empty(), "tokens that were not taken over");
}

#[tokio::test]
async fn o1_a_decision_names_its_mode_its_reason_and_its_slot() {
    #[derive(Default)]
    struct Last(Mutex<Option<Decision>>);
    impl Observer for Last {
        fn on_decision(&self, decision: &Decision) {
            *self.0.lock().expect("no test panicked") = Some(decision.clone());
        }
    }
    let last = Arc::new(Last::default());
    let builder = || {
        RequireTokenLayer::builder()
            .http_health()
            .observer(last.clone())
    };
    let strict = |builder: RequireTokenBuilder<'static>| {
        builder
            .token(token(TOKEN))
            .add_previous(token("the-token-before-this-one"))
            .build()
            .expect("valid")
    };
    let strict = strict(builder());
    let open = builder().insecure_allow_all().build().expect("valid");
    let probe = || Request::get("/healthz").body(()).expect("valid");
    let grpc = || {
        let mut request = request(&[]);
        *request.version_mut() = Version::HTTP_2;
        let content_type = http::HeaderValue::from_static("application/grpc");
        request.headers_mut().insert("content-type", content_type);
        assert_eq!(*request.method(), Method::POST);
        request
    };
    // layer, request, outcome, mode, reason, slot, a previous one
    let table = [
        (
            "current",
            &strict,
            request(&[TOKEN]),
            "allowed",
            TokenMode::Static,
            None,
            Some(0),
            false,
        ),
        (
            "previous",
            &strict,
            request(&["the-token-before-this-one"]),
            "allowed",
            TokenMode::Static,
            None,
            Some(1),
            true,
        ),
        (
            "exempt",
            &strict,
            probe(),
            "exempt",
            TokenMode::Static,
            None,
            None,
            false,
        ),
        (
            "wrong",
            &strict,
            request(&[WRONG]),
            "denied",
            TokenMode::Static,
            Some(RejectionKind::Mismatch),
            None,
            false,
        ),
        (
            "missing, over gRPC",
            &strict,
            grpc(),
            "denied",
            TokenMode::Static,
            Some(RejectionKind::Missing),
            None,
            false,
        ),
        (
            "open",
            &open,
            request(&[WRONG]),
            "allowed",
            TokenMode::AllowAll,
            None,
            None,
            false,
        ),
        (
            "open and exempt",
            &open,
            probe(),
            "exempt",
            TokenMode::AllowAll,
            None,
            None,
            false,
        ),
    ];
    for (name, layer, request, outcome, mode, reason, slot, used_previous) in table {
        send(layer, request).await;
        let decision = last.0.lock().expect("no test panicked").take();
        let decision = decision.expect("told");
        assert_eq!(decision.outcome().as_str(), outcome, "{name}");
        assert_eq!(decision.mode(), mode, "{name}");
        assert_eq!(decision.reason(), reason, "{name}");
        assert_eq!(decision.slot(), slot, "{name}");
        assert_eq!(decision.used_previous(), used_previous, "{name}");
        let protocol = if name.contains("gRPC") {
            Protocol::Grpc
        } else {
            Protocol::Http
        };
        assert_eq!(decision.protocol(), protocol, "{name}");
        if let Outcome::Denied(rejection) = decision.outcome() {
            assert_eq!(Some(rejection.kind()), reason, "{name}");
        }
    }
}

#[test]
fn r1_an_open_layer_is_a_warning_and_any_other_is_not() {
    let told = Arc::new(Everything::default());
    let open = RequireTokenLayer::builder()
        .insecure_allow_all()
        .observer(told.clone());
    let _layer = open.build().expect("valid");
    assert_eq!(told.take(), ["notice not_enforcing"]);
    assert!(Notice::NotEnforcing.is_warning());
    let strict = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .observer(told.clone());
    let _layer = strict.build().expect("valid");
    assert!(told.take().is_empty());
}
