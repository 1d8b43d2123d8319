//! The `spec.secrets.scopes` of a `Configuration`, as written, each with its place.
//!
//! What is lost here opens a store, so nothing passes in lenient mode but a default access that
//! cannot be read, which then denies. A field that may be `spec.secrets.scopes` misspelt or
//! misplaced is an error; the rest of a configuration is none of our business.

use super::fields::{Unknown, is_list_of_texts, unknown_fields};
use super::problem::{Place, Report};
use super::suggest::is_near;
use super::yaml::{Document, Node, Value};
use crate::scope::{Access, Scope};

/// The fields of a scope.
const FIELDS: [&str; 4] = [
    "storeName",
    "defaultAccess",
    "allowedSecrets",
    "deniedSecrets",
];
/// Those of them that nothing else in a configuration is called.
const TELLING: [&str; 3] = ["storeName", "allowedSecrets", "deniedSecrets"];

/// The scope of one store.
#[derive(Debug)]
pub(super) struct WrittenScope {
    pub(super) store: String,
    pub(super) place: Place,
    pub(super) scope: Scope,
    /// The line of each allowed entry, then of each denied one.
    pub(super) allowed_lines: Vec<usize>,
    pub(super) denied_lines: Vec<usize>,
}

/// Whether a document is a `Configuration`.
pub(super) fn is_configuration(document: &Document) -> bool {
    document.root.get("kind").and_then(Node::text) == Some("Configuration")
}

/// The line of the secrets section of a `Configuration`, when it has one.
pub(super) fn secrets_line(document: &Document) -> Option<usize> {
    let spec = document.root.get("spec")?;
    Some(spec.get_even_null("secrets")?.0)
}

/// Reads the scopes of one `Configuration`.
pub(super) fn read(document: &Document, file: &Place, report: &mut Report) -> Vec<WrittenScope> {
    let root = &document.root;
    misplaced(root, file, report);
    let Some((line, spec)) = root.get_even_null("spec") else {
        return Vec::new();
    };
    if !spec.is_mapping() {
        report.error(&file.line(line), "spec is no mapping");
    }
    let Some((_, secrets)) = spec.get_even_null("secrets") else {
        return Vec::new();
    };
    let what = ("spec.secrets", Unknown::NeverPasses);
    unknown_fields(secrets, &["scopes"], what, file, report);
    let Some((line, scopes)) = secrets.get_even_null("scopes") else {
        return Vec::new();
    };
    let Value::List(scopes) = &scopes.value else {
        report.error(
            &file.line(line),
            "spec.secrets.scopes is no list of scopes, each with a storeName",
        );
        return Vec::new();
    };
    scopes
        .iter()
        .filter_map(|scope| read_scope(scope, file, report))
        .collect()
}

/// Reports what looks like scopes and stands where nobody reads it.
fn misplaced(root: &Node, file: &Place, report: &mut Report) {
    for (key, node) in root.members() {
        match key.text.as_str() {
            "spec" => {}
            other if is_near(other, &["spec", "secrets", "scopes"]) => {
                say_misplaced(&key.text, key.line, file, report);
            }
            _ => report_scopes_in(node, file, report),
        }
    }
    let spec = root.get("spec");
    for (key, node) in spec.into_iter().flat_map(Node::members) {
        match key.text.as_str() {
            "secrets" => {}
            other if is_near(other, &["secrets", "scopes"]) => {
                say_misplaced(&key.text, key.line, file, report);
            }
            _ => report_scopes_in(node, file, report),
        }
    }
}

/// Reports the fields of a scope, wherever they stand in a part that is none of our business.
fn report_scopes_in(node: &Node, file: &Place, report: &mut Report) {
    match &node.value {
        Value::Map(members) => {
            for (key, node) in members {
                if TELLING.contains(&key.text.as_str()) {
                    say_misplaced(&key.text, key.line, file, report);
                }
                report_scopes_in(node, file, report);
            }
        }
        Value::List(items) => {
            for item in items {
                report_scopes_in(item, file, report);
            }
        }
        Value::Null | Value::Text(_) => {}
    }
}

fn say_misplaced(field: &str, line: usize, file: &Place, report: &mut Report) {
    report.error(
        &file.line(line),
        format!("a field {field:?} here does nothing: scopes belong below spec.secrets"),
    );
}

fn read_scope(node: &Node, file: &Place, report: &mut Report) -> Option<WrittenScope> {
    let what = ("a secret scope", Unknown::NeverPasses);
    unknown_fields(node, &FIELDS, what, file, report);
    let place = file.line(node.line);
    let Some(store) = node.get("storeName").and_then(Node::text) else {
        report.error(
            &place,
            "a secret scope has no storeName: name the secret store that it is for",
        );
        return None;
    };
    let access = default_access(node, store, file, report);
    let allowed = names(node, "allowedSecrets", store, file, report);
    let denied = names(node, "deniedSecrets", store, file, report);
    warn_of_an_empty_list(node, store, file, report);
    for (name, line) in &denied {
        if allowed.iter().any(|(other, _)| other == name) {
            report.warn(
                &file.line(*line),
                format!("the scope of {store:?} both allows and denies {name:?}: it is allowed"),
            );
        }
    }
    let mut scope = Scope::default().with_default_access(access);
    for (name, _) in &allowed {
        scope = scope.add_allowed(name);
    }
    for (name, _) in &denied {
        scope = scope.add_denied(name);
    }
    Some(WrittenScope {
        store: store.to_owned(),
        place,
        scope,
        allowed_lines: allowed.into_iter().map(|(_, line)| line).collect(),
        denied_lines: denied.into_iter().map(|(_, line)| line).collect(),
    })
}

/// What cannot be read denies: a slip of the pen must not open a store.
fn default_access(node: &Node, store: &str, file: &Place, report: &mut Report) -> Access {
    let Some((line, node)) = node.get_even_null("defaultAccess") else {
        return Access::Allow;
    };
    let text = node.text().unwrap_or_default();
    if text.eq_ignore_ascii_case("allow") {
        return Access::Allow;
    }
    if text.eq_ignore_ascii_case("deny") {
        return Access::Deny;
    }
    let place = file.line(line);
    if text.is_empty() {
        let message = format!("the scope of {store:?}: defaultAccess needs allow or deny");
        report.error(&place, message);
    } else {
        report.strict(
            &place,
            format!("the scope of {store:?}: defaultAccess {text:?} is neither allow nor deny"),
        );
    }
    Access::Deny
}

fn names(
    node: &Node,
    field: &str,
    store: &str,
    file: &Place,
    report: &mut Report,
) -> Vec<(String, usize)> {
    let Some((line, list)) = node.get_even_null(field) else {
        return Vec::new();
    };
    if !is_list_of_texts(list) {
        let message = format!("the scope of {store:?}: {field} is a list of names");
        report.error(&file.line(line), message);
    }
    let Value::List(items) = &list.value else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| Some((item.text()?.to_owned(), item.line)))
        .collect()
}

/// Dapr takes an empty allow list as none, which is the opposite of what it looks like.
fn warn_of_an_empty_list(node: &Node, store: &str, file: &Place, report: &mut Report) {
    let Some((line, list)) = node.get_even_null("allowedSecrets") else {
        return;
    };
    let is_empty = matches!(&list.value, Value::List(items) if items.is_empty());
    if is_empty && node.get_even_null("defaultAccess").is_none() {
        report.warn(
            &file.line(line),
            format!(
                "the scope of {store:?}: an empty allow list allows everything; `defaultAccess: deny` does not"
            ),
        );
    }
}
