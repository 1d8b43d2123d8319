//! [`Slot`]: the token that is sent now, and its renewal (`I9`).
//!
//! A request reads the clock and one snapshot, without a lock. Only without a background task, and only for a source
//! that mints, does a request renew what is due, and then one request does it while the others send the old token as
//! long as that is valid.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Waker;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderValue;

use super::super::clock::WallClock;
use super::minted::{HeaderValues, MintedToken};
use super::source::{JwtSource, Renewal};
use crate::observe::{Notice, Observer};
use crate::token::reload::SETTLE;
use crate::token::{Clock, Reloaded, SourceError, SourceErrorKind};

/// After a failure or a refused token, requests and tasks try again no sooner.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// What a handle, its layers and its task share.
pub(crate) struct Slot {
    current: ArcSwapOption<Current>,
    source: Box<dyn JwtSource>,
    renewal: Renewal,
    wall: Arc<dyn WallClock>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    has_task: bool,
    /// Held during a fetch, so that there is one at a time: when the last one began.
    fetching: Mutex<Option<Duration>>,
    /// How many fetches were begun.
    fetches: AtomicU64,
    /// How many failed since the last good one.
    failures: AtomicU32,
    wanted: AtomicBool,
    /// Who waits for that.
    waiting: Mutex<Option<Waker>>,
}

/// A token that is sent.
struct Current {
    token: MintedToken,
    values: HeaderValues,
    /// Both since 1970, as all times of tokens.
    fetched_at: Duration,
    renew_at: Duration,
}

impl Current {
    fn new(token: MintedToken, now: Duration) -> Result<Self, SourceErrorKind> {
        let life = token.expires_at().saturating_sub(now);
        Ok(Self {
            values: token.header_values()?,
            token,
            fetched_at: now,
            renew_at: now.saturating_add(life.saturating_mul(2) / 3),
        })
    }

    fn is_valid_at(&self, now: Duration) -> bool {
        self.token.expires_at() > now
    }

    /// Two thirds of its life are over; or the clock was set back, to before it was made.
    fn is_due_at(&self, now: Duration) -> bool {
        now >= self.renew_at || now < self.fetched_at
    }
}

/// What a slot is made of.
pub(super) struct Settings {
    pub(super) source: Box<dyn JwtSource>,
    pub(super) wall: Arc<dyn WallClock>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) has_task: bool,
}

impl Slot {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            current: ArcSwapOption::empty(),
            renewal: settings.source.renewal(),
            source: settings.source,
            wall: settings.wall,
            clock: settings.clock,
            observer: settings.observer,
            has_task: settings.has_task,
            fetching: Mutex::default(),
            fetches: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            wanted: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }

    /// The value for a request that leaves now; none if no token is valid now. `bearer` is the form for the header
    /// `authorization`.
    pub(crate) fn header_value(&self, bearer: bool) -> Option<HeaderValue> {
        let now = self.wall.unix_time();
        let is_fresh = self
            .current
            .load()
            .as_ref()
            .is_some_and(|current| current.is_valid_at(now) && !current.is_due_at(now));
        if !is_fresh || self.is_wanted() {
            self.renew_on_request(now);
        }
        let current = self.current.load();
        let current = current.as_ref()?;
        let values = &current.values;
        let value = if bearer {
            &values.bearer
        } else {
            &values.plain
        };
        // Asked again: whoever minted it may have taken long.
        current
            .is_valid_at(self.wall.unix_time())
            .then(|| value.clone())
    }

    /// When the token of this moment ends, since 1970, even if that is over.
    pub(super) fn expires_at(&self) -> Option<Duration> {
        let current = self.current.load();
        current.as_ref().map(|current| current.token.expires_at())
    }

    /// Fetches, and sends what is new. Blocks as the source does, and 100 ms more if it is polled and says
    /// something new.
    pub(super) fn refresh(&self) -> Result<Reloaded, SourceError> {
        let mut began = self.fetching();
        self.refresh_in_turn(&mut began)
    }

    /// Whether the next token should be fetched.
    pub(super) fn is_due(&self) -> bool {
        let now = self.wall.unix_time();
        let current = self.current.load();
        let is_due = |current: &Arc<Current>| current.is_due_at(now);
        self.is_wanted() || current.as_ref().is_none_or(is_due)
    }

    /// How many fetches were begun: a number to compare with a later one.
    pub(crate) fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }

    /// Asks for a new token, unless a fetch began since `fetches` was counted (`I6`).
    #[cold]
    pub(crate) fn ask_for_renewal(&self, fetches: u64) {
        if self.fetches() == fetches {
            self.ask();
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    #[cfg(feature = "tokio")]
    pub(super) fn is_polled(&self) -> bool {
        self.renewal == Renewal::Polled
    }

    /// How many fetches failed since the last good one.
    #[cfg(feature = "tokio")]
    pub(super) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    /// How long until the token of this moment is due; nothing if it is, or if there is none.
    #[cfg(feature = "tokio")]
    pub(super) fn due_in(&self) -> Duration {
        let now = self.wall.unix_time();
        match self.current.load().as_ref() {
            Some(current) if !current.is_due_at(now) => current.renew_at.saturating_sub(now),
            _ => Duration::ZERO,
        }
    }

    /// Who is to be woken when a new token is wanted.
    #[cfg(feature = "tokio")]
    pub(super) fn wait_for_wish(&self, waker: &Waker) {
        self.waiting().replace(waker.clone());
    }

    /// Tells of a fetch that never came to its end, because the source panicked.
    #[cfg(feature = "tokio")]
    pub(super) fn note_panic(&self) {
        self.note(&Err(SourceError::other("panicked")));
    }

    fn ask(&self) {
        if self.wanted.swap(true, Ordering::AcqRel) {
            return;
        }
        let waiting = self.waiting().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// There is no token, or it is due, or it was refused.
    #[cold]
    #[inline(never)]
    fn renew_on_request(&self, now: Duration) {
        let is_valid = || {
            let current = self.current.load();
            current
                .as_ref()
                .is_some_and(|current| current.is_valid_at(now))
        };
        if self.has_task || self.renewal != Renewal::Minted {
            // Whoever may block does it. As long as a token is valid, the task's own time will do.
            if !is_valid() {
                self.ask();
            }
            return;
        }
        let mut began = if is_valid() {
            match self.fetching.try_lock() {
                Ok(began) => began,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // Somebody else mints; the old one will do.
                Err(TryLockError::WouldBlock) => return,
            }
        } else {
            self.fetching()
        };
        // Somebody else may have done it meanwhile.
        if self.is_due() && self.may_try(*began) {
            // Its observer was told, and the old token stays.
            let _ = self.refresh_in_turn(&mut began);
        }
    }

    /// At once if time has made it due, but not again and again while that fails or a server refuses every token.
    fn may_try(&self, began: Option<Duration>) -> bool {
        let is_calm = self.failures.load(Ordering::Relaxed) == 0 && !self.is_wanted();
        let elapsed = |began| self.clock.now().saturating_sub(began);
        is_calm || began.is_none_or(|began| elapsed(began) >= PAUSE)
    }

    fn refresh_in_turn(&self, began: &mut Option<Duration>) -> Result<Reloaded, SourceError> {
        *began = Some(self.clock.now());
        self.fetches.fetch_add(1, Ordering::Relaxed);
        self.wanted.store(false, Ordering::Release);
        let result = self.fetch();
        self.note(&result);
        result
    }

    fn fetch(&self) -> Result<Reloaded, SourceError> {
        let (token, mut now) = self.fetch_once()?;
        let is_known = {
            let current = self.current.load();
            current
                .as_ref()
                .is_some_and(|current| current.token.expose() == token.expose())
        };
        if self.renewal == Renewal::Polled && !is_known {
            self.clock.wait(SETTLE);
            let (again, later) = self.fetch_once()?;
            if again.expose() != token.expose() {
                return Err(SourceErrorKind::Unsettled.into());
            }
            now = later;
        }
        let current = Current::new(token, now)?;
        self.current.store(Some(Arc::new(current)));
        Ok(if is_known {
            Reloaded::Unchanged
        } else {
            Reloaded::Changed
        })
    }

    /// A token that is valid now, and when that is: the source may have taken long.
    fn fetch_once(&self) -> Result<(MintedToken, Duration), SourceError> {
        let token = self.source.fetch(self.wall.unix_time())?;
        let now = self.wall.unix_time();
        if token.expires_at() <= now {
            return Err(SourceErrorKind::JwtExpired.into());
        }
        Ok((token, now))
    }

    /// Tells of the result, and once of every change between failing and not (`R5`).
    fn note(&self, result: &Result<Reloaded, SourceError>) {
        let failed = match result {
            Ok(_) => self.failures.swap(0, Ordering::Relaxed),
            Err(_) => self.failures.fetch_add(1, Ordering::Relaxed),
        };
        let Some(observer) = &self.observer else {
            return;
        };
        observer.on_reload(result.as_ref().copied());
        match result {
            Err(error) if failed == 0 => observer.on_notice(&Notice::ReloadFailing(error.clone())),
            Ok(_) if failed > 0 => observer.on_notice(&Notice::ReloadRecovered),
            Ok(_) | Err(_) => {}
        }
    }

    fn fetching(&self) -> MutexGuard<'_, Option<Duration>> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
