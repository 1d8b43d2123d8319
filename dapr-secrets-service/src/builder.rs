//! Builds an engine from stores that are values: no files, no YAML.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::engine::{Engine, StoreEntry};
use crate::request::StoreName;
use crate::scope::{CanonicalScope, EntryFault, Scope};
use crate::store::SecretStore;

/// Collects stores and scopes for an [`Engine`].
#[derive(Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct EngineBuilder {
    stores: Vec<(String, Arc<dyn SecretStore>)>,
    scopes: Vec<(String, Scope)>,
}

impl EngineBuilder {
    /// Adds a store. Its name is how callers ask for it.
    pub fn add_store(mut self, name: &str, store: impl SecretStore) -> Self {
        self.stores.push((name.to_owned(), Arc::new(store)));
        self
    }

    /// Says which secrets of a store may be read. Without a scope, all of them.
    pub fn add_scope(mut self, store: &str, scope: Scope) -> Self {
        self.scopes.push((store.to_owned(), scope));
        self
    }

    /// Checks everything and builds the engine.
    ///
    /// # Errors
    ///
    /// The first of the faults that [`ConfigError`] lists.
    pub fn build(self) -> Result<Engine, ConfigError> {
        let mut scopes: HashMap<String, Scope> = HashMap::new();
        for (store, scope) in self.scopes {
            if !self.stores.iter().any(|(name, _)| *name == store) {
                return Err(ConfigError::UnknownScopedStore { store });
            }
            if scopes.insert(store.clone(), scope).is_some() {
                return Err(ConfigError::RepeatedScope { store });
            }
        }
        let entries = self
            .stores
            .into_iter()
            .map(|(name, store)| {
                let scope = scopes.remove(&name).unwrap_or_default();
                entry(&name, store, &scope)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Engine::of(entries).map_err(|name| ConfigError::RepeatedStore {
            name: name.as_str().to_owned(),
        })
    }
}

fn entry(
    name: &str,
    store: Arc<dyn SecretStore>,
    scope: &Scope,
) -> Result<StoreEntry, ConfigError> {
    let checked = StoreName::try_from(name).map_err(|fault| ConfigError::InvalidStoreName {
        name: name.to_owned(),
        reason: fault.reason(),
    })?;
    let (canonical, faults) = CanonicalScope::new(scope, store.as_ref());
    for fault in faults {
        report(name, scope, &fault)?;
    }
    Ok(StoreEntry {
        name: checked,
        component_type: store.component_type().into(),
        version: "v1".into(),
        ignores_errors: false,
        store: Some(store),
        scope: canonical,
        foreign_keys: Mutex::default(),
        #[cfg(feature = "config")]
        declared: None,
    })
}

fn report(store: &str, scope: &Scope, fault: &EntryFault) -> Result<(), ConfigError> {
    match fault {
        EntryFault::NotCanonical(entry, reason) => Err(ConfigError::InvalidScopeEntry {
            store: store.to_owned(),
            entry: scope.entry(*entry).to_owned(),
            reason,
        }),
        EntryFault::Repeated(entry) => {
            tracing::warn!(
                store,
                entry = %scope.entry(*entry).escape_default(),
                "two entries of the scope name the same secret"
            );
            Ok(())
        }
        EntryFault::Unknown(entry) => {
            tracing::warn!(
                store,
                entry = %scope.entry(*entry).escape_default(),
                "a denied entry of the scope is no secret of its store: it denies nothing"
            );
            Ok(())
        }
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.stores.iter().map(|(name, _)| name).collect();
        f.debug_struct("EngineBuilder")
            .field("stores", &names)
            .field("scopes", &self.scopes)
            .finish()
    }
}

/// Why stores and scopes do not make an [`Engine`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The name of a store is empty, too long, or holds a control character.
    #[non_exhaustive]
    InvalidStoreName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two stores have one name.
    #[non_exhaustive]
    RepeatedStore {
        /// The name.
        name: String,
    },
    /// A scope names a store that there is not.
    #[non_exhaustive]
    UnknownScopedStore {
        /// The store that the scope names.
        store: String,
    },
    /// Two scopes name one store.
    #[non_exhaustive]
    RepeatedScope {
        /// The store that both name.
        store: String,
    },
    /// A scope lists a secret that its store cannot hold.
    #[non_exhaustive]
    InvalidScopeEntry {
        /// The store.
        store: String,
        /// The entry, as written.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidStoreName { name, reason } => {
                write!(f, "{name:?} cannot name a secret store: {reason}")
            }
            Self::RepeatedStore { name } => write!(f, "two secret stores are called {name:?}"),
            Self::UnknownScopedStore { store } => {
                write!(f, "a scope names {store:?}, which is no secret store here")
            }
            Self::RepeatedScope { store } => write!(f, "two scopes are given for {store:?}"),
            Self::InvalidScopeEntry {
                store,
                entry,
                reason,
            } => write!(f, "the scope of {store:?} lists {entry:?}: {reason}"),
        }
    }
}

impl StdError for ConfigError {}
