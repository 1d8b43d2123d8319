//! Every header name, content type and length limit of this crate. Nothing else spells one out.

use http::HeaderName;
use http::header::HeaderValue;

use crate::error::ConfigError;

/// The header in which Dapr carries its API tokens, in both directions.
///
/// daprd sends the app token under this name and expects its own token under it
/// ([Dapr: API token authentication](https://docs.dapr.io/operations/security/api-token/)).
pub const DAPR_API_TOKEN: HeaderName = HeaderName::from_static("dapr-api-token");

/// Longest value of a static token, in bytes: no legal token is longer, and a fixed bound is what
/// lets the comparison copy into an array (`E4`, `C1`).
pub const MAX_TOKEN_LEN: usize = 1024;

/// A shorter token can be guessed; it is accepted, with a notice (`C1`).
pub(crate) const SHORT_TOKEN_LEN: usize = 16;

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(crate) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
pub(crate) const GRPC_STATUS_DETAILS: HeaderName =
    HeaderName::from_static("grpc-status-details-bin");

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
pub(crate) const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// Tokens are loaded within seconds, or somebody has to look after it.
pub(crate) const RETRY_SOON: HeaderValue = HeaderValue::from_static("1");
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Dapr-Api-Token");
/// RFC 6750, section 3: no error where no token came, and `invalid_token` where one did.
pub(crate) const BEARER: HeaderValue = HeaderValue::from_static("Bearer");
pub(crate) const BEARER_INVALID: HeaderValue =
    HeaderValue::from_static("Bearer error=\"invalid_token\"");

pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
pub(crate) const GRPC_WEB: HeaderValue = HeaderValue::from_static("application/grpc-web");
pub(crate) const GRPC_WEB_PROTO: HeaderValue =
    HeaderValue::from_static("application/grpc-web+proto");
pub(crate) const GRPC_WEB_TEXT: HeaderValue = HeaderValue::from_static("application/grpc-web-text");
pub(crate) const GRPC_WEB_TEXT_PROTO: HeaderValue =
    HeaderValue::from_static("application/grpc-web-text+proto");

/// Names that belong to HTTP itself: carrying a token there, or taking them out of a request, breaks it. The
/// hop-by-hop names among them (RFC 9110, section 7.6.1, and what proxies take for one) end at the next proxy.
const TAKEN: [&str; 16] = [
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Refuses a name that proxies drop (`_`), that gRPC decodes (`-bin`) or keeps for itself (`grpc-`), that CORS is asked
/// with (a preflight that lost it would be none, `X5`), or that has a meaning already (`E1`); and one that begins with `-`, because names that differ by `_` are looked for by their
/// first byte (`E5`).
pub(crate) fn check_name(name: &HeaderName) -> Result<(), ConfigError> {
    let text = name.as_str();
    let reserved = text.starts_with("grpc-")
        || text.starts_with("access-control-")
        || text.ends_with("-bin")
        || TAKEN.contains(&text);
    if reserved || text.starts_with('-') || text.contains('_') {
        return Err(ConfigError::HeaderName {
            name: text.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e1_names_with_an_underscore_or_a_binary_suffix_or_a_meaning_of_their_own_are_refused() {
        for (name, valid) in [
            ("dapr-api-token", true),
            ("x-token", true),
            ("binary-token", true),
            ("authorization", true),
            ("x-grpc-token", true),
            ("grpctoken", true),
            ("x-host", true),
            ("token-", true),
            ("dapr_api_token", false),
            ("x-token_", false),
            ("_token", false),
            ("x-token-bin", false),
            ("-bin", false),
            ("-token", false),
            ("-", false),
            ("grpc-timeout", false),
            ("grpc-encoding", false),
            ("grpc-", false),
            ("access-control-request-method", false),
            ("origin", false),
            ("x-origin", true),
            ("connection", false),
            ("content-length", false),
            ("content-type", false),
            ("cookie", false),
            ("expect", false),
            ("host", false),
            ("http2-settings", false),
            ("keep-alive", false),
            ("proxy-authenticate", false),
            ("proxy-authorization", false),
            ("proxy-connection", false),
            ("te", false),
            ("trailer", false),
            ("transfer-encoding", false),
            ("upgrade", false),
        ] {
            let checked = check_name(&HeaderName::from_static(name));
            assert_eq!(checked.is_ok(), valid, "{name}");
        }
    }

    #[test]
    fn e1_each_name_that_is_taken_is_spelt_as_it_arrives() {
        for name in TAKEN {
            // Panics at a name that is not in small letters.
            assert_eq!(HeaderName::from_static(name).as_str(), name);
        }
    }
}
