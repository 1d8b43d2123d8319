//! Step 3: secret stores, the trait that every backend implements, and how it fails. The contract is
//! that of [`SecretStore`].

#[cfg(all(feature = "config", not(all(feature = "file", feature = "env"))))]
pub(crate) mod disabled;
#[cfg(feature = "env")]
pub(crate) mod env;
mod error;
#[cfg(feature = "file")]
pub(crate) mod file;
mod future;
#[cfg(feature = "config")]
#[cfg_attr(
    not(any(feature = "file", feature = "env")),
    allow(dead_code, reason = "without a single store nothing reads settings")
)]
pub(crate) mod registry;

pub use error::{StoreError, StoreErrorKind};
pub use future::StoreFuture;

use std::borrow::Cow;
use std::sync::Arc;

use crate::bulk::BulkSecrets;
use crate::request::Metadata;
use crate::scope::{BulkPermit, Permit};
use crate::secret::SecretMap;

/// A place that secrets are read from.
///
/// # The contract of a store
///
/// 1. A store reads. No method writes, deletes or rotates a secret.
/// 2. [`SecretStore::canonical`] is pure and total: equal secrets have equal canonical names,
///    and the canonical name of a canonical name is itself.
/// 3. A secret is read only with a [`Permit`], by the name that the permit carries; a bulk call
///    asks its [`BulkPermit`] about each name *before* it reads the value, reads what starts with
///    [`Metadata::prefix`] and no more, and answers canonical names.
/// 4. "Not found" is an answer, "broken" is another: a store never gives one for the other, and
///    never an empty map for a failure.
/// 5. An error is a kind and a few fixed words. What a backend sent is no part of it.
/// 6. Bytes that are not UTF-8 are [`StoreErrorKind::Corrupt`]; they are never replaced.
///
/// The feature `testing` has a suite, `testing::conformance`, that asks a store of your own all of this.
///
/// # Security
///
/// Only the scope check makes permits, so a store that is reached without one does not compile.
/// The engine drops what a store's bulk answer holds beyond the scope, should a store break
/// rule 3.
///
/// # How to implement it
///
/// The trait is object-safe. A store that answers from memory returns [`StoreFuture::ready`] and
/// allocates nothing; one that must wait returns [`StoreFuture::boxed`].
///
/// ```
/// use std::borrow::Cow;
/// use dapr_secrets_service::{
///     BulkPermit, BulkSecrets, Metadata, Permit, SecretMap, SecretStore, StoreError,
///     StoreErrorKind, StoreFuture,
/// };
///
/// /// One secret, the same for everyone.
/// struct Constant;
///
/// impl SecretStore for Constant {
///     fn component_type(&self) -> &str {
///         "secretstores.constant"
///     }
///
///     fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
///         Ok(Cow::Borrowed(name))
///     }
///
///     fn get<'a>(&'a self, permit: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
///         StoreFuture::ready(match permit.name() {
///             "answer" => Ok(SecretMap::single(permit.requested_name(), "42")),
///             _ => Err(StoreError::new(StoreErrorKind::NotFound, "")),
///         })
///     }
///
///     fn bulk<'a>(&'a self, permit: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
///         let mut secrets = BulkSecrets::default();
///         if let Some(permit) = permit.check("answer") {
///             secrets.insert(permit.name(), SecretMap::single(permit.name(), "42"));
///         }
///         StoreFuture::ready(Ok(secrets))
///     }
/// }
///
/// let engine = dapr_secrets_service::Engine::builder().add_store("one", Constant).build()?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let secret = engine.get("one", "answer", &Metadata::default()).await?;
/// assert_eq!(secret.get("answer").map(|value| value.expose()), Some("42"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait SecretStore: Send + Sync + 'static {
    /// The component type, such as `secretstores.local.file`.
    fn component_type(&self) -> &str;

    /// The one spelling of `name`: what scopes are checked on and what the store is asked for.
    ///
    /// Pure: no input, no output. The engine has already refused what no store accepts: an empty
    /// name, more than 2,048 bytes, control characters.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::InvalidRequest`] for a name that this store cannot hold.
    fn canonical<'n>(&self, name: &'n str, metadata: &Metadata)
    -> Result<Cow<'n, str>, StoreError>;

    /// Reads the secret that the permit names.
    fn get<'a>(&'a self, permit: Permit<'a>, metadata: &'a Metadata) -> StoreFuture<'a, SecretMap>;

    /// Reads every secret that the permit lets through.
    ///
    /// A name that failed goes to [`BulkSecrets::add_failure`]; the engine decides what follows.
    /// [`BulkSecrets::check_size`] says when there is too much, so that no more needs to be read.
    fn bulk<'a>(
        &'a self,
        permit: BulkPermit<'a>,
        metadata: &'a Metadata,
    ) -> StoreFuture<'a, BulkSecrets>;

    /// Whether there is a secret of this canonical name, for a store that can tell at once: asked
    /// when the engine is built, to warn of a denied entry that denies nothing. `None`: it cannot
    /// tell.
    fn knows(&self, canonical: &str) -> Option<bool> {
        let _ = canonical;
        None
    }

    /// Looks whether what the store reads from has changed, and reads it again if so. Whether there is something new.
    ///
    /// For stores that answer from memory. It may block on files; a store that asks a backend at each
    /// call has nothing to do here. What cannot be read leaves the store with what it has, and is
    /// told by the store itself: once in the log, and by [`SecretStore::is_degraded`].
    fn refresh(&self) -> bool {
        false
    }

    /// Whether the store serves what it read earlier, because what it reads from cannot be used now.
    fn is_degraded(&self) -> bool {
        false
    }

    /// The features to advertise: [`MULTIPLE_KEY_VALUES_PER_SECRET`] or nothing.
    fn features(&self) -> &[&'static str] {
        &[]
    }

    /// The keys of request metadata that mean something to this store alone.
    ///
    /// `prefix`, `partial` and `refresh_cache` belong to every store and are not listed. Any
    /// other key is ignored, with one warning.
    fn request_metadata(&self) -> &[&'static str] {
        &[]
    }
}

impl<S: SecretStore + ?Sized> SecretStore for Arc<S> {
    fn component_type(&self) -> &str {
        (**self).component_type()
    }

    fn canonical<'n>(
        &self,
        name: &'n str,
        metadata: &Metadata,
    ) -> Result<Cow<'n, str>, StoreError> {
        (**self).canonical(name, metadata)
    }

    fn get<'a>(&'a self, permit: Permit<'a>, metadata: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        (**self).get(permit, metadata)
    }

    fn bulk<'a>(
        &'a self,
        permit: BulkPermit<'a>,
        metadata: &'a Metadata,
    ) -> StoreFuture<'a, BulkSecrets> {
        (**self).bulk(permit, metadata)
    }

    fn knows(&self, canonical: &str) -> Option<bool> {
        (**self).knows(canonical)
    }

    fn refresh(&self) -> bool {
        (**self).refresh()
    }

    fn is_degraded(&self) -> bool {
        (**self).is_degraded()
    }

    fn features(&self) -> &[&'static str] {
        (**self).features()
    }

    fn request_metadata(&self) -> &[&'static str] {
        (**self).request_metadata()
    }
}

/// The feature of a store whose secrets may have several keys.
pub const MULTIPLE_KEY_VALUES_PER_SECRET: &str = "MULTIPLE_KEY_VALUES_PER_SECRET";
