//! Makes what the components declare, each after the store that it needs, and independent ones side by side.

use std::sync::Arc;

use super::blueprint::Blueprint;
use super::component::{Component, Plan};
use super::dependencies;
use super::fetch::{self, Needed};
use super::fingerprint;
use super::problem::{Place, Report};
use super::waiting::{Waiting, join_all};
use crate::engine::{Declaration, Fingerprint, Stores};
use crate::environment::Environment;
use crate::store::SecretStore;
use crate::store::registry::{OpenFault, Setting};

/// Most components that are made side by side.
const SIDE_BY_SIDE: usize = 64;

/// What components are made with.
pub(super) struct Maker<'a> {
    pub(super) environment: &'a Arc<dyn Environment>,
    /// The namespace of the app.
    pub(super) namespace: Option<&'a str>,
    /// The stores that serve already.
    pub(super) before: Option<&'a Stores>,
    pub(super) waiting: Waiting,
    pub(super) is_lenient: bool,
}

/// What has become of a component.
pub(super) struct Made {
    /// `None`: a value cannot be had, and why is in the report, or was said before.
    pub(super) settings: Option<Vec<Setting>>,
    /// `None`: it is no store, or could not be made.
    pub(super) store: Option<Arc<dyn SecretStore>>,
    /// Whether it is the store that served before.
    pub(super) is_kept: bool,
    pub(super) declared: Declaration,
    pub(super) report: Report,
}

impl Maker<'_> {
    /// Makes every component, in the order given.
    pub(super) async fn make(&self, components: &[Component]) -> Vec<Made> {
        let mut made: Vec<Option<Made>> = components.iter().map(|_| None).collect();
        let waves = dependencies::waves(components);
        for wave in waves.iter().flat_map(|wave| wave.chunks(SIDE_BY_SIDE)) {
            let settings = wave.iter().map(|index| {
                let component = &components[*index];
                self.settings(component, self.needed(component, components, &made))
            });
            let settings = join_all(settings).await;
            for (index, (settings, report)) in wave.iter().zip(settings) {
                made[*index] = Some(self.finish(&components[*index], settings, report));
            }
        }
        made.into_iter().flatten().collect()
    }

    fn needed<'m>(
        &self,
        component: &Component,
        components: &'m [Component],
        made: &'m [Option<Made>],
    ) -> Option<Needed<'m>> {
        let index = component.needs?;
        let (needed, made) = (&components[index], made[index].as_ref()?);
        let was_refused = matches!(needed.plan, Plan::Nothing) && !self.is_lenient;
        Some(Needed {
            name: needed.name.as_str(),
            store: made.store.as_deref(),
            is_told: !needed.ignores_errors && (was_refused || !made.report.problems.is_empty()),
        })
    }

    async fn settings(
        &self,
        component: &Component,
        needed: Option<Needed<'_>>,
    ) -> (Option<Vec<Setting>>, Report) {
        let mut report = Report::new(self.is_lenient);
        let namespace = component.namespace.as_deref().or(self.namespace);
        let settings =
            fetch::settings(component, needed, namespace, self.waiting, &mut report).await;
        (settings, report)
    }

    fn finish(
        &self,
        component: &Component,
        settings: Option<Vec<Setting>>,
        mut report: Report,
    ) -> Made {
        let before = self
            .before
            .and_then(|stores| stores.get(component.name.as_str()));
        let serving = before.and_then(|entry| entry.store.as_ref());
        let mut declared = Declaration {
            written: fingerprint::written(component),
            resolved: None,
            refers: component.refers(),
            is_stale: false,
        };
        let mut is_kept = false;
        let store = match &component.plan {
            Plan::Nothing | Plan::Values => None,
            Plan::Given(store) => {
                is_kept = serving.is_some_and(|serving| Arc::ptr_eq(serving, store));
                Some(Arc::clone(store))
            }
            Plan::Store(blueprint) => {
                let was = before.and_then(|entry| entry.declared.as_ref());
                let same = |fingerprint| {
                    let is_same = was.is_some_and(|was| was.resolved == Some(fingerprint));
                    serving.filter(|_| is_same).cloned()
                };
                let opened = settings.clone().and_then(|settings| {
                    self.open(component, blueprint, settings, same, &mut report)
                });
                match (opened, serving, was) {
                    (Some(opened), ..) => {
                        declared.resolved = Some(opened.fingerprint);
                        is_kept = opened.is_kept;
                        Some(opened.store)
                    }
                    // Nothing about it was edited: a secret that it refers to has changed for the worse.
                    (None, Some(serving), Some(was))
                        if declared.refers && was.written == declared.written =>
                    {
                        (declared.resolved, declared.is_stale) = (was.resolved, true);
                        is_kept = true;
                        stays(component, &mut report);
                        Some(Arc::clone(serving))
                    }
                    _ => None,
                }
            }
        };
        Made {
            settings,
            store,
            is_kept,
            declared,
            report,
        }
    }

    fn open(
        &self,
        component: &Component,
        blueprint: &Blueprint,
        settings: Vec<Setting>,
        same: impl FnOnce(Fingerprint) -> Option<Arc<dyn SecretStore>>,
        report: &mut Report,
    ) -> Option<Opened> {
        let (fingerprint, opener) =
            blueprint.opener(component, settings, self.environment, report)?;
        if let Some(store) = same(fingerprint) {
            return Some(Opened {
                store,
                fingerprint,
                is_kept: true,
            });
        }
        match opener() {
            Ok(store) => Some(Opened {
                store,
                fingerprint,
                is_kept: false,
            }),
            Err(fault) => {
                say_why(component, fault, report);
                None
            }
        }
    }
}

/// A store, new or kept, and what its component said.
struct Opened {
    store: Arc<dyn SecretStore>,
    fingerprint: Fingerprint,
    is_kept: bool,
}

/// What is wrong keeps nothing from working: the store of before serves on.
fn stays(component: &Component, report: &mut Report) {
    report.warnings.append(&mut report.problems);
    report.warn(
        &component.place,
        format!(
            "component {:?} stays as it was, degraded: a secret that it refers to cannot be used now",
            component.name.as_str()
        ),
    );
}

fn say_why(component: &Component, fault: OpenFault, report: &mut Report) {
    let (name, place) = (component.name.as_str(), &component.place);
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
