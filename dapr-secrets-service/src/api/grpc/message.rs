//! Step 1b: the one message of a call, read off its body.
//!
//! A message is a byte that says whether it is compressed, four bytes of its length, and as many bytes.
//! Its length decides before its bytes are looked at, so that no more than [`PARSED_MAX`] bytes are ever
//! kept of it.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Buf;
use http_body::Body;
use prost::Message;

use super::route::Refusal;
use crate::request::InvalidRequest;

/// Longest message that a caller may send, in bytes.
const MESSAGE_MAX: usize = 4 << 20;
/// Longest message that is parsed: the names and the metadata of a request need less than 11 KiB.
const PARSED_MAX: usize = 64 << 10;
/// Most bytes of request metadata, keys and values together: what a query may have.
pub(super) const METADATA_MAX: usize = 8 << 10;
pub(super) const METADATA_TOO_LONG: InvalidRequest =
    InvalidRequest::new("the request metadata is longer than 8192 bytes");
const TOO_LONG: InvalidRequest = InvalidRequest::new("the request is longer than any needs to be");
/// Bytes in front of a message.
const PREFIX: usize = 5;

/// Reads the message; there must be exactly one.
pub(super) async fn read<T: Message + Default, B: Body>(body: B) -> Result<T, Refusal> {
    let mut body = pin!(body);
    let mut received = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|_| Refusal::Unreadable)?;
        if let Ok(data) = frame.into_data() {
            take(&mut received, data)?;
        }
    }
    match received.get(PREFIX..) {
        Some(message) if Some(message.len()) == announced(&received) => {
            T::decode(message).map_err(|_| Refusal::Unreadable)
        }
        _ => Err(Refusal::Unreadable),
    }
}

/// Keeps what came, unless it is more than there may be.
fn take(received: &mut Vec<u8>, mut data: impl Buf) -> Result<(), Refusal> {
    while data.has_remaining() {
        let wanted = match announced(received) {
            None => PREFIX - received.len(),
            Some(_) if received[0] != 0 => return Err(Refusal::Compressed),
            Some(length) if length > MESSAGE_MAX => return Err(Refusal::TooLarge),
            Some(length) if length > PARSED_MAX => return Err(TOO_LONG.into()),
            // A second message.
            Some(length) if received.len() == PREFIX + length => return Err(Refusal::Unreadable),
            Some(length) => PREFIX + length - received.len(),
        };
        let chunk = data.chunk();
        let count = chunk.len().min(wanted);
        received.extend_from_slice(&chunk[..count]);
        data.advance(count);
    }
    Ok(())
}

/// The length of the message, once it is known.
fn announced(received: &[u8]) -> Option<usize> {
    let length = received.get(1..PREFIX)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::api::grpc::dapr::GetSecretRequest;

    fn framed(length: usize, message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(length).expect("a length");
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.extend(message);
        bytes
    }

    /// `bytes` in frames of `size`, and trailers.
    async fn read_in(bytes: &[u8], size: usize) -> Result<GetSecretRequest, Refusal> {
        let frames: Vec<_> = bytes
            .chunks(size)
            .map(|chunk| http_body::Frame::data(Bytes::copy_from_slice(chunk)))
            .chain([http_body::Frame::trailers(http::HeaderMap::new())])
            .map(Ok::<_, std::io::Error>)
            .collect();
        read(StreamBody::new(tokio_stream::iter(frames)).boxed_unsync()).await
    }

    #[tokio::test]
    async fn api_f3_one_message_is_read_and_nothing_else() {
        // store_name = "s", key = "k"
        let message = b"\x0a\x01s\x12\x01k";
        let whole = framed(message.len(), message);
        let twice = [whole.clone(), whole.clone()].concat();
        let mut compressed = whole.clone();
        compressed[0] = 1;
        let unknown = framed(9, b"\x0a\x01s\x12\x01k\xf8\x07\x01");
        let rows: [(&str, Vec<u8>, Result<(), Refusal>); 13] = [
            ("a message", whole.clone(), Ok(())),
            ("a field that is not known", unknown, Ok(())),
            ("an empty message", framed(0, b""), Ok(())),
            ("nothing", vec![], Err(Refusal::Unreadable)),
            (
                "a part of the prefix",
                whole[..3].to_vec(),
                Err(Refusal::Unreadable),
            ),
            (
                "a part of the message",
                whole[..8].to_vec(),
                Err(Refusal::Unreadable),
            ),
            ("two messages", twice, Err(Refusal::Unreadable)),
            ("compressed", compressed, Err(Refusal::Compressed)),
            (
                "no message",
                framed(3, b"\xff\xff\xff"),
                Err(Refusal::Unreadable),
            ),
            (
                "not UTF-8",
                framed(4, b"\x0a\x02\xff\xfe"),
                Err(Refusal::Unreadable),
            ),
            (
                "more than is parsed",
                framed(PARSED_MAX + 1, message),
                Err(TOO_LONG.into()),
            ),
            (
                "as much as may be",
                framed(MESSAGE_MAX, message),
                Err(TOO_LONG.into()),
            ),
            (
                "more than may be",
                framed(MESSAGE_MAX + 1, message),
                Err(Refusal::TooLarge),
            ),
        ];
        for (name, bytes, expected) in rows {
            for size in [1, 5, 6, 64] {
                let read = read_in(&bytes, size).await;
                assert_eq!(read.clone().map(|_| ()), expected, "{name}, {size}");
                if name == "a message" {
                    let read = read.expect(name);
                    assert_eq!((read.store_name.as_str(), read.key.as_str()), ("s", "k"));
                }
            }
        }
    }

    #[tokio::test]
    async fn api_f3_the_longest_message_that_is_parsed_is_parsed() {
        let name = vec![b'n'; PARSED_MAX - 4];
        let mut message = b"\x12".to_vec();
        prost::encoding::encode_varint(name.len() as u64, &mut message);
        message.extend(&name);
        assert_eq!(message.len(), PARSED_MAX);
        let read = read_in(&framed(PARSED_MAX, &message), 16 << 10).await;
        assert_eq!(read.map(|read| read.key.len()), Ok(name.len()));
    }
}
