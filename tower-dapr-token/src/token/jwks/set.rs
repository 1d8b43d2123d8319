//! [`RemoteKeySet`]: keys that are kept fresh as long as somebody holds this.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::KeySetSink;
use super::error::{JwksError, JwksErrorKind};
use super::schedule::Schedule;
use super::task::{FirstLoad, Refresh, Task};
use super::unknown::UnknownKids;
use super::wait::WaitForKeys;
use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::KeyEvent;
use crate::token::clock::Clock;
use crate::token::stale::Freshness;

/// Keys that one task keeps fresh. The task ends when this is dropped, and a fetch under way with it.
pub(crate) struct RemoteKeySet {
    shared: Arc<Shared>,
    first_load: FirstLoad,
    _task: Task,
}

impl RemoteKeySet {
    /// Begins to fetch, at once.
    pub(super) fn start(
        shared: Shared,
        refresh: impl Refresh,
        schedule: Schedule,
    ) -> Result<Self, ConfigError> {
        let shared = Arc::new(shared);
        let (told, first_load) = watch::channel(None);
        let task = Task::spawn(Arc::clone(&shared), refresh, schedule, told)?;
        Ok(Self {
            shared,
            first_load,
            _task: task,
        })
    }

    /// Waits for the end of the first fetch, at most 5 s, and says how it went. It is tried again in any case.
    ///
    /// # Errors
    ///
    /// Why there are no keys.
    pub(crate) async fn first_load(&self) -> Result<(), JwksError> {
        let mut first_load = self.first_load.clone();
        match first_load.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(result)) => result.clone(),
            _ => Err(JwksErrorKind::Stopped.into()),
        }
    }

    /// For a request whose `kid` was just not found: what to wait for before it is looked up again, or `None` if the
    /// request is to be refused at once.
    pub(crate) fn wait_for(&self, kid: &str) -> Option<WaitForKeys> {
        let mut unknown = self.shared.unknown();
        // Behind the lock: a fetch publishes its keys before it ends, so that either it is still there to be joined,
        // or its keys are found.
        if self.shared.sink.holds(kid) {
            return Some(WaitForKeys::new(Arc::clone(&self.shared), None));
        }
        let ticket = unknown.ask(kid, self.shared.clock.now());
        // The first one begins the fetch, or has its second measured.
        let wakes_the_task = ticket.is_some() && unknown.waiting() == 1;
        drop(unknown);
        if wakes_the_task {
            self.shared.wake_task.notify_one();
        }
        self.tell_of_request(ticket.is_some());
        let ticket = ticket?;
        Some(WaitForKeys::new(Arc::clone(&self.shared), Some(ticket)))
    }

    /// Whether [`wait_for`](Self::wait_for) would say yes at this moment. Nothing is begun, and nobody is told.
    pub(crate) fn may_wait(&self, kid: &str) -> bool {
        let unknown = self.shared.unknown();
        self.shared.sink.holds(kid) || unknown.may_ask(kid, self.shared.clock.now())
    }

    /// For a request whose `kid` was just not found and that cannot wait: begins the fetch that one that waits would
    /// begin, for those who come later. Says whether there is such a key by now.
    ///
    /// It needs no runtime: it calls the task, which has one.
    pub(crate) fn fetch_for_others(&self, kid: &str) -> bool {
        let mut unknown = self.shared.unknown();
        // Behind the lock, as above.
        if self.shared.sink.holds(kid) {
            return true;
        }
        unknown.seek(kid, self.shared.clock.now());
        let wakes_the_task = unknown.is_claimed();
        drop(unknown);
        if wakes_the_task {
            self.shared.wake_task.notify_one();
        }
        self.tell_of_request(false);
        false
    }

    /// Tells of a request that is refused at once, because it may not wait.
    pub(crate) fn refuse(&self) {
        self.tell_of_request(false);
    }

    fn tell_of_request(&self, waits: bool) {
        if let Some(observer) = &self.shared.observer {
            observer.on_key_event(&KeyEvent::UnknownKid { waits });
        }
    }

    /// Whether no key may be used at this moment of the clock: there never were any, or they are older than
    /// `max_stale` (`T8`).
    pub(crate) fn is_stale(&self, now: Duration) -> bool {
        self.shared.freshness.is_stale(now)
    }

    /// How old the keys are at this moment of the clock; `None` if there never were any.
    #[cfg(test)]
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        self.shared.freshness.age(now)
    }
}

impl fmt::Debug for RemoteKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeySet").finish_non_exhaustive()
    }
}

/// What the task, the set and those who wait have in common.
pub(super) struct Shared {
    unknown: Mutex<UnknownKids>,
    pub(super) freshness: Freshness,
    pub(super) wake_task: Notify,
    pub(super) sink: Arc<dyn KeySetSink>,
    pub(super) clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
}

impl Shared {
    pub(super) fn new(
        sink: Arc<dyn KeySetSink>,
        clock: Arc<dyn Clock>,
        observer: Option<Arc<dyn Observer>>,
        max_stale: Duration,
    ) -> Self {
        Self {
            unknown: Mutex::default(),
            freshness: Freshness::new(max_stale),
            wake_task: Notify::new(),
            sink,
            clock,
            observer,
        }
    }

    /// Held for a moment, and never while somebody is woken or told.
    pub(super) fn unknown(&self) -> MutexGuard<'_, UnknownKids> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the observer, whose panic must not end the task.
    pub(super) fn tell(&self, event: &KeyEvent) {
        if let Some(observer) = &self.observer {
            let _ = catch_unwind(AssertUnwindSafe(|| observer.on_key_event(event)));
        }
    }
}
