//! What only HTTP/1 can say: odd first lines and line ends, and requests that are hidden behind others.

use tower_dapr_token::RejectionKind::{Ambiguous, Missing};

use super::table::Expected::{self, Accepted, Exempt, NoRequest, Refused};
use crate::support::{NAME, TOKEN};

/// Heads that HTTP/2 has no counterpart of.
pub(super) fn odd_heads() -> Vec<(&'static str, String, Expected)> {
    let rest = "host: x\r\nconnection: close";
    let token = format!("{NAME}: {TOKEN}");
    let probe = |line: &str| format!("{line}\r\n{rest}\r\n\r\n");
    let orders = |line: &str| format!("GET /orders HTTP/1.1\r\n{rest}\r\n{line}\r\n\r\n");
    vec![
        ("HTTP/1.0", probe("GET /healthz HTTP/1.0"), Exempt),
        (
            "HTTP/1.0 elsewhere",
            probe("GET /orders HTTP/1.0"),
            Refused(Missing),
        ),
        ("HTTP/0.9", "GET /healthz\r\n\r\n".to_owned(), NoRequest),
        ("HTTP/2 in words", probe("GET /healthz HTTP/2.0"), NoRequest),
        ("a later HTTP/1", probe("GET /healthz HTTP/1.2"), NoRequest),
        (
            "the version in small letters",
            probe("GET /healthz http/1.1"),
            NoRequest,
        ),
        (
            "text behind the version",
            probe("GET /healthz HTTP/1.1 x"),
            NoRequest,
        ),
        (
            "the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            NoRequest,
        ),
        (
            "tabs in the first line",
            probe("GET\t/healthz\tHTTP/1.1"),
            NoRequest,
        ),
        (
            "two targets",
            probe("GET /healthz /orders HTTP/1.1"),
            NoRequest,
        ),
        (
            "a space in front",
            probe(" GET /healthz HTTP/1.1"),
            NoRequest,
        ),
        // RFC 9112, 2.2: a server should ignore it.
        (
            "an empty line in front",
            probe("\r\nGET /healthz HTTP/1.1"),
            Exempt,
        ),
        (
            "an empty line in front, elsewhere",
            probe("\r\nGET /orders HTTP/1.1"),
            Refused(Missing),
        ),
        // RFC 9112, 2.2: it may end a line.
        (
            "lines without a carriage return",
            probe("GET /healthz HTTP/1.1").replace('\r', ""),
            Exempt,
        ),
        (
            "a token behind a line feed alone",
            orders(&format!("x: y\n{token}")),
            Accepted,
        ),
        (
            "two tokens, one behind a line feed alone",
            orders(&format!("{token}\n{token}")),
            Refused(Ambiguous),
        ),
        (
            "a token behind a carriage return alone",
            orders(&format!("x: y\r{token}")),
            NoRequest,
        ),
        ("a line without a colon", orders(NAME), NoRequest),
        (
            "a name in quotes",
            orders(&format!("\"{NAME}\": {TOKEN}")),
            NoRequest,
        ),
        (
            "no colon but a space",
            orders(&format!("{NAME} {TOKEN}")),
            NoRequest,
        ),
        (
            "no space behind the colon",
            orders(&format!("{NAME}:{TOKEN}")),
            Accepted,
        ),
        (
            "two hosts",
            format!("GET /healthz HTTP/1.1\r\nhost: y\r\n{rest}\r\n\r\n"),
            Exempt,
        ),
        (
            "no host",
            "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
            Exempt,
        ),
        (
            "a token behind the empty line",
            format!("{}{token}\r\n\r\n", orders("x: y")),
            Refused(Missing),
        ),
    ]
}

/// Bytes that hold more than one request, or seem to.
pub(super) struct Sequence {
    pub(super) name: &'static str,
    pub(super) bytes: String,
    pub(super) statuses: &'static [u16],
    pub(super) arrivals: &'static [&'static str],
}

/// Each ends in a way that makes the server close the connection. Where framing is in doubt, whoever stands in front of the
/// server may have seen one request where it sees two, so the second must stand on its own token.
pub(super) fn sequences() -> Vec<Sequence> {
    let token = format!("{NAME}: {TOKEN}\r\n");
    // Requests behind the first one, as a stranger would hide them.
    let hidden = "GET /admin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let hidden_orders = "POST /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let first = |line: &str, headers: &str, body: &str| {
        format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}\r\n{body}")
    };
    let sequence = |name, bytes, statuses, arrivals| Sequence {
        name,
        bytes,
        statuses,
        arrivals,
    };
    let both =
        |length: usize| format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n");
    let reversed = format!(
        "transfer-encoding: chunked\r\ncontent-length: {}\r\n",
        hidden.len() + 5
    );
    let chunked = "transfer-encoding: chunked\r\n";
    vec![
        sequence(
            "a token counts for its own request alone",
            [
                first("GET /orders", &token, ""),
                first("GET /admin", "", ""),
                first("GET /healthz", "", ""),
                first("GET /orders", &token, ""),
                hidden.to_owned(),
            ]
            .concat(),
            &[200, 401, 200, 200, 401],
            &["GET /orders", "GET /healthz", "GET /orders"],
        ),
        sequence(
            "content-length and chunks, with a token",
            first("POST /orders", &(token.clone() + &both(5)), "0\r\n\r\n") + hidden,
            &[200],
            &["POST /orders"],
        ),
        sequence(
            "content-length and chunks, the length covers the second",
            first(
                "POST /orders",
                &(token.clone() + &both(5 + hidden.len())),
                "0\r\n\r\n",
            ) + hidden,
            &[200],
            &["POST /orders"],
        ),
        sequence(
            "chunks and content-length",
            first("POST /orders", &(token.clone() + &reversed), "0\r\n\r\n") + hidden,
            &[200],
            &["POST /orders"],
        ),
        sequence(
            "content-length and chunks, without a token",
            first("POST /orders", &both(5), "0\r\n\r\n") + hidden,
            &[401],
            &[],
        ),
        sequence(
            "content-length and chunks of the probe",
            first("GET /healthz", &both(5), "0\r\n\r\n") + hidden_orders,
            &[200],
            &["GET /healthz"],
        ),
        sequence(
            "content-length and chunks of the gRPC probe",
            first(
                "POST /dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck",
                &both(5 + hidden_orders.len()),
                "0\r\n\r\n",
            ) + hidden_orders,
            &[200],
            &["POST /dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck"],
        ),
        sequence(
            "two lengths",
            first(
                "POST /orders",
                &format!(
                    "{token}content-length: 0\r\ncontent-length: {}\r\n",
                    hidden.len()
                ),
                hidden,
            ),
            &[400],
            &[],
        ),
        sequence(
            "two lengths of the probe in one line",
            first(
                "GET /healthz",
                &format!("content-length: 0, {}\r\n", hidden.len()),
                hidden,
            ),
            &[400],
            &[],
        ),
        sequence(
            "a length with a sign",
            first(
                "GET /healthz",
                &format!("content-length: +{}\r\n", hidden.len()),
                hidden,
            ),
            &[400],
            &[],
        ),
        sequence(
            "chunks that are not the last encoding",
            first(
                "GET /healthz",
                "transfer-encoding: chunked, identity\r\n",
                "0\r\n\r\n",
            ) + hidden,
            &[400],
            &[],
        ),
        sequence(
            "an unknown encoding",
            first(
                "GET /healthz",
                "transfer-encoding: xchunked\r\n",
                "0\r\n\r\n",
            ) + hidden,
            &[400],
            &[],
        ),
        sequence(
            "a space before the colon of the encoding",
            first(
                "GET /healthz",
                "transfer-encoding : chunked\r\n",
                "0\r\n\r\n",
            ) + hidden,
            &[400],
            &[],
        ),
        sequence(
            "a vertical tab in front of the encoding",
            first(
                "GET /healthz",
                "transfer-encoding: \u{b}chunked\r\n",
                "0\r\n\r\n",
            ) + hidden,
            &[400],
            &[],
        ),
        sequence(
            "chunks over HTTP/1.0",
            format!(
                "GET /healthz HTTP/1.0\r\nconnection: keep-alive\r\n{chunked}\r\n0\r\n\r\n{hidden}"
            ),
            &[400],
            &[],
        ),
        sequence(
            "a chunk size that is none, with a token",
            first("POST /orders", &(token.clone() + chunked), "0x5\r\n\r\n") + hidden,
            &[200],
            &["POST /orders"],
        ),
        sequence(
            "a chunk size beyond 64 bits, of the probe",
            first(
                "GET /healthz",
                chunked,
                "10000000000000005\r\nhello\r\n0\r\n\r\n",
            ) + hidden,
            &[200],
            &["GET /healthz"],
        ),
        sequence(
            "chunks that end rightly, then a request without a token",
            first(
                "POST /orders",
                &(token.clone() + chunked),
                "2\r\nab\r\n0\r\n\r\n",
            ) + hidden,
            &[200, 401],
            &["POST /orders"],
        ),
        sequence(
            "a refused request whose body is one with a token",
            {
                let body = first("GET /admin", &token, "");
                first(
                    "POST /orders",
                    &format!("content-length: {}\r\n", body.len()),
                    &body,
                ) + hidden
            },
            &[401, 401],
            &[],
        ),
        sequence(
            "a token in the trailers",
            first(
                "POST /orders",
                &format!("connection: close\r\ntrailer: {NAME}\r\n{chunked}"),
                &format!("0\r\n{token}\r\n"),
            ),
            &[401],
            &[],
        ),
        sequence(
            "a token in the trailers, and a request behind",
            first("POST /orders", chunked, &format!("0\r\n{token}\r\n")) + hidden,
            &[401, 401],
            &[],
        ),
    ]
}
