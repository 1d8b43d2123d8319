//! What the committed record says of the rules: the gate holds the build at hand against it.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use crate::case::Gate;
    use crate::cases;
    use crate::ours::INDISTINGUISHABLE;
    use crate::record::Record;

    /// The targets that are not met yet. One that is met must leave this list.
    const MISSED: &[&str] = &["reject-http-everything"];

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
    fn p2_p3_p4_every_target_but_those_named_is_met_and_nothing_allocates() {
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
                let met = u64::try_from(count).is_ok_and(|count| count <= target);
                let expected = !MISSED.contains(&case.name);
                assert_eq!(met, expected, "{}: {count} of {target}", case.name);
                assert_eq!(entry.target_met, expected, "{}", case.name);
            }
        }
        for missed in MISSED {
            assert!(gated.contains(missed), "{missed}");
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

    /// The tables that set others beside ours.
    const SIDE_BY_SIDE: [&str; 3] = [
        "Side by side",
        "Side by side: gRPC",
        "JWT mode, side by side",
    ];
    /// The column in which a row says what it leaves out: the last one.
    const LEFT_OUT: &str = "does not check";

    /// Whose layer a row of such a table is about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Whose {
        Floor,
        Ours,
        Rivals,
    }

    /// What the rows of a table in Markdown say, in their first and their last cell.
    #[derive(Debug, PartialEq, Eq)]
    struct Row<'a> {
        layer: &'a str,
        leaves_out: &'a str,
    }

    impl Row<'_> {
        fn whose(&self) -> Whose {
            if self.layer.starts_with("floor") {
                Whose::Floor
            } else if self.layer.starts_with("**") {
                Whose::Ours
            } else {
                Whose::Rivals
            }
        }
    }

    /// The rows of the table under this heading. Nothing if there is no such heading, no table before the next heading,
    /// or a table that does not end with [`LEFT_OUT`] or has a row with more or fewer cells than its head.
    fn rows_under<'a>(results: &'a str, heading: &str) -> Option<Vec<Row<'a>>> {
        let mut lines = results
            .lines()
            .skip_while(|line| line.strip_prefix("## ") != Some(heading))
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'));
        let head = cells(lines.next()?)?;
        let _rule = lines.next()?;
        if head.last() != Some(&LEFT_OUT) {
            return None;
        }
        lines
            .map(|line| {
                let row = cells(line).filter(|row| row.len() == head.len())?;
                Some(Row {
                    layer: row.first()?,
                    leaves_out: row.last()?,
                })
            })
            .collect()
    }

    fn cells(line: &str) -> Option<Vec<&str>> {
        let inside = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(inside.split('|').map(str::trim).collect())
    }

    /// The rivals that do not say what they leave out.
    fn silent<'a>(rows: &[Row<'a>]) -> Vec<&'a str> {
        rows.iter()
            .filter(|row| row.whose() == Whose::Rivals && row.leaves_out.is_empty())
            .map(|row| row.layer)
            .collect()
    }

    #[test]
    fn a_rival_that_does_not_say_what_it_leaves_out_is_found() {
        let results = "# Results\n\n\
            ## Side by side\n\nOf two cores.\n\n\
            | layer | accept | does not check |\n\
            | --- | --: | --- |\n\
            | floor: `get` | 1 | |\n\
            | **ours** | 2 | |\n\
            | rival 1.0 `==` | 3 | duplicates |\n\
            | rival 2.0 `==` | 4 |  |\n\n\
            | another table | does not check |\n\
            | --- | --- |\n\
            | rival 3.0 | |\n\
            ## Empty\n\n## Another column\n\n\
            | layer | ns |\n| --- | --- |\n| rival | 1 |\n\
            ## A cell too few\n\n\
            | layer | ns | does not check |\n| --- | --- | --- |\n| rival | 1 |\n";
        let rows = rows_under(results, "Side by side").unwrap();
        let whose: Vec<_> = rows.iter().map(Row::whose).collect();
        assert_eq!(
            whose,
            [Whose::Floor, Whose::Ours, Whose::Rivals, Whose::Rivals]
        );
        assert_eq!(rows[2].leaves_out, "duplicates");
        assert_eq!(silent(&rows), ["rival 2.0 `==`"]);
        for heading in ["Side", "Empty", "Another column", "A cell too few"] {
            assert_eq!(rows_under(results, heading), None, "{heading}");
        }
    }

    /// The figures are those of layers that keep the rules: what is measured strips, and answers with all its headers.
    #[test]
    fn p5_p6_every_row_of_ours_has_its_floor_and_the_rivals_say_what_they_leave_out() {
        let results = include_str!("../RESULTS.md");
        for floor in ["floor-get", "floor-remove", "floor-insert"] {
            assert!(results.contains(floor), "{floor}");
        }
        let mut layers = BTreeSet::new();
        for heading in SIDE_BY_SIDE {
            let rows = rows_under(results, heading);
            let rows = rows.unwrap_or_else(|| panic!("no table under `{heading}`"));
            for whose in [Whose::Ours, Whose::Rivals] {
                let has = rows.iter().any(|row| row.whose() == whose);
                assert!(has, "{heading}: no row of {whose:?}");
            }
            assert_eq!(silent(&rows), [""; 0], "{heading}");
            layers.extend(rows.iter().map(|row| (heading, row.layer)));
        }
        for (heading, contenders) in [
            (SIDE_BY_SIDE[0], crate::contender::OURS),
            (SIDE_BY_SIDE[1], crate::contender::GRPC_FLOOR),
        ] {
            for contender in contenders {
                let row = (heading, contender.layer);
                assert!(layers.contains(&row), "{row:?}");
            }
        }
    }
}
