//! Loads, settles, publishes, and keeps the last good tokens when that fails (`R4`, `R5`, `R7`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
#[cfg(feature = "tokio")]
use std::task::Waker;
use std::time::Duration;

use super::notices;
use super::overlap::{Accepted, Overlap};
use super::set::TokenSet;
use super::snapshot::{Shared, TokenReader};
use super::source::{LoadedTokens, SourceError, SourceErrorKind, TokenSource};
#[cfg(feature = "tokio")]
use super::task::Reload;
use crate::error::ConfigError;
use crate::observe::{Event, Notice, TokenStatus};

/// Longer than a normal file write, and shorter than anyone waits (`R4`).
pub(super) const SETTLE: Duration = Duration::from_millis(100);

/// What a reload that did not fail found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reloaded {
    /// The same tokens as the last time. Nothing was done.
    Unchanged,
    /// Other tokens, which are in force now.
    Changed,
}

impl Reloaded {
    /// In place of a result, where there is an error.
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(crate) const FAILED: &'static str = "failed";

    /// The name under which it is counted and logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
        }
    }
}

/// The writing side of tokens that can change.
pub(super) struct Reloader {
    shared: Arc<Shared>,
    source: Option<Box<dyn TokenSource>>,
    overlap: Overlap,
    /// Held during a load, which may take long, so that there is one at a time.
    loading: Mutex<()>,
    /// Held for a moment by whoever publishes.
    state: Mutex<State>,
    /// Held while an observer is told what is in force, so that what is told last is the newest.
    telling: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// What the source said the last time, whatever was done to the tokens since.
    loaded: Option<Said>,
    failing: bool,
    /// How often the previous tokens were revoked: a load that began before a revocation brings none of them
    /// back.
    revocations: u64,
}

/// What a source said.
#[derive(Clone)]
struct Said {
    tokens: TokenSet,
    /// It names the previous tokens too, even if they are all the current one: then it is believed in that.
    lists_previous: bool,
}

impl Said {
    fn is_same_as(&self, other: &Self) -> bool {
        self.lists_previous == other.lists_previous && self.tokens.is_same_as(&other.tokens)
    }
}

impl Reloader {
    pub(super) fn new(
        shared: Arc<Shared>,
        source: Option<Box<dyn TokenSource>>,
        overlap: Overlap,
    ) -> Self {
        Self {
            shared,
            source,
            overlap,
            loading: Mutex::default(),
            state: Mutex::default(),
            telling: Mutex::default(),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Loads, and publishes what is new. Blocks for 100 ms if there is something new.
    pub(super) fn refresh(&self) -> Result<Reloaded, SourceError> {
        let turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.begin_load();
        let Some(source) = self.source.as_deref() else {
            return Ok(Reloaded::Unchanged);
        };
        let result = self.load(source);
        self.note(&result);
        drop(turn);
        result
    }

    /// Tells of tokens that no source names.
    pub(super) fn begin_by_hand(&self, notices: &[Notice]) {
        self.shared.around().notices(notices);
        self.tell(true);
    }

    fn load(&self, source: &dyn TokenSource) -> Result<Reloaded, SourceError> {
        let revocations = self.state().revocations;
        let loaded = source.load()?;
        let notices = loaded.notices();
        let said = self.check(loaded)?;
        if self.is_known(&said) {
            return Ok(Reloaded::Unchanged);
        }
        if !source.is_atomic() {
            self.shared.around().clock.wait(SETTLE);
            if !self.check(source.load()?)?.is_same_as(&said) {
                return Err(SourceErrorKind::Unsettled.into());
            }
        }
        self.shared.around().notices(&notices);
        let mut state = self.state();
        let next = self.successor(said.tokens.clone(), said.lists_previous);
        self.shared.publish(if state.revocations == revocations {
            next
        } else {
            next.without_previous()
        });
        state.loaded = Some(said);
        Ok(Reloaded::Changed)
    }

    fn is_known(&self, said: &Said) -> bool {
        let state = self.state();
        state
            .loaded
            .as_ref()
            .is_some_and(|known| known.is_same_as(said))
    }

    fn check(&self, loaded: LoadedTokens) -> Result<Said, SourceError> {
        let lists_previous = !loaded.previous.is_empty();
        let tokens = loaded
            .into_set()
            .map_err(|_| SourceErrorKind::TooManyTokens)?;
        if tokens.longest() > self.shared.limit() {
            return Err(SourceErrorKind::LongerThanLimit.into());
        }
        Ok(Said {
            tokens,
            lists_previous,
        })
    }

    /// Tells of the result, and once of every change between failing and not (`R5`).
    fn note(&self, result: &Result<Reloaded, SourceError>) {
        let around = self.shared.around();
        if result.is_ok() {
            around.mark_seen();
        }
        if let Some(observer) = &around.observer {
            observer.on_reload(result.as_ref().copied());
        }
        let was_failing = std::mem::replace(&mut self.state().failing, result.is_err());
        match result {
            Err(error) if !was_failing => around.notice(&Notice::ReloadFailing(error.clone())),
            Ok(_) if was_failing => around.notice(&Notice::ReloadRecovered),
            Ok(_) | Err(_) => {}
        }
        if let Some(rotation) = self.shared.snapshot().verifier().rotation() {
            rotation.warn(around.clock.now());
        }
        self.tell(*result == Ok(Reloaded::Changed));
    }

    /// Tells what is in force now. The caller does not hold the state: an observer may be slow.
    fn tell(&self, changed: bool) {
        if let Some(observer) = &self.shared.around().observer {
            let _turn = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
            let reader = TokenReader::new(Arc::clone(&self.shared));
            let status = TokenStatus::of(&reader);
            observer.on_event(&Event::Tokens { status, changed });
        }
    }

    /// A new current token, set by hand.
    pub(super) fn rotate(&self, tokens: TokenSet) -> Result<(), ConfigError> {
        if tokens.longest() > self.shared.limit() {
            return Err(ConfigError::ValueLimit {
                limit: self.shared.limit(),
            });
        }
        let notices = notices::of_set(&tokens);
        let lists_previous = tokens.len() > 1;
        let state = self.state();
        self.shared.publish(self.successor(tokens, lists_previous));
        // A client that was refused with the token before this one asks for nothing that is not there.
        self.shared.begin_load();
        self.shared.around().mark_seen();
        drop(state);
        self.shared.around().notices(&notices);
        self.tell(true);
        Ok(())
    }

    /// How many were accepted until now.
    pub(super) fn revoke_previous(&self) -> usize {
        let mut state = self.state();
        state.revocations += 1;
        let accepted = self.shared.snapshot().verifier().accepted();
        let next = accepted.without_previous();
        let ended = accepted.previous.len();
        self.shared.publish(next);
        drop(state);
        self.tell(true);
        ended
    }

    /// What is accepted after these tokens. The caller holds the state.
    fn successor(&self, tokens: TokenSet, lists_previous: bool) -> Accepted {
        let old = self.shared.snapshot().verifier().accepted();
        let now = self.shared.around().clock.now();
        if lists_previous {
            Accepted::listed(tokens)
        } else {
            old.succeeded_by(tokens, self.overlap, now)
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "tokio")]
impl Reload for Reloader {
    fn reload(&self) {
        // Its observer is told.
        let _ = self.refresh();
    }

    fn note_panic(&self) {
        self.note(&Err(SourceError::other("panicked")));
    }

    fn is_wanted(&self) -> bool {
        self.shared.reload_wanted()
    }

    fn wait_for_wish(&self, waker: &Waker) {
        self.shared.wait_for_wish(waker);
    }

    #[cfg(all(feature = "inotify", target_os = "linux"))]
    fn files(&self) -> Vec<std::path::PathBuf> {
        let source = self.source.as_deref();
        source.map_or_else(Vec::new, TokenSource::files)
    }

    #[cfg(all(feature = "inotify", target_os = "linux"))]
    fn notice(&self, notice: &Notice) {
        self.shared.around().notice(notice);
    }
}
