//! Step 1a: method, path and headers become a call, or a refusal. Pure.
//!
//! 1. A call is a `POST` whose content type is `application/grpc`, with or without `+proto` or
//!    parameters.
//! 2. The path is `/dapr.proto.runtime.v1.Dapr/METHOD`, byte by byte.
//! 3. Messages come as they are: another `grpc-encoding` than `identity` is refused.
//! 4. `grpc-timeout` is the caller's deadline; one that cannot be read is a bad request.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};

use super::deadline::Deadline;
use crate::request::InvalidRequest;

/// The name of the service.
pub(super) const SERVICE: &str = "dapr.proto.runtime.v1.Dapr";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Secret,
    BulkSecret,
    Metadata,
}

/// Why a call is not one for the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not a call of gRPC at all.
    NotGrpc,
    /// A method that is not served.
    UnknownMethod,
    /// A message that is compressed.
    Compressed,
    /// A message that is larger than any may be.
    TooLarge,
    /// A message that is none, or more or less than one.
    Unreadable,
    /// The caller's deadline passed before its message had come.
    DeadlinePassed,
    Bad(InvalidRequest),
}

impl From<InvalidRequest> for Refusal {
    fn from(fault: InvalidRequest) -> Self {
        Self::Bad(fault)
    }
}

pub(super) fn route<B>(request: &Request<B>) -> Result<(Method, Deadline), Refusal> {
    if request.method() != http::Method::POST || !is_grpc(request.headers()) {
        return Err(Refusal::NotGrpc);
    }
    let method = method(request.uri().path()).ok_or(Refusal::UnknownMethod)?;
    if !is_plain(request.headers()) {
        return Err(Refusal::Compressed);
    }
    let deadline = Deadline::of(request.headers())?;
    Ok((method, deadline))
}

fn method(path: &str) -> Option<Method> {
    let method = path
        .strip_prefix('/')?
        .strip_prefix(SERVICE)?
        .strip_prefix('/')?;
    match method {
        "GetSecret" => Some(Method::Secret),
        "GetBulkSecret" => Some(Method::BulkSecret),
        "GetMetadata" => Some(Method::Metadata),
        _ => None,
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        let rest = value.as_bytes().strip_prefix(b"application/grpc");
        // Not `application/grpc-web`, whose messages are framed otherwise.
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
    })
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get_all("grpc-encoding")
        .iter()
        .all(|encoding| encoding == "identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Method, Refusal> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        route(&request).map(|(method, _)| method)
    }

    const GRPC: (&str, &str) = ("content-type", "application/grpc");

    #[test]
    fn api_f1_three_methods_are_known_and_paths_are_exact() {
        let rows = [
            ("/dapr.proto.runtime.v1.Dapr/GetSecret", Ok(Method::Secret)),
            (
                "/dapr.proto.runtime.v1.Dapr/GetBulkSecret",
                Ok(Method::BulkSecret),
            ),
            (
                "/dapr.proto.runtime.v1.Dapr/GetMetadata",
                Ok(Method::Metadata),
            ),
            (
                "/dapr.proto.runtime.v1.Dapr/SetMetadata",
                Err(Refusal::UnknownMethod),
            ),
            (
                "/dapr.proto.runtime.v1.Dapr/getsecret",
                Err(Refusal::UnknownMethod),
            ),
            (
                "/dapr.proto.runtime.v1.Dapr/GetSecret/",
                Err(Refusal::UnknownMethod),
            ),
            (
                "//dapr.proto.runtime.v1.Dapr/GetSecret",
                Err(Refusal::UnknownMethod),
            ),
            (
                "/dapr.proto.runtime.v1.Dapr/Get%53ecret",
                Err(Refusal::UnknownMethod),
            ),
            ("/dapr.proto.runtime.v1.Dapr/", Err(Refusal::UnknownMethod)),
            (
                "/dapr.proto.runtime.v1.DaprGetSecret",
                Err(Refusal::UnknownMethod),
            ),
            ("/", Err(Refusal::UnknownMethod)),
        ];
        for (path, expected) in rows {
            assert_eq!(call("POST", path, &[GRPC]), expected, "{path}");
        }
    }

    #[test]
    fn api_f1_what_is_no_grpc_is_told_apart() {
        let path = "/dapr.proto.runtime.v1.Dapr/GetSecret";
        let rows: [(&str, &str, Option<&str>, bool); 9] = [
            ("plain", "POST", Some("application/grpc"), true),
            (
                "with its message format",
                "POST",
                Some("application/grpc+proto"),
                true,
            ),
            (
                "with parameters",
                "POST",
                Some("application/grpc;charset=x"),
                true,
            ),
            ("gRPC-web", "POST", Some("application/grpc-web"), false),
            (
                "gRPC-web with format",
                "POST",
                Some("application/grpc-web+proto"),
                false,
            ),
            ("a longer word", "POST", Some("application/grpcx"), false),
            ("JSON", "POST", Some("application/json"), false),
            ("no content type", "POST", None, false),
            ("GET", "GET", Some("application/grpc"), false),
        ];
        for (name, method, kind, is_grpc) in rows {
            let headers: Vec<_> = kind
                .map(|kind| ("content-type", kind))
                .into_iter()
                .collect();
            let expected = if is_grpc {
                Ok(Method::Secret)
            } else {
                Err(Refusal::NotGrpc)
            };
            assert_eq!(call(method, path, &headers), expected, "{name}");
        }
    }

    #[test]
    fn api_f3_messages_are_not_decompressed() {
        let path = "/dapr.proto.runtime.v1.Dapr/GetSecret";
        let rows: [(&[(&str, &str)], Result<Method, Refusal>); 3] = [
            (&[GRPC, ("grpc-encoding", "identity")], Ok(Method::Secret)),
            (&[GRPC, ("grpc-encoding", "gzip")], Err(Refusal::Compressed)),
            (
                &[
                    GRPC,
                    ("grpc-encoding", "identity"),
                    ("grpc-encoding", "gzip"),
                ],
                Err(Refusal::Compressed),
            ),
        ];
        for (headers, expected) in rows {
            assert_eq!(call("POST", path, headers), expected, "{headers:?}");
        }
    }
}
