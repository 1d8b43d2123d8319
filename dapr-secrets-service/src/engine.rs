//! The one way to a secret, for both APIs and for calls in process: 2 scope, then 3 store. The rules
//! are those of [`Engine`].

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::builder::EngineBuilder;
use crate::bulk::{self, BulkSecrets};
use crate::error::{Error, ErrorKind};
use crate::inventory::StoreStatus;
use crate::request::{InvalidRequest, Metadata, SecretName, StoreName};
use crate::scope::CanonicalScope;
use crate::secret::SecretMap;
use crate::store::{SecretStore, StoreError, StoreErrorKind};

/// Most keys of foreign request metadata that are remembered per store: callers choose them.
const FOREIGN_KEYS_MAX: usize = 64;
/// The keys of request metadata that every store takes.
pub(crate) const COMMON_KEYS: [&str; 3] = ["prefix", "partial", "refresh_cache"];

/// All stores of this process with their scopes. Cheap to clone; every clone is the same engine.
///
/// 1. The store is looked up by its exact name. A store that belongs to other apps is unknown.
/// 2. A store that failed to start is misconfigured, whatever is asked of it.
/// 3. The name becomes the store's canonical name; the [`Scope`](crate::Scope) is checked on that,
///    before anything is read. So a caller without access cannot tell a missing secret from an
///    existing one.
/// 4. Bulk answers are checked against the same scope once more, and by names that are their own
///    canonical form.
///
/// A reader takes no lock; a secret is shared with the store, never copied.
///
/// Stores and scopes can change while requests are served: [`Engine::replace`] takes over those of
/// another engine in one step, for every clone. A request sees the old ones or the new ones,
/// never a mixture.
///
/// # Limits
///
/// A store name has 1 to 256 bytes, a secret name 1 to 2,048, neither with control characters.
/// One secret has at most 8 MiB, a bulk answer at most 64 MiB and 10,000 names.
///
/// ```
/// use dapr_secrets_service::{Engine, ErrorKind, Metadata};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let engine = Engine::builder().build()?;
/// let error = engine.get("vault", "db", &Metadata::default()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::StoresNotConfigured);
/// # Ok::<_, dapr_secrets_service::ConfigError>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine(Arc<ArcSwap<Stores>>);

/// The stores of one moment.
pub(crate) struct Stores {
    in_order: Vec<Arc<StoreEntry>>,
    by_name: HashMap<Box<str>, usize>,
}

/// One store with its scope, as the engine holds it.
pub(crate) struct StoreEntry {
    pub(crate) name: StoreName,
    pub(crate) component_type: Box<str>,
    pub(crate) version: Box<str>,
    pub(crate) ignores_errors: bool,
    /// `None`: it failed to start, and its errors are ignored.
    pub(crate) store: Option<Arc<dyn SecretStore>>,
    pub(crate) scope: CanonicalScope,
    pub(crate) foreign_keys: Mutex<BTreeSet<Box<str>>>,
    /// What its component says; `None` when there is none.
    #[cfg(feature = "config")]
    pub(crate) declared: Option<Declaration>,
}

/// What a component says of its store, to tell what has become of it when its file is read again.
#[cfg(feature = "config")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declaration {
    /// What stands in the file, references unread.
    pub(crate) written: Fingerprint,
    /// The same with all values; `None`: they could not be had.
    pub(crate) resolved: Option<Fingerprint>,
    /// Whether a value is a secret of another store.
    pub(crate) refers: bool,
    /// Whether the store has been left as it was, because such a secret could not be used.
    pub(crate) is_stale: bool,
}

/// Stands for a component's type, version and metadata, with their values, without keeping them: two
/// hashes with keys that this process drew at random.
#[cfg(feature = "config")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u64; 2]);

impl Engine {
    /// Starts with no stores.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Reads one secret.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; in particular [`ErrorKind::PermissionDenied`] comes before
    /// [`ErrorKind::NotFound`].
    pub async fn get(
        &self,
        store: &str,
        name: &str,
        metadata: &Metadata,
    ) -> Result<SecretMap, Error> {
        let stores = self.0.load();
        let entry = stores.find(store)?;
        let failed = |error: StoreError| Error::from_store(&error, store, Some(name));
        let backend = entry.backend().map_err(failed)?;
        SecretName::check(name).map_err(|fault| failed(fault.into()))?;
        entry.check_metadata(backend, metadata).map_err(failed)?;
        let canonical = backend.canonical(name, metadata).map_err(failed)?;
        let permit = entry
            .scope
            .check(entry.name.as_str(), name, &canonical)
            .ok_or_else(|| Error::new(ErrorKind::PermissionDenied, store, Some(name), ""))?;
        let secret = backend.get(permit, metadata).await.map_err(failed)?;
        bulk::check_size(&secret).map_err(failed)?;
        Ok(secret)
    }

    /// Reads every secret of a store that the scope lets through.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. When one name fails, the call fails with that name's error, unless the
    /// metadata asks for `partial`.
    pub async fn bulk(&self, store: &str, metadata: &Metadata) -> Result<BulkSecrets, Error> {
        let stores = self.0.load();
        let entry = stores.find(store)?;
        let failed = |error: StoreError| Error::from_store(&error, store, None);
        let backend = entry.backend().map_err(failed)?;
        entry.check_metadata(backend, metadata).map_err(failed)?;
        let permit = entry.scope.check_bulk(entry.name.as_str());
        let mut answer = backend
            .bulk(permit.again(), metadata)
            .await
            .map_err(failed)?;
        answer.keep_permitted(&permit, backend, metadata);
        if metadata.partial() != Ok(true)
            && let Some((name, error)) = answer.failed().next()
        {
            return Err(Error::from_store(error, store, Some(name)));
        }
        answer.check_size().map_err(failed)?;
        Ok(answer)
    }

    /// Every store of this moment, in the order they were added.
    pub fn stores(
        &self,
    ) -> impl DoubleEndedIterator<Item = StoreStatus> + ExactSizeIterator + use<> {
        let entries = self.0.load().in_order.clone();
        entries.into_iter().map(StoreStatus)
    }

    /// Whether every store whose errors are not ignored is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let stores = self.0.load();
        let mut stores = stores.in_order.iter();
        stores.all(|store| store.store.is_some() || store.ignores_errors)
    }

    /// Takes over the stores and scopes of another engine, for this engine and all its clones.
    ///
    /// It is one step: a request that has begun ends with the stores that it began with, the next
    /// one finds the new ones. What `other` is given later is not taken over.
    ///
    /// ```
    /// use dapr_secrets_service::{Engine, ErrorKind, Metadata};
    /// # use dapr_secrets_service::{Permit, BulkPermit, BulkSecrets, SecretMap, SecretStore, StoreError, StoreFuture};
    /// # struct Constant;
    /// # impl SecretStore for Constant {
    /// #     fn component_type(&self) -> &str { "secretstores.constant" }
    /// #     fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<std::borrow::Cow<'n, str>, StoreError> { Ok(name.into()) }
    /// #     fn get<'a>(&'a self, permit: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
    /// #         StoreFuture::ready(Ok(SecretMap::single(permit.requested_name(), "42")))
    /// #     }
    /// #     fn bulk<'a>(&'a self, _: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
    /// #         StoreFuture::ready(Ok(BulkSecrets::default()))
    /// #     }
    /// # }
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let serving = Engine::builder().build()?;
    /// let error = serving.get("one", "key", &Metadata::default()).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::StoresNotConfigured);
    ///
    /// serving.replace(&Engine::builder().add_store("one", Constant).build()?);
    /// assert!(serving.get("one", "key", &Metadata::default()).await.is_ok());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&self, other: &Self) {
        self.0.store(other.0.load_full());
    }

    /// Has every store look whether what it reads from has changed: [`SecretStore::refresh`].
    ///
    /// It may block on files; in an async program call it where blocking is allowed, for instance once a
    /// second. The answer is the number of stores that read something new.
    pub fn refresh(&self) -> usize {
        let stores = self.0.load_full();
        let opened = stores
            .in_order
            .iter()
            .filter_map(|entry| entry.store.as_deref());
        opened.filter(|store| store.refresh()).count()
    }

    /// The engine of these stores, or the first name that two of them share.
    pub(crate) fn of(in_order: Vec<StoreEntry>) -> Result<Self, StoreName> {
        let mut by_name = HashMap::with_capacity(in_order.len());
        for (index, entry) in in_order.iter().enumerate() {
            if by_name.insert(entry.name.as_str().into(), index).is_some() {
                return Err(entry.name.clone());
            }
        }
        let in_order = in_order.into_iter().map(Arc::new).collect();
        let stores = Stores { in_order, by_name };
        Ok(Self(Arc::new(ArcSwap::from_pointee(stores))))
    }

    /// The stores of this moment, for one that compares them with others.
    #[cfg(feature = "config")]
    pub(crate) fn snapshot(&self) -> Arc<Stores> {
        self.0.load_full()
    }
}

impl Stores {
    #[cfg(feature = "config")]
    pub(crate) fn get(&self, name: &str) -> Option<&StoreEntry> {
        self.by_name.get(name).map(|index| &*self.in_order[*index])
    }

    fn find(&self, store: &str) -> Result<&StoreEntry, Error> {
        match self.by_name.get(store) {
            Some(index) => Ok(&self.in_order[*index]),
            None if self.in_order.is_empty() => {
                Err(Error::new(ErrorKind::StoresNotConfigured, store, None, ""))
            }
            None => Err(Error::new(ErrorKind::StoreNotFound, store, None, "")),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.stores()).finish()
    }
}

impl StoreEntry {
    fn backend(&self) -> Result<&dyn SecretStore, StoreError> {
        const FAILED: StoreError = StoreError::new(
            StoreErrorKind::Misconfigured,
            "the store failed to initialise",
        );
        self.store.as_deref().ok_or(FAILED)
    }

    /// Refuses values that cannot be right, and warns once of each key that means nothing here.
    fn check_metadata(
        &self,
        store: &dyn SecretStore,
        metadata: &Metadata,
    ) -> Result<(), StoreError> {
        metadata.partial()?;
        metadata.refresh_cache()?;
        for (key, value) in metadata.iter() {
            let is_known = COMMON_KEYS.contains(&key) || store.request_metadata().contains(&key);
            if !is_known && !value.is_empty() {
                self.warn_of_foreign_key(key);
            }
        }
        Ok(())
    }

    fn warn_of_foreign_key(&self, key: &str) {
        let mut seen = self
            .foreign_keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if seen.len() < FOREIGN_KEYS_MAX && seen.insert(key.into()) {
            tracing::warn!(
                store = self.name.as_str(),
                key = %key.chars().take(64).collect::<String>().escape_default(),
                "request metadata key means nothing to this store and is ignored"
            );
        }
    }
}

impl From<InvalidRequest> for StoreError {
    fn from(fault: InvalidRequest) -> Self {
        Self::new(StoreErrorKind::InvalidRequest, fault.reason())
    }
}
