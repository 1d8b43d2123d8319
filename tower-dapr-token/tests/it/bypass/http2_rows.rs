//! What only HTTP/2 can say: odd pseudo-headers, and streams and frames that follow each other.

use tower_dapr_token::RejectionKind::{Ambiguous, Missing};

use super::frames::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Field, HEADERS, block, frame};
use super::guarded::GRPC_PROBE;
use super::table::Expected::{self, Accepted, Exempt, NoRequest, Refused};
use crate::support::{NAME, TOKEN};

fn fields(list: &[(&str, &str)]) -> Vec<Field> {
    list.iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// Header blocks that HTTP/1 has no counterpart of.
pub(super) fn odd_fields() -> Vec<(&'static str, Vec<Field>, Expected)> {
    const GET: (&str, &str) = (":method", "GET");
    const HTTP: (&str, &str) = (":scheme", "http");
    const HOST: (&str, &str) = (":authority", "x");
    const PROBE: (&str, &str) = (":path", "/healthz");
    const ORDERS: (&str, &str) = (":path", "/orders");
    const AUTH: (&str, &str) = (NAME, TOKEN);
    let row = |name, list: &[(&str, &str)], expected| (name, fields(list), expected);
    vec![
        row("the probe", &[GET, HTTP, HOST, PROBE], Exempt),
        row("in another order", &[PROBE, HOST, HTTP, GET], Exempt),
        row(
            "two paths, the probe first",
            &[GET, HTTP, HOST, PROBE, ORDERS],
            NoRequest,
        ),
        row(
            "two paths, the probe last",
            &[GET, HTTP, HOST, ORDERS, PROBE],
            NoRequest,
        ),
        row(
            "the probe twice",
            &[GET, HTTP, HOST, PROBE, PROBE],
            NoRequest,
        ),
        row(
            "two methods",
            &[GET, (":method", "POST"), HTTP, HOST, PROBE],
            NoRequest,
        ),
        row(
            "two hosts",
            &[GET, HTTP, HOST, (":authority", "y"), PROBE],
            NoRequest,
        ),
        row("no method", &[HTTP, HOST, PROBE], NoRequest),
        row("no scheme", &[GET, HOST, PROBE], NoRequest),
        row("no path", &[GET, HTTP, HOST], NoRequest),
        row("no path, with a token", &[GET, HTTP, HOST, AUTH], NoRequest),
        row("nothing", &[], NoRequest),
        row("a token alone", &[AUTH], NoRequest),
        row(
            "a status",
            &[GET, HTTP, HOST, ORDERS, (":status", "200")],
            NoRequest,
        ),
        row(
            "a token among the pseudo-headers",
            &[GET, AUTH, HTTP, HOST, ORDERS],
            NoRequest,
        ),
        row(
            "a path behind the token",
            &[GET, HTTP, HOST, AUTH, ORDERS],
            NoRequest,
        ),
        row(
            "a second path behind a header",
            &[GET, HTTP, HOST, ORDERS, ("x", "y"), PROBE],
            NoRequest,
        ),
        row(
            "an unknown pseudo-header",
            &[GET, HTTP, HOST, ORDERS, (":token", TOKEN)],
            NoRequest,
        ),
        row(
            "the token's name as a pseudo-header",
            &[GET, HTTP, HOST, ORDERS, (":dapr-api-token", TOKEN)],
            NoRequest,
        ),
        row(
            "a pseudo-header in capitals",
            &[GET, HTTP, HOST, (":PATH", "/healthz")],
            NoRequest,
        ),
        row("no host", &[GET, HTTP, PROBE], Exempt),
        row("no host, elsewhere", &[GET, HTTP, ORDERS], Refused(Missing)),
        row(
            "no host, a doubled slash",
            &[GET, HTTP, (":path", "//evil/healthz")],
            Refused(Missing),
        ),
        row(
            "a host that differs",
            &[GET, HTTP, HOST, PROBE, ("host", "evil.example")],
            Exempt,
        ),
        row(
            "a host that differs, elsewhere",
            &[GET, HTTP, HOST, ORDERS, ("host", "healthz")],
            Refused(Missing),
        ),
        row(
            "a host with a user",
            &[GET, HTTP, (":authority", "healthz@evil.example"), ORDERS],
            Refused(Missing),
        ),
        row(
            "the path in the host",
            &[GET, HTTP, (":authority", "x/healthz"), ORDERS],
            NoRequest,
        ),
        row(
            "the host is a path",
            &[GET, HTTP, (":authority", "/healthz"), ORDERS],
            NoRequest,
        ),
        row(
            "an empty host",
            &[GET, HTTP, (":authority", ""), PROBE],
            NoRequest,
        ),
        row(
            "another scheme",
            &[GET, (":scheme", "file"), HOST, PROBE],
            Exempt,
        ),
        row(
            "another scheme, elsewhere",
            &[GET, (":scheme", "file"), HOST, ORDERS],
            Refused(Missing),
        ),
        row(
            "a path in the scheme",
            &[GET, (":scheme", "http://x/healthz?"), HOST, ORDERS],
            NoRequest,
        ),
        row(
            "CONNECT with a path",
            &[(":method", "CONNECT"), HOST, PROBE],
            NoRequest,
        ),
        row(
            "CONNECT with a scheme",
            &[(":method", "CONNECT"), HTTP, HOST],
            NoRequest,
        ),
        row(
            "CONNECT of nothing",
            &[(":method", "CONNECT")],
            Refused(Missing),
        ),
        row(
            "extended CONNECT without a path",
            &[
                (":method", "CONNECT"),
                HTTP,
                HOST,
                (":protocol", "websocket"),
            ],
            NoRequest,
        ),
        row(
            "extended CONNECT of the gRPC probe",
            &[
                (":method", "CONNECT"),
                HTTP,
                HOST,
                (":path", GRPC_PROBE),
                (":protocol", "x"),
            ],
            Refused(Missing),
        ),
        row(
            "a length without a body",
            &[GET, HTTP, HOST, PROBE, ("content-length", "5")],
            NoRequest,
        ),
        row(
            "two lengths",
            &[
                GET,
                HTTP,
                HOST,
                PROBE,
                ("content-length", "0"),
                ("content-length", "5"),
            ],
            NoRequest,
        ),
        row(
            "chunks",
            &[GET, HTTP, HOST, PROBE, ("transfer-encoding", "chunked")],
            NoRequest,
        ),
        row(
            "a proxy's connection header",
            &[GET, HTTP, HOST, ORDERS, ("proxy-connection", NAME), AUTH],
            NoRequest,
        ),
        row(
            "the token with a line behind",
            &[
                GET,
                HTTP,
                HOST,
                ORDERS,
                ("x", "y\r\ndapr-api-token: x"),
                AUTH,
            ],
            NoRequest,
        ),
        row(
            "two tokens in one block",
            &[GET, HTTP, HOST, ORDERS, AUTH, AUTH],
            Refused(Ambiguous),
        ),
        row("a token", &[GET, HTTP, HOST, ORDERS, AUTH], Accepted),
    ]
}

/// Frames of several streams, or of one in several frames.
pub(super) struct Sequence {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) streams: &'static [u32],
    pub(super) statuses: &'static [u16],
    pub(super) arrivals: &'static [&'static str],
}

pub(super) fn sequences() -> Vec<Sequence> {
    const WHOLE: u8 = END_HEADERS | END_STREAM;
    let head = |method: &str, path: &str, more: &[(&str, &str)]| {
        let pseudo = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "x"),
            (":path", path),
        ];
        block(&fields(&[&pseudo, more].concat()))
    };
    let auth = (NAME, TOKEN);
    // Literal with incremental indexing, so that the name and the token stand in the table of the connection (entry 62).
    let mut indexed = head("GET", "/orders", &[]);
    let mut literal = block(&fields(&[auth]));
    literal[0] = 0x40;
    indexed.extend(literal);
    let mut referred = head("GET", "/orders", &[]);
    referred.push(0x80 | 62);
    let twice = [&referred[..], &[0x80 | 62]].concat();
    let [first, second] = [head("POST", "/orders", &[auth]), block(&fields(&[auth]))];
    vec![
        Sequence {
            name: "a token counts for its own stream alone",
            bytes: [
                frame(HEADERS, WHOLE, 1, &head("GET", "/orders", &[auth])),
                frame(HEADERS, WHOLE, 3, &head("GET", "/admin", &[])),
                frame(HEADERS, WHOLE, 5, &head("GET", "/healthz", &[])),
                frame(HEADERS, WHOLE, 7, &head("GET", "/HEALTHZ", &[])),
            ]
            .concat(),
            streams: &[1, 3, 5, 7],
            statuses: &[200, 401, 200, 401],
            arrivals: &["GET /orders", "GET /healthz"],
        },
        Sequence {
            name: "a token in the table of the connection counts where it is referred to",
            bytes: [
                frame(HEADERS, WHOLE, 1, &indexed),
                frame(HEADERS, WHOLE, 3, &head("GET", "/admin", &[])),
                frame(HEADERS, WHOLE, 5, &referred),
                frame(HEADERS, WHOLE, 7, &twice),
            ]
            .concat(),
            streams: &[1, 3, 5, 7],
            statuses: &[200, 401, 200, 401],
            arrivals: &["GET /orders", "GET /orders"],
        },
        Sequence {
            name: "the second token in a frame of its own",
            bytes: [
                frame(HEADERS, END_STREAM, 1, &first),
                frame(CONTINUATION, END_HEADERS, 1, &second),
            ]
            .concat(),
            streams: &[1],
            statuses: &[401],
            arrivals: &[],
        },
        Sequence {
            name: "the only token in a frame of its own, cut in two",
            bytes: [
                frame(HEADERS, END_STREAM, 1, &head("POST", "/orders", &[])),
                frame(CONTINUATION, 0, 1, &second[..20]),
                frame(CONTINUATION, END_HEADERS, 1, &second[20..]),
            ]
            .concat(),
            streams: &[1],
            statuses: &[200],
            arrivals: &["POST /orders"],
        },
        Sequence {
            name: "another stream between the frames of a head",
            bytes: [
                frame(HEADERS, END_STREAM, 1, &head("POST", "/orders", &[])),
                frame(HEADERS, WHOLE, 3, &head("GET", "/orders", &[auth])),
                frame(CONTINUATION, END_HEADERS, 1, &second),
            ]
            .concat(),
            streams: &[1, 3],
            statuses: &[],
            arrivals: &[],
        },
        Sequence {
            name: "a token in the trailers",
            bytes: [
                frame(
                    HEADERS,
                    END_HEADERS,
                    1,
                    &head("POST", "/orders", &[("trailer", NAME)]),
                ),
                frame(DATA, 0, 1, b"x"),
                frame(HEADERS, WHOLE, 1, &second),
            ]
            .concat(),
            streams: &[1],
            statuses: &[401],
            arrivals: &[],
        },
        Sequence {
            name: "a body that is a request of HTTP/1 with a token",
            bytes: [
                frame(HEADERS, END_HEADERS, 1, &head("POST", "/orders", &[])),
                frame(
                    DATA,
                    END_STREAM,
                    1,
                    format!("GET /admin HTTP/1.1\r\nhost: x\r\n{NAME}: {TOKEN}\r\n\r\n").as_bytes(),
                ),
            ]
            .concat(),
            streams: &[1],
            statuses: &[401],
            arrivals: &[],
        },
    ]
}
