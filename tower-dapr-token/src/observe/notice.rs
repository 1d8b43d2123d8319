//! [`Notice`]: something that an operator should know.

use std::fmt;
use std::time::Duration;

use http::Method;

use crate::token::SourceError;

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
    /// Files of tokens or keys are to be watched, and the operating system does not let it. They are polled all the same.
    /// Given once, until it works again (`R3`).
    #[non_exhaustive]
    FilesNotWatched {
        /// What stood in the way.
        reason: &'static str,
    },
    /// Somebody still sends a token that soon ends (`R7`).
    #[non_exhaustive]
    PreviousStillUsed {
        /// How soon.
        expires_in: Duration,
    },
}

impl Notice {
    /// The name under which it is logged.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ShortToken => "short_token",
            Self::TokenWithComma => "token_with_comma",
            Self::NotEnforcing => "not_enforcing",
            Self::Exemptions(_) => "exemptions",
            Self::NothingToInject { .. } => "nothing_to_inject",
            Self::ReloadFailing(_) => "reload_failing",
            Self::ReloadRecovered => "reload_recovered",
            Self::FilesNotWatched { .. } => "files_not_watched",
            Self::PreviousStillUsed { .. } => "previous_still_used",
        }
    }

    /// Whether somebody should do something about it. The others are good to know.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        match self {
            Self::ShortToken
            | Self::TokenWithComma
            | Self::NotEnforcing
            | Self::NothingToInject { .. }
            | Self::ReloadFailing(_)
            | Self::FilesNotWatched { .. }
            | Self::PreviousStillUsed { .. } => true,
            Self::Exemptions(_) | Self::ReloadRecovered => false,
        }
    }
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
            Self::FilesNotWatched { reason } => write!(
                f,
                "files are not watched, changes are found at the next poll: {reason}"
            ),
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
