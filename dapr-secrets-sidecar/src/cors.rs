//! [`Cors`]: lets browser pages of the named origins read our answers (`--allowed-origins`).
//!
//! It lies outside the token check: a browser sends its preflight without a token, and a page can only read a 401 that
//! carries the headers of CORS. What is let through without a token is the preflight alone, which no API sees: a request
//! of `OPTIONS` with an origin and a method asked for.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::args::Origin;

/// Names of bulk that failed.
const FAILED: HeaderName = HeaderName::from_static("x-dapr-secrets-failed");

/// Nothing, unless origins are named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cors(Option<CorsLayer>);

impl Cors {
    /// Lets pages of these origins in; none of them is no CORS at all.
    pub(crate) fn new(origins: &[Origin]) -> Self {
        if origins.is_empty() {
            return Self(None);
        }
        let allowed = if origins.contains(&Origin::Any) {
            AllowOrigin::any()
        } else {
            AllowOrigin::list(origins.iter().filter_map(|origin| match origin {
                Origin::Any => None,
                Origin::One(origin) => Some(origin.clone()),
            }))
        };
        let layer = CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::HEAD, Method::POST])
            // Every header that a page may want to send: the token, a trace.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([RETRY_AFTER, FAILED]);
        Self(Some(layer))
    }

    /// `inner`, behind it.
    pub(crate) fn around<S, I, O>(
        &self,
        inner: S,
    ) -> impl tower::Service<
        Request<I>,
        Response = Response<Optional<O>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + use<S, I, O>
    where
        S: tower::Service<Request<I>, Response = Response<O>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        I: Send + 'static,
        O: Send + 'static,
    {
        let plain =
            inner.map_response(|response: Response<O>| response.map(|body| Optional::of(body)));
        let shared = self.0.as_ref().map(|layer| layer.layer(plain.clone()));
        tower::service_fn(move |request: Request<I>| {
            let (plain, shared) = (plain.clone(), shared.clone());
            async move {
                match shared {
                    Some(shared) if !is_bare_options(&request) => shared.oneshot(request).await,
                    _ => plain.oneshot(request).await,
                }
            }
        })
    }
}

/// tower-http answers every `OPTIONS` itself; one that is no preflight is none of its business.
fn is_bare_options<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && !(headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD))
}

/// What the flag takes, as [`Origin`].
///
/// # Errors
///
/// A text that says what is expected.
pub(crate) fn origin(text: &str) -> Result<Origin, String> {
    const EXPECTED: &str = "expected an origin, such as https://app.example.com, or * for any";
    if text == "*" {
        return Ok(Origin::Any);
    }
    let (scheme, host) = text.split_once("://").ok_or(EXPECTED)?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_host = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        });
    if !is_scheme || !is_host {
        return Err(EXPECTED.to_owned());
    }
    // Browsers send it so.
    HeaderValue::from_str(&text.to_ascii_lowercase())
        .map(Origin::One)
        .map_err(|_| EXPECTED.to_owned())
}

pin_project! {
    /// The body of an answer, or none: that of a preflight.
    #[derive(Debug)]
    pub(crate) struct Optional<B> {
        #[pin]
        body: Option<B>,
    }
}

impl<B> Optional<B> {
    fn of(body: B) -> Self {
        Self { body: Some(body) }
    }
}

impl<B> Default for Optional<B> {
    fn default() -> Self {
        Self { body: None }
    }
}

impl<B: Body> Body for Optional<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g1_an_origin_is_a_scheme_and_a_host() {
        let rows = [
            ("*", Some(Origin::Any)),
            (
                "https://a.example",
                Some(Origin::One(HeaderValue::from_static("https://a.example"))),
            ),
            (
                "http://LOCALHOST:3000",
                Some(Origin::One(HeaderValue::from_static(
                    "http://localhost:3000",
                ))),
            ),
            (
                "http://[::1]:80",
                Some(Origin::One(HeaderValue::from_static("http://[::1]:80"))),
            ),
            ("", None),
            ("null", None),
            ("a.example", None),
            ("https://", None),
            ("://a", None),
            ("https://a.example/", None),
            ("https://a.example/path", None),
            ("https://*.example", None),
            ("https://a b", None),
            ("https://a\nb", None),
            ("https://user@a", None),
        ];
        for (text, expected) in rows {
            assert_eq!(origin(text).ok(), expected, "{text:?}");
        }
    }
}
