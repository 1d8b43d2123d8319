//! [`TracingObserver`]: prints all that an observer is told, feature `tracing` (`O3`).

mod limit;

use std::fmt;
use std::sync::Arc;

use ::tracing::{debug, info, trace, warn};

use self::limit::DenialLimit;
use super::{Decision, Event, Injection, Notice, Observer};
use crate::inbound::RejectionKind;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::KeyEvent;
use crate::token::{Clock, Reloaded, SourceError, SystemClock};

// Names that a filter may count on: they stay when files move.
const DECISION: &str = "dapr_token::decision";
const INJECTION: &str = "dapr_token::injection";
const RELOAD: &str = "dapr_token::reload";
const NOTICE: &str = "dapr_token::notice";
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
const KEYS: &str = "dapr_token::keys";

/// Prints to the `tracing` subscriber of the program, in the targets `dapr_token::decision`,
/// `dapr_token::injection`, `dapr_token::reload`, `dapr_token::keys` and `dapr_token::notice`; the filter
/// `dapr_token=debug` is for all of them.
///
/// | level | what | fields |
/// | --- | --- | --- |
/// | `warn` | a [`Notice`] that somebody should act on | `notice` |
/// | `warn` | requests were refused: at once, then at most every 10 s | `denials` since the last such line; of the latest one `outcome`, `reason`, `mode`, `protocol` |
/// | `warn` | keys could not be fetched, for the first time since they last could | `result`, `in_a_row`, `error` |
/// | `info` | any other [`Notice`] | `notice` |
/// | `info` | other tokens are in force: loaded, or set or ended by hand | `generation`, `previous_expires_in_seconds` |
/// | `debug` | each refused request | `outcome`, `reason`, `mode`, `protocol` |
/// | `debug` | a reading of the source that failed, or found something new | `result`, `error` |
/// | `debug` | an outbound request that went on without the token | `result` |
/// | `debug` | keys were fetched or read from a file, or could not be once more | `result`, `keys`, `skipped`; `in_a_row`, `error` |
/// | `debug` | a request with a JWT whose key is not known | `result`, `waits` |
/// | `trace` | keys were fetched or read, and are the same | `result` |
/// | `trace` | each request that was let through | `outcome`, `mode`, `slot`, `protocol` |
/// | `trace` | each outbound request with a token; a reading that found nothing new | `result` |
/// | `trace` | the state of tokens that did not change | `generation`, `age_seconds`, `previous_expires_in_seconds` |
///
/// A flood of refusals therefore costs one line every 10 s at `warn`. What was refused in between is in the next such
/// line, however late it comes. No line holds a token, a piece, a length or a hash of one, an address or a header
/// of a request.
///
/// ```
/// use std::sync::Arc;
/// use tower_dapr_token::{RequireTokenLayer, TracingObserver};
///
/// let layer = RequireTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .observer(Arc::new(TracingObserver::new()))
///     .build()?;
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub struct TracingObserver {
    clock: Arc<dyn Clock>,
    denials: DenialLimit,
}

impl TracingObserver {
    /// On the clock of the operating system.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::default()))
    }

    /// On a clock of your own; for tests. It is read for each refused request.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            denials: DenialLimit::default(),
        }
    }
}

impl Default for TracingObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for TracingObserver {
    fn on_decision(&self, decision: &Decision) {
        let outcome = decision.outcome().as_str();
        let mode = decision.mode().as_str();
        let protocol = decision.protocol().as_str();
        let slot = decision.slot();
        let Some(reason) = decision.reason().map(RejectionKind::as_str) else {
            trace!(target: DECISION, outcome, mode, slot, protocol, "a request was let through");
            return;
        };
        debug!(target: DECISION, outcome, reason, mode, protocol, "a request was refused");
        if let Some(denials) = self.denials.count(self.clock.now()) {
            warn!(target: DECISION, denials, outcome, reason, mode, protocol, "requests were refused");
        }
    }

    fn on_injection(&self, injection: Injection) {
        let result = injection.as_str();
        match injection {
            Injection::Injected | Injection::KeptExisting => {
                trace!(target: INJECTION, result, "a request went out with a token");
            }
            Injection::OriginNotAllowed | Injection::NoToken | Injection::NoRoom => {
                debug!(target: INJECTION, result, "a request went out without the token");
            }
        }
    }

    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        match result {
            Ok(reloaded @ Reloaded::Changed) => {
                debug!(target: RELOAD, result = reloaded.as_str(), "the source names other tokens");
            }
            Ok(reloaded @ Reloaded::Unchanged) => {
                trace!(target: RELOAD, result = reloaded.as_str(), "the source names the same tokens");
            }
            // The warning of it is a notice: one, not one for every reading.
            Err(error) => {
                debug!(target: RELOAD, result = Reloaded::FAILED, %error, "no tokens could be loaded");
            }
        }
    }

    fn on_notice(&self, notice: &Notice) {
        let name = notice.as_str();
        if notice.is_warning() {
            warn!(target: NOTICE, notice = name, "{notice}");
        } else {
            info!(target: NOTICE, notice = name, "{notice}");
        }
    }

    fn on_event(&self, event: &Event) {
        match event {
            Event::Tokens { status, changed } => {
                let generation = status.generation();
                let age_seconds = status.age().as_secs();
                let previous_expires_in_seconds =
                    status.previous_expires_in().map(|left| left.as_secs());
                if *changed {
                    info!(
                        target: RELOAD,
                        generation,
                        previous_expires_in_seconds,
                        "other tokens are in force"
                    );
                } else {
                    trace!(
                        target: RELOAD,
                        generation,
                        age_seconds,
                        previous_expires_in_seconds,
                        "the same tokens are in force"
                    );
                }
            }
        }
    }

    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    fn on_key_event(&self, event: &KeyEvent) {
        let result = event.as_str();
        match event {
            KeyEvent::Refreshed { keys, skipped } => {
                debug!(target: KEYS, result, keys, skipped, "keys were loaded");
            }
            KeyEvent::Unchanged => {
                trace!(target: KEYS, result, "keys were loaded and are the same");
            }
            // The others follow a warning.
            #[cfg(feature = "jwks")]
            KeyEvent::Failed { error, in_a_row: 1 } => {
                warn!(target: KEYS, result, in_a_row = 1, %error, "no keys could be fetched, the last good ones stay");
            }
            #[cfg(feature = "jwks")]
            KeyEvent::Failed { error, in_a_row } => {
                debug!(target: KEYS, result, in_a_row, %error, "no keys could be fetched, the last good ones stay");
            }
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            KeyEvent::FileFailed { error, in_a_row: 1 } => {
                warn!(target: KEYS, result, in_a_row = 1, %error, "no keys could be read, the last good ones stay");
            }
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            KeyEvent::FileFailed { error, in_a_row } => {
                debug!(target: KEYS, result, in_a_row, %error, "no keys could be read, the last good ones stay");
            }
            #[cfg(feature = "jwks")]
            KeyEvent::UnknownKid { waits } => {
                debug!(target: KEYS, result, waits, "a token names a key that is not known");
            }
        }
    }
}

impl fmt::Debug for TracingObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingObserver").finish_non_exhaustive()
    }
}
