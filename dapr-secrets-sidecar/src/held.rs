//! [`Held`]: a body that keeps a value alive until its last byte has been handed to the socket.
//!
//! A server takes the bytes out of a body long before it can send them, and drops the body then. So the value goes with
//! the bytes: it is dropped when neither the body nor any chunk of it is left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// `body`, and a value that is held as long as it or its bytes.
#[derive(Debug)]
pub(crate) struct Held<B, T> {
    body: B,
    value: Arc<T>,
}

impl<B, T> Held<B, T> {
    pub(crate) fn new(body: B, value: T) -> Self {
        Self {
            body,
            value: Arc::new(value),
        }
    }
}

impl<B, T> Body for Held<B, T>
where
    B: Body<Data = Bytes> + Unpin,
    T: Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let value = &self.value;
        frame.map_ok(|frame| {
            frame.map_data(|bytes| {
                Bytes::from_owner(Chunk {
                    bytes,
                    _value: Arc::clone(value),
                })
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct Chunk<T> {
    bytes: Bytes,
    _value: Arc<T>,
}

impl<T> AsRef<[u8]> for Chunk<T> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn api_g6_the_value_outlives_the_body_as_long_as_a_byte_is_left() {
        let value = Arc::new(());
        let mut body = Held::new(Full::new(Bytes::from_static(b"abc")), Arc::clone(&value));
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(!body.is_end_stream());
        let frame = body.frame().await.expect("a frame").expect("no error");
        let mut bytes = frame.into_data().expect("data");
        assert!(body.is_end_stream());
        drop(body);
        let rest = bytes.split_off(2);
        drop(bytes);
        assert_eq!((rest.as_ref(), Arc::strong_count(&value)), (&b"c"[..], 2));
        drop(rest);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn a_body_that_is_never_read_lets_go_too() {
        let value = Arc::new(());
        drop(Held::new(Full::<Bytes>::default(), Arc::clone(&value)));
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
