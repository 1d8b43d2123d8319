//! [`ResponseFuture`]: the inner service's future, and a look at the head of its answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;

use super::status;
use crate::token::TokenReader;

pin_project! {
    /// The response future of [`InjectToken`](crate::InjectToken): no box. The answer is passed on as
    /// it is, and nothing is ever sent a second time.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        sent: Option<Sent>,
    }
}

/// A token that may have been too old: where a newer one would come from.
pub(super) struct Sent {
    reader: TokenReader,
    loads: u64,
}

impl Sent {
    /// A request goes out now with the current token of this reader.
    pub(super) fn now(reader: &TokenReader) -> Self {
        Self {
            loads: reader.loads(),
            reader: reader.clone(),
        }
    }

    /// Asks for a newer one, if this one was not accepted.
    #[inline(never)]
    fn judge<B>(&self, response: &Response<B>) {
        if status::is_unauthenticated(response) {
            self.reader.ask_for_reload(self.loads);
        }
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(inner: F, sent: Option<Sent>) -> Self {
        Self { inner, sent }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.sent {
            // The answer is not even moved.
            None => this.inner.poll(cx),
            Some(sent) => {
                let output = this.inner.poll(cx);
                if let Poll::Ready(Ok(response)) = &output {
                    sent.judge(response);
                }
                output
            }
        }
    }
}

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
