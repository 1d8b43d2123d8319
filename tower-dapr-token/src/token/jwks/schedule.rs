//! When keys are fetched next (`T6`): a pure function of how the last fetch went.

use std::time::Duration;

use crate::token::spread::give_or_take;

/// The common interval of the compared systems.
pub(super) const USUAL: Duration = Duration::from_secs(600);
/// A server that asks for more often is not given more load.
pub(super) const SHORTEST: Duration = Duration::from_secs(60);
/// Keys that were withdrawn must end some day, whatever the server once said.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// A tenth of a waiting time is left to chance, so that many programs do not fetch at once.
const TENTH: u32 = 10;
/// After a failure a quarter: all of them failed at the same moment.
const QUARTER: u32 = 4;

/// Says how long to wait until the next fetch.
#[derive(Debug)]
pub(super) struct Schedule {
    /// The user's own interval, which the server cannot change.
    every: Option<Duration>,
    /// A fetch that fails must leave time for the next ones before the keys are too old.
    longest: Duration,
    failures: u32,
}

impl Schedule {
    pub(super) fn new(every: Option<Duration>, max_stale: Duration) -> Self {
        Self {
            every,
            longest: LONGEST.min(max_stale / 2),
            failures: 0,
        }
    }

    /// After a fetch that went well, whose answer may be used for `lifetime`.
    pub(super) fn succeeded(&mut self, lifetime: Option<Duration>, random: u64) -> Duration {
        self.failures = 0;
        match (self.every, lifetime) {
            (Some(interval), _) => give_or_take(interval.min(self.longest), TENTH, random),
            (None, None) => give_or_take(USUAL.min(self.longest), TENTH, random),
            (None, Some(lifetime)) => {
                let lifetime = lifetime.min(self.longest);
                // Earlier only: at its end the answer is old.
                let middle = lifetime - lifetime / 20;
                give_or_take(middle, 19, random).max(SHORTEST.min(self.longest))
            }
        }
    }

    /// After a fetch that failed.
    pub(super) fn failed(&mut self, random: u64) -> Duration {
        let doubled = FIRST_RETRY * (1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        give_or_take(doubled.min(LAST_RETRY), QUARTER, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = LONGEST;
    /// The two ends of chance, and its middle.
    const LEAST: u64 = 0;
    const MIDDLE: u64 = 1000;
    const MOST: u64 = 2000;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn t6_without_a_word_of_the_server_keys_are_fetched_every_ten_minutes_give_or_take_one() {
        let mut schedule = Schedule::new(None, DAY);
        for (random, expected) in [(LEAST, 540), (MIDDLE, 600), (MOST, 660)] {
            assert_eq!(schedule.succeeded(None, random), seconds(expected));
        }
        for _ in 0..100 {
            let wait = schedule.succeeded(None, crate::token::spread::random());
            assert!((seconds(540)..=seconds(660)).contains(&wait), "{wait:?}");
        }
    }

    #[test]
    fn t6_max_age_is_honoured_between_a_minute_and_a_day() {
        let table: &[(&str, u64, u64, u64)] = &[
            ("nothing", 0, 60, 60),
            ("below", 59, 60, 60),
            ("a minute", 60, 60, 60),
            ("ten minutes", 600, 540, 600),
            ("an hour", 3600, 3240, 3600),
            ("a day", 86_400, 77_760, 86_400),
            ("more", 86_401, 77_760, 86_400),
            ("for ever", u64::MAX, 77_760, 86_400),
        ];
        for (name, max_age, least, most) in table {
            let mut schedule = Schedule::new(None, DAY * 3);
            let mut wait = |random| schedule.succeeded(Some(seconds(*max_age)), random);
            assert_eq!(wait(LEAST), seconds(*least), "{name}");
            assert_eq!(wait(MOST), seconds(*most), "{name}");
        }
    }

    #[test]
    fn t6_t8_a_failed_fetch_leaves_time_for_others_before_the_keys_are_too_old() {
        let table: &[(&str, u64, Option<u64>, u64, u64)] = &[
            (
                "default, server says a day",
                86_400,
                Some(86_400),
                38_880,
                43_200,
            ),
            ("default, server says nothing", 86_400, None, 540, 660),
            ("short, server says nothing", 600, None, 270, 330),
            ("short, server says an hour", 600, Some(3600), 270, 300),
            ("shortest", 120, Some(0), 60, 60),
        ];
        for (name, max_stale, max_age, least, most) in table {
            let mut schedule = Schedule::new(None, seconds(*max_stale));
            let mut wait = |random| schedule.succeeded(max_age.map(seconds), random);
            assert_eq!(wait(LEAST), seconds(*least), "{name}");
            assert_eq!(wait(MOST), seconds(*most), "{name}");
        }
    }

    #[test]
    fn t6_the_users_own_interval_is_not_the_servers_to_change() {
        for max_age in [None, Some(seconds(60)), Some(DAY)] {
            let mut schedule = Schedule::new(Some(seconds(120)), DAY);
            for (random, expected) in [(LEAST, 108), (MIDDLE, 120), (MOST, 132)] {
                assert_eq!(schedule.succeeded(max_age, random), seconds(expected));
            }
        }
    }

    #[test]
    fn t6_failures_are_retried_after_a_second_doubling_to_a_minute_give_or_take_a_quarter() {
        let mut schedule = Schedule::new(None, DAY);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            assert_eq!(schedule.failed(MIDDLE), seconds(expected));
        }
        for (random, millis) in [(LEAST, 45_000), (MOST, 75_000)] {
            assert_eq!(schedule.failed(random), Duration::from_millis(millis));
        }
        schedule.failures = u32::MAX;
        assert_eq!(schedule.failed(MIDDLE), seconds(60), "after very many");
        schedule.succeeded(None, MIDDLE);
        for (random, millis) in [(LEAST, 750), (MOST, 2500)] {
            assert_eq!(schedule.failed(random), Duration::from_millis(millis));
        }
    }
}
