//! What is made of the figures.

use super::pair::{Asked, Found};

/// Chance exceeds it in one of 150,000 tests.
pub(super) const LIMIT: f64 = 4.5;

/// What the deliberate leak has to reach at least.
pub(super) const FAR: f64 = 10.0 * LIMIT;

/// What a run says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No gated pair can be told apart.
    Passed,
    /// At least one can.
    Leaks,
    /// The test did not pass its own checks, and what it says of the layer means nothing.
    Invalid,
}

impl Verdict {
    /// Of the process: 0, 1 and 2.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Leaks => 1,
            Self::Invalid => 2,
        }
    }

    /// Of a run of such rows. An invalid one outweighs a leak.
    pub(super) fn of(rows: impl IntoIterator<Item = Self>) -> Self {
        rows.into_iter()
            .fold(Self::Passed, |worst, row| match (worst, row) {
                (Self::Invalid, _) | (_, Self::Invalid) => Self::Invalid,
                (Self::Leaks, _) | (_, Self::Leaks) => Self::Leaks,
                _ => Self::Passed,
            })
    }
}

/// What one pair says. A figure that is not a number passes nothing.
pub(super) fn judge(asked: Asked, found: &Found) -> Verdict {
    let every = |holds: fn(f64) -> bool| {
        holds(found.decided.t) && found.answered.is_none_or(|answered| holds(answered.t))
    };
    let alike = every(|t| t < LIMIT);
    let apart = every(|t| t >= FAR);
    match asked {
        Asked::Alike if !alike => Verdict::Leaks,
        Asked::ControlAlike if !alike => Verdict::Invalid,
        Asked::ControlApart if !apart => Verdict::Invalid,
        _ => Verdict::Passed,
    }
}

/// The words for it in the table.
pub(super) fn words(asked: Asked, verdict: Verdict) -> &'static str {
    match (asked, verdict) {
        (Asked::Shown, _) => "not gated",
        (Asked::ControlAlike, Verdict::Passed) => "control: nothing seen",
        (Asked::ControlAlike, _) => "INVALID: sees what is not there",
        (Asked::ControlApart, Verdict::Passed) => "control: leak seen",
        (Asked::ControlApart, _) => "INVALID: leak not seen",
        (Asked::Alike, Verdict::Passed) => "passed",
        (Asked::Alike, _) => "LEAKS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::crop::Difference;

    fn found(decided: f64, answered: Option<f64>) -> Found {
        let difference = |t| Difference {
            t,
            nanoseconds: 0.0,
        };
        Found {
            decided: difference(decided),
            answered: answered.map(difference),
        }
    }

    #[test]
    fn c4_a_pair_passes_below_the_limit_in_both_spans_and_a_control_as_it_is_asked() {
        use Asked::{Alike, ControlAlike, ControlApart, Shown};
        use Verdict::{Invalid, Leaks, Passed};
        for (name, asked, decided, answered, expected) in [
            ("alike", Alike, 4.49, Some(4.49), Passed),
            ("at the limit", Alike, 4.5, Some(1.0), Leaks),
            ("in the answer", Alike, 1.0, Some(4.5), Leaks),
            ("no answer to compare", Alike, 1.0, None, Passed),
            ("no answer, and a leak", Alike, 90.0, None, Leaks),
            ("no number", Alike, f64::NAN, None, Leaks),
            ("endless", Alike, f64::INFINITY, None, Leaks),
            ("shown", Shown, 90.0, Some(90.0), Passed),
            ("nothing there", ControlAlike, 4.49, Some(4.49), Passed),
            ("seen what is not", ControlAlike, 1.0, Some(4.5), Invalid),
            ("control, no number", ControlAlike, f64::NAN, None, Invalid),
            ("leak seen", ControlApart, 45.0, Some(45.0), Passed),
            ("leak not seen", ControlApart, 44.9, Some(90.0), Invalid),
            (
                "leak not in the answer",
                ControlApart,
                90.0,
                Some(4.6),
                Invalid,
            ),
            ("leak, no number", ControlApart, f64::NAN, None, Invalid),
        ] {
            assert_eq!(judge(asked, &found(decided, answered)), expected, "{name}");
        }
    }

    #[test]
    fn c4_one_leak_fails_a_run_and_one_invalid_row_makes_it_mean_nothing() {
        use Verdict::{Invalid, Leaks, Passed};
        for (rows, expected, code) in [
            ([Passed, Passed, Passed], Passed, 0),
            ([Passed, Leaks, Passed], Leaks, 1),
            ([Leaks, Invalid, Passed], Invalid, 2),
            ([Invalid, Leaks, Leaks], Invalid, 2),
        ] {
            let verdict = Verdict::of(rows);
            assert_eq!(verdict, expected, "{rows:?}");
            assert_eq!(verdict.exit_code(), code, "{rows:?}");
        }
    }
}
