//! [`Rotation`]: what there is to look at beside the tokens themselves, where they can change: how old they are,
//! and whose time is over (`R5`, `R7`). The path of a request comes here only if its token is not the current
//! one, or if `max_stale` is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Clock;
use super::overlap::Previous;
use crate::observe::{Notice, Observer};

/// What every snapshot of one set of tokens shares.
pub(super) struct Surroundings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// How long tokens are good without having been seen in their source again (`R5`).
    pub(super) max_stale: Option<Duration>,
    /// When they last were, in milliseconds of the clock.
    seen_at: AtomicU64,
}

impl Surroundings {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        observer: Option<Arc<dyn Observer>>,
        max_stale: Option<Duration>,
    ) -> Self {
        let around = Self {
            clock,
            observer,
            max_stale,
            seen_at: AtomicU64::new(0),
        };
        around.mark_seen();
        around
    }

    /// The source was read, and this is what it says.
    pub(super) fn mark_seen(&self) {
        let millis = u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX);
        self.seen_at.store(millis, Ordering::Relaxed);
    }

    pub(super) fn age(&self) -> Duration {
        let seen = Duration::from_millis(self.seen_at.load(Ordering::Relaxed));
        self.clock.now().saturating_sub(seen)
    }

    pub(super) fn notices(&self, notices: &[Notice]) {
        for notice in notices {
            self.notice(notice);
        }
    }

    pub(super) fn notice(&self, notice: &Notice) {
        if let Some(observer) = &self.observer {
            observer.on_notice(notice);
        }
    }
}

/// The times of the tokens of one snapshot.
pub(super) struct Rotation {
    /// No token was ever loaded.
    is_empty: bool,
    /// Those of the slots from 1 on.
    previous: Vec<Arc<Previous>>,
    around: Arc<Surroundings>,
}

impl Rotation {
    pub(super) fn new(
        is_empty: bool,
        previous: Vec<Arc<Previous>>,
        around: Arc<Surroundings>,
    ) -> Self {
        Self {
            is_empty,
            previous,
            around,
        }
    }

    /// The slots whose match needs no look at the clock, a bit for each.
    pub(super) fn timeless(&self) -> u64 {
        if self.around.max_stale.is_some() {
            return 0;
        }
        let slots = (1..).zip(&self.previous);
        slots
            .filter(|(_, previous)| previous.is_endless())
            .fold(1, |timeless, (slot, _)| timeless | 1 << slot)
    }

    pub(super) fn previous(&self) -> &[Arc<Previous>] {
        &self.previous
    }

    /// Whether there are tokens, and they are not too old. Reads the clock only for `max_stale`.
    #[inline]
    pub(super) fn is_available(&self) -> bool {
        !self.is_empty
            && self
                .around
                .max_stale
                .is_none_or(|limit| self.around.age() <= limit)
    }

    /// Whether the time of the token in this slot is not over. Reads the clock for a previous one, and says so
    /// if one is used that ends soon.
    pub(super) fn accepts_slot(&self, slot: u32) -> bool {
        let Some(index) = slot.checked_sub(1) else {
            return true;
        };
        let Some(previous) = self.previous.get(index as usize) else {
            return false;
        };
        let now = self.around.clock.now();
        let accepted = previous.is_accepted_at(now);
        if accepted {
            previous.mark_used(now);
            self.warn_of(previous, now);
        }
        accepted
    }

    /// Says which previous tokens end soon and are in use.
    pub(super) fn warn(&self, now: Duration) {
        for previous in &self.previous {
            self.warn_of(previous, now);
        }
    }

    fn warn_of(&self, previous: &Previous, now: Duration) {
        if let Some(expires_in) = previous.warning_due(now) {
            self.around
                .notice(&Notice::PreviousStillUsed { expires_in });
        }
    }
}
