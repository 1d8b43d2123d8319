//! [`Injection`]: what happened to one outbound request.

/// What happened to one outbound request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Injection {
    /// The token was set.
    Injected,
    /// The caller's own value was left, as `keep_existing()` asks.
    KeptExisting,
    /// The request goes to an origin that must not get the token (`I3`).
    OriginNotAllowed,
    /// There is no token: the layer is `optional()`, none was loaded yet, or it is too old or has expired.
    NoToken,
    /// The request has as many headers as a map can hold (24,576) and none of this name, so it went on without the
    /// token.
    NoRoom,
}

impl Injection {
    /// The name under which it is counted and logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::KeptExisting => "kept_existing",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NoToken => "no_token",
            Self::NoRoom => "no_room",
        }
    }
}
