//! Which requests this binary answers itself: method and raw path -> [`Route`]; pure.
//!
//! The path is split on `/` and empty segments are dropped (`docs/spec/secrets-api.md`, B3); nothing is decoded, so a
//! percent-encoded or dotted spelling is none of these routes and goes on to the secrets service, which knows 404. By
//! then the token layer has decided on the path as it was sent.

use http::Method;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `GET` or `HEAD` of `/v1.0/healthz`
    Health,
    /// `GET` or `HEAD` of `/v1.0/healthz/outbound`
    OutboundHealth,
    /// `GET` or `HEAD` of `/v1.0/metadata`
    Metadata,
    /// `POST` of `/v1.0/shutdown`
    Shutdown,
    /// One of these paths with another method; the field is the value of `allow`.
    MethodNotAllowed(&'static str),
    /// Every other path: the secrets service answers.
    Secrets,
}

/// Finds the route of a request.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let first = [segments.next(), segments.next(), segments.next()];
    if segments.next().is_some() {
        return Route::Secrets;
    }
    match first {
        [Some("v1.0"), Some("healthz"), None] => read(method, Route::Health),
        [Some("v1.0"), Some("healthz"), Some("outbound")] => read(method, Route::OutboundHealth),
        [Some("v1.0"), Some("metadata"), None] => read(method, Route::Metadata),
        [Some("v1.0"), Some("shutdown"), None] if method == Method::POST => Route::Shutdown,
        [Some("v1.0"), Some("shutdown"), None] => Route::MethodNotAllowed("POST"),
        _ => Route::Secrets,
    }
}

fn read(method: &Method, route: Route) -> Route {
    if method == Method::GET || method == Method::HEAD {
        route
    } else {
        Route::MethodNotAllowed("GET, HEAD")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g3_api_b3_routes_are_exact_but_for_empty_segments() {
        use Route::{Health, Metadata, MethodNotAllowed, OutboundHealth, Secrets, Shutdown};

        let read_only = MethodNotAllowed("GET, HEAD");
        let rows = [
            ("GET", "/v1.0/healthz", Health),
            ("HEAD", "/v1.0/healthz", Health),
            ("GET", "/v1.0/healthz/", Health),
            ("GET", "//v1.0//healthz//", Health),
            ("POST", "/v1.0/healthz", read_only),
            ("OPTIONS", "/v1.0/healthz/", read_only),
            ("GET", "/v1.0/healthz/outbound", OutboundHealth),
            ("HEAD", "/v1.0/healthz//outbound/", OutboundHealth),
            ("DELETE", "/v1.0/healthz/outbound", read_only),
            ("GET", "/v1.0/metadata", Metadata),
            ("HEAD", "/v1.0/metadata/", Metadata),
            ("PUT", "/v1.0/metadata", read_only),
            ("POST", "/v1.0/shutdown", Shutdown),
            ("POST", "/v1.0/shutdown/", Shutdown),
            ("GET", "/v1.0/shutdown", MethodNotAllowed("POST")),
            ("HEAD", "/v1.0/shutdown", MethodNotAllowed("POST")),
            ("post", "/v1.0/shutdown", MethodNotAllowed("POST")),
            ("GET", "", Secrets),
            ("GET", "/", Secrets),
            ("GET", "*", Secrets),
            ("GET", "/v1.0", Secrets),
            ("GET", "/healthz", Secrets),
            ("GET", "/V1.0/healthz", Secrets),
            ("GET", "/v1.0/Healthz", Secrets),
            ("GET", "/v1.0/%68ealthz", Secrets),
            ("GET", "/v1.0%2Fhealthz", Secrets),
            ("GET", "/v1.0/healthz%2F", Secrets),
            ("GET", "/v1.0/healthz/.", Secrets),
            ("GET", "/v1.0/x/../healthz", Secrets),
            ("GET", "/v1.0/healthz/inbound", Secrets),
            ("GET", "/v1.0/healthz/outbound/x", Secrets),
            ("GET", "/v1.0/metadata/x", Secrets),
            ("GET", "/v1.0/secrets/a/b", Secrets),
        ];
        for (method, path, expected) in rows {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            assert_eq!(route(&method, path), expected, "{method} {path}");
        }
    }
}
