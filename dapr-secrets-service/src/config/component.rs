//! One `Component` document becomes a store that is ready to be opened.
//!
//! Documents of another kind, and components whose type is not `secretstores.*`, are no stores:
//! other tools read the same folder. A component that names another namespace, or other apps,
//! is known and not loaded (`audience.rs`).

use std::sync::Arc;

use super::audience::Audience;
use super::duration::parse_duration;
use super::fields::{Unknown, flag, report_oddities, unknown_fields};
use super::fingerprint;
use super::problem::{Place, Report};
use super::secret_ref;
use super::skipped::Skipped;
use super::suggest::did_you_mean;
use super::template::Surroundings;
use super::yaml::{Document, Node, Value};
use crate::engine::Fingerprint;
use crate::environment::Environment;
use crate::request::{InvalidRequest, StoreName};
use crate::store::registry::{self, Opener, Setting, Settings, Severity, Support, TYPE_PREFIX};

/// Whom the components are loaded for.
pub(super) struct Reader {
    pub(super) app_id: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) environment: Arc<dyn Environment>,
}

/// What a document turned out to be.
pub(super) enum Found {
    /// Nothing of ours.
    Other,
    /// A secret store of another namespace or of other apps.
    Skipped(Skipped),
    /// A secret store of this app.
    Store(Component),
}

/// A store that is declared.
pub(super) struct Component {
    pub(super) name: StoreName,
    pub(super) place: Place,
    pub(super) component_type: String,
    pub(super) version: String,
    pub(super) ignores_errors: bool,
    /// `None`: it has errors.
    pub(super) opener: Option<(Fingerprint, Opener)>,
}

impl Reader {
    /// Reads one document. What is wrong with it goes to the report.
    pub(super) fn read(&self, document: &Document, file: &Place, report: &mut Report) -> Found {
        let root = &document.root;
        let text = |node: &Node, key| node.get(key).and_then(Node::text).map(str::to_owned);
        let spec = root.get("spec");
        let component_type = spec.and_then(|spec| text(spec, "type"));
        let is_store = component_type
            .as_deref()
            .is_some_and(|component_type| starts_with_ignoring_case(component_type, TYPE_PREFIX));
        let place = file.line(root.line);
        if text(root, "kind").as_deref() != Some("Component") {
            if is_store {
                report.strict(
                    &place,
                    "a secret store whose kind is not Component is not loaded",
                );
            }
            return Found::Other;
        }
        let (Some(spec), Some(component_type)) = (spec, component_type) else {
            let missing = spec.map_or("spec, and so no type", |_| "spec.type");
            report.strict(&place, format!("the component has no {missing}"));
            return Found::Other;
        };
        if !is_store {
            return Found::Other;
        }
        let Some((name, place)) = store_name(root, file, report) else {
            return Found::Other;
        };
        let component = format!("component {:?}", name.as_str());
        let mut own = Report::new(report.is_lenient);
        // Before anything is skipped: a slip in what decides that must not go unseen.
        report_oddities(document, file, &mut own);
        let audience = Audience::read(root, &component, file, &mut own);
        let ignores_errors = flag(spec, "ignoreErrors", &component, file, &mut own);
        if let Some(others) = audience.excludes(self.app_id.as_deref(), self.namespace.as_deref()) {
            own.pass_to(report, ignores_errors);
            return Found::Skipped(Skipped::new(name, place, others));
        }
        let version = text(spec, "version").unwrap_or_default();
        check_fields(root, &component, file, &mut own);
        check_init_timeout(spec, &component, file, &mut own);
        let opener = self.opener(
            spec,
            &Typed {
                name: &name,
                component_type: &component_type,
                version: &version,
                place: &place,
            },
            &mut own,
        );
        let is_sound = own.problems.is_empty();
        own.pass_to(report, ignores_errors);
        Found::Store(Component {
            name,
            place,
            component_type,
            version,
            ignores_errors,
            opener: opener.filter(|_| is_sound),
        })
    }

    fn opener(
        &self,
        spec: &Node,
        typed: &Typed<'_>,
        report: &mut Report,
    ) -> Option<(Fingerprint, Opener)> {
        let place_of = |field| match spec.get_with_line(field) {
            Some((line, _)) => typed.place.line(line),
            None => typed.place.clone(),
        };
        let Some(kind) = registry::find(typed.component_type) else {
            let suggestion = did_you_mean(
                typed
                    .component_type
                    .get(TYPE_PREFIX.len()..)
                    .unwrap_or_default(),
                &registry::names().collect::<Vec<_>>(),
            );
            report.error(
                &place_of("type"),
                format!(
                    "component {:?}: unknown component type {:?}{suggestion}; this build has {}",
                    typed.name.as_str(),
                    typed.component_type,
                    built_types()
                ),
            );
            return None;
        };
        if !["", "v0", "v1"].contains(&typed.version.to_ascii_lowercase().as_str()) {
            report.error(
                &place_of("version"),
                format!(
                    "component {:?}: couldn't find secret store {}/{}",
                    typed.name.as_str(),
                    typed.component_type,
                    typed.version
                ),
            );
            return None;
        }
        let recipe = match &kind.support {
            Support::Built(recipe) => recipe,
            Support::NeedsFeature(feature) => {
                report.error(
                    &place_of("type"),
                    format!(
                        "component {:?}: this build lacks {:?}: its Cargo feature `{feature}` is off",
                        typed.name.as_str(),
                        typed.component_type
                    ),
                );
                return None;
            }
        };
        let given = self.settings(spec, typed, report);
        // Without its value a setting would not be as it was written: a prefix would not narrow.
        let mut can_open = given.iter().all(|setting| setting.value.is_some());
        let fingerprint = fingerprint::of(kind.name, typed.version, &given);
        let mut settings = Settings::new(given, recipe.keys);
        let opener = (recipe.read)(&mut settings, &self.environment);
        for fault in settings.faults {
            let place = fault
                .line
                .map_or_else(|| typed.place.clone(), |line| typed.place.line(line));
            let message = format!("component {:?}: {}", typed.name.as_str(), fault.message);
            can_open = false;
            match fault.severity {
                Severity::Error => report.error(&place, message),
                Severity::FailsStore => report.strict(&place, message),
            }
        }
        let opener = opener.filter(|_| can_open)?;
        Some((fingerprint, opener))
    }

    fn settings(&self, spec: &Node, typed: &Typed<'_>, report: &mut Report) -> Vec<Setting> {
        let Some(metadata) = spec.get("metadata") else {
            return Vec::new();
        };
        let component = format!("component {:?}", typed.name.as_str());
        let Value::List(items) = &metadata.value else {
            let place = typed.place.line(metadata.line);
            report.error(&place, format!("{component}: spec.metadata is no list"));
            return Vec::new();
        };
        let from = Surroundings {
            app_id: self.app_id.as_deref().unwrap_or_default(),
            namespace: self.namespace.as_deref().unwrap_or_default(),
            environment: self.environment.as_ref(),
        };
        let mut settings = Vec::with_capacity(items.len());
        for item in items {
            let place = typed.place.line(item.line);
            let Some(key) = item.get("name").and_then(Node::text) else {
                report.error(&place, format!("{component}: a metadata item has no name"));
                continue;
            };
            let what = format!("{component}, metadata key {key:?}");
            let known = ["name", "value", "secretKeyRef", "envRef"];
            unknown_fields(item, &known, (&what, Unknown::MayPass), typed.place, report);
            let (value, variable) =
                secret_ref::resolve(item, &what, typed.place, &from, report).unzip();
            settings.push(Setting {
                key: key.to_owned(),
                value,
                variable: variable.flatten(),
                line: item.line,
            });
        }
        settings
    }
}

/// What is known of a component before its settings are read.
struct Typed<'a> {
    name: &'a StoreName,
    component_type: &'a str,
    version: &'a str,
    place: &'a Place,
}

fn store_name(root: &Node, file: &Place, report: &mut Report) -> Option<(StoreName, Place)> {
    let node = root
        .get("metadata")
        .and_then(|metadata| metadata.get("name"));
    let Some((node, name)) = node.and_then(|node| Some((node, node.text()?))) else {
        report.error(&file.line(root.line), "the component has no metadata.name");
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

/// The types that this build has, for a message.
fn built_types() -> String {
    let built: Vec<_> = registry::built().collect();
    if built.is_empty() {
        return "no store at all".to_owned();
    }
    built.join(" and ")
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

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}
