//! [`Event`]: what is counted or measured and is neither a decision nor worth a sentence.

use std::time::Duration;

use crate::token::TokenReader;

/// Something to count or to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The state of tokens that can change: when a handle is built, after each reading of their source, failed or
    /// not, and after each change by hand.
    #[non_exhaustive]
    Tokens {
        /// Their state now.
        status: TokenStatus,
        /// Whether that is another one than before.
        changed: bool,
    },
}

/// The state of tokens that can change, as of one moment.
///
/// Whatever sets it back is told at once, so that in between it is known too:
/// [`after()`](Self::after) says what it is some time later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenStatus {
    generation: u64,
    age: Duration,
    previous_expires_in: Option<Duration>,
}

impl TokenStatus {
    pub(crate) fn of(reader: &TokenReader) -> Self {
        Self {
            generation: reader.generation(),
            age: reader.age(),
            previous_expires_in: reader.previous_expires_in(),
        }
    }

    /// Which state of the tokens is current: it grows by one with every change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How long ago the tokens were last seen in their source, or set by hand.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }

    /// How long the previous token is still accepted that ends last; `None` if there is none that ends.
    #[must_use]
    pub fn previous_expires_in(&self) -> Option<Duration> {
        self.previous_expires_in
    }

    /// The same after this long, if nobody told of another one in between.
    #[must_use]
    pub fn after(self, elapsed: Duration) -> Self {
        let left = self
            .previous_expires_in
            .map(|left| left.saturating_sub(elapsed));
        Self {
            generation: self.generation,
            age: self.age.saturating_add(elapsed),
            previous_expires_in: left.filter(|left| !left.is_zero()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o1_a_status_stays_true_while_time_passes() {
        let seconds = Duration::from_secs;
        let status = |age, left: Option<u64>| TokenStatus {
            generation: 7,
            age: seconds(age),
            previous_expires_in: left.map(seconds),
        };
        for (name, before, elapsed, after) in [
            ("at once", status(3, Some(60)), 0, status(3, Some(60))),
            ("later", status(3, Some(60)), 10, status(13, Some(50))),
            ("at the end", status(3, Some(60)), 60, status(63, None)),
            ("past the end", status(3, Some(60)), 90, status(93, None)),
            ("nothing ends", status(0, None), 90, status(90, None)),
        ] {
            assert_eq!(before.after(seconds(elapsed)), after, "{name}");
        }
        let ages = status(3, None).after(Duration::MAX);
        assert_eq!(ages.age(), Duration::MAX, "no overflow");
    }
}
