//! [`WaitForKeys`]: a request that waits for a fetch (`T7`).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::set::Shared;
use super::unknown::Ticket;

/// Ends when the fetch under way has ended, or after 1 s. The keys are then to be asked again.
///
/// It may be polled by any executor: the time is measured by the task that fetches. Whoever drops it leaves the
/// queue.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct WaitForKeys {
    shared: Arc<Shared>,
    /// `None` if there is nothing to wait for any more.
    ticket: Option<Ticket>,
}

impl WaitForKeys {
    pub(super) fn new(shared: Arc<Shared>, ticket: Option<Ticket>) -> Self {
        Self { shared, ticket }
    }
}

impl Future for WaitForKeys {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ticket) = self.ticket else {
            return Poll::Ready(());
        };
        let (still_waits, _dropped_here) = self.shared.unknown().wait(ticket, cx.waker().clone());
        if still_waits {
            return Poll::Pending;
        }
        self.ticket = None;
        Poll::Ready(())
    }
}

impl Drop for WaitForKeys {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let _dropped_here = self.shared.unknown().leave(ticket);
        }
    }
}

impl fmt::Debug for WaitForKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForKeys").finish_non_exhaustive()
    }
}
