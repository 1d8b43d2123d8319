//! Opens the stores that the files declare, and gives each its scope.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::component::Component;
use super::problem::{Place, Problem, Problems, Report};
use super::scopes::WrittenScope;
use super::skipped::Skipped;
use crate::engine::{Engine, Fingerprint, StoreEntry, Stores};
use crate::request::StoreName;
use crate::scope::{CanonicalScope, Entry, EntryFault};
use crate::store::SecretStore;
use crate::store::registry::OpenFault;

/// Files that are sound, and the stores that they declare.
pub struct Config {
    pub(super) components: Vec<Component>,
    pub(super) scopes: HashMap<StoreName, WrittenScope>,
    pub(super) is_lenient: bool,
    pub(super) warnings: Vec<Problem>,
    pub(super) skipped: Vec<Skipped>,
}

impl Config {
    /// What is odd in the files and keeps nothing from working.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The secret stores that the files declare for other apps or for another namespace.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Opens the stores: reads secrets files.
    ///
    /// A store that cannot be opened and says `ignoreErrors: true` stays known as failed, with a
    /// warning in the log. Scope entries that no secret can match are warned of in lenient mode.
    ///
    /// # Errors
    ///
    /// What is wrong with every store that cannot be opened, and with scope entries that its
    /// store can hold no secret of.
    pub fn into_engine(mut self) -> Result<Engine, Problems> {
        let mut report = Report::new(self.is_lenient);
        let entries = self.open(&mut report);
        for warning in &report.warnings {
            tracing::warn!("{warning}");
        }
        Problems::of(report.problems)?;
        Ok(Engine::of(entries).expect("component names were found to be unique"))
    }

    /// Puts these stores and scopes in place of those of an engine that serves, in one step.
    ///
    /// A store whose type, version and metadata are as before, their values included, stays as it
    /// is, with all that it has read and remembers; the others are opened anew. Scopes apply from
    /// then on. Requests that have begun end with what they began with.
    ///
    /// # Errors
    ///
    /// As [`Config::into_engine`]; then nothing has changed.
    pub fn reload(mut self, engine: &Engine) -> Result<Reloaded, Problems> {
        let before = engine.snapshot();
        let mut report = Report::new(self.is_lenient);
        let mut reloaded = Reloaded::default();
        let entries = std::mem::take(&mut self.components)
            .into_iter()
            .map(|component| {
                let scope = self.scopes.get(&component.name);
                let kept = kept(&component, &before);
                match (&kept, before.get(component.name.as_str())) {
                    (Some(_), _) => reloaded.kept += 1,
                    (None, Some(_)) => reloaded.replaced += 1,
                    (None, None) => reloaded.added += 1,
                }
                open(component, kept, scope, &mut report)
            })
            .collect::<Vec<_>>();
        let stays = |name: &str| entries.iter().any(|entry| entry.name.as_str() == name);
        reloaded.removed = engine.stores().filter(|store| !stays(store.name())).count();
        for warning in &report.warnings {
            tracing::warn!("{warning}");
        }
        Problems::of(report.problems)?;
        engine.replace(&Engine::of(entries).expect("component names were found to be unique"));
        Ok(reloaded)
    }

    pub(super) fn open(&mut self, report: &mut Report) -> Vec<StoreEntry> {
        std::mem::take(&mut self.components)
            .into_iter()
            .map(|component| {
                let scope = self.scopes.get(&component.name);
                open(component, None, scope, report)
            })
            .collect()
    }
}

/// What [`Config::reload`] did with the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reloaded {
    /// Stores that are declared as before.
    pub kept: usize,
    /// Stores that are declared otherwise than before, or could not be opened before.
    pub replaced: usize,
    /// Stores of a new name.
    pub added: usize,
    /// Stores that are declared no more.
    pub removed: usize,
}

/// The store that serves a component already, when it is declared as it was.
fn kept(component: &Component, before: &Stores) -> Option<Opened> {
    let (fingerprint, _) = component.opener.as_ref()?;
    let entry = before.get(component.name.as_str())?;
    if entry.fingerprint.as_ref() != Some(fingerprint) {
        return None;
    }
    Some((*fingerprint, Arc::clone(entry.store.as_ref()?)))
}

/// A store, and what its component said.
type Opened = (Fingerprint, Arc<dyn SecretStore>);

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stores: Vec<_> = self.components.iter().map(|c| c.name.as_str()).collect();
        f.debug_struct("Config")
            .field("stores", &stores)
            .field("warnings", &self.warnings)
            .field("skipped", &self.skipped.len())
            .finish_non_exhaustive()
    }
}

fn open(
    component: Component,
    kept: Option<Opened>,
    written: Option<&WrittenScope>,
    report: &mut Report,
) -> StoreEntry {
    let mut own = Report::new(report.is_lenient);
    let opened = match (kept, component.opener) {
        (Some(kept), _) => Some(kept),
        (None, Some((fingerprint, opener))) => match opener() {
            Ok(store) => Some((fingerprint, store)),
            Err(fault) => {
                say_why(&component.name, &component.place, fault, &mut own);
                None
            }
        },
        (None, None) => None,
    };
    let (fingerprint, store) = opened.unzip();
    own.pass_to(report, component.ignores_errors);
    let scope = match (store.as_deref(), written) {
        (Some(store), Some(written)) => canonical(written, store, report),
        _ => CanonicalScope::default(),
    };
    StoreEntry {
        name: component.name,
        component_type: component.component_type.into(),
        version: component.version.into(),
        ignores_errors: component.ignores_errors,
        store,
        scope,
        foreign_keys: Mutex::default(),
        fingerprint,
    }
}

fn say_why(name: &StoreName, place: &Place, fault: OpenFault, report: &mut Report) {
    let name = name.as_str();
    let OpenFault {
        path,
        line,
        message,
    } = fault;
    match (path, line) {
        (Some(path), Some(line)) => report.error(
            &Place::file(path).line(line),
            format!("component {name:?} ({place}): {message}"),
        ),
        (Some(path), None) => report.error(
            place,
            format!("component {name:?}: {message} ({})", path.display()),
        ),
        (None, Some(line)) => {
            report.error(place, format!("component {name:?}: {message}, line {line}"));
        }
        (None, None) => report.error(place, format!("component {name:?}: {message}")),
    }
}

fn canonical(
    written: &WrittenScope,
    store: &dyn SecretStore,
    report: &mut Report,
) -> CanonicalScope {
    let (scope, faults) = CanonicalScope::new(&written.scope, store);
    let line_of = |entry| match entry {
        Entry::Allowed(index) => written.allowed_lines.get(index),
        Entry::Denied(index) => written.denied_lines.get(index),
    };
    let place_of = |entry| written.place.at(line_of(entry).copied());
    for fault in faults {
        match fault {
            EntryFault::NotCanonical(entry, reason) => report.strict(
                &place_of(entry),
                format!(
                    "the scope of {:?} lists {:?}: {reason}",
                    written.store,
                    written.scope.entry(entry)
                ),
            ),
            EntryFault::Unknown(entry) => report.warn(
                &place_of(entry),
                format!(
                    "the scope of {:?} denies {:?}, and the store has no such secret: nothing is denied by it",
                    written.store,
                    written.scope.entry(entry)
                ),
            ),
            EntryFault::Repeated(entry) => report.warn(
                &place_of(entry),
                format!(
                    "the scope of {:?} lists one secret twice: {:?}",
                    written.store,
                    written.scope.entry(entry)
                ),
            ),
        }
    }
    scope
}
