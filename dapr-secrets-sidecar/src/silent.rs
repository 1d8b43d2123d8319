//! A store that never answers, for tests of what bounds the wait for one.

use std::borrow::Cow;
use std::future::pending;

use dapr_secrets_service::{
    BulkPermit, BulkSecrets, Metadata, Permit, SecretMap, SecretStore, StoreError, StoreFuture,
};

pub(crate) struct Silent;

impl SecretStore for Silent {
    fn component_type(&self) -> &str {
        "secretstores.silent"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        Ok(Cow::Borrowed(name))
    }

    fn get<'a>(&'a self, _: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        StoreFuture::boxed(pending())
    }

    fn bulk<'a>(&'a self, _: BulkPermit<'a>, _: &'a Metadata) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::boxed(pending())
    }
}
