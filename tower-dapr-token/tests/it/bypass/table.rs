//! What every protocol can say, row by row, and what must come of it.
//!
//! A CVE stands at the row that comes from it; what it was about is another product's code.

use tower_dapr_token::RejectionKind;

use super::{headers, targets};
use crate::support::NAME;

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The inner service is reached, by its token.
    Accepted,
    /// The inner service is reached, by its method and path.
    Exempt,
    /// It is answered 401, for this reason.
    Refused(RejectionKind),
    /// It never becomes a request: the server refuses it, or the types of `http` do.
    NoRequest,
    /// It is not sent, because of this.
    CannotSay(&'static str),
}

/// One request, as raw as it can be and still be said in all three ways.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// The request target of HTTP/1; `:path` of HTTP/2, or `:authority` of a plain CONNECT.
    pub(super) target: &'static str,
    /// The header `host`; `:authority` of HTTP/2.
    pub(super) host: &'static str,
    /// The pseudo-header `:protocol` of an extended CONNECT (RFC 8441).
    pub(super) protocol: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) alone: Expected,
    pub(super) http1: Expected,
    pub(super) http2: Expected,
}

impl Row {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With one more token header.
    pub(super) fn token(self, value: impl Into<Vec<u8>>) -> Self {
        self.with(NAME, value)
    }

    pub(super) fn at_host(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    pub(super) fn alone(mut self, expected: Expected) -> Self {
        self.alone = expected;
        self
    }

    pub(super) fn http1(mut self, expected: Expected) -> Self {
        self.http1 = expected;
        self
    }

    pub(super) fn http2(mut self, expected: Expected) -> Self {
        self.http2 = expected;
        self
    }
}

/// A row that comes to the same in all three ways.
pub(super) fn row(
    name: &'static str,
    method: &'static str,
    target: &'static str,
    expected: Expected,
) -> Row {
    Row {
        name,
        method,
        target,
        host: "localhost",
        protocol: None,
        headers: Vec::new(),
        alone: expected,
        http1: expected,
        http2: expected,
    }
}

pub(super) fn table() -> Vec<Row> {
    [targets::rows(), headers::rows()].concat()
}
