//! JWT mode over the layer: what is extracted, who decides, what the handler and the caller are told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, Request, Response, StatusCode};
use serde::Deserialize;
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    Authenticated, ConfigError, Decision, JwtKeys, JwtRules, Observer, RejectionKind,
    RequireTokenBuilder, RequireTokenLayer, TokenMode,
};

use crate::signing::{NOW, Wall, signed};
use crate::support::NAME;

const SECRET: &[u8] = b"64 bytes that are a secret in tests alone and nowhere else......";
const STATIC: &str = "the-static-token-of-a-migration";

/// What the layer decided.
#[derive(Default)]
struct Decisions(Mutex<Vec<Decision>>);

impl Decisions {
    fn taken(&self) -> Vec<Decision> {
        std::mem::take(&mut self.0.lock().expect("no test panicked"))
    }
}

impl Observer for Decisions {
    fn on_decision(&self, decision: &Decision) {
        self.0
            .lock()
            .expect("no test panicked")
            .push(decision.clone());
    }
}

fn good(expires_at: u64) -> String {
    let claims = format!(
        r#"{{"iss":"https://issuer.example","aud":"orders","sub":"daprd","exp":{expires_at},"tenant":"blue"}}"#
    );
    signed(&claims, SECRET)
}

fn rules() -> JwtRules {
    JwtRules::new("https://issuer.example", "orders")
        .algorithms([tower_dapr_token::Algorithm::HS256])
        .leeway(Duration::ZERO)
}

fn builder(clock: &Arc<Wall>) -> RequireTokenBuilder<'static> {
    RequireTokenLayer::builder()
        .jwt(JwtKeys::secret(SECRET).expect("a secret"), rules())
        .wall_clock(clock.clone())
}

/// The status and the challenge of the answer, and what the handler was told.
async fn ask(
    layer: &RequireTokenLayer,
    name: HeaderName,
    values: &[&str],
) -> (StatusCode, String, Option<Authenticated>) {
    let told = Arc::new(Mutex::new(None));
    let kept = told.clone();
    let service = layer.layer(service_fn(move |request: Request<()>| {
        assert!(!request.headers().contains_key(NAME), "E5");
        assert!(!request.headers().contains_key("authorization"), "E5");
        *kept.lock().expect("no test panicked") = request.extensions().get().cloned();
        async { Ok::<_, Infallible>(Response::new(String::new())) }
    }));
    let mut request = Request::post("/orders");
    for value in values {
        request = request.header(&name, *value);
    }
    let answer = service.oneshot(request.body(()).expect("valid")).await;
    let answer = answer.expect("infallible");
    let challenge = answer.headers().get(WWW_AUTHENTICATE);
    let challenge = challenge.map_or("", |value| value.to_str().expect("text"));
    let told = told.lock().expect("no test panicked").take();
    (answer.status(), challenge.to_owned(), told)
}

fn header() -> HeaderName {
    HeaderName::from_static(NAME)
}

#[tokio::test]
async fn e6_t4_an_accepted_jwt_is_told_to_the_handler_with_its_claims() {
    #[derive(Deserialize)]
    struct Mine {
        tenant: String,
    }

    let clock = Wall::at(NOW);
    let layer = builder(&clock).build().expect("valid");
    let (status, _, told) = ask(&layer, header(), &[&good(NOW + 60)]).await;
    assert_eq!(status, StatusCode::OK);
    let told = told.expect("on by default where JWTs are accepted");
    assert_eq!((told.mode(), told.slot()), (TokenMode::Jwt, None));
    assert_eq!(told.claims::<Mine>().expect("they fit").tenant, "blue");
    assert_eq!(
        told.jwt().and_then(|claims| claims.subject()),
        Some("daprd")
    );
    assert!(told.claims::<Vec<u8>>().is_err(), "they do not fit");
    assert!(
        !format!("{told:?}").contains("blue"),
        "Debug shows no claim"
    );
}

#[tokio::test]
async fn j1_e2_e4_t4_jwts_are_refused_with_the_challenge_of_a_bearer_token() {
    let clock = Wall::at(NOW);
    let observer = Arc::new(Decisions::default());
    let layer = builder(&clock)
        .observer(observer.clone())
        .build()
        .expect("valid");
    let valid = good(NOW + 60);
    let (other, late) = (good(NOW + 61), good(NOW));
    let long = format!("{valid}{}", "x".repeat(8 * 1024 + 1 - valid.len()));
    let tampered = format!("{}A", &valid[..valid.len() - 1]);
    let tampered = if tampered == valid {
        format!("{}B", &valid[..valid.len() - 1])
    } else {
        tampered
    };
    let invalid = "Bearer error=\"invalid_token\"";
    let table: &[(&str, &[&str], &str, &str)] = &[
        ("no token", &[], "Bearer", "missing"),
        ("empty", &[""], invalid, "empty"),
        (
            "two different, both valid",
            &[&valid, &other],
            invalid,
            "ambiguous",
        ),
        ("two equal", &[&valid, &valid], invalid, "ambiguous"),
        ("not a JWT", &["abc"], invalid, "malformed"),
        ("ends now", &[&late], invalid, "expired"),
        ("tampered", &[&tampered], invalid, "signature"),
        ("8 KiB and a byte", &[&long], invalid, "too_large"),
        (
            "with a scheme",
            &[&format!("Bearer {valid}")],
            invalid,
            "malformed",
        ),
    ];
    for (name, values, challenge, reason) in table {
        let (status, told, _) = ask(&layer, header(), values).await;
        assert_eq!(
            (status, told.as_str()),
            (StatusCode::UNAUTHORIZED, *challenge),
            "{name}"
        );
        let decisions = observer.taken();
        let last = decisions.last().expect("told");
        assert_eq!(
            last.reason().map(RejectionKind::as_str),
            Some(*reason),
            "{name}"
        );
        assert_eq!(last.mode(), TokenMode::Jwt, "{name}");
    }
    let (status, ..) = ask(&layer, header(), &[&valid]).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn e1_a_bearer_token_is_read_from_authorization_and_from_nowhere_else() {
    let clock = Wall::at(NOW);
    let layer = builder(&clock)
        .authorization_bearer()
        .build()
        .expect("valid");
    let valid = good(NOW + 60);
    for (name, value, expected) in [
        (AUTHORIZATION, format!("Bearer {valid}"), StatusCode::OK),
        (AUTHORIZATION, format!("bEARER {valid}"), StatusCode::OK),
        (
            AUTHORIZATION,
            format!("Bearer  {valid}"),
            StatusCode::UNAUTHORIZED,
        ),
        (
            AUTHORIZATION,
            format!("Basic {valid}"),
            StatusCode::UNAUTHORIZED,
        ),
        (AUTHORIZATION, valid.clone(), StatusCode::UNAUTHORIZED),
        (header(), valid.clone(), StatusCode::UNAUTHORIZED),
        (
            header(),
            format!("Bearer {valid}"),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        let (status, ..) = ask(&layer, name.clone(), &[&value]).await;
        assert_eq!(
            status,
            expected,
            "{name}: {}",
            value.split('.').next().unwrap_or_default()
        );
    }
}

#[tokio::test]
async fn t14_static_tokens_and_jwts_side_by_side_until_the_static_ones_end() {
    let clock = Wall::at(NOW);
    let observer = Arc::new(Decisions::default());
    let layer = builder(&clock)
        .token(STATIC.parse().expect("a token"))
        .static_until(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 100))
        .observer(observer.clone())
        .build()
        .expect("valid");
    let valid = good(NOW + 1_000);
    let long = "x".repeat(2_000);
    let reason = || {
        let decisions = observer.taken();
        let last = decisions.last().expect("told").clone();
        last.reason().map(RejectionKind::as_str)
    };

    let (status, _, told) = ask(&layer, header(), &[STATIC]).await;
    assert_eq!(status, StatusCode::OK);
    let told = told.expect("marked");
    assert_eq!((told.mode(), told.slot()), (TokenMode::Static, Some(0)));
    assert!(told.jwt().is_none() && told.claims::<serde_json::Value>().is_err());
    let (status, _, told) = ask(&layer, header(), &[&valid]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told.expect("marked").mode(), TokenMode::Jwt);
    for (value, expected) in [
        ("the-wrong-token-without-any-dot", "mismatch"),
        ("one.dot", "mismatch"),
        ("with.two.dots", "malformed"),
        ("with.three.dots.", "mismatch"),
        (long.as_str(), "too_large"),
    ] {
        let (status, ..) = ask(&layer, header(), &[value]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(reason(), Some(expected), "{value}");
    }

    clock.set(NOW + 99);
    assert_eq!(ask(&layer, header(), &[STATIC]).await.0, StatusCode::OK);
    clock.set(NOW + 100);
    assert_eq!(
        ask(&layer, header(), &[STATIC]).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(reason(), Some("expired"));
    assert_eq!(ask(&layer, header(), &[&valid]).await.0, StatusCode::OK);
    clock.set(NOW + 50);
    assert_eq!(
        ask(&layer, header(), &[STATIC]).await.0,
        StatusCode::UNAUTHORIZED,
        "the clock was set back"
    );
    assert_eq!(reason(), Some("expired"));
    clock.set(NOW + 1_000);
    assert_eq!(
        ask(&layer, header(), &[&valid]).await.0,
        StatusCode::UNAUTHORIZED,
        "remembered, and over"
    );
}

#[test]
fn e4_t14_settings_of_jwt_mode_that_do_not_go_together_are_found_in_build() {
    type Setting = fn(RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static>;

    let static_token = || STATIC.parse().expect("a token");
    let clock = Wall::at(NOW);
    let table: &[(&str, Setting, &str)] = &[
        ("any_valid", |layer| layer.any_valid(), "any_valid(..)"),
        (
            "a limit of 0",
            |layer| layer.max_jwt_len(0),
            "max_jwt_len(..)",
        ),
        (
            "a limit of 64 KiB and a byte",
            |layer| layer.max_jwt_len(64 * 1024 + 1),
            "max_jwt_len(..)",
        ),
        (
            "an end of nothing",
            |layer| layer.static_until(SystemTime::UNIX_EPOCH),
            "static_until(..)",
        ),
        (
            "two names",
            |layer| {
                layer
                    .authorization_bearer()
                    .header_name(HeaderName::from_static("x-jwt"))
            },
            "authorization_bearer(..)",
        ),
        (
            "everything allowed",
            |layer| layer.insecure_allow_all(),
            "exactly one",
        ),
        (
            "a greater cache than there may be",
            |layer| layer.jwt_cache(65_537),
            "cache_entries",
        ),
    ];
    for (name, setting, expected) in table {
        let error = setting(builder(&clock))
            .build()
            .expect_err(name)
            .to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let error = builder(&clock)
        .authorization_bearer()
        .token(static_token())
        .build()
        .expect_err("static");
    assert!(
        error.to_string().contains("authorization_bearer(..)"),
        "{error}"
    );
    let error = RequireTokenLayer::builder()
        .token(static_token())
        .authorization_bearer()
        .build()
        .expect_err("no keys");
    assert!(matches!(error, ConfigError::Jwt { .. }), "{error}");
    let error = RequireTokenLayer::builder().build().expect_err("nothing");
    assert_eq!(error, ConfigError::NoTokenSource);
}

#[test]
fn t10_a_service_that_verifies_jwts_can_be_used_by_several_threads() {
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}
    let layer = builder(&Wall::at(NOW)).build().expect("valid");
    is_shared(&layer);
    is_shared(&layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(()))
    })));
}
