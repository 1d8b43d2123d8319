//! The counters and gauges of keys that are fetched or read from a file.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::metrics::{Counter, Gauge, Label};

#[cfg(feature = "jwks")]
use super::catalog::UNKNOWN_KIDS;
use super::catalog::{JWKS_AGE, JWKS_REFRESHES, KEYS, KEYS_SKIPPED, RESULT};
use super::to_gauge;
use crate::token::KeyEvent;

pub(super) struct KeyMetrics {
    refreshed: Counter,
    unchanged: Counter,
    failed: Counter,
    #[cfg(feature = "jwks")]
    unknown: Counter,
    skipped: Counter,
    keys: Gauge,
    age: Gauge,
    /// When keys were last fetched or read, by the clock of the observer. Held while their age is set.
    fetched: Mutex<Option<Duration>>,
}

impl KeyMetrics {
    pub(super) fn new(labels: &[Label]) -> Self {
        let refreshes = |result| JWKS_REFRESHES.counter(labels, [(RESULT, result)]);
        Self {
            refreshed: refreshes("refreshed"),
            unchanged: refreshes("unchanged"),
            failed: refreshes("failed"),
            #[cfg(feature = "jwks")]
            unknown: UNKNOWN_KIDS.counter(labels, []),
            skipped: KEYS_SKIPPED.counter(labels, []),
            keys: KEYS.gauge(labels),
            age: JWKS_AGE.gauge(labels),
            fetched: Mutex::new(None),
        }
    }

    pub(super) fn count(&self, event: &KeyEvent, now: impl FnOnce() -> Duration) {
        match event {
            KeyEvent::Refreshed { keys, skipped } => {
                self.refreshed.increment(1);
                self.skipped.increment(*skipped as u64);
                self.keys.set(to_gauge(*keys as u64));
                self.renew(now());
            }
            KeyEvent::Unchanged => {
                self.unchanged.increment(1);
                self.renew(now());
            }
            #[cfg(feature = "jwks")]
            KeyEvent::Failed { .. } => self.fail(now()),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            KeyEvent::FileFailed { .. } => self.fail(now()),
            #[cfg(feature = "jwks")]
            KeyEvent::UnknownKid { .. } => self.unknown.increment(1),
        }
    }

    fn fail(&self, now: Duration) {
        self.failed.increment(1);
        self.refresh(now);
    }

    /// Sets what changes with time.
    pub(super) fn refresh(&self, now: Duration) {
        if let Some(fetched) = *self.fetched() {
            self.age.set(now.saturating_sub(fetched).as_secs_f64());
        }
    }

    fn renew(&self, now: Duration) {
        let mut fetched = self.fetched();
        *fetched = Some(now);
        self.age.set(0.0);
    }

    fn fetched(&self) -> MutexGuard<'_, Option<Duration>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
