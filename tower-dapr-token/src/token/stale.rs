//! How old the keys are, and when they are too old (`T8`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const NEVER: u64 = u64::MAX;

/// When keys were fetched or read the last time. Read on the path of requests: one atomic load.
#[derive(Debug)]
pub(in crate::token) struct Freshness {
    /// Nanoseconds of the clock; enough for 584 years.
    last_success: AtomicU64,
    max_stale: Duration,
}

impl Freshness {
    pub(in crate::token) fn new(max_stale: Duration) -> Self {
        Self {
            last_success: AtomicU64::new(NEVER),
            max_stale,
        }
    }

    /// The keys are those of now.
    pub(in crate::token) fn renew(&self, now: Duration) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(NEVER - 1);
        self.last_success
            .store(nanos.min(NEVER - 1), Ordering::Release);
    }

    /// How old they are; `None` if there never were any.
    pub(in crate::token) fn age(&self, now: Duration) -> Option<Duration> {
        match self.last_success.load(Ordering::Acquire) {
            NEVER => None,
            nanos => Some(now.saturating_sub(Duration::from_nanos(nanos))),
        }
    }

    /// Whether no key may be used: there never were any, or they are too old.
    pub(in crate::token) fn is_stale(&self, now: Duration) -> bool {
        self.age(now).is_none_or(|age| age > self.max_stale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_keys_are_too_old_after_max_stale_and_not_before() {
        let freshness = Freshness::new(Duration::from_secs(100));
        let at = Duration::from_secs;
        assert!(freshness.is_stale(at(0)), "there never were any");
        assert_eq!(freshness.age(at(0)), None);
        freshness.renew(at(10));
        let table: &[(&str, Duration, bool)] = &[
            ("a clock behind", at(9), false),
            ("at once", at(10), false),
            ("within", at(60), false),
            ("at the limit", at(110), false),
            ("beyond", at(110) + Duration::from_nanos(1), true),
            ("for ever", Duration::MAX, true),
        ];
        for (name, now, stale) in table {
            assert_eq!(freshness.is_stale(*now), *stale, "{name}");
        }
        assert_eq!(freshness.age(at(60)), Some(at(50)));
        freshness.renew(at(200));
        assert!(!freshness.is_stale(at(300)));
        assert!(freshness.is_stale(at(301)));
    }
}
