//! A store in memory for others to refer to: it counts what is read, and can be made to wait or to fail.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dapr_secrets_service::{
    BulkPermit, BulkSecrets, Metadata, Permit, SecretMap, SecretStore, StoreError, StoreErrorKind,
    StoreFuture,
};

/// Every clone is the same store.
#[derive(Clone, Default)]
pub(crate) struct Vault(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    secrets: BTreeMap<String, Result<SecretMap, StoreErrorKind>>,
    reads: Vec<String>,
    waits: bool,
    /// Answers come once so many reads have begun.
    meeting: usize,
    begun: usize,
}

impl Vault {
    pub(crate) fn put(&self, name: &str, keys: &[(&'static str, &'static str)]) -> &Self {
        let secret = keys.iter().copied().collect();
        let mut inside = self.0.lock().expect("sound");
        inside.secrets.insert(name.to_owned(), Ok(secret));
        drop(inside);
        self
    }

    pub(crate) fn fail(&self, name: &str, kind: StoreErrorKind) -> &Self {
        let mut inside = self.0.lock().expect("sound");
        inside.secrets.insert(name.to_owned(), Err(kind));
        drop(inside);
        self
    }

    /// From now on answers must be waited for.
    pub(crate) fn wait(&self) -> &Self {
        self.0.lock().expect("sound").waits = true;
        self
    }

    /// From now on answers come once so many reads have begun.
    pub(crate) fn meet(&self, reads: usize) -> &Self {
        self.wait();
        self.0.lock().expect("sound").meeting = reads;
        self
    }

    /// What was read since the last time, as `name` or `name@namespace`.
    pub(crate) fn reads(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("sound").reads)
    }

    fn answer(&self, name: &str, namespace: Option<&str>) -> Result<SecretMap, StoreError> {
        let mut inside = self.0.lock().expect("sound");
        inside.begun += 1;
        let at = namespace.map(|namespace| format!("@{namespace}"));
        inside
            .reads
            .push(format!("{name}{}", at.unwrap_or_default()));
        let found = inside.secrets.get(name).cloned();
        let found = found.unwrap_or(Err(StoreErrorKind::NotFound));
        found.map_err(|kind| StoreError::new(kind, "its own words"))
    }
}

impl SecretStore for Vault {
    fn component_type(&self) -> &str {
        "secretstores.vault"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        if name.contains('?') {
            return Err(StoreError::new(
                StoreErrorKind::InvalidRequest,
                "a name holds no question mark",
            ));
        }
        Ok(Cow::Borrowed(name))
    }

    fn get<'a>(&'a self, permit: Permit<'a>, metadata: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        let answer = self.answer(permit.name(), metadata.get("namespace"));
        if !self.0.lock().expect("sound").waits {
            return StoreFuture::ready(answer);
        }
        StoreFuture::boxed(async move {
            tokio::task::yield_now().await;
            let is_alone = || {
                let inside = self.0.lock().expect("sound");
                inside.begun < inside.meeting
            };
            while is_alone() {
                tokio::task::yield_now().await;
            }
            answer
        })
    }

    fn bulk<'a>(&'a self, _: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::ready(Ok(BulkSecrets::default()))
    }

    fn request_metadata(&self) -> &[&'static str] {
        &["namespace"]
    }
}
