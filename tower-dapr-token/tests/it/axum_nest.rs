//! Where the layer stands in axum's routers, and which path its exemptions are compared with.

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::routing::get;
use http::{Request, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, ServiceExt};
use tower_dapr_token::{RequireTokenBuilder, RequireTokenLayer};

use crate::support::{NAME, TOKEN, WRONG};

/// A layer that exempts `GET` of this path, as the router shortened it or as it was sent.
fn exempting(path: &str, original: bool) -> RequireTokenLayer {
    let builder = RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .http_health_at(path);
    choose(builder, original).build().expect("valid")
}

fn choose(builder: RequireTokenBuilder<'_>, original: bool) -> RequireTokenBuilder<'_> {
    if original {
        builder.exemptions_on_original_uri()
    } else {
        builder
    }
}

/// A router with two routes that answer with the path that they see.
fn routes() -> Router {
    let seen = || get(|uri: Uri| async move { uri.path().to_owned() });
    Router::new()
        .route("/healthz", seen())
        .route("/orders", seen())
}

/// The same, and an answer to every other path: without one, the outer router answers those in its place.
fn all_routes() -> Router {
    routes().fallback(async || "any")
}

/// A path, whether it gets a token, and the status that it must be answered with.
type Ask = (&'static str, bool, u16);

async fn check(name: &str, app: &Router, asked: &[Ask]) {
    for (path, with_token, expected) in asked {
        let mut request = Request::get(*path);
        if *with_token {
            request = request.header(NAME, TOKEN);
        }
        let request = request.body(Body::empty()).expect("valid");
        let response = app.clone().oneshot(request).await.expect("infallible");
        let status = response.status().as_u16();
        assert_eq!(status, *expected, "{name}: {path}, token: {with_token}");
    }
}

/// Each row: a name, the app, and what it is asked.
type Row = (&'static str, Router, &'static [Ask]);

async fn check_all(table: Vec<Row>) {
    for (name, app, asked) in table {
        check(name, &app, asked).await;
    }
}

#[tokio::test]
async fn x7_inside_a_nest_an_exempt_path_is_another_one_unless_the_original_counts() {
    let inside = |path, original| {
        let nested = all_routes().layer(exempting(path, original));
        Router::new().nest("/admin", nested).merge(routes())
    };
    let outside = |path, original| {
        Router::new()
            .nest("/admin", routes())
            .merge(routes())
            .layer(exempting(path, original))
    };
    check_all(vec![
        (
            "inside, shortened: the probe of the app exempts /admin/healthz",
            inside("/healthz", false),
            &[
                ("/admin/healthz", false, 200),
                ("/admin/orders", false, 401),
                ("/admin/orders", true, 200),
                ("/healthz", false, 200), // not covered at all
            ],
        ),
        (
            "inside, original: it does not",
            inside("/healthz", true),
            &[
                ("/admin/healthz", false, 401),
                ("/admin/healthz?x=/healthz", false, 401),
                ("/admin/healthz", true, 200),
                ("/admin/orders", false, 401),
            ],
        ),
        (
            "inside, original: the whole path is exempt",
            inside("/admin/healthz", true),
            &[
                ("/admin/healthz", false, 200),
                ("/admin/healthz?x=1", false, 200),
                ("/admin/healthz/", false, 401),
                ("/admin/orders", false, 401),
                ("/admin/admin/healthz", false, 401),
            ],
        ),
        (
            "inside, shortened: the whole path matches nothing",
            inside("/admin/healthz", false),
            &[("/admin/healthz", false, 401)],
        ),
        (
            "outside, shortened: nothing is shortened here",
            outside("/healthz", false),
            &[
                ("/healthz", false, 200),
                ("/admin/healthz", false, 401),
                ("/orders", false, 401),
            ],
        ),
        (
            "outside, original: the same",
            outside("/healthz", true),
            &[
                ("/healthz", false, 200),
                ("/admin/healthz", false, 401),
                ("/orders", false, 401),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn x7_a_route_that_is_added_after_the_layer_is_not_covered() {
    for original in [false, true] {
        let app = Router::new()
            .nest("/admin", routes())
            .layer(exempting("/healthz", original))
            .merge(routes())
            .nest("/late", routes());
        check(
            "added after",
            &app,
            &[
                ("/admin/orders", false, 401),
                ("/admin/healthz", false, 401),
                ("/orders", false, 200),
                ("/late/orders", false, 200),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn x7_which_of_layer_route_layer_and_fallback_cover_what() {
    let open = || get(|| async { "open" });
    for original in [false, true] {
        let layer = || exempting("/healthz", original);
        check_all(vec![
            (
                "layer: routes, and what matches none",
                routes().layer(layer()),
                &[
                    ("/orders", false, 401),
                    ("/orders", true, 200),
                    ("/healthz", false, 200),
                    ("/nowhere", false, 401),
                    ("/nowhere", true, 404),
                ],
            ),
            (
                "layer: a fallback that was there before",
                routes().fallback(open()).layer(layer()),
                &[("/nowhere", false, 401), ("/nowhere", true, 200)],
            ),
            (
                "layer: a fallback that came later is open",
                routes().layer(layer()).fallback(open()),
                &[("/orders", false, 401), ("/nowhere", false, 200)],
            ),
            (
                "layer: an exempt path that only the fallback answers",
                Router::new().fallback(open()).layer(layer()),
                &[("/healthz", false, 200), ("/nowhere", false, 401)],
            ),
            (
                "route_layer: routes alone",
                routes().route_layer(layer()),
                &[
                    ("/orders", false, 401),
                    ("/healthz", false, 200),
                    ("/nowhere", false, 404),
                ],
            ),
            (
                "route_layer: a fallback is open",
                routes().fallback(open()).route_layer(layer()),
                &[("/orders", false, 401), ("/nowhere", false, 200)],
            ),
        ])
        .await;
    }

    // A nested router's own "not found" is never asked, so neither is the layer around it.
    let layer = || exempting("/healthz", true);
    let nest = |nested| Router::new().nest("/admin", nested);
    check_all(vec![
        (
            "nested, without a fallback of its own",
            nest(routes().layer(layer())),
            &[
                ("/admin/orders", false, 401),
                ("/admin/nowhere", false, 404),
            ],
        ),
        (
            "nested, with one",
            nest(all_routes().layer(layer())),
            &[
                ("/admin/nowhere", false, 401),
                ("/admin/nowhere", true, 200),
            ],
        ),
    ])
    .await;

    // Inside of a nest, where the two paths differ.
    for (original, expected) in [(false, 200), (true, 401)] {
        let layer = || exempting("/healthz", original);
        let fallback = Router::new().fallback(open());
        for (name, nested) in [
            ("layer", routes().layer(layer())),
            ("route_layer", routes().route_layer(layer())),
            ("fallback", fallback.layer(layer())),
        ] {
            let app = Router::new().nest("/admin", nested);
            let status = status_of(&app, "/admin/healthz").await;
            assert_eq!(status, expected, "{name}, original: {original}");
        }
    }
}

#[tokio::test]
async fn x7_a_service_that_is_nested_is_shortened_as_a_router_is() {
    let inner = || {
        tower::service_fn(|request: Request<Body>| async move {
            let path = request.uri().path().to_owned();
            Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(path)))
        })
    };
    for (path, original, expected) in [
        ("/healthz", false, 200),
        ("/healthz", true, 401),
        ("/admin/healthz", true, 200),
    ] {
        let service = exempting(path, original).layer(inner());
        let app = Router::new().nest_service("/admin", service);
        let status = status_of(&app, "/admin/healthz").await;
        assert_eq!(status, expected, "{path}, original: {original}");
    }
}

#[tokio::test]
async fn x7_a_prefix_is_compared_as_it_was_sent() {
    let app = |prefix, path, original| {
        Router::new().nest(prefix, routes().layer(exempting(path, original)))
    };
    check_all(vec![
        (
            "a prefix of any name, shortened: every spelling is exempt",
            app("/{tenant}", "/healthz", false),
            &[
                ("/admin/healthz", false, 200),
                ("/%61dmin/healthz", false, 200),
                ("/other/healthz", false, 200),
            ],
        ),
        (
            "a prefix of any name, original: only the one that is listed",
            app("/{tenant}", "/admin/healthz", true),
            &[
                ("/admin/healthz", false, 200),
                ("/%61dmin/healthz", false, 401),
                ("/admin%2F/healthz", false, 401),
                ("/Admin/healthz", false, 401),
                ("/other/healthz", false, 401),
                ("/%61dmin/healthz", true, 200),
            ],
        ),
        (
            "a prefix that has an escape cannot be listed",
            app("/a%20b", "/a/healthz", true),
            &[
                ("/a%20b/healthz", false, 401),
                ("/a%20b/healthz", true, 200),
            ],
        ),
        (
            "axum itself does not decode a prefix",
            app("/admin", "/admin/healthz", true),
            &[("/%61dmin/healthz", true, 404)],
        ),
    ])
    .await;
}

#[tokio::test]
async fn x7_nested_twice_the_original_is_the_path_of_the_outermost_router() {
    let app = |path, original| {
        let inner = Router::new().nest("/b", routes().layer(exempting(path, original)));
        Router::new().nest("/a", inner)
    };
    check_all(vec![
        (
            "shortened twice",
            app("/healthz", false),
            &[("/a/b/healthz", false, 200)],
        ),
        (
            "the whole path",
            app("/a/b/healthz", true),
            &[("/a/b/healthz", false, 200), ("/a/b/orders", false, 401)],
        ),
        (
            "the path of the router between",
            app("/b/healthz", true),
            &[("/a/b/healthz", false, 401)],
        ),
        (
            "the path of the inner router",
            app("/healthz", true),
            &[("/a/b/healthz", false, 401)],
        ),
    ])
    .await;
}

#[tokio::test]
async fn x7_without_an_original_uri_nothing_is_exempt() {
    let ask = async |original, request: Request<Body>| {
        let builder = RequireTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .http_health()
            .exempt_cors_preflight();
        let layer = choose(builder, original).build().expect("valid");
        // Around a whole router: the router has not seen the request yet.
        let response = layer.layer(routes()).oneshot(request).await;
        response.expect("infallible").status().as_u16()
    };
    let probe = || Request::get("/healthz");
    let preflight = || {
        Request::options("/orders")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
    };
    let original = |path: &'static str| OriginalUri(Uri::from_static(path));
    /// The request, its status without the option and with it.
    type Row = (&'static str, http::request::Builder, u16, u16);
    let table: Vec<Row> = vec![
        ("probe", probe(), 200, 401),
        (
            "probe with the token",
            probe().header(NAME, TOKEN),
            200,
            200,
        ),
        (
            "probe with a wrong one",
            probe().header(NAME, WRONG),
            200,
            401,
        ),
        // 405: it passed, and the router has no such method.
        ("preflight", preflight(), 405, 401),
        (
            "probe that an outer router kept the URI of",
            probe().extension(original("/healthz")),
            200,
            200,
        ),
        (
            "preflight that an outer router kept the URI of",
            preflight().extension(original("/api/orders")),
            405,
            405,
        ),
        (
            "another path that was shortened to that of the probe",
            probe().extension(original("/admin/healthz")),
            200,
            401,
        ),
        (
            "the probe, rewritten by somebody to another path",
            Request::get("/orders").extension(original("/healthz")),
            401,
            200,
        ),
        (
            "the right type only: a header of that name says nothing",
            probe().header("x-original-uri", "/healthz"),
            200,
            401,
        ),
    ];
    for (name, request, shortened, by_original) in table {
        let (request, _) = request.body(Body::empty()).expect("valid").into_parts();
        for (option, expected) in [(false, shortened), (true, by_original)] {
            let request = Request::from_parts(request.clone(), Body::empty());
            assert_eq!(ask(option, request).await, expected, "{name}: {option}");
        }
    }
}

/// The same decisions over a socket, where the target is what a stranger writes.
#[tokio::test]
async fn x7_over_a_socket_the_target_is_compared_as_it_was_sent() {
    let raw = async |original: bool, line: &str, token: Option<&str>| {
        let nested = all_routes().layer(exempting("/admin/healthz", original));
        let app: Router = Router::new().nest("/admin", nested);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let header = token.map_or_else(String::new, |token| format!("{NAME}: {token}\r\n"));
        let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n");
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("read");
        server.abort();
        let answer = String::from_utf8(answer).expect("text");
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    for (line, token, original, expected) in [
        ("GET /admin/healthz", None, true, "200"),
        ("GET /admin/healthz?x=1", None, true, "200"),
        ("GET /admin/healthz", None, false, "401"),
        ("GET http://evil.example/admin/healthz", None, true, "200"),
        ("GET /admin/orders", None, true, "401"),
        ("GET /admin/orders", Some(TOKEN), true, "200"),
        ("GET /admin/orders", Some(WRONG), true, "401"),
        ("GET /admin/orders?/admin/healthz", None, true, "401"),
        ("GET /admin/%68ealthz", None, true, "401"),
        ("GET /admin/x/../healthz", None, true, "401"),
        ("GET /admin//healthz", None, true, "401"),
        ("POST /admin/healthz", None, true, "401"),
        ("HEAD /admin/healthz", None, true, "401"),
    ] {
        let status = raw(original, line, token).await;
        assert_eq!(status, expected, "{line}, original: {original}");
    }
}

async fn status_of(app: &Router, path: &str) -> u16 {
    let request = Request::get(path).body(Body::empty()).expect("valid");
    let response = app.clone().oneshot(request).await.expect("infallible");
    response.status().as_u16()
}
