//! [`ResponseFuture`]: the inner service's future, and a look at the head of its answer.

use std::future::Future;
use std::pin::Pin;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;

use super::status;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::JwtSlot;
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
pub(super) enum Sent {
    Reader {
        reader: TokenReader,
        loads: u64,
    },
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    Jwt {
        slot: Arc<JwtSlot>,
        fetches: u64,
    },
}

impl Sent {
    /// A request goes out now with the current token of this reader.
    pub(super) fn now(reader: &TokenReader) -> Self {
        Self::Reader {
            loads: reader.loads(),
            reader: reader.clone(),
        }
    }

    /// A request goes out now with the JWT of this moment. It does not keep a background task alive.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) fn jwt(slot: &Arc<JwtSlot>) -> Self {
        Self::Jwt {
            fetches: slot.fetches(),
            slot: Arc::clone(slot),
        }
    }

    /// Asks for a newer one, if this one was not accepted.
    #[inline(never)]
    fn judge<B>(&self, response: &Response<B>) {
        if status::is_unauthenticated(response) {
            match self {
                Self::Reader { reader, loads } => reader.ask_for_reload(*loads),
                #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
                Self::Jwt { slot, fetches } => slot.ask_for_renewal(*fetches),
            }
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
