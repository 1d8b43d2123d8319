//! A component of any type with the values of its metadata.

use std::fmt;
use std::path::{Path, PathBuf};

use super::component::Component;
use super::item::ItemValue;
use super::problem::Problem;
use super::skipped::Skipped;
use crate::secret::SecretValue;
use crate::store::registry::Setting;

/// Components with the values of their metadata, each after the store that its references are read from.
#[derive(Debug)]
pub struct Components {
    pub(super) resolved: Vec<ResolvedComponent>,
    pub(super) warnings: Vec<Problem>,
    pub(super) skipped: Vec<Skipped>,
}

impl Components {
    /// Every component, in the order in which they can start.
    pub fn iter(&self) -> std::slice::Iter<'_, ResolvedComponent> {
        self.resolved.iter()
    }

    /// The component of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ResolvedComponent> {
        self.iter().find(|component| component.name() == name)
    }

    /// What is odd in the files and keeps nothing from working. In lenient mode also why a component
    /// is not among these.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The components that the files declare for other apps or for another namespace.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

impl IntoIterator for Components {
    type Item = ResolvedComponent;
    type IntoIter = std::vec::IntoIter<ResolvedComponent>;

    fn into_iter(self) -> Self::IntoIter {
        self.resolved.into_iter()
    }
}

impl<'a> IntoIterator for &'a Components {
    type Item = &'a ResolvedComponent;
    type IntoIter = std::slice::Iter<'a, ResolvedComponent>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A component of any type, with the values of its metadata.
///
/// `Debug` prints no value; the values are wiped from memory when it is dropped.
#[derive(Debug)]
pub struct ResolvedComponent {
    api_version: String,
    name: String,
    namespace: Option<String>,
    component_type: String,
    version: String,
    scopes: Vec<String>,
    secret_store: Option<String>,
    path: PathBuf,
    line: Option<usize>,
    metadata: Vec<ResolvedItem>,
}

impl ResolvedComponent {
    pub(super) fn new(component: &Component, settings: Vec<Setting>) -> Self {
        let items = component.items.iter().zip(settings);
        let metadata = items.filter_map(|(item, setting)| {
            let source = match &item.value {
                ItemValue::Variable(name, _) => Source::Variable(name.clone()),
                ItemValue::Secret(of) => Source::Secret {
                    name: of.secret.clone(),
                    key: of.key.clone(),
                },
                ItemValue::Written(_) | ItemValue::Unusable => Source::Written,
            };
            Some(ResolvedItem {
                name: setting.key,
                value: setting.value?.into(),
                source,
            })
        });
        Self {
            api_version: component.api_version.clone(),
            name: component.name.as_str().to_owned(),
            namespace: component.namespace.clone(),
            component_type: component.component_type.clone(),
            version: component.version.clone(),
            scopes: component.scopes.clone(),
            secret_store: component
                .secret_store
                .as_ref()
                .map(|(store, _)| store.clone()),
            path: component.place.path().to_owned(),
            line: component.place.line_number(),
            metadata: metadata.collect(),
        }
    }

    /// `apiVersion`, as written; empty when it is not given.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// `kind`: always `Component`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        "Component"
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `metadata.namespace`, when it is given.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// `spec.type`, such as `state.redis`, as written.
    #[must_use]
    pub fn component_type(&self) -> &str {
        &self.component_type
    }

    /// `spec.version`, as written; empty when it is not given.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `scopes`: the apps that it is for; none stands for every app.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// `auth.secretStore`: where the secrets were read that its metadata refers to.
    #[must_use]
    pub fn secret_store(&self) -> Option<&str> {
        self.secret_store.as_deref()
    }

    /// The file that declares it, as its path was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line of its name, counted from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// `spec.metadata` with its values, in the order of the file.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = &ResolvedItem> {
        self.metadata.iter()
    }

    /// The value of a metadata item. Letter case does not count, as in Dapr.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretValue> {
        self.metadata()
            .find(|item| item.name.eq_ignore_ascii_case(name))
            .map(ResolvedItem::value)
    }
}

/// A metadata item with its value.
#[derive(Debug)]
pub struct ResolvedItem {
    name: String,
    value: SecretValue,
    source: Source,
}

impl ResolvedItem {
    /// Its name, as written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value. It may be a secret, wherever it came from.
    #[must_use]
    pub fn value(&self) -> &SecretValue {
        &self.value
    }

    /// Where the value came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}

/// Where the value of a metadata item came from. `Display` says it in a few words, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `value`: it stood in the file. Templates in it are replaced.
    Written,
    /// `envRef`: this environment variable, byte for byte.
    Variable(String),
    /// `secretKeyRef`: a key of a secret, byte for byte.
    #[non_exhaustive]
    Secret {
        /// The name of the secret.
        name: String,
        /// The key in it.
        key: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("value"),
            Self::Variable(name) => write!(f, "envRef {name:?}"),
            Self::Secret { name, key } => write!(f, "secretKeyRef {name:?}, key {key:?}"),
        }
    }
}
