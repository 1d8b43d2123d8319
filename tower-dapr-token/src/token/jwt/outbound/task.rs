//! The task that renews a JWT in the background, feature `tokio` (`I9`, `R9`).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep};

use super::slot::{PAUSE, Slot};
use crate::error::ConfigError;
use crate::token::spread::{give_or_take, random};
use crate::token::task::{POLL, TENTH};

/// A running task. It ends when this is dropped.
pub(super) struct RenewalTask(AbortHandle);

impl RenewalTask {
    /// The runtime that it would run in. To be asked before anything that takes time.
    pub(super) fn runtime() -> Result<Handle, ConfigError> {
        Handle::try_current().map_err(|_| ConfigError::NoRuntime)
    }

    /// Starts it in the runtime that this is called in.
    pub(super) fn spawn(slot: Arc<Slot>) -> Result<Self, ConfigError> {
        let runtime = Self::runtime()?;
        // Made here, so that a runtime without a timer is found now.
        let mut next = Box::pin(sleep(next_look(&slot, random())));
        let task = runtime.spawn(async move {
            loop {
                look(&slot, next.as_mut()).await;
                let mut begin = Duration::ZERO;
                if slot.is_polled() || slot.is_due() {
                    let renewing = Arc::clone(&slot);
                    let fetch = tokio::task::spawn_blocking(move || renewing.refresh());
                    // A panic of a source of the user's own ends that one fetch, not the task.
                    if fetch.await.is_err_and(|error| error.is_panic()) {
                        slot.note_panic();
                    }
                    sleep(PAUSE).await;
                    begin = PAUSE;
                }
                next.set(sleep(next_look(&slot, random()).saturating_sub(begin)));
            }
        });
        Ok(Self(task.abort_handle()))
    }
}

impl Drop for RenewalTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits until it is time, or somebody asks.
async fn look(slot: &Slot, mut next: Pin<&mut Sleep>) {
    poll_fn(|cx| {
        // Before the wish is looked at: one that comes in between finds somebody to wake.
        slot.wait_for_wish(cx.waker());
        if slot.is_wanted() {
            return Poll::Ready(());
        }
        next.as_mut().poll(cx)
    })
    .await;
}

/// Until the token is due. Never longer than a poll: the time of the task stands still while the machine sleeps, and
/// goes on while somebody sets the clock.
fn next_look(slot: &Slot, random: u64) -> Duration {
    match slot.failures() {
        0 if slot.is_polled() => give_or_take(POLL, TENTH, random),
        0 => give_or_take(POLL, TENTH, random).min(slot.due_in().max(Duration::from_millis(1))),
        failures => after_failures(failures),
    }
}

/// 1 s after the first one, doubling to the time between two polls.
fn after_failures(failures: u32) -> Duration {
    PAUSE
        .saturating_mul(1 << failures.saturating_sub(1).min(8))
        .min(POLL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i9_r5_failures_are_repeated_after_one_second_doubling_to_ten() {
        for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (u32::MAX, 10)] {
            assert_eq!(
                after_failures(failures),
                Duration::from_secs(seconds),
                "{failures}"
            );
        }
    }
}
