//! No token in anything that can be printed.

use std::sync::Arc;

use http::{Request, Response};
use tower::{Layer, ServiceExt};
use tower_dapr_token::{
    ConfigError, InjectTokenLayer, LoadedTokens, Notice, Rejection, RequireTokenLayer, SourceError,
    Token, TokenHandle, TokenReader, TokenSet,
};

use crate::support::{NAME, Seen, TOKEN, Told, WRONG, request};

#[test]
fn o4_errors_can_be_sent_anywhere_and_outlive_what_they_tell_of() {
    fn sendable<T: Send + Sync + 'static>() {}

    sendable::<ConfigError>();
    sendable::<SourceError>();
    sendable::<Rejection>();
    sendable::<TokenHandle>();
    sendable::<TokenReader>();
    let built = TokenHandle::builder().file("/no-such-folder/token").build();
    let nested: Box<dyn std::error::Error + Send + Sync> = Box::new(built.expect_err("no file"));
    assert!(nested.to_string().contains("no token could be loaded"));
}

#[test]
fn c5_o4_no_token_is_printed_by_what_changes_tokens() {
    let token = || TOKEN.parse::<Token>().expect("valid");
    let told = Arc::new(Told::default());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, format!("{TOKEN}\nprevious-token-of-old\n")).expect("written");
    let builder = TokenHandle::builder().file(&path).observer(told.clone());
    let mut printed = vec![format!("{builder:?}")];
    let handle = builder.build().expect("a token");
    printed.push(format!("{handle:?} {handle:#?} {:?}", handle.reader()));
    let loaded = LoadedTokens::new(token()).add_previous(token());
    printed.push(format!("{loaded:?} {loaded:#?}"));
    printed.push(format!("{:?}", handle.reader().header_value()));
    for content in [
        format!("{TOKEN} {TOKEN}"),
        format!("{TOKEN}\n").repeat(9),
        TOKEN.repeat(4000),
        format!("{TOKEN}\u{fc}"),
    ] {
        std::fs::write(&path, content).expect("written");
        let error = handle.refresh().expect_err("not a token");
        printed.push(format!("{error} {error:?} {:?}", error.kind()));
        let notice = Notice::ReloadFailing(error.clone());
        printed.push(format!("{notice} {notice:?}"));
        let built = TokenHandle::builder().file(&path).build();
        let error = built.expect_err("not a token");
        printed.push(format!("{error} {error:?}"));
    }
    printed.extend(told.take());
    assert!(printed.iter().any(|text| text.contains("ReloadFailing")));
    for text in &printed {
        for secret in [TOKEN, &TOKEN[..12], "previous-token"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn c5_o4_no_token_is_printed_by_anything() {
    let token = || TOKEN.parse::<Token>().expect("valid");
    let told = Arc::new(Told::default());
    let inbound_builder = RequireTokenLayer::builder()
        .token(token())
        .add_previous("previous-token-of-old".parse().expect("valid"));
    let mut printed = vec![
        format!("{:?} {:#?}", token(), token()),
        format!("{:?}", TokenSet::new(token())),
        format!("{inbound_builder:?}"),
    ];
    let inbound = inbound_builder
        .keep_header()
        .with_extensions()
        .observer(told.clone())
        .build()
        .expect("valid");
    let outbound_builder = InjectTokenLayer::builder()
        .token(token())
        .any_loopback_port();
    printed.push(format!("{outbound_builder:?}"));
    let outbound = outbound_builder
        .observer(told.clone())
        .build()
        .expect("valid");
    printed.push(format!("{inbound:?} {outbound:?}"));

    for values in [&[TOKEN][..], &[WRONG], &[TOKEN, TOKEN], &[]] {
        let seen = Seen::default();
        let service = inbound.layer(seen.clone());
        let future = service.oneshot(request(values));
        let response = future.await.expect("infallible");
        printed.push(format!("{response:?} {:#?}", response.headers()));
        printed.push(format!("{:?}", seen.take()));
    }
    let client = outbound.layer(tower::service_fn(|request: Request<()>| async move {
        Ok::<_, std::convert::Infallible>(Response::new(format!("{request:?}")))
    }));
    printed.push(format!("{client:?}"));
    let sent = client.oneshot(Request::get("http://localhost/").body(()).expect("valid"));
    printed.push(sent.await.expect("infallible").into_body());
    for bad in [
        format!("{TOKEN} {TOKEN}"),
        format!("{TOKEN}\u{7}"),
        TOKEN.repeat(40),
    ] {
        let error = bad.parse::<Token>().expect_err("not a token");
        printed.push(format!("{error} {error:?}"));
        let environment = |_: &str| Some(std::ffi::OsString::from(&bad));
        let error = RequireTokenLayer::builder()
            .app_token()
            .environment(&environment)
            .build()
            .expect_err("not a token");
        printed.push(format!("{error} {error:?}"));
    }
    printed.extend(told.take());

    assert!(
        printed.iter().any(|text| text.contains(NAME)),
        "headers were printed"
    );
    for text in &printed {
        for secret in [TOKEN, WRONG, &TOKEN[..12], "previous-token"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
