//! HTTP/2 frame by frame, for what no well-behaved client does.

use std::io::Read;
use std::net::TcpStream;

/// Opens a connection on which no stream may carry a byte of a body until its window is widened.
pub(crate) fn preface_without_window() -> Vec<u8> {
    const INITIAL_WINDOW_SIZE: u8 = 4;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]));
    bytes
}

/// `GET path`, whole, as the stream `id`.
pub(crate) fn get(id: u32, path: &str, token: Option<&str>) -> Vec<u8> {
    const END_STREAM_AND_HEADERS: u8 = 0x5;
    // HPACK: GET, http, and literals for the path and the authority (their names are 4 and 1 of the static table).
    let mut head = vec![0x82, 0x86, 0x04];
    head.extend(literal(path));
    head.push(0x01);
    head.extend(literal("localhost"));
    if let Some(token) = token {
        head.push(0);
        head.extend(literal("dapr-api-token"));
        head.extend(literal(token));
    }
    frame(HEADERS, END_STREAM_AND_HEADERS, id, &head)
}

/// A text without Huffman coding.
fn literal(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len())
        .ok()
        .filter(|length| *length < 127)
        .expect("a short text");
    let mut bytes = vec![length];
    bytes.extend(text.bytes());
    bytes
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Reads frames up to the first answer that refuses a stream; returns the stream and the error code.
pub(crate) fn first_refusal(connection: &mut TcpStream) -> (u32, u32) {
    loop {
        let mut head = [0; 9];
        connection.read_exact(&mut head).expect("a frame");
        let [a, b, c, kind, _, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = vec![0; length as usize];
        connection.read_exact(&mut payload).expect("its payload");
        if kind == RST_STREAM {
            let code = payload.try_into().expect("four bytes");
            return (u32::from_be_bytes(stream), u32::from_be_bytes(code));
        }
    }
}
