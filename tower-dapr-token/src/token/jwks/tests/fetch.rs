//! What is asked of a real server on loopback, and what becomes of its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Response;
use tokio::net::TcpListener;

use super::super::client::Client;
use super::super::discovery::Discovery;
use super::super::roots::Roots;
use super::super::source::{KeySource, Place};
use super::super::task::{Refresh, Refreshed, Why};
use super::super::url::{KeyUrl, Plaintext};
use super::super::{Accepted, JwksError, JwksErrorKind, KeySetSink, RemoteKeys};
use super::support::{Names, Server, TokioClock, Told};
use crate::error::ConfigError;
use crate::token::KeyEvent;

type Source = KeySource<super::super::client::SystemConnector>;

/// Fetches without a schedule, one refresh at a time.
fn source(place: Place) -> (Source, Arc<Names>) {
    let names = Arc::new(Names::default());
    let tls = Roots::Unused.into_tls_config().expect("no roots to read");
    let source = KeySource::new(Client::new(tls), place, Arc::clone(&names) as _);
    (source, names)
}

fn key_set(url: &str) -> Place {
    Place::KeySet(KeyUrl::parse(url, Plaintext::Loopback).expect("valid"))
}

fn issuer(issuer: &str) -> Place {
    Place::Issuer(Discovery::new(issuer, Plaintext::Loopback).expect("valid"))
}

fn accepted(keys: usize, lifetime: Option<u64>) -> Result<Refreshed, JwksError> {
    Ok(Refreshed {
        accepted: Some(Accepted { keys, skipped: 0 }),
        lifetime: lifetime.map(Duration::from_secs),
    })
}

fn kind(result: Result<Refreshed, JwksError>) -> JwksErrorKind {
    result.expect_err("refused").kind()
}

#[tokio::test]
async fn t6_one_get_that_offers_no_compression_and_gives_no_body_away() {
    let server = Server::start(|_| Response::new(Names::document(&["a"]))).await;
    let url = format!("http://{}/keys?p=policy", server.address);
    let (mut source, names) = source(key_set(&url));
    assert_eq!(source.refresh(Why::Scheduled).await, accepted(1, None));
    assert!(names.holds("a"));
    let asked = server.asked();
    let [(target, headers)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(target, "/keys?p=policy");
    let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "connection",
            "host",
            "user-agent"
        ]
    );
    assert_eq!(headers["accept-encoding"], "identity");
    assert_eq!(headers["host"], server.address.to_string());
}

#[tokio::test]
async fn t6_an_etag_is_sent_back_and_304_keeps_the_keys() {
    let server = Server::start(|request| {
        let response = Response::builder().header("cache-control", "max-age=120");
        match request.headers().get("if-none-match") {
            None => response
                .header("etag", "\"v1\"")
                .body(Names::document(&["a"])),
            Some(_) => response.status(304).body(String::new()),
        }
        .expect("valid")
    })
    .await;
    let (mut source, names) = source(key_set(&format!("http://{}", server.address)));
    assert_eq!(source.refresh(Why::Scheduled).await, accepted(1, Some(120)));
    let unchanged = Ok(Refreshed {
        accepted: None,
        lifetime: Some(Duration::from_secs(120)),
    });
    assert_eq!(source.refresh(Why::Scheduled).await, unchanged);
    assert_eq!(source.refresh(Why::UnknownKid).await, unchanged);
    assert!(names.holds("a"));
    let sent: Vec<_> = server
        .asked()
        .into_iter()
        .map(|(_, headers)| headers.get("if-none-match").cloned())
        .collect();
    let etag = Some(http::HeaderValue::from_static("\"v1\""));
    assert_eq!(sent, [None, etag.clone(), etag]);
}

#[tokio::test]
async fn t6_t8_the_etag_of_a_refused_document_is_not_used() {
    let server = Server::start(|_| {
        let response = Response::builder().header("etag", "\"empty\"");
        response.body(Names::document(&[])).expect("valid")
    })
    .await;
    let (mut source, _) = source(key_set(&format!("http://{}", server.address)));
    for _ in 0..2 {
        let error = source.refresh(Why::Scheduled).await.expect_err("empty");
        assert_eq!(error.kind(), JwksErrorKind::NoUsableKey);
        assert_eq!(error.origin(), Some(&*format!("http://{}", server.address)));
    }
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .all(|(_, headers)| !headers.contains_key("if-none-match")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn t6_a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_| Response::new(Names::document(&["evil"]))).await;
    let location = format!("http://{}/keys", elsewhere.address);
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |_| {
            let response = Response::builder().status(status);
            let response = response.header("location", &location);
            response.body(Names::document(&["evil"])).expect("valid")
        })
        .await;
        let (mut source, names) = source(key_set(&format!("http://{}", server.address)));
        let result = source.refresh(Why::Scheduled).await;
        assert_eq!(kind(result), JwksErrorKind::Redirected, "{status}");
        assert!(!names.holds("evil"));
    }
    assert_eq!(elsewhere.targets(), Vec::<String>::new());
}

#[tokio::test]
async fn t6_nobody_there_is_told_with_the_address_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let (mut source, _) = source(key_set(&format!("http://{address}/keys?key=hunter2")));
    let error = source.refresh(Why::Scheduled).await.expect_err("refused");
    assert_eq!(error.kind(), JwksErrorKind::Unreachable);
    assert_eq!(error.origin(), Some(&*format!("http://{address}")));
    let printed = format!("{error} {error:?}");
    assert!(printed.contains("check the address"), "{printed}");
    assert!(
        !printed.contains("hunter2") && !printed.contains("/keys"),
        "{printed}"
    );
}

/// An issuer whose document names these, each in turn.
async fn discovering(documents: &'static [&'static str]) -> (Server, Arc<AtomicU32>) {
    let turn = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&turn);
    let server = Server::start(move |request| {
        let host = request.headers()["host"]
            .to_str()
            .expect("ASCII")
            .to_owned();
        let body = if request.uri().path().ends_with("/openid-configuration") {
            let turn = counted.fetch_add(1, Ordering::Relaxed) as usize;
            documents[turn.min(documents.len() - 1)].replace("HOST", &host)
        } else {
            Names::document(&[request.uri().path()])
        };
        Response::builder()
            .header("etag", "\"v1\"")
            .body(body)
            .expect("valid")
    })
    .await;
    (server, turn)
}

#[tokio::test]
async fn t6_discovery_is_read_with_every_scheduled_refresh_and_not_while_requests_wait() {
    let (server, _) = discovering(&[
        r#"{"issuer":"http://HOST/tenant","jwks_uri":"http://HOST/one"}"#,
        r#"{"issuer":"http://HOST/tenant","jwks_uri":"http://HOST/one"}"#,
        r#"{"issuer":"http://HOST/tenant","jwks_uri":"http://HOST/two"}"#,
    ])
    .await;
    let (mut source, names) = source(issuer(&format!("http://{}/tenant", server.address)));
    let document = "/tenant/.well-known/openid-configuration";
    for (why, targets) in [
        (Why::UnknownKid, vec![document, "/one"]),
        (Why::UnknownKid, vec!["/one"]),
        (Why::Scheduled, vec![document, "/one"]),
        (Why::Scheduled, vec![document, "/two"]),
        (Why::UnknownKid, vec!["/two"]),
    ] {
        assert_eq!(source.refresh(why).await, accepted(1, None));
        let asked = server.asked();
        let found: Vec<_> = asked.iter().map(|(target, _)| target.as_str()).collect();
        assert_eq!(found, targets);
        for (target, headers) in &asked {
            let is_known = headers.contains_key("if-none-match");
            assert!(!is_known || target != document, "discovery is read whole");
            assert!(
                !(is_known && why == Why::Scheduled && target == "/two"),
                "of another server"
            );
        }
    }
    assert!(names.holds("/two") && !names.holds("/one"));
}

#[tokio::test]
async fn t6_a_discovery_document_of_another_issuer_or_with_a_bad_address_fetches_no_keys() {
    let table: &[(&str, &'static [&'static str], JwksErrorKind)] = &[
        (
            "issuer",
            &[r#"{"issuer":"http://HOST/","jwks_uri":"http://HOST/k"}"#],
            JwksErrorKind::OtherIssuer,
        ),
        (
            "no JSON",
            &["<html></html>"],
            JwksErrorKind::NotADiscoveryDocument,
        ),
        (
            "a key set",
            &[r#"{"keys":[{"kid":"a"}]}"#],
            JwksErrorKind::NotADiscoveryDocument,
        ),
        (
            "address",
            &[r#"{"issuer":"http://HOST","jwks_uri":"http://user@HOST/k"}"#],
            JwksErrorKind::KeySetUrl("has user information"),
        ),
    ];
    for (name, documents, expected) in table {
        let (server, _) = discovering(documents).await;
        let (mut source, names) = source(issuer(&format!("http://{}", server.address)));
        let error = source.refresh(Why::Scheduled).await.expect_err("refused");
        assert_eq!(error.kind(), *expected, "{name}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("http://{} ", server.address)),
            "{name}: {error}"
        );
        assert_eq!(
            server.targets(),
            ["/.well-known/openid-configuration"],
            "{name}"
        );
        assert!(!names.holds("/k"), "{name}");
    }
}

#[tokio::test]
async fn t6_the_whole_of_it_from_the_public_builder_to_the_keys() {
    let version = Arc::new(AtomicU32::new(1));
    let served = Arc::clone(&version);
    let server = Server::start(move |_| {
        let newest = format!("key-{}", served.load(Ordering::Relaxed));
        Response::new(Names::document(&["old", &newest, "-unusable"]))
    })
    .await;
    let names = Arc::new(Names::default());
    let told = Arc::new(Told::default());
    let clock = TokioClock::start();
    let set = RemoteKeys::jwks(format!("http://{}/keys", server.address))
        .start(
            Arc::clone(&names) as _,
            Arc::clone(&clock) as _,
            Some(Arc::clone(&told) as _),
        )
        .expect("valid");
    set.first_load().await.expect("keys");
    assert!(!set.is_stale(Duration::from_secs(1)));
    version.store(2, Ordering::Relaxed);
    set.wait_for("key-2").expect("it may wait").await;
    assert!(names.holds("key-2") && !names.holds("key-1"));
    assert!(set.wait_for("key-3").is_none(), "in the pause");
    let refreshed = KeyEvent::Refreshed {
        keys: 2,
        skipped: 1,
    };
    let asked = |waits| KeyEvent::UnknownKid { waits };
    assert_eq!(
        told.take(),
        [refreshed.clone(), asked(true), refreshed, asked(false)]
    );
    assert_eq!(server.targets(), ["/keys", "/keys"]);
}

#[tokio::test]
async fn t6_the_same_from_an_issuer() {
    let (server, _) =
        discovering(&[r#"{"issuer":"http://HOST/tenant/","jwks_uri":"http://HOST/keys"}"#]).await;
    let names = Arc::new(Names::default());
    let set = RemoteKeys::discovery(format!("http://{}/tenant/", server.address))
        .start(Arc::clone(&names) as _, TokioClock::start(), None)
        .expect("valid");
    set.first_load().await.expect("keys");
    assert!(names.holds("/keys"));
    assert_eq!(
        server.targets(),
        ["/tenant/.well-known/openid-configuration", "/keys"]
    );
}

#[tokio::test]
async fn r9_a_dropped_set_closes_the_connection_of_its_fetch() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let set = RemoteKeys::jwks(format!("http://{address}/keys"))
        .start(Arc::new(Names::default()), TokioClock::start(), None)
        .expect("valid");
    let (mut stream, _) = listener.accept().await.expect("a connection");
    super::support::read_head(&mut stream).await;
    drop(set);
    let mut rest = [0; 1];
    let end = tokio::io::AsyncReadExt::read(&mut stream, &mut rest).await;
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn t6_http_to_another_machine_is_refused_at_configuration() {
    let told = Arc::new(Told::default());
    for keys in [
        RemoteKeys::jwks("http://192.0.2.1/keys"),
        RemoteKeys::discovery("http://login.example.com"),
    ] {
        let error = keys
            .start(
                Arc::new(Names::default()),
                TokioClock::start(),
                Some(Arc::clone(&told) as _),
            )
            .expect_err("refused");
        assert!(matches!(error, ConfigError::KeySetUrl { .. }), "{error}");
        assert!(
            error.to_string().contains("use an `https` address"),
            "{error}"
        );
    }
    assert_eq!(told.take(), []);
}

#[test]
fn o4_errors_of_keys_can_be_sent_anywhere_say_what_to_do_and_hold_no_secret() {
    fn sendable<T: std::error::Error + Send + Sync + 'static>() {}
    sendable::<JwksError>();

    let url = KeyUrl::parse("https://h/path-hunter2?key=hunter2", Plaintext::Never).expect("valid");
    let kinds = [
        JwksErrorKind::Unreachable,
        JwksErrorKind::Untrusted,
        JwksErrorKind::TimedOut,
        JwksErrorKind::Broken,
        JwksErrorKind::Redirected,
        JwksErrorKind::Status(500),
        JwksErrorKind::TooLarge,
        JwksErrorKind::Encoded,
        JwksErrorKind::NotAKeySet,
        JwksErrorKind::TooManyKeys,
        JwksErrorKind::NoUsableKey,
        JwksErrorKind::NotADiscoveryDocument,
        JwksErrorKind::OtherIssuer,
        JwksErrorKind::KeySetUrl("has user information"),
        JwksErrorKind::Panicked,
    ];
    for kind in kinds {
        let error = JwksError::from(kind).at(&url);
        let nested = ConfigError::KeySet {
            error: error.clone(),
        };
        let event = KeyEvent::Failed {
            error: error.clone(),
            in_a_row: 3,
        };
        let printed = format!("{error} {error:?} {nested} {nested:?} {event} {event:?}");
        assert!(printed.contains("https://h "), "{printed}");
        assert!(error.to_string().contains(':'), "what to do: {error}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
