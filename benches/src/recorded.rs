//! What the committed record says of the rules: the gate holds the build at hand against it.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use crate::case::Gate;
    use crate::cases;
    use crate::ours::INDISTINGUISHABLE;
    use crate::record::Record;

    fn record() -> Record {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("record.json");
        Record::load(&file).expect("a record")
    }

    #[test]
    fn p1_the_record_is_of_the_compiler_that_the_toolchain_file_pins() {
        let pinned = include_str!("../../rust-toolchain.toml");
        let channel = pinned
            .lines()
            .find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'))
            .expect("a channel");
        let expected = format!("rustc {channel} ");
        let rustc = record().rustc;
        assert!(rustc.starts_with(&expected), "{rustc}, not {channel}");
    }

    #[test]
    fn p2_p3_p4_every_target_is_met_and_nothing_allocates() {
        let record = record();
        let gated: BTreeSet<_> = cases()
            .iter()
            .filter(|case| !matches!(case.gate, Gate::Open))
            .map(|case| case.name)
            .collect();
        let recorded: BTreeSet<_> = record.cases.keys().map(String::as_str).collect();
        assert_eq!(gated, recorded, "each gated case is recorded");
        for case in cases() {
            let Some(entry) = record.cases.get(case.name) else {
                continue;
            };
            assert_eq!(entry.allocations, 0, "{}", case.name);
            assert_eq!(case.gate.allocations(), 0, "{}", case.name);
            if let Gate::Target(target) = case.gate {
                let count = entry.instructions;
                assert!(
                    u64::try_from(count).is_ok_and(|count| count <= target),
                    "{}: {count} of {target}",
                    case.name
                );
                assert!(entry.target_met, "{}", case.name);
            }
        }
    }

    #[test]
    fn c2_c3_what_differs_only_in_a_secret_costs_the_same_to_the_instruction() {
        let record = record();
        let count = |name: &str| record.cases.get(name).map(|entry| entry.instructions);
        for [one, other] in INDISTINGUISHABLE {
            assert!(count(one).is_some(), "{one}");
            assert_eq!(count(one), count(other), "{one}, {other}");
        }
    }

    /// The figures are those of layers that keep the rules: what is measured strips, and answers with all its headers.
    #[test]
    fn p5_p6_every_row_of_ours_has_its_floor_and_the_rivals_say_what_they_leave_out() {
        let results = include_str!("../RESULTS.md");
        for floor in ["floor-get", "floor-remove", "floor-insert"] {
            assert!(results.contains(floor), "{floor}");
        }
        for contender in crate::contender::OURS {
            let row = results
                .lines()
                .find(|line| line.contains(contender.layer) && line.starts_with('|'));
            assert!(row.is_some(), "{}", contender.layer);
        }
    }
}
