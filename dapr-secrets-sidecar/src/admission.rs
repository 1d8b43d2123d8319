//! [`Admission`]: how many requests for secrets are answered at once, in the whole process.
//!
//! It is asked behind the token check, so that strangers cannot use it up, and by no probe
//! (`docs/spec/secrets-api.md`, G6). A request counts until its answer is made; answers that are still being sent are
//! `budget.rs`'s.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Clones share the limit, over all APIs.
#[derive(Debug, Clone)]
pub(crate) struct Admission(Arc<Semaphore>);

/// One request that is being answered.
#[derive(Debug)]
#[must_use = "it counts only as long as it is held"]
pub(crate) struct Admitted {
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))))
    }

    /// `None` at the limit: nobody waits.
    pub(crate) fn enter(&self) -> Option<Admitted> {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok()?;
        Some(Admitted { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g6_at_the_limit_the_next_one_is_refused_until_one_ends() {
        let admission = Admission::new(2);
        let first = admission.enter().expect("room");
        let _second = admission.clone().enter().expect("room");
        assert!(admission.enter().is_none());
        drop(first);
        assert!(admission.enter().is_some());
    }
}
