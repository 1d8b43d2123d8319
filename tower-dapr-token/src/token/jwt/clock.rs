//! [`WallClock`]: the time of day, as an argument (`T4`).

use std::fmt;
use std::time::{Duration, SystemTime};

/// What time it is. Tokens say when they end in this time, not in that of a [`Clock`](crate::Clock), which only
/// tells how much has passed.
///
/// ```
/// use std::time::Duration;
/// use tower_dapr_token::WallClock;
///
/// struct At(u64);
///
/// impl WallClock for At {
///     fn unix_time(&self) -> Duration {
///         Duration::from_secs(self.0)
///     }
/// }
///
/// assert_eq!(At(1_700_000_000).unix_time().as_secs(), 1_700_000_000);
/// ```
pub trait WallClock: Send + Sync + 'static {
    /// The time since 1970-01-01 UTC. It may jump, as a clock that is set does.
    fn unix_time(&self) -> Duration;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Default)]
pub struct SystemWallClock;

impl WallClock for SystemWallClock {
    /// A clock that stands before 1970 tells nothing about tokens: the answer is then the end of time, by which all
    /// of them have expired.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that the time of day comes from; all else is given a clock"
    )]
    fn unix_time(&self) -> Duration {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::MAX)
    }
}

impl fmt::Debug for SystemWallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemWallClock")
    }
}
