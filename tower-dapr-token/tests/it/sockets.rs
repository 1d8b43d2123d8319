//! The same decisions through real servers: hyper's HTTP/1 with raw bytes, and HTTP/2.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};
use tower_dapr_token::RequireTokenLayer;

use crate::support::{NAME, TOKEN, WRONG};

fn layer() -> RequireTokenLayer {
    RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .http_health()
        .build()
        .expect("valid")
}

/// A connection to a hyper server with the layer in front; the app answers with the path it saw.
async fn connect(http2: bool) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let app = layer().layer(service_fn(
        |request: Request<hyper::body::Incoming>| async move {
            let leaked = request.headers().contains_key(NAME);
            let text = format!("{} leaked:{leaked}", request.uri().path());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
        },
    ));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let service = TowerToHyperService::new(app);
        let io = TokioIo::new(stream);
        if http2 {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(io, service).await;
        } else {
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(io, service).await;
        }
    });
    TcpStream::connect(address).await.expect("connected")
}

/// Sends raw bytes and reads to the end of the connection.
async fn raw(head: &str) -> String {
    let mut stream = connect(false).await;
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn x1_x2_e2_e3_raw_requests_over_http1() {
    let good = format!("{NAME}: {TOKEN}\r\n");
    let table: &[(&str, &str, String, &str)] = &[
        ("right", "GET /orders", good.clone(), "200"),
        (
            "right, name in capitals",
            "GET /orders",
            good.to_uppercase().replace(&TOKEN.to_uppercase(), TOKEN),
            "200",
        ),
        (
            "white space around the value is HTTP's own",
            "GET /orders",
            format!("{NAME}:  \t{TOKEN} \r\n"),
            "200",
        ),
        ("none", "GET /orders", String::new(), "401"),
        (
            "wrong",
            "GET /orders",
            format!("{NAME}: {WRONG}\r\n"),
            "401",
        ),
        ("empty", "GET /orders", format!("{NAME}:\r\n"), "401"),
        ("twice", "GET /orders", good.repeat(2), "401"),
        (
            "twice, apart and in other letter case",
            "GET /orders",
            format!("{good}x: y\r\nDapr-Api-Token: {TOKEN}\r\n"),
            "401",
        ),
        (
            "underscores",
            "GET /orders",
            format!("dapr_api_token: {TOKEN}\r\n"),
            "401",
        ),
        ("probe", "GET /healthz", String::new(), "200"),
        ("probe with a query", "GET /healthz?x", String::new(), "200"),
        (
            "probe, absolute form",
            "GET http://evil.example/healthz",
            String::new(),
            "200",
        ),
        ("HEAD of the probe", "HEAD /healthz", String::new(), "401"),
        ("POST of the probe", "POST /healthz", String::new(), "401"),
        ("doubled slash", "GET //healthz", String::new(), "401"),
        (
            "doubled slash as authority",
            "GET //evil/healthz",
            String::new(),
            "401",
        ),
        ("trailing slash", "GET /healthz/", String::new(), "401"),
        ("escaped letter", "GET /%68ealthz", String::new(), "401"),
        ("escaped slash", "GET /healthz%2F", String::new(), "401"),
        (
            "escaped dots",
            "GET /x/%2e%2e/healthz",
            String::new(),
            "401",
        ),
        ("dots", "GET /x/../healthz", String::new(), "401"),
        ("upper case", "GET /HEALTHZ", String::new(), "401"),
        (
            "probe in the query",
            "GET /orders?/healthz",
            String::new(),
            "401",
        ),
        (
            "absolute form, no path",
            "GET http://evil.example",
            String::new(),
            "401",
        ),
        ("asterisk", "OPTIONS *", String::new(), "401"),
        (
            "method in small letters",
            "get /healthz",
            String::new(),
            "401",
        ),
        (
            "no leading slash",
            "GET healthz",
            String::new(),
            "400 or 401",
        ),
    ];
    for (name, line, headers, expected) in table {
        let answer = raw(&format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"
        ))
        .await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(
            expected.contains(status) && !status.is_empty(),
            "{name}: {answer}"
        );
        assert!(!answer.contains("leaked:true"), "{name}: {answer}");
    }
}

#[tokio::test]
async fn j1_a_refusal_on_the_wire_over_http1() {
    let answer =
        raw("GET /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: a=b\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<_> = head
        .lines()
        .filter(|line| !line.starts_with("date:"))
        .collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "HTTP/1.1 401 Unauthorized",
            "cache-control: no-store",
            "connection: close",
            "content-length: 67",
            "content-type: application/json",
            "www-authenticate: Dapr-Api-Token",
        ]
    );
    assert_eq!(
        body,
        r#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#
    );

    let answer = raw("HEAD /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(
        head.contains("401") && head.contains("www-authenticate: Dapr-Api-Token"),
        "{head}"
    );
    assert!(
        !head.contains("content-length: 0"),
        "not the length that GET has: {head}"
    );
    assert_eq!(body, "", "HEAD gets the headers only");
}

#[tokio::test]
async fn j1_j2_over_http1_a_content_type_of_grpc_does_not_turn_a_refusal_into_a_200() {
    for line in [
        "GET /orders",
        "HEAD /orders",
        "PUT /orders",
        "POST /orders",
        "OPTIONS *",
        "CONNECT x:80",
    ] {
        let answer = raw(&format!(
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/grpc\r\n\r\n"
        ))
        .await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{line}: {answer}");
        assert!(
            answer.contains("cache-control: no-store"),
            "{line}: {answer}"
        );
    }
}

#[tokio::test]
async fn x1_e2_e3_requests_over_http2() {
    let stream = connect(true).await;
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a handshake");
    tokio::spawn(connection);
    let spaced = format!(" {TOKEN}");
    let table: &[(&str, &str, &[&str], u16)] = &[
        ("right", "http://x/orders", &[TOKEN], 200),
        ("none", "http://x/orders", &[], 401),
        ("wrong", "http://x/orders", &[WRONG], 401),
        ("twice", "http://x/orders", &[TOKEN, TOKEN], 401),
        (
            "white space counts here",
            "http://x/orders",
            &[&spaced],
            401,
        ),
        ("probe", "http://x/healthz", &[], 200),
        ("doubled slash", "http://x//healthz", &[], 401),
        ("trailing slash", "http://x/healthz/", &[], 401),
        ("escaped", "http://x/%68ealthz", &[], 401),
        ("dots", "http://x/x/../healthz", &[], 401),
        ("no path", "http://x", &[], 401),
    ];
    for (name, uri, values, status) in table {
        let mut request = Request::get(*uri);
        for value in *values {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            request = request.header(NAME, value);
        }
        let request = request.body(Empty::<Bytes>::new()).expect("valid");
        let response = client.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), *status, "{name}");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        assert!(!body.ends_with(b"leaked:true"), "{name}");
    }
}
