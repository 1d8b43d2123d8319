//! Every metric of this crate: its name, unit and description. Nothing else spells one out (`O1`).

use ::metrics::{Counter, Gauge, Label, Unit};

/// A counter or a gauge.
pub(super) struct Metric {
    name: &'static str,
    unit: Unit,
    description: &'static str,
}

pub(super) const REQUESTS: Metric = Metric {
    name: "dapr_token_requests_total",
    unit: Unit::Count,
    description: "Inbound requests, by what was decided about their token",
};

pub(super) const PREVIOUS_ACCEPTED: Metric = Metric {
    name: "dapr_token_previous_accepted_total",
    unit: Unit::Count,
    description: "Inbound requests that were let through with a previous token",
};

pub(super) const RELOADS: Metric = Metric {
    name: "dapr_token_reloads_total",
    unit: Unit::Count,
    description: "Readings of a token source, by their result",
};

pub(super) const INJECTED: Metric = Metric {
    name: "dapr_token_injected_total",
    unit: Unit::Count,
    description: "Outbound requests, by whether they got the token",
};

pub(super) const ENFORCING: Metric = Metric {
    name: "dapr_token_enforcing",
    unit: Unit::Count,
    description: "0 if a layer lets every request through, else 1",
};

pub(super) const GENERATION: Metric = Metric {
    name: "dapr_token_generation",
    unit: Unit::Count,
    description: "Which state of the tokens is in force, 0 if they cannot change",
};

pub(super) const AGE: Metric = Metric {
    name: "dapr_token_age_seconds",
    unit: Unit::Seconds,
    description: "How long ago the tokens were last seen in their source, or set by hand",
};

pub(super) const PREVIOUS_EXPIRES_IN: Metric = Metric {
    name: "dapr_token_previous_expires_in_seconds",
    unit: Unit::Seconds,
    description: "How long a previous token is still accepted, 0 if none is that ends",
};

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub(super) const JWT_CACHE: Metric = Metric {
    name: "dapr_token_jwt_cache_total",
    unit: Unit::Count,
    description: "Inbound requests that were let through with a JWT, by whether it was remembered",
};

#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
pub(super) const JWKS_REFRESHES: Metric = Metric {
    name: "dapr_token_jwks_refreshes_total",
    unit: Unit::Count,
    description: "Fetches of a key set and readings of a key-set file, by their result",
};

#[cfg(feature = "jwks")]
pub(super) const UNKNOWN_KIDS: Metric = Metric {
    name: "dapr_token_unknown_kids_total",
    unit: Unit::Count,
    description: "Inbound requests with a JWT whose key was not in the set that is fetched",
};

#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
pub(super) const KEYS_SKIPPED: Metric = Metric {
    name: "dapr_token_keys_skipped_total",
    unit: Unit::Count,
    description: "Fetched or read keys that cannot be used and were left out",
};

#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
pub(super) const JWKS_AGE: Metric = Metric {
    name: "dapr_token_jwks_age_seconds",
    unit: Unit::Seconds,
    description: "How long ago a key set was last fetched or read, 0 if none ever was",
};

#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
pub(super) const KEYS: Metric = Metric {
    name: "dapr_token_keys",
    unit: Unit::Count,
    description: "How many fetched or read keys are in force",
};

const COUNTERS: &[&Metric] = &[
    &REQUESTS,
    &PREVIOUS_ACCEPTED,
    &RELOADS,
    &INJECTED,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    &JWT_CACHE,
    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    &JWKS_REFRESHES,
    #[cfg(feature = "jwks")]
    &UNKNOWN_KIDS,
    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    &KEYS_SKIPPED,
];
const GAUGES: &[&Metric] = &[
    &ENFORCING,
    &GENERATION,
    &AGE,
    &PREVIOUS_EXPIRES_IN,
    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    &JWKS_AGE,
    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    &KEYS,
];

/// The label names of the counters. A label of the user's own must not be one of them.
pub(super) const OUTCOME: &str = "outcome";
pub(super) const REASON: &str = "reason";
pub(super) const PROTOCOL: &str = "protocol";
pub(super) const MODE: &str = "mode";
pub(super) const RESULT: &str = "result";

/// The label of an observer that is for one key set alone.
#[cfg(feature = "jwks")]
pub(super) const KEY_SET: &str = "key_set";

pub(super) const LABELS: [&str; 5] = [OUTCOME, REASON, PROTOCOL, MODE, RESULT];

/// Tells the recorder of this moment what each one is.
pub(super) fn describe() {
    for metric in COUNTERS {
        ::metrics::describe_counter!(metric.name, metric.unit, metric.description);
    }
    for metric in GAUGES {
        ::metrics::describe_gauge!(metric.name, metric.unit, metric.description);
    }
}

impl Metric {
    /// The handle that the recorder of this moment has for these labels.
    pub(super) fn counter<const N: usize>(
        &self,
        labels: &[Label],
        own: [(&'static str, &'static str); N],
    ) -> Counter {
        let labels: Vec<_> = labels
            .iter()
            .cloned()
            .chain(own.map(|(name, value)| Label::from_static_parts(name, value)))
            .collect();
        ::metrics::counter!(self.name, labels)
    }

    pub(super) fn gauge(&self, labels: &[Label]) -> Gauge {
        ::metrics::gauge!(self.name, labels.to_vec())
    }
}
