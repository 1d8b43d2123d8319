//! [`Decision`]: what happened to one inbound request.

use crate::inbound::{Rejection, RejectionKind};

/// What happened to one inbound request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    outcome: Outcome,
    protocol: Protocol,
    mode: TokenMode,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    cache: Option<JwtCache>,
}

impl Decision {
    pub(crate) fn new(outcome: Outcome, protocol: Protocol, mode: TokenMode) -> Self {
        Self {
            outcome,
            protocol,
            mode,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            cache: None,
        }
    }

    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn with_cache(self, cache: Option<JwtCache>) -> Self {
        Self { cache, ..self }
    }

    /// What the cache of accepted JWTs had to do with it (`T9`); `None` if it was not asked, or the request was
    /// refused.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[must_use]
    pub fn jwt_cache(&self) -> Option<JwtCache> {
        self.cache
    }

    /// Whether it was let through.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Which protocol the request speaks.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What the layer asks of a token; of an accepted one, which of the two it was.
    #[must_use]
    pub fn mode(&self) -> TokenMode {
        self.mode
    }

    /// Why it was refused; `None` if it was not.
    #[must_use]
    pub fn reason(&self) -> Option<RejectionKind> {
        match &self.outcome {
            Outcome::Denied(rejection) => Some(rejection.kind()),
            Outcome::Allowed { .. } | Outcome::Exempt => None,
        }
    }

    /// Which token matched: 0 is the current one, others are previous ones. `None` if none did.
    #[must_use]
    pub fn slot(&self) -> Option<u32> {
        match self.outcome {
            Outcome::Allowed { slot } => slot,
            Outcome::Exempt | Outcome::Denied(_) => None,
        }
    }

    /// Whether a previous token was accepted: somebody still sends it (`R7`).
    #[must_use]
    pub fn used_previous(&self) -> bool {
        self.slot().is_some_and(|slot| slot > 0)
    }
}

/// Whether a request was let through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token was verified, or everything is allowed.
    #[non_exhaustive]
    Allowed {
        /// Which token matched: 0 is the current one. `None` if everything is allowed.
        slot: Option<u32>,
    },
    /// The method and path need no token.
    Exempt,
    /// The request was refused.
    Denied(Rejection),
}

impl Outcome {
    /// The name under which it is counted and logged.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::Exempt => "exempt",
            Self::Denied(_) => "denied",
        }
    }
}

/// Which protocol a request speaks, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Everything that is not gRPC.
    Http,
    /// gRPC or gRPC-Web.
    Grpc,
}

impl Protocol {
    /// The name under which it is counted and logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// What a layer asks of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenMode {
    /// That it equals a configured one.
    Static,
    /// That it is a valid JWT, or, beside static tokens, that it is either. A request that such a layer accepted for its
    /// static token is told as [`Static`](Self::Static).
    Jwt,
    /// Nothing: `insecure_allow_all()`.
    AllowAll,
}

impl TokenMode {
    /// The name under which it is counted and logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Jwt => "jwt",
            Self::AllowAll => "allow_all",
        }
    }
}

/// What the cache of accepted JWTs had to do with a request that was let through (`T9`).
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtCache {
    /// The token was in it.
    Hit,
    /// The token was not in it.
    Miss,
    /// The token was not in it, and an older one made room for it.
    Evict,
}

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
impl JwtCache {
    /// The name under which it is counted.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Evict => "evict",
        }
    }
}
