//! One `Component` document is read: who it is for, what type it has, where its values come from.
//!
//! Documents of another kind are not ours, and components whose type is not `secretstores.*` are no
//! stores: other tools read the same folder. A component that names another namespace, or other
//! apps, is known and not loaded (`audience.rs`).

use std::sync::Arc;

use super::audience::Audience;
use super::blueprint::Blueprint;
use super::duration::parse_duration;
use super::fields::{Unknown, flag, report_oddities, unknown_fields};
use super::item::{self, Item};
use super::problem::{Place, Report};
use super::skipped::Skipped;
use super::template::Surroundings;
use super::yaml::{Document, Node};
use crate::environment::Environment;
use crate::request::{InvalidRequest, StoreName};
use crate::store::SecretStore;
use crate::store::registry::TYPE_PREFIX;

/// Whom the components are loaded for.
pub(super) struct Reader {
    pub(super) app_id: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) wanted: Wanted,
}

/// Which components are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Secret stores, to be opened.
    Stores,
    /// Components of every type, for their values.
    Values,
}

/// What a document turned out to be.
pub(super) enum Found {
    /// Nothing of ours.
    Other,
    /// A component of another namespace or of other apps.
    Skipped(Skipped),
    /// A component of this app.
    Component(Box<Component>),
}

/// A component that is declared.
pub(super) struct Component {
    pub(super) api_version: String,
    pub(super) name: StoreName,
    pub(super) namespace: Option<String>,
    /// Its file, and the line of its name.
    pub(super) place: Place,
    pub(super) component_type: String,
    pub(super) type_line: usize,
    pub(super) version: String,
    pub(super) version_line: usize,
    pub(super) scopes: Vec<String>,
    pub(super) ignores_errors: bool,
    /// `auth.secretStore`, and its line. The name is empty when what is wrong with it has been said.
    pub(super) secret_store: Option<(String, usize)>,
    pub(super) items: Vec<Item>,
    pub(super) plan: Plan,
    /// The store that its references are read from, once that is known: its place among the components.
    pub(super) needs: Option<usize>,
}

/// What is made of a component.
pub(super) enum Plan {
    /// Nothing: it has errors.
    Nothing,
    /// Its values are told, no more.
    Values,
    /// A store.
    Store(Blueprint),
    /// It is there already.
    Given(Arc<dyn SecretStore>),
}

impl Component {
    /// A store that was given as a value.
    pub(super) fn given(name: StoreName, store: Arc<dyn SecretStore>, place: Place) -> Self {
        Self {
            api_version: String::new(),
            name,
            namespace: None,
            place,
            component_type: store.component_type().to_owned(),
            type_line: 0,
            version: "v1".to_owned(),
            version_line: 0,
            scopes: Vec::new(),
            ignores_errors: false,
            secret_store: None,
            items: Vec::new(),
            plan: Plan::Given(store),
            needs: None,
        }
    }

    /// Whether a value is kept in another store.
    pub(super) fn refers(&self) -> bool {
        self.items.iter().any(|item| item.reference().is_some())
    }

    /// Whether it is, or may become, a secret store.
    pub(super) fn is_store(&self) -> bool {
        matches!(self.plan, Plan::Given(_)) || is_store_type(&self.component_type)
    }

    /// The place of a line of its file, or its own.
    pub(super) fn place_of(&self, line: Option<usize>) -> Place {
        line.map_or_else(|| self.place.clone(), |line| self.place.line(line))
    }
}

impl Reader {
    /// Reads one document. What is wrong with it goes to the report.
    pub(super) fn read(&self, document: &Document, file: &Place, report: &mut Report) -> Found {
        let root = &document.root;
        let text = |node: &Node, key| node.get(key).and_then(Node::text).map(str::to_owned);
        let spec = root.get("spec");
        let component_type = spec.and_then(|spec| text(spec, "type"));
        let is_store = component_type.as_deref().is_some_and(is_store_type);
        let place = file.line(root.line);
        if text(root, "kind").as_deref() != Some("Component") {
            if is_store {
                report.strict(
                    &place,
                    "a secret store whose kind is not Component is not loaded: write `kind: Component`",
                );
            }
            return Found::Other;
        }
        let (Some(spec), Some(component_type)) = (spec, component_type) else {
            let missing = spec.map_or("spec, and so no type", |_| "spec.type");
            report.strict(&place, format!("the component has no {missing}: a type is, for instance, secretstores.local.file"));
            return Found::Other;
        };
        if !is_store && self.wanted == Wanted::Stores {
            return Found::Other;
        }
        let Some((name, place)) = component_name(root, file, report) else {
            return Found::Other;
        };
        let what = format!("component {:?}", name.as_str());
        let mut own = Report::new(report.is_lenient);
        // Before anything is skipped: a slip in what decides that must not go unseen.
        report_oddities(document, file, &mut own);
        let audience = Audience::read(root, &what, file, &mut own);
        let ignores_errors = flag(spec, "ignoreErrors", &what, file, &mut own);
        if let Some(others) = audience.excludes(self.app_id.as_deref(), self.namespace.as_deref()) {
            own.pass_to(report, ignores_errors);
            return Found::Skipped(Skipped::new(name, place, others));
        }
        check_fields(root, &what, file, &mut own);
        check_init_timeout(spec, &what, file, &mut own);
        let line_of = |field| {
            spec.get_with_line(field)
                .map_or(spec.line, |(line, _)| line)
        };
        let from = Surroundings {
            app_id: self.app_id.as_deref().unwrap_or_default(),
            namespace: self.namespace.as_deref().unwrap_or_default(),
            environment: self.environment.as_ref(),
        };
        let mut component = Component {
            api_version: text(root, "apiVersion").unwrap_or_default(),
            name,
            namespace: audience.namespace().map(str::to_owned),
            place,
            component_type,
            type_line: line_of("type"),
            version: text(spec, "version").unwrap_or_default(),
            version_line: line_of("version"),
            scopes: audience.apps().map(str::to_owned).collect(),
            ignores_errors,
            secret_store: secret_store(root, &what, file, &mut own),
            items: item::read_all(spec, &what, file, &from, &mut own),
            plan: Plan::Nothing,
            needs: None,
        };
        let plan = match self.wanted {
            Wanted::Stores => {
                Blueprint::of(&component, &self.environment, &mut own).map(Plan::Store)
            }
            Wanted::Values => Some(Plan::Values),
        };
        if let Some(plan) = plan.filter(|_| own.problems.is_empty()) {
            component.plan = plan;
        }
        own.pass_to(report, ignores_errors);
        Found::Component(Box::new(component))
    }
}

/// `auth.secretStore` with its line; an empty one is none. The name is empty when what is wrong with it has been said.
fn secret_store(
    root: &Node,
    component: &str,
    file: &Place,
    report: &mut Report,
) -> Option<(String, usize)> {
    let (line, node) = root.get("auth")?.get_with_line("secretStore")?;
    let Some(text) = node.text() else {
        let message = format!("{component}: auth.secretStore is the name of a secret store");
        report.error(&file.line(line), message);
        return Some((String::new(), line));
    };
    (!text.is_empty()).then_some((text.to_owned(), line))
}

fn component_name(root: &Node, file: &Place, report: &mut Report) -> Option<(StoreName, Place)> {
    let node = root
        .get("metadata")
        .and_then(|metadata| metadata.get("name"));
    let Some((node, name)) = node.and_then(|node| Some((node, node.text()?))) else {
        report.error(
            &file.line(root.line),
            "the component has no metadata.name: give it one, a text",
        );
        return None;
    };
    let place = file.line(node.line);
    let refused = if name.contains('/') || matches!(name, "." | "..") {
        Err("it is not one segment of a path")
    } else {
        StoreName::try_from(name).map_err(InvalidRequest::reason)
    };
    match refused {
        Ok(checked) => Some((checked, place)),
        Err(reason) => {
            report.error(
                &place,
                format!("{name:?} cannot name a component: {reason}"),
            );
            None
        }
    }
}

fn check_fields(root: &Node, component: &str, file: &Place, report: &mut Report) {
    let of_spec = ["type", "version", "metadata", "ignoreErrors", "initTimeout"];
    for (part, known) in [("spec", &of_spec[..]), ("auth", &["secretStore"][..])] {
        if let Some(node) = root.get(part) {
            let what = format!("{component}: {part}");
            unknown_fields(node, known, (&what, Unknown::MayPass), file, report);
        }
    }
}

fn check_init_timeout(spec: &Node, component: &str, file: &Place, report: &mut Report) {
    let Some(node) = spec.get("initTimeout") else {
        return;
    };
    let duration = node.text().and_then(parse_duration);
    if duration.is_none_or(|duration| duration.is_zero()) {
        report.strict(
            &file.line(node.line),
            format!("{component}: initTimeout is no positive duration such as 5s or 1m30s"),
        );
    }
}

fn is_store_type(component_type: &str) -> bool {
    component_type
        .get(..TYPE_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(TYPE_PREFIX))
}
