//! The handles of the counters, one for each value of the labels, looked up once.

use ::metrics::{Counter, Label};

use super::catalog::{MODE, Metric, OUTCOME, PROTOCOL, REASON, REQUESTS, RESULT};
use crate::inbound::RejectionKind;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::observe::JwtCache;
use crate::observe::{Decision, Injection, Outcome, Protocol, TokenMode};
use crate::token::Reloaded;

/// In place of a reason, where nothing was refused.
const NO_REASON: &str = "none";

/// What is counted by its name, which is the value of a label.
pub(super) trait Kind: Copy + PartialEq + 'static {
    const ALL: &'static [Self];

    fn label(self) -> &'static str;
}

/// Lists the kinds. One that is missing here does not compile: there is no other arm.
macro_rules! kinds {
    ($type:ident: $($kind:ident),+ $(,)?) => {
        impl Kind for $type {
            const ALL: &'static [Self] = &[$(Self::$kind),+];

            fn label(self) -> &'static str {
                match self {
                    $(Self::$kind)|+ => self.as_str(),
                }
            }
        }
    };
}

kinds!(
    RejectionKind: Missing,
    Empty,
    Ambiguous,
    TooLarge,
    Mismatch,
    Expired,
    Malformed,
    NotYet,
    Audience,
    Issuer,
    Subject,
    Algorithm,
    Key,
    Signature,
    Claims,
    Unavailable,
);
kinds!(Protocol: Http, Grpc);
kinds!(TokenMode: Static, Jwt, AllowAll);
kinds!(Injection: Injected, KeptExisting, OriginNotAllowed, NoToken, NoRoom);
kinds!(Reloaded: Unchanged, Changed);
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
kinds!(JwtCache: Hit, Miss, Evict);

/// A counter for each kind.
pub(super) struct Counters<K>(Vec<(K, Counter)>);

impl<K: Kind> Counters<K> {
    /// Tells the kinds apart by the label `result`.
    pub(super) fn by_result(metric: &Metric, labels: &[Label]) -> Self {
        Self::new(|result| metric.counter(labels, [(RESULT, result)]))
    }

    fn new(counter: impl Fn(&'static str) -> Counter) -> Self {
        let kinds = K::ALL.iter();
        Self(kinds.map(|kind| (*kind, counter(kind.label()))).collect())
    }

    fn none() -> Self {
        Self(Vec::new())
    }

    /// A handful of comparisons: no hash, no allocation.
    pub(super) fn count(&self, kind: K) {
        if let Some((_, counter)) = self.0.iter().find(|(counted, _)| *counted == kind) {
            counter.increment(1);
        }
    }
}

/// The counters of inbound requests.
pub(super) struct Requests(Vec<(TokenMode, Protocol, Outcomes)>);

struct Outcomes {
    allowed: Counter,
    exempt: Counter,
    denied: Counters<RejectionKind>,
}

impl Requests {
    pub(super) fn new(labels: &[Label]) -> Self {
        let places = TokenMode::ALL
            .iter()
            .flat_map(|mode| Protocol::ALL.iter().map(move |protocol| (*mode, *protocol)));
        Self(
            places
                .map(|(mode, protocol)| (mode, protocol, Outcomes::new(mode, protocol, labels)))
                .collect(),
        )
    }

    pub(super) fn count(&self, decision: &Decision) {
        let place = (decision.mode(), decision.protocol());
        let found = self
            .0
            .iter()
            .find(|(mode, protocol, _)| (*mode, *protocol) == place);
        let Some((_, _, outcomes)) = found else {
            return;
        };
        match decision.outcome() {
            Outcome::Allowed { .. } => outcomes.allowed.increment(1),
            Outcome::Exempt => outcomes.exempt.increment(1),
            Outcome::Denied(rejection) => outcomes.denied.count(rejection.kind()),
        }
    }
}

impl Outcomes {
    fn new(mode: TokenMode, protocol: Protocol, labels: &[Label]) -> Self {
        let counter = |outcome, reason| {
            let own = [
                (OUTCOME, outcome),
                (REASON, reason),
                (PROTOCOL, protocol.label()),
                (MODE, mode.label()),
            ];
            REQUESTS.counter(labels, own)
        };
        Self {
            allowed: counter("allowed", NO_REASON),
            exempt: counter("exempt", NO_REASON),
            denied: match mode {
                // Nothing is ever refused: no need for counters that stay 0.
                TokenMode::AllowAll => Counters::none(),
                TokenMode::Static | TokenMode::Jwt => {
                    Counters::new(|reason| counter("denied", reason))
                }
            },
        }
    }
}
