//! [`DenialLimit`]: one warning of denials every 10 s, that counts all of them (`O3`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A scan must not fill the log.
const PAUSE_MILLIS: u64 = 10_000;

/// Counts what was not told yet, and says when it is due. Without a lock.
#[derive(Default)]
pub(super) struct DenialLimit {
    untold: AtomicU64,
    /// From when on the next warning may come, in milliseconds of the clock.
    due: AtomicU64,
}

impl DenialLimit {
    /// Counts one. Gives the number of all that were not told, if it is time to tell them.
    pub(super) fn count(&self, now: Duration) -> Option<u64> {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Ordering::Relaxed);
        if now < due {
            return None;
        }
        // Of those that find it due at the same time one speaks for all.
        self.due
            .compare_exchange(
                due,
                now.saturating_add(PAUSE_MILLIS),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .ok()?;
        // What is counted from here on is for the next one. Nothing is lost: a count is added once and taken once.
        Some(self.untold.swap(0, Ordering::Relaxed)).filter(|untold| *untold > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o3_the_first_denial_is_told_at_once_and_the_others_every_ten_seconds_with_their_count() {
        let limit = DenialLimit::default();
        // When, in milliseconds, and what is told.
        let table = [
            ("the first", 0, Some(1)),
            ("at the same moment", 0, None),
            ("soon after", 1, None),
            ("just before the pause is over", 9_999, None),
            ("when it is over", 10_000, Some(4)),
            ("then the next pause", 10_001, None),
            ("long after", 3_600_000, Some(2)),
            ("counted from the last warning", 3_609_999, None),
            ("once more", 3_610_000, Some(2)),
            ("alone", 3_620_000, Some(1)),
        ];
        for (name, millis, told) in table {
            assert_eq!(limit.count(Duration::from_millis(millis)), told, "{name}");
        }
    }

    #[test]
    fn o3_a_clock_that_does_not_begin_at_zero_makes_no_difference() {
        let limit = DenialLimit::default();
        for (now, told) in [(Duration::MAX, Some(1)), (Duration::ZERO, None)] {
            assert_eq!(limit.count(now), told, "{now:?}");
        }
    }

    #[test]
    fn o3_no_denial_is_lost_between_threads() {
        const THREADS: u64 = 4;
        const EACH: u64 = 20_000;
        let limit = DenialLimit::default();
        let told: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        // A time at which every hundredth denial is due.
                        let times =
                            (0..EACH).map(|i| Duration::from_millis(i * PAUSE_MILLIS / 100));
                        times.filter_map(|now| limit.count(now)).sum::<u64>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .sum()
        });
        let end = Duration::from_millis((EACH + 1) * PAUSE_MILLIS);
        let rest = limit.count(end).expect("due");
        assert_eq!(told + rest, THREADS * EACH + 1);
    }
}
