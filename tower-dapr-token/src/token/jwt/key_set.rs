//! [`KeySet`]: the keys of one issuer at one moment, and which of them a token may be verified with (`T3`).

use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};

use super::algorithm::{AlgorithmName, Algorithms};
use super::backend::Backend;
use super::header::Kid;
use super::jwk::{self, KeySetError, MAX_KEYS, Origin, Skipped};
use super::key::{Key, KeyId, KeySpec, UnusableKey};
use super::local_keys::unusable;
use crate::error::ConfigError;
use crate::inbound::RejectionKind;

/// How many keys one token is verified with at most.
const MAX_TRIED: usize = 4;

/// Keys that do not change. A change is another set.
pub(crate) struct KeySet {
    keys: Box<[Key]>,
}

/// Why no key is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoKey {
    pub(super) kind: RejectionKind,
    /// The token names a key that is not in the set: the next set may have it.
    pub(super) is_unknown_kid: bool,
}

impl NoKey {
    fn known(kind: RejectionKind) -> Self {
        Self {
            kind,
            is_unknown_kid: false,
        }
    }
}

impl KeySet {
    /// Reads a document of keys. A key that cannot be used, or that is for none of the allowed algorithms, is
    /// skipped and counted; a document without any other is an error (`T8`).
    #[cfg_attr(
        not(feature = "jwks"),
        allow(dead_code, reason = "for keys that are fetched")
    )]
    pub(crate) fn parse_jwks(
        document: &[u8],
        origin: Origin,
        backend: Backend,
        allowed: Algorithms,
    ) -> Result<(Self, Skipped), KeySetError> {
        let (specs, mut skipped) = jwk::parse(document, origin)?;
        let (set, more) = Self::new(&specs, backend, allowed);
        skipped.join(more);
        if set.keys.is_empty() {
            return Err(KeySetError::NoUsableKey(skipped.reasons().first().copied()));
        }
        Ok((set, skipped))
    }

    /// Builds the keys that this backend takes. At most 64; a key that stands twice is taken once.
    pub(super) fn new(specs: &[KeySpec], backend: Backend, allowed: Algorithms) -> (Self, Skipped) {
        let mut keys: Vec<Key> = Vec::with_capacity(specs.len().min(MAX_KEYS));
        let mut skipped = Skipped::default();
        for spec in specs.iter().take(MAX_KEYS) {
            let spec = KeySpec {
                algorithms: spec.algorithms.and(allowed),
                ..spec.clone()
            };
            match Key::new(&spec, backend) {
                Ok(key) if keys.iter().any(|other| other.id() == key.id()) => {}
                Ok(key) => keys.push(key),
                Err(reason) => skipped.add(reason),
            }
        }
        let keys = keys.into();
        (Self { keys }, skipped)
    }

    /// The keys of local configuration that a layer begins with; at least one.
    pub(super) fn of_configuration(
        specs: &[KeySpec],
        backend: Backend,
        allowed: Algorithms,
    ) -> Result<Self, ConfigError> {
        let (set, skipped) = Self::new(specs, backend, allowed);
        if set.keys.is_empty() {
            let reason = skipped.reasons().first().copied();
            return Err(unusable(reason.unwrap_or(UnusableKey::Algorithm)));
        }
        Ok(set)
    }

    /// The first reason for which a key that was given by itself is of no use.
    pub(super) fn first_useless(
        specs: &[KeySpec],
        backend: Backend,
        allowed: Algorithms,
    ) -> Option<UnusableKey> {
        specs.iter().filter(|spec| spec.by_itself).find_map(|spec| {
            Self::new(std::slice::from_ref(spec), backend, allowed)
                .1
                .reasons()
                .first()
                .copied()
        })
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether this very key is among them.
    pub(super) fn holds(&self, id: &KeyId) -> bool {
        self.keys.iter().any(|key| key.id() == *id)
    }

    /// The keys to try, at least one and at most four.
    pub(super) fn candidates(
        &self,
        kid: Option<&Kid>,
        algorithm: AlgorithmName,
        allow_kidless: bool,
    ) -> Result<Vec<&Key>, NoKey> {
        let fitting = |keys: &mut dyn Iterator<Item = &Key>| -> Result<(), NoKey> {
            if keys.next().is_some() {
                Ok(())
            } else {
                Err(NoKey::known(RejectionKind::Algorithm))
            }
        };
        let admitted = |key: &&Key| key.admits(algorithm);
        let Some(kid) = kid else {
            fitting(&mut self.keys.iter().filter(admitted))?;
            let fits: Vec<_> = self.keys.iter().filter(admitted).take(MAX_TRIED).collect();
            return if fits.len() == 1 || allow_kidless {
                Ok(fits)
            } else {
                Err(NoKey::known(RejectionKind::Key))
            };
        };
        let is_known = self.keys.iter().any(|key| key.is_named(kid));
        let named = |key: &&Key| {
            if is_known {
                key.is_named(kid)
            } else {
                key.fits_any_name()
            }
        };
        if !self.keys.iter().any(|key| named(&key)) {
            return Err(NoKey {
                kind: RejectionKind::Key,
                is_unknown_kid: true,
            });
        }
        let named = || self.keys.iter().filter(named).filter(admitted);
        fitting(&mut named())?;
        Ok(named().take(MAX_TRIED).collect())
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys.len())
            .finish()
    }
}

/// The set in force. Whoever holds it may put another one in its place; who reads takes no lock.
#[derive(Clone)]
pub(crate) struct KeySlot(Arc<ArcSwapOption<KeySet>>);

impl KeySlot {
    /// No keys yet: every token is answered with `unavailable`.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }

    /// Begins with this set.
    pub(crate) fn new(set: KeySet) -> Self {
        let slot = Self::empty();
        slot.publish(set);
        slot
    }

    /// Puts this set in place of the one before it: its keys end at once (`T8`).
    pub(crate) fn publish(&self, set: KeySet) {
        self.0.store(Some(Arc::new(set)));
    }

    /// Takes the keys away: `unavailable` (`T8`).
    #[cfg(test)]
    pub(crate) fn withdraw(&self) {
        self.0.store(None);
    }

    /// Whether a key of this name is in force.
    #[cfg_attr(
        not(feature = "jwks"),
        allow(dead_code, reason = "for keys that are fetched")
    )]
    pub(crate) fn holds(&self, kid: &str) -> bool {
        let keys = self.load();
        let (Some(keys), Some(kid)) = (keys.as_ref(), Kid::new(kid)) else {
            return false;
        };
        keys.keys.iter().any(|key| key.is_named(&kid))
    }

    /// Whether anybody else has it.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(super) fn load(&self) -> Guard<Option<Arc<KeySet>>> {
        self.0.load()
    }
}

impl fmt::Debug for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeySlot")
            .field(&self.load().as_deref())
            .finish()
    }
}
