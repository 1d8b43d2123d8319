//! The check and the injection on headers alone, beside the layers.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Response};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt};
use tower_dapr_token::{
    Authenticated, ConfigError, Exempt, HeaderVerifier, InjectTokenLayer, Injection, Origin,
    Protocol, RejectionKind, RequireTokenBuilder, RequireTokenLayer, TokenHandle, TokenSet,
};

use crate::support::{NAME, Seen, TOKEN, Told, WRONG, request};

fn one_token() -> RequireTokenBuilder<'static> {
    RequireTokenLayer::builder().token(TOKEN.parse().expect("valid"))
}

fn headers(values: &[&str]) -> HeaderMap {
    request(values).headers().clone()
}

/// An answer as lines, in the order of the alphabet, and its body.
fn lines<B>(response: &Response<B>) -> Vec<String> {
    let mut lines: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    lines.push(response.status().to_string());
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn e2_e5_j1_j2_headers_are_judged_and_answered_as_by_the_layer() {
    let too_long = "x".repeat(1025);
    let table = [
        ("the token", vec![TOKEN], None),
        ("none", vec![], Some(RejectionKind::Missing)),
        ("wrong", vec![WRONG], Some(RejectionKind::Mismatch)),
        ("empty", vec![""], Some(RejectionKind::Empty)),
        ("twice", vec![TOKEN, TOKEN], Some(RejectionKind::Ambiguous)),
        ("too long", vec![&too_long], Some(RejectionKind::TooLarge)),
    ];
    for builder in [one_token, || one_token().daprd_compat()] {
        let layer = builder().build().expect("valid");
        let verifier = builder().build_verifier().expect("valid");
        for (name, values, expected) in &table {
            for protocol in [Protocol::Http, Protocol::Grpc] {
                let mut asked = request(values);
                if protocol == Protocol::Grpc {
                    *asked.version_mut() = http::Version::HTTP_2;
                    let grpc = "application/grpc".parse().expect("a value");
                    asked.headers_mut().insert("content-type", grpc);
                }
                let mut given = asked.headers().clone();
                let verdict = verifier.verify(&mut given, protocol);
                assert!(!given.contains_key(NAME), "{name}: taken out");
                let by_layer = layer.layer(Seen::default()).oneshot(asked).await;
                let by_layer = by_layer.expect("infallible");
                let Some(expected) = expected else {
                    assert_eq!(verdict.expect(name).slot(), Some(0));
                    continue;
                };
                let rejection = verdict.expect_err(name);
                assert_eq!(rejection.kind(), *expected, "{name}");
                assert_eq!(rejection.protocol(), protocol, "{name}");
                let answer = verifier.answer(&rejection);
                assert_eq!(lines(&answer), lines(&by_layer), "{name}, {protocol:?}");
                let body = by_layer.into_body().collect().await.expect("a body");
                assert_eq!(*answer.body(), body.to_bytes(), "{name}, {protocol:?}");
            }
        }
    }
}

#[test]
fn j2_a_content_type_does_not_make_http_headers_grpc() {
    let verifier = HeaderVerifier::new(TOKEN.parse().expect("valid"));
    let mut given = headers(&[WRONG]);
    let grpc = "application/grpc".parse().expect("a value");
    given.insert("content-type", grpc);
    let rejection = verifier
        .verify(&mut given, Protocol::Http)
        .expect_err("wrong");
    assert_eq!(verifier.answer(&rejection).status(), 401);
}

#[test]
fn e6_a_mark_is_made_only_if_that_was_asked_for_and_replaces_what_is_there() {
    let marks = |builder: RequireTokenBuilder<'_>, extensions: &mut Extensions| {
        let verifier = builder.build_verifier().expect("valid");
        let mut given = headers(&[TOKEN]);
        let authenticated = verifier.verify(&mut given, Protocol::Http).expect("right");
        verifier.mark(extensions, authenticated);
    };
    let mut extensions = Extensions::new();
    marks(one_token(), &mut extensions);
    assert!(extensions.is_empty(), "off by default");

    let previous = "the-token-before-it".parse().expect("valid");
    let swapped = RequireTokenLayer::builder()
        .token(previous)
        .add_previous(TOKEN.parse().expect("valid"));
    marks(swapped.with_extensions(), &mut extensions);
    let slot = |extensions: &Extensions| {
        let mark = extensions.get::<Authenticated>();
        mark.and_then(Authenticated::slot)
    };
    assert_eq!(slot(&extensions), Some(1));
    marks(one_token().with_extensions(), &mut extensions);
    assert_eq!(slot(&extensions), Some(0), "replaced");
    assert!(extensions.get::<Exempt>().is_none());
}

#[test]
fn r6_r8_a_verifier_follows_its_tokens_and_refuses_a_source_that_has_none() {
    let handle = TokenHandle::new(TokenSet::new(WRONG.parse().expect("valid")));
    let verifier = RequireTokenLayer::builder()
        .reader(handle.reader())
        .build_verifier()
        .expect("valid");
    let clone = verifier.clone();
    let accepts = |verifier: &HeaderVerifier, token| {
        let mut given = headers(&[token]);
        verifier.verify(&mut given, Protocol::Http).is_ok()
    };
    assert!(accepts(&verifier, WRONG) && !accepts(&verifier, TOKEN));
    handle.rotate(TOKEN.parse().expect("valid")).expect("fits");
    assert_eq!(handle.revoke_previous(), 1);
    for verifier in [&verifier, &clone] {
        assert!(accepts(verifier, TOKEN) && !accepts(verifier, WRONG));
    }

    let nowhere = RequireTokenLayer::builder().file("/there/is/no/such/file");
    let error = nowhere.build_verifier().expect_err("nothing to load");
    assert!(matches!(error, ConfigError::TokenSource { .. }), "{error}");
}

#[test]
fn i2_i8_an_injector_overwrites_what_is_there_and_prints_nothing() {
    let told = Arc::new(Told::default());
    let origin: Origin = "https://a.example".parse().expect("an origin");
    let injector = InjectTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .add_origin(origin.clone())
        .observer(told.clone())
        .build_injector(origin)
        .expect("valid");
    for before in [&[][..], &[WRONG], &[WRONG, TOKEN]] {
        let mut given = headers(before);
        assert_eq!(injector.inject(&mut given), Injection::Injected);
        let values: Vec<_> = given.get_all(NAME).iter().collect();
        assert_eq!(values, [TOKEN], "{before:?}");
        assert!(values[0].is_sensitive());
    }
    assert_eq!(told.take(), ["Injected"; 3]);
    let verifier = HeaderVerifier::new(TOKEN.parse().expect("valid"));
    let printed = format!("{injector:?} {verifier:?}");
    assert!(!printed.contains(TOKEN), "{printed}");
}
