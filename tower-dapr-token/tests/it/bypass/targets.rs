//! Rows about targets, methods and hosts: what is exempt, and what only looks like it (X1, X2).

use tower_dapr_token::RejectionKind::{Mismatch, Missing};

use super::guarded::{GRPC_PROBE, UNDERSCORES};
use super::table::Expected::{Accepted, CannotSay, Exempt, NoRequest, Refused};
use super::table::{Expected, Row, row};
use crate::support::{TOKEN, WRONG};

/// A row about a target, sent with GET and without a token.
fn get(name: &'static str, target: &'static str, expected: Expected) -> Row {
    row(name, "GET", target, expected)
}

pub(super) fn rows() -> Vec<Row> {
    [targets(), methods(), authorities(), probes()].concat()
}

/// X1, X2: what a target may look like.
fn targets() -> Vec<Row> {
    let no = Refused(Missing);
    vec![
        get("the probe", "/healthz", Exempt),
        get("a query is ignored", "/healthz?x", Exempt),
        get("an empty query", "/healthz?", Exempt),
        get("a path in the query", "/healthz?/../orders", Exempt),
        // `http` drops the fragment, so the app sees the probe too (CVE-2021-32779 is a proxy that sees more).
        get("a fragment", "/healthz#/../orders", Exempt),
        get("the probe in the fragment", "/orders#/healthz", no),
        get(
            "the probe in the query, GHSA-59m6-82qm-vqgj",
            "/orders?/healthz",
            no,
        ),
        get(
            "the probe as a parameter, GHSA-59m6-82qm-vqgj",
            "/orders?x=/healthz",
            no,
        ),
        get("an escaped question mark", "/orders%3F/healthz", no),
        get("a doubled slash, CVE-2021-31920", "//healthz", no),
        get("three slashes", "///healthz", no),
        get("a slash behind", "/healthz/", no),
        get("two slashes behind", "/healthz//", no),
        get("an escaped letter, CVE-2021-29492", "/%68ealthz", no),
        get("an escaped slash behind, CVE-2021-29492", "/healthz%2F", no),
        get("an escaped slash in front", "/%2Fhealthz", no),
        get(
            "an escaped slash in small letters",
            "/healthz%2f..%2forders",
            no,
        ),
        get("escaped twice", "/%2568ealthz", no),
        get("half an escape", "/healthz%", no),
        get("an escaped NUL", "/healthz%00", no),
        get("an overlong escape", "/%c1%a8ealthz", no),
        get("dots", "/x/../healthz", no),
        get("dots behind", "/healthz/../orders", no),
        get("one dot", "/./healthz", no),
        get("escaped dots, CVE-2021-31920", "/x/%2e%2e/healthz", no),
        get("escaped dots behind", "/healthz/%2e%2e/orders", no),
        get("dots and a path parameter", "/x/..;/healthz", no),
        get("a path parameter", "/healthz;x=1", no),
        get("a backslash", "/x\\..\\healthz", no),
        get("a backslash in front", "/\\healthz", no),
        get("upper case", "/HEALTHZ", no),
        get("one upper-case letter", "/Healthz", no),
        get("a suffix", "/healthz.json", no),
        get("one letter more", "/healthzz", no),
        get("one letter less", "/health", no),
        get("below the probe", "/healthz/orders", no),
        get("above the probe", "/admin/healthz", no),
        get("the root", "/", no),
        get("a no-break space in the path", "/healthz\u{a0}", no),
        get("a look-alike letter", "/he\u{430}lthz", no),
        get("a tab in the target", "/healthz\tx", NoRequest),
        get("a space in the target", "/healthz x", NoRequest),
        get("a NUL in the target", "/healthz\0", NoRequest),
        get("a line feed in the target", "/healthz\nx", NoRequest),
        get("an empty target", "", NoRequest),
        // CVE-2026-33186 is a server that takes it for the path with its slash. To `http` it is an authority.
        get("no slash in front, CVE-2026-33186", "healthz", no).http2(NoRequest),
        get("no slash in front, a port behind", "healthz:80", no).http2(NoRequest),
        get("a query alone", "?/healthz", NoRequest).http2(no),
        get("an asterisk", "*", no),
        row("OPTIONS of the asterisk", "OPTIONS", "*", no),
        get("an asterisk and a path", "*/healthz", NoRequest),
        row("the gRPC probe", "POST", GRPC_PROBE, Exempt),
        row(
            "the gRPC probe without its slash, CVE-2026-33186",
            "POST",
            "dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck",
            NoRequest,
        ),
        row(
            "the gRPC probe in another case",
            "POST",
            "/dapr.proto.runtime.v1.AppCallbackHealthCheck/healthcheck",
            no,
        ),
        row(
            "another method of the probed service",
            "POST",
            "/dapr.proto.runtime.v1.AppCallbackHealthCheck/Other",
            no,
        ),
    ]
}

/// X1: the method is part of the pair.
fn methods() -> Vec<Row> {
    let no = Refused(Missing);
    vec![
        row("HEAD of the probe", "HEAD", "/healthz", no),
        row("POST of the probe", "POST", "/healthz", no),
        row("OPTIONS of the probe", "OPTIONS", "/healthz", no),
        row("TRACE of the probe", "TRACE", "/healthz", no),
        row("the method in small letters", "get", "/healthz", no),
        row("a longer method", "GETS", "/healthz", no),
        row("GET of the gRPC probe", "GET", GRPC_PROBE, no),
        row("a method with a space", "GET ", "/healthz", NoRequest),
        row("no method", "", "/healthz", NoRequest),
        row("a method that is overridden", "POST", "/healthz", no)
            .with("x-http-method-override", "GET"),
        row("CONNECT of the probe", "CONNECT", "/healthz", no).http2(NoRequest),
        row("CONNECT of a host of its name", "CONNECT", "healthz:80", no),
        row(
            "CONNECT with a token",
            "CONNECT",
            "any.example:443",
            Accepted,
        )
        .token(TOKEN),
        row(
            "CONNECT with a wrong token",
            "CONNECT",
            "any.example:443",
            Refused(Mismatch),
        )
        .token(WRONG),
        Row {
            protocol: Some("websocket"),
            ..row("extended CONNECT of the probe", "CONNECT", "/healthz", no)
                .http1(CannotSay("HTTP/1 has no `:protocol`; it asks by `upgrade`"))
        },
        Row {
            protocol: Some("websocket"),
            ..row(
                "extended CONNECT with a token",
                "CONNECT",
                "/orders",
                Accepted,
            )
            .token(TOKEN)
            .http1(CannotSay("HTTP/1 has no `:protocol`; it asks by `upgrade`"))
        },
        Row {
            protocol: Some("websocket"),
            // The type has a place for it, but no server of ours makes such a request.
            ..get("`:protocol` of a GET", "/healthz", NoRequest)
                .alone(Exempt)
                .http1(CannotSay("HTTP/1 has no `:protocol`; it asks by `upgrade`"))
        },
    ]
}

/// X2: the host is never asked.
fn authorities() -> Vec<Row> {
    let no = Refused(Missing);
    let absolute = |name, target, expected| get(name, target, expected).http2(NoRequest);
    vec![
        get("a foreign host", "/healthz", Exempt).at_host("evil.example"),
        get("a foreign host elsewhere", "/orders", no).at_host("evil.example"),
        get("a host named as the probe", "/orders", no).at_host("healthz"),
        // What HTTP/1 calls absolute form is in HTTP/2 a `:path` without its slash.
        absolute("absolute form", "http://localhost/healthz", Exempt),
        absolute(
            "absolute form, foreign host, CVE-2026-26205",
            "http://evil.example/healthz",
            Exempt,
        ),
        absolute(
            "absolute form, TLS",
            "https://evil.example:8443/healthz?x",
            Exempt,
        ),
        absolute("absolute form, no path", "http://evil.example", no),
        absolute("absolute form, the probe as host", "http://healthz", no),
        absolute(
            "absolute form, two slashes",
            "http://evil.example//healthz",
            no,
        ),
        absolute(
            "absolute form, the probe in the user",
            "http://x:/healthz@evil.example/orders",
            no,
        ),
        absolute("a scheme alone", "http:/healthz", NoRequest),
        absolute("another scheme", "file:///healthz", NoRequest),
        get(
            "a doubled slash as authority, CVE-2026-26205",
            "//evil/healthz",
            no,
        ),
        get(
            "a doubled slash and a port",
            "//evil.example:80/healthz",
            no,
        ),
        get("a user in front of the path", "/@evil.example/healthz", no),
    ]
}

/// X1, E5: an exempt request may carry anything, and it is stripped all the same.
fn probes() -> Vec<Row> {
    let probe = |name, expected| get(name, "/healthz", expected);
    vec![
        probe("the probe with a valid token", Accepted).token(TOKEN),
        probe("the probe with a wrong token", Exempt).token(WRONG),
        probe("the probe with an empty token", Exempt).token(""),
        probe("the probe with a long token", Exempt).token("x".repeat(1025)),
        probe("the probe with two tokens", Exempt)
            .token(TOKEN)
            .token(TOKEN),
        probe("the probe with five tokens", Exempt)
            .token("1")
            .token("2")
            .token("3")
            .token("4")
            .token("5"),
        probe("the probe with a token under the twin's name", Exempt).with(UNDERSCORES, TOKEN),
        probe("the probe with a broken header", NoRequest).with("x", "a\0b"),
    ]
}
