//! Presets, and where the exemptions apply.

use http::{Method, Request};
use tower_dapr_token::RequireTokenLayer;

use crate::support::{NAME, TOKEN, WRONG, send};

#[tokio::test]
async fn x1_x4_each_preset_exempts_its_calls_and_no_other() {
    const PROBE: &str = "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck";
    const SUBSCRIPTIONS: &str = "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions";
    const BINDINGS: &str = "/dapr.proto.runtime.v1.AppCallback/ListInputBindings";
    let all = [
        (Method::GET, "/healthz"),
        (Method::GET, "/ready"),
        (Method::POST, PROBE),
        (Method::POST, SUBSCRIPTIONS),
        (Method::POST, BINDINGS),
        (Method::POST, "/grpc.health.v1.Health/Check"),
        (Method::POST, "/grpc.health.v1.Health/Watch"),
        (Method::GET, PROBE),
        (Method::POST, "/healthz"),
        (Method::HEAD, "/healthz"),
        (Method::POST, "/dapr.proto.runtime.v1.AppCallback/OnInvoke"),
        (
            Method::POST,
            "/dapr.proto.runtime.v1.AppCallback/OnTopicEvent",
        ),
        (Method::GET, "/dapr/config"),
    ];
    let builder = || RequireTokenLayer::builder().token(TOKEN.parse().expect("valid"));
    let table: [(&str, _, &[usize]); 6] = [
        ("none", builder(), &[]),
        ("http_health", builder().http_health(), &[0]),
        ("http_health_at", builder().http_health_at("/ready"), &[1]),
        ("daprd_probes", builder().daprd_probes(), &[2]),
        ("daprd_discovery", builder().daprd_discovery(), &[3, 4]),
        ("grpc_health", builder().grpc_health(), &[5, 6]),
    ];
    for (preset, builder, exempt) in table {
        let layer = builder.build().expect("valid");
        for (i, (method, path)) in all.iter().enumerate() {
            for value in [None, Some(WRONG)] {
                let mut request = Request::builder().method(method.clone()).uri(*path);
                if let Some(value) = value {
                    request = request.header(NAME, value);
                }
                let (answer, seen) = send(&layer, request.body(()).expect("valid")).await;
                let name = format!("{preset}: {method} {path}, token: {value:?}");
                assert_eq!(answer.status == 200, exempt.contains(&i), "{name}");
                if let Some(headers) = seen {
                    assert!(
                        !headers.contains_key(NAME),
                        "{name}: stripped all the same (E5)"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn x7_inside_a_nest_the_layer_sees_the_short_path_and_outside_the_whole() {
    use axum::{Router, body::Body, routing::get};
    use tower::ServiceExt;

    let layer = || {
        RequireTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .http_health()
            .build()
            .expect("valid")
    };
    let routes = || Router::new().route("/healthz", get(|| async { "inner" }));
    let outside: Router = Router::new().nest("/admin", routes()).layer(layer());
    let inside: Router = Router::new().nest("/admin", routes().layer(layer()));
    for (name, app, status) in [("outside", outside, 401), ("inside", inside, 200)] {
        let request = Request::get("/admin/healthz")
            .body(Body::empty())
            .expect("valid");
        let response = app.oneshot(request).await.expect("infallible");
        assert_eq!(response.status().as_u16(), status, "{name}");
    }
}

#[tokio::test]
async fn x4_x5_preflights_are_exempt_when_asked_for_and_the_notice_says_so() {
    let told = std::sync::Arc::new(crate::support::Told::default());
    let builder = || {
        RequireTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .observer(told.clone())
    };
    let usual = builder().build().expect("valid");
    assert!(told.take().is_empty(), "nothing is exempt, nothing is told");
    let open = builder()
        .http_health()
        .exempt_cors_preflight()
        .build()
        .expect("valid");
    let notices = told.take();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].ends_with("no token is needed for GET /healthz, CORS preflights"),
        "{notices:?}"
    );
    for (name, headers, layer, status) in [
        (
            "both headers",
            &["origin", "access-control-request-method"][..],
            &open,
            200,
        ),
        ("one header", &["origin"], &open, 401),
        (
            "not asked for",
            &["origin", "access-control-request-method"],
            &usual,
            401,
        ),
    ] {
        let request = headers
            .iter()
            .fold(Request::options("/orders"), |request, header| {
                request.header(*header, "x")
            });
        let (answer, _) = send(layer, request.body(()).expect("valid")).await;
        assert_eq!(answer.status, status, "{name}");
    }
}
