//! The figures of a run as a table.

use std::time::Instant;

use super::crop::Difference;
use super::pair::{Found, Pair};
use super::sample::nanoseconds;
use super::verdict::{LIMIT, Verdict, judge, words};
use crate::table::{grouped, markdown};

/// What a run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The table, and a line on how it was measured.
    pub text: String,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Report {
    pub(super) fn new(rows: &[(&Pair, Found)], samples: usize) -> Self {
        let verdicts: Vec<Verdict> = rows
            .iter()
            .map(|(pair, found)| judge(pair.asked, found))
            .collect();
        let cells: Vec<Vec<String>> = rows
            .iter()
            .zip(&verdicts)
            .map(|((pair, found), verdict)| {
                vec![
                    pair.name.to_owned(),
                    one_place(found.decided.t),
                    found
                        .answered
                        .map_or_else(|| "-".to_owned(), |answered| one_place(answered.t)),
                    two_places(found.decided),
                    words(pair.asked, *verdict).to_owned(),
                ]
            })
            .collect();
        let clock = Clock::look();
        Self {
            text: format!(
                "{}\n{} samples a pair; limit {LIMIT}; times in steps of {} ns, of which {} ns are the clock's own.\n",
                markdown(
                    &[
                        "classes",
                        "|t| until decided",
                        "|t| until answered",
                        "second slower by ns",
                        "verdict",
                    ],
                    &cells,
                ),
                grouped(i64::try_from(samples).unwrap_or(i64::MAX)),
                clock.step,
                clock.look,
            ),
            verdict: Verdict::of(verdicts),
        }
    }
}

fn one_place(t: f64) -> String {
    format!("{t:.1}")
}

fn two_places(difference: Difference) -> String {
    // Without the sign of a zero.
    format!("{:.2}", difference.nanoseconds + 0.0).replace("-0.00", "0.00")
}

/// What the clock can tell apart.
struct Clock {
    /// The smallest difference between two times that it measured.
    step: u32,
    /// The shortest time that it can measure: that between two looks at it.
    look: u32,
}

impl Clock {
    fn look() -> Self {
        const LOOKS: usize = 100_000;
        let mut times: Vec<u32> = (0..LOOKS)
            .map(|_| nanoseconds(Instant::now(), Instant::now()))
            .collect();
        times.sort_unstable();
        times.dedup();
        Self {
            step: times
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .min()
                .unwrap_or_default(),
            look: times[0],
        }
    }
}
