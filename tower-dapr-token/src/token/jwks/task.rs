//! The task that fetches: on the schedule, and when a request wants it (`T6`, `T7`).
//!
//! It reads no more than 256 KiB at a time and parses that where it is: some milliseconds at most, every ten minutes,
//! which is less than handing it to a thread is worth.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::Accepted;
use super::error::{JwksError, JwksErrorKind};
use super::schedule::Schedule;
use super::set::Shared;
use crate::error::ConfigError;
use crate::token::KeyEvent;
use crate::token::spread::random;

/// For one refresh, discovery included.
const TOTAL: Duration = Duration::from_secs(5);

/// How the first fetch went, once it did.
pub(super) type FirstLoad = watch::Receiver<Option<Result<(), JwksError>>>;

/// Why keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is time.
    Scheduled,
    /// A request named a key that is not known, and waits.
    UnknownKid,
}

/// What a refresh brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refreshed {
    /// The new set; `None` if the old one is still the same.
    pub(super) accepted: Option<Accepted>,
    /// For how long the server says that this is right.
    pub(super) lifetime: Option<Duration>,
}

/// Fetches keys and publishes them.
pub(super) trait Refresh: Send + 'static {
    /// Whoever drops the future ends the fetch.
    fn refresh(&mut self, why: Why) -> impl Future<Output = Result<Refreshed, JwksError>> + Send;
}

/// A running task. It ends when this is dropped.
pub(super) struct Task(AbortHandle);

impl Task {
    /// Starts it in the runtime that this is called in.
    ///
    /// # Panics
    ///
    /// If that runtime was built without its timer.
    pub(super) fn spawn(
        shared: Arc<Shared>,
        refresh: impl Refresh,
        schedule: Schedule,
        first_load: watch::Sender<Option<Result<(), JwksError>>>,
    ) -> Result<Self, ConfigError> {
        let runtime = Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        // A runtime without a timer panics here, and not in a task that nobody looks at.
        drop(sleep_until(Instant::now()));
        // Made here: it closes the queue even if the task is dropped before it ran.
        let keeper = Keeper {
            shared,
            schedule,
            failures: 0,
            is_failing: false,
        };
        let task = runtime.spawn(keeper.run(refresh, first_load));
        Ok(Self(task.abort_handle()))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the task knows from one fetch to the next.
struct Keeper {
    shared: Arc<Shared>,
    schedule: Schedule,
    /// Since the last success that counted.
    failures: u32,
    /// The last fetch of the schedule failed, discovery included. What a request has fetched until the next one may come
    /// from an address where the issuer no longer keeps its keys.
    is_failing: bool,
}

impl Keeper {
    async fn run(
        mut self,
        mut refresh: impl Refresh,
        first_load: watch::Sender<Option<Result<(), JwksError>>>,
    ) {
        let mut due = Instant::now();
        loop {
            let why = self.until(due).await;
            self.shared.unknown().begin(self.shared.clock.now());
            let result = self.fetch(&mut refresh, why).await;
            if why == Why::Scheduled {
                self.is_failing = result.is_err();
            }
            if let Some(wait) = self.next(why, &result) {
                let next = Instant::now() + wait;
                // A stranger who names a key that is not there may have keys fetched, and may not put off the fetch
                // of the schedule, with which alone the issuer is asked where its keys are.
                due = match why {
                    Why::Scheduled => next,
                    Why::UnknownKid => due.min(next),
                };
            }
            self.finish(&result);
            first_load.send_if_modified(|first| {
                let is_first = first.is_none();
                if is_first {
                    *first = Some(result.map(drop));
                }
                is_first
            });
        }
    }

    /// Waits until it is time, or a request wants keys.
    async fn until(&self, due: Instant) -> Why {
        let mut sleep = pin!(sleep_until(due));
        let mut called = pin!(self.shared.wake_task.notified());
        poll_fn(|cx| {
            // A call may be an old one, of a request that was served.
            while called.as_mut().poll(cx).is_ready() {
                called.set(self.shared.wake_task.notified());
            }
            // First: a fetch that is due is one of the schedule, whoever asks besides.
            if sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Why::Scheduled);
            }
            if self.shared.unknown().is_claimed() {
                return Poll::Ready(Why::UnknownKid);
            }
            Poll::Pending
        })
        .await
    }

    /// One fetch, while those who wait for it are let go one by one when their second is over.
    async fn fetch(&self, refresh: &mut impl Refresh, why: Why) -> Result<Refreshed, JwksError> {
        let mut fetch = pin!(timeout(TOTAL, refresh.refresh(why)));
        let mut tick = pin!(sleep_until(Instant::now()));
        let mut called = pin!(self.shared.wake_task.notified());
        poll_fn(|cx| {
            // No document may end the task, with which all later ones would be lost.
            match catch_unwind(AssertUnwindSafe(|| fetch.as_mut().poll(cx))) {
                Ok(Poll::Ready(Ok(result))) => return Poll::Ready(result),
                Ok(Poll::Ready(Err(_))) => return Poll::Ready(Err(JwksErrorKind::TimedOut.into())),
                Err(_) => return Poll::Ready(Err(JwksErrorKind::Panicked.into())),
                Ok(Poll::Pending) => {}
            }
            while called.as_mut().poll(cx).is_ready() {
                called.set(self.shared.wake_task.notified());
            }
            while let Some(left) = self.let_go_overdue() {
                tick.as_mut().reset(Instant::now() + left);
                if tick.as_mut().poll(cx).is_pending() {
                    break;
                }
            }
            Poll::Pending
        })
        .await
    }

    /// How long the next one may still wait, if anyone waits.
    fn let_go_overdue(&self) -> Option<Duration> {
        let now = self.shared.clock.now();
        let mut unknown = self.shared.unknown();
        let overdue = unknown.release_overdue(now);
        let next = unknown.next_deadline();
        drop(unknown);
        wake_all(overdue);
        next.map(|next| next.saturating_sub(now))
    }

    /// How long until the next fetch of the schedule; `None` if that is not changed. A fetch that a request wanted
    /// changes nothing if it failed, or if that of the schedule failed before it, and never makes the next one later:
    /// no stranger decides how often keys are fetched.
    fn next(&mut self, why: Why, result: &Result<Refreshed, JwksError>) -> Option<Duration> {
        match (result, why) {
            (Ok(_), _) if self.is_failing => None,
            (Ok(refreshed), _) => Some(self.schedule.succeeded(refreshed.lifetime, random())),
            (Err(_), Why::Scheduled) => Some(self.schedule.failed(random())),
            (Err(_), Why::UnknownKid) => None,
        }
    }

    /// Tells all whom it concerns.
    fn finish(&mut self, result: &Result<Refreshed, JwksError>) {
        let shared = &self.shared;
        let now = shared.clock.now();
        // Keys that were fetched for a stranger while the issuer does not say where its keys are: they are in force, but
        // do not count as those of now, or strangers could keep keys alive beyond `max_stale`.
        let counts = result.is_err() || !self.is_failing;
        if result.is_ok() && counts {
            shared.freshness.renew(now);
        }
        let holds = |kid: &str| shared.sink.holds(kid);
        let released = shared.unknown().end(
            now,
            result.is_ok().then_some(&holds as &dyn Fn(&str) -> bool),
        );
        wake_all(released);
        if !counts {
            return;
        }
        self.failures = match result {
            Ok(_) => 0,
            Err(_) => self.failures.saturating_add(1),
        };
        shared.tell(&match result {
            Ok(Refreshed {
                accepted: Some(Accepted { keys, skipped }),
                ..
            }) => KeyEvent::Refreshed {
                keys: *keys,
                skipped: *skipped,
            },
            Ok(_) => KeyEvent::Unchanged,
            Err(error) => KeyEvent::Failed {
                error: error.clone(),
                in_a_row: self.failures,
            },
        });
    }
}

impl Drop for Keeper {
    /// The runtime may end before the set does: nobody is to wait for a task that is gone.
    fn drop(&mut self) {
        let released = self.shared.unknown().close();
        wake_all(released);
    }
}

fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}
