//! Sends a row to the layer alone, as the request that a server could have made of it.

use http::{HeaderName, HeaderValue, Method, Request, Uri};
use tower::ServiceExt;

use super::guarded::Setup;
use super::table::{Expected, Row};

/// The status of the answer; none if the types of a request do not take the row.
pub(super) async fn send(setup: &Setup, row: &Row) -> Vec<u16> {
    if matches!(row.alone, Expected::CannotSay(_)) {
        return Vec::new();
    }
    let Some(request) = build(setup, row) else {
        return Vec::new();
    };
    let response = setup.guarded().oneshot(request).await.expect("infallible");
    vec![response.status().as_u16()]
}

/// The parsers are those of `http`, as in hyper.
fn build(setup: &Setup, row: &Row) -> Option<Request<()>> {
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(row.method.as_bytes()).ok()?;
    *request.uri_mut() = Uri::try_from(setup.spelt(row.target.as_bytes())).ok()?;
    if let Some(protocol) = row.protocol {
        let protocol = hyper::ext::Protocol::from_static(protocol);
        request.extensions_mut().insert(protocol);
    }
    let host = HeaderValue::from_static(row.host);
    request.headers_mut().insert(http::header::HOST, host);
    for (name, value) in &row.headers {
        let name = HeaderName::from_bytes(&setup.spelt(name.as_bytes())).ok()?;
        let value = HeaderValue::from_bytes(&setup.spelt(value)).ok()?;
        request.headers_mut().append(name, value);
    }
    Some(request)
}
