//! Components of any type with the values that their metadata refers to.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::blueprint::Blueprint;
use super::component::{Component, Plan, Wanted};
use super::dependencies;
use super::loader::{Declared, Loader, is_same_file};
use super::making::Maker;
use super::problem::{Place, Problems, Report};
use super::resolved::{Components, ResolvedComponent};
use super::waiting::{Waiting, at_once};
use crate::store::registry::faults_of_keys;

/// Loads components of any type, state stores and brokers too, with the values that their metadata
/// refers to.
///
/// 1. `secretKeyRef` is read from the secret store that `auth.secretStore` names: one of the folders
///    of the [`Loader`], or one given to [`Loader::add_store`]. `envRef` is read from the
///    environment. Both are taken byte for byte; templates are replaced in a literal `value` alone.
/// 2. A store may refer to another in turn. Only the stores that something refers to are opened.
/// 3. A secret is read once for a component, however many items use it. The scopes of a
///    configuration do not apply: they bind the app, and configuration files are not read here.
/// 4. Every mistake is told with file and line: a store or a secret that is not there, a missing key, an
///    empty value, a cycle with all who are on it. If there is one, nothing is given.
/// 5. Components of another namespace, and those whose `scopes` do not list this app, are left out.
///
/// In lenient mode, and where a component says `ignoreErrors: true`, one whose values cannot be had is left out
/// with a warning; but not when a file is asked for.
///
#[cfg_attr(feature = "file", doc = "```")]
#[cfg_attr(not(feature = "file"), doc = "```text")]
/// use dapr_secrets_service::FileStore;
/// use dapr_secrets_service::config::{ComponentLoader, Loader};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let component = "
/// kind: Component
/// metadata: {name: orders}
/// auth: {secretStore: local}
/// spec:
///   type: state.redis
///   version: v1
///   metadata:
///   - {name: redisHost, value: 'localhost:6379'}
///   - {name: redisPassword, secretKeyRef: {name: 'redis:password'}}
/// ";
/// std::fs::write(folder.path().join("orders.yaml"), component)?;
/// // Or a component of the type `secretstores.local.file` in the same folder.
/// let local = FileStore::builder().parse(r#"{"redis": {"password": "hunter2"}}"#)?;
///
/// let loader = Loader::new()
///     .add_resources_path(folder.path())
///     .add_store("local", local);
/// let components = ComponentLoader::new(loader).load()?;
///
/// let orders = components.get("orders").ok_or("no component `orders`")?;
/// assert_eq!(orders.component_type(), "state.redis");
/// let password = orders.get("redisPassword").ok_or("no password")?;
/// assert_eq!(password.expose(), "hunter2");
/// assert!(!format!("{components:?}").contains("hunter2"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a loader does nothing until it loads"]
pub struct ComponentLoader(Loader);

impl ComponentLoader {
    /// Loads what this loader says, for the app and the namespace that it names.
    pub fn new(loader: Loader) -> Self {
        Self(loader)
    }

    /// Loads every component of the folders.
    ///
    /// # Errors
    ///
    /// Every problem of every file and of every reference. A store that does not answer at once is
    /// one: all stores of this crate do, and for one of your own there is [`ComponentLoader::load_async`].
    pub fn load(self) -> Result<Components, Problems> {
        at_once(self.resolve(None, Waiting::Never)).expect("nothing is waited for")
    }

    /// As [`ComponentLoader::load`], and waits for stores that do not answer at once.
    ///
    /// # Errors
    ///
    /// As [`ComponentLoader::load`].
    pub async fn load_async(self) -> Result<Components, Problems> {
        self.resolve(None, Waiting::Patient).await
    }

    /// Loads the components of one file, in a folder or not. Those of the folders are read for the stores that it
    /// refers to.
    ///
    /// # Errors
    ///
    /// As [`ComponentLoader::load`], but references of other components are not looked at. A file
    /// that declares no component, or none for this app, is an error too, and so is a component of it that
    /// would be left out.
    pub fn load_file(self, file: impl AsRef<Path>) -> Result<Components, Problems> {
        let file = file.as_ref();
        at_once(self.resolve(Some(file), Waiting::Never)).expect("nothing is waited for")
    }

    /// As [`ComponentLoader::load_file`], and waits for stores that do not answer at once.
    ///
    /// # Errors
    ///
    /// As [`ComponentLoader::load_file`].
    pub async fn load_file_async(self, file: impl AsRef<Path>) -> Result<Components, Problems> {
        let file = file.as_ref().to_owned();
        self.resolve(Some(&file), Waiting::Patient).await
    }

    async fn resolve(self, file: Option<&Path>, waiting: Waiting) -> Result<Components, Problems> {
        let loader = self.0;
        let mut report = Report::new(loader.is_lenient);
        let Declared {
            mut components,
            skipped,
        } = loader.read_components(Wanted::Values, file, &mut report);
        let is_asked_for = |component: &Component| match file {
            None => true,
            Some(file) => is_same_file(component.place.path(), file),
        };
        if let Some(file) = file {
            if !components.iter().any(is_asked_for) && report.problems.is_empty() {
                let place = Place::file(file.to_owned());
                let other = skipped
                    .iter()
                    .find(|other| is_same_file(other.path(), file));
                let message = other.map_or_else(
                    || "there is no document of kind Component here".to_owned(),
                    |other| format!("no component for this app: {other}"),
                );
                report.error(&place, message);
            }
            keep_needed(&mut components, is_asked_for);
        }
        dependencies::link(&mut components, &skipped, &mut report);
        check(&mut components, &loader, &mut report);
        let maker = Maker {
            environment: &loader.environment,
            namespace: loader.namespace.as_deref(),
            before: None,
            waiting,
            is_lenient: loader.is_lenient,
        };
        let made = maker.make(&components).await;
        let mut resolved: Vec<Option<ResolvedComponent>> = Vec::with_capacity(components.len());
        let mut is_left_out = false;
        for (component, made) in components.iter().zip(made) {
            made.report.pass_to(&mut report, component.ignores_errors);
            let is_wanted = is_asked_for(component) && !matches!(component.plan, Plan::Given(_));
            let is_sound = !matches!(component.plan, Plan::Nothing);
            let settings = made.settings.filter(|_| is_wanted && is_sound);
            is_left_out |= is_wanted && settings.is_none();
            resolved.push(settings.map(|settings| ResolvedComponent::new(component, settings)));
        }
        if is_left_out && file.is_some() {
            report.problems.append(&mut report.warnings);
        }
        Problems::of(report.problems)?;
        let order = dependencies::waves(&components);
        let resolved = order
            .into_iter()
            .flatten()
            .filter_map(|index| resolved[index].take());
        Ok(Components {
            resolved: resolved.collect(),
            warnings: report.warnings,
            skipped,
        })
    }
}

impl From<Loader> for ComponentLoader {
    fn from(loader: Loader) -> Self {
        Self::new(loader)
    }
}

/// Drops every component that is not asked for, and that nothing which is asked for refers to.
fn keep_needed(components: &mut Vec<Component>, is_asked_for: impl Fn(&Component) -> bool) {
    let by_name: HashMap<&str, &Component> = components
        .iter()
        .map(|component| (component.name.as_str(), component))
        .collect();
    let mut needed = HashSet::new();
    for component in components
        .iter()
        .filter(|component| is_asked_for(component))
    {
        let mut at = Some(component);
        while let Some(component) = at.filter(|component| needed.insert(component.name.clone())) {
            let store = component.secret_store.as_ref();
            let store = store.filter(|_| component.refers());
            at = store.and_then(|(store, _)| by_name.get(store.as_str()).copied());
        }
    }
    let is_given = |component: &Component| matches!(component.plan, Plan::Given(_));
    components.retain(|component| needed.contains(&component.name) || is_given(component));
}

/// Makes stores of those that something refers to, and looks at the keys of all others.
fn check(components: &mut [Component], loader: &Loader, report: &mut Report) {
    let needed: HashSet<usize> = components
        .iter()
        .filter_map(|component| component.needs)
        .collect();
    for (index, component) in components.iter_mut().enumerate() {
        if !matches!(component.plan, Plan::Values) {
            continue;
        }
        let mut own = Report::new(report.is_lenient);
        let plan = if needed.contains(&index) {
            Blueprint::of(component, &loader.environment, &mut own).map(Plan::Store)
        } else {
            check_keys(component, &mut own);
            Some(Plan::Values)
        };
        let plan = plan.filter(|_| own.problems.is_empty());
        component.plan = plan.unwrap_or(Plan::Nothing);
        own.pass_to(report, component.ignores_errors);
    }
}

/// Two keys that are equal but for letter case; which keys there are is for the component's own type to say.
fn check_keys(component: &Component, report: &mut Report) {
    let given: Vec<_> = component
        .items
        .iter()
        .map(|item| item.setting(None))
        .collect();
    for fault in faults_of_keys(&given, None) {
        report.error(
            &component.place_of(fault.line),
            format!("component {:?}: {}", component.name.as_str(), fault.message),
        );
    }
}
