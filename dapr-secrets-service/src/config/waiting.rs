//! Waiting for futures without a runtime: several at once, or not at all.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What is done with a store that does not answer at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// It is waited for.
    Patient,
    /// It is an error: the caller cannot wait.
    Never,
    /// It is passed over: the files are refused anyway.
    PassOver,
}

/// Waits for all of them, and has each go on as soon as it can. The answers are in the order of the futures.
pub(super) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    poll_fn(|cx| {
        let mut is_done = true;
        for (future, answer) in &mut running {
            if answer.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(ready) => *answer = Some(ready),
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, answer)| answer)
        .collect()
}

/// The answer of a future that has one already.
pub(super) fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let future = pin!(future);
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn s22_futures_run_side_by_side_and_answer_in_order() {
        let arrived = Cell::new(0);
        let meets_the_others = |index: usize| {
            let arrived = &arrived;
            async move {
                arrived.set(arrived.get() + 1);
                poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    match arrived.get() {
                        3 => Poll::Ready(()),
                        _ => Poll::Pending,
                    }
                })
                .await;
                index
            }
        };
        let mut all = pin!(join_all((0..3).map(meets_the_others)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(all.as_mut().poll(&mut context).is_pending());
        assert_eq!(all.as_mut().poll(&mut context), Poll::Ready(vec![0, 1, 2]));
        assert_eq!(at_once(join_all([ready(1), ready(2)])), Some(vec![1, 2]));
        assert_eq!(
            at_once(join_all(Vec::<std::future::Ready<u8>>::new())),
            Some(Vec::new())
        );
    }

    #[test]
    fn what_must_be_waited_for_is_no_answer() {
        assert_eq!(at_once(ready(1)), Some(1));
        assert_eq!(at_once(pending::<u8>()), None);
        assert_eq!(at_once(join_all([pending::<u8>()])), None);
    }
}
