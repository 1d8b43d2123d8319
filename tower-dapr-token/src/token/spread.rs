//! Random spread of times, so that many programs do not do the same at the same moment.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The time, give or take the n-th part of it, and where in between is for `random` to say.
pub(crate) fn give_or_take(time: Duration, nth: u32, random: u64) -> Duration {
    let part = time / nth;
    let thousandths = u32::try_from(random % 2001).unwrap_or_default();
    time - part + part * thousandths / 1000
}

/// Good enough to spread times, and for nothing else: the keys of a hasher that the standard library seeds.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}
