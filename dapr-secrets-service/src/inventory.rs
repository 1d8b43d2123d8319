//! What is known of the stores without asking them for secrets: for probes and listings.

use std::fmt;
use std::sync::Arc;

use crate::engine::StoreEntry;

/// What is known of one store without asking it for a secret. It stays that of its moment when the stores are replaced.
#[derive(Clone)]
pub struct StoreStatus(pub(crate) Arc<StoreEntry>);

impl StoreStatus {
    /// The name of the store.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// Its component type, such as `secretstores.local.file`, as the component spells it.
    #[must_use]
    pub fn component_type(&self) -> &str {
        &self.0.component_type
    }

    /// Its component version, as the component spells it; `v1` for a store given as a value.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The features that it advertises.
    #[must_use]
    pub fn capabilities(&self) -> &[&'static str] {
        self.0.store.as_ref().map_or(&[], |store| store.features())
    }

    /// Whether it can be asked for secrets.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.store.is_some()
    }

    /// Whether it serves what it read earlier, because what it reads from cannot be used now, or is what it was
    /// because a secret that its component refers to cannot be used now.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        #[cfg(feature = "config")]
        if self.0.declared.is_some_and(|declared| declared.is_stale) {
            return true;
        }
        let store = self.0.store.as_ref();
        store.is_some_and(|store| store.is_degraded())
    }

    /// Whether its component refers to secrets of another store: then it is to be loaded again when secrets have
    /// changed.
    #[cfg(feature = "config")]
    #[cfg_attr(docsrs, doc(cfg(feature = "config")))]
    #[must_use]
    pub fn refers_to_secrets(&self) -> bool {
        self.0.declared.is_some_and(|declared| declared.refers)
    }

    /// Whether the component says that its start-up errors are to be ignored.
    #[must_use]
    pub fn ignores_errors(&self) -> bool {
        self.0.ignores_errors
    }
}

impl fmt::Debug for StoreStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreStatus")
            .field("name", &self.name())
            .field("component_type", &self.component_type())
            .field("version", &self.version())
            .field("is_ready", &self.is_ready())
            .field("is_degraded", &self.is_degraded())
            .field("ignores_errors", &self.ignores_errors())
            .finish_non_exhaustive()
    }
}
