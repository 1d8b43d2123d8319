//! Refusals that say on the wire what was wrong with a token: `verbose_errors()` (`J4`).
//!
//! The answer of the table is taken, and its message gets the reason behind it: in the body, and over gRPC in
//! `grpc-message` and in the details, which keep the ErrorInfo reason of their dialect. It allocates.

use bytes::Bytes;
use http::Response;
use http::header::HeaderValue;

use super::reject::{Dialect, RejectionKind};
use crate::header;

/// Puts the reason into an answer of the table, where it does not say it already: `unavailable` always does, and
/// `missing` except in daprd's words, which are the same for a token that is wrong (`J7`).
pub(super) fn explain(kind: RejectionKind, dialect: Dialect, response: &mut Response<Bytes>) {
    match kind {
        RejectionKind::Unavailable => return,
        RejectionKind::Missing if dialect != Dialect::Daprd => return,
        _ => {}
    }
    let reason = kind.as_str();
    if let Some(said) = response.headers().get(header::GRPC_MESSAGE) {
        let message = format!("{}: {reason}", said.to_str().unwrap_or_default());
        let details = base64(&status(&message, kind, dialect));
        let headers = response.headers_mut();
        for (name, text) in [
            (header::GRPC_MESSAGE, message),
            (header::GRPC_STATUS_DETAILS, details),
        ] {
            if let (Some(place), Ok(value)) = (headers.get_mut(name), HeaderValue::try_from(text)) {
                *place = value;
            }
        }
    } else if let Ok(body) = str::from_utf8(response.body()) {
        // The message is the last word of either dialect, before its end.
        let told = body.trim_end_matches(['"', '}', '\n']);
        let end = body.get(told.len()..).unwrap_or_default();
        if !told.is_empty() {
            *response.body_mut() = Bytes::from(format!("{told}: {reason}{end}"));
        }
    }
}

/// A `google.rpc.Status` with one ErrorInfo, as of `J3` and `J7`, and the reason among its metadata.
fn status(message: &str, kind: RejectionKind, dialect: Dialect) -> Vec<u8> {
    const UNAUTHENTICATED: u8 = 16;
    let error_reason = match dialect {
        Dialect::Standard | Dialect::Bearer => "API_TOKEN_INVALID",
        Dialect::Daprd => "Unauthorized",
    };
    let error_message = match kind {
        RejectionKind::Missing => "missing api token in request metadata",
        _ => "authentication error: api token mismatch",
    };
    let mut info = Vec::new();
    text(&mut info, 1, error_reason.as_bytes());
    text(&mut info, 2, b"dapr.io");
    for (key, value) in [
        ("http.code", "401"),
        ("http.error_message", error_message),
        ("reason", kind.as_str()),
    ] {
        let mut entry = Vec::new();
        text(&mut entry, 1, key.as_bytes());
        text(&mut entry, 2, value.as_bytes());
        text(&mut info, 3, &entry);
    }
    let mut any = Vec::new();
    text(&mut any, 1, b"type.googleapis.com/google.rpc.ErrorInfo");
    text(&mut any, 2, &info);
    let mut status = vec![1 << 3, UNAUTHENTICATED];
    text(&mut status, 2, message.as_bytes());
    text(&mut status, 3, &any);
    status
}

/// A field of bytes: its number, its length as a varint, and the bytes.
fn text(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    const LENGTH_DELIMITED: u8 = 2;
    message.push(field << 3 | LENGTH_DELIMITED);
    let mut len = bytes.len();
    while len > 0x7F {
        message.push(low_bits(len) | 0x80);
        len >>= 7;
    }
    message.push(low_bits(len));
    message.extend_from_slice(bytes);
}

/// The seven bits of a varint's next byte.
fn low_bits(len: usize) -> u8 {
    let [low, ..] = len.to_le_bytes();
    low & 0x7F
}

/// Base64 as gRPC's `-bin` headers carry it, without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(
                ALPHABET[(word >> (18 - 6 * at) & 0x3F) as usize],
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j4_base64_of_every_remainder() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), expected, "RFC 4648, section 10");
        }
    }
}
