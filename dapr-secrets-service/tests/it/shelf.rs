//! A store in memory that notes what is read of it, and fails where it is told to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dapr_secrets_service::{
    BulkPermit, BulkSecrets, Metadata, Permit, SecretMap, SecretStore, StoreError, StoreErrorKind,
    StoreFuture,
};

/// Names in any letter case are one secret, as in some backends; `?` has no canonical form.
#[derive(Default)]
pub(crate) struct Shelf {
    content: BTreeMap<String, Result<SecretMap, StoreError>>,
    /// Answers more than it was permitted to, as no store should.
    is_careless: bool,
    pub(crate) reads: Arc<Mutex<Vec<String>>>,
}

impl Shelf {
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let secret = SecretMap::single(name, value);
        self.content.insert(name.to_owned(), Ok(secret));
        self
    }

    pub(crate) fn with_map(mut self, name: &str, secret: SecretMap) -> Self {
        self.content.insert(name.to_owned(), Ok(secret));
        self
    }

    pub(crate) fn failing(mut self, name: &str, error: StoreError) -> Self {
        self.content.insert(name.to_owned(), Err(error));
        self
    }

    pub(crate) fn careless(mut self) -> Self {
        self.is_careless = true;
        self
    }

    fn read(&self, name: &str) -> Result<SecretMap, StoreError> {
        self.reads.lock().expect("sound").push(name.to_owned());
        self.content
            .get(name)
            .cloned()
            .unwrap_or(Err(StoreError::new(StoreErrorKind::NotFound, "")))
    }
}

impl SecretStore for Shelf {
    fn component_type(&self) -> &str {
        "secretstores.shelf"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        if name.contains('?') {
            return Err(StoreError::new(
                StoreErrorKind::InvalidRequest,
                "a name holds no question mark",
            ));
        }
        Ok(Cow::Owned(name.to_lowercase()))
    }

    fn get<'a>(&'a self, permit: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        StoreFuture::boxed(async move {
            tokio::task::yield_now().await;
            self.read(permit.name())
        })
    }

    fn bulk<'a>(&'a self, permit: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::boxed(async move {
            tokio::task::yield_now().await;
            let mut answer = BulkSecrets::default();
            let names: Vec<String> = match permit.listed() {
                Some(listed) => listed.map(|permit| permit.name().to_owned()).collect(),
                None => self.content.keys().cloned().collect(),
            };
            for name in names {
                if !self.is_careless && permit.check(&name).is_none() {
                    continue;
                }
                match self.read(&name) {
                    Ok(secret) => answer.insert(name, secret),
                    Err(error) if error.kind() == StoreErrorKind::NotFound => {}
                    Err(error) => answer.add_failure(&name, error),
                }
            }
            Ok(answer)
        })
    }

    fn request_metadata(&self) -> &[&'static str] {
        &["version_id"]
    }
}

/// A store that never answers; it tells when it was asked, and when the question was dropped.
#[derive(Default)]
#[cfg(feature = "grpc")]
pub(crate) struct Silent {
    asked: Arc<tokio::sync::Notify>,
    dropped: Arc<tokio::sync::Notify>,
}

#[cfg(feature = "grpc")]
impl Silent {
    pub(crate) fn telling(dropped: &Arc<tokio::sync::Notify>) -> Self {
        Self {
            dropped: Arc::clone(dropped),
            ..Self::default()
        }
    }

    pub(crate) fn asked(mut self, asked: &Arc<tokio::sync::Notify>) -> Self {
        self.asked = Arc::clone(asked);
        self
    }

    fn never<T: Send + 'static>(&self) -> StoreFuture<'_, T> {
        struct Telling(Arc<tokio::sync::Notify>);

        impl Drop for Telling {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }

        let telling = Telling(Arc::clone(&self.dropped));
        StoreFuture::boxed(async move {
            let _telling = telling;
            self.asked.notify_one();
            std::future::pending().await
        })
    }
}

#[cfg(feature = "grpc")]
impl SecretStore for Silent {
    fn component_type(&self) -> &str {
        "secretstores.silent"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        Ok(Cow::Borrowed(name))
    }

    fn get<'a>(&'a self, _: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        self.never()
    }

    fn bulk<'a>(&'a self, _: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
        self.never()
    }
}
