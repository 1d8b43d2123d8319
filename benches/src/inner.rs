//! The service at the bottom of every row: it drops the request and answers with nothing.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_service::Service;

/// The status of [`Inner`]'s answer. No layer here answers with it, so it proves that a request was forwarded.
pub const FORWARDED: StatusCode = StatusCode::NO_CONTENT;

/// A service without work of its own; its answer has a body of type `B`.
///
/// `call` is never inlined: a real service is not, and inlining would let the compiler leave out in one row what it
/// does in another. The answer is made when the future is polled, as by a handler. Neither the service nor its future
/// is of size zero, because no real one is and a box around nothing would not allocate.
#[derive(Debug)]
pub struct Inner<B> {
    status: StatusCode,
    body: PhantomData<fn() -> B>,
}

impl<B> Inner<B> {
    /// The service, which answers with [`FORWARDED`].
    #[must_use]
    pub const fn new() -> Self {
        Self {
            status: FORWARDED,
            body: PhantomData,
        }
    }
}

impl<B> Default for Inner<B> {
    fn default() -> Self {
        Self::new()
    }
}

// Not derived: a derive would ask that `B` can be cloned.
impl<B> Clone for Inner<B> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<Q, B: Default> Service<Request<Q>> for Inner<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Answer<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[inline(never)]
    fn call(&mut self, request: Request<Q>) -> Answer<B> {
        drop(request);
        Answer {
            status: self.status,
            body: PhantomData,
        }
    }
}

/// The future of [`Inner`].
#[derive(Debug)]
pub struct Answer<B> {
    status: StatusCode,
    body: PhantomData<fn() -> B>,
}

impl<B: Default> Future for Answer<B> {
    type Output = Result<Response<B>, Infallible>;

    #[inline(never)]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self.status;
        Poll::Ready(Ok(response))
    }
}
