//! Which answers mean that the token was not accepted (`I6`). Only the head of an answer is looked at.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use crate::header::{self, GRPC_STATUS};

/// UNAUTHENTICATED, as it is written in a header.
const UNAUTHENTICATED: &[u8] = b"16";

/// A 401, or a gRPC answer that says UNAUTHENTICATED in its head because nothing comes after it
/// (trailers-only). A status in the trailers of a longer answer was given after the call had begun, and so
/// after the token was accepted.
#[inline]
pub(super) fn is_unauthenticated<B>(response: &Response<B>) -> bool {
    match response.status() {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::OK => is_unauthenticated_grpc(response.headers()),
        _ => false,
    }
}

fn is_unauthenticated_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(&GRPC_STATUS)
        .is_some_and(|status| status.as_bytes() == UNAUTHENTICATED)
        && headers.get(&CONTENT_TYPE).is_some_and(is_grpc)
}

fn is_grpc(content_type: &HeaderValue) -> bool {
    let grpc = header::GRPC;
    let prefix = content_type.as_bytes().get(..grpc.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(grpc.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i6_a_401_and_unauthenticated_in_the_head_are_told_from_all_else() {
        let grpc = Some("application/grpc");
        let table = [
            ("accepted", 200, None, None, false),
            ("401", 401, None, None, true),
            ("401 to a gRPC client", 401, grpc, None, true),
            ("403", 403, None, None, false),
            ("407", 407, None, None, false),
            ("503", 503, grpc, Some("16"), false),
            ("trailers-only", 200, grpc, Some("16"), true),
            (
                "with its encoding",
                200,
                Some("Application/gRPC+proto"),
                Some("16"),
                true,
            ),
            (
                "gRPC-Web",
                200,
                Some("application/grpc-web"),
                Some("16"),
                true,
            ),
            ("accepted over gRPC", 200, grpc, None, false),
            ("OK over gRPC", 200, grpc, Some("0"), false),
            ("PERMISSION_DENIED", 200, grpc, Some("7"), false),
            ("a longer number", 200, grpc, Some("160"), false),
            ("not gRPC", 200, Some("text/plain"), Some("16"), false),
            ("no content type", 200, None, Some("16"), false),
        ];
        for (name, code, content_type, grpc_status, expected) in table {
            let mut response = Response::builder().status(code);
            if let Some(content_type) = content_type {
                response = response.header(CONTENT_TYPE, content_type);
            }
            if let Some(status) = grpc_status {
                response = response.header(GRPC_STATUS, status);
            }
            let response = response.body(()).expect("valid");
            assert_eq!(is_unauthenticated(&response), expected, "{name}");
        }
    }
}
