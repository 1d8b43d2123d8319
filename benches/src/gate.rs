//! The check of every gated case against its record.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use crate::callgrind::Counter;
use crate::case::{Case, Gate};
use crate::figures::measure;
use crate::machine::{RUSTC, counted_on};
use crate::record::{Measured, Record, judge};
use crate::table::{grouped, markdown};

/// What the gate found.
#[derive(Debug)]
pub struct Findings {
    /// The table to print.
    pub table: String,
    /// Whether every case passed.
    pub passed: bool,
}

/// Counts the gated cases, compares them with the record in `file`, and compares with each other those that must cost
/// the `same`.
///
/// # Errors
///
/// If a case cannot be counted, or if the record cannot be read or is of another compiler.
pub fn check(cases: &[Case], same: &[[&str; 2]], file: &Path) -> Result<Findings, Box<dyn Error>> {
    optimised()?;
    let record = Record::load(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if !record.cases.is_empty() && record.rustc != RUSTC {
        return Err(format!(
            "the record was made with {}, and this is {RUSTC}: counts of different compilers cannot be compared; \
             run `record` and commit what it writes",
            record.rustc
        )
        .into());
    }
    let here = counted_on();
    let comparable = record.cases.is_empty() || record.machine == here;
    let mut counter = Counter::new(cases)?;
    let mut passed = true;
    let mut rows = Vec::new();
    let mut counts = BTreeMap::new();
    for case in cases.iter().filter(|case| case.gate != Gate::Open) {
        let measured = measure(&mut counter, case)?;
        counts.insert(case.name, measured.instructions);
        let recorded = record.cases.get(case.name);
        let faults = judge(case.gate, measured, recorded, comparable);
        passed &= faults.is_empty();
        let verdict = match faults.as_slice() {
            [] if comparable => "passed".to_owned(),
            [] => "not judged".to_owned(),
            faults => faults
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        };
        rows.push(vec![
            case.name.to_owned(),
            grouped(measured.instructions),
            recorded.map_or_else(|| "-".to_owned(), |entry| grouped(entry.instructions)),
            against_target(case.gate, measured),
            measured.allocations.to_string(),
            verdict,
        ]);
    }
    let mut table = markdown(
        &[
            "case",
            "instructions",
            "record",
            "target",
            "allocations",
            "verdict",
        ],
        &rows,
    );
    for told_apart in distinguishable(&counts, same) {
        passed = false;
        table.push_str(&told_apart);
    }
    if !comparable {
        table.push_str(&format!(
            "\nNOTE: the record was counted on {}, and this is {here}: only the allocations were judged.\n",
            record.machine
        ));
    }
    Ok(Findings { table, passed })
}

/// A line for each pair whose counts differ, or that was not counted: an instruction more tells a secret from another,
/// whatever the machine.
fn distinguishable(counts: &BTreeMap<&str, i64>, same: &[[&str; 2]]) -> Vec<String> {
    same.iter()
        .filter_map(|[one, other]| match (counts.get(one), counts.get(other)) {
            (Some(a), Some(b)) if a == b => None,
            (a, b) => Some(format!(
                "\n{one} ({a:?}) and {other} ({b:?}) must cost the same to the instruction\n"
            )),
        })
        .collect()
}

/// The target, and whether it is met.
#[must_use]
pub fn against_target(gate: Gate, measured: Measured) -> String {
    match gate.target() {
        None => "none".to_owned(),
        Some(target) if i128::from(measured.instructions) <= i128::from(target) => {
            format!("{target}, met")
        }
        Some(target) => format!(
            "{target}, missed by {}",
            i128::from(measured.instructions) - i128::from(target)
        ),
    }
}

/// Refuses to go on in a build whose counts mean nothing.
///
/// # Errors
///
/// In a build without optimisation.
pub fn optimised() -> Result<(), &'static str> {
    if cfg!(debug_assertions) {
        return Err(
            "this is a debug build, and its counts mean nothing: use `cargo run --release`",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c2_cases_that_must_cost_the_same_are_told_apart_by_one_instruction() {
        let counts = BTreeMap::from([("a", 400), ("b", 400), ("c", 401)]);
        for (pair, told_apart) in [(["a", "b"], 0), (["a", "c"], 1), (["a", "not counted"], 1)] {
            assert_eq!(
                distinguishable(&counts, &[pair]).len(),
                told_apart,
                "{pair:?}"
            );
        }
    }

    #[test]
    fn a_target_is_shown_with_the_distance_to_it() {
        let at = |instructions| Measured {
            instructions,
            allocations: 0,
        };
        assert_eq!(against_target(Gate::Target(440), at(440)), "440, met");
        assert_eq!(
            against_target(Gate::Target(440), at(451)),
            "440, missed by 11"
        );
        assert_eq!(against_target(Gate::Record, at(9)), "none");
    }
}
