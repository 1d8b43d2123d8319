//! [`MetricsObserverBuilder`]: labels of the user's own.

use std::fmt;
use std::sync::{Arc, Mutex};

use ::metrics::Label;

use super::MetricsObserver;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use super::catalog::JWT_CACHE;
#[cfg(feature = "jwks")]
use super::catalog::KEY_SET;
use super::catalog::{
    self, AGE, ENFORCING, GENERATION, INJECTED, LABELS, PREVIOUS_ACCEPTED, PREVIOUS_EXPIRES_IN,
    RELOADS, RESULT,
};
use super::counters::{Counters, Requests};
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
use super::keys::KeyMetrics;
use crate::token::{Clock, Reloaded, SystemClock};

/// Builds a [`MetricsObserver`].
///
/// ```
/// use metrics::NoopRecorder;
/// use tower_dapr_token::MetricsObserver;
///
/// // A recorder of one's own needs to be in force while the observer is built, and not after.
/// let recorder = NoopRecorder;
/// let admin = metrics::with_local_recorder(&recorder, || {
///     MetricsObserver::builder().add_label("listener", "admin").build()
/// });
/// ```
#[must_use = "a builder does nothing until `build()`"]
pub struct MetricsObserverBuilder {
    labels: Vec<Label>,
    clock: Arc<dyn Clock>,
}

impl Default for MetricsObserverBuilder {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            clock: Arc::new(SystemClock::default()),
        }
    }
}

impl MetricsObserverBuilder {
    /// Adds this label to every counter and gauge, such as the name of a listener. A name that one of them has
    /// already is left out; of two equal names the first counts.
    pub fn add_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let label = Label::new(name.into(), value.into());
        let is_taken = LABELS.contains(&label.key())
            || self.labels.iter().any(|other| other.key() == label.key());
        if !is_taken {
            self.labels.push(label);
        }
        self
    }

    /// Which clock ages the gauges between two readings; for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// As [`build()`](Self::build), but counts and measures the keys of one set that is fetched and nothing else, with
    /// the label `key_set` and this value: for [`RemoteKeys::observer`](crate::RemoteKeys::observer). The name is of
    /// your choice, such as that of the tenant; a label `key_set` that was added before gives way.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tower_dapr_token::{MetricsObserver, RemoteKeys};
    ///
    /// let blue = Arc::new(MetricsObserver::builder().build_for_keys("blue"));
    /// let keys = RemoteKeys::jwks("https://blue.example.com/keys").observer(blue.clone());
    /// // Where the program renders its metrics:
    /// blue.refresh_gauges();
    /// ```
    #[cfg(feature = "jwks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    #[must_use]
    pub fn build_for_keys(mut self, name: impl Into<String>) -> MetricsObserver {
        self.labels.retain(|label| label.key() != KEY_SET);
        self.labels.push(Label::new(KEY_SET, name.into()));
        catalog::describe();
        let keys = KeyMetrics::new(&self.labels);
        // All else would be series that stay as they begin: it is looked up where nobody looks.
        let nobody = ::metrics::NoopRecorder;
        let observer = ::metrics::with_local_recorder(&nobody, || self.build());
        MetricsObserver { keys, ..observer }
    }

    /// Looks every counter and gauge up in the recorder of this moment, and describes them. All of them begin at 0 but
    /// `dapr_token_enforcing`, which begins at 1.
    #[must_use]
    pub fn build(self) -> MetricsObserver {
        let Self { labels, clock } = self;
        catalog::describe();
        let observer = MetricsObserver {
            requests: Requests::new(&labels),
            previous_accepted: PREVIOUS_ACCEPTED.counter(&labels, []),
            reloads: Counters::by_result(&RELOADS, &labels),
            reloads_failed: RELOADS.counter(&labels, [(RESULT, Reloaded::FAILED)]),
            injected: Counters::by_result(&INJECTED, &labels),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            jwt_cache: Counters::by_result(&JWT_CACHE, &labels),
            #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
            keys: KeyMetrics::new(&labels),
            enforcing: ENFORCING.gauge(&labels),
            generation: GENERATION.gauge(&labels),
            age: AGE.gauge(&labels),
            previous_expires_in: PREVIOUS_EXPIRES_IN.gauge(&labels),
            clock,
            told: Mutex::new(None),
        };
        observer.enforcing.set(1.0);
        observer
    }
}

impl fmt::Debug for MetricsObserverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserverBuilder")
            .finish_non_exhaustive()
    }
}
