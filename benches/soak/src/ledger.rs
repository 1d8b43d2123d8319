//! [`Ledger`]: which tokens are certainly in force, certainly over, or neither, at any moment.
//!
//! Tokens are numbered in the order in which they become current. Whoever changes them writes down when a change begins and
//! when it is done. A request reads the ledger before it is sent and after it was answered: what was done before it was sent
//! counts for it, and what had not begun when it was answered does not.

use std::sync::atomic::{AtomicU64, Ordering};

/// So many previous tokens stay (`R7`).
const PREVIOUS_KEPT: u64 = 2;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The newest token that may be in force.
    begun: AtomicU64,
    /// The newest token that is in force.
    published: AtomicU64,
    /// Those before this one may be over.
    ending: AtomicU64,
    /// Those before this one are over.
    ended: AtomicU64,
}

/// What is known before a request is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) published: u64,
    pub(crate) ended: u64,
}

/// What must become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was the current token when the request was sent, and its overlap was not over when it was answered.
    Current,
    /// It was a previous token when the request was sent, and likewise.
    Previous,
    /// Its time was over before the request was sent.
    Over,
    /// It was never a token until then.
    Never,
    /// Something changed meanwhile: either answer is right.
    Changing,
}

impl Ledger {
    /// Puts the token with this number in force: the ledger says that it may be, then it is done, then the ledger says that
    /// it is.
    pub(crate) fn begin(&self, number: u64) {
        self.begun.store(number, Ordering::SeqCst);
        self.ending
            .fetch_max(number.saturating_sub(PREVIOUS_KEPT), Ordering::SeqCst);
    }

    pub(crate) fn publish(&self, number: u64) {
        self.published.store(number, Ordering::SeqCst);
        self.ended
            .fetch_max(number.saturating_sub(PREVIOUS_KEPT), Ordering::SeqCst);
    }

    /// Ends all tokens before the current one, likewise.
    pub(crate) fn begin_end(&self) -> u64 {
        let current = self.published.load(Ordering::SeqCst);
        self.ending.fetch_max(current, Ordering::SeqCst);
        current
    }

    pub(crate) fn end(&self, current: u64) {
        self.ended.fetch_max(current, Ordering::SeqCst);
    }

    pub(crate) fn before(&self) -> Before {
        Before {
            published: self.published.load(Ordering::SeqCst),
            ended: self.ended.load(Ordering::SeqCst),
        }
    }

    /// What must have become of a request with this token, now that it was answered. `None` stands for what was never a token.
    pub(crate) fn judge(&self, before: Before, number: Option<u64>) -> Verdict {
        let begun = self.begun.load(Ordering::SeqCst);
        let ending = self.ending.load(Ordering::SeqCst);
        match number {
            None => Verdict::Never,
            Some(number) if number > begun => Verdict::Never,
            Some(number) if number < before.ended => Verdict::Over,
            Some(number) if number < ending || number > before.published => Verdict::Changing,
            Some(number) if number == before.published => Verdict::Current,
            Some(_) => Verdict::Previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_during_a_request_is_judged_either_way() {
        let ledger = Ledger::default();
        for number in 1..=4 {
            ledger.begin(number);
            ledger.publish(number);
        }
        let before = ledger.before();
        let judged = |numbers: std::ops::RangeInclusive<u64>| {
            numbers
                .map(|number| ledger.judge(before, Some(number)))
                .collect::<Vec<_>>()
        };
        use Verdict::{Changing, Current, Never, Over, Previous};
        assert_eq!(
            judged(0..=5),
            [Over, Over, Previous, Previous, Current, Never]
        );
        assert_eq!(ledger.judge(before, None), Never);

        ledger.begin(5);
        assert_eq!(
            judged(0..=6),
            [Over, Over, Changing, Previous, Current, Changing, Never],
            "begun"
        );
        ledger.publish(5);
        assert_eq!(
            judged(0..=6),
            [Over, Over, Changing, Previous, Current, Changing, Never],
            "published"
        );
        let current = ledger.begin_end();
        assert_eq!(
            judged(0..=6),
            [Over, Over, Changing, Changing, Changing, Changing, Never],
            "ending"
        );
        ledger.end(current);
        assert_eq!(
            judged(0..=6),
            [Over, Over, Changing, Changing, Changing, Changing, Never],
            "ended"
        );

        let before = ledger.before();
        let judged: Vec<_> = (3..=6)
            .map(|number| ledger.judge(before, Some(number)))
            .collect();
        assert_eq!(judged, [Over, Over, Current, Never], "a later request");
    }
}
