//! Opens the stores that the files declare, and gives each its scope.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::component::Component;
use super::making::{Made, Maker};
use super::problem::{Problem, Problems, Report};
use super::scopes::WrittenScope;
use super::skipped::Skipped;
use super::waiting::{Waiting, at_once};
use crate::engine::{Engine, StoreEntry, Stores};
use crate::environment::Environment;
use crate::request::StoreName;
use crate::scope::{CanonicalScope, Entry, EntryFault};
use crate::store::SecretStore;

/// Files that are sound, and the stores that they declare.
///
/// Stores that answer from memory, as all do that this crate has today, can be opened without waiting. A
/// `secretKeyRef` to a store of your own that must be waited for needs the functions that end in `_async`.
pub struct Config {
    pub(super) components: Vec<Component>,
    pub(super) scopes: HashMap<StoreName, WrittenScope>,
    pub(super) is_lenient: bool,
    pub(super) namespace: Option<String>,
    pub(super) environment: Arc<dyn Environment>,
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

    /// Opens the stores: reads secrets files, and the secrets that `secretKeyRef`s name.
    ///
    /// A store that cannot be opened and says `ignoreErrors: true` stays known as failed, with a
    /// warning in the log. One whose secrets cannot be had for now, because the store that keeps
    /// them is not ready or cannot answer, is not ready either, with a warning. Scope entries that no
    /// secret can match are warned of in lenient mode.
    ///
    /// # Errors
    ///
    /// What is wrong with every store that cannot be opened, and with scope entries that its
    /// store can hold no secret of. A secret that must be waited for is an error here.
    pub fn into_engine(self) -> Result<Engine, Problems> {
        at_once(self.start(Waiting::Never)).expect("nothing is waited for")
    }

    /// As [`Config::into_engine`], and waits for stores that do not answer at once.
    ///
    /// # Errors
    ///
    /// As [`Config::into_engine`].
    pub async fn into_engine_async(self) -> Result<Engine, Problems> {
        self.start(Waiting::Patient).await
    }

    /// Puts these stores and scopes in place of those of an engine that serves, in one step.
    ///
    /// A store whose type, version and metadata are as before, their values included, stays as it
    /// is, with all that it has read and remembers; the others are opened anew. Scopes apply from
    /// then on. Requests that have begun end with what they began with.
    ///
    /// Secrets that `secretKeyRef`s name are read again, and a store is opened anew when one has changed. If
    /// that fails, and nothing else about the store was edited, it stays as it was, with a warning in the log,
    /// and is degraded.
    ///
    /// # Errors
    ///
    /// As [`Config::into_engine`]; then nothing has changed.
    pub fn reload(self, engine: &Engine) -> Result<Reloaded, Problems> {
        at_once(self.restart(engine, Waiting::Never)).expect("nothing is waited for")
    }

    /// As [`Config::reload`], and waits for stores that do not answer at once.
    ///
    /// # Errors
    ///
    /// As [`Config::reload`].
    pub async fn reload_async(self, engine: &Engine) -> Result<Reloaded, Problems> {
        self.restart(engine, Waiting::Patient).await
    }

    async fn start(self, waiting: Waiting) -> Result<Engine, Problems> {
        let mut report = Report::new(self.is_lenient);
        let entries = self.open(None, waiting, &mut report).await;
        log(&report);
        Problems::of(report.problems)?;
        let entries = entries.into_iter().map(|(entry, _)| entry).collect();
        Ok(Engine::of(entries).expect("component names were found to be unique"))
    }

    async fn restart(self, engine: &Engine, waiting: Waiting) -> Result<Reloaded, Problems> {
        let before = engine.snapshot();
        let mut report = Report::new(self.is_lenient);
        let entries = self.open(Some(&before), waiting, &mut report).await;
        log(&report);
        Problems::of(report.problems)?;
        let mut reloaded = Reloaded::default();
        for (entry, is_kept) in &entries {
            match (is_kept, before.get(entry.name.as_str())) {
                (true, _) => reloaded.kept += 1,
                (false, Some(_)) => reloaded.replaced += 1,
                (false, None) => reloaded.added += 1,
            }
        }
        let stays = |name: &str| entries.iter().any(|(entry, _)| entry.name.as_str() == name);
        reloaded.removed = engine.stores().filter(|store| !stays(store.name())).count();
        let entries = entries.into_iter().map(|(entry, _)| entry).collect();
        engine.replace(&Engine::of(entries).expect("component names were found to be unique"));
        Ok(reloaded)
    }

    /// What is wrong with the files of the stores and with the secrets that they refer to, as far as
    /// that can be said without waiting.
    pub(super) fn look_ahead(&self) -> Vec<Problem> {
        let mut report = Report::new(self.is_lenient);
        at_once(self.open(None, Waiting::PassOver, &mut report)).expect("nothing is waited for");
        report.problems
    }

    /// Every store, and whether it is the one that served before.
    async fn open(
        &self,
        before: Option<&Stores>,
        waiting: Waiting,
        report: &mut Report,
    ) -> Vec<(StoreEntry, bool)> {
        let maker = Maker {
            environment: &self.environment,
            namespace: self.namespace.as_deref(),
            before,
            waiting,
            is_lenient: self.is_lenient,
        };
        let made = maker.make(&self.components).await;
        let entries = self.components.iter().zip(made);
        entries
            .map(|(component, made)| {
                let scope = self.scopes.get(&component.name);
                entry(component, made, scope, report)
            })
            .collect()
    }
}

fn log(report: &Report) {
    for warning in &report.warnings {
        tracing::warn!("{warning}");
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

fn entry(
    component: &Component,
    made: Made,
    written: Option<&WrittenScope>,
    report: &mut Report,
) -> (StoreEntry, bool) {
    made.report.pass_to(report, component.ignores_errors);
    let scope = match (made.store.as_deref(), written) {
        (Some(store), Some(written)) => canonical(written, store, report),
        _ => CanonicalScope::default(),
    };
    let entry = StoreEntry {
        name: component.name.clone(),
        component_type: component.component_type.as_str().into(),
        version: component.version.as_str().into(),
        ignores_errors: component.ignores_errors,
        store: made.store,
        scope,
        foreign_keys: Mutex::default(),
        declared: Some(made.declared),
    };
    (entry, made.is_kept)
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
