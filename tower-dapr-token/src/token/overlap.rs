//! [`Overlap`], and which tokens are accepted after a change. Pure: what was accepted, what was loaded and the
//! time go in, what is accepted comes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::set::TokenSet;

/// A rotation that starts before the last one ended still works (`R7`).
const PREVIOUS_KEPT: usize = 2;
/// A token that was used within this time is in use.
const IN_USE: Duration = Duration::from_secs(5 * 60);

/// How long a token is still accepted after another one took its place (`R7`).
///
/// A daprd that runs read its environment when it started, and sends the old token until it is started
/// again (dapr/dapr #5886, #9553).
///
/// The time is that of the [`Clock`](crate::Clock). With the usual one, the time in which the machine is suspended
/// does not count: see [`SystemClock`](crate::SystemClock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overlap {
    /// For this long. One hour is the default: it covers a rolling restart of the sidecars.
    For(Duration),
    /// Until this program ends, or until two newer ones have taken its place, or `revoke_previous()`.
    UntilRestart,
    /// Not at all: callers that send the old token are refused at once.
    None,
}

impl Default for Overlap {
    fn default() -> Self {
        Self::For(Duration::from_secs(60 * 60))
    }
}

/// What is accepted: the tokens, and for each but the first how long.
#[derive(Clone)]
pub(super) struct Accepted {
    pub(super) tokens: TokenSet,
    /// Those of the slots from 1 on.
    pub(super) previous: Vec<Arc<Previous>>,
}

/// How long a previous token is accepted, and when it last was.
#[derive(Debug)]
pub(super) struct Previous {
    /// The source names it, and it ends when the source no longer does.
    listed: bool,
    /// When it ends, by the clock.
    deadline: Option<Duration>,
    /// From when on its use is worth a warning.
    warn_from: Option<Duration>,
    /// In milliseconds of the clock, and one more, so that 0 says never.
    used: AtomicU64,
    warned: AtomicBool,
}

impl Previous {
    fn listed() -> Arc<Self> {
        Self::new(true, None, None)
    }

    fn superseded(overlap: Overlap, now: Duration) -> Option<Arc<Self>> {
        match overlap {
            Overlap::None | Overlap::For(Duration::ZERO) => None,
            Overlap::UntilRestart => Some(Self::new(false, None, None)),
            Overlap::For(overlap) => Some(Self::new(
                false,
                Some(now.saturating_add(overlap)),
                Some(now.saturating_add(overlap / 5 * 4)),
            )),
        }
    }

    fn new(listed: bool, deadline: Option<Duration>, warn_from: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            listed,
            deadline,
            warn_from,
            used: AtomicU64::new(0),
            warned: AtomicBool::new(false),
        })
    }

    pub(super) fn is_endless(&self) -> bool {
        self.deadline.is_none()
    }

    pub(super) fn is_accepted_at(&self, now: Duration) -> bool {
        self.deadline.is_none_or(|deadline| now < deadline)
    }

    /// How long it is still accepted, if that will end.
    pub(super) fn expires_in(&self, now: Duration) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_sub(now))
    }

    pub(super) fn mark_used(&self, now: Duration) {
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.used.store(millis.saturating_add(1), Ordering::Relaxed);
    }

    /// How long it is still accepted, once: if that ends soon and the token is in use.
    pub(super) fn warning_due(&self, now: Duration) -> Option<Duration> {
        let left = self.expires_in(now).filter(|left| !left.is_zero())?;
        let used = self.used.load(Ordering::Relaxed).checked_sub(1)?;
        let in_use = now.saturating_sub(Duration::from_millis(used)) <= IN_USE;
        let due = in_use && self.warn_from.is_some_and(|from| now >= from);
        (due && !self.warned.swap(true, Ordering::Relaxed)).then_some(left)
    }
}

impl Accepted {
    /// Exactly these, without an end.
    pub(super) fn listed(tokens: TokenSet) -> Self {
        let previous = (1..tokens.len()).map(|_| Previous::listed()).collect();
        Self { tokens, previous }
    }

    /// Nothing yet.
    pub(super) fn nothing() -> Self {
        Self::listed(TokenSet::none())
    }

    /// What is accepted after this one token was loaded, whose source says nothing of those before it.
    pub(super) fn succeeded_by(&self, loaded: TokenSet, overlap: Overlap, now: Duration) -> Self {
        // What was current first, then those that it took the place of. What a source once listed is not
        // kept: it no longer does.
        let superseded = Previous::superseded(overlap, now).map(|previous| (0, previous));
        let older = (1..).zip(
            self.previous
                .iter()
                .filter(|previous| !previous.listed)
                .cloned(),
        );
        let mut next = Self::listed(loaded);
        for (slot, previous) in superseded.into_iter().chain(older) {
            if next.previous.len() == PREVIOUS_KEPT {
                break;
            }
            let Some(tokens) = next.tokens.with_slot_of(&self.tokens, slot) else {
                continue;
            };
            next.tokens = tokens;
            next.previous.push(previous);
        }
        next
    }

    /// Only the current token.
    pub(super) fn without_previous(&self) -> Self {
        Self::listed(self.tokens.only_current())
    }
}
