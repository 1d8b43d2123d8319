//! [`Observer`]: what an operator is told about decisions, injections and oddities.
//!
//! An observer gets no token, no length or hash of one, no path and no header (`O2`, `O3`).

use std::fmt;
use std::time::Duration;

use http::Method;

use crate::inbound::Rejection;
use crate::token::{Reloaded, SourceError};

/// Told about every decision of the layers that it is given to. Each method does nothing unless it
/// is implemented.
///
/// The calls are made on the request's own thread: count, and return.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_dapr_token::{Decision, Observer, Outcome, RequireTokenLayer};
///
/// #[derive(Default)]
/// struct Denied(AtomicU64);
///
/// impl Observer for Denied {
///     fn on_decision(&self, decision: &Decision) {
///         if let Outcome::Denied(_) = decision.outcome() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let layer = RequireTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .observer(Arc::new(Denied::default()))
///     .build()?;
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A request was let through or refused.
    fn on_decision(&self, decision: &Decision) {
        let _ = decision;
    }

    /// An outbound request got the token, or did not.
    fn on_injection(&self, injection: Injection) {
        let _ = injection;
    }

    /// A source of tokens was read, in the background or by `refresh()`, and never on the path of a request.
    /// The next reading waits for this call to come back: do not ask for one here.
    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        let _ = result;
    }

    /// Something that an operator should know, once, while a layer is built or when it begins.
    fn on_notice(&self, notice: &Notice) {
        let _ = notice;
    }
}

/// What happened to one inbound request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    outcome: Outcome,
    protocol: Protocol,
}

impl Decision {
    pub(crate) fn new(outcome: Outcome, protocol: Protocol) -> Self {
        Self { outcome, protocol }
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

/// Which protocol a request speaks, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Everything that is not gRPC.
    Http,
    /// gRPC or gRPC-Web.
    Grpc,
}

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
    /// There is no token, and the layer is `optional()`.
    NoToken,
    /// The request has as many headers as a map can hold (24,576), so it went on without the token.
    NoRoom,
}

/// Something that an operator should know. Its `Display` is a sentence for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A configured token is shorter than 16 bytes (`C1`).
    ShortToken,
    /// A configured token has a comma, which some proxies take for the end of a value (`C1`).
    TokenWithComma,
    /// The check is off: `insecure_allow_all()`.
    NotEnforcing,
    /// These need no token. Given once, while the layer is built, if there are any (`X4`).
    Exemptions(ExemptionList),
    /// The variable of an `optional()` token is not set, so nothing is injected (`I1`).
    #[non_exhaustive]
    NothingToInject {
        /// The variable's name.
        variable: String,
    },
    /// Tokens cannot be loaded any more, or not yet. What was loaded before stays in force. Given once, until
    /// it works again (`R5`).
    ReloadFailing(SourceError),
    /// Tokens can be loaded again.
    ReloadRecovered,
    /// Somebody still sends a token that soon ends (`R7`).
    PreviousStillUsed {
        /// How soon.
        expires_in: Duration,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortToken => f.write_str(
                "a configured token is shorter than 16 bytes and can be guessed: use 32 random bytes",
            ),
            Self::TokenWithComma => f.write_str(
                "a configured token has a comma: a proxy may split the header value there",
            ),
            Self::NotEnforcing => {
                f.write_str("the token check is off: every request is let through")
            }
            Self::Exemptions(list) => write!(f, "no token is needed for {list}"),
            Self::NothingToInject { variable } => {
                write!(f, "{variable} is not set: requests go out without a token")
            }
            Self::ReloadFailing(error) => {
                write!(f, "no tokens can be loaded, the last good ones stay: {error}")
            }
            Self::ReloadRecovered => f.write_str("tokens can be loaded again"),
            Self::PreviousStillUsed { expires_in } => write!(
                f,
                "a previous token is still used and ends in {} s: restart the sidecars that send it",
                expires_in.as_secs()
            ),
        }
    }
}

/// Everything that a layer lets through without a token. Its `Display` names it all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemptionList {
    pairs: Vec<(Method, String)>,
    cors_preflight: bool,
}

impl ExemptionList {
    pub(crate) fn new(pairs: Vec<(Method, String)>, cors_preflight: bool) -> Self {
        Self {
            pairs,
            cors_preflight,
        }
    }

    /// The exact pairs of method and path.
    pub fn pairs(&self) -> impl Iterator<Item = (&Method, &str)> {
        self.pairs
            .iter()
            .map(|(method, path)| (method, path.as_str()))
    }

    /// Whether CORS preflights pass, to any path.
    #[must_use]
    pub fn cors_preflight(&self) -> bool {
        self.cors_preflight
    }
}

impl fmt::Display for ExemptionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let preflight = self.cors_preflight.then(|| "CORS preflights".to_owned());
        let named = self
            .pairs
            .iter()
            .map(|(method, path)| format!("{method} {path}"))
            .chain(preflight);
        for (i, name) in named.enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
