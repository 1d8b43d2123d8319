//! What is wrong with the fields of a document, whatever they mean.

use super::problem::{Place, Report};
use super::suggest::did_you_mean;
use super::yaml::{Document, Node, Value};
use crate::request::parse_bool;

/// Reports what YAML allows to be written and no reader should guess at: a key that stands twice
/// in one mapping, and merge keys, which are not followed.
pub(super) fn report_oddities(document: &Document, file: &Place, report: &mut Report) {
    for repeated in &document.repeated {
        report.error(
            &file.line(repeated.second),
            format!(
                "key {:?} stands twice in one mapping: lines {} and {}",
                repeated.key, repeated.first, repeated.second
            ),
        );
    }
    for line in &document.merges {
        report.error(
            &file.line(*line),
            "YAML merge keys (`<<`) are not followed: write the fields out",
        );
    }
}

/// What an unknown field is, once lenient mode is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// A warning.
    MayPass,
    /// Still an error: what it was meant to be may close something.
    NeverPasses,
}

/// Reports fields that a mapping should not have, null ones too, and anything that is no mapping.
pub(super) fn unknown_fields(
    node: &Node,
    known: &[&str],
    (what, unknown): (&str, Unknown),
    file: &Place,
    report: &mut Report,
) {
    if !node.is_mapping() {
        report.error(&file.line(node.line), format!("{what} is no mapping"));
    }
    for (key, _) in node.members() {
        // A merge key has been reported as what it is.
        if key.text != "<<" && !known.contains(&key.text.as_str()) {
            let suggestion = did_you_mean(&key.text, known);
            let message = format!("{what} has an unknown field {:?}{suggestion}", key.text);
            match unknown {
                Unknown::MayPass => report.strict(&file.line(key.line), message),
                Unknown::NeverPasses => report.error(&file.line(key.line), message),
            }
        }
    }
}

pub(super) fn is_list_of_texts(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().all(|item| item.text().is_some()),
        _ => false,
    }
}

/// The truth value of a field; false when it is not there, and after reporting what is none.
pub(super) fn flag(
    node: &Node,
    field: &str,
    what: &str,
    file: &Place,
    report: &mut Report,
) -> bool {
    let Some(node) = node.get(field) else {
        return false;
    };
    node.text().and_then(parse_bool).unwrap_or_else(|| {
        report.strict(
            &file.line(node.line),
            format!("{what}: {field} is neither true nor false: write one of them"),
        );
        false
    })
}
