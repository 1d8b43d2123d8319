//! [`KeyReloader`]: reads a key set from its file again, and hands it to all who follow it (`T8`, `R2` to `R6`).
//!
//! A new set is built for every follower before any of them gets it: if one of them could use none of its keys, none
//! gets it, and the reading has failed. What is read counts if it is the same 100 ms later, and whatever fails leaves
//! the last good set in force.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::algorithm::{Algorithm, Algorithms};
use super::backend::Backend;
use super::jwk::{self, KeySetError, Origin, Skipped};
use super::key::KeySpec;
use super::key_set::{KeySet, KeySlot};
use crate::error::ConfigError;
#[cfg(all(feature = "inotify", target_os = "linux"))]
use crate::observe::Notice;
use crate::observe::Observer;
use crate::token::MAX_KEY_SET_LEN;
use crate::token::file;
use crate::token::reload::SETTLE;
use crate::token::stale::Freshness;
#[cfg(feature = "tokio")]
use crate::token::task::Reload;
use crate::token::{Clock, KeyEvent, Reloaded, SourceError, SourceErrorKind};

/// The writing side of keys that come from a file.
pub(super) struct KeyReloader {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    /// How long keys are good without having been seen in the file again; `None` is for ever.
    max_stale: Option<Duration>,
    freshness: Freshness,
    /// Held during a reading, so that there is one at a time: how many have failed since the last good one.
    reading: Mutex<u32>,
    /// Held for a moment by whoever publishes, or begins to follow.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the file said the last time that it was good.
    loaded: Option<Loaded>,
    followers: Vec<Follower>,
}

/// A document, and what it holds.
struct Loaded {
    /// Compared with what is read later. It may hold a shared secret.
    document: Zeroizing<Box<[u8]>>,
    specs: Vec<KeySpec>,
}

/// Whose keys come from the file.
struct Follower {
    keys: KeySlot,
    backend: Backend,
    allowed: Algorithms,
}

/// The keys of a new set, as the follower counts them that can use the fewest.
struct Counted {
    keys: usize,
    skipped: usize,
}

impl KeyReloader {
    pub(super) fn new(
        path: PathBuf,
        clock: Arc<dyn Clock>,
        observer: Option<Arc<dyn Observer>>,
        max_stale: Option<Duration>,
    ) -> Self {
        Self {
            path,
            clock,
            observer,
            max_stale,
            freshness: Freshness::new(max_stale.unwrap_or(Duration::MAX)),
            reading: Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// Reads, and publishes what is new. Blocks for 100 ms if there is something new.
    pub(super) fn refresh(&self) -> Result<Reloaded, SourceError> {
        let mut failures = self.reading();
        let result = self.read_again();
        self.note(&result, &mut failures);
        result.map(|counted| match counted {
            Some(_) => Reloaded::Changed,
            None => Reloaded::Unchanged,
        })
    }

    /// The keys of now and later, for this backend and these algorithms.
    pub(super) fn follow(
        &self,
        backend: Backend,
        allowed: Algorithms,
    ) -> Result<KeySlot, ConfigError> {
        let mut state = self.state();
        let keys = match &state.loaded {
            // Published by the first good reading.
            None => KeySlot::empty(),
            Some(loaded) => {
                KeySlot::new(KeySet::of_configuration(&loaded.specs, backend, allowed)?)
            }
        };
        state.forget_the_gone();
        state.followers.push(Follower {
            keys: keys.clone(),
            backend,
            allowed,
        });
        Ok(keys)
    }

    /// Whether the keys were not seen in the file for too long. Reads the clock only if that is limited.
    pub(super) fn is_stale(&self) -> bool {
        self.max_stale.is_some() && self.freshness.is_stale(self.clock.now())
    }

    /// What is new, if anything is.
    fn read_again(&self) -> Result<Option<Counted>, SourceError> {
        let document = self.read()?;
        if self.is_known(&document) {
            return Ok(None);
        }
        let (specs, skipped) =
            jwk::parse(&document, Origin::Local).map_err(|error| self.error(kind_of(error)))?;
        self.clock.wait(SETTLE);
        if self.read()? != document {
            return Err(self.error(SourceErrorKind::Unsettled));
        }
        let counted = self.publish(&document, specs, &skipped)?;
        Ok(Some(counted))
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SourceError> {
        file::read(&self.path, None, MAX_KEY_SET_LEN).map_err(|error| match error.kind() {
            SourceErrorKind::TooLarge => self.error(SourceErrorKind::KeySetTooLong),
            _ => error,
        })
    }

    fn is_known(&self, document: &[u8]) -> bool {
        let state = self.state();
        let loaded = state.loaded.as_ref();
        loaded.is_some_and(|loaded| **loaded.document == *document)
    }

    fn publish(
        &self,
        document: &[u8],
        specs: Vec<KeySpec>,
        skipped: &Skipped,
    ) -> Result<Counted, SourceError> {
        let mut state = self.state();
        state.forget_the_gone();
        let followers = state.followers.iter();
        let sets: Vec<_> = followers
            .map(|follower| KeySet::new(&specs, follower.backend, follower.allowed))
            .collect();
        // A set that nobody follows yet must be of use as well.
        let in_general = KeySet::new(
            &specs,
            Backend::default(),
            Algorithm::ALL.into_iter().collect(),
        );
        let counted = sets
            .iter()
            .chain([&in_general])
            .map(|(set, more)| Counted {
                keys: set.len(),
                skipped: skipped.total() + more.total(),
            })
            .min_by_key(|counted| counted.keys)
            .filter(|counted| counted.keys > 0)
            .ok_or_else(|| self.error(SourceErrorKind::NoUsableKey))?;
        for (follower, (set, _)) in state.followers.iter().zip(sets) {
            follower.keys.publish(set);
        }
        state.loaded = Some(Loaded {
            document: Zeroizing::new(document.into()),
            specs,
        });
        Ok(counted)
    }

    /// Tells of the result. The caller reads no more before it was told.
    fn note(&self, result: &Result<Option<Counted>, SourceError>, failures: &mut u32) {
        *failures = match result {
            Ok(_) => 0,
            Err(_) => failures.saturating_add(1),
        };
        if result.is_ok() {
            self.freshness.renew(self.clock.now());
        }
        let Some(observer) = &self.observer else {
            return;
        };
        let event = match result {
            Ok(Some(Counted { keys, skipped })) => KeyEvent::Refreshed {
                keys: *keys,
                skipped: *skipped,
            },
            Ok(None) => KeyEvent::Unchanged,
            Err(error) => KeyEvent::FileFailed {
                error: error.clone(),
                in_a_row: *failures,
            },
        };
        // A panic of the observer must not end the task.
        let _ = catch_unwind(AssertUnwindSafe(|| observer.on_key_event(&event)));
    }

    fn error(&self, kind: SourceErrorKind) -> SourceError {
        SourceError::at(&self.path, kind)
    }

    fn reading(&self) -> MutexGuard<'_, u32> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A slot that nobody else has belongs to a layer that is gone.
    fn forget_the_gone(&mut self) {
        self.followers.retain(|follower| follower.keys.is_shared());
    }
}

#[cfg(feature = "tokio")]
impl Reload for KeyReloader {
    fn reload(&self) {
        // Its observer is told.
        let _ = self.refresh();
    }

    fn note_panic(&self) {
        let panicked = Err(SourceError::other("panicked"));
        self.note(&panicked, &mut self.reading());
    }

    #[cfg(all(feature = "inotify", target_os = "linux"))]
    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    #[cfg(all(feature = "inotify", target_os = "linux"))]
    fn notice(&self, notice: &Notice) {
        if let Some(observer) = &self.observer {
            observer.on_notice(notice);
        }
    }
}

fn kind_of(error: KeySetError) -> SourceErrorKind {
    match error {
        KeySetError::TooLarge => SourceErrorKind::KeySetTooLong,
        KeySetError::NotJson | KeySetError::NotAKeySet => SourceErrorKind::NotAKeySet,
        KeySetError::TooManyKeys => SourceErrorKind::TooManyKeys,
        KeySetError::NoUsableKey(_) => SourceErrorKind::NoUsableKey,
    }
}
