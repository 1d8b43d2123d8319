//! Instruction and allocation counts of the token layers, and the timing test of their comparison.
//!
//! ```text
//! request.rs  a fresh request ─┐
//! floor.rs, refusal.rs, ours.rs ── drive.rs: the loop ── callgrind.rs: what it cost ─┬─ gate.rs: against record.json
//! inner.rs    the service below ┘                                                   └─ results.rs: RESULTS.md
//! timing/     whether times tell how much of a token is right
//! scaling.rs  what two threads serve together
//! ```
//!
//! A library, so that `peers/`, the workspace of the rivals, drives them by the same loop with the same requests.
//! `README.md` says how to run it and how to read a row.

pub mod allocator;
pub mod callgrind;
pub mod case;
pub mod command;
pub mod contender;
pub mod drive;
pub mod figures;
pub mod floor;
pub mod gate;
pub mod inner;
pub mod machine;
pub mod ours;
pub mod record;
mod recorded;
pub mod refusal;
pub mod request;
pub mod results;
pub mod scaling;
pub mod table;
pub mod timing;

use case::Case;

/// Every case of this package.
#[must_use]
pub fn cases() -> Vec<Case> {
    [floor::CASES, refusal::CASES, ours::CASES].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_answers_as_its_row_says() {
        for case in cases() {
            assert!(figures::answers_as_told(&case).unwrap(), "{}", case.name);
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own_and_a_baseline_that_exists() {
        let cases = cases();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            assert!(
                case.baseline.is_none_or(|name| names.contains(name)),
                "{}",
                case.name
            );
        }
    }
}
