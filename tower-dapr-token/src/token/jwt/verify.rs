//! [`JwtVerifier`]: the whole decision about one token, in the order of `T1`.
//!
//! Size, form, header, choice of the key, signature, claims: each step is cheaper than what follows it, and nothing of
//! the payload counts before the signature holds. The one exception is `iss` where several issuers are trusted: it
//! chooses whose keys are tried, and is checked again afterwards.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithms;
use super::backend::{Backend, Digest};
use super::cache::{self, Cache, Entry};
use super::claims::{self, Claims};
use super::error::JwtConfigError;
use super::header::{Header, Kid};
use super::json::Object;
use super::key::{self, KeyId};
use super::key_set::{KeySet, KeySlot};
use super::known_answer;
use super::local_keys::{JwtKeys, unusable};
use super::parse::{Compact, Parts};
use super::rules::JwtRules;
use crate::error::ConfigError;
use crate::inbound::RejectionKind;

/// Holds any usual token (`E4`).
pub(crate) const DEFAULT_MAX_LEN: usize = 8 * 1024;

/// More than this is never a token (`E4`).
pub(crate) const GREATEST_MAX_LEN: usize = 64 * 1024;

const DEFAULT_CACHE_ENTRIES: usize = 1024;

/// How tokens are verified, whoever made them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JwtOptions {
    pub(crate) backend: Backend,
    /// 0 turns the cache off.
    pub(crate) cache_entries: usize,
    /// In bytes.
    pub(crate) max_len: usize,
}

impl Default for JwtOptions {
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            cache_entries: DEFAULT_CACHE_ENTRIES,
            max_len: DEFAULT_MAX_LEN,
        }
    }
}

/// Keys, and what tokens signed with them must say.
#[derive(Debug)]
pub(crate) struct Trust {
    keys: KeySlot,
    rules: JwtRules,
}

impl Trust {
    /// Keys that are known now and do not change.
    pub(crate) fn local(
        keys: &JwtKeys,
        rules: JwtRules,
        backend: Backend,
    ) -> Result<Self, ConfigError> {
        if let Some(reason) = KeySet::first_useless(keys.specs(), backend, rules.algorithms) {
            return Err(unusable(reason));
        }
        let set = KeySet::of_configuration(keys.specs(), backend, rules.algorithms)?;
        Ok(Self::following(KeySlot::new(set), rules))
    }

    /// Keys that somebody else puts into the slot, now and later.
    pub(crate) fn following(keys: KeySlot, rules: JwtRules) -> Self {
        Self { keys, rules }
    }
}

/// A token that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) claims: Arc<Claims>,
    pub(crate) cache: CacheUse,
}

/// What the cache had to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheUse {
    /// The token was in it.
    Hit,
    /// It was not.
    Miss,
    /// It was not, and an older one made room for it.
    Evicted,
    /// There is no cache, or it takes no token of this length.
    Off,
}

/// A token that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) kind: RejectionKind,
    /// The token is well formed and names a key that is not there: fresh keys may help (`T7`).
    pub(crate) unknown_kid: Option<UnknownKid>,
}

/// A name that no key has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UnknownKid {
    /// Whose keys lack it: the place among the trusts that the verifier was made of.
    pub(crate) trust: usize,
    pub(crate) kid: Kid,
}

impl From<RejectionKind> for Refused {
    fn from(kind: RejectionKind) -> Self {
        Self {
            kind,
            unknown_kid: None,
        }
    }
}

/// Decides about tokens. It is shared by every clone of a service.
pub(crate) struct JwtVerifier {
    backend: Backend,
    trusts: Box<[Trust]>,
    cache: Option<Cache>,
    max_len: usize,
}

impl JwtVerifier {
    /// Checks the rules, and that the backend tells a good signature from an altered one (`T12`).
    pub(crate) fn new(trusts: Vec<Trust>, options: JwtOptions) -> Result<Self, ConfigError> {
        if trusts.is_empty() {
            return Err(JwtConfigError::NoIssuer.into());
        }
        for (index, trust) in trusts.iter().enumerate() {
            trust.rules.check()?;
            let is_shared = |other: &Trust| match trust.rules.issuers.as_slice() {
                [] => other.rules.are_for(None),
                issuers => issuers
                    .iter()
                    .any(|issuer| other.rules.are_for(Some(issuer))),
            };
            if trusts.iter().skip(index + 1).any(is_shared) {
                return Err(JwtConfigError::IssuerTwice.into());
            }
        }
        if options.cache_entries > cache::MAX_ENTRIES {
            return Err(JwtConfigError::Rule {
                setting: "cache_entries",
                reason: "is more than 65,536",
            }
            .into());
        }
        let algorithms = trusts.iter().fold(Algorithms::NONE, |all, trust| {
            all.or(trust.rules.algorithms)
        });
        known_answer::check(options.backend, algorithms)?;
        Ok(Self {
            backend: options.backend,
            trusts: trusts.into(),
            cache: (options.cache_entries > 0).then(|| Cache::new(options.cache_entries)),
            max_len: options.max_len.min(GREATEST_MAX_LEN),
        })
    }

    /// As [`verify_by`](Self::verify_by), with keys that never grow old.
    #[cfg(test)]
    pub(crate) fn verify(&self, token: &[u8], now: Duration) -> Result<Accepted, Refused> {
        self.verify_by(token, now, &|_| true)
    }

    /// Decides about one token at this time, since 1970-01-01 UTC, where keys may be too old: told which of the trusts it
    /// would use, `are_fresh` says whether it may. Without fresh keys the token is refused with `unavailable` (`T8`).
    pub(crate) fn verify_by(
        &self,
        token: &[u8],
        now: Duration,
        are_fresh: &dyn Fn(usize) -> bool,
    ) -> Result<Accepted, Refused> {
        let compact = Compact::find(token, self.max_len)?;
        let digest = self.digest(token);
        if let Some(claims) = digest
            .as_ref()
            .and_then(|digest| self.remembered(digest, now, are_fresh))
        {
            return Ok(Accepted {
                claims,
                cache: CacheUse::Hit,
            });
        }

        let parts = compact.decode()?;
        let header = Header::parse(&parts.header)?;
        let (index, trust) = self.choose_trust(&parts)?;
        let key = trust.verify_signature(self.backend, index, &header, &parts, are_fresh)?;
        let claims = Arc::new(trust.check_claims(parts.payload, now)?);

        let cache = match (&self.cache, digest) {
            (Some(cache), Some(digest)) => {
                let entry = Entry::new(index, key, Arc::clone(&claims), now);
                if entry.is_some_and(|entry| cache.insert(digest, entry)) {
                    CacheUse::Evicted
                } else {
                    CacheUse::Miss
                }
            }
            _ => CacheUse::Off,
        };
        Ok(Accepted { claims, cache })
    }

    /// What the token is remembered by, if it can be.
    fn digest(&self, token: &[u8]) -> Option<Digest> {
        if self.cache.is_none() || token.len() > cache::MAX_TOKEN_LEN {
            return None;
        }
        self.backend.digest(token)
    }

    /// A token that was accepted before, is still valid, and whose key is still in force (`T9`).
    fn remembered(
        &self,
        digest: &Digest,
        now: Duration,
        are_fresh: &dyn Fn(usize) -> bool,
    ) -> Option<Arc<Claims>> {
        let cache = self.cache.as_ref()?;
        let entry = cache.get(digest)?;
        let trust = self.trusts.get(entry.trust)?;
        if !are_fresh(entry.trust) {
            return None;
        }
        let is_held = || {
            trust
                .keys
                .load()
                .as_ref()
                .is_some_and(|keys| keys.holds(&entry.key))
        };
        if entry.is_alive(now) && entry.claims.hold_at(now, trust.rules.leeway) && is_held() {
            return Some(entry.claims);
        }
        cache.remove(digest);
        None
    }

    /// Whose token it is. With one set of rules the payload is not looked at; with several no deeper than to find `iss`,
    /// since anybody may have written it.
    fn choose_trust(&self, parts: &Parts<'_>) -> Result<(usize, &Trust), Refused> {
        let trusts = self.trusts.iter().enumerate();
        if let [trust] = &*self.trusts {
            return Ok((0, trust));
        }
        let payload = Object::parse_outline(&parts.payload).map_err(|_| RejectionKind::Claims)?;
        let issuer = claims::unverified_issuer(&payload)?;
        let mut trusts = trusts.filter(|(_, trust)| trust.rules.are_for(issuer.as_deref()));
        Ok(trusts.next().ok_or(RejectionKind::Issuer)?)
    }
}

impl Trust {
    /// The key whose signature it is.
    fn verify_signature(
        &self,
        backend: Backend,
        index: usize,
        header: &Header,
        parts: &Parts<'_>,
        are_fresh: &dyn Fn(usize) -> bool,
    ) -> Result<KeyId, Refused> {
        header.check_type(&self.rules.types)?;
        let (name, algorithm) = (header.algorithm, header.algorithm.algorithm());
        if !self.rules.algorithms.contains(algorithm) {
            return Err(RejectionKind::Algorithm.into());
        }
        // No key, not even a fresh one, makes a signature of another length a good one.
        let can_be_good = key::can_be_signature(algorithm, parts.signature.len());
        // Before the keys are loaded: they are published before they count as fresh.
        let is_fresh = are_fresh(index);
        let keys = self.keys.load();
        let keys = keys.as_ref().filter(|_| is_fresh);
        let keys = keys.ok_or(RejectionKind::Unavailable)?;
        let kid = header.kid.as_ref();
        let candidates = keys
            .candidates(kid, name, self.rules.allow_kidless)
            .map_err(|none| Refused {
                kind: none.kind,
                unknown_kid: kid
                    .filter(|_| none.is_unknown_kid && can_be_good)
                    .map(|kid| UnknownKid {
                        trust: index,
                        kid: kid.clone(),
                    }),
            })?;
        candidates
            .into_iter()
            .find(|key| key.verifies(backend, algorithm, parts.signed, &parts.signature))
            .map(key::Key::id)
            .ok_or_else(|| RejectionKind::Signature.into())
    }

    fn check_claims(&self, payload: Vec<u8>, now: Duration) -> Result<Claims, RejectionKind> {
        let said = {
            let object =
                Object::parse(&payload, claims::MAX_DEPTH).map_err(|_| RejectionKind::Claims)?;
            claims::check(&object, &self.rules, now)?
        };
        Claims::new(said, payload).ok_or(RejectionKind::Claims)
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier")
            .field("backend", &self.backend)
            .field("trusts", &self.trusts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
