//! The ready-made log: which line, at which level, with which fields, and how often.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, Version};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    InjectTokenLayer, Overlap, RequireTokenLayer, Token, TokenHandle, TracingObserver,
};

use crate::capture::Capture;
use crate::support::{MovedClock, Says, TOKEN, WRONG, request, send};

const PREVIOUS: &str = "the-token-that-was-current-before-this-one!";
const SECOND: Duration = Duration::from_secs(1);
const GOOD: &str = "a-token-of-16-bytes-or-more";

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

/// The observer, and the clock of its limit.
fn observer() -> (Arc<TracingObserver>, Arc<MovedClock>) {
    let clock = Arc::new(MovedClock::default());
    (Arc::new(TracingObserver::with_clock(clock.clone())), clock)
}

fn grpc(values: &[&str]) -> Request<()> {
    let mut request = request(values);
    *request.version_mut() = Version::HTTP_2;
    let content_type = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", content_type);
    request
}

#[tokio::test]
async fn o3_a_decision_is_one_line_with_its_fields_at_its_level() {
    let capture = Capture::start();
    let (observer, _) = observer();
    let builder = || {
        RequireTokenLayer::builder()
            .http_health()
            .observer(observer.clone())
    };
    let strict = builder()
        .token(token(TOKEN))
        .add_previous(token(PREVIOUS))
        .build()
        .expect("valid");
    let open = builder().insecure_allow_all().build().expect("valid");
    // The warning of the first denial, which is another test's.
    send(&strict, request(&[])).await;
    capture.take();
    let probe = Request::get("/healthz").body(()).expect("valid");
    for (name, layer, request, expected) in [
        (
            "current",
            &strict,
            request(&[TOKEN]),
            "TRACE dapr_token::decision: a request was let through mode=static outcome=allowed protocol=http slot=0",
        ),
        (
            "previous",
            &strict,
            grpc(&[PREVIOUS]),
            "TRACE dapr_token::decision: a request was let through mode=static outcome=allowed protocol=grpc slot=1",
        ),
        (
            "exempt",
            &strict,
            probe,
            "TRACE dapr_token::decision: a request was let through mode=static outcome=exempt protocol=http",
        ),
        (
            "open",
            &open,
            request(&[WRONG]),
            "TRACE dapr_token::decision: a request was let through mode=allow_all outcome=allowed protocol=http",
        ),
        (
            "missing",
            &strict,
            request(&[]),
            "DEBUG dapr_token::decision: a request was refused mode=static outcome=denied protocol=http reason=missing",
        ),
        (
            "wrong, over gRPC",
            &strict,
            grpc(&[WRONG]),
            "DEBUG dapr_token::decision: a request was refused mode=static outcome=denied protocol=grpc reason=mismatch",
        ),
    ] {
        send(layer, request).await;
        assert_eq!(capture.ours(), [expected], "{name}");
    }
}

#[tokio::test]
async fn o3_denials_are_warned_of_at_once_and_then_every_ten_seconds_with_their_count() {
    let capture = Capture::start();
    let (observer, clock) = observer();
    let layer = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .observer(observer.clone())
        .build()
        .expect("valid");
    let warnings = || {
        let mut warnings = capture.take();
        warnings.retain(|line| line.level == tracing::Level::WARN);
        warnings
            .into_iter()
            .map(|line| line.text())
            .collect::<Vec<_>>()
    };
    let warning = |denials: u32, reason: &str| {
        vec![format!(
            "WARN dapr_token::decision: requests were refused denials={denials} mode=static outcome=denied protocol=http reason={reason}"
        )]
    };
    // How long after the row before, how many are refused, and the count that is told.
    let table = [
        ("the first, at once", 0, 1, Some(1)),
        ("in the same moment", 0, 3, None),
        ("9.999 s later", 9_999, 1, None),
        ("10 s later", 1, 1, Some(5)),
        ("one at a time again", 0, 7, None),
        ("an hour later", 3_600_000, 1, Some(8)),
        ("counted from that one", 9_000, 2, None),
        ("nothing is forgotten", 1_000, 1, Some(3)),
    ];
    for (name, millis, denials, told) in table {
        clock.advance(Duration::from_millis(millis));
        for _ in 0..denials {
            send(&layer, request(&[WRONG])).await;
        }
        let expected = told.map(|told| warning(told, "mismatch"));
        assert_eq!(warnings(), expected.unwrap_or_default(), "{name}");
    }
    clock.advance(10 * SECOND);
    for values in [&[TOKEN][..], &[TOKEN]] {
        send(&layer, request(values)).await;
    }
    assert!(warnings().is_empty(), "what is let through is none");
    send(&layer, request(&[])).await;
    assert_eq!(
        warnings(),
        warning(1, "missing"),
        "of the latest one the reason"
    );
}

#[test]
fn o3_a_notice_is_a_warning_where_somebody_should_act() {
    let capture = Capture::start();
    let (observer, clock) = observer();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let builder = || RequireTokenLayer::builder().observer(observer.clone());

    let _layer = builder().token(token("short,one")).build().expect("valid");
    assert_eq!(
        capture.ours(),
        [
            "WARN dapr_token::notice: a configured token is shorter than 16 bytes and can be guessed: use 32 random bytes notice=short_token",
            "WARN dapr_token::notice: a configured token has a comma: a proxy may split the header value there notice=token_with_comma",
        ]
    );
    let open = builder().insecure_allow_all().exempt_cors_preflight();
    let _layer = open.http_health().build().expect("valid");
    assert_eq!(
        capture.ours(),
        [
            "WARN dapr_token::notice: the token check is off: every request is let through notice=not_enforcing",
            "INFO dapr_token::notice: no token is needed for GET /healthz, CORS preflights notice=exemptions",
        ]
    );
    let nothing = |_: &str| None;
    let optional = InjectTokenLayer::builder()
        .dapr_token()
        .optional()
        .environment(&nothing)
        .observer(observer.clone());
    let _layer = optional.build().expect("valid");
    assert_eq!(
        capture.ours(),
        [
            "WARN dapr_token::notice: DAPR_API_TOKEN is not set: requests go out without a token notice=nothing_to_inject"
        ]
    );

    std::fs::write(&path, GOOD).expect("written");
    let (_layer, handle) = builder()
        .file(&path)
        .overlap(Overlap::For(100 * SECOND))
        .clock(clock.clone())
        .build_with_handle()
        .expect("a token");
    capture.take();
    std::fs::remove_file(&path).expect("removed");
    let notices = || {
        let mut ours = capture.ours();
        ours.retain(|line| line.contains("dapr_token::notice"));
        ours
    };
    handle.refresh().expect_err("gone");
    let failing = format!(
        "WARN dapr_token::notice: no tokens can be loaded, the last good ones stay: {} is not there notice=reload_failing",
        path.display()
    );
    assert_eq!(notices(), [failing]);
    handle.refresh().expect_err("gone");
    assert!(notices().is_empty(), "once");
    std::fs::write(&path, GOOD).expect("written");
    handle.refresh().expect("back");
    assert_eq!(
        notices(),
        ["INFO dapr_token::notice: tokens can be loaded again notice=reload_recovered"]
    );
}

#[tokio::test]
async fn o3_r7_a_previous_token_that_is_still_used_is_warned_of() {
    let capture = Capture::start();
    let (observer, clock) = observer();
    let source = Says::tokens(GOOD);
    let (layer, handle) = RequireTokenLayer::builder()
        .source(source.clone())
        .overlap(Overlap::For(100 * SECOND))
        .clock(clock.clone())
        .observer(observer)
        .build_with_handle()
        .expect("a token");
    source.change_to(Ok(TOKEN));
    handle.refresh().expect("changed");
    clock.advance(85 * SECOND);
    capture.take();
    send(&layer, request(&[GOOD])).await;
    assert_eq!(
        capture.ours(),
        [
            "WARN dapr_token::notice: a previous token is still used and ends in 15 s: restart the sidecars that send it notice=previous_still_used",
            "TRACE dapr_token::decision: a request was let through mode=static outcome=allowed protocol=http slot=1",
        ]
    );
}

#[test]
fn o3_readings_and_changes_of_tokens_are_told_by_what_they_brought() {
    let capture = Capture::start();
    let (observer, clock) = observer();
    let source = Says::tokens(GOOD);
    let handle = TokenHandle::builder()
        .source(source.clone())
        .overlap(Overlap::For(60 * SECOND))
        .clock(clock.clone())
        .observer(observer)
        .build()
        .expect("a token");
    const OTHER: &str = "INFO dapr_token::reload: other tokens are in force";
    assert_eq!(
        capture.ours(),
        [
            "DEBUG dapr_token::reload: the source names other tokens result=changed".to_owned(),
            format!("{OTHER} generation=2"),
        ],
        "built"
    );
    clock.advance(7 * SECOND);
    handle.refresh().expect("the same");
    assert_eq!(
        capture.ours(),
        [
            "TRACE dapr_token::reload: the source names the same tokens result=unchanged",
            "TRACE dapr_token::reload: the same tokens are in force age_seconds=0 generation=2",
        ]
    );
    source.change_to(Ok(TOKEN));
    handle.refresh().expect("changed");
    assert_eq!(
        capture.ours(),
        [
            "DEBUG dapr_token::reload: the source names other tokens result=changed".to_owned(),
            format!("{OTHER} generation=3 previous_expires_in_seconds=60"),
        ]
    );
    source.change_to(Err("is on fire"));
    handle.refresh().expect_err("gone");
    clock.advance(SECOND);
    capture.take();
    handle.refresh().expect_err("gone");
    assert_eq!(
        capture.ours(),
        [
            "DEBUG dapr_token::reload: no tokens could be loaded error=the token source is on fire result=failed",
            "TRACE dapr_token::reload: the same tokens are in force age_seconds=1 generation=3 previous_expires_in_seconds=59",
        ],
        "every time, while the warning comes once"
    );
    handle.rotate(token(PREVIOUS)).expect("fits");
    assert_eq!(
        capture.ours(),
        [format!(
            "{OTHER} generation=4 previous_expires_in_seconds=60"
        )],
        "by hand"
    );
    let _ = handle.revoke_previous();
    assert_eq!(capture.ours(), [format!("{OTHER} generation=5")], "revoked");
}

#[tokio::test]
async fn o3_an_outbound_request_without_the_token_stands_out() {
    let capture = Capture::start();
    let (observer, _) = observer();
    let layer = InjectTokenLayer::builder()
        .token(token(TOKEN))
        .any_loopback_port()
        .keep_existing()
        .observer(observer)
        .build()
        .expect("valid");
    for (uri, existing, expected) in [
        (
            "http://127.0.0.1/",
            None,
            "TRACE dapr_token::injection: a request went out with a token result=injected",
        ),
        (
            "http://127.0.0.1/",
            Some("mine"),
            "TRACE dapr_token::injection: a request went out with a token result=kept_existing",
        ),
        (
            "http://evil.example/",
            None,
            "DEBUG dapr_token::injection: a request went out without the token result=origin_not_allowed",
        ),
    ] {
        let client = layer.layer(service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(()))
        }));
        let mut request = Request::get(uri);
        if let Some(existing) = existing {
            request = request.header("dapr-api-token", existing);
        }
        let sent = client.oneshot(request.body(()).expect("valid"));
        sent.await.expect("infallible");
        assert_eq!(capture.ours(), [expected], "{uri}");
    }
}

#[tokio::test]
async fn o3_no_line_holds_an_address_a_header_or_a_length() {
    // A length that nothing else has, so that its digits give it away.
    const LENGTH: usize = 973;
    let capture = Capture::start();
    let (observer, clock) = observer();
    let long = "k9".repeat(LENGTH / 2) + "k";
    assert_eq!(long.len(), LENGTH);
    let (layer, handle) = RequireTokenLayer::builder()
        .source(Says::tokens(&long))
        .clock(clock.clone())
        .observer(observer.clone())
        .build_with_handle()
        .expect("valid");
    let client = InjectTokenLayer::builder()
        .reader(handle.reader())
        .any_loopback_port()
        .observer(observer)
        .build()
        .expect("valid")
        .layer(service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(()))
        }));
    let requests = || {
        [&long[..], &long[1..], ""].map(|value| {
            Request::get("http://127.0.0.1/where-it-went?with=a-query")
                .header("user-agent", "an-agent")
                .header("dapr-api-token", value)
                .body(())
                .expect("valid")
        })
    };
    for request in requests() {
        send(&layer, request).await;
        clock.advance(11 * SECOND);
    }
    for request in requests() {
        client.clone().oneshot(request).await.expect("infallible");
    }
    handle.rotate(token(&long[..LENGTH - 1])).expect("fits");
    let ours = capture.ours();
    assert!(ours.len() > 8, "{ours:?}");
    for line in ours {
        for secret in [
            "where-it-went",
            "a-query",
            "user-agent",
            "an-agent",
            "127.0.0.1",
            "dapr-api-token",
            "k9",
            "973",
            "972",
        ] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[tokio::test]
async fn o3_t8_the_first_fetch_that_fails_is_warned_of_and_the_others_are_not() {
    use crate::issuer::Issuer;
    use crate::signing::{Key, NOW, Wall, forged, rules};

    let capture = Capture::start();
    let (observer, clock) = observer();
    let issuer = Issuer::with(&[&Key::new("known")]).await;
    let layer = RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .observer(observer)
        .jwks(issuer.url(), rules())
        .key_clock(clock.clone())
        .build()
        .await
        .expect("keys");
    let keys = || {
        let mut lines = capture.ours();
        lines.retain(|line| line.contains("dapr_token::keys"));
        lines
    };
    assert_eq!(
        keys(),
        ["DEBUG dapr_token::keys: keys were loaded keys=1 result=refreshed skipped=0"]
    );
    let failed = |level: &str, in_a_row: u32| {
        let origin = issuer.url().replace("/keys", "");
        format!(
            "{level} dapr_token::keys: no keys could be fetched, the last good ones stay error={origin} answered with \
             status 500: check the address in_a_row={in_a_row} result=failed"
        )
    };
    let unknown = "DEBUG dapr_token::keys: a token names a key that is not known result=unknown_kid waits=true";
    issuer.answers(500, "");
    for (level, in_a_row) in [("WARN", 1), ("DEBUG", 2), ("DEBUG", 3)] {
        clock.advance(31 * SECOND);
        let app = service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(()))
        });
        let refused = layer
            .layer(app)
            .oneshot(request(&[&forged("hunter2")]))
            .await;
        assert_eq!(refused.expect("infallible").status(), 401);
        assert_eq!(keys(), [unknown.to_owned(), failed(level, in_a_row)]);
    }
}
