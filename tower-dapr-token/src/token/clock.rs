//! [`Clock`]: the time by which tokens expire, as an argument.

use std::fmt;
use std::time::{Duration, Instant};

/// What rotation knows of time: how much of it has passed, and how to let some pass.
///
/// The default is [`SystemClock`]. A test hands in a clock that it moves itself:
///
/// ```
/// use std::sync::Mutex;
/// use std::time::Duration;
/// use tower_dapr_token::Clock;
///
/// #[derive(Default)]
/// struct Moved(Mutex<Duration>);
///
/// impl Clock for Moved {
///     fn now(&self) -> Duration {
///         *self.0.lock().unwrap()
///     }
///
///     fn wait(&self, duration: Duration) {
///         *self.0.lock().unwrap() += duration;
///     }
/// }
///
/// let clock = Moved::default();
/// clock.wait(Duration::from_secs(3600));
/// assert_eq!(clock.now(), Duration::from_secs(3600));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The time since a moment of the clock's own choice. It never goes back.
    fn now(&self) -> Duration;

    /// Comes back after this long. Called only while tokens are loaded, for the tenth of a second after
    /// which new content must still be the same.
    fn wait(&self, duration: Duration);
}

/// The monotonic clock of the operating system: setting the date moves no deadline.
///
/// On Linux and macOS it stands still while the machine sleeps or is suspended, so that an
/// [`Overlap`](crate::Overlap) of an hour is an hour in which the program could run. The standard library has no
/// clock that goes on then and that nobody can set; where it matters, hand in one of your own.
#[derive(Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Blocks the thread.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that time comes from; all else is given a clock"
    )]
    fn wait(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

impl fmt::Debug for SystemClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemClock").finish_non_exhaustive()
    }
}
