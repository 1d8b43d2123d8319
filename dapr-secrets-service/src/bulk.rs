//! The answer to a bulk call, and how large answers may be.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::request::{Metadata, SecretName};
use crate::scope::BulkPermit;
use crate::secret::SecretMap;
use crate::store::{SecretStore, StoreError, StoreErrorKind};

/// Largest single secret: its keys and values together.
const SECRET_BYTES_MAX: usize = 8 << 20;
/// Largest bulk answer: all names, keys and values together.
const BULK_BYTES_MAX: usize = 64 << 20;
/// Most names in a bulk answer.
const BULK_NAMES_MAX: usize = 10_000;

const TOO_LARGE: StoreError =
    StoreError::new(StoreErrorKind::Corrupt, "the secret is larger than 8 MiB");
const TOO_MANY: StoreError = StoreError::new(
    StoreErrorKind::InvalidRequest,
    "more than 10000 names; ask for fewer with the request metadata key `prefix`",
);
const TOO_MUCH: StoreError = StoreError::new(
    StoreErrorKind::InvalidRequest,
    "more than 64 MiB; ask for less with the request metadata key `prefix`",
);

/// The answer to a bulk call: secrets by canonical name, and the names that failed.
///
/// An answer has at most 10,000 names and 64 MiB of names, keys and values; a larger one is an
/// error that advises the request metadata key `prefix`. A secret has at most 8 MiB of keys and
/// values; a larger one is a failure of its name.
#[derive(Debug, Default)]
pub struct BulkSecrets {
    secrets: BTreeMap<Arc<str>, SecretMap>,
    failed: BTreeMap<Box<str>, StoreError>,
    /// Of the names, keys and values in `secrets`.
    bytes: usize,
}

impl BulkSecrets {
    /// Adds a secret under its canonical name. One that is too large is noted as a failure.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, secret: SecretMap) {
        let name = name.into();
        if let Err(error) = check_size(&secret) {
            return self.add_failure(&name, error);
        }
        self.bytes += size(&name, &secret);
        if let Some(replaced) = self.secrets.insert(Arc::clone(&name), secret) {
            self.bytes -= size(&name, &replaced);
        }
    }

    /// Notes that the secret of this canonical name could not be read. A name that has vanished
    /// or is disabled is not a failure: leave it out.
    pub fn add_failure(&mut self, name: &str, error: StoreError) {
        self.failed.insert(name.into(), error);
    }

    /// The secret of this canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretMap> {
        self.secrets.get(name)
    }

    /// Every secret with its name, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &SecretMap)> {
        self.secrets
            .iter()
            .map(|(name, secret)| (name.as_ref(), secret))
    }

    /// Every name that failed with its error, sorted by name. Empty unless the caller asked for
    /// a partial answer.
    pub fn failed(&self) -> impl ExactSizeIterator<Item = (&str, &StoreError)> {
        self.failed.iter().map(|(name, error)| (&**name, error))
    }

    /// The number of secrets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there is no secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Drops what the scope does not let through, should the store have read it all the same,
    /// and what the caller's prefix leaves out.
    ///
    /// Names are compared as the store is asked for them: one that is not its own canonical form
    /// would slip past a list of such forms.
    pub(crate) fn keep_permitted(
        &mut self,
        permit: &BulkPermit<'_>,
        store: &dyn SecretStore,
        metadata: &Metadata,
    ) {
        let is_canonical = |name: &str| {
            SecretName::check(name).is_ok()
                && store
                    .canonical(name, metadata)
                    .is_ok_and(|canonical| canonical == name)
        };
        let keeps = |name: &str| {
            name.starts_with(metadata.prefix())
                && permit.check(name).is_some()
                && is_canonical(name)
        };
        self.secrets.retain(|name, _| keeps(name));
        self.failed.retain(|name, _| keeps(name));
        self.bytes = self.iter().map(|(name, secret)| size(name, secret)).sum();
    }

    /// Whether this is small enough for an answer. A store that asks after each secret stops early.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::InvalidRequest`], which is the answer to the call.
    pub fn check_size(&self) -> Result<(), StoreError> {
        if self.len() > BULK_NAMES_MAX {
            return Err(TOO_MANY);
        }
        if self.bytes > BULK_BYTES_MAX {
            return Err(TOO_MUCH);
        }
        Ok(())
    }
}

fn size(name: &str, secret: &SecretMap) -> usize {
    name.len() + secret.content_len()
}

/// Whether one secret is small enough.
pub(crate) fn check_size(secret: &SecretMap) -> Result<(), StoreError> {
    if secret.content_len() > SECRET_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s31_the_size_is_kept_while_secrets_come_and_go() {
        let value = |mib: usize| SecretMap::single("", "x".repeat(mib << 20));
        let mut answer = BulkSecrets::default();
        for index in 0..9 {
            answer.insert("the same", value(7));
            assert!(answer.check_size().is_ok(), "{index}");
        }
        for index in 0..8 {
            answer.insert(index.to_string(), value(7));
        }
        assert!(answer.check_size().is_ok(), "63 MiB and a few names");
        answer.insert("large", value(9));
        assert!(
            answer.check_size().is_ok(),
            "what is a failure does not count"
        );
        assert_eq!(
            answer.failed().map(|(name, _)| name).collect::<Vec<_>>(),
            ["large"]
        );
        answer.insert("one more", value(1));
        assert!(answer.check_size().is_err());
    }

    #[test]
    fn s31_ten_thousand_names_fit() {
        let mut answer = BulkSecrets::default();
        for index in 0..BULK_NAMES_MAX {
            answer.insert(index.to_string(), SecretMap::single("k", "v"));
        }
        assert!(answer.check_size().is_ok());
        answer.insert("one more", SecretMap::single("k", "v"));
        assert!(answer.check_size().is_err());
    }
}
