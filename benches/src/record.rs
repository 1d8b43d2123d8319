//! The last accepted figures, and what the gate makes of new ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};

use crate::case::Gate;

/// A case may cost so many hundredths more than its record.
const GROWTH_PERCENT: i128 = 3;

/// The file `record.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The compiler whose code was counted. Figures of another one cannot be compared.
    pub rustc: String,
    /// What it was counted on. On anything else only the allocations are judged.
    pub machine: String,
    /// The gated cases by name.
    pub cases: BTreeMap<String, Entry>,
}

/// The accepted figures of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Instructions of one request over its baseline.
    pub instructions: i64,
    /// Allocations of one request.
    pub allocations: u64,
    /// Whether the target was ever met. Never goes back to `false`.
    pub target_met: bool,
}

/// What was found of one case just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Instructions of one request over its baseline.
    pub instructions: i64,
    /// Allocations of one request.
    pub allocations: u64,
}

/// Why a case does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It asks for memory, or more often than it may.
    Allocates(u64),
    /// It has no entry in the record.
    NoRecord,
    /// It costs more than its record by more than 3 %.
    Grew {
        /// The recorded instructions.
        from: i64,
    },
    /// It is above a target that it had met before.
    AboveTarget(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allocates(times) => write!(f, "allocates {times} times"),
            Self::NoRecord => f.write_str("has no record: run `record` and commit it"),
            Self::Grew { from } => write!(
                f,
                "grew by more than {GROWTH_PERCENT} % over its record of {from}"
            ),
            Self::AboveTarget(target) => {
                write!(f, "is above its target of {target}, which it had met")
            }
        }
    }
}

/// Everything that is wrong with a case; nothing if it passes. Instructions are judged only where they are
/// `comparable` with the record; allocations always are.
#[must_use]
pub fn judge(
    gate: Gate,
    measured: Measured,
    recorded: Option<&Entry>,
    comparable: bool,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    if gate == Gate::Open {
        return faults;
    }
    if measured.allocations > gate.allocations() {
        faults.push(Fault::Allocates(measured.allocations));
    }
    if !comparable {
        return faults;
    }
    let Some(recorded) = recorded else {
        faults.push(Fault::NoRecord);
        return faults;
    };
    if i128::from(measured.instructions) * 100
        > i128::from(recorded.instructions) * (100 + GROWTH_PERCENT)
    {
        faults.push(Fault::Grew {
            from: recorded.instructions,
        });
    }
    if let Some(target) = gate.target()
        && recorded.target_met
        && !meets(measured, target)
    {
        faults.push(Fault::AboveTarget(target));
    }
    faults
}

fn meets(measured: Measured, target: u64) -> bool {
    i128::from(measured.instructions) <= i128::from(target)
}

/// The entry that replaces `last`: a target once met stays met.
#[must_use]
pub fn accept(gate: Gate, measured: Measured, last: Option<&Entry>) -> Entry {
    Entry {
        instructions: measured.instructions,
        allocations: measured.allocations,
        target_met: last.is_some_and(|last| last.target_met)
            || gate.target().is_some_and(|target| meets(measured, target)),
    }
}

impl Record {
    /// Reads the file; a file that does not exist is an empty record.
    ///
    /// # Errors
    ///
    /// If it exists and cannot be read, or is no record.
    pub fn load(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn store(&self, file: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(file, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn measured(instructions: i64, allocations: u64) -> Measured {
        Measured {
            instructions,
            allocations,
        }
    }

    const fn entry(instructions: i64, target_met: bool) -> Entry {
        Entry {
            instructions,
            allocations: 0,
            target_met,
        }
    }

    #[test]
    fn p5_a_case_fails_for_allocating_growing_or_losing_its_target() {
        let target = Gate::Target(440);
        type Row = (
            &'static str,
            Gate,
            Measured,
            Option<Entry>,
            &'static [Fault],
        );
        let rows: &[Row] = &[
            (
                "as recorded",
                target,
                measured(400, 0),
                Some(entry(400, true)),
                &[],
            ),
            (
                "exactly 3 % more",
                target,
                measured(412, 0),
                Some(entry(400, true)),
                &[],
            ),
            (
                "over 3 % more",
                target,
                measured(413, 0),
                Some(entry(400, true)),
                &[Fault::Grew { from: 400 }],
            ),
            (
                "less",
                target,
                measured(300, 0),
                Some(entry(400, true)),
                &[],
            ),
            (
                "a target never met",
                target,
                measured(450, 0),
                Some(entry(450, false)),
                &[],
            ),
            (
                "a target lost within 3 %",
                target,
                measured(441, 0),
                Some(entry(440, true)),
                &[Fault::AboveTarget(440)],
            ),
            (
                "a target at its edge",
                target,
                measured(440, 0),
                Some(entry(440, true)),
                &[],
            ),
            (
                "one allocation",
                target,
                measured(400, 1),
                Some(entry(400, true)),
                &[Fault::Allocates(1)],
            ),
            (
                "no record",
                target,
                measured(400, 0),
                None,
                &[Fault::NoRecord],
            ),
            (
                "no target",
                Gate::Record,
                measured(9_999, 0),
                Some(entry(9_999, false)),
                &[],
            ),
            (
                "as many allocations as it may",
                Gate::Allocating {
                    target: None,
                    allocations: 4,
                },
                measured(400, 4),
                Some(entry(400, false)),
                &[],
            ),
            (
                "one allocation more, and a target lost",
                Gate::Allocating {
                    target: Some(440),
                    allocations: 4,
                },
                measured(441, 5),
                Some(entry(440, true)),
                &[Fault::Allocates(5), Fault::AboveTarget(440)],
            ),
            ("not gated", Gate::Open, measured(9_999, 9), None, &[]),
            (
                "everything at once",
                target,
                measured(500, 2),
                Some(entry(400, true)),
                &[
                    Fault::Allocates(2),
                    Fault::Grew { from: 400 },
                    Fault::AboveTarget(440),
                ],
            ),
        ];
        for (name, gate, measured, recorded, faults) in rows {
            assert_eq!(
                judge(*gate, *measured, recorded.as_ref(), true),
                *faults,
                "{name}"
            );
            let allocates: Vec<_> = faults
                .iter()
                .filter(|fault| matches!(fault, Fault::Allocates(_)))
                .copied()
                .collect();
            assert_eq!(
                judge(*gate, *measured, recorded.as_ref(), false),
                allocates,
                "{name}, counted on another machine"
            );
        }
    }

    #[test]
    fn p5_a_target_once_met_stays_met() {
        let gate = Gate::Target(440);
        assert!(!accept(gate, measured(441, 0), None).target_met);
        assert!(accept(gate, measured(440, 0), Some(&entry(500, false))).target_met);
        assert!(accept(gate, measured(441, 0), Some(&entry(440, true))).target_met);
        assert!(!accept(Gate::Record, measured(1, 0), None).target_met);
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let record = Record {
            rustc: "rustc 1.95.0".to_owned(),
            machine: "x86_64".to_owned(),
            cases: BTreeMap::from([("accept".to_owned(), entry(436, true))]),
        };
        let text = serde_json::to_vec(&record).unwrap();
        assert_eq!(serde_json::from_slice::<Record>(&text).unwrap(), record);
    }

    #[test]
    fn a_record_with_an_unknown_member_is_refused() {
        let text = br#"{"rustc":"rustc 1.95.0","machine":"x86_64","cases":{},"csaes":{}}"#;
        assert!(serde_json::from_slice::<Record>(text).is_err());
    }
}
