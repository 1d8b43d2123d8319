//! Keys that are fetched, as the check of JWTs sees them: where they are published, whether they are fresh, and who may
//! wait for one.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::jwks::{Accepted, JwksErrorKind, KeySetSink, RemoteKeySet, WaitForKeys};
use crate::token::jwt::{Algorithms, KeySet, KeySetError, KeySlot, Origin, Trust, UnknownKid};
use crate::token::{Backend, Clock, JwksError, JwtRules, RemoteKeys, SystemClock};

/// What was said of keys that are fetched.
pub(super) struct RemoteSettings {
    pub(super) trusts: Vec<(RemoteKeys, JwtRules)>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self {
            trusts: Vec::new(),
            clock: Arc::new(SystemClock::default()),
        }
    }
}

impl RemoteSettings {
    pub(super) fn is_empty(&self) -> bool {
        self.trusts.is_empty()
    }
}

/// The key sets that are fetched. They are kept fresh as long as this lives.
pub(super) struct RemoteTrusts {
    /// The place of the first one among the trusts of the verifier; the others follow.
    first: usize,
    clock: Arc<dyn Clock>,
    planned: Vec<(RemoteKeys, Published)>,
    sets: Vec<RemoteKeySet>,
}

/// A token whose key is not known, and may be fetched.
pub(super) struct Unknown {
    kid: UnknownKid,
    /// `None` if it would be refused at once, as every one but a few is in a flood.
    token: Option<KeptToken>,
}

impl Unknown {
    /// The token, if it was kept.
    pub(super) fn token(&self) -> Option<&[u8]> {
        self.token.as_ref().map(KeptToken::as_bytes)
    }
}

/// A copy of a token, because the header has left the request; wiped when it is dropped.
pub(super) struct KeptToken(Zeroizing<Vec<u8>>);

impl KeptToken {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl RemoteTrusts {
    /// Adds what the verifier is to trust, without keys as yet. Nothing is fetched before [`start`](Self::start).
    pub(super) fn plan(
        settings: RemoteSettings,
        trusts: &mut Vec<Trust>,
        backend: Backend,
    ) -> Result<Self, ConfigError> {
        let first = trusts.len();
        let mut planned = Vec::with_capacity(settings.trusts.len());
        for (keys, rules) in settings.trusts {
            if let Some(issuer) = keys.issuer() {
                rules.check_discovery(issuer)?;
            }
            let slot = KeySlot::empty();
            let published = Published {
                slot: slot.clone(),
                backend,
                allowed: rules.allowed(),
            };
            trusts.push(Trust::following(slot, rules));
            planned.push((keys, published));
        }
        Ok(Self {
            first,
            clock: settings.clock,
            planned,
            sets: Vec::new(),
        })
    }

    /// Checks the addresses, and begins to fetch.
    pub(super) fn start(
        &mut self,
        observer: Option<&Arc<dyn Observer>>,
    ) -> Result<(), ConfigError> {
        for (keys, published) in std::mem::take(&mut self.planned) {
            let sink = Arc::new(published);
            let set = keys.start(sink, Arc::clone(&self.clock), observer.cloned())?;
            self.sets.push(set);
        }
        Ok(())
    }

    /// Waits for the first keys of each set.
    pub(super) async fn first_load(&self) -> Result<(), ConfigError> {
        for set in &self.sets {
            let loaded = set.first_load().await;
            loaded.map_err(|error| ConfigError::KeySet { error })?;
        }
        Ok(())
    }

    /// Whether the keys of this trust may be used; keys that are at hand always may.
    pub(super) fn are_fresh(&self, trust: usize) -> bool {
        self.set_of(trust)
            .is_none_or(|set| !set.is_stale(self.clock.now()))
    }

    /// Keeps the token, if its key is one that may be fetched and a request may wait for that now. Nothing is fetched yet:
    /// the path may be exempt.
    pub(super) fn unknown(&self, kid: Option<UnknownKid>, token: &[u8]) -> Option<Unknown> {
        let kid = kid?;
        let set = self.set_of(kid.trust)?;
        let token = set
            .may_wait(kid.kid.as_str())
            .then(|| KeptToken(Zeroizing::new(token.to_vec())));
        Some(Unknown { kid, token })
    }

    /// What to wait for before this token is judged again; `None` if it is refused at once (`T7`).
    pub(super) fn wait_for(&self, unknown: Unknown) -> Option<(WaitForKeys, KeptToken)> {
        let set = self.set_of(unknown.kid.trust)?;
        let Some(token) = unknown.token else {
            set.refuse();
            return None;
        };
        let wait = set.wait_for(unknown.kid.kid.as_str())?;
        Some((wait, token))
    }

    /// Begins a fetch as a token that waits would, for those who come later. Says whether the key is there by now, so
    /// that the token is to be judged again.
    pub(super) fn fetch_for_others(&self, unknown: &Unknown) -> bool {
        self.set_of(unknown.kid.trust)
            .is_some_and(|set| set.fetch_for_others(unknown.kid.kid.as_str()))
    }

    fn set_of(&self, trust: usize) -> Option<&RemoteKeySet> {
        self.sets.get(trust.checked_sub(self.first)?)
    }
}

/// Where fetched keys are published.
struct Published {
    slot: KeySlot,
    backend: Backend,
    allowed: Algorithms,
}

impl KeySetSink for Published {
    fn accept(&self, document: &[u8]) -> Result<Accepted, JwksError> {
        let parsed = KeySet::parse_jwks(document, Origin::Remote, self.backend, self.allowed);
        let (keys, skipped) = parsed.map_err(|error| match error {
            KeySetError::TooLarge => JwksErrorKind::TooLarge,
            KeySetError::NotJson | KeySetError::NotAKeySet => JwksErrorKind::NotAKeySet,
            KeySetError::TooManyKeys => JwksErrorKind::TooManyKeys,
            KeySetError::NoUsableKey(_) => JwksErrorKind::NoUsableKey,
        })?;
        let accepted = Accepted {
            keys: keys.len(),
            skipped: skipped.total(),
        };
        self.slot.publish(keys);
        Ok(accepted)
    }

    fn holds(&self, kid: &str) -> bool {
        self.slot.holds(kid)
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_a_document_that_gives_no_keys_says_why_and_leaves_those_in_force() {
        let published = Published {
            slot: KeySlot::empty(),
            backend: Backend::default(),
            allowed: JwtRules::new("i", "a").allowed(),
        };
        let key = |kid: &str| {
            format!(
                r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
            )
        };
        let set = |keys: &[String]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let secret = r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC1z"}"#;

        assert!(!published.holds("a"), "none yet");
        let accepted = published.accept(set(&[key("a"), secret.to_owned()]).as_bytes());
        assert_eq!(
            accepted,
            Ok(Accepted {
                keys: 1,
                skipped: 1
            })
        );
        let table = [
            ("no JSON", "<html>".to_owned(), JwksErrorKind::NotAKeySet),
            ("no set", "{}".to_owned(), JwksErrorKind::NotAKeySet),
            ("empty", set(&[]), JwksErrorKind::NoUsableKey),
            (
                "a shared secret",
                set(&[secret.to_owned()]),
                JwksErrorKind::NoUsableKey,
            ),
            (
                "65 keys",
                set(&(0..65).map(|i| key(&i.to_string())).collect::<Vec<_>>()),
                JwksErrorKind::TooManyKeys,
            ),
            (
                "256 KiB and a byte",
                " ".repeat(256 * 1024 + 1),
                JwksErrorKind::TooLarge,
            ),
        ];
        for (name, document, kind) in table {
            let error = published.accept(document.as_bytes()).expect_err(name);
            assert_eq!(error.kind(), kind, "{name}");
            assert!(published.holds("a"), "{name}");
        }
        published
            .accept(set(&[key("b")]).as_bytes())
            .expect("a key");
        assert!(published.holds("b") && !published.holds("a"), "replaced");
        assert!(!published.holds("\u{e9}"), "no name of a key");
    }
}
