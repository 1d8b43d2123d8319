//! Loads the files and checks them against each other.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::component::{Component, Found, Reader, Wanted};
use super::dependencies;
use super::fields::report_oddities;
use super::files::{self, FilesState};
use super::open::Config;
use super::problem::{Place, Problems, Report};
use super::scopes::{self, WrittenScope};
use super::skipped::Skipped;
use super::suggest::did_you_mean_or_known;
use super::yaml::Document;
use crate::environment::{Environment, ProcessEnvironment};
use crate::request::StoreName;
use crate::scope::{Access, Scope};
use crate::store::SecretStore;

/// Says which files to load, and for whom.
///
/// A clone says the same, for loading again.
#[derive(Clone)]
#[must_use = "a loader does nothing until it loads"]
pub struct Loader {
    resources: Vec<PathBuf>,
    configurations: Vec<PathBuf>,
    stores: Vec<(String, Arc<dyn SecretStore>)>,
    pub(super) app_id: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) is_lenient: bool,
    pub(super) environment: Arc<dyn Environment>,
}

impl Loader {
    /// No files, no app id, strict, the environment of this process.
    pub fn new() -> Self {
        Self {
            resources: Vec::new(),
            configurations: Vec::new(),
            stores: Vec::new(),
            app_id: None,
            namespace: None,
            is_lenient: false,
            environment: Arc::new(ProcessEnvironment),
        }
    }

    /// Adds a folder of component files.
    pub fn add_resources_path(mut self, folder: impl Into<PathBuf>) -> Self {
        self.resources.push(folder.into());
        self
    }

    /// Adds a configuration file. Each of its documents must be a `Configuration`.
    pub fn add_configuration(mut self, file: impl Into<PathBuf>) -> Self {
        self.configurations.push(file.into());
        self
    }

    /// Adds a store of your own: it is served with those of the files, their `secretKeyRef`s may refer to
    /// it, and scopes may name it.
    pub fn add_store(mut self, name: impl Into<String>, store: impl SecretStore) -> Self {
        self.stores.push((name.into(), Arc::new(store)));
        self
    }

    /// The id of this app. Without one, components that are scoped to apps are skipped.
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.app_id = Some(app_id.into());
        self
    }

    /// The namespace of this app. Components that name another one are skipped; without a
    /// namespace none is.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Whether to go on where daprd would, with warnings.
    pub fn lenient(mut self, is_lenient: bool) -> Self {
        self.is_lenient = is_lenient;
        self
    }

    /// Where `local.env`, `envRef` and templates read variables from.
    pub fn environment(mut self, environment: impl Environment) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    /// The state of the files that [`Loader::load`] would read: take it before loading, and load again when it
    /// differs and has been the same twice, so that a file that is being written is not read half.
    #[must_use]
    pub fn files_state(&self) -> FilesState {
        FilesState::of(&self.resources, &self.configurations)
    }

    /// Reads and checks the files. Stores are not opened yet.
    ///
    /// # Errors
    ///
    /// Every problem of every file. If there is one, the stores that are sound so far are opened
    /// as well, so that what is wrong with their own files is reported in the same go.
    pub fn load(self) -> Result<Config, Problems> {
        let mut report = Report::new(self.is_lenient);
        let mut declared = self.read_components(Wanted::Stores, None, &mut report);
        dependencies::link(&mut declared.components, &declared.skipped, &mut report);
        let scopes = self.read_scopes(&declared, &mut report);
        let config = Config {
            components: declared.components,
            scopes,
            is_lenient: self.is_lenient,
            namespace: self.namespace,
            environment: self.environment,
            warnings: report.warnings,
            skipped: declared.skipped,
        };
        if report.problems.is_empty() {
            return Ok(config);
        }
        report.problems.extend(config.look_ahead());
        Problems::of(report.problems).map(|()| config)
    }

    /// The components of the folders, and of one more file when that is in none of them.
    pub(super) fn read_components(
        &self,
        wanted: Wanted,
        file: Option<&Path>,
        report: &mut Report,
    ) -> Declared {
        let reader = Reader {
            app_id: self.app_id.clone(),
            namespace: self.namespace.clone(),
            environment: Arc::clone(&self.environment),
            wanted,
        };
        let mut declared = Declared::default();
        for (name, store) in &self.stores {
            let place = Place::file(PathBuf::from("(stores given as values)"));
            match StoreName::try_from(name.as_str()) {
                Ok(name) => declared.add(Component::given(name, Arc::clone(store), place), report),
                Err(fault) => {
                    let message = format!("{name:?} cannot name a secret store: {fault}");
                    report.error(&place, message);
                }
            }
        }
        let mut paths = Vec::new();
        for folder in &self.resources {
            paths.extend(files::in_folder(folder, report));
        }
        if let Some(file) = file
            && !paths.iter().any(|path| is_same_file(path, file))
        {
            paths.push(file.to_owned());
        }
        for path in paths {
            let (file, documents) = files::documents(&path, Report::strict, report);
            for document in &documents {
                match reader.read(document, &file, report) {
                    Found::Other => self.warn_of_lost_scopes(document, &path, report),
                    Found::Skipped(skipped) => declared.skipped.push(skipped),
                    Found::Component(component) => declared.add(*component, report),
                }
            }
        }
        declared
    }

    /// A configuration in a resources folder is read by nobody, unless it is also given as one.
    fn warn_of_lost_scopes(&self, document: &Document, path: &Path, report: &mut Report) {
        let Some(line) = scopes::secrets_line(document) else {
            return;
        };
        let is_given = self
            .configurations
            .iter()
            .any(|given| is_same_file(given, path));
        if scopes::is_configuration(document) && !is_given {
            report.warn(
                &Place::file(path.to_owned()).line(line),
                "the scopes of a Configuration in a resources folder are not applied: give the file with --config",
            );
        }
    }

    fn read_scopes(
        &self,
        declared: &Declared,
        report: &mut Report,
    ) -> HashMap<StoreName, WrittenScope> {
        let mut by_store: HashMap<StoreName, WrittenScope> = HashMap::new();
        for path in &self.configurations {
            let before = report.problems.len();
            // Never let pass: scopes that are lost would open what they close.
            let (file, documents) = files::documents(path, Report::error, report);
            let mut is_empty = report.problems.len() == before;
            for document in documents.iter().filter(|doc| !doc.root.is_null()) {
                is_empty = false;
                report_oddities(document, &file, report);
                if !document.root.is_mapping() {
                    report.error(
                        &file.line(document.root.line),
                        "a document of a configuration file is no mapping: write `kind: Configuration` and its other fields",
                    );
                    continue;
                }
                if !scopes::is_configuration(document) {
                    report.error(
                        &file.line(document.root.line),
                        "a document of a configuration file whose kind is not Configuration: write `kind: Configuration`, or move it to another file",
                    );
                    continue;
                }
                for written in scopes::read(document, &file, report) {
                    add_scope(written, declared, &mut by_store, report);
                }
            }
            if is_empty {
                report.error(
                    &file,
                    "there is no document of kind Configuration here: give a file that has one",
                );
            }
        }
        by_store
    }
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("resources", &self.resources)
            .field("configurations", &self.configurations)
            .field("app_id", &self.app_id)
            .field("namespace", &self.namespace)
            .field("is_lenient", &self.is_lenient)
            .finish_non_exhaustive()
    }
}

/// The components that the files declare.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) components: Vec<Component>,
    pub(super) skipped: Vec<Skipped>,
}

impl Declared {
    fn add(&mut self, component: Component, report: &mut Report) {
        let name = &component.name;
        match self.components.iter().find(|other| other.name == *name) {
            Some(first) => report.error(
                &component.place,
                format!(
                    "two components are called {:?}: {} and {}; give one of them another name",
                    name.as_str(),
                    first.place,
                    component.place
                ),
            ),
            None => self.components.push(component),
        }
    }

    fn knows(&self, name: &StoreName) -> bool {
        let name = name.as_str();
        self.skipped.iter().any(|other| other.name() == name)
            || self
                .components
                .iter()
                .any(|other| other.name.as_str() == name)
    }
}

/// Whether two paths lead to one file; `false` when either leads nowhere.
pub(super) fn is_same_file(left: &Path, right: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    canonical(left).is_some_and(|left| Some(left) == canonical(right))
}

fn add_scope(
    written: WrittenScope,
    declared: &Declared,
    by_store: &mut HashMap<StoreName, WrittenScope>,
    report: &mut Report,
) {
    let name = StoreName::try_from(written.store.as_str())
        .ok()
        .filter(|name| declared.knows(name));
    let Some(name) = name else {
        let stores = declared.components.iter();
        let known: Vec<_> = stores.map(|store| store.name.as_str()).collect();
        let suggestion = did_you_mean_or_known(&written.store, &known);
        report.strict(
            &written.place,
            format!(
                "a secret scope names {:?}, which is no secret store here{suggestion}",
                written.store
            ),
        );
        return;
    };
    if let Some(first) = by_store.get_mut(&name) {
        report.strict(
            &written.place,
            format!(
                "two secret scopes name {:?}: {} and {}; write them as one",
                written.store, first.place, written.place
            ),
        );
        // Which of the two is meant is unclear: nothing is let through.
        first.scope = Scope::default().with_default_access(Access::Deny);
        return;
    }
    by_store.insert(name, written);
}
