//! [`JwksError`]: why keys could not be fetched.

use std::fmt;

use super::url::KeyUrl;

/// Why keys could not be fetched. It holds nothing of what was read, and of the address no more than scheme, host
/// and port (`O4`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksError {
    kind: JwksErrorKind,
    origin: Option<Box<str>>,
}

/// What stood in the way of fresh keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksErrorKind {
    /// The name does not resolve, or nothing accepts a connection there.
    Unreachable,
    /// The server's certificate is not trusted, or no secure connection came about.
    Untrusted,
    /// No connection within 2 s, or no whole answer within 5 s.
    TimedOut,
    /// The answer is not HTTP, its header has more than 16 KiB or 100 lines, or the connection broke off.
    Broken,
    /// The server sends us elsewhere, and we do not go.
    Redirected,
    /// Any other status than success.
    Status(u16),
    /// A document of more than 256 KiB.
    TooLarge,
    /// The document is compressed, which was not asked for.
    Encoded,
    /// The document is not a JSON Web Key Set.
    NotAKeySet,
    /// The set has more than 64 keys.
    TooManyKeys,
    /// The set has no key that can verify anything.
    NoUsableKey,
    /// The document of the issuer is not one of `OpenID` Connect discovery.
    NotADiscoveryDocument,
    /// The discovery document is that of another issuer.
    OtherIssuer,
    /// The address of the keys in the discovery document is one that keys must not be fetched from.
    KeySetUrl(&'static str),
    /// The fetch ended in a panic: the Tokio runtime was built without its network, or this library has a defect.
    Panicked,
    /// The runtime that keys are fetched in is gone.
    Stopped,
}

impl JwksError {
    /// What stood in the way.
    #[must_use]
    pub fn kind(&self) -> JwksErrorKind {
        self.kind
    }

    /// Scheme, host and port of the server that was asked, if one was.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The same, told of this address.
    pub(super) fn at(mut self, url: &KeyUrl) -> Self {
        self.origin = Some(url.origin().into());
        self
    }
}

impl From<JwksErrorKind> for JwksError {
    fn from(kind: JwksErrorKind) -> Self {
        Self { kind, origin: None }
    }
}

impl fmt::Display for JwksErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "cannot be reached: check the address and the network",
            Self::Untrusted => {
                "is not trusted: its certificate must name the host and come from a known root; \
                 root_certificate(..) names another one"
            }
            Self::TimedOut => {
                "did not answer in time (2 s to connect, 5 s in all): check the network, or put a cache in front"
            }
            Self::Broken => "broke off, does not speak HTTP/1.1, or sent a header of more than 16 KiB: check scheme and port",
            Self::Redirected => "redirects: configure the address where it leads to",
            Self::Status(status) => {
                return write!(f, "answered with status {status}: check the address");
            }
            Self::TooLarge => {
                "sent a document of more than 256 KiB: check the address"
            }
            Self::Encoded => "sent a compressed document unasked: turn compression off there",
            Self::NotAKeySet => "did not send a JSON Web Key Set: check the address",
            Self::TooManyKeys => "sent more than 64 keys: let it list those in use",
            Self::NoUsableKey => {
                "sent no key that can be used: check their types and the allowed algorithms"
            }
            Self::NotADiscoveryDocument => {
                "did not send an OpenID Connect discovery document: check the issuer, or name the address of the \
                 keys with jwks(..)"
            }
            Self::OtherIssuer => {
                "sent the discovery document of another issuer: the configured one must equal its `issuer`, each \
                 character and the slash at the end included"
            }
            Self::KeySetUrl(reason) => {
                return write!(f, "named an address of its keys that {reason}: correct its `jwks_uri`");
            }
            Self::Panicked => {
                "could not be asked without a panic: turn on the network of the Tokio runtime (`enable_all()`), or, if \
                 it is on, please report this"
            }
            Self::Stopped => "is asked no more: the Tokio runtime that fetched its keys is gone",
        })
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin} {}", self.kind),
            None => write!(f, "the server of the keys {}", self.kind),
        }
    }
}

impl std::error::Error for JwksError {}
