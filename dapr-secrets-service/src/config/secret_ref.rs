//! `secretKeyRef`: a metadata value that is kept in another secret store.

use super::fields::{Unknown, unknown_fields};
use super::problem::{Place, Report};
use super::yaml::Node;

/// A key of a secret, and where it is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretRef {
    pub(super) secret: String,
    pub(super) key: String,
    pub(super) line: usize,
}

impl SecretRef {
    /// Reads a reference that stands in this line; `None` after reporting why it cannot be one.
    pub(super) fn read(
        node: &Node,
        line: usize,
        what: &str,
        file: &Place,
        report: &mut Report,
    ) -> Option<Self> {
        let what = format!("{what}: secretKeyRef");
        if !node.is_mapping() {
            let message = format!("{what} is no mapping: write {{name: SECRET, key: KEY}}");
            report.error(&file.line(line), message);
            return None;
        }
        let known = ["name", "key"];
        unknown_fields(node, &known, (&what, Unknown::MayPass), file, report);
        let text = |field| match node.get(field) {
            None => Some(""),
            Some(node) => node.text(),
        };
        let place = file.line(line);
        let Some(secret) = text("name").filter(|name| !name.is_empty()) else {
            report.error(
                &place,
                format!("{what} has no name: give the name of a secret"),
            );
            return None;
        };
        let Some(key) = text("key") else {
            report.error(&place, format!("{what}: the key is a text"));
            return None;
        };
        Some(Self {
            secret: secret.to_owned(),
            key: if key.is_empty() { secret } else { key }.to_owned(),
            line,
        })
    }
}
