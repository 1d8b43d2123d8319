//! The future of an answer.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;

use super::body::GrpcBody;

/// The response future of [`SecretsGrpc`](crate::SecretsGrpc).
///
/// It is boxed once where a message is read: the body is the caller's, and stores are chosen at run
/// time. A call that is refused by its headers is answered without a box.
#[must_use = "a future does nothing unless it is awaited"]
pub struct GrpcFuture(Inner);

enum Inner {
    Ready(Option<Response<GrpcBody>>),
    Waiting(Pin<Box<dyn Future<Output = Response<GrpcBody>> + Send>>),
}

impl GrpcFuture {
    pub(super) fn ready(response: Response<GrpcBody>) -> Self {
        Self(Inner::Ready(Some(response)))
    }

    pub(super) fn waiting(
        response: impl Future<Output = Response<GrpcBody>> + Send + 'static,
    ) -> Self {
        Self(Inner::Waiting(Box::pin(response)))
    }
}

impl Future for GrpcFuture {
    type Output = Result<Response<GrpcBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Ready(response) => response.take().map_or(Poll::Pending, Poll::Ready),
            Inner::Waiting(response) => response.as_mut().poll(cx),
        }
        .map(Ok)
    }
}

impl fmt::Debug for GrpcFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcFuture").finish_non_exhaustive()
    }
}
