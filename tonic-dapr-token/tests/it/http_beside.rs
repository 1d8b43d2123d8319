//! What else may arrive on the port of a gRPC server: plain HTTP, and gRPC-Web with and without tonic's own
//! translation.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;

use crate::support::{Echo, NAME, TOKEN, UNARY, WRONG, any_path, layer, serve, soon};

/// Asks over HTTP/1.1; gives the head of the answer, in lower case, and its body.
async fn ask(address: SocketAddr, line: &str, headers: &[(&str, &str)]) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(address).await.expect("connected");
    let mut request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    // A message of two bytes, for whoever reads it.
    let body = b"\0\0\0\0\x02hi";
    request += &format!("content-length: {}\r\n\r\n", body.len());
    socket.write_all(request.as_bytes()).await.expect("sent");
    socket.write_all(body).await.expect("sent");
    let mut answer = Vec::new();
    soon(socket.read_to_end(&mut answer))
        .await
        .expect("answered");
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).expect("text");
    (head.to_ascii_lowercase(), answer[end + 4..].to_vec())
}

fn has(head: &str, line: &str) -> bool {
    head.split("\r\n").any(|found| found == line)
}

#[tokio::test]
async fn j1_j2_what_cannot_read_grpc_is_answered_in_http() {
    let echo = Echo::default();
    let address = serve(layer(), echo.clone()).await;
    let post = format!("POST {UNARY}");
    let get = format!("GET {UNARY}");
    let json = ("content-type", "application/json");
    let grpc = ("content-type", "application/grpc");
    let table = [
        ("a page", "GET /", vec![]),
        ("metrics", "GET /metrics", vec![]),
        ("JSON", &post, vec![json]),
        ("no content type", &post, vec![]),
        ("gRPC over HTTP/1.1 (J2)", &post, vec![grpc]),
        ("GET with the type of gRPC", &get, vec![grpc]),
    ];
    for (name, line, mut headers) in table {
        for token in [None, Some(WRONG)] {
            headers.retain(|(name, _)| *name != NAME);
            headers.extend(token.map(|token| (NAME, token)));
            let (head, body) = ask(address, line, &headers).await;
            assert!(
                head.starts_with("http/1.1 401 unauthorized"),
                "{name}: {head}"
            );
            assert!(has(&head, "content-type: application/json"), "{name}");
            assert!(has(&head, "www-authenticate: dapr-api-token"), "{name}");
            assert!(!head.contains("grpc-status"), "{name}");
            let code = match token {
                None => "ERR_API_TOKEN_MISSING",
                Some(_) => "ERR_API_TOKEN_INVALID",
            };
            let body = String::from_utf8(body).expect("text");
            assert!(body.contains(code), "{name}: {body}");
        }
    }
    assert!(echo.take().is_empty(), "nothing came through");
}

#[tokio::test]
async fn j2_grpc_web_is_answered_with_its_own_content_type() {
    let address = serve(layer(), Echo::default()).await;
    for (asked, answered) in [
        ("application/grpc-web", "application/grpc-web"),
        ("application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text", "application/grpc-web-text"),
        (
            "application/grpc-web-text+proto",
            "application/grpc-web-text+proto",
        ),
    ] {
        let headers = [("content-type", asked), (NAME, WRONG)];
        let (head, body) = ask(address, &format!("POST {UNARY}"), &headers).await;
        assert!(head.starts_with("http/1.1 200 ok"), "{asked}: {head}");
        let content_type = format!("content-type: {answered}");
        assert!(has(&head, &content_type), "{asked}: {head}");
        assert!(has(&head, "grpc-status: 16"), "{asked}: {head}");
        assert!(body.is_empty(), "{asked}");
    }
}

/// A server on which one of the two layers is outside of the other.
async fn translating(ours_outside: bool, echo: Echo) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let incoming = TcpListenerStream::new(listener);
    let routes = any_path(echo);
    let server = Server::builder().accept_http1(true);
    if ours_outside {
        let mut server = server.layer(layer()).layer(GrpcWebLayer::new());
        tokio::spawn(server.add_routes(routes).serve_with_incoming(incoming));
    } else {
        let mut server = server.layer(GrpcWebLayer::new()).layer(layer());
        tokio::spawn(server.add_routes(routes).serve_with_incoming(incoming));
    }
    address
}

const WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

#[tokio::test]
async fn j2_outside_of_tonics_grpc_web_layer_a_refusal_is_grpc_web() {
    let echo = Echo::default();
    let address = translating(true, echo.clone()).await;
    let (head, body) = ask(address, &format!("POST {UNARY}"), &[WEB, (NAME, WRONG)]).await;
    assert!(head.starts_with("http/1.1 200 ok"), "{head}");
    assert!(
        has(&head, "content-type: application/grpc-web+proto"),
        "{head}"
    );
    assert!(has(&head, "grpc-status: 16"), "{head}");
    assert!(body.is_empty());
    assert!(echo.take().is_empty());
}

/// tonic's layer says `application/grpc` and leaves the version as it is. Over HTTP/1.1 that cannot be told from any
/// other POST, which must never be answered with a 200; the clients of gRPC-Web read a 401 as UNAUTHENTICATED.
#[tokio::test]
async fn j1_j2_inside_of_tonics_grpc_web_layer_a_refusal_over_http_1_is_a_401() {
    let echo = Echo::default();
    let address = translating(false, echo.clone()).await;
    let (head, _) = ask(address, &format!("POST {UNARY}"), &[WEB, (NAME, WRONG)]).await;
    assert!(head.starts_with("http/1.1 401 unauthorized"), "{head}");
    assert!(echo.take().is_empty());
}

#[tokio::test]
async fn e5_an_accepted_grpc_web_call_passes_on_either_side_of_tonics_layer() {
    for ours_outside in [true, false] {
        let echo = Echo::default();
        let address = translating(ours_outside, echo.clone()).await;
        let name = format!("ours outside: {ours_outside}");
        let (head, body) = ask(address, &format!("POST {UNARY}"), &[WEB, (NAME, TOKEN)]).await;
        assert!(head.starts_with("http/1.1 200 ok"), "{name}: {head}");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(body.contains("\0\0\0\0\u{2}hi"), "{name}: {body:?}");
        assert!(body.contains("grpc-status:0"), "{name}: {body:?}");
        let seen = echo.take();
        assert_eq!(seen.len(), 1, "{name}");
        assert!(seen[0].metadata.get(NAME).is_none(), "{name}");
    }
}
