//! The settings of what passes without a token (`X1` to `X5`).

use http::Method;

use super::RequireTokenBuilder;
use crate::inbound::exempt::{DAPRD_DISCOVERY, DAPRD_PROBES, GRPC_HEALTH, HTTP_HEALTH};

/// What passes without a token.
impl RequireTokenBuilder<'_> {
    /// Lets this method and path through without a token.
    ///
    /// Both must be exactly equal to what arrives: no prefix, no wildcard, no decoding; the query is
    /// ignored. `HEAD` is not `GET`. In an axum `nest` the layer sees the path without the nest's prefix:
    /// put it outside, or ask for `exemptions_on_original_uri()` (feature `axum`).
    pub fn exempt(mut self, method: Method, path: &str) -> Self {
        if let Err(mistake) = self.exemptions.add(method, path) {
            self.mistake(mistake);
        }
        self
    }

    /// Exempts `GET /healthz`, where daprd probes an HTTP app, without a token, if it is told to.
    pub fn http_health(self) -> Self {
        self.exempt(Method::GET, HTTP_HEALTH)
    }

    /// Exempts `GET` of this path: daprd's `--app-health-check-path`.
    pub fn http_health_at(self, path: &str) -> Self {
        self.exempt(Method::GET, path)
    }

    /// Exempts daprd's probe of a gRPC app, which carries no token.
    pub fn daprd_probes(self) -> Self {
        self.exempt_all(&DAPRD_PROBES)
    }

    /// Exempts the two calls by which daprd learns of a gRPC app's subscriptions and input bindings. They
    /// carry no token either, and if they are refused, events silently never arrive.
    pub fn daprd_discovery(self) -> Self {
        self.exempt_all(&DAPRD_DISCOVERY)
    }

    /// Exempts the standard gRPC health service.
    pub fn grpc_health(self) -> Self {
        self.exempt_all(&GRPC_HEALTH)
    }

    /// Exempts CORS preflights: `OPTIONS` with both `Origin` and `Access-Control-Request-Method`. Anyone
    /// can send one; a CORS layer outside of this one is the better answer.
    pub fn exempt_cors_preflight(mut self) -> Self {
        self.exemptions.add_cors_preflight();
        self
    }

    fn exempt_all(self, paths: &[&str]) -> Self {
        // A gRPC call is always a POST.
        paths
            .iter()
            .fold(self, |builder, path| builder.exempt(Method::POST, path))
    }
}
