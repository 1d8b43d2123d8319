//! [`Moved`]: a clock that stands still until it is moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tower_dapr_token::{Clock, SystemClock};

#[derive(Debug, Default)]
pub(crate) struct Moved {
    millis: AtomicU64,
    /// Whether new content really settles for a tenth of a second.
    settles: bool,
}

impl Moved {
    pub(crate) fn new(settles: bool) -> Self {
        Self {
            settles,
            ..Self::default()
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn wait(&self, duration: Duration) {
        if self.settles {
            SystemClock::default().wait(duration);
        }
    }
}
