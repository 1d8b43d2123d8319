//! The names that a partial bulk answer lacks, as one header. gRPC sends it as initial metadata.

use std::fmt::Write as _;

use http::{HeaderName, HeaderValue};

use crate::bulk::BulkSecrets;

/// Names that a partial bulk answer lacks, with the kind of each failure.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-dapr-secrets-failed");
/// Longest list in that header, before `;more=N`.
const LIST_MAX: usize = 4 << 10;

/// `NAME=KIND,...` for the names that failed, cut at [`LIST_MAX`] bytes with `;more=N`.
pub(super) fn failed_names(answer: &BulkSecrets) -> Option<HeaderValue> {
    let total = answer.failed().len();
    if total == 0 {
        return None;
    }
    let mut list = String::new();
    let mut listed = 0;
    for (name, error) in answer.failed() {
        let mut item = String::from(if listed == 0 { "" } else { "," });
        percent_encode(name, &mut item);
        item.push('=');
        item.push_str(error.kind().as_str());
        if list.len() + item.len() > LIST_MAX {
            break;
        }
        list.push_str(&item);
        listed += 1;
    }
    if listed < total {
        list.push_str(";more=");
        list.push_str(&(total - listed).to_string());
    }
    Some(HeaderValue::try_from(list).expect("unreserved characters and escapes are header text"))
}

fn percent_encode(name: &str, out: &mut String) {
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes everything");
        }
    }
}
