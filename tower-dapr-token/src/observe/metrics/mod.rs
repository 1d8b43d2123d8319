//! [`MetricsObserver`]: counts and measures what an observer is told, feature `metrics` (`O1`).

mod builder;
mod catalog;
mod counters;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
mod keys;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::metrics::{Counter, Gauge};

pub use self::builder::MetricsObserverBuilder;
use self::counters::{Counters, Requests};
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
use self::keys::KeyMetrics;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use super::JwtCache;
use super::{Decision, Event, Injection, Notice, Observer, TokenMode, TokenStatus};
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::KeyEvent;
use crate::token::{Clock, Reloaded, SourceError};

/// Counts and measures through the [`metrics`](https://docs.rs/metrics) facade, into whatever recorder the program
/// installed **before** the observer is made: the handles of all counters and gauges are looked up once, then.
/// To count a request allocates nothing and hashes nothing.
///
/// | counter | labels | counts |
/// | --- | --- | --- |
/// | `dapr_token_requests_total` | `outcome`, `reason`, `protocol`, `mode` | inbound requests |
/// | `dapr_token_previous_accepted_total` | | those that were let through with a previous token |
/// | `dapr_token_reloads_total` | `result` | readings of a token source |
/// | `dapr_token_injected_total` | `result` | outbound requests |
/// | `dapr_token_jwt_cache_total` | `result` | requests that were let through with a JWT, where accepted ones are remembered |
/// | `dapr_token_jwks_refreshes_total` | `result` | fetches of a key set, and readings of a key-set file |
/// | `dapr_token_unknown_kids_total` | | requests with a JWT whose key was not in the fetched set |
/// | `dapr_token_keys_skipped_total` | | keys that cannot be used, at each fetch or reading that finds something new |
///
/// | gauge | unit | tells |
/// | --- | --- | --- |
/// | `dapr_token_enforcing` | | 0 if a layer with this observer lets everything through, else 1 |
/// | `dapr_token_generation` | | which state of the tokens is in force; 0 if they cannot change |
/// | `dapr_token_age_seconds` | seconds | how long ago they were last seen in their source, or set by hand |
/// | `dapr_token_previous_expires_in_seconds` | seconds | how long the previous token is still accepted that ends last; 0 if there is none that ends |
/// | `dapr_token_jwks_age_seconds` | seconds | how long ago a key set was last fetched or read; 0 if none ever was |
/// | `dapr_token_keys` | | how many fetched or read keys are in force |
///
/// Those of JWTs and keys are there with the feature `jwt` or `jwt-rust-crypto`, that of unknown keys with `jwks`.
///
/// The values of the labels are fixed: `outcome` is `allowed`, `exempt` or `denied`; `reason` is a
/// [`RejectionKind`](crate::RejectionKind), and `none` where nothing was refused; `protocol` is a
/// [`Protocol`](crate::Protocol), `mode` a [`TokenMode`](crate::TokenMode). The `result` of a reading is `changed`,
/// `unchanged` or `failed`, that of an outbound request an [`Injection`], that of a fetch or a reading of keys
/// `refreshed`, `unchanged` or `failed`, that of the cache `hit`, `miss` or `evict`: a miss for which an older entry made room.
///
/// **How fresh the gauges are.** Those of keys are set at every fetch or reading, those of tokens when a handle is built, at every
/// reading of its source and at every change by hand. All but the first two and the last also change with time: call [`refresh_gauges()`](Self::refresh_gauges) before you render, and
/// they are exact. Without that call they are as old as the last reading: some 11 s at most with `reload_in_background()`,
/// and of any age where nobody reads.
///
/// Several layers may share one observer. The gauges of tokens are those of one handle: for several handles, make an
/// observer for each, told apart by a [label](MetricsObserverBuilder::add_label). Two observers with the same labels
/// write to the same gauges.
///
/// With several key sets under one observer the counters add up, and the two gauges of keys are those of the set that
/// was fetched last: an age that is small says nothing about the others. Make an observer for each set, with
/// `build_for_keys(name)` (feature `jwks`), and give it to `RemoteKeys::observer`; its series have the label `key_set`.
///
/// ```
/// use std::sync::Arc;
/// use tower_dapr_token::{MetricsObserver, RequireTokenLayer};
///
/// let metrics = Arc::new(MetricsObserver::new());
/// let layer = RequireTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .observer(metrics.clone())
///     .build()?;
/// // Where the program renders its metrics:
/// metrics.refresh_gauges();
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub struct MetricsObserver {
    requests: Requests,
    previous_accepted: Counter,
    reloads: Counters<Reloaded>,
    reloads_failed: Counter,
    injected: Counters<Injection>,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    jwt_cache: Counters<JwtCache>,
    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    keys: KeyMetrics,
    enforcing: Gauge,
    generation: Gauge,
    age: Gauge,
    previous_expires_in: Gauge,
    clock: Arc<dyn Clock>,
    /// Held while the gauges of tokens are set, so that an old value never follows a new one.
    told: Mutex<Option<Told>>,
}

/// What was last told of tokens.
struct Told {
    status: TokenStatus,
    /// By the clock.
    at: Duration,
}

impl MetricsObserver {
    /// With the recorder of this moment and no labels but its own.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// With labels of your own.
    pub fn builder() -> MetricsObserverBuilder {
        MetricsObserverBuilder::default()
    }

    /// Sets the gauges that change with time to their values of this moment. Takes a short lock, reads the clock,
    /// and asks no handle.
    pub fn refresh_gauges(&self) {
        if let Some(told) = self.told().as_ref() {
            let elapsed = self.clock.now().saturating_sub(told.at);
            self.set(told.status.after(elapsed));
        }
        #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
        self.keys.refresh(self.clock.now());
    }

    /// The caller holds `told`.
    fn set(&self, status: TokenStatus) {
        let left = status.previous_expires_in().unwrap_or_default();
        self.generation.set(to_gauge(status.generation()));
        self.age.set(status.age().as_secs_f64());
        self.previous_expires_in.set(left.as_secs_f64());
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The facade knows gauges of this type alone. It is exact far beyond any number of rotations.
fn to_gauge(number: u64) -> f64 {
    number as f64
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for MetricsObserver {
    fn on_decision(&self, decision: &Decision) {
        self.requests.count(decision);
        if decision.used_previous() {
            self.previous_accepted.increment(1);
        }
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        if let Some(cache) = decision.jwt_cache() {
            self.jwt_cache.count(cache);
        }
        // Again, because another observer with the same labels may have begun since.
        if decision.mode() == TokenMode::AllowAll {
            self.enforcing.set(0.0);
        }
    }

    fn on_injection(&self, injection: Injection) {
        self.injected.count(injection);
    }

    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        match result {
            Ok(reloaded) => self.reloads.count(reloaded),
            Err(_) => self.reloads_failed.increment(1),
        }
    }

    fn on_notice(&self, notice: &Notice) {
        if *notice == Notice::NotEnforcing {
            self.enforcing.set(0.0);
        }
    }

    fn on_event(&self, event: &Event) {
        match event {
            Event::Tokens { status, .. } => {
                let mut told = self.told();
                let at = self.clock.now();
                *told = Some(Told {
                    status: *status,
                    at,
                });
                self.set(*status);
            }
        }
    }

    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    fn on_key_event(&self, event: &KeyEvent) {
        self.keys.count(event, || self.clock.now());
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver").finish_non_exhaustive()
    }
}
