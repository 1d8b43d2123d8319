//! One item of a component's metadata: its key, and where its value comes from.

use zeroize::Zeroizing;

use super::env_ref;
use super::fields::{Unknown, unknown_fields};
use super::problem::{Place, Report};
use super::secret_ref::SecretRef;
use super::template::{self, Surroundings};
use super::yaml::{Node, Value};
use crate::environment::Environment;
use crate::store::registry::{Origin, Setting};

/// What an item may say about its value.
const SOURCES: [&str; 3] = ["value", "secretKeyRef", "envRef"];

/// A metadata item as it was read.
pub(super) struct Item {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: ItemValue,
}

/// What is known of a value before any secret is read.
pub(super) enum ItemValue {
    /// It stood in the file; templates are replaced.
    Written(Zeroizing<String>),
    /// It came from this environment variable, and was left as it was there.
    Variable(String, Zeroizing<String>),
    /// It is a secret of another store.
    Secret(SecretRef),
    /// There is none, and why has been said.
    Unusable,
}

impl Item {
    /// The secret that the item refers to.
    pub(super) fn reference(&self) -> Option<&SecretRef> {
        match &self.value {
            ItemValue::Secret(reference) => Some(reference),
            _ => None,
        }
    }

    pub(super) fn is_unusable(&self) -> bool {
        matches!(self.value, ItemValue::Unusable)
    }

    /// The setting that the item is; one that refers to a secret gets its value from there.
    pub(super) fn setting(&self, secret: Option<Zeroizing<String>>) -> Setting {
        let (value, origin) = match &self.value {
            ItemValue::Written(text) => (Some(text.clone()), Origin::Written),
            ItemValue::Variable(name, text) => (Some(text.clone()), Origin::Variable(name.clone())),
            ItemValue::Secret(reference) => (secret, Origin::Secret(reference.secret.clone())),
            ItemValue::Unusable => (None, Origin::Written),
        };
        Setting {
            key: self.key.clone(),
            value,
            origin,
            line: self.line,
        }
    }
}

/// The items of a `spec`. What is wrong with them goes to the report.
pub(super) fn read_all(
    spec: &Node,
    component: &str,
    file: &Place,
    from: &Surroundings<'_>,
    report: &mut Report,
) -> Vec<Item> {
    let Some(metadata) = spec.get("metadata") else {
        return Vec::new();
    };
    let Value::List(nodes) = &metadata.value else {
        report.error(
            &file.line(metadata.line),
            format!("{component}: spec.metadata is no list of items with a name and a value"),
        );
        return Vec::new();
    };
    let mut items = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(key) = node.get("name").and_then(Node::text) else {
            let message = format!("{component}: a metadata item has no name");
            report.error(&file.line(node.line), message);
            continue;
        };
        let what = format!("{component}, metadata key {key:?}");
        let known = ["name", "value", "secretKeyRef", "envRef"];
        unknown_fields(node, &known, (&what, Unknown::MayPass), file, report);
        items.push(Item {
            key: key.to_owned(),
            line: node.line,
            value: value(node, &what, file, from, report).unwrap_or(ItemValue::Unusable),
        });
    }
    items
}

/// Where the value of an item comes from, or `None` after reporting why there is none.
fn value(
    item: &Node,
    what: &str,
    file: &Place,
    from: &Surroundings<'_>,
    report: &mut Report,
) -> Option<ItemValue> {
    let given: Vec<&str> = SOURCES
        .into_iter()
        .filter(|source| item.get(source).is_some())
        .collect();
    if given.len() != 1 {
        let found = if given.is_empty() {
            "none".to_owned()
        } else {
            given.join(" and ")
        };
        report.strict(
            &file.line(item.line),
            format!("{what} needs exactly one of value, secretKeyRef and envRef, and has {found}"),
        );
    }
    // `value` first, as daprd does when it is given several.
    if let Some(value) = item.get("value") {
        literal(value, what, file, from, report)
    } else if let Some((line, node)) = item.get_with_line("secretKeyRef") {
        SecretRef::read(node, line, what, file, report).map(ItemValue::Secret)
    } else {
        variable(item.get("envRef")?, what, file, from.environment, report)
    }
}

fn literal(
    value: &Node,
    what: &str,
    file: &Place,
    from: &Surroundings<'_>,
    report: &mut Report,
) -> Option<ItemValue> {
    let place = file.line(value.line);
    let Some(text) = value.text() else {
        report.error(
            &place,
            format!("{what}: a value is a text, not a list or a map"),
        );
        return None;
    };
    match template::expand(text, from) {
        Ok(text) => Some(ItemValue::Written(Zeroizing::new(text))),
        Err(reason) => {
            report.error(&place, format!("{what}: {reason}"));
            None
        }
    }
}

fn variable(
    reference: &Node,
    what: &str,
    file: &Place,
    environment: &dyn Environment,
    report: &mut Report,
) -> Option<ItemValue> {
    let place = file.line(reference.line);
    let Some(name) = reference.text() else {
        report.error(&place, format!("{what}: envRef is the name of a variable"));
        return None;
    };
    match env_ref::read_variable(name, environment) {
        Ok(value) => Some(ItemValue::Variable(name.to_owned(), value)),
        Err(reason) => {
            report.strict(&place, format!("{what}: envRef {name:?} {reason}"));
            None
        }
    }
}
