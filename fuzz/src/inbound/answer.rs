//! The bytes of a refusal, by the table of `docs/spec/auth.md`, section 8. The details of gRPC are encoded here, field by
//! field, and not copied.

use std::collections::BTreeMap;

use http::Method;

use super::oracle::{self, Reason};
use super::scene::Scene;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, Vec<Vec<u8>>>,
    pub(super) body: Vec<u8>,
}

/// A row of the table: HTTP status, gRPC status, `errorCode`, reason, message, and what J3 says besides.
type Row = (
    u16,
    u8,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

fn row(reason: Reason) -> Row {
    match reason {
        Reason::Missing => (
            401,
            16,
            "ERR_API_TOKEN_MISSING",
            "API_TOKEN_MISSING",
            "missing api token",
            "missing api token in request metadata",
        ),
        Reason::Unavailable => (
            503,
            14,
            "ERR_AUTH_UNAVAILABLE",
            "AUTH_UNAVAILABLE",
            "authentication unavailable",
            "authentication unavailable",
        ),
        _ => (
            401,
            16,
            "ERR_API_TOKEN_INVALID",
            "API_TOKEN_INVALID",
            "invalid api token",
            "authentication error: api token mismatch",
        ),
    }
}

impl Answer {
    pub(super) fn of(scene: &Scene, reason: Reason) -> Self {
        let daprd = scene.options.daprd && reason != Reason::Unavailable;
        let mut answer = match oracle::format(scene) {
            Some(content_type) => Self::grpc(reason, content_type, daprd),
            None if daprd => Self {
                status: 401,
                headers: headers(&[
                    ("content-type", "text/plain; charset=utf-8"),
                    ("x-content-type-options", "nosniff"),
                ]),
                body: b"invalid api token\n".to_vec(),
            },
            None => Self::http(reason),
        };
        if scene.method == Method::HEAD {
            answer.body.clear();
        }
        answer
    }

    fn http(reason: Reason) -> Self {
        let (status, _, code, _, message, _) = row(reason);
        let last = match status {
            503 => ("retry-after", "1"),
            _ => ("www-authenticate", "Dapr-Api-Token"),
        };
        Self {
            status,
            headers: headers(&[
                ("content-type", "application/json"),
                ("cache-control", "no-store"),
                last,
            ]),
            body: format!(r#"{{"errorCode":"{code}","message":"{message}"}}"#).into_bytes(),
        }
    }

    fn grpc(reason: Reason, content_type: &'static str, daprd: bool) -> Self {
        let (http, code, _, why, message, told) = row(reason);
        let (why, message) = if daprd {
            ("Unauthorized", "Unauthorized")
        } else {
            (why, message)
        };
        let info = [
            field(1, why.as_bytes()),
            field(2, b"dapr.io"),
            entry("http.code", &http.to_string()),
            entry("http.error_message", told),
        ]
        .concat();
        let any = [
            field(1, b"type.googleapis.com/google.rpc.ErrorInfo"),
            field(2, &info),
        ]
        .concat();
        let status = [
            vec![1 << 3, code],
            field(2, message.as_bytes()),
            field(3, &any),
        ]
        .concat();
        Self {
            status: 200,
            headers: headers(&[
                ("content-type", content_type),
                ("grpc-status", &code.to_string()),
                ("grpc-message", message),
                ("grpc-status-details-bin", &base64(&status)),
            ]),
            body: Vec::new(),
        }
    }
}

fn headers(lines: &[(&str, &str)]) -> BTreeMap<String, Vec<Vec<u8>>> {
    lines
        .iter()
        .map(|(name, value)| ((*name).to_owned(), vec![value.as_bytes().to_vec()]))
        .collect()
}

/// An entry of ErrorInfo's map.
fn entry(key: &str, value: &str) -> Vec<u8> {
    field(
        3,
        &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat(),
    )
}

/// A field of protobuf's wire type 2: tag, length, bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut len = content.len();
    while len > 0x7f {
        bytes.push((len & 0x7f) as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes.extend_from_slice(content);
    bytes
}

/// The standard alphabet, without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, i| {
            word << 8 | u32::from(*chunk.get(i).unwrap_or(&0))
        });
        for i in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * i)) as usize & 63]));
        }
    }
    text
}
