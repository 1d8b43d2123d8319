//! Rules, list, tests and earlier lists -> what is wrong, and how much is proven. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{Earlier, EarlierList},
    open_list::{OpenList, State},
    rule::{Rule, SpecFile},
    test_list::Test,
    test_name,
};

/// How the rules of one specification stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) rules: usize,
    pub(crate) proven: usize,
    pub(crate) half: usize,
    pub(crate) open: usize,
    pub(crate) reading: usize,
}

/// The result of the check.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// One line each, ready to print; none when the check passes.
    pub(crate) failures: Vec<String>,
    pub(crate) counts: BTreeMap<SpecFile, Count>,
    /// Each rule with the tests that name it, as `package path`.
    pub(crate) proofs: BTreeMap<Rule, Vec<String>>,
}

impl Verdict {
    pub(crate) fn of(rules: &[Rule], list: &OpenList, tests: &[Test], earlier: &Earlier) -> Self {
        let mut failures = list.problems.clone();
        let known = unique(rules, &mut failures);
        let states = states(list, &known, &mut failures);
        let proofs = proofs(tests, &known, &mut failures);
        let mut counts: BTreeMap<SpecFile, Count> =
            SpecFile::ALL.map(|file| (file, Count::default())).into();
        for (rule, names) in &proofs {
            let count = counts.entry(rule.file).or_default();
            count.rules += 1;
            match (states.get(rule), names.is_empty()) {
                (None, false) => count.proven += 1,
                (Some(State::Half), false) => count.half += 1,
                (Some(State::Open), true) => count.open += 1,
                (Some(State::Reading), true) => count.reading += 1,
                (None, true) => failures.push(format!("{rule}: has no test and is not listed")),
                (Some(State::Half), true) => failures.push(format!("{rule}: has no test but is listed as half")),
                (Some(state), false) => failures.push(format!(
                    "{rule}: has tests but is listed as {state} (take it off the list, or list it as half with what is open)"
                )),
            }
        }
        for (file, count) in &counts {
            if count.rules == 0 {
                failures.push(format!("{}: no rule found in it", file.file_name()));
            }
        }
        if let Earlier::Known(lists) = earlier {
            failures.extend(grown(&known, &states, lists));
        }
        Self {
            failures,
            counts,
            proofs,
        }
    }
}

fn unique(rules: &[Rule], failures: &mut Vec<String>) -> BTreeSet<Rule> {
    let mut known = BTreeSet::new();
    for rule in rules {
        if !known.insert(*rule) {
            failures.push(format!("{rule}: stands twice in the specification"));
        }
    }
    known
}

fn states(
    list: &OpenList,
    known: &BTreeSet<Rule>,
    failures: &mut Vec<String>,
) -> BTreeMap<Rule, State> {
    let mut states = BTreeMap::new();
    for (rule, state) in &list.entries {
        if !known.contains(rule) {
            failures.push(format!(
                "{rule}: is listed but the specification has no such rule"
            ));
        } else if states.insert(*rule, *state).is_some() {
            failures.push(format!("{rule}: is listed twice"));
        }
    }
    states
}

/// Every known rule with its tests, those without one included.
fn proofs(
    tests: &[Test],
    known: &BTreeSet<Rule>,
    failures: &mut Vec<String>,
) -> BTreeMap<Rule, Vec<String>> {
    let mut proofs: BTreeMap<Rule, Vec<String>> =
        known.iter().map(|rule| (*rule, Vec::new())).collect();
    for test in tests {
        let shown = format!("{} {}", test.package, test.path);
        if test.ignored {
            failures.push(format!(
                "{shown}: is ignored, and an ignored test proves nothing"
            ));
            continue;
        }
        for rule in test_name::rules_named(&test.package, &test.path) {
            match proofs.get_mut(&rule) {
                Some(names) => names.push(shown.clone()),
                None => failures.push(format!(
                    "{shown}: names {rule}, which does not exist (a name that begins with a letter, one or two digits and `_` names a rule; \
                     `api_` or `auth_` before it names another specification)"
                )),
            }
        }
    }
    proofs
}

/// How far a rule has come. It may not go back.
fn progress(state: Option<&State>) -> u8 {
    match state {
        Some(State::Open | State::Reading) => 0,
        Some(State::Half) => 1,
        None => 2,
    }
}

/// Rules that an earlier commit had further than the present list. A rule that was not in the specification then may be listed.
fn grown(
    known: &BTreeSet<Rule>,
    states: &BTreeMap<Rule, State>,
    lists: &[EarlierList],
) -> Vec<String> {
    let mut found = BTreeMap::new();
    for earlier in lists {
        let before: BTreeMap<Rule, State> = earlier.list.entries.iter().copied().collect();
        for rule in known.intersection(&earlier.rules) {
            if progress(states.get(rule)) < progress(before.get(rule)) {
                let was = before
                    .get(rule)
                    .map_or_else(|| "proven".to_owned(), ToString::to_string);
                found.entry(*rule).or_insert_with(|| {
                    format!(
                        "{rule}: was {was} in commit {} and is listed again: the list may only shrink",
                        earlier.commit
                    )
                });
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::rule;

    const NO_HISTORY: Earlier = Earlier::Unknown("a test");

    fn list(entries: &[&str]) -> OpenList {
        let mut text = String::new();
        for entry in entries {
            let (rule, state) = entry.rsplit_once(' ').expect("`file id state`");
            let (file, id) = rule.split_once(' ').expect("`file id`");
            text.push_str(&format!("## {file}\n- **{id}** {state}: a reason\n"));
        }
        OpenList::parse(&text)
    }

    fn test(package: &str, path: &str) -> Test {
        Test {
            package: package.to_owned(),
            path: path.to_owned(),
            ignored: false,
        }
    }

    /// One proven rule in each specification, so that a case shows its own failure alone.
    fn base_rules() -> Vec<Rule> {
        [
            rule("auth.md E1"),
            rule("secrets-api.md B1"),
            rule("stores.md S1"),
        ]
        .to_vec()
    }

    fn base_tests() -> Vec<Test> {
        vec![
            test("tower-dapr-token", "e1_x"),
            test("dapr-secrets-service", "api_b1_x"),
            test("dapr-secrets-service", "s1_x"),
        ]
    }

    #[test]
    fn proven_and_listed_rules_pass_and_are_counted() {
        let mut rules = base_rules();
        rules.extend([rule("auth.md E2"), rule("auth.md E3"), rule("auth.md E4")]);
        let mut tests = base_tests();
        tests.push(test("axum-inbound", "e2_x"));
        tests.push(test("axum-inbound", "a_test_without_a_rule"));
        let list = list(&["auth.md E2 half", "auth.md E3 open", "auth.md E4 reading"]);
        let verdict = Verdict::of(&rules, &list, &tests, &NO_HISTORY);
        assert!(verdict.failures.is_empty(), "{:?}", verdict.failures);
        assert_eq!(
            verdict.counts[&SpecFile::Auth],
            Count {
                rules: 4,
                proven: 1,
                half: 1,
                open: 1,
                reading: 1
            }
        );
        assert_eq!(verdict.proofs[&rule("auth.md E2")], ["axum-inbound e2_x"]);
    }

    #[test]
    fn each_fault_is_one_line_that_names_the_rule() {
        let table: [(&str, &[&str], &[&str], &str); 8] = [
            (
                "neither",
                &[],
                &[],
                "auth.md E9: has no test and is not listed",
            ),
            (
                "listed as open, but proven",
                &["auth.md E9 open"],
                &["e9_x"],
                "auth.md E9: has tests but is listed as open",
            ),
            (
                "listed as reading, but proven",
                &["auth.md E9 reading"],
                &["e9_x"],
                "auth.md E9: has tests but is listed as reading",
            ),
            (
                "half without a test",
                &["auth.md E9 half"],
                &[],
                "auth.md E9: has no test but is listed as half",
            ),
            (
                "listed, unknown",
                &["auth.md E9 open", "auth.md Z1 open"],
                &[],
                "auth.md Z1: is listed but the specification has no such rule",
            ),
            (
                "listed twice",
                &["auth.md E9 open", "auth.md E9 open"],
                &[],
                "auth.md E9: is listed twice",
            ),
            (
                "named, unknown",
                &[],
                &["e9_x", "h2_x"],
                "tower-dapr-token h2_x: names auth.md H2, which does not exist",
            ),
            (
                "a rule of the other specification under the same letter",
                &["auth.md E9 open"],
                &["api_b1_x", "api_e9_x"],
                "tower-dapr-token api_e9_x: names secrets-api.md E9, which does not exist",
            ),
        ];
        for (name, entries, names, expected) in table {
            let mut rules = base_rules();
            rules.push(rule("auth.md E9"));
            let mut tests = base_tests();
            tests.extend(names.iter().map(|path| test("tower-dapr-token", path)));
            let verdict = Verdict::of(&rules, &list(entries), &tests, &NO_HISTORY);
            assert_eq!(verdict.failures.len(), 1, "{name}: {:?}", verdict.failures);
            assert!(
                verdict.failures[0].starts_with(expected),
                "{name}: {:?}",
                verdict.failures
            );
        }
    }

    #[test]
    fn a_specification_without_rules_or_with_one_twice_fails() {
        let rules = [rule("auth.md E1"), rule("auth.md E1"), rule("stores.md S1")];
        let tests = [
            test("tower-dapr-token", "e1_x"),
            test("dapr-secrets-service", "s1_x"),
        ];
        let verdict = Verdict::of(&rules, &list(&[]), &tests, &NO_HISTORY);
        assert_eq!(
            verdict.failures,
            [
                "auth.md E1: stands twice in the specification",
                "secrets-api.md: no rule found in it"
            ]
        );
    }

    #[test]
    fn an_ignored_test_fails_and_proves_nothing() {
        let mut tests = base_tests();
        tests[0].ignored = true;
        let verdict = Verdict::of(&base_rules(), &list(&[]), &tests, &NO_HISTORY);
        assert_eq!(
            verdict.failures,
            [
                "tower-dapr-token e1_x: is ignored, and an ignored test proves nothing",
                "auth.md E1: has no test and is not listed"
            ]
        );
    }

    #[test]
    fn the_list_may_only_shrink() {
        // The states of auth.md E9 then and now; `-` is not listed, `absent` is a rule that the specification did not have.
        let table = [
            ("open stays open", "open", "open", true),
            ("open becomes half", "open", "half", true),
            ("open becomes proven", "open", "-", true),
            ("open turns out to need reading", "open", "reading", true),
            ("reading turns out to be testable", "reading", "open", true),
            ("half stays half", "half", "half", true),
            ("half becomes proven", "half", "-", true),
            ("half goes back to open", "half", "open", false),
            ("half goes back to reading", "half", "reading", false),
            ("proven goes back to half", "-", "half", false),
            ("proven goes back to open", "-", "open", false),
            ("proven goes back to reading", "-", "reading", false),
            ("a new rule is listed", "absent", "open", true),
            ("a new rule is half proven", "absent", "half", true),
        ];
        for (name, then, now, allowed) in table {
            let entries = |state: &str| match state {
                "-" | "absent" => list(&[]),
                state => list(&[&format!("auth.md E9 {state}")]),
            };
            let mut rules = base_rules();
            rules.push(rule("auth.md E9"));
            let mut tests = base_tests();
            if matches!(now, "-" | "half") {
                tests.push(test("tower-dapr-token", "e9_x"));
            }
            let mut earlier_rules: BTreeSet<Rule> = rules.iter().copied().collect();
            if then == "absent" {
                earlier_rules.remove(&rule("auth.md E9"));
            }
            let earlier = Earlier::Known(vec![EarlierList {
                commit: "0123456789ab".to_owned(),
                rules: earlier_rules,
                list: entries(then),
            }]);
            let verdict = Verdict::of(&rules, &entries(now), &tests, &earlier);
            assert_eq!(
                verdict.failures.is_empty(),
                allowed,
                "{name}: {:?}",
                verdict.failures
            );
            assert!(
                verdict
                    .failures
                    .iter()
                    .all(|line| line.starts_with("auth.md E9: was ")),
                "{name}"
            );
        }
    }

    #[test]
    fn every_earlier_version_counts_not_the_last_alone() {
        let rules = base_rules();
        let version = |commit: &str, entries: &[&str]| EarlierList {
            commit: commit.to_owned(),
            rules: rules.iter().copied().collect(),
            list: list(entries),
        };
        let earlier = Earlier::Known(vec![
            version("newer", &["auth.md E1 open"]),
            version("older", &[]),
        ]);
        let verdict = Verdict::of(
            &rules,
            &list(&["auth.md E1 open"]),
            &base_tests()[1..],
            &earlier,
        );
        assert_eq!(
            verdict.failures,
            [
                "auth.md E1: was proven in commit older and is listed again: the list may only shrink"
            ]
        );
    }
}
