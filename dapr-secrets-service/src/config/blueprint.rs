//! What a component's type says about making a store of it: which store, which metadata keys.

use std::sync::Arc;

use super::component::Component;
use super::fingerprint;
use super::item::Item;
use super::problem::Report;
use super::suggest::did_you_mean;
use crate::engine::Fingerprint;
use crate::environment::Environment;
use crate::store::registry::{
    self, Kind, Opener, Recipe, Setting, Settings, Severity, Support, TYPE_PREFIX,
};

/// How the store of one component is made.
pub(super) struct Blueprint {
    kind: &'static str,
    recipe: &'static Recipe,
}

impl Blueprint {
    /// The blueprint of a component, checked as far as that goes without reading a secret.
    ///
    /// `None` after reporting what keeps a store from being made of it.
    pub(super) fn of(
        component: &Component,
        environment: &Arc<dyn Environment>,
        report: &mut Report,
    ) -> Option<Self> {
        let blueprint = Self::find(component, report)?;
        let given: Vec<_> = component
            .items
            .iter()
            .map(|item| item.setting(None))
            .collect();
        let (is_sound, _) = blueprint.read(component, given, environment, report);
        // Without its value a setting would not be as it was written: a prefix would not narrow.
        let is_whole = !component.items.iter().any(Item::is_unusable);
        (is_sound && is_whole).then_some(blueprint)
    }

    /// What makes the store with these settings, and what tells whether it is the one that serves.
    pub(super) fn opener(
        &self,
        component: &Component,
        settings: Vec<Setting>,
        environment: &Arc<dyn Environment>,
        report: &mut Report,
    ) -> Option<(Fingerprint, Opener)> {
        let fingerprint = fingerprint::of(self.kind, &component.version, &settings);
        let (is_sound, opener) = self.read(component, settings, environment, report);
        Some((fingerprint, opener.filter(|_| is_sound)?))
    }

    fn find(component: &Component, report: &mut Report) -> Option<Self> {
        let Component {
            name,
            component_type,
            version,
            ..
        } = component;
        let name = name.as_str();
        let type_place = component.place.line(component.type_line);
        let Some(Kind {
            name: kind,
            support,
        }) = registry::find(component_type)
        else {
            let suggestion = did_you_mean(
                component_type.get(TYPE_PREFIX.len()..).unwrap_or_default(),
                &registry::names().collect::<Vec<_>>(),
            );
            report.error(
                &type_place,
                format!(
                    "component {name:?}: unknown component type {component_type:?}{suggestion}; this build has {}",
                    built_types()
                ),
            );
            return None;
        };
        if !["", "v0", "v1"].contains(&version.to_ascii_lowercase().as_str()) {
            report.error(
                &component.place.line(component.version_line),
                format!(
                    "component {name:?}: couldn't find secret store {component_type}/{version}: the version is v1"
                ),
            );
            return None;
        }
        match support {
            Support::Built(recipe) => Some(Self { kind, recipe }),
            Support::NeedsFeature(feature) => {
                report.error(
                    &type_place,
                    format!(
                        "component {name:?}: this build lacks {component_type:?}: its Cargo feature `{feature}` is off"
                    ),
                );
                None
            }
        }
    }

    /// Reads settings; whether nothing is wrong with them, and what opens the store.
    fn read(
        &self,
        component: &Component,
        given: Vec<Setting>,
        environment: &Arc<dyn Environment>,
        report: &mut Report,
    ) -> (bool, Option<Opener>) {
        let mut settings = Settings::new(given, self.recipe.keys);
        let opener = (self.recipe.read)(&mut settings, environment);
        let is_sound = settings.faults.is_empty();
        for fault in settings.faults {
            let place = component.place_of(fault.line);
            let message = format!("component {:?}: {}", component.name.as_str(), fault.message);
            match fault.severity {
                Severity::Error => report.error(&place, message),
                Severity::FailsStore => report.strict(&place, message),
            }
        }
        (is_sound, opener)
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
