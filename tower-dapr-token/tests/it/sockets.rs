//! Refusals as bytes, from hyper's HTTP/1 server.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};

use crate::support::layer;

/// Sends raw bytes to a server with the layer in front, and reads to the end of the connection.
async fn raw(head: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let app = layer().layer(service_fn(|_: Request<hyper::body::Incoming>| async move {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        // What it makes of the bytes is seen in its answer.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
            .await;
    });
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    String::from_utf8(answer).expect("text")
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
