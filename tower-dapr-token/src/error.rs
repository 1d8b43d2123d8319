//! [`ConfigError`]: everything that can be wrong before the first request.

use std::fmt;
use std::time::Duration;

use crate::header::MAX_TOKEN_LEN;
#[cfg(feature = "jwks")]
use crate::token::JwksError;
use crate::token::SourceError;

/// What is wrong with a configuration, found while a layer is built and never later.
///
/// The text says what to do and holds no token (`O4`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The environment variable that should hold the token is not set.
    #[non_exhaustive]
    TokenUnset {
        /// The variable's name.
        variable: String,
    },
    /// A configured token can never be sent in a header, or is empty (`C1`).
    #[non_exhaustive]
    TokenInvalid {
        /// The environment variable that it came from, if it came from one.
        variable: Option<String>,
        /// What is wrong with it.
        reason: InvalidToken,
    },
    /// The variable for the previous token is set while the one for the current token is not (`R1`).
    #[non_exhaustive]
    PreviousWithoutCurrent {
        /// The variable of the previous token.
        previous: String,
        /// The variable that should hold the current one.
        current: String,
    },
    /// The source of the tokens had none to give (`R6`).
    #[non_exhaustive]
    TokenSource {
        /// What stood in the way.
        error: SourceError,
    },
    /// `add_previous(..)` beside a source that changes: such a source lists the previous tokens itself.
    PreviousBesideSource,
    /// A setting of rotation, but tokens that cannot change, or that another handle changes.
    #[non_exhaustive]
    NothingToReload {
        /// The builder's method.
        setting: &'static str,
    },
    /// Tokens would be too old between two readings of their source (`R5`).
    #[non_exhaustive]
    MaxStale {
        /// The refused limit.
        limit: Duration,
    },
    /// The tokens are to be refused when they were not read again for some time, and nothing would ever read
    /// them again (`R5`).
    NobodyReloads,
    /// Tokens are to be reloaded in the background (`R9`), or keys to be fetched (`T6`), but the layer was not built in a
    /// Tokio runtime.
    NoRuntime,
    /// Files are to be watched, and the source names none (`R3`).
    NothingToWatch,
    /// No source of tokens was named, so nothing could be let through or injected.
    NoTokenSource,
    /// More than one source of tokens was named, and nobody can tell which one is meant.
    SeveralTokenSources,
    /// More than eight different tokens (`C1`): each is compared on every request.
    TooManyTokens,
    /// A header name that proxies, gRPC or HTTP itself treat in ways of their own (`E1`):
    /// [`header_name()`](crate::RequireTokenBuilder::header_name) lists them.
    #[non_exhaustive]
    HeaderName {
        /// The refused name.
        name: String,
    },
    /// A limit on the value's length below the longest configured token, or above 1024 bytes (`E4`).
    #[non_exhaustive]
    ValueLimit {
        /// The refused limit, in bytes.
        limit: usize,
    },
    /// An exempt path that no request could match exactly, or that means more than it says (`X3`).
    #[non_exhaustive]
    ExemptPath {
        /// The refused path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `DAPR_HTTP_PORT` or `DAPR_GRPC_PORT` is set, and not to a port (`I3`).
    #[non_exhaustive]
    Port {
        /// The variable's name.
        variable: String,
    },
    /// An address that is not an origin: scheme, host and port (`I3`).
    #[non_exhaustive]
    Origin {
        /// The environment variable that it came from, if it came from one.
        variable: Option<String>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A plain `http` origin that is not on this machine would carry the token readably (`I4`).
    #[non_exhaustive]
    PlaintextOrigin {
        /// The origin, without any user information.
        origin: String,
    },
    /// No origin may get the token, so the layer would never inject it (`I3`).
    NoOrigin,
    /// An address, or an issuer, that keys must not be fetched from (`T6`).
    #[non_exhaustive]
    KeySetUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The certificates that the server of the keys is to be recognised by (`T6`).
    #[non_exhaustive]
    RootCertificate {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// How often keys are to be fetched, or how long they may be used (`T6`, `T8`).
    #[non_exhaustive]
    KeyRefresh {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The first keys could not be fetched (`T8`).
    #[cfg(feature = "jwks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    #[non_exhaustive]
    KeySet {
        /// What stood in the way.
        error: JwksError,
    },
    /// The one origin that all requests go to may not get the token (`I8`).
    #[non_exhaustive]
    OriginNotAllowed {
        /// The origin, without any user information.
        origin: String,
    },
    /// A setting that looks at more of a request than its headers, for a check or an injection that gets nothing
    /// else (`X6`, `I8`).
    #[non_exhaustive]
    NeedsRequest {
        /// The builder's method.
        setting: &'static str,
    },
    /// The keys or the rules of JWT mode are wrong.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[non_exhaustive]
    Jwt {
        /// What is wrong with them.
        error: crate::token::JwtConfigError,
    },
    /// A file of keys had none to give (`T8`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[non_exhaustive]
    KeySetFile {
        /// What stood in the way.
        error: SourceError,
    },
    /// A signer of outbound JWTs that lacks something, or whose key or claims cannot be used (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[non_exhaustive]
    JwtSigner {
        /// The builder's method.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The source of outbound JWTs had none to give (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[non_exhaustive]
    JwtSource {
        /// What stood in the way.
        error: SourceError,
    },
    /// An outbound JWT would end, and nothing would ever fetch the next one (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    NobodyRenews,
}

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
impl From<crate::token::JwtConfigError> for ConfigError {
    fn from(error: crate::token::JwtConfigError) -> Self {
        Self::Jwt { error }
    }
}

/// Why a text cannot be a token (`C1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidToken {
    /// Nothing is left after white space is trimmed at both ends.
    Empty,
    /// More than 1024 bytes are left after trimming.
    TooLong,
    /// A byte outside `0x21..=0x7E`: a space, a control character, or anything beyond ASCII.
    InvalidByte,
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => write!(f, "is longer than {MAX_TOKEN_LEN} bytes"),
            Self::InvalidByte => {
                f.write_str("contains a space, a control character or a byte that is not ASCII")
            }
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenUnset { variable } => write!(
                f,
                "{variable} is not set: set it to the token, 1 to {MAX_TOKEN_LEN} printable ASCII \
                 characters without spaces"
            ),
            Self::TokenInvalid { variable, reason } => {
                match variable {
                    Some(variable) => write!(f, "the token in {variable} {reason}")?,
                    None => write!(f, "the token {reason}")?,
                }
                write!(
                    f,
                    ": use 1 to {MAX_TOKEN_LEN} printable ASCII characters without spaces"
                )
            }
            Self::PreviousWithoutCurrent { previous, current } => write!(
                f,
                "{previous} is set but {current} is not: set {current} to the current token, or \
                 unset {previous}"
            ),
            Self::TokenSource { error } => write!(
                f,
                "no token could be loaded: {error}; put 1 to 8 tokens there, one a line, the current \
                 one first"
            ),
            Self::PreviousBesideSource => f.write_str(
                "add_previous(..) does not go with a source that is read again: let the source list the \
                 previous token",
            ),
            Self::NothingToReload { setting } => write!(
                f,
                "{setting}() has no effect on these tokens: name a source that can be read again, such \
                 as file(..), or set it on the handle's own builder"
            ),
            Self::MaxStale { limit } => write!(
                f,
                "max_stale of {limit:?} would refuse requests between two readings of the source: use at \
                 least 30 s"
            ),
            Self::NobodyReloads => f.write_str(
                "max_stale would refuse every token after a while, because nothing reads the source again: add \
                 reload_in_background() (feature `tokio`), or build_with_handle() and call refresh()",
            ),
            Self::NoRuntime => f.write_str(
                "there is no Tokio runtime to reload tokens or keys in: build inside one, or, for tokens, leave \
                 out reload_in_background() and call refresh()",
            ),
            Self::NothingToWatch => f.write_str(
                "watch_files() has nothing to watch: let files() of the source name what it reads, or ask for \
                 reload_in_background() instead",
            ),
            Self::NoTokenSource => f.write_str(
                "no token was configured: name a source, such as app_token(), dapr_token(), \
                 file(..) or token(..)",
            ),
            Self::SeveralTokenSources => {
                f.write_str("several token sources were configured: name exactly one")
            }
            Self::TooManyTokens => {
                f.write_str("more than 8 different tokens were configured: remove the oldest")
            }
            Self::HeaderName { name } => write!(
                f,
                "`{name}` cannot carry the token: choose a name of its own, without `_`, that does not \
                 begin with `-` or `grpc-` nor end in `-bin`"
            ),
            Self::ValueLimit { limit } => write!(
                f,
                "a value limit of {limit} bytes does not fit: it must be at least the length of the \
                 longest configured token and at most {MAX_TOKEN_LEN}"
            ),
            Self::ExemptPath { path, reason } => write!(
                f,
                "`{path}` cannot be an exempt path: it {reason}; give the exact path as it is sent"
            ),
            Self::Port { variable } => write!(
                f,
                "{variable} is not a port: set it to the number that the sidecar listens on, 1 to 65535, or \
                 unset it"
            ),
            Self::Origin {
                variable: Some(variable),
                reason,
            } => write!(
                f,
                "the address in {variable} {reason}: write it as `http://host:port`, `https://host:port`, \
                 `dns:host:port?tls=true` or `unix:path`"
            ),
            Self::Origin {
                variable: None,
                reason,
            } => write!(
                f,
                "the origin {reason}: write it as `http://host:port` or `https://host:port`"
            ),
            Self::PlaintextOrigin { origin } => write!(
                f,
                "{origin} would get the token unencrypted: use https, or list the origin with \
                 allow_plaintext() if the network between is trusted"
            ),
            Self::KeySetUrl { reason } => write!(
                f,
                "keys cannot be fetched from this address: it {reason}; use an `https` address without user \
                 information, such as https://login.example.com/keys"
            ),
            Self::RootCertificate { reason } => write!(
                f,
                "{reason}: give the root certificates as PEM with root_certificate(..), or install those of the \
                 operating system"
            ),
            Self::KeyRefresh { reason } => f.write_str(reason),
            #[cfg(feature = "jwks")]
            Self::KeySet { error } => write!(
                f,
                "no keys could be fetched: {error}; put that right, or start without keys with build_lazy(), which \
                 answers 503 until they come"
            ),
            Self::NoOrigin => f.write_str(
                "no origin may get the token: add one with add_origin(..), allow loopback, or name a Unix \
                 socket with for_fixed_origin(..)",
            ),
            Self::OriginNotAllowed { origin } => write!(
                f,
                "{origin} may not get the token: if it is meant to, list it with add_origin(..)"
            ),
            Self::NeedsRequest { setting } => write!(
                f,
                "{setting}() has no effect on headers alone, which tell neither method nor address: use a \
                 layer, or leave it out"
            ),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::Jwt { error } => error.fmt(f),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::KeySetFile { error } => write!(
                f,
                "no key set could be loaded: {error}; put one JSON Web Key Set of 1 to 64 keys there"
            ),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::JwtSigner { setting, reason } => {
                write!(f, "{setting}(..) of the JWT signer {reason}")
            }
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::JwtSource { error } => write!(
                f,
                "no JWT could be had: {error}; the source must give one JWT of at most 8 KiB whose `exp` is ahead"
            ),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::NobodyRenews => f.write_str(
                "the JWT would end, and nothing would fetch the next one: add reload_in_background() (feature \
                 `tokio`), or give jwt_handle(..) a handle on which you call refresh()",
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests;
