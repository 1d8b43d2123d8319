//! Whom a component is meant for: the apps in its `scopes`, and its `metadata.namespace`.
//!
//! Both close a store to everyone else, so nothing here is read generously: a field that may be
//! one of them misspelt or misplaced, and a value that cannot be read, are errors in lenient mode
//! too.

use super::fields::is_list_of_texts;
use super::problem::{Place, Report};
use super::suggest::{did_you_mean, is_near};
use super::yaml::{Node, Value};

/// What a component has at its root.
const ROOT: [&str; 6] = ["apiVersion", "kind", "metadata", "spec", "auth", "scopes"];

/// Whom a component is meant for, as far as it says.
#[derive(Debug)]
pub(super) struct Audience<'d> {
    namespace: Option<&'d str>,
    /// `None`: every app.
    apps: Option<Vec<&'d str>>,
}

impl<'d> Audience<'d> {
    /// Reads both fields, and reports what may have been meant to be one of them.
    pub(super) fn read(root: &'d Node, component: &str, file: &Place, report: &mut Report) -> Self {
        root_fields(root, component, file, report);
        misplaced(root, component, file, report);
        Self {
            namespace: namespace(root, component, file, report),
            apps: apps(root, component, file, report),
        }
    }

    /// The namespace that it names.
    pub(super) fn namespace(&self) -> Option<&'d str> {
        self.namespace
    }

    /// The apps that it names; none stands for every app.
    pub(super) fn apps(&self) -> impl Iterator<Item = &'d str> {
        self.apps.iter().flatten().copied()
    }

    /// Whom else a component is for, when it is not for this app in this namespace.
    ///
    /// Without a namespace of our own, every namespace is ours.
    pub(super) fn excludes(&self, app_id: Option<&str>, ours: Option<&str>) -> Option<String> {
        if let (Some(ours), Some(named)) = (ours, self.namespace)
            && ours != named
        {
            return Some(format!("the namespace {named:?}"));
        }
        let apps = self.apps.as_ref()?;
        if apps.iter().any(|app| Some(*app) == app_id) {
            return None;
        }
        let named: Vec<_> = apps.iter().map(|app| format!("{app:?}")).collect();
        let noun = if apps.len() == 1 { "app" } else { "apps" };
        Some(format!("the {noun} {}", named.join(", ")))
    }
}

/// A field that is near a known one may be that one: it never passes.
fn root_fields(root: &Node, component: &str, file: &Place, report: &mut Report) {
    for (key, _) in root.members() {
        // A merge key has been reported as what it is.
        if ROOT.contains(&key.text.as_str()) || key.text == "<<" {
            continue;
        }
        let suggestion = did_you_mean(&key.text, &ROOT);
        let message = format!(
            "{component}: its root has an unknown field {:?}{suggestion}",
            key.text
        );
        if suggestion.is_empty() {
            report.strict(&file.line(key.line), message);
        } else {
            report.error(&file.line(key.line), message);
        }
    }
}

/// Reports `scopes` and `namespace` where they do nothing, misspelt or not.
fn misplaced(root: &Node, component: &str, file: &Place, report: &mut Report) {
    for part in ["metadata", "spec", "auth"] {
        let Some(node) = root.get(part) else {
            continue;
        };
        for (key, _) in node.members() {
            let right_place = if is_near(&key.text, &["scopes"]) {
                "`scopes` belongs at the root"
            } else if is_near(&key.text, &["namespace"])
                && (part, key.text.as_str()) != ("metadata", "namespace")
            {
                "`namespace` belongs in metadata"
            } else {
                continue;
            };
            report.error(
                &file.line(key.line),
                format!(
                    "{component}: {part} has a field {:?}: {right_place}",
                    key.text
                ),
            );
        }
    }
}

fn namespace<'d>(
    root: &'d Node,
    component: &str,
    file: &Place,
    report: &mut Report,
) -> Option<&'d str> {
    let (line, node) = root.get("metadata")?.get_even_null("namespace")?;
    let text = node.text();
    if text.is_none() {
        let message = format!("{component}: metadata.namespace is no text");
        report.error(&file.line(line), message);
    }
    text.filter(|namespace| !namespace.is_empty())
}

fn apps<'d>(
    root: &'d Node,
    component: &str,
    file: &Place,
    report: &mut Report,
) -> Option<Vec<&'d str>> {
    let (line, node) = root.get_even_null("scopes")?;
    if !is_list_of_texts(node) {
        let message = format!("{component}: scopes is a list of app ids");
        report.error(&file.line(line), message);
    }
    match &node.value {
        Value::List(items) if !items.is_empty() => {
            Some(items.iter().filter_map(Node::text).collect())
        }
        _ => None,
    }
}
