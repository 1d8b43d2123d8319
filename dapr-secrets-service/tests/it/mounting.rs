//! The service inside of axum, in both places, and on hyper over a socket.

use axum::Router;
use dapr_secrets_service::{Engine, FileStore, SecretsService};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

fn engine() -> Engine {
    let store = FileStore::builder()
        .parse(r#"{"a b": "1", "a/b": "2", "plain": "3"}"#)
        .expect("valid");
    Engine::builder()
        .add_store("s", store)
        .build()
        .expect("sound")
}

async fn ask(app: &Router, target: &str) -> (u16, String) {
    let request = Request::get(target)
        .body(axum::body::Body::empty())
        .expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    let status = response.status().as_u16();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("whole")
        .to_bytes();
    (status, String::from_utf8(body.into()).expect("text"))
}

#[tokio::test]
async fn api_b7_it_nests_under_its_prefix_in_axum() {
    let nested = SecretsService::builder(engine()).nested().build();
    let app = Router::new()
        .route("/own", axum::routing::get(|| async { "own" }))
        .nest_service("/v1.0/secrets", nested);
    for (target, status, body) in [
        ("/own", 200, "own"),
        ("/v1.0/secrets/s/plain", 200, r#"{"plain":"3"}"#),
        ("/v1.0/secrets/s/a%2Fb", 200, r#"{"a/b":"2"}"#),
        ("/v1.0/secrets/s/a+b", 200, r#"{"a b":"1"}"#),
        ("/v1.0/secrets/s//plain/", 200, r#"{"plain":"3"}"#),
        (
            "/v1.0/secrets/s/bulk?metadata.prefix=p",
            200,
            r#"{"plain":{"plain":"3"}}"#,
        ),
    ] {
        assert_eq!(
            ask(&app, target).await,
            (status, body.to_owned()),
            "{target}"
        );
    }
    for target in [
        "/s/plain",
        "/v1.0/secrets/v1.0/secrets/s/plain",
        // axum does not match a doubled slash inside of the prefix.
        "/v1.0//secrets/s/plain",
        "//v1.0/secrets/s/plain",
    ] {
        assert_eq!(ask(&app, target).await.0, 404, "{target}");
    }
}

#[tokio::test]
async fn api_b3_api_b7_it_is_a_fallback_in_axum() {
    let app = Router::new()
        .route("/own", axum::routing::get(|| async { "own" }))
        .fallback_service(SecretsService::new(engine()));
    for (target, status, body) in [
        ("/own", 200, "own"),
        ("/v1.0/secrets/s/plain", 200, r#"{"plain":"3"}"#),
        ("/v1.0/secrets/s/a%2Fb", 200, r#"{"a/b":"2"}"#),
        ("/v1.0//secrets/s/plain", 200, r#"{"plain":"3"}"#),
        ("//v1.0/secrets/s/plain", 200, r#"{"plain":"3"}"#),
    ] {
        assert_eq!(
            ask(&app, target).await,
            (status, body.to_owned()),
            "{target}"
        );
    }
    for target in ["/s/plain", "/v1.0/x/../secrets/s/plain", "/"] {
        assert_eq!(ask(&app, target).await.0, 404, "{target}");
    }
}

#[tokio::test]
async fn api_b6_api_b7_it_serves_hyper_over_a_socket_and_ignores_bodies() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a caller");
        let service = TowerToHyperService::new(SecretsService::new(engine()));
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service)
            .await
    });
    let socket = TcpStream::connect(address).await.expect("listening");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
        .await
        .expect("HTTP/1.1");
    let client = tokio::spawn(connection);
    for (method, target, status, body) in [
        ("GET", "/v1.0/secrets/s/plain", 200, r#"{"plain":"3"}"#),
        ("HEAD", "/v1.0/secrets/s/plain", 200, ""),
        ("GET", "/v1.0/secrets/s/nope", 204, ""),
        ("GET", "/v1.0/secrets/s/a%20b", 200, r#"{"a b":"1"}"#),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "localhost")
            .body(http_body_util::Either::Left(Empty::<bytes::Bytes>::new()))
            .expect("a request");
        let response = sender.send_request(request).await.expect("answered");
        assert_eq!(response.status().as_u16(), status, "{method} {target}");
        if method == "HEAD" {
            assert_eq!(response.headers()["content-length"], "13");
        }
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("whole")
            .to_bytes();
        assert_eq!(bytes, body, "{method} {target}");
    }
    let with_body = Request::get("/v1.0/secrets/s/plain")
        .header("host", "localhost")
        .body(http_body_util::Either::Right(http_body_util::Full::from(
            "ignored",
        )))
        .expect("a request");
    let response = sender.send_request(with_body).await.expect("answered");
    assert_eq!(response.status(), StatusCode::OK);
    drop(sender);
    client.await.expect("no panic").expect("closed");
    server.await.expect("no panic").expect("closed");
}

/// Answers with the path it saw; must be polled ready before each call.
#[derive(Default)]
struct Other {
    is_ready: bool,
}

impl tower::Service<Request<String>> for Other {
    type Response = http::Response<String>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.is_ready = true;
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.is_ready),
            "called before it was ready"
        );
        std::future::ready(match request.uri().path() {
            "/fail" => Err("its own error"),
            path => Ok(http::Response::new(format!("{path} {}", request.body()))),
        })
    }
}

#[tokio::test]
async fn api_b_a_fallback_service_gets_every_other_path_and_no_path_of_ours() {
    let mut service = SecretsService::builder(engine()).build_with_fallback(Other::default());
    for (method, target, status, body) in [
        ("GET", "/v1.0/secrets/s/plain", 200, r#"{"plain":"3"}"#),
        ("GET", "/other", 200, "/other sent"),
        ("POST", "/v1.0/state/s", 200, "/v1.0/state/s sent"),
        ("GET", "/v1.0/secrets/s", 200, "/v1.0/secrets/s sent"),
        ("GET", "/v1.0/secrets/s/nope", 204, ""),
        (
            "POST",
            "/v1.0/secrets/s/plain",
            405,
            "ERR_METHOD_NOT_ALLOWED",
        ),
        ("GET", "/v1.0/secrets/s/%zz", 400, "ERR_BAD_REQUEST"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .body("sent".to_owned())
            .expect("a request");
        let response = service.ready().await.expect("ready");
        let response = tower::Service::call(response, request)
            .await
            .expect("answered");
        assert_eq!(response.status().as_u16(), status, "{method} {target}");
        let hint = http_body::Body::size_hint(response.body()).exact();
        let is_end = http_body::Body::is_end_stream(response.body());
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("whole")
            .to_bytes();
        assert_eq!(hint, Some(bytes.len() as u64), "{target}");
        assert_eq!(is_end, bytes.is_empty(), "{target}");
        let text = std::str::from_utf8(&bytes).expect("text");
        assert!(
            text == body || status >= 400 && text.contains(body),
            "{target}: {text}"
        );
    }
    let request = Request::get("/fail")
        .body(String::new())
        .expect("a request");
    let error = service.oneshot(request).await.err();
    assert_eq!(
        error,
        Some("its own error"),
        "the error stays the other service's"
    );
}
