//! The list `OPEN.md`: rules that no test proves yet, or not wholly, with what is open.
//!
//! A heading `## auth.md` names the specification of what follows; an entry is `- **E2** open: why`, on one line. Entries stand
//! before any other list item in its section; a line that begins with `-` and is no entry is a problem, so that a slip of the pen
//! cannot hide a rule.

use std::fmt;

use crate::rule::{Rule, RuleId, SpecFile};

pub(crate) const FILE_NAME: &str = "OPEN.md";

/// What is open about a listed rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No test proves it yet.
    Open,
    /// Tests prove a part of it; the entry says what they leave out.
    Half,
    /// No test can prove it; it is read for at review.
    Reading,
}

impl State {
    const ALL: [Self; 3] = [Self::Open, Self::Half, Self::Reading];

    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Half => "half",
            Self::Reading => "reading",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The parsed list. One version of it may be the present one or one out of git.
#[derive(Debug, Default)]
pub(crate) struct OpenList {
    pub(crate) entries: Vec<(Rule, State)>,
    /// Lines that should be entries and are not, with what is wrong.
    pub(crate) problems: Vec<String>,
}

impl OpenList {
    pub(crate) fn parse(text: &str) -> Self {
        let mut list = Self::default();
        let mut section = None;
        for (index, line) in text.lines().enumerate() {
            if let Some(heading) = line.strip_prefix("## ") {
                section = SpecFile::from_file_name(heading.trim());
            } else if line.trim_start().starts_with('-') {
                match entry(section, line) {
                    Ok(entry) => list.entries.push(entry),
                    Err(problem) => list
                        .problems
                        .push(format!("{FILE_NAME}:{}: {problem}", index + 1)),
                }
            }
        }
        list
    }
}

fn entry(section: Option<SpecFile>, line: &str) -> Result<(Rule, State), &'static str> {
    const FORM: &str =
        "an entry is `- **E2** open: what is open`, with the state open, half or reading";
    let file = section.ok_or(
        "an entry stands under a heading that names its specification, as in `## auth.md`",
    )?;
    let text = line.strip_prefix("- **").ok_or(FORM)?;
    let (id, rest) = RuleId::take(text, char::is_ascii_uppercase).ok_or(FORM)?;
    let rest = rest.strip_prefix("** ").ok_or(FORM)?;
    let (word, reason) = rest.split_once(": ").ok_or(FORM)?;
    let state = State::ALL
        .into_iter()
        .find(|state| state.word() == word)
        .ok_or(FORM)?;
    if reason.trim().is_empty() {
        return Err("the entry does not say what is open");
    }
    Ok((Rule { file, id }, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_belong_to_the_specification_of_their_heading() {
        let text = "# Open rules\n\nProse.\n\n## auth.md\n### JWT mode\n- **T1** open: the order of checks\n- **E1** half: the `authorization` header\n\n\
                    ## stores.md\n- **S1** reading: nothing writes\n";
        let list = OpenList::parse(text);
        let shown: Vec<String> = list
            .entries
            .iter()
            .map(|(rule, state)| format!("{rule} {state}"))
            .collect();
        assert_eq!(
            shown,
            ["auth.md T1 open", "auth.md E1 half", "stores.md S1 reading"]
        );
        assert!(list.problems.is_empty(), "{:?}", list.problems);
    }

    #[test]
    fn a_line_that_should_be_an_entry_and_is_not_is_a_problem() {
        let table = [
            ("outside a section", "- **T1** open: x"),
            ("an unknown heading", "## design.md\n- **T1** open: x"),
            ("not bold", "## auth.md\n- T1 open: x"),
            ("no id", "## auth.md\n- the whole of T1: x"),
            ("unknown state", "## auth.md\n- **T1** later: x"),
            ("a state in capitals", "## auth.md\n- **T1** Open: x"),
            ("no reason", "## auth.md\n- **T1** open"),
            ("an empty reason", "## auth.md\n- **T1** open:  "),
            ("two ids in one line", "## auth.md\n- **T1, T2** open: x"),
            ("indented", "## auth.md\n  - **T1** open: x"),
        ];
        for (name, text) in table {
            let list = OpenList::parse(text);
            assert_eq!(
                (list.entries.len(), list.problems.len()),
                (0, 1),
                "{name}: {list:?}"
            );
            let line = text.lines().count();
            assert!(
                list.problems[0].starts_with(&format!("OPEN.md:{line}: ")),
                "{name}"
            );
        }
    }
}
