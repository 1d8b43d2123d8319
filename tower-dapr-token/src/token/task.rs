//! The task that reloads in the background, feature `tokio` (`R3`, `R9`).

use std::future::{Future, pending, poll_fn};
#[cfg(all(feature = "inotify", target_os = "linux"))]
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep};

use super::spread::{give_or_take, random};
use super::watch::Watch;
use crate::error::ConfigError;
#[cfg(all(feature = "inotify", target_os = "linux"))]
use crate::observe::Notice;

/// Kubernetes needs about a minute to update a mount, so that a shorter time would gain nothing (`R3`).
pub(super) const POLL: Duration = Duration::from_secs(10);
/// How much of it is left to chance, so that many programs do not read at once.
pub(super) const TENTH: u32 = 10;
/// Reloads that clients or files ask for come no faster, however many of them there are.
const PAUSE: Duration = Duration::from_secs(1);

/// What the task keeps up to date: tokens, or keys.
pub(super) trait Reload: Send + Sync + 'static {
    /// Reads the source, puts in force what is new, and tells whom it concerns. Blocks.
    fn reload(&self);

    /// Tells of a reading that never came to its end, because somebody else's code panicked.
    fn note_panic(&self);

    /// Whether somebody asks for a reading before it is time.
    fn is_wanted(&self) -> bool {
        false
    }

    /// Who is to be woken when somebody does.
    fn wait_for_wish(&self, _: &Waker) {}

    /// The files that are read, to watch their folders.
    #[cfg(all(feature = "inotify", target_os = "linux"))]
    fn files(&self) -> Vec<PathBuf>;

    /// Tells of what an operator should know.
    #[cfg(all(feature = "inotify", target_os = "linux"))]
    fn notice(&self, notice: &Notice);
}

/// A running task. It ends when this is dropped.
pub(super) struct Task(AbortHandle);

impl Task {
    /// The runtime that it would run in. To be asked before anything that takes time.
    pub(super) fn runtime() -> Result<Handle, ConfigError> {
        Handle::try_current().map_err(|_| ConfigError::NoRuntime)
    }

    /// Starts it in the runtime that this is called in.
    pub(super) fn spawn(reloader: Arc<dyn Reload>, watches: bool) -> Result<Self, ConfigError> {
        let runtime = Self::runtime()?;
        // Both made here, so that a runtime without a timer or without I/O is found now.
        let mut next = Box::pin(sleep(give_or_take(POLL, TENTH, random())));
        let watch = watches.then(|| Watch::begin(&*reloader)).flatten();
        let watch = watch.map(Arc::new);
        let task = runtime.spawn(async move {
            loop {
                due(&*reloader, next.as_mut(), watch.as_deref()).await;
                let reloading = Arc::clone(&reloader);
                let watch = watch.clone();
                let load = tokio::task::spawn_blocking(move || {
                    if let Some(watch) = &watch {
                        watch.renew(&*reloading);
                    }
                    reloading.reload();
                });
                // A panic of a source of the user's own ends that one load, not the task.
                if load.await.is_err_and(|error| error.is_panic()) {
                    reloader.note_panic();
                }
                sleep(PAUSE).await;
                next.set(sleep(give_or_take(POLL, TENTH, random()) - PAUSE));
            }
        });
        Ok(Self(task.abort_handle()))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits until it is time, or somebody asks, or something happened to the files.
async fn due(reloader: &dyn Reload, mut next: Pin<&mut Sleep>, watch: Option<&Watch>) {
    let mut changed = pin!(async {
        match watch {
            Some(watch) => watch.changed().await,
            None => pending().await,
        }
    });
    poll_fn(|cx| {
        // Before the wish is looked at: one that comes in between finds somebody to wake.
        reloader.wait_for_wish(cx.waker());
        if reloader.is_wanted() || changed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        next.as_mut().poll(cx)
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_polls_are_ten_seconds_apart_give_or_take_one() {
        for (random, millis) in [(0, 9_000), (1_000, 10_000), (2_000, 11_000), (2_001, 9_000)] {
            assert_eq!(
                give_or_take(POLL, TENTH, random),
                Duration::from_millis(millis),
                "{random}"
            );
        }
        for _ in 0..100 {
            let time = give_or_take(POLL, TENTH, random());
            assert!((9_000..=11_000).contains(&time.as_millis()), "{time:?}");
        }
    }
}
