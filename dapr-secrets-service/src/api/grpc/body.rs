//! Response bodies: one message and the trailers, or nothing.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::encode::trailers;
use crate::api::wiped::WipedBuffer;

/// The response body of [`SecretsGrpc`](crate::SecretsGrpc): one message and its trailers, or nothing.
///
/// Its bytes are overwritten when the last handle to them is dropped. `Debug` shows the length
/// alone.
#[derive(Default)]
pub struct GrpcBody {
    message: Bytes,
    /// Whether the trailers are still to come.
    has_trailers: bool,
}

impl GrpcBody {
    /// `message` has its prefix.
    pub(super) fn new(message: WipedBuffer) -> Self {
        Self {
            message: message.into_bytes(),
            has_trailers: true,
        }
    }
}

impl Body for GrpcBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = std::mem::take(&mut self.message);
        Poll::Ready(if !message.is_empty() {
            Some(Ok(Frame::data(message)))
        } else if std::mem::take(&mut self.has_trailers) {
            Some(Ok(Frame::trailers(trailers())))
        } else {
            None
        })
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_empty() && !self.has_trailers
    }

    /// An upper bound, which is reached: were it exact, servers would send a content length, which gRPC
    /// does not have.
    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_upper(self.message.len() as u64);
        hint
    }
}

impl fmt::Debug for GrpcBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcBody")
            .field("len", &self.message.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn api_f1_a_body_is_its_message_and_then_its_trailers() {
        let mut message = WipedBuffer::with_capacity(5);
        message.push(&[0; 5]);
        let mut body = GrpcBody::new(message);
        assert_eq!(format!("{body:?}"), "GrpcBody { len: 5 }");
        assert_eq!(
            (body.size_hint().lower(), body.size_hint().upper()),
            (0, Some(5))
        );
        let first = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(first.into_data().expect("data"), &[0; 5][..]);
        assert!(!body.is_end_stream());
        let second = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(second.into_trailers().expect("trailers"), trailers());
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
        assert!(GrpcBody::default().is_end_stream());
    }
}
