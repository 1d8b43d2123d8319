//! The future of a response.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;

use super::body::ResponseBody;

/// The response future of [`SecretsService`](crate::SecretsService).
///
/// It is boxed once where a store is asked: stores are chosen at run time, so what their calls
/// wait for has no name. A refused request is answered without a box.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ResponseFuture(Inner);

enum Inner {
    Ready(Option<Response<ResponseBody>>),
    Waiting(Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>),
}

impl ResponseFuture {
    pub(super) fn ready(response: Response<ResponseBody>) -> Self {
        Self(Inner::Ready(Some(response)))
    }

    pub(super) fn waiting(
        response: impl Future<Output = Response<ResponseBody>> + Send + 'static,
    ) -> Self {
        Self(Inner::Waiting(Box::pin(response)))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Ready(response) => response.take().map_or(Poll::Pending, Poll::Ready),
            Inner::Waiting(response) => response.as_mut().poll(cx),
        }
        .map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
