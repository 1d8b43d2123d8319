//! Frames of HTTP/2 (RFC 9113) and as much of HPACK (RFC 7541) as raw requests need: what a client library would not write.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// One field of a header block: name and value, whatever bytes they are.
pub(super) type Field = (Vec<u8>, Vec<u8>);

/// A frame as it is on the wire.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The settings of the client: no table, so that the server's fields are all literal or of the static table.
pub(super) fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0])
}

/// A header block of literal fields: no table, no Huffman code, nothing lower-cased or checked.
pub(super) fn block(fields: &[Field]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0); // Literal without indexing, new name.
        string(name, &mut block);
        string(value, &mut block);
    }
    block
}

/// A length in seven bits or more (RFC 7541, 5.1), and the bytes.
fn string(bytes: &[u8], block: &mut Vec<u8>) {
    let mut length = bytes.len();
    if length < 127 {
        block.push(u8::try_from(length).expect("short"));
    } else {
        block.push(127);
        length -= 127;
        while length >= 128 {
            block.push(u8::try_from(length % 128).expect("seven bits") | 128);
            length /= 128;
        }
        block.push(u8::try_from(length).expect("seven bits"));
    }
    block.extend(bytes);
}

/// A frame that the server sent.
pub(super) struct Received {
    pub(super) kind: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// The next frame; none when the server closed the connection.
pub(super) async fn read<R: AsyncRead + Unpin>(reader: &mut R) -> io::Result<Option<Received>> {
    let mut head = [0; 9];
    match reader.read_exact(&mut head).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let [a, b, c, kind, _flags, stream @ ..] = head;
    let length = u32::from_be_bytes([0, a, b, c]);
    let mut payload = vec![0; usize::try_from(length).expect("24 bits")];
    reader.read_exact(&mut payload).await?;
    Ok(Some(Received {
        kind,
        stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        payload,
    }))
}

/// The status that an answer's header block begins with (RFC 9113, 8.3.2: it is the only pseudo-header).
pub(super) fn status(block: &[u8]) -> u16 {
    // Entries 8 to 14 of the static table (RFC 7541, Appendix A).
    const STATIC: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match block {
        // The table that the settings forbid is said to be empty first.
        [0x20, rest @ ..] => status(rest),
        [first @ 0x88..=0x8e, ..] => STATIC[usize::from(first - 0x88)],
        // A literal of the same name: indexed, not indexed, or never.
        [0x48 | 0x08 | 0x18, length, rest @ ..] => {
            let text = &rest[..usize::from(length & 0x7f)];
            if length & 0x80 == 0 {
                String::from_utf8_lossy(text).parse().expect("a number")
            } else {
                digits(text)
            }
        }
        other => unreachable!("an answer begins with its status: {other:?}"),
    }
}

/// Three digits in the Huffman code of RFC 7541, Appendix B: 0 to 2 are their value in five bits, 3 to 9 are 0x19 to 0x1f in six.
fn digits(text: &[u8]) -> u16 {
    let bits = text
        .iter()
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let mut left = 8 * text.len();
    let mut take = |count: usize| (bits >> (left - count) & ((1 << count) - 1), left -= count).0;
    let mut number = 0;
    for _ in 0..3 {
        let five = take(5);
        let digit = if five < 3 {
            five
        } else {
            (five << 1 | take(1)) - 0x16
        };
        number = 10 * number + digit;
    }
    u16::try_from(number).expect("three digits")
}

#[test]
fn statuses_are_read_in_every_form() {
    for (name, block, expected) in [
        ("static", &[0x88][..], 200),
        ("static, after the size of the table", &[0x20, 0x8c], 400),
        ("literal, in Huffman code", &[0x48, 0x82, 0x68, 0x01], 401),
        (
            "literal, three bytes of Huffman code",
            &[0x08, 0x83, 0x6c, 0x0c, 0xff],
            503,
        ),
        ("literal, plain", &[0x18, 3, b'4', b'0', b'1'], 401),
    ] {
        assert_eq!(status(block), expected, "{name}");
    }
}

#[test]
fn a_long_string_has_its_length_in_more_bytes() {
    let mut block = Vec::new();
    string(&[b'x'; 1337], &mut block);
    assert_eq!(block[..3], [127, 0xba, 0x09]);
    assert_eq!(block.len(), 3 + 1337);
}
