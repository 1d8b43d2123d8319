//! Step 4b of the inbound flow: a [`Rejection`] and the one table that turns it into an answer.
//!
//! The answer reuses the request's own header map after clearing it, so that it allocates nothing
//! where the map holds three headers or more, and no header of the request survives into it (`J6`).
//! Bodies and values are static. Every invalid token is answered with the same bytes, whatever was
//! wrong with it (`J4`).
//!
//! A refusal is 401 or 503 over HTTP and UNAUTHENTICATED or UNAVAILABLE over gRPC, never a 2xx, 403,
//! 404 or UNIMPLEMENTED: daprd takes a 2xx for success, and drops the message on 404 and
//! UNIMPLEMENTED (`J1`, `J2`).

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode, Version};

use super::verbose;
use crate::header;
use crate::observe::Protocol;

/// Why a request was refused. Opaque, so that it can say more one day; [`kind`](Self::kind) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    kind: RejectionKind,
    protocol: Protocol,
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind, protocol: Protocol) -> Self {
        Self { kind, protocol }
    }

    /// Which protocol the caller can read the answer in.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The reason.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request refused: {}", self.kind)
    }
}

impl std::error::Error for Rejection {}

/// The reasons for which a request is refused (`O2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The header is not there.
    Missing,
    /// The header is there and holds nothing.
    Empty,
    /// The header is there more than once, even if all values are equal (`E2`).
    Ambiguous,
    /// The value is longer than the limit (`E4`).
    TooLarge,
    /// The value equals no accepted token.
    Mismatch,
    /// The value equals a previous token whose time is over (`R7`), or is a JWT that has expired (`T4`).
    Expired,
    /// The value has not the form of a JWT, or its header asks for what is not supported (`T1`).
    Malformed,
    /// The JWT is not valid yet: its `nbf` or `iat` lies ahead (`T4`).
    NotYet,
    /// The JWT is meant for somebody else: none of its `aud` is expected (`T4`).
    Audience,
    /// The JWT was made by somebody else: its `iss` is not expected (`T4`).
    Issuer,
    /// The JWT is about somebody else: its `sub` is not admitted (`T4`).
    Subject,
    /// The JWT is signed with an algorithm that is not allowed, or that no key of its name is for (`T2`).
    Algorithm,
    /// No key is at hand for the `kid` of the JWT, or for a JWT without one (`T3`).
    Key,
    /// The JWT is signed by none of the keys that it could be signed by.
    Signature,
    /// A required claim of the JWT is missing, or one has a wrong type or value (`T4`).
    Claims,
    /// There is nothing to compare the value with: no token was loaded yet, or none for too long (`R5`, `R6`).
    Unavailable,
}

impl RejectionKind {
    /// The name under which the reason is counted and logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Ambiguous => "ambiguous",
            Self::TooLarge => "too_large",
            Self::Mismatch => "mismatch",
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::NotYet => "not_yet",
            Self::Audience => "aud",
            Self::Issuer => "iss",
            Self::Subject => "sub",
            Self::Algorithm => "alg",
            Self::Key => "kid",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose words a refusal is spoken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON with Dapr's `errorCode`, and a challenge, as RFC 9110 demands of a 401.
    #[default]
    Standard,
    /// The same with the challenges of a bearer token, where JWTs are accepted.
    #[cfg_attr(
        not(any(feature = "jwt", feature = "jwt-rust-crypto")),
        allow(dead_code, reason = "asked for by JWT mode alone")
    )]
    Bearer,
    /// The bytes of a daprd 1.18 (`J7`).
    Daprd,
}

/// How the caller can read an answer, told from its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Http,
    /// With the content type of the answer.
    Grpc(&'static HeaderValue),
}

/// What is sent: a row of the table.
struct Answer {
    status: StatusCode,
    headers: Headers,
    body: &'static [u8],
}

/// The headers of an answer. They are written out in [`write`](Self::write), because a constant name and a constant
/// value cost half of what a table of them would.
enum Headers {
    /// JSON and the challenge of a 401.
    Challenge,
    /// JSON and the challenge of RFC 6750 to somebody who sent no token.
    BearerChallenge,
    /// The same to somebody who sent one.
    BearerInvalid,
    /// JSON and when to come again.
    RetryLater,
    /// What daprd sends.
    Daprd,
    /// The status of a gRPC call, its message and its details.
    Trailers([HeaderValue; 3]),
}

impl Headers {
    #[inline]
    fn write(&self, map: &mut HeaderMap, grpc: Option<&'static HeaderValue>) {
        match self {
            Self::Challenge => {
                map.append(CONTENT_TYPE, header::JSON);
                map.append(CACHE_CONTROL, header::NO_STORE);
                map.append(WWW_AUTHENTICATE, header::CHALLENGE);
            }
            Self::BearerChallenge | Self::BearerInvalid | Self::RetryLater => {
                map.append(CONTENT_TYPE, header::JSON);
                map.append(CACHE_CONTROL, header::NO_STORE);
                let (name, value) = match self {
                    Self::BearerChallenge => (WWW_AUTHENTICATE, header::BEARER),
                    Self::BearerInvalid => (WWW_AUTHENTICATE, header::BEARER_INVALID),
                    _ => (RETRY_AFTER, header::RETRY_SOON),
                };
                map.append(name, value);
            }
            Self::Daprd => {
                map.append(CONTENT_TYPE, header::PLAIN_TEXT);
                map.append(X_CONTENT_TYPE_OPTIONS, header::NO_SNIFF);
            }
            Self::Trailers([status, message, details]) => {
                if let Some(content_type) = grpc {
                    map.append(CONTENT_TYPE, content_type.clone());
                }
                map.append(header::GRPC_STATUS, status.clone());
                map.append(header::GRPC_MESSAGE, message.clone());
                map.append(header::GRPC_STATUS_DETAILS, details.clone());
            }
        }
    }
}

static HTTP_MISSING: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    headers: Headers::Challenge,
    body: br#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#,
};

static HTTP_INVALID: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    headers: Headers::Challenge,
    body: br#"{"errorCode":"ERR_API_TOKEN_INVALID","message":"invalid api token"}"#,
};

static HTTP_BEARER_MISSING: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    headers: Headers::BearerChallenge,
    body: HTTP_MISSING.body,
};

static HTTP_BEARER_INVALID: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    headers: Headers::BearerInvalid,
    body: HTTP_INVALID.body,
};

static HTTP_UNAVAILABLE: Answer = Answer {
    status: StatusCode::SERVICE_UNAVAILABLE,
    headers: Headers::RetryLater,
    body: br#"{"errorCode":"ERR_AUTH_UNAVAILABLE","message":"authentication unavailable"}"#,
};

static HTTP_DAPRD: Answer = Answer {
    status: StatusCode::UNAUTHORIZED,
    headers: Headers::Daprd,
    body: b"invalid api token\n",
};

// Trailers-only: the status is in the headers and the body is empty (`J2`). The details are a
// `google.rpc.Status` with one ErrorInfo, in base64 (`J3`); a test decodes each with `tonic-types`.

static GRPC_MISSING: Answer = trailers_only(
    "16",
    "missing api token",
    "CBASEW1pc3NpbmcgYXBpIHRva2VuGpcBCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEmsKEUFQSV9UT0tFTl9NSVNTSU5HEgdkYXByLmlvGhAKCWh0dHAuY29kZRIDNDAxGjsKEmh0dHAuZXJyb3JfbWVzc2FnZRIlbWlzc2luZyBhcGkgdG9rZW4gaW4gcmVxdWVzdCBtZXRhZGF0YQ",
);

static GRPC_INVALID: Answer = trailers_only(
    "16",
    "invalid api token",
    "CBASEWludmFsaWQgYXBpIHRva2VuGpoBCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEm4KEUFQSV9UT0tFTl9JTlZBTElEEgdkYXByLmlvGhAKCWh0dHAuY29kZRIDNDAxGj4KEmh0dHAuZXJyb3JfbWVzc2FnZRIoYXV0aGVudGljYXRpb24gZXJyb3I6IGFwaSB0b2tlbiBtaXNtYXRjaA",
);

static GRPC_UNAVAILABLE: Answer = trailers_only(
    "14",
    "authentication unavailable",
    "CA4SGmF1dGhlbnRpY2F0aW9uIHVuYXZhaWxhYmxlGosBCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEl8KEEFVVEhfVU5BVkFJTEFCTEUSB2RhcHIuaW8aEAoJaHR0cC5jb2RlEgM1MDMaMAoSaHR0cC5lcnJvcl9tZXNzYWdlEhphdXRoZW50aWNhdGlvbiB1bmF2YWlsYWJsZQ",
);

static GRPC_DAPRD_MISSING: Answer = trailers_only(
    "16",
    "Unauthorized",
    "CBASDFVuYXV0aG9yaXplZBqSAQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxJmCgxVbmF1dGhvcml6ZWQSB2RhcHIuaW8aEAoJaHR0cC5jb2RlEgM0MDEaOwoSaHR0cC5lcnJvcl9tZXNzYWdlEiVtaXNzaW5nIGFwaSB0b2tlbiBpbiByZXF1ZXN0IG1ldGFkYXRh",
);

static GRPC_DAPRD_INVALID: Answer = trailers_only(
    "16",
    "Unauthorized",
    "CBASDFVuYXV0aG9yaXplZBqVAQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxJpCgxVbmF1dGhvcml6ZWQSB2RhcHIuaW8aEAoJaHR0cC5jb2RlEgM0MDEaPgoSaHR0cC5lcnJvcl9tZXNzYWdlEihhdXRoZW50aWNhdGlvbiBlcnJvcjogYXBpIHRva2VuIG1pc21hdGNo",
);

const fn trailers_only(code: &'static str, message: &'static str, details: &'static str) -> Answer {
    Answer {
        status: StatusCode::OK,
        headers: Headers::Trailers([
            HeaderValue::from_static(code),
            HeaderValue::from_static(message),
            HeaderValue::from_static(details),
        ]),
        body: b"",
    }
}

/// The table: reason, format and dialect to answer.
fn answer(kind: RejectionKind, format: Format, dialect: Dialect) -> &'static Answer {
    let missing = kind == RejectionKind::Missing;
    // daprd has no such answer: it never runs without its token.
    let unavailable = kind == RejectionKind::Unavailable;
    match (format, dialect) {
        (Format::Http, _) if unavailable => &HTTP_UNAVAILABLE,
        (Format::Grpc(_), _) if unavailable => &GRPC_UNAVAILABLE,
        (Format::Http, Dialect::Standard) if missing => &HTTP_MISSING,
        (Format::Http, Dialect::Standard) => &HTTP_INVALID,
        (Format::Http, Dialect::Bearer) if missing => &HTTP_BEARER_MISSING,
        (Format::Http, Dialect::Bearer) => &HTTP_BEARER_INVALID,
        (Format::Http, Dialect::Daprd) => &HTTP_DAPRD,
        (Format::Grpc(_), Dialect::Standard | Dialect::Bearer) if missing => &GRPC_MISSING,
        (Format::Grpc(_), Dialect::Standard | Dialect::Bearer) => &GRPC_INVALID,
        (Format::Grpc(_), Dialect::Daprd) if missing => &GRPC_DAPRD_MISSING,
        (Format::Grpc(_), Dialect::Daprd) => &GRPC_DAPRD_INVALID,
    }
}

/// What is left of a refused request, and what it will be answered.
pub(super) struct Refusal {
    /// Built by the user, in place of all that follows.
    custom: Option<Box<Response<Bytes>>>,
    /// The header map that the request came with, as it came.
    headers: HeaderMap,
    outcome: Outcome,
}

/// The row of the table, and what the request makes of it.
#[derive(Clone, Copy)]
struct Outcome {
    answer: &'static Answer,
    /// The content type of a gRPC answer.
    content_type: Option<&'static HeaderValue>,
    without_body: bool,
}

impl Outcome {
    fn new(
        kind: RejectionKind,
        method: &Method,
        version: Version,
        headers: &HeaderMap,
        dialect: Dialect,
    ) -> Self {
        let format = Format::of(method, version, headers);
        Self {
            answer: answer(kind, format, dialect),
            content_type: match format {
                Format::Http => None,
                Format::Grpc(content_type) => Some(content_type),
            },
            without_body: *method == Method::HEAD,
        }
    }
}

impl Refusal {
    /// Nothing is written yet. The map is moved once, into the place that it is answered from.
    #[inline]
    pub(super) fn new<B>(kind: RejectionKind, request: &mut Request<B>, dialect: Dialect) -> Self {
        let outcome = Outcome::new(
            kind,
            request.method(),
            request.version(),
            request.headers(),
            dialect,
        );
        Self {
            custom: None,
            headers: std::mem::take(request.headers_mut()),
            outcome,
        }
    }

    /// The answer, in the header map that the request came with. It is taken: there is one.
    pub(super) fn respond(&mut self) -> Response<Bytes> {
        if let Some(custom) = self.custom.take() {
            return *custom;
        }
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        self.outcome
            .answer
            .headers
            .write(&mut headers, self.outcome.content_type);
        let body = if self.outcome.without_body {
            &[]
        } else {
            self.outcome.answer.body
        };
        let mut response = Response::new(Bytes::from_static(body));
        *response.status_mut() = self.outcome.answer.status;
        // The map in its place holds no memory yet.
        std::mem::forget(std::mem::replace(response.headers_mut(), headers));
        response
    }
}

/// Builds another answer from a rejection.
pub(super) type Respond = dyn Fn(&Rejection) -> Response<Bytes> + Send + Sync;

/// What a user may ask for beside the table. It allocates (`J8`).
#[derive(Clone, Default)]
pub(super) struct CustomAnswers {
    pub(super) respond: Option<Arc<Respond>>,
    /// The rejection is put into the extensions of the answer.
    pub(super) in_extensions: bool,
    /// The table's answer says what was wrong (`J4`).
    pub(super) verbose: bool,
}

impl CustomAnswers {
    pub(super) fn is_needed(&self) -> bool {
        self.respond.is_some() || self.in_extensions || self.verbose
    }

    #[cold]
    pub(super) fn refuse<B>(
        &self,
        kind: RejectionKind,
        request: &mut Request<B>,
        dialect: Dialect,
    ) -> Refusal {
        let rejection = Rejection::new(kind, protocol(request));
        let mut response = match &self.respond {
            Some(respond) => respond(&rejection),
            None => Refusal::new(kind, request, dialect).respond(),
        };
        if self.verbose && self.respond.is_none() {
            verbose::explain(kind, dialect, &mut response);
        }
        if *request.method() == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        if self.in_extensions {
            response.extensions_mut().insert(rejection);
        }
        Refusal {
            custom: Some(Box::new(response)),
            ..Refusal::new(kind, request, dialect)
        }
    }
}

/// What a refusal is spoken in, and what an observer is told.
pub(super) fn protocol<B>(request: &Request<B>) -> Protocol {
    match Format::of(request.method(), request.version(), request.headers()) {
        Format::Http => Protocol::Http,
        Format::Grpc(_) => Protocol::Grpc,
    }
}

impl Format {
    /// gRPC is a POST over HTTP/2 whose content type is `application/grpc`, in any case, followed by the end,
    /// `+` or `;`; gRPC-Web is a POST over any version with a type of its own (`J2`). Everything else can read an
    /// HTTP status, and must get one: a 200 in answer to a GET or a CONNECT would say that it was let through.
    fn of(method: &Method, version: Version, headers: &HeaderMap) -> Self {
        static GRPC: HeaderValue = header::GRPC;
        static WEB: HeaderValue = header::GRPC_WEB;
        static WEB_PROTO: HeaderValue = header::GRPC_WEB_PROTO;
        static TEXT: HeaderValue = header::GRPC_WEB_TEXT;
        static TEXT_PROTO: HeaderValue = header::GRPC_WEB_TEXT_PROTO;

        if *method != Method::POST {
            return Self::Http;
        }
        let Some(value) = content_type(headers).map(HeaderValue::as_bytes) else {
            return Self::Http;
        };
        // Each type begins with the one before it.
        let Some(rest) = strip_grpc(value) else {
            return Self::Http;
        };
        if ends(rest) {
            return if version >= Version::HTTP_2 {
                Self::Grpc(&GRPC)
            } else {
                Self::Http
            };
        }
        match (
            strip_prefix(rest, b"-web"),
            strip_prefix(rest, b"-web-text"),
        ) {
            (_, Some(rest)) if ends(rest) => {
                Self::Grpc(if is_proto(rest) { &TEXT_PROTO } else { &TEXT })
            }
            (Some(rest), _) if ends(rest) => {
                Self::Grpc(if is_proto(rest) { &WEB_PROTO } else { &WEB })
            }
            _ => Self::Http,
        }
    }
}

/// The content type, if it is there. In a map of the usual size looking at every name costs half of a lookup.
#[inline]
fn content_type(headers: &HeaderMap) -> Option<&HeaderValue> {
    const USUAL: usize = 16;

    if headers.len() > USUAL {
        return headers.get(CONTENT_TYPE);
    }
    let mut fields = headers.iter();
    fields.find_map(|(name, value)| (*name == CONTENT_TYPE).then_some(value))
}

/// What follows `application/grpc`, in any case. One comparison of 16 bytes with the bit of the letters' case set in
/// all of them: the one byte that is no letter, `/`, differs by that bit from a control character alone, which no
/// header value can have.
fn strip_grpc(value: &[u8]) -> Option<&[u8]> {
    const CASE: u128 = u128::from_ne_bytes([0x20; 16]);
    const TYPE: u128 = u128::from_ne_bytes(*b"application/grpc");

    let (head, rest) = value.split_first_chunk()?;
    (u128::from_ne_bytes(*head) | CASE == TYPE).then_some(rest)
}

fn strip_prefix<'a>(value: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn ends(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b'+' | b';'))
}

fn is_proto(rest: &[u8]) -> bool {
    strip_prefix(rest, b"+proto").is_some_and(|rest| matches!(rest.first(), None | Some(b';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way in which the token itself is refused.
    const EVERY_KIND: [RejectionKind; 15] = [
        RejectionKind::Missing,
        RejectionKind::Empty,
        RejectionKind::Ambiguous,
        RejectionKind::TooLarge,
        RejectionKind::Mismatch,
        RejectionKind::Expired,
        RejectionKind::Malformed,
        RejectionKind::NotYet,
        RejectionKind::Audience,
        RejectionKind::Issuer,
        RejectionKind::Subject,
        RejectionKind::Algorithm,
        RejectionKind::Key,
        RejectionKind::Signature,
        RejectionKind::Claims,
    ];

    fn refused(
        kind: RejectionKind,
        content_type: Option<&str>,
        dialect: Dialect,
    ) -> Response<Bytes> {
        let mut request = Request::post("/a.B/C")
            .version(Version::HTTP_2)
            .header("x-request", "must not survive")
            .header("cookie", "must not survive");
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let mut request = request.body(()).expect("valid");
        Refusal::new(kind, &mut request, dialect).respond()
    }

    fn lines(response: &Response<Bytes>) -> Vec<String> {
        let mut lines: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
            .collect();
        lines.sort_unstable();
        lines
    }

    #[test]
    fn j1_j4_http_refusals_byte_by_byte() {
        for kind in EVERY_KIND {
            let response = refused(kind, Some("application/json"), Dialect::Standard);
            assert_eq!(response.status(), 401, "{kind}");
            assert_eq!(
                lines(&response),
                [
                    "cache-control: no-store",
                    "content-type: application/json",
                    "www-authenticate: Dapr-Api-Token",
                ],
                "{kind}: nothing of the request survives (J6)"
            );
            let body: &[u8] = if kind == RejectionKind::Missing {
                br#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#
            } else {
                br#"{"errorCode":"ERR_API_TOKEN_INVALID","message":"invalid api token"}"#
            };
            assert_eq!(response.body().as_ref(), body, "{kind}");
        }
    }

    #[test]
    fn j1_head_gets_the_headers_only() {
        let mut request = Request::head("/x").body(()).expect("valid");
        let response =
            Refusal::new(RejectionKind::Missing, &mut request, Dialect::Standard).respond();
        assert_eq!(response.status(), 401);
        assert_eq!(lines(&response).len(), 3);
        assert!(response.body().is_empty());
    }

    #[test]
    fn j2_the_format_is_told_from_the_content_type() {
        let table = [
            ("application/grpc", Some("application/grpc")),
            ("application/grpc+proto", Some("application/grpc")),
            ("application/grpc;charset=utf-8", Some("application/grpc")),
            ("Application/GRPC", Some("application/grpc")),
            ("application/grpc-web", Some("application/grpc-web")),
            (
                "application/grpc-web+proto",
                Some("application/grpc-web+proto"),
            ),
            ("application/grpc-web;x=y", Some("application/grpc-web")),
            (
                "application/grpc-web-text",
                Some("application/grpc-web-text"),
            ),
            (
                "application/grpc-web-text+proto",
                Some("application/grpc-web-text+proto"),
            ),
            (
                "APPLICATION/grpc-web-TEXT+Proto;x",
                Some("application/grpc-web-text+proto"),
            ),
            ("application/grpcx", None),
            ("application/grpc-webx", None),
            ("application/grpc-x", None),
            ("application/grp", None),
            ("text/application/grpc", None),
            (" application/grpc", None),
            ("application/json", None),
            ("", None),
        ];
        for (asked, expected) in table {
            let response = refused(RejectionKind::Mismatch, Some(asked), Dialect::Standard);
            match expected {
                Some(content_type) => {
                    assert_eq!(response.status(), 200, "{asked}");
                    assert_eq!(response.headers()["content-type"], content_type, "{asked}");
                    assert_eq!(response.headers()["grpc-status"], "16", "{asked}");
                    assert!(response.body().is_empty(), "{asked}: trailers-only");
                    assert_eq!(
                        response.headers().len(),
                        4,
                        "{asked}: nothing of the request"
                    );
                }
                None => assert_eq!(response.status(), 401, "{asked}"),
            }
        }
        let none = refused(RejectionKind::Mismatch, None, Dialect::Standard);
        assert_eq!(none.status(), 401, "no content type");
    }

    #[test]
    fn j1_j2_only_a_post_over_http2_is_answered_in_grpc_and_only_a_post_in_grpc_web() {
        let table = [
            ("application/grpc", Method::POST, Version::HTTP_2, true),
            ("application/grpc", Method::POST, Version::HTTP_3, true),
            ("application/grpc", Method::POST, Version::HTTP_11, false),
            ("application/grpc", Method::POST, Version::HTTP_10, false),
            ("application/grpc", Method::GET, Version::HTTP_2, false),
            ("application/grpc", Method::HEAD, Version::HTTP_2, false),
            ("application/grpc", Method::PUT, Version::HTTP_2, false),
            ("application/grpc", Method::OPTIONS, Version::HTTP_2, false),
            ("application/grpc", Method::CONNECT, Version::HTTP_2, false),
            (
                "application/grpc-web+proto",
                Method::POST,
                Version::HTTP_11,
                true,
            ),
            (
                "application/grpc-web-text",
                Method::POST,
                Version::HTTP_2,
                true,
            ),
            ("application/grpc-web", Method::GET, Version::HTTP_11, false),
        ];
        for (content_type, method, version, grpc) in table {
            let mut request = Request::builder()
                .method(method.clone())
                .uri("/x")
                .version(version)
                .header(CONTENT_TYPE, content_type)
                .body(())
                .expect("valid");
            let mut refusal = Refusal::new(RejectionKind::Missing, &mut request, Dialect::Standard);
            let status = refusal.respond().status();
            let name = format!("{method} {version:?} {content_type}");
            assert_eq!(status, if grpc { 200 } else { 401 }, "{name}");
        }
    }

    #[test]
    fn j2_j3_j7_the_details_decode_to_the_table() {
        use tonic_types::StatusExt as _;

        for dialect in [Dialect::Standard, Dialect::Daprd] {
            for kind in EVERY_KIND {
                let name = format!("{kind}, {dialect:?}");
                let response = refused(kind, Some("application/grpc"), dialect);
                let status = tonic::Status::from_header_map(response.headers()).expect("a status");
                let missing = kind == RejectionKind::Missing;
                let (message, reason) = match (dialect, missing) {
                    (Dialect::Standard | Dialect::Bearer, true) => {
                        ("missing api token", "API_TOKEN_MISSING")
                    }
                    (Dialect::Standard | Dialect::Bearer, false) => {
                        ("invalid api token", "API_TOKEN_INVALID")
                    }
                    (Dialect::Daprd, _) => ("Unauthorized", "Unauthorized"),
                };
                assert_eq!(status.code(), tonic::Code::Unauthenticated, "{name}");
                assert_eq!(status.message(), message, "{name}");
                let details = status.get_error_details();
                let info = details.error_info().expect("an ErrorInfo");
                assert_eq!(
                    (info.reason.as_str(), info.domain.as_str()),
                    (reason, "dapr.io")
                );
                let told = if missing {
                    "missing api token in request metadata"
                } else {
                    "authentication error: api token mismatch"
                };
                assert_eq!(info.metadata["http.code"], "401", "{name}");
                assert_eq!(info.metadata["http.error_message"], told, "{name}");
                assert_eq!(info.metadata.len(), 2, "{name}");
            }
        }
    }

    #[test]
    fn j1_j3_j7_without_a_token_set_the_answer_is_503_or_unavailable_in_either_dialect() {
        use tonic_types::StatusExt as _;

        for dialect in [Dialect::Standard, Dialect::Daprd] {
            let response = refused(RejectionKind::Unavailable, None, dialect);
            assert_eq!(response.status(), 503, "{dialect:?}");
            assert_eq!(
                lines(&response),
                [
                    "cache-control: no-store",
                    "content-type: application/json",
                    "retry-after: 1",
                ],
                "{dialect:?}: no challenge"
            );
            assert_eq!(
                response.body().as_ref(),
                br#"{"errorCode":"ERR_AUTH_UNAVAILABLE","message":"authentication unavailable"}"#,
                "{dialect:?}"
            );

            let response = refused(
                RejectionKind::Unavailable,
                Some("application/grpc"),
                dialect,
            );
            assert_eq!(response.status(), 200, "{dialect:?}");
            assert_eq!(response.headers().len(), 4, "{dialect:?}");
            assert!(response.body().is_empty(), "{dialect:?}: trailers-only");
            let status = tonic::Status::from_header_map(response.headers()).expect("a status");
            assert_eq!(status.code(), tonic::Code::Unavailable, "{dialect:?}");
            assert_eq!(status.message(), "authentication unavailable");
            let details = status.get_error_details();
            let info = details.error_info().expect("an ErrorInfo");
            assert_eq!(
                (info.reason.as_str(), info.domain.as_str()),
                ("AUTH_UNAVAILABLE", "dapr.io")
            );
            assert_eq!(info.metadata["http.code"], "503");
            assert_eq!(
                info.metadata["http.error_message"],
                "authentication unavailable"
            );
        }
    }

    #[test]
    fn j7_daprd_compat_answers_missing_and_invalid_alike() {
        for kind in EVERY_KIND {
            let response = refused(kind, None, Dialect::Daprd);
            assert_eq!(response.status(), 401, "{kind}");
            assert_eq!(
                lines(&response),
                [
                    "content-type: text/plain; charset=utf-8",
                    "x-content-type-options: nosniff",
                ],
                "{kind}"
            );
            assert_eq!(response.body().as_ref(), b"invalid api token\n", "{kind}");
        }
    }

    #[test]
    fn j4_verbose_errors_say_what_was_wrong_with_a_token_in_every_format() {
        use tonic_types::StatusExt as _;

        let custom = CustomAnswers {
            verbose: true,
            ..CustomAnswers::default()
        };
        let refuse = |kind, content_type: &'static str, dialect| {
            let mut request = Request::post("/a.B/C")
                .version(Version::HTTP_2)
                .header(CONTENT_TYPE, content_type)
                .body(())
                .expect("valid");
            custom.refuse(kind, &mut request, dialect).respond()
        };
        for kind in EVERY_KIND {
            let missing = kind == RejectionKind::Missing;
            let http = refuse(kind, "text/plain", Dialect::Standard);
            let told = String::from_utf8(http.body().to_vec()).expect("text");
            let expected = if missing {
                r#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#.to_owned()
            } else {
                format!(
                    r#"{{"errorCode":"ERR_API_TOKEN_INVALID","message":"invalid api token: {kind}"}}"#
                )
            };
            assert_eq!(told, expected);

            let grpc = refuse(kind, "application/grpc", Dialect::Standard);
            assert_eq!((grpc.headers().len(), grpc.body().len()), (4, 0), "{kind}");
            let status = tonic::Status::from_header_map(grpc.headers()).expect("a status");
            assert_eq!(status.code(), tonic::Code::Unauthenticated);
            let details = status.get_error_details();
            let info = details.error_info().expect("an ErrorInfo");
            assert_eq!(info.domain, "dapr.io");
            if !missing {
                assert_eq!(status.message(), format!("invalid api token: {kind}"));
                assert_eq!(info.reason, "API_TOKEN_INVALID");
                assert_eq!(info.metadata["reason"], kind.as_str());
                assert_eq!(info.metadata["http.code"], "401");
            }
        }
    }

    #[test]
    fn j4_j7_verbose_errors_in_daprds_words_say_the_same_over_http_and_grpc() {
        use tonic_types::StatusExt as _;

        let respond = |kind, content_type: &'static str, verbose| {
            let custom = CustomAnswers {
                verbose,
                ..CustomAnswers::default()
            };
            let mut request = Request::post("/a.B/C")
                .version(Version::HTTP_2)
                .header(CONTENT_TYPE, content_type)
                .body(())
                .expect("valid");
            custom.refuse(kind, &mut request, Dialect::Daprd).respond()
        };
        let decoded = |response: &Response<Bytes>| {
            let status = tonic::Status::from_header_map(response.headers()).expect("a status");
            let info = status.get_error_details().error_info().cloned();
            (status, info.expect("an ErrorInfo"))
        };
        for kind in EVERY_KIND {
            let http = respond(kind, "text/plain", true);
            assert_eq!(*http.body(), format!("invalid api token: {kind}\n"));

            let (status, info) = decoded(&respond(kind, "application/grpc", true));
            assert_eq!(status.code(), tonic::Code::Unauthenticated, "{kind}");
            assert_eq!(status.message(), format!("Unauthorized: {kind}"));
            // What daprd says without it, and the reason.
            let (_, mut expected) = decoded(&respond(kind, "application/grpc", false));
            assert_eq!(expected.reason, "Unauthorized", "{kind}");
            let reason = kind.as_str().to_owned();
            assert_eq!(expected.metadata.insert("reason".to_owned(), reason), None);
            assert_eq!(
                (info.reason, info.domain, info.metadata),
                (expected.reason, expected.domain, expected.metadata),
                "{kind}"
            );
        }
        for content_type in ["text/plain", "application/grpc"] {
            let plain = respond(RejectionKind::Unavailable, content_type, false);
            let verbose = respond(RejectionKind::Unavailable, content_type, true);
            assert_eq!(plain.headers(), verbose.headers(), "{content_type}");
            assert_eq!(plain.body(), verbose.body(), "{content_type}");
        }
    }

    #[test]
    fn j1_where_jwts_are_accepted_the_challenge_is_that_of_a_bearer_token() {
        for (kind, challenge) in [
            (RejectionKind::Missing, "Bearer"),
            (RejectionKind::Expired, "Bearer error=\"invalid_token\""),
            (RejectionKind::Signature, "Bearer error=\"invalid_token\""),
        ] {
            let bearer = refused(kind, None, Dialect::Bearer);
            let usual = refused(kind, None, Dialect::Standard);
            assert_eq!(bearer.status(), 401, "{kind}");
            assert_eq!(bearer.headers()["www-authenticate"], challenge, "{kind}");
            assert_eq!(bearer.headers().len(), 3, "{kind}");
            assert_eq!(bearer.body(), usual.body(), "{kind}");
            let grpc = refused(kind, Some("application/grpc"), Dialect::Bearer);
            let usual = refused(kind, Some("application/grpc"), Dialect::Standard);
            assert_eq!(grpc.headers(), usual.headers(), "{kind}");
        }
        let unavailable = refused(RejectionKind::Unavailable, None, Dialect::Bearer);
        assert_eq!(unavailable.status(), 503);
        assert!(!unavailable.headers().contains_key("www-authenticate"));
    }

    #[test]
    fn o2_reasons_have_the_names_under_which_they_are_counted() {
        let names = EVERY_KIND.map(RejectionKind::as_str);
        assert_eq!(
            names,
            [
                "missing",
                "empty",
                "ambiguous",
                "too_large",
                "mismatch",
                "expired",
                "malformed",
                "not_yet",
                "aud",
                "iss",
                "sub",
                "alg",
                "kid",
                "signature",
                "claims"
            ]
        );
        assert_eq!(RejectionKind::Unavailable.as_str(), "unavailable");
    }
}
