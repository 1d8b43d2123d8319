//! [`TokenReader`], and the [`Snapshot`] that it reads: one immutable state of tokens that can change.
//!
//! A snapshot is published whole, with a number (`R8`). Who reads keeps the one it saw and compares the number:
//! one atomic load. No reader takes a lock, ever.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;

use super::overlap::Accepted;
use super::rotation::Surroundings;
use super::secret::Token;
use super::verify::Verifier;
use crate::error::ConfigError;
use crate::header::MAX_TOKEN_LEN;

/// What is accepted and sent, as of one moment.
pub(crate) struct Snapshot {
    generation: u64,
    verifier: Verifier,
    /// The current token as a header value, prepared once (`I7`).
    header: Option<HeaderValue>,
}

impl Snapshot {
    fn new(generation: u64, accepted: Accepted, around: Arc<Surroundings>) -> Arc<Self> {
        Arc::new(Self {
            generation,
            header: accepted.tokens.current().map(Token::into_header_value),
            verifier: Verifier::rotating(accepted, around),
        })
    }

    /// Decides what was presented.
    #[inline]
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The header to send, unless the tokens are too old.
    #[inline]
    pub(crate) fn header(&self) -> Option<&HeaderValue> {
        self.header
            .as_ref()
            .filter(|_| self.verifier.is_available())
    }
}

/// What a writer and its readers share.
pub(super) struct Shared {
    generation: AtomicU64,
    snapshot: ArcSwap<Snapshot>,
    around: Arc<Surroundings>,
    /// The greatest length that every reader can take.
    limit: AtomicUsize,
    /// How many loads were begun.
    loads: AtomicU64,
    reload_wanted: AtomicBool,
    /// Who waits for that.
    waiting: Mutex<Option<Waker>>,
}

impl Shared {
    pub(super) fn new(accepted: Accepted, around: Surroundings, limit: usize) -> Arc<Self> {
        let around = Arc::new(around);
        Arc::new(Self {
            generation: AtomicU64::new(1),
            snapshot: ArcSwap::new(Snapshot::new(1, accepted, Arc::clone(&around))),
            around,
            limit: AtomicUsize::new(limit),
            loads: AtomicU64::new(0),
            reload_wanted: AtomicBool::new(false),
            waiting: Mutex::new(None),
        })
    }

    /// Replaces the snapshot. Its callers take turns.
    pub(super) fn publish(&self, accepted: Accepted) -> u64 {
        let generation = self.snapshot().generation + 1;
        let snapshot = Snapshot::new(generation, accepted, Arc::clone(&self.around));
        self.snapshot.store(snapshot);
        // After the snapshot: who sees the number finds the snapshot, or a later one.
        self.generation.store(generation, Ordering::Release);
        generation
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    pub(super) fn around(&self) -> &Surroundings {
        &self.around
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// A load begins now. Whoever wanted one gets it.
    pub(super) fn begin_load(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.reload_wanted.store(false, Ordering::Release);
    }

    pub(super) fn reload_wanted(&self) -> bool {
        self.reload_wanted.load(Ordering::Acquire)
    }

    /// Who is to be woken when a reload is wanted.
    #[cfg(feature = "tokio")]
    pub(super) fn wait_for_wish(&self, waker: &Waker) {
        self.waiting().replace(waker.clone());
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reading half of tokens that can change; made by [`TokenHandle::reader()`](crate::TokenHandle::reader).
///
/// Give it to the builders of any number of layers: they follow every change, and none of them takes a lock.
/// A reader does not keep a reload task alive.
///
/// ```
/// use tower_dapr_token::{InjectTokenLayer, RequireTokenLayer, TokenHandle, TokenSet};
///
/// let handle = TokenHandle::new(TokenSet::new("the-first-token-of-32-bytes-or-so".parse()?));
/// let server = RequireTokenLayer::builder().reader(handle.reader()).build()?;
/// let client = InjectTokenLayer::builder()
///     .reader(handle.reader())
///     .any_loopback_port()
///     .build()?;
///
/// // From here on the client sends the second one, and the server takes both for an hour.
/// handle.rotate("the-second-token-of-32-bytes-or-so".parse()?)?;
/// assert_eq!(handle.reader().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TokenReader(Arc<Shared>);

impl TokenReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot()
    }

    /// Which state of the tokens is current: it grows by one with every change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// How many tokens are compared, those included whose time is over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.snapshot().verifier.token_set().len()
    }

    /// Whether there is no token, because none was ever loaded. Requests with a token then get 503.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long ago the tokens were last seen in their source, or set by hand.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.around.age()
    }

    /// How long the previous token is still accepted that ends last; `None` if there is none that ends.
    #[must_use]
    pub fn previous_expires_in(&self) -> Option<Duration> {
        let now = self.0.around.clock.now();
        let accepted = self.0.snapshot().verifier.accepted();
        let left = accepted
            .previous
            .iter()
            .filter_map(|previous| previous.expires_in(now));
        left.filter(|left| !left.is_zero()).max()
    }

    /// The current token as a header value, marked sensitive; `None` while there is none, or it is older than
    /// `max_stale`. For a client that no layer of this crate fits.
    #[must_use]
    pub fn header_value(&self) -> Option<HeaderValue> {
        self.0.snapshot().header().cloned()
    }

    /// The newest snapshot: the one in `seen`, or that which replaces it there.
    #[inline(always)]
    pub(crate) fn current<'s>(&self, seen: &'s mut Option<Arc<Snapshot>>) -> &'s Snapshot {
        let generation = self.0.generation.load(Ordering::Acquire);
        let is_newest = seen
            .as_ref()
            .is_some_and(|snapshot| snapshot.generation == generation);
        if !is_newest {
            *seen = Some(self.0.snapshot());
        }
        seen.as_deref().expect("it was just put there")
    }

    /// How many loads were begun: a number to compare with a later one.
    #[inline]
    pub(crate) fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::Relaxed)
    }

    /// Asks for a reload, unless one began since `loads` was counted (`I6`).
    #[cold]
    pub(crate) fn ask_for_reload(&self, loads: u64) {
        if self.loads() != loads || self.0.reload_wanted.swap(true, Ordering::AcqRel) {
            return;
        }
        let waiting = self.0.waiting().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// From now on no token may be longer.
    pub(crate) fn limit_to(&self, limit: usize) -> Result<(), ConfigError> {
        if limit > MAX_TOKEN_LEN || limit < self.0.snapshot().verifier.token_set().longest() {
            return Err(ConfigError::ValueLimit { limit });
        }
        self.0.limit.fetch_min(limit, Ordering::Relaxed);
        Ok(())
    }
}

impl fmt::Debug for TokenReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenReader")
            .field("generation", &self.generation())
            .field("tokens", &self.len())
            .finish_non_exhaustive()
    }
}
