//! The injecting interceptor by itself: which origins it is built for, and what it does to the metadata.

use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use tonic::Request;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic_dapr_token::tower_dapr_token::Injection;
use tonic_dapr_token::{ConfigError, InjectTokenInterceptor, Observer, Origin};

use crate::support::{NAME, TOKEN, WRONG, with};

fn origin(text: &str) -> Origin {
    match text {
        "unix" => Origin::unix(),
        text => match text.strip_suffix(" pardoned") {
            Some(text) => origin(text).allow_plaintext(),
            None => text.parse().expect("an origin"),
        },
    }
}

fn sent(interceptor: &mut InjectTokenInterceptor, values: &[&str]) -> MetadataMap {
    let request = interceptor.call(with((), values)).expect("never refused");
    request.into_parts().0
}

fn values(metadata: &MetadataMap) -> Vec<String> {
    let values = metadata.get_all(NAME).iter();
    values
        .map(|value| value.to_str().expect("ASCII").to_owned())
        .collect()
}

/// What became of an origin.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Sends,
    NotAllowed,
    Plaintext,
}

fn verdict(built: Result<InjectTokenInterceptor, ConfigError>) -> Verdict {
    match built {
        Ok(mut interceptor) => {
            assert_eq!(values(&sent(&mut interceptor, &[])), [TOKEN]);
            Verdict::Sends
        }
        Err(ConfigError::OriginNotAllowed { .. }) => Verdict::NotAllowed,
        Err(ConfigError::PlaintextOrigin { .. }) => Verdict::Plaintext,
        Err(other) => unreachable!("{other}"),
    }
}

#[test]
fn i3_i4_i8_the_dapr_token_is_built_for_daprs_origins_alone() {
    use Verdict::{NotAllowed, Plaintext, Sends};

    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, Verdict);
    let ports = &[("DAPR_GRPC_PORT", "50002"), ("DAPR_HTTP_PORT", "3600")][..];
    let tls = &[("DAPR_GRPC_ENDPOINT", "https://dapr.example.com")][..];
    let plain = &[("DAPR_GRPC_ENDPOINT", "http://dapr.example.com:50001")][..];
    let table: &[Case<'_>] = &[
        ("default gRPC port", &[], "http://127.0.0.1:50001", Sends),
        ("by name", &[], "http://localhost:50001", Sends),
        ("default HTTP port", &[], "http://127.0.0.1:3500", Sends),
        ("IPv6", &[], "http://[::1]:50001", Sends),
        ("mapped", &[], "http://[::ffff:127.0.0.1]:50001", Sends),
        ("TLS on loopback", &[], "https://localhost:50001", Sends),
        ("a socket", &[], "unix", Sends),
        ("other port", &[], "http://127.0.0.1:50002", NotAllowed),
        ("configured", ports, "http://127.0.0.1:50002", Sends),
        ("was default", ports, "http://127.0.0.1:50001", NotAllowed),
        ("other host", &[], "https://dapr.example.com", NotAllowed),
        (
            "look-alike",
            &[],
            "https://localhost.evil.example:50001",
            NotAllowed,
        ),
        ("endpoint", tls, "https://dapr.example.com", Sends),
        ("its letters", tls, "https://DAPR.example.com:443", Sends),
        ("its port", tls, "https://dapr.example.com:444", NotAllowed),
        ("its scheme", tls, "http://dapr.example.com", NotAllowed),
        ("its suffix", tls, "https://x.dapr.example.com", NotAllowed),
        ("loopback beside it", tls, "http://127.0.0.1:50001", Sends),
        (
            "unencrypted",
            plain,
            "http://dapr.example.com:50001",
            Plaintext,
        ),
        (
            "unencrypted, and it is meant",
            plain,
            "http://dapr.example.com:50001 pardoned",
            Sends,
        ),
        (
            "a pardon lists nothing",
            &[],
            "http://dapr.example.com:50001 pardoned",
            NotAllowed,
        ),
        // The layer refuses to be built with such an endpoint; this token cannot go there.
        (
            "beside an unencrypted one",
            plain,
            "http://127.0.0.1:50001",
            Sends,
        ),
    ];
    for (name, variables, to, expected) in table {
        let environment = |asked: &str| {
            let set = variables.iter().find(|(name, _)| *name == asked);
            match set {
                None if asked == "DAPR_API_TOKEN" => Some(OsString::from(TOKEN)),
                set => set.map(|(_, value)| OsString::from(value)),
            }
        };
        let built = InjectTokenInterceptor::builder()
            .dapr_token()
            .environment(&environment)
            .build_injector(origin(to));
        assert_eq!(verdict(built.map(Into::into)), *expected, "{name}: {to}");
    }
}

#[test]
fn i3_i4_i8_any_other_token_is_built_for_listed_origins_alone() {
    use Verdict::{NotAllowed, Plaintext, Sends};

    let builder = || InjectTokenInterceptor::builder().token(TOKEN.parse().expect("valid"));
    let table = [
        ("none", vec![], "https://a.example", NotAllowed),
        ("none, loopback", vec![], "http://127.0.0.1:1", NotAllowed),
        ("none, a socket", vec![], "unix", Sends),
        (
            "listed",
            vec!["https://a.example"],
            "https://a.example",
            Sends,
        ),
        (
            "another",
            vec!["https://a.example"],
            "https://b.example",
            NotAllowed,
        ),
        (
            "one of two",
            vec!["https://a.example", "https://b.example"],
            "https://b.example",
            Sends,
        ),
        (
            "unencrypted",
            vec!["http://a.example"],
            "http://a.example",
            Plaintext,
        ),
        (
            "pardoned where it is listed",
            vec!["http://a.example pardoned"],
            "http://a.example",
            Sends,
        ),
        (
            "pardoned where it is named",
            vec!["http://a.example"],
            "http://a.example pardoned",
            Sends,
        ),
    ];
    for (name, listed, to, expected) in table {
        let builder = listed.into_iter().fold(builder(), |builder, listed| {
            builder.add_origin(origin(listed))
        });
        let built = builder.build_injector(origin(to));
        assert_eq!(verdict(built.map(Into::into)), expected, "{name}");
    }
    let anywhere = builder().any_loopback_port();
    let built = anywhere.build_injector(origin("http://127.0.0.1:1"));
    assert_eq!(verdict(built.map(Into::into)), Sends, "any loopback port");

    let new = |to| InjectTokenInterceptor::new(TOKEN.parse().expect("valid"), origin(to));
    assert_eq!(verdict(new("https://a.example")), Sends);
    assert_eq!(verdict(new("http://127.0.0.1:1")), Sends);
    assert_eq!(verdict(new("http://a.example")), Plaintext);
}

#[test]
fn i1_i8_settings_that_cannot_hold_are_errors() {
    let here = || origin("http://127.0.0.1:1");
    let builder = || InjectTokenInterceptor::builder().add_origin(here());
    let token = || TOKEN.parse().expect("valid");
    let unset = |_: &str| None;
    let table = [
        ("no source", builder(), "no token was configured"),
        (
            "unset",
            builder().app_token().environment(&unset),
            "APP_API_TOKEN is not set",
        ),
        (
            "two sources",
            builder().token(token()).app_token(),
            "several token sources",
        ),
        (
            "an address per request",
            builder().token(token()).leave_for_other_origins(),
            "leave_for_other_origins() has no effect on headers alone",
        ),
    ];
    for (name, builder, expected) in table {
        let error = builder.build_injector(here()).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn i2_every_value_is_overwritten_and_the_new_one_is_marked_sensitive() {
    let here = origin("http://127.0.0.1:1");
    let mut inject =
        InjectTokenInterceptor::new(TOKEN.parse().expect("valid"), here.clone()).expect("valid");
    for before in [&[][..], &[WRONG], &[TOKEN], &[WRONG, TOKEN, ""]] {
        let metadata = sent(&mut inject, before);
        assert_eq!(values(&metadata), [TOKEN], "{before:?}");
        let headers: &http::HeaderMap = metadata.as_ref();
        assert!(headers[NAME].is_sensitive(), "{before:?}");
        assert!(!format!("{metadata:?}").contains(TOKEN));
    }
    let mut clone = inject.clone();
    assert_eq!(values(&sent(&mut clone, &[WRONG])), [TOKEN]);
    assert!(!format!("{inject:?}").contains(TOKEN));

    let mut keeping: InjectTokenInterceptor = InjectTokenInterceptor::builder()
        .token(TOKEN.parse().expect("valid"))
        .add_origin(here.clone())
        .keep_existing()
        .build_injector(here)
        .expect("valid")
        .into();
    for (before, after) in [
        (&[][..], TOKEN),
        (&[WRONG], WRONG),
        (&[WRONG, WRONG], TOKEN),
    ] {
        assert_eq!(values(&sent(&mut keeping, before)), [after], "{before:?}");
    }
}

#[test]
fn i1_i2_no_call_fails_for_want_of_a_token_and_an_observer_is_told() {
    #[derive(Default)]
    struct Told(Mutex<Vec<Injection>>);

    impl Observer for Told {
        fn on_injection(&self, injection: Injection) {
            self.0.lock().expect("no test panicked").push(injection);
        }
    }

    let told = Arc::new(Told::default());
    let build = |token: Option<&'static str>| -> InjectTokenInterceptor {
        let here = origin("http://127.0.0.1:50001");
        InjectTokenInterceptor::builder()
            .dapr_token()
            .environment(&|name: &str| {
                token
                    .filter(|_| name == "DAPR_API_TOKEN")
                    .map(OsString::from)
            })
            .optional()
            .observer(told.clone())
            .build_injector(here)
            .expect("valid")
            .into()
    };
    let request = |interceptor: &mut InjectTokenInterceptor| {
        let request = interceptor.call(Request::new(())).expect("never refused");
        values(request.metadata())
    };
    assert!(request(&mut build(None)).is_empty());
    assert_eq!(request(&mut build(Some(TOKEN))), [TOKEN]);
    let told = told.0.lock().expect("no test panicked");
    assert_eq!(*told, [Injection::NoToken, Injection::Injected]);
}
