//! Step 3 of the inbound flow: exact pairs of method and raw path that need no token.
//!
//! A pair matches when the method is equal and the bytes of `uri.path()` are equal. Nothing is
//! decoded, normalised, folded or cut; the query and the host are not looked at (`X1`, `X2`). The
//! exemptions are asked only after the token failed to decide, so they cost an accepted request
//! nothing. With the feature `axum` the path can be that of axum's `OriginalUri` instead (`X7`).

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, Method, Request};

use crate::error::ConfigError;
use crate::observe::ExemptionList;

/// daprd's probe of an HTTP app, unless it is configured to ask elsewhere.
pub(super) const HTTP_HEALTH: &str = "/healthz";
/// daprd's probe of a gRPC app.
pub(super) const DAPRD_PROBES: [&str; 1] =
    ["/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck"];
/// What daprd asks a gRPC app at start; without an answer pub/sub and input bindings never begin.
pub(super) const DAPRD_DISCOVERY: [&str; 2] = [
    "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions",
    "/dapr.proto.runtime.v1.AppCallback/ListInputBindings",
];
/// The standard gRPC health service, as Kubernetes probes ask it.
pub(super) const GRPC_HEALTH: [&str; 2] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
];

/// Proof that a request is on the list, made in this file alone.
#[derive(Debug)]
pub(super) struct ExemptRequest(());

/// The list.
#[derive(Clone, Debug, Default)]
pub(super) struct Exemptions {
    pairs: Vec<(Method, String)>,
    cors_preflight: bool,
    #[cfg(feature = "axum")]
    on_original_uri: bool,
}

impl Exemptions {
    /// Adds a pair, if the path can match something and means no more than it says (`X3`).
    pub(super) fn add(&mut self, method: Method, path: &str) -> Result<(), ConfigError> {
        check_path(path).map_err(|reason| ConfigError::ExemptPath {
            path: path.to_owned(),
            reason,
        })?;
        let pair = (method, path.to_owned());
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
        Ok(())
    }

    pub(super) fn add_cors_preflight(&mut self) {
        self.cors_preflight = true;
    }

    /// From now on the path counts that the request came with, before any router shortened it (`X7`).
    #[cfg(feature = "axum")]
    pub(super) fn match_original_uri(&mut self) {
        self.on_original_uri = true;
    }

    /// The list, for the notice that names it once (`X4`); none if it is empty.
    pub(super) fn list(&self) -> Option<ExemptionList> {
        (self.cors_preflight || !self.pairs.is_empty())
            .then(|| ExemptionList::new(self.pairs.clone(), self.cors_preflight))
    }

    /// Whether the request needs no token. Never inlined, so that a request that has one pays nothing for it.
    #[cold]
    #[inline(never)]
    pub(super) fn find<B>(&self, request: &Request<B>) -> Option<ExemptRequest> {
        if self.pairs.is_empty() && !self.cors_preflight {
            return None;
        }
        let path = self.path(request)?;
        let method = request.method();
        let listed = self
            .pairs
            .iter()
            .any(|(exempt, literal)| literal == path && exempt == method);
        (listed || (self.cors_preflight && is_preflight(method, request.headers())))
            .then_some(ExemptRequest(()))
    }

    /// The path that counts.
    #[cfg(not(feature = "axum"))]
    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "with the feature `axum` there may be none"
    )]
    fn path<'r, B>(&self, request: &'r Request<B>) -> Option<&'r str> {
        Some(request.uri().path())
    }

    /// The path that counts. There is none where the original one was asked for and no router of axum kept it:
    /// then nothing is exempt, since a shortened path may mean something else (`X7`).
    #[cfg(feature = "axum")]
    fn path<'r, B>(&self, request: &'r Request<B>) -> Option<&'r str> {
        if !self.on_original_uri {
            return Some(request.uri().path());
        }
        let original = request.extensions().get::<axum::extract::OriginalUri>()?;
        Some(original.0.path())
    }
}

/// A CORS preflight has both headers (Fetch standard, section 3.2.2); with one missing it is an
/// ordinary request.
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') {
        return Err("does not begin with `/`");
    }
    let refused: [(&str, &str); 6] = [
        ("?", "has a query"),
        ("#", "has a fragment"),
        ("%", "has a percent escape"),
        ("*", "has a wildcard"),
        ("{", "has a wildcard"),
        ("//", "has a doubled slash"),
    ];
    for (part, reason) in refused {
        if path.contains(part) {
            return Err(reason);
        }
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err("has a dot segment");
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has white space, a control character or a character that is not ASCII");
    }
    Ok(())
}

// What is exempt and what only looks like it is one table, which goes through servers too: `tests/it/bypass/targets.rs`.
#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    fn request(method: &Method, target: &str) -> Request<()> {
        Request::builder()
            .method(method.clone())
            .uri(
                target
                    .parse::<Uri>()
                    .unwrap_or_else(|error| panic!("{target}: {error}")),
            )
            .body(())
            .expect("valid")
    }

    #[test]
    fn x3_an_exempt_root_matches_only_targets_whose_path_it_is() {
        let mut exemptions = Exemptions::default();
        exemptions.add(Method::GET, "/").expect("valid");
        exemptions.add(Method::OPTIONS, "/").expect("valid");
        exemptions.add(Method::CONNECT, "/").expect("valid");
        for (name, method, target, expected) in [
            ("origin form", Method::GET, "/", true),
            (
                "absolute form without a path (X2)",
                Method::GET,
                "http://any.example",
                true,
            ),
            ("asterisk form", Method::OPTIONS, "*", false),
            ("authority form", Method::CONNECT, "any.example:443", false),
        ] {
            let found = exemptions.find(&request(&method, target)).is_some();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn x3_a_path_that_cannot_match_exactly_is_refused() {
        let table = [
            ("no leading slash", "healthz"),
            ("empty", ""),
            ("query", "/healthz?x"),
            ("fragment", "/healthz#x"),
            ("percent", "/%68ealthz"),
            ("doubled slash", "//healthz"),
            ("doubled slash inside", "/a//b"),
            ("dot segment", "/./healthz"),
            ("dot segment at the end", "/healthz/."),
            ("parent segment", "/a/../healthz"),
            ("parent segment at the end", "/healthz/.."),
            ("space", "/health z"),
            ("tab", "/health\tz"),
            ("not ASCII", "/h\u{e9}althz"),
            ("wildcard", "/healthz/*"),
            ("route parameter", "/healthz/{id}"),
            ("asterisk form", "*"),
        ];
        for (name, path) in table {
            let error = Exemptions::default()
                .add(Method::GET, path)
                .expect_err(name);
            assert!(
                matches!(&error, ConfigError::ExemptPath { path: told, .. } if told == path),
                "{name}: {error}"
            );
        }
        for path in ["/", "/healthz", "/healthz/", "/a/b.c/d-e_f~g", "/..a"] {
            assert_eq!(
                Exemptions::default().add(Method::GET, path),
                Ok(()),
                "{path}"
            );
        }
    }

    #[test]
    fn x5_a_preflight_is_exempt_only_on_request_and_only_with_both_headers() {
        let preflight = |names: &[&'static str]| {
            let mut request = request(&Method::OPTIONS, "/orders");
            for name in names {
                request
                    .headers_mut()
                    .insert(*name, http::HeaderValue::from_static("x"));
            }
            request
        };
        let both = ["origin", "access-control-request-method"];
        assert!(
            Exemptions::default().find(&preflight(&both)).is_none(),
            "off by default"
        );
        let mut exemptions = Exemptions::default();
        exemptions.add_cors_preflight();
        assert!(exemptions.find(&preflight(&both)).is_some(), "both headers");
        assert!(
            exemptions.find(&preflight(&both[..1])).is_none(),
            "no requested method"
        );
        assert!(
            exemptions.find(&preflight(&both[1..])).is_none(),
            "no origin"
        );
        let mut post = preflight(&both);
        *post.method_mut() = Method::POST;
        assert!(exemptions.find(&post).is_none(), "not OPTIONS");
    }
}
