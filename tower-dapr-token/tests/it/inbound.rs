//! The inbound flow through its public face.

use std::ffi::OsString;
use std::sync::Arc;

use http::{HeaderName, Method, Request};
use tower_dapr_token::{Authenticated, ConfigError, Exempt, RequireTokenLayer, TokenSet};

use crate::support::{NAME, TOKEN, Told, WRONG, layer, request, send};

fn token(text: &str) -> tower_dapr_token::Token {
    text.parse().expect("valid")
}

#[tokio::test]
async fn e1_e2_e3_j1_what_is_accepted_and_what_is_refused() {
    const MISSING: &str = r#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#;
    const INVALID: &str = r#"{"errorCode":"ERR_API_TOKEN_INVALID","message":"invalid api token"}"#;
    let trailing_space = format!("{TOKEN} ");
    let with_comma = format!("{TOKEN},{TOKEN}");
    let upper = TOKEN.to_uppercase();
    let long = "x".repeat(2000);
    let table: &[(&str, &[&str], u16, &str)] = &[
        ("right", &[TOKEN], 200, "inner"),
        ("none", &[], 401, MISSING),
        ("wrong in the last byte", &[WRONG], 401, INVALID),
        ("empty", &[""], 401, INVALID),
        ("right twice", &[TOKEN, TOKEN], 401, INVALID),
        ("right, then wrong", &[TOKEN, WRONG], 401, INVALID),
        ("wrong, then right", &[WRONG, TOKEN], 401, INVALID),
        ("prefix", &[&TOKEN[..20]], 401, INVALID),
        ("space behind", &[&trailing_space], 401, INVALID),
        ("joined by a comma", &[&with_comma], 401, INVALID),
        ("other letter case", &[&upper], 401, INVALID),
        ("2,000 bytes", &[&long], 401, INVALID),
    ];
    for (name, values, status, body) in table {
        let (answer, seen) = send(&layer(), request(values)).await;
        assert_eq!(answer.status, *status, "{name}");
        assert_eq!(answer.body, body.as_bytes(), "{name}");
        assert_eq!(seen.is_some(), *status == 200, "{name}: the inner service");
        if let Some(headers) = seen {
            assert!(!headers.contains_key(NAME), "{name}: stripped (E5)");
        }
    }
}

#[tokio::test]
async fn c1_c2_both_tokens_of_a_rotation_are_accepted() {
    let layer = RequireTokenLayer::builder()
        .token(token("the-current-token"))
        .add_previous(token("the-previous-token"))
        .with_extensions()
        .build()
        .expect("valid");
    for (value, status) in [
        ("the-current-token", 200),
        ("the-previous-token", 200),
        ("the-one-before-that", 401),
    ] {
        assert_eq!(
            send(&layer, request(&[value])).await.0.status,
            status,
            "{value}"
        );
    }
}

#[tokio::test]
async fn e6_extensions_are_set_on_request_and_never_believed() {
    use tower::{Layer, ServiceExt, service_fn};

    let marks = |layer: RequireTokenLayer| {
        layer.layer(service_fn(|request: Request<()>| async move {
            let slot = request
                .extensions()
                .get::<Authenticated>()
                .map(Authenticated::slot);
            let exempt = request.extensions().get::<Exempt>().is_some();
            Ok::<_, std::convert::Infallible>(http::Response::new(format!("{slot:?} {exempt}")))
        }))
    };
    let builder = || {
        RequireTokenLayer::builder()
            .token(token("the-current-token"))
            .add_previous(token("the-previous-token"))
            .http_health()
    };
    let with = marks(builder().with_extensions().build().expect("valid"));
    let without = marks(builder().build().expect("valid"));
    let ask = |value: Option<&str>| {
        let mut request = Request::get("/healthz");
        if let Some(value) = value {
            request = request.header(NAME, value);
        }
        request.body(()).expect("valid")
    };
    for (name, value, expected) in [
        ("current", Some("the-current-token"), "Some(Some(0)) false"),
        (
            "previous",
            Some("the-previous-token"),
            "Some(Some(1)) false",
        ),
        ("exempt", None, "None true"),
        ("exempt with a wrong token", Some("wrong"), "None true"),
    ] {
        let marked = with.clone().oneshot(ask(value)).await.expect("infallible");
        assert_eq!(marked.into_body_text().await, expected, "{name}");
        let unmarked = without
            .clone()
            .oneshot(ask(value))
            .await
            .expect("infallible");
        assert_eq!(
            unmarked.into_body_text().await,
            "None false",
            "{name}: off by default"
        );
    }
    // Two layers, one inside the other: the inner one's word replaces the outer one's.
    let open = RequireTokenLayer::builder()
        .insecure_allow_all()
        .with_extensions()
        .build()
        .expect("valid");
    let both = open.layer(with);
    let answered = both.oneshot(ask(None)).await.expect("infallible");
    assert_eq!(answered.into_body_text().await, "None true");
}

trait BodyText {
    async fn into_body_text(self) -> String;
}

impl<B> BodyText for http::Response<B>
where
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    async fn into_body_text(self) -> String {
        use http_body_util::BodyExt as _;
        let bytes = self.into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("text")
    }
}

#[tokio::test]
async fn e1_e4_e5_the_options_of_extraction() {
    let named = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .header_name(HeaderName::from_static("x-token"))
        .build()
        .expect("valid");
    let (answer, _) = send(&named, request(&[TOKEN])).await;
    assert_eq!(answer.status, 401, "the default name no longer counts");
    let custom = Request::get("/")
        .header("x-token", TOKEN)
        .header(NAME, "other");
    let (answer, seen) = send(&named, custom.body(()).expect("valid")).await;
    assert_eq!(answer.status, 200);
    assert!(
        seen.expect("came through").is_empty(),
        "both names are stripped"
    );

    let kept = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .keep_header()
        .build()
        .expect("valid");
    let (_, seen) = send(&kept, request(&[TOKEN])).await;
    let value = seen.expect("came through")[NAME].clone();
    assert!(value.is_sensitive(), "kept, and marked");
    assert_eq!(send(&kept, request(&[TOKEN, TOKEN])).await.0.status, 401);
    assert_eq!(send(&kept, request(&[WRONG])).await.0.status, 401);

    let twins = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .strip_underscore_variants()
        .build()
        .expect("valid");
    let twin = Request::get("/")
        .header("dapr_api_token", "x")
        .header(NAME, TOKEN);
    let (_, seen) = send(&twins, twin.body(()).expect("valid")).await;
    assert!(seen.expect("came through").is_empty());

    let both = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .header_name(HeaderName::from_static("x-token"))
        .strip_underscore_variants()
        .build()
        .expect("valid");
    let twins = Request::get("/")
        .header("x-token", TOKEN)
        .header("x_token", "x")
        .header("dapr_api_token", "x")
        .header(NAME, "x")
        .header("x-other", "x");
    let (_, seen) = send(&both, twins.body(()).expect("valid")).await;
    let seen = seen.expect("came through");
    assert_eq!(seen.len(), 1, "four names are stripped: {seen:?}");
    assert!(seen.contains_key("x-other"));

    let told = Arc::new(Told::default());
    let limited = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .max_value_len(TOKEN.len())
        .observer(told.clone())
        .build()
        .expect("valid");
    assert_eq!(send(&limited, request(&[TOKEN])).await.0.status, 200);
    let longer = format!("{TOKEN}x");
    assert_eq!(send(&limited, request(&[&longer])).await.0.status, 401);
    assert!(
        told.take()[1].contains("TooLarge"),
        "refused by the lowered limit"
    );
}

#[tokio::test]
async fn r1_insecure_allow_all_lets_everything_through_and_says_so() {
    let told = Arc::new(Told::default());
    let open = RequireTokenLayer::builder()
        .insecure_allow_all()
        .observer(told.clone())
        .build()
        .expect("valid");
    assert!(
        told.take()
            .iter()
            .any(|notice| notice.starts_with("NotEnforcing"))
    );
    for values in [&[][..], &[WRONG], &[TOKEN, TOKEN]] {
        let (answer, seen) = send(&open, request(values)).await;
        assert_eq!(answer.status, 200);
        assert!(
            !seen.expect("came through").contains_key(NAME),
            "stripped all the same"
        );
    }
}

#[tokio::test]
async fn o1_an_observer_is_told_of_each_decision() {
    let told = Arc::new(Told::default());
    let layer = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .http_health()
        .observer(told.clone())
        .build()
        .expect("valid");
    assert_eq!(
        told.take(),
        [
            r#"Exemptions(ExemptionList { pairs: [(GET, "/healthz")], cors_preflight: false }): no token is needed for GET /healthz"#
        ],
        "x4: the list is told once, in build()"
    );
    let grpc = Request::post("/a.B/C")
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .body(())
        .expect("valid");
    for (request, expected) in [
        (
            request(&[TOKEN]),
            "Decision { outcome: Allowed { slot: Some(0) }, protocol: Http, mode: Static }",
        ),
        (
            request(&[]),
            "Decision { outcome: Denied(Rejection { kind: Missing, protocol: Http }), protocol: Http, mode: Static }",
        ),
        (
            grpc,
            "Decision { outcome: Denied(Rejection { kind: Missing, protocol: Grpc }), protocol: Grpc, mode: Static }",
        ),
        (
            Request::get("/healthz").body(()).expect("valid"),
            "Decision { outcome: Exempt, protocol: Http, mode: Static }",
        ),
    ] {
        send(&layer, request).await;
        let [told] = told.take().try_into().expect("told once");
        // With JWTs compiled in, a decision also says what their cache had to do with it: nothing.
        assert_eq!(told.replace(", cache: None", ""), expected);
    }
}

#[test]
fn c1_short_tokens_and_commas_give_a_notice() {
    let told = Arc::new(Told::default());
    let _layer = RequireTokenLayer::builder()
        .token(token("short,token"))
        .observer(told.clone())
        .build()
        .expect("valid");
    let told = told.take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("ShortToken: "), "{told:?}");
    assert!(told[1].starts_with("TokenWithComma: "), "{told:?}");
}

#[test]
fn r1_every_mistake_is_an_error_before_the_first_request_and_says_what_to_do() {
    let environment = |name: &str| match name {
        "DAPR_API_TOKEN" => Some(OsString::from("dapr-token-of-the-sidecar")),
        "EMPTY" => Some(OsString::new()),
        "BELL" => Some(OsString::from("bell\u{7}bell")),
        "ONLY_PREVIOUS" => None,
        "ONLY_PREVIOUS_PREVIOUS" => Some(OsString::from("previous")),
        _ => None,
    };
    let builder = || RequireTokenLayer::builder().environment(&environment);
    let nine = (1..9).fold(builder().token(token("token-0")), |builder, i| {
        builder.add_previous(token(&format!("token-{i}")))
    });
    let table = [
        ("no source", builder(), "name a source"),
        (
            "two sources",
            builder().dapr_token().token(token("x")),
            "name exactly one",
        ),
        (
            "unset, the other set",
            builder().app_token(),
            "APP_API_TOKEN is not set: set it",
        ),
        (
            "empty",
            builder().env_var("EMPTY"),
            "the token in EMPTY is empty: use 1 to 1024",
        ),
        (
            "control character",
            builder().env_var("BELL"),
            "the token in BELL contains a space, a control",
        ),
        (
            "previous without current",
            builder().env_var("ONLY_PREVIOUS"),
            "ONLY_PREVIOUS_PREVIOUS is set but ONLY_PREVIOUS is not",
        ),
        ("nine tokens", nine, "more than 8"),
        (
            "name with an underscore",
            builder()
                .dapr_token()
                .header_name(HeaderName::from_static("x_token")),
            "`x_token` cannot carry the token",
        ),
        (
            "limit below the token",
            builder().dapr_token().max_value_len(10),
            "a value limit of 10 bytes does not fit",
        ),
        (
            "limit above what is compared",
            builder().dapr_token().max_value_len(1025),
            "a value limit of 1025 bytes does not fit",
        ),
        (
            "exempt path",
            builder().dapr_token().exempt(Method::GET, "healthz"),
            "`healthz` cannot be an exempt path: it does not begin with `/`",
        ),
    ];
    for (name, builder, expected) in table {
        let error = builder.build().expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn c1_a_set_refuses_a_ninth_token() {
    let full = (1..8).try_fold(TokenSet::new(token("token-0")), |set, i| {
        set.add_previous(token(&format!("token-{i}")))
    });
    assert_eq!(
        full.expect("eight fit")
            .add_previous(token("token-8"))
            .map(|set| set.len()),
        Err(ConfigError::TooManyTokens)
    );
}

#[tokio::test]
async fn j1_j8_a_user_may_build_the_answer_and_find_the_rejection_in_it() {
    use bytes::Bytes;
    use http::{Response, Version};
    use tower::{Layer, ServiceExt};
    use tower_dapr_token::{Protocol, Rejection, RejectionKind};

    let builder = || RequireTokenLayer::builder().token(token(TOKEN));
    let custom = builder()
        .respond_with(|rejection| {
            let text = format!("{} {:?}", rejection.kind(), rejection.protocol());
            let mut response = Response::new(Bytes::from(text));
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
            response
        })
        .build()
        .expect("valid");
    let grpc = Request::post("/a.B/C")
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc");
    let head = Request::head("/").body(()).expect("valid");
    for (name, request, body) in [
        ("missing", request(&[]), "missing Http"),
        ("wrong", request(&[WRONG]), "mismatch Http"),
        ("twice", request(&[TOKEN, TOKEN]), "ambiguous Http"),
        ("over gRPC", grpc.body(()).expect("valid"), "missing Grpc"),
        ("HEAD", head, ""),
    ] {
        let (answer, seen) = send(&custom, request).await;
        assert_eq!((answer.status, seen.is_some()), (401, false), "{name}");
        assert_eq!(answer.body, body, "{name}");
    }
    assert_eq!(send(&custom, request(&[TOKEN])).await.0.status, 200);

    for (name, layer, marked) in [
        ("on request", builder().rejection_in_extensions(), true),
        ("off by default", builder(), false),
        (
            "in a custom answer too",
            builder()
                .respond_with(|_| Response::new(Bytes::new()))
                .rejection_in_extensions(),
            true,
        ),
    ] {
        let service = layer
            .build()
            .expect("valid")
            .layer(crate::support::Seen::default());
        let response = service
            .oneshot(request(&[WRONG]))
            .await
            .expect("infallible");
        let found = response.extensions().get::<Rejection>();
        let expected = marked.then_some((RejectionKind::Mismatch, Protocol::Http));
        assert_eq!(
            found.map(|found| (found.kind(), found.protocol())),
            expected,
            "{name}"
        );
    }
}
