//! The store that is asked, with what is known of it. Every call goes through here, so that a panic is a finding.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use super::Check;
use super::violation::Findings;
use crate::bulk::BulkSecrets;
use crate::request::Metadata;
use crate::scope::{CanonicalScope, Scope};
use crate::secret::SecretMap;
use crate::store::{
    MULTIPLE_KEY_VALUES_PER_SECRET, SecretStore, StoreError, StoreErrorKind, StoreFuture,
};

/// The name of the store, as its component would be called.
const STORE: &str = "conformance";

/// Why a call gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Error(StoreError),
    Panic,
}

impl Failure {
    /// In a sentence that begins with the call: "... failed as Timeout".
    pub(super) fn told(&self) -> String {
        match self {
            Self::Error(error) => format!("failed as {}", error.kind().as_str()),
            Self::Panic => "panicked".to_owned(),
        }
    }

    pub(super) fn is_miss(&self) -> bool {
        matches!(self.kind(), Some(kind) if is_miss(kind))
    }

    pub(super) fn kind(&self) -> Option<StoreErrorKind> {
        match self {
            Self::Error(error) => Some(error.kind()),
            Self::Panic => None,
        }
    }
}

fn is_miss(kind: StoreErrorKind) -> bool {
    matches!(
        kind,
        StoreErrorKind::NotFound | StoreErrorKind::Unset | StoreErrorKind::VersionNotFound
    )
}

/// A secret that the store holds.
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    pub(super) canonical: String,
    /// Sorted by key.
    pub(super) keys: Vec<(&'a str, &'a str)>,
}

impl Known<'_> {
    pub(super) fn is(&self, secret: &SecretMap) -> bool {
        let answered = secret.iter().map(|(key, value)| (key, value.expose()));
        answered.eq(self.keys.iter().copied())
    }

    /// Whether these are its values, whatever their keys are called.
    pub(super) fn has_values_of(&self, secret: &SecretMap) -> bool {
        let mut answered: Vec<_> = secret.iter().map(|(_, value)| value.expose()).collect();
        let mut known: Vec<_> = self.keys.iter().map(|(_, value)| *value).collect();
        answered.sort_unstable();
        known.sort_unstable();
        answered == known
    }
}

/// A store that has canonical names for what is known of it.
pub(super) struct Subject<'a> {
    pub(super) store: &'a dyn SecretStore,
    pub(super) known: Vec<Known<'a>>,
    /// Each name with its canonical form.
    pub(super) missing: Vec<(&'a str, String)>,
}

impl<'a> Subject<'a> {
    /// `None` when a name has no canonical form, which is a finding: then there is nothing to go on with.
    pub(super) fn new(
        store: &'a dyn SecretStore,
        known: &[(&'a str, &'a [(&'a str, &'a str)])],
        missing: &[&'a str],
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut canonical = |name: &str| {
            canonical(store, name, &Metadata::default())
                .map_err(|failure| {
                    let check = match failure {
                        Failure::Error(_) => Check::CanonicalAccepts,
                        Failure::Panic => Check::Panic,
                    };
                    findings.add(check, format!("canonical({name:?}) {}", failure.told()));
                })
                .ok()
        };
        let known: Vec<_> = known
            .iter()
            .map(|(name, keys)| {
                let mut keys = keys.to_vec();
                keys.sort_unstable();
                canonical(name).map(|canonical| Known {
                    name,
                    canonical,
                    keys,
                })
            })
            .collect();
        let missing: Vec<_> = missing
            .iter()
            .map(|name| canonical(name).map(|canonical| (*name, canonical)))
            .collect();
        Some(Self {
            store,
            known: known.into_iter().collect::<Option<_>>()?,
            missing: missing.into_iter().collect::<Option<_>>()?,
        })
    }

    pub(super) fn is_multiple(&self) -> bool {
        self.store
            .features()
            .contains(&MULTIPLE_KEY_VALUES_PER_SECRET)
    }

    pub(super) fn canonical(&self, name: &str, metadata: &Metadata) -> Result<String, Failure> {
        canonical(self.store, name, metadata)
    }

    /// Reads the secret of a canonical name for a caller who asked for `requested`.
    pub(super) async fn get(
        &self,
        canonical: &str,
        requested: &str,
        metadata: &Metadata,
    ) -> Result<SecretMap, Failure> {
        let open = CanonicalScope::default();
        let permit = open
            .check(STORE, requested, canonical)
            .expect("an open scope permits everything");
        call(|| self.store.get(permit, metadata)).await
    }

    /// Begins a call and gives it up.
    pub(super) async fn begin(&self, canonical: &str) {
        let open = CanonicalScope::default();
        let metadata = Metadata::default();
        let permit = open
            .check(STORE, canonical, canonical)
            .expect("an open scope permits everything");
        let begun = catch_unwind(AssertUnwindSafe(|| self.store.get(permit, &metadata)));
        if let Ok(mut future) = begun {
            poll_fn(|context| {
                // What it comes to is asked elsewhere.
                let poll = || Pin::new(&mut future).poll(context).is_ready();
                let _ = catch_unwind(AssertUnwindSafe(poll));
                Poll::Ready(())
            })
            .await;
        }
    }

    /// Reads every secret that a scope of canonical names lets through.
    pub(super) async fn bulk(
        &self,
        scope: &Scope,
        metadata: &Metadata,
    ) -> Result<BulkSecrets, Failure> {
        let made = || CanonicalScope::new(scope, self.store);
        let (scope, _) = catch_unwind(AssertUnwindSafe(made)).map_err(|_panic| Failure::Panic)?;
        let permit = scope.check_bulk(STORE);
        call(|| self.store.bulk(permit, metadata)).await
    }
}

fn canonical(store: &dyn SecretStore, name: &str, metadata: &Metadata) -> Result<String, Failure> {
    let asked = || store.canonical(name, metadata).map(String::from);
    catch_unwind(AssertUnwindSafe(asked))
        .map_err(|_panic| Failure::Panic)?
        .map_err(Failure::Error)
}

async fn call<'a, T>(make: impl FnOnce() -> StoreFuture<'a, T>) -> Result<T, Failure> {
    let mut future = catch_unwind(AssertUnwindSafe(make)).map_err(|_panic| Failure::Panic)?;
    poll_fn(|context| {
        let poll = || Pin::new(&mut future).poll(context);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => Poll::Ready(answer.map_err(Failure::Error)),
            Err(_panic) => Poll::Ready(Err(Failure::Panic)),
        }
    })
    .await
}
