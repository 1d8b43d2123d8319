//! A client that sends exactly the bytes that a test names.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::process::{PATIENCE, TOKEN};

/// One answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `None` when it is none.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn error_code(&self) -> Option<String> {
        error_code(self.json().as_ref())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The `errorCode` of a body.
pub(crate) fn error_code(body: Option<&Value>) -> Option<String> {
    Some(body?.get("errorCode")?.as_str()?.to_owned())
}

/// A connection whose reads and writes end after [`PATIENCE`].
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Sends `head`, which closes the connection after the answer, and reads that answer.
pub(crate) fn send(address: SocketAddr, head: &str) -> Answer {
    send_bytes(address, head.as_bytes())
}

pub(crate) fn send_bytes(address: SocketAddr, head: &[u8]) -> Answer {
    let mut stream = connect(address);
    // A server that refuses a head may close before all of it is written.
    let _ = stream.write_all(head);
    let is_head = head.starts_with(b"HEAD ");
    read_answer(&mut stream, is_head)
}

/// A request of `method` for `target` with these headers.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Answer {
    send(address, &head(method, target, headers))
}

/// The bytes of such a request; the server closes the connection after it.
pub(crate) fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head
}

/// `GET target` with the right token.
pub(crate) fn get(address: SocketAddr, target: &str) -> Answer {
    request(address, "GET", target, &[("dapr-api-token", TOKEN)])
}

/// `GET target` without a token.
pub(crate) fn get_anonymously(address: SocketAddr, target: &str) -> Answer {
    request(address, "GET", target, &[])
}

/// Reads one answer; the connection may stay open.
pub(crate) fn read_answer(stream: &mut impl Read, to_head: bool) -> Answer {
    let mut bytes = Vec::new();
    let end_of_head = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at;
        }
        assert!(
            read_some(stream, &mut bytes) > 0,
            "the connection closed before an answer: {:?}",
            String::from_utf8_lossy(&bytes)
        );
    };
    let body = bytes.split_off(end_of_head + 4);
    let head = String::from_utf8(bytes).expect("an ASCII head");
    let mut lines = head.lines();
    let status_line = lines.next().expect("a status line");
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("a status: {status_line}"));
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body,
    };
    let length = match answer.header("content-length") {
        Some(length) if !to_head => length.parse().expect("a length"),
        _ => 0,
    };
    assert!(
        answer.header("transfer-encoding").is_none(),
        "lengths are known"
    );
    while answer.body.len() < length {
        assert!(read_some(stream, &mut answer.body) > 0, "a body cut short");
    }
    answer
}

/// Reads what has come, at least a byte; 0 at the end of the connection.
pub(crate) fn read_some(stream: &mut impl Read, into: &mut Vec<u8>) -> usize {
    let mut chunk = [0; 64 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(count) => {
                into.extend_from_slice(&chunk[..count]);
                return count;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return 0,
            Err(error) => panic!("reading: {error}"),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
