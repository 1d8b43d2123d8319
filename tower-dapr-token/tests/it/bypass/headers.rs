//! Rows about headers: which one holds the token, what it may hold, and what nobody believes (E1 to E4, E7, X5).

use tower_dapr_token::RejectionKind::{Ambiguous, Empty, Mismatch, Missing, TooLarge};

use super::guarded::{CUSTOM, UNDERSCORES};
use super::table::Expected::{Accepted, Exempt, NoRequest, Refused};
use super::table::{Expected, Row, row};
use crate::support::{NAME, TOKEN, WRONG};

/// A row about headers, on a path that is not exempt.
fn orders(name: &'static str, expected: Expected) -> Row {
    row(name, "POST", "/orders", expected)
}

pub(super) fn rows() -> Vec<Row> {
    [values(), names(), elsewhere(), preflights(), hops()].concat()
}

/// E2 to E4: one value, byte by byte.
fn values() -> Vec<Row> {
    let token = |name, expected, value: &[u8]| orders(name, expected).token(value);
    let around = |before: &str, behind: &str| format!("{before}{TOKEN}{behind}").into_bytes();
    // HTTP/1 removes white space around a value; the layer does not (E3).
    let spaced = |name, value: Vec<u8>| token(name, Refused(Mismatch), &value).http1(Accepted);
    let wrong = Refused(Mismatch);
    let mut upper = TOKEN.to_owned();
    upper.make_ascii_uppercase();
    vec![
        orders("a token", Accepted).token(TOKEN),
        orders("no token", Refused(Missing)),
        token("a wrong token", wrong, WRONG.as_bytes()),
        token("an empty token", Refused(Empty), b""),
        token("white space alone", wrong, b" ").http1(Refused(Empty)),
        token("in upper case", wrong, upper.as_bytes()),
        token("a byte less", wrong, &TOKEN.as_bytes()[1..]),
        token("a byte more", wrong, &around("", "x")),
        token(
            "joined by a comma",
            wrong,
            &around(&format!("{TOKEN},"), ""),
        ),
        token("joined by a comma and a space", wrong, &around("x, ", "")),
        token("a comma behind", wrong, &around("", ",")),
        token("quoted", wrong, &around("\"", "\"")),
        token("with a scheme", wrong, &around("Bearer ", "")),
        token("with a parameter", wrong, &around("", ";x=1")),
        token(
            "an escaped byte",
            wrong,
            TOKEN.replace('-', "%2d").as_bytes(),
        ),
        spaced("a space in front", around(" ", "")),
        spaced("a space behind", around("", " ")),
        spaced("tabs and spaces around", around(" \t", "\t ")),
        token(
            "a byte above ASCII",
            wrong,
            &[TOKEN.as_bytes(), &[0x80]].concat(),
        ),
        token("a no-break space behind", wrong, &around("", "\u{a0}")),
        token("1024 bytes", wrong, &[b'x'; 1024]),
        token("1025 bytes", Refused(TooLarge), &[b'x'; 1025]),
        token(
            "the token and 900 spaces",
            wrong,
            &around("", &" ".repeat(900)),
        )
        .http1(Accepted),
        token("a NUL behind", NoRequest, &around("", "\0")),
        token("a NUL in front", NoRequest, &around("\0", "")),
        token("a vertical tab in front", NoRequest, &around("\u{b}", "")),
        token("a carriage return behind", NoRequest, &around("", "\rx")),
        token(
            "folded onto a second line",
            NoRequest,
            &around("x\r\n ", ""),
        ),
        token(
            "folded, the first line is empty",
            NoRequest,
            &around("\r\n ", ""),
        ),
        token("folded behind the token", NoRequest, &around("", "\r\n x")),
        orders("folded under another header", NoRequest)
            .with("x", format!("y\r\n {NAME}: {TOKEN}")),
        orders("twice the same", Refused(Ambiguous))
            .token(TOKEN)
            .token(TOKEN),
        orders("a good one, then a bad one", Refused(Ambiguous))
            .token(TOKEN)
            .token(WRONG),
        orders("a bad one, then a good one", Refused(Ambiguous))
            .token(WRONG)
            .token(TOKEN),
        orders("a good one, then an empty one", Refused(Ambiguous))
            .token(TOKEN)
            .token(""),
        orders("an empty one, then a good one", Refused(Ambiguous))
            .token("")
            .token(TOKEN),
        orders("twice, apart", Refused(Ambiguous))
            .token(TOKEN)
            .with("x", "y")
            .token(TOKEN),
        orders("a long one, then a good one", Refused(Ambiguous))
            .token([b'x'; 1025])
            .token(TOKEN),
        orders("an empty one, then a bad one", Refused(Ambiguous))
            .token("")
            .token(WRONG),
        orders("two bad ones", Refused(Ambiguous))
            .token(WRONG)
            .token(&TOKEN[1..]),
        orders("five times, the fourth is good", Refused(Ambiguous))
            .token(WRONG)
            .token(WRONG)
            .token(WRONG)
            .token(TOKEN)
            .token(WRONG),
        orders("five times", Refused(Ambiguous))
            .token(WRONG)
            .token(WRONG)
            .token(WRONG)
            .token(WRONG)
            .token(TOKEN),
    ]
}

/// E1: one name. Letter case does not count, where the protocol allows it at all.
fn names() -> Vec<Row> {
    let no = Refused(Missing);
    vec![
        orders("the name in capitals", Accepted)
            .with("DAPR-API-TOKEN", TOKEN)
            .http2(NoRequest),
        orders("the name in title case", Accepted)
            .with("Dapr-Api-Token", TOKEN)
            .http2(NoRequest),
        orders("twice in two cases", Refused(Ambiguous))
            .token(TOKEN)
            .with("Dapr-Api-Token", TOKEN)
            .http2(NoRequest),
        orders("an empty name", NoRequest).with("", TOKEN),
        orders("a space before the colon", NoRequest).with("dapr-api-token ", TOKEN),
        orders("a tab before the colon", NoRequest).with("dapr-api-token\t", TOKEN),
        orders("a space before the name", NoRequest).with(" dapr-api-token", TOKEN),
        orders("a NUL in the name", NoRequest).with("dapr-api-token\0", TOKEN),
        orders("a colon in front of the name", NoRequest).with(":dapr-api-token", TOKEN),
        orders("underscores, CVE-2025-64484", no).with(UNDERSCORES, TOKEN),
        orders("one underscore, CVE-2025-64484", no).with("dapr-api_token", TOKEN),
        orders("a token, and a twin with another", Accepted)
            .token(TOKEN)
            .with(UNDERSCORES, WRONG),
        orders(
            "a wrong token, and a twin with the token",
            Refused(Mismatch),
        )
        .token(WRONG)
        .with(UNDERSCORES, TOKEN),
        // Where this is the name that is read, these are about the usual one, which is stripped unread.
        orders("another name", no).with(CUSTOM, TOKEN),
        orders("a token, and two under another name", Accepted)
            .token(TOKEN)
            .with(CUSTOM, TOKEN)
            .with(CUSTOM, WRONG),
        orders(
            "a wrong token, and the token under another name",
            Refused(Mismatch),
        )
        .token(WRONG)
        .with(CUSTOM, TOKEN),
        orders("a twin of another name", no).with("corp_api_token", TOKEN),
        orders("dots for hyphens", no).with("dapr.api.token", TOKEN),
        orders("a longer name", no).with("dapr-api-token-", TOKEN),
        orders("a prefix", no).with("x-dapr-api-token", TOKEN),
        orders("the name of a gRPC binary key", no).with("dapr-api-token-bin", TOKEN),
    ]
}

/// E1: nothing is read from anywhere else, nor believed.
fn elsewhere() -> Vec<Row> {
    let no = Refused(Missing);
    const QUERY: &str = "/orders?dapr-api-token=the-token-that-is-accepted-43-bytes-long-ok";
    assert!(QUERY.ends_with(TOKEN), "the query holds the token");
    vec![
        row("the token in the query", "GET", QUERY, no),
        orders("the token in a cookie", no).with("cookie", format!("{NAME}={TOKEN}")),
        orders("the token as a bearer", no).with("authorization", format!("Bearer {TOKEN}")),
        orders("the token of a proxy", no).with("proxy-authorization", TOKEN),
        orders("the path of before a rewrite, CVE-2018-14773", no)
            .with("x-original-url", "/healthz")
            .with("x-rewrite-url", "/healthz"),
        orders("a path from a proxy", no)
            .with("x-forwarded-uri", "/healthz")
            .with("x-forwarded-prefix", "/healthz")
            .with("x-envoy-original-path", "/healthz"),
        orders("a client of this machine", no)
            .with("x-forwarded-for", "127.0.0.1")
            .with("forwarded", "for=127.0.0.1"),
        orders("a request that says it passed, CVE-2025-29927", no)
            .with("x-middleware-subrequest", "middleware"),
        orders("a probe by its agent", no).with("user-agent", "kube-probe/1.34"),
    ]
}

/// X5: what a browser asks before a request, and what only looks like it.
fn preflights() -> Vec<Row> {
    let no = Refused(Missing);
    let origin = |name, method, expected| {
        row(name, method, "/orders", expected).with("origin", "https://evil.example")
    };
    let asked = "access-control-request-method";
    vec![
        origin("a preflight", "OPTIONS", no).with(asked, "GET"),
        origin("a preflight with a token", "OPTIONS", Accepted)
            .with(asked, "GET")
            .token(TOKEN),
        origin(
            "a preflight with a wrong token",
            "OPTIONS",
            Refused(Mismatch),
        )
        .with(asked, "GET")
        .token(WRONG),
        origin("a preflight with two tokens", "OPTIONS", Refused(Ambiguous))
            .with(asked, "GET")
            .token(WRONG)
            .token(WRONG),
        origin("a preflight that names no method", "OPTIONS", no),
        row("a preflight of no origin", "OPTIONS", "/orders", no).with(asked, "GET"),
        origin("GET with the headers of a preflight", "GET", no).with(asked, "GET"),
        origin("a method that is overridden by OPTIONS", "POST", no)
            .with(asked, "GET")
            .with("x-http-method-override", "OPTIONS"),
    ]
}

/// E7: headers that name others are not obeyed. HTTP/2 has no `connection`, and of `te` only `trailers`.
fn hops() -> Vec<Row> {
    let no = Refused(Missing);
    let nominated = "close, dapr-api-token";
    vec![
        orders("a token that `connection` names, CVE-2025-48865", Accepted)
            .with("connection", nominated)
            .token(TOKEN)
            .http2(NoRequest),
        orders("a wrong token that `connection` names", Refused(Mismatch))
            .with("connection", nominated)
            .token(WRONG)
            .http2(NoRequest),
        orders("`connection` names what is not there, CVE-2024-45410", no)
            .with("connection", nominated)
            .http2(NoRequest),
        row(
            "a token of the probe that `connection` names",
            "GET",
            "/healthz",
            Accepted,
        )
        .with("connection", nominated)
        .token(TOKEN)
        .http2(NoRequest),
        orders("two tokens, `connection` names them", Refused(Ambiguous))
            .with("connection", nominated)
            .token(WRONG)
            .token(TOKEN)
            .http2(NoRequest),
        orders("`keep-alive` names it", Accepted)
            .with("keep-alive", NAME)
            .token(TOKEN)
            .http2(NoRequest),
        orders("`te` names it", Accepted)
            .with("te", NAME)
            .token(TOKEN)
            .http2(NoRequest),
        orders("`trailer` announces it", no).with("trailer", NAME),
        row(
            "the probe as a way to a web socket",
            "GET",
            "/healthz",
            Exempt,
        )
        .with("connection", "close, upgrade")
        .with("upgrade", "websocket")
        .http2(NoRequest),
        orders("an upgrade to HTTP/2", no)
            .with("connection", "close, upgrade, http2-settings")
            .with("upgrade", "h2c")
            .with("http2-settings", "AAMAAABkAAQAAP__")
            .http2(NoRequest),
    ]
}
