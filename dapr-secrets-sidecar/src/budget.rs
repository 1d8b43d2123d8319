//! [`AnswerBudget`]: how much memory the answers that wait for their readers may take together.
//!
//! An HTTP/2 caller may ask for many large answers and read none of them. Each answer of more than [`FREE`] bytes takes
//! its size, in whole KiB, from one budget for the process, and gives it back when its last byte is sent or dropped. One
//! that finds too little left is refused (`docs/spec/secrets-api.md`, G6); smaller answers never are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Answers up to this size are not counted: a connection has at most 64 streams, so 4 MiB of them.
const FREE: u64 = 64 * 1024;

/// What the larger answers of all connections may take together, in KiB: 256 MiB.
const TOTAL_KIB: u32 = 256 * 1024;

/// The budget of this process; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct AnswerBudget(Arc<Semaphore>);

/// The part of the budget that one answer takes; nothing for a small one.
#[derive(Debug)]
#[must_use = "it is given back when this is dropped"]
pub(crate) struct Share {
    _taken: Option<OwnedSemaphorePermit>,
}

impl AnswerBudget {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOTAL_KIB as usize)))
    }

    /// Takes what an answer of `bytes` needs; `None` when too little is left.
    ///
    /// An answer that is larger than the whole budget takes all of it: it can be sent, alone.
    pub(crate) fn take(&self, bytes: u64) -> Option<Share> {
        if bytes <= FREE {
            return Some(Share { _taken: None });
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).map_or(TOTAL_KIB, |kib| kib.min(TOTAL_KIB));
        let taken = Arc::clone(&self.0).try_acquire_many_owned(kib).ok()?;
        Some(Share {
            _taken: Some(taken),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn api_g6_large_answers_share_a_budget_and_small_ones_need_none() {
        let budget = AnswerBudget::new();
        let large: Vec<_> = (0..18).map_while(|_| budget.take(14 * MIB)).collect();
        assert_eq!(large.len(), 18, "252 MiB");
        assert!(budget.take(14 * MIB).is_none());
        assert!(budget.take(4 * MIB + 1).is_none(), "a part of a KiB counts");
        let rest = budget.clone().take(4 * MIB).expect("4 MiB are left");
        assert!(budget.take(FREE + 1).is_none());
        let _free: Vec<_> = (0..1000)
            .map(|_| budget.take(FREE).expect("free"))
            .collect();
        drop((large, rest));
        assert!(budget.take(256 * MIB).is_some(), "all of it is back");
    }

    #[test]
    fn api_g6_an_answer_larger_than_the_budget_is_sent_alone() {
        let budget = AnswerBudget::new();
        for bytes in [256 * MIB + 1, u64::MAX] {
            let all = budget.take(bytes).expect("nothing else is there");
            assert!(budget.take(FREE + 1).is_none());
            drop(all);
        }
        let _other = budget.take(FREE + 1).expect("room");
        assert!(budget.take(256 * MIB).is_none());
    }
}
