//! Response bodies: one chunk of known length, wiped when dropped if it holds secrets.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::api::wiped::WipedBuffer;

/// The response body of [`SecretsService`](crate::SecretsService): one chunk or nothing.
///
/// Its bytes are overwritten when the last handle to them is dropped. `Debug` shows the length
/// alone.
#[derive(Default)]
pub struct ResponseBody(Bytes);

impl ResponseBody {
    pub(super) fn empty() -> Self {
        Self::default()
    }

    pub(super) fn wiped_on_drop(bytes: WipedBuffer) -> Self {
        Self(bytes.into_bytes())
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.0);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("len", &self.0.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_c_a_body_tells_its_length_and_ends() {
        let mut buffer = WipedBuffer::with_capacity(1);
        buffer.push(b"{}");
        assert_eq!(buffer.len(), 2);
        let mut body = ResponseBody::wiped_on_drop(buffer);
        assert_eq!(body.size_hint().exact(), Some(2));
        assert!(!body.is_end_stream());
        assert_eq!(format!("{body:?}"), "ResponseBody { len: 2 }");
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) else {
            panic!("one chunk is there at once");
        };
        assert_eq!(frame.into_data().expect("data"), "{}");
        assert!(body.is_end_stream());
        assert!(matches!(
            Pin::new(&mut body).poll_frame(&mut cx),
            Poll::Ready(None)
        ));
    }
}
