//! The text of a specification -> the ids of its rules, in the order of the text.
//!
//! A rule begins a line, in one of three forms: a list item (`- **E2** ...`), a bare id (`B2 ...`) or the first cell of a table
//! row (`| E2 | ...`, bold or not). A continuation line is indented and therefore begins no rule; code blocks are skipped.

use crate::rule::{Rule, RuleId, SpecFile};

/// Every rule of `text`. One that stands twice is given twice.
pub(crate) fn rules_of(file: SpecFile, text: &str) -> Vec<Rule> {
    let mut in_code = false;
    let mut rules = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && let Some(id) = id_of(line) {
            rules.push(Rule { file, id });
        }
    }
    rules
}

fn id_of(line: &str) -> Option<RuleId> {
    let (text, in_table) = match line.strip_prefix("| ") {
        Some(cell) => (cell, true),
        None => (line.strip_prefix("- ").unwrap_or(line), false),
    };
    let (bold, text) = match text.strip_prefix("**") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (id, mut rest) = RuleId::take(text, char::is_ascii_uppercase)?;
    if bold {
        rest = rest.strip_prefix("**")?;
    }
    let ends = if in_table {
        rest.starts_with(" |")
    } else {
        rest.starts_with(' ')
    };
    ends.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_in_each_form_and_nowhere_else() {
        let table = [
            ("bold list item", "- **E2** No value is `missing`.", "E2"),
            ("bare", "B2 The literal raw segment", "B2"),
            ("bare list item", "- B2 The literal", "B2"),
            ("bold, no list", "**C10** The bound", "C10"),
            ("table row", "| F3 | text |", "F3"),
            ("bold table row", "| **F3** | text |", "F3"),
            ("continuation", "  C1 are for tokens that are compared.", ""),
            ("continuation of a bare rule", "   B4 as above", ""),
            ("an id in the middle", "the rules E2 and C1", ""),
            ("an id with a comma", "E2, C1 and the rest", ""),
            (
                "bold to the end of a sentence",
                "- **E2 and more** text",
                "",
            ),
            ("bold not closed", "- **E2 text", ""),
            ("heading", "## E. Scopes", ""),
            ("table of outcomes", "| 404 | E2 |", ""),
            (
                "a table cell that only begins with an id",
                "| E2 and E3 | text |",
                "",
            ),
            ("a word with digits", "HTTP2 is", ""),
        ];
        for (name, line, expected) in table {
            let found: Vec<String> = rules_of(SpecFile::Auth, line)
                .iter()
                .map(|rule| rule.id.to_string())
                .collect();
            assert_eq!(found.join(" "), expected, "{name}");
        }
    }

    #[test]
    fn code_blocks_hold_no_rules_and_order_and_repetition_are_kept() {
        let text = "- **B1** one\n```text\nC1 in code\n```\nA1 two\n- **B1** again\n";
        let found: Vec<String> = rules_of(SpecFile::Stores, text)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, ["stores.md B1", "stores.md A1", "stores.md B1"]);
    }
}
