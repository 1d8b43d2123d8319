//! The outbound flow through its public face.

use std::convert::Infallible;
use std::ffi::OsString;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{InjectTokenBuilder, InjectTokenLayer, Origin, TokenHandle, TokenSet};

use crate::support::{NAME, TOKEN, Told};

/// The headers with which a request to this address leaves the layer.
async fn sent(layer: &InjectTokenLayer, uri: &str, existing: &[&str]) -> HeaderMap {
    let client = layer.layer(service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(Response::new(request.headers().clone()))
    }));
    let mut request = Request::get(uri).header("accept", "*/*");
    for value in existing {
        request = request.header(NAME, *value);
    }
    let response = client.oneshot(request.body(()).expect("valid")).await;
    response.expect("infallible").into_body()
}

fn values(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(NAME)
        .iter()
        .map(|value| value.to_str().expect("text"))
        .collect()
}

fn environment(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    move |asked| {
        variables
            .iter()
            .find(|(name, _)| *name == asked)
            .map(|(_, value)| OsString::from(value))
    }
}

const BOTH: &[(&str, &str)] = &[
    ("DAPR_API_TOKEN", "the-dapr-token"),
    ("DAPR_API_TOKEN_PREVIOUS", "the-dapr-token-before"),
    ("APP_API_TOKEN", "the-app-token"),
];

const SIDECAR: &str = "http://127.0.0.1:3500/v1.0/secrets/store/name";
const APP: &str = "http://127.0.0.1:8080/orders";

#[tokio::test]
async fn i1_i7_each_preset_sends_its_own_current_token_to_its_own_side() {
    let environment = environment(BOTH);
    let builder = || InjectTokenLayer::builder().environment(&environment);
    let dapr = builder().dapr_token().build().expect("valid");
    let app = builder()
        .app_token()
        .add_origin("http://127.0.0.1:8080".parse().expect("valid"))
        .build()
        .expect("valid");
    for (name, layer, uri, expected) in [
        (
            "dapr to the sidecar",
            &dapr,
            SIDECAR,
            &["the-dapr-token"][..],
        ),
        ("dapr to an app", &dapr, APP, &[]),
        ("app to the app", &app, APP, &["the-app-token"]),
        ("app to the sidecar", &app, SIDECAR, &[]),
    ] {
        assert_eq!(values(&sent(layer, uri, &[]).await), expected, "{name}");
    }
}

#[tokio::test]
async fn i2_existing_values_are_overwritten_unless_kept() {
    let builder = || {
        InjectTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .any_loopback_port()
    };
    let overwrite = builder().build().expect("valid");
    let keep = builder().keep_existing().build().expect("valid");
    for (name, layer, existing, expected) in [
        ("none", &overwrite, &[][..], &[TOKEN][..]),
        ("one", &overwrite, &["mine"], &[TOKEN]),
        ("two", &overwrite, &["mine", "another"], &[TOKEN]),
        ("none, keep", &keep, &[], &[TOKEN]),
        ("one, keep", &keep, &["mine"], &["mine"]),
        ("two, keep", &keep, &["mine", "another"], &[TOKEN]),
    ] {
        let headers = sent(layer, SIDECAR, existing).await;
        assert_eq!(values(&headers), expected, "{name}");
        assert!(headers[NAME].is_sensitive(), "{name}");
        assert!(!format!("{headers:?}").contains(expected[0]), "{name}");
        assert_eq!(headers["accept"], "*/*", "{name}");
    }
}

#[tokio::test]
async fn i3_i5_other_origins_get_no_token_not_even_the_callers() {
    let told = Arc::new(Told::default());
    let builder = || {
        InjectTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .add_origin("https://dapr.example.com".parse().expect("valid"))
            .observer(told.clone())
    };
    let remove = builder().build().expect("valid");
    let leave = builder().leave_for_other_origins().build().expect("valid");
    // A redirect within one client: each hop is judged by its own address (I5).
    for (name, layer, uri, expected, event) in [
        (
            "allowed",
            &remove,
            "https://dapr.example.com/x",
            &[TOKEN][..],
            "Injected",
        ),
        (
            "another host",
            &remove,
            "https://evil.com/x",
            &[],
            "OriginNotAllowed",
        ),
        (
            "https to http",
            &remove,
            "http://dapr.example.com/x",
            &[],
            "OriginNotAllowed",
        ),
        (
            "another port",
            &remove,
            "https://dapr.example.com:444/x",
            &[],
            "OriginNotAllowed",
        ),
        (
            "subdomain",
            &remove,
            "https://a.dapr.example.com/x",
            &[],
            "OriginNotAllowed",
        ),
        (
            "user information",
            &remove,
            "https://dapr.example.com@evil.com/",
            &[],
            "OriginNotAllowed",
        ),
        ("no authority", &remove, "/x", &[], "OriginNotAllowed"),
        (
            "left on request",
            &leave,
            "https://evil.com/x",
            &["mine"],
            "OriginNotAllowed",
        ),
        (
            "and back",
            &remove,
            "https://dapr.example.com/x",
            &[TOKEN],
            "Injected",
        ),
    ] {
        assert_eq!(
            values(&sent(layer, uri, &["mine"]).await),
            expected,
            "{name}"
        );
        assert_eq!(told.take(), [event], "{name}");
    }
}

#[tokio::test]
async fn i3_with_another_header_name_the_default_one_stays_home_too() {
    let layer = InjectTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .any_loopback_port()
        .header_name(HeaderName::from_static("x-token"))
        .build()
        .expect("valid");
    assert!(values(&sent(&layer, "http://evil.example/", &["mine"]).await).is_empty());
    let headers = sent(&layer, SIDECAR, &[]).await;
    assert_eq!(headers["x-token"], TOKEN);
}

/// As many headers as a map can hold, these values of the token among them.
fn full(existing: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in existing {
        headers.append(NAME, value.parse().expect("a value"));
    }
    for i in 0.. {
        let name = HeaderName::try_from(format!("x-{i}")).expect("a name");
        let value = http::HeaderValue::from_static("x");
        if headers.try_insert(name, value).is_err() {
            break;
        }
    }
    assert_eq!(headers.keys_len(), 24_576, "all that http takes");
    headers
}

#[tokio::test]
async fn i2_a_full_header_map_keeps_no_value_that_is_not_ours_and_the_request_goes_on() {
    type Set = fn(InjectTokenBuilder<'static>) -> InjectTokenBuilder<'static>;
    let fixed: Set = |builder| builder.token(TOKEN.parse().expect("valid"));
    let followed: Set = |builder| {
        let tokens = TokenSet::new(TOKEN.parse().expect("valid"));
        builder.reader(TokenHandle::new(tokens).reader())
    };
    let keeping: Set = |builder| builder.token(TOKEN.parse().expect("valid")).keep_existing();
    // the setting, what the caller set, what goes out, what an observer is told
    let table: &[(&str, Set, &[&str], &[&str], &str)] = &[
        ("no value", fixed, &[], &[], "NoRoom"),
        ("one value", fixed, &["theirs"], &[TOKEN], "Injected"),
        (
            "two values",
            fixed,
            &["theirs", "others"],
            &[TOKEN],
            "Injected",
        ),
        ("no value, a reader", followed, &[], &[], "NoRoom"),
        (
            "one value, a reader",
            followed,
            &["theirs"],
            &[TOKEN],
            "Injected",
        ),
        ("no value, keeping", keeping, &[], &[], "NoRoom"),
        (
            "one value, keeping",
            keeping,
            &["mine"],
            &["mine"],
            "KeptExisting",
        ),
        (
            "two values, keeping",
            keeping,
            &["mine", "others"],
            &[TOKEN],
            "Injected",
        ),
    ];
    for (name, set, existing, expected, result) in table {
        let told = Arc::new(Told::default());
        let builder = || set(InjectTokenLayer::builder().any_loopback_port());
        for layer in [builder(), builder().observer(told.clone())] {
            let client = layer.build().expect("valid").layer(service_fn(
                |request: Request<()>| async move {
                    Ok::<_, Infallible>(Response::new(request.headers().clone()))
                },
            ));
            let mut request = Request::get(SIDECAR).body(()).expect("valid");
            *request.headers_mut() = full(existing);
            let sent = client.oneshot(request).await.expect("infallible");
            let sent = sent.into_body();
            assert_eq!(values(&sent), *expected, "{name}");
            assert!(
                sent.get_all(NAME)
                    .iter()
                    .all(http::HeaderValue::is_sensitive),
                "{name}"
            );
        }
        assert_eq!(told.take(), [*result], "{name}");

        let sidecar: Origin = "http://127.0.0.1:3500".parse().expect("an origin");
        let injector = builder().build_injector(sidecar).expect("valid");
        let mut headers = full(existing);
        let injection = injector.inject(&mut headers);
        assert_eq!(format!("{injection:?}"), *result, "{name}: headers alone");
        assert_eq!(values(&headers), *expected, "{name}: headers alone");
    }
}

#[tokio::test]
async fn i3_a_fixed_origin_serves_requests_without_an_authority() {
    let fixed = |origin: &str| {
        InjectTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .for_fixed_origin(origin.parse().expect("valid"))
            .build()
    };
    let loopback = fixed("http://127.0.0.1:50001").expect("valid");
    let path = "/dapr.proto.runtime.v1.Dapr/GetSecret";
    assert_eq!(values(&sent(&loopback, path, &[]).await), [TOKEN]);
    assert!(values(&sent(&loopback, "http://evil.com/", &[]).await).is_empty());
    let unix = InjectTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .for_fixed_origin(Origin::unix())
        .build()
        .expect("valid");
    assert_eq!(values(&sent(&unix, path, &[]).await), [TOKEN]);
    assert!(
        fixed("http://dapr.example.com").is_err(),
        "I4 holds for it too"
    );
}

#[tokio::test]
async fn i1_unset_is_an_error_unless_optional_which_is_told_once() {
    let nothing = environment(&[("APP_API_TOKEN", "the-app-token"), ("BLANK", " ")]);
    let told = Arc::new(Told::default());
    let builder = || {
        InjectTokenLayer::builder()
            .environment(&nothing)
            .observer(told.clone())
    };
    let error = builder()
        .dapr_token()
        .build()
        .expect_err("unset")
        .to_string();
    assert!(error.contains("DAPR_API_TOKEN is not set"), "{error}");

    let optional = builder().dapr_token().optional().build().expect("optional");
    let notices = told.take();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("DAPR_API_TOKEN is not set: requests go out without a token"));
    for _ in 0..2 {
        assert_eq!(
            values(&sent(&optional, SIDECAR, &["mine"]).await),
            ["mine"],
            "a no-op"
        );
        assert_eq!(told.take(), ["NoToken"]);
    }
    for uri in ["http://evil.example/", "/"] {
        assert!(
            values(&sent(&optional, uri, &["mine"]).await).is_empty(),
            "{uri}: I3 holds without a token too"
        );
        assert_eq!(told.take(), ["OriginNotAllowed"]);
    }
    let blank = builder()
        .env_var("BLANK")
        .any_loopback_port()
        .optional()
        .build();
    assert!(blank.is_err(), "set to what cannot be a token");
}

#[test]
fn i1_i3_i4_every_mistake_is_an_error_before_the_first_request() {
    let environment = environment(BOTH);
    let builder = || InjectTokenLayer::builder().environment(&environment);
    let remote = || "http://dapr.example.com".parse().expect("valid");
    for (name, builder, expected) in [
        ("no source", builder(), "name a source"),
        (
            "two sources",
            builder().app_token().dapr_token(),
            "name exactly one",
        ),
        (
            "no origin",
            builder().app_token(),
            "no origin may get the token",
        ),
        (
            "plain http elsewhere",
            builder().dapr_token().add_origin(remote()),
            "allow_plaintext",
        ),
        (
            "header name",
            builder()
                .dapr_token()
                .header_name(HeaderName::from_static("x-token-bin")),
            "`x-token-bin` cannot carry the token",
        ),
    ] {
        let error = builder.build().expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    for (text, expected) in [
        ("dapr.example.com", "has no scheme"),
        ("ftp://host", "has no scheme that can carry a token"),
        ("https://user:password@host", "has user information"),
        ("", "is not a valid address"),
    ] {
        let error = text.parse::<Origin>().expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("password"), "{text}: {error}");
    }
}

#[tokio::test]
async fn i5_below_a_redirect_layer_each_hop_is_judged_anew() {
    use std::sync::Mutex;

    use http::header::LOCATION;
    use tower::ServiceBuilder;
    use tower_http::follow_redirect::FollowRedirectLayer;

    // The sidecar sends the client away, and the stranger sends it back.
    let hops = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&hops);
    let server = service_fn(move |request: Request<String>| {
        let uri = request.uri().to_string();
        let next = match uri.as_str() {
            "http://127.0.0.1:3500/first" => Some("https://evil.example/second"),
            "https://evil.example/second" => Some("http://127.0.0.1:3500/third"),
            _ => None,
        };
        let token = request.headers().contains_key(NAME);
        seen.lock().expect("no test panicked").push((uri, token));
        let response = Response::builder().status(if next.is_some() { 302 } else { 200 });
        let response = next
            .into_iter()
            .fold(response, |response, next| response.header(LOCATION, next));
        std::future::ready(Ok::<_, Infallible>(
            response.body(String::new()).expect("valid"),
        ))
    });
    let inject = InjectTokenLayer::builder()
        .dapr_token()
        .environment(&environment(BOTH))
        .build()
        .expect("valid");
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(inject)
        .service(server);
    let request = Request::get("http://127.0.0.1:3500/first").body(String::new());
    let response = client.oneshot(request.expect("valid")).await;
    assert_eq!(response.expect("infallible").status(), 200);
    assert_eq!(
        *hops.lock().expect("no test panicked"),
        [
            ("http://127.0.0.1:3500/first".to_owned(), true),
            ("https://evil.example/second".to_owned(), false),
            // Why such a client should follow no redirect: a stranger can send it back, token included.
            ("http://127.0.0.1:3500/third".to_owned(), true),
        ]
    );
}
