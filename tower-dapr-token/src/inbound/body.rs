//! [`ResponseBody`]: the inner service's body or the bytes of a refusal.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that went through [`RequireToken`](crate::RequireToken).
    ///
    /// It wraps the inner body instead of asking it for a `Default`, and passes its size hint and
    /// its end on unchanged.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[project = InnerProj]
    #[derive(Debug)]
    enum Inner<B> {
        Forwarded { #[pin] body: B },
        /// `None` once it has been sent, and from the start where there is nothing to send.
        Refused { bytes: Option<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(super) fn forwarded(body: B) -> Self {
        Self {
            inner: Inner::Forwarded { body },
        }
    }

    #[inline]
    pub(super) fn refused(bytes: Bytes) -> Self {
        Self {
            inner: Inner::Refused {
                bytes: (!bytes.is_empty()).then_some(bytes),
            },
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().inner.project() {
            InnerProj::Forwarded { body } => body.poll_frame(cx),
            InnerProj::Refused { bytes } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Forwarded { body } => body.is_end_stream(),
            Inner::Refused { bytes } => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Forwarded { body } => body.size_hint(),
            Inner::Refused { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}
