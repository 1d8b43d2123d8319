//! The requests of the measurement, and how a fresh one is made for every iteration.
//!
//! What a server's parser would hand over: header values are slices of one shared buffer, names that `http` does not
//! know own their bytes, and the map was reserved for exactly the headers that came. Requests of the client side are
//! built as a caller builds them, one insert after the other.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri, Version};

/// The name of the header that every layer here looks for.
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static(TOKEN_NAME);
const TOKEN_NAME: &str = "dapr-api-token";
/// A header that the token may be configured to be in.
pub const OTHER_HEADER: HeaderName = HeaderName::from_static(OTHER_NAME);
const OTHER_NAME: &str = "x-sidecar-token";

/// The configured token: 43 bytes, which is 32 random bytes in base64 without padding.
pub const TOKEN: &str = "mJ3vX0cT8qLr5wYb1nHs7kDf2gPz9aUe4iRo6tCxVAy";

/// The same length, and different in its last byte only: the worst case for a comparison that stops early.
pub const WRONG_TOKEN: &str = "mJ3vX0cT8qLr5wYb1nHs7kDf2gPz9aUe4iRo6tCxVAz";

/// The same length, and different in its first byte only: the best case for a comparison that stops early.
pub const WRONG_FIRST_BYTE: &str = "nJ3vX0cT8qLr5wYb1nHs7kDf2gPz9aUe4iRo6tCxVAy";

/// The same length, and different in every byte.
pub const WRONG_ALL_BYTES: &str = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";

/// Another valid token, for sets of two.
pub const OTHER_TOKEN: &str = "Qe7rT2yU9iOp4aSd6fGh1jKl8zXc3vBn5mLq0wErTyI";

/// Which request a case is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A POST with eight headers, one of them [`TOKEN`].
    Accepted,
    /// As [`Shape::Accepted`], with the token in [`OTHER_HEADER`].
    AcceptedByOtherName,
    /// As [`Shape::Accepted`], with [`WRONG_TOKEN`].
    Wrong,
    /// As [`Shape::Accepted`], with [`WRONG_FIRST_BYTE`].
    WrongFirstByte,
    /// As [`Shape::Accepted`], with [`WRONG_ALL_BYTES`].
    WrongAllBytes,
    /// As [`Shape::Accepted`], without the token: seven headers.
    Missing,
    /// As [`Shape::Accepted`], with gRPC's content type.
    AcceptedGrpc,
    /// As [`Shape::Wrong`], with gRPC's content type.
    WrongGrpc,
    /// A GET of the health path with the headers of [`Shape::Missing`].
    Probe,
    /// A client's POST to the sidecar: seven headers and an absolute address.
    Outbound,
    /// As [`Shape::Outbound`], to a host that may not have the token.
    Elsewhere,
}

/// A request that can be made again and again.
#[derive(Debug)]
pub struct Template {
    method: Method,
    uri: Uri,
    version: Version,
    headers: Vec<(HeaderName, HeaderValue)>,
    reserved: usize,
}

impl Template {
    /// The request of this shape.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let token = match shape {
            Shape::Accepted | Shape::AcceptedByOtherName | Shape::AcceptedGrpc => Some(TOKEN),
            Shape::Wrong | Shape::WrongGrpc => Some(WRONG_TOKEN),
            Shape::WrongFirstByte => Some(WRONG_FIRST_BYTE),
            Shape::WrongAllBytes => Some(WRONG_ALL_BYTES),
            Shape::Missing | Shape::Probe | Shape::Outbound | Shape::Elsewhere => None,
        };
        let name = match shape {
            Shape::AcceptedByOtherName => OTHER_NAME,
            _ => TOKEN_NAME,
        };
        Self::with(shape, token.map(|token| (name, token)))
    }

    /// The request of [`Shape::Accepted`] with this header in the place of its token.
    #[must_use]
    pub fn carrying(name: &'static str, value: &str) -> Self {
        Self::with(Shape::Accepted, Some((name, value)))
    }

    fn with(shape: Shape, token: Option<(&'static str, &str)>) -> Self {
        let content_type = match shape {
            Shape::AcceptedGrpc | Shape::WrongGrpc => "application/grpc",
            _ => "application/json",
        };
        let mut lines = vec![
            (header::HOST.as_str(), "orders.internal:8080"),
            (header::USER_AGENT.as_str(), "fasthttp"),
            (header::ACCEPT.as_str(), "*/*"),
            (header::CONTENT_TYPE.as_str(), content_type),
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
            (header::CONTENT_LENGTH.as_str(), "27"),
            ("x-forwarded-for", "10.244.1.17"),
        ];
        lines.extend(token);
        let headers = received(&lines);
        Self {
            method: match shape {
                Shape::Probe => Method::GET,
                _ => Method::POST,
            },
            version: match shape {
                Shape::AcceptedGrpc | Shape::WrongGrpc => Version::HTTP_2,
                _ => Version::HTTP_11,
            },
            uri: match shape {
                Shape::Probe => Uri::from_static("/healthz"),
                Shape::Outbound => {
                    Uri::from_static("http://127.0.0.1:3500/v1.0/invoke/orders/method/new")
                }
                Shape::Elsewhere => Uri::from_static("https://api.example.com/v1/orders"),
                _ => Uri::from_static("/orders/new"),
            },
            reserved: match shape {
                Shape::Outbound | Shape::Elsewhere => 0,
                _ => headers.len(),
            },
            headers,
        }
    }

    /// One more request. Never inlined, so that it costs the same in every loop and cancels out exactly.
    #[inline(never)]
    #[must_use]
    pub fn fresh<B: Default>(&self) -> Request<B> {
        let mut headers = HeaderMap::with_capacity(self.reserved);
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        let mut request = Request::new(B::default());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = headers;
        request
    }
}

/// Names and values as slices of one received block of bytes.
fn received(lines: &[(&'static str, &str)]) -> Vec<(HeaderName, HeaderValue)> {
    let block = Bytes::from(
        lines
            .iter()
            .flat_map(|(_, value)| value.bytes())
            .collect::<Vec<u8>>(),
    );
    let mut start = 0;
    lines
        .iter()
        .map(|(name, value)| {
            let bytes = block.slice(start..start + value.len());
            start += value.len();
            let name = HeaderName::from_bytes(name.as_bytes())
                .expect("the names above are lower-case header names");
            let value = HeaderValue::from_maybe_shared(bytes)
                .expect("the values above are printable ASCII");
            (name, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_request_has_eight_headers_and_a_token_of_43_bytes() {
        for (shape, headers) in [
            (Shape::Accepted, 8),
            (Shape::AcceptedByOtherName, 8),
            (Shape::Wrong, 8),
            (Shape::AcceptedGrpc, 8),
            (Shape::WrongGrpc, 8),
            (Shape::Missing, 7),
            (Shape::Probe, 7),
            (Shape::Outbound, 7),
            (Shape::Elsewhere, 7),
        ] {
            let request = Template::new(shape).fresh::<()>();
            assert_eq!(request.headers().len(), headers, "{shape:?}");
            let token = request
                .headers()
                .get(TOKEN_HEADER)
                .or_else(|| request.headers().get(OTHER_HEADER));
            assert!(token.is_none_or(|token| token.len() == 43), "{shape:?}");
            assert_eq!(token.is_some(), headers == 8, "{shape:?}");
        }
    }

    #[test]
    fn the_wrong_token_differs_in_its_last_byte_only() {
        let (right, last) = TOKEN.split_at(TOKEN.len() - 1);
        assert!(WRONG_TOKEN.starts_with(right) && !WRONG_TOKEN.ends_with(last));
        assert_eq!(WRONG_TOKEN.len(), TOKEN.len());
    }
}
