//! [`Gauge`]: how many of something there are now; listeners, connections and requests are counted with it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// A count that [`enter`](Self::enter) raises and the drop of what it returned lowers. Clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct Gauge(watch::Sender<usize>);

impl Gauge {
    /// Counts nothing yet.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// How many there are now.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Counts one more, until the returned value is dropped.
    pub(crate) fn enter(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }

    /// Returns once the count has been 0, without a change, for `grace`.
    pub(crate) async fn idle_for(&self, grace: Duration) {
        let mut changes = self.0.subscribe();
        loop {
            // It fails when every sender is gone, and this one is not.
            let _ = changes.wait_for(|count| *count == 0).await;
            if timeout(grace, changes.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// One of those that a [`Gauge`] counts.
#[derive(Debug)]
#[must_use = "it is counted only as long as it is held"]
pub(crate) struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn what_is_dropped_no_longer_counts() {
        let gauge = Gauge::new();
        let first = gauge.enter();
        let second = gauge.clone().enter();
        assert_eq!(gauge.count(), 2);
        drop(first);
        assert_eq!(gauge.count(), 1);
        drop(second);
        assert_eq!(gauge.count(), 0);
    }

    #[tokio::test]
    async fn api_g7_only_a_whole_grace_without_anything_is_idle() {
        let hour = Duration::from_secs(3600);
        let gauge = Gauge::new();
        let held = gauge.enter();
        let mut context = Context::from_waker(Waker::noop());
        let mut idle = Box::pin(gauge.idle_for(Duration::ZERO));
        assert!(idle.as_mut().poll(&mut context).is_pending());
        drop(held);
        idle.await;

        let mut idle = Box::pin(gauge.idle_for(hour));
        assert!(idle.as_mut().poll(&mut context).is_pending());
    }
}
