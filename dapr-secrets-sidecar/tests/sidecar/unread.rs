//! Answers that are too large for the sockets, and that nobody reads for now.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use crate::process::TOKEN;
use crate::store_files::Files;
use crate::wire::{connect, read_some};

/// Larger than what the sockets of both ends can hold, so that the answer cannot be sent before someone reads it.
pub(crate) const LARGE: usize = 14 * 1024 * 1024;

/// Two secrets, which together are that large, and a small one.
pub(crate) fn large_secrets() -> Files {
    let half = "x".repeat(LARGE / 2);
    Files::with_secrets(format!(
        r#"{{"one": "{half}", "two": "{half}", "small": "1"}}"#
    ))
}

/// An answer over HTTP/1.1 that has begun to arrive, and of which most is still to come.
pub(crate) struct Unread {
    stream: TcpStream,
    begun: Vec<u8>,
}

impl Unread {
    pub(crate) fn begin(address: SocketAddr) -> Self {
        let mut stream = connect(address);
        let head = format!(
            "GET /v1.0/secrets/files/bulk HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let mut begun = Vec::new();
        let status_line = b"HTTP/1.1 200 OK\r\n";
        while begun.len() < status_line.len() {
            assert!(read_some(&mut stream, &mut begun) > 0, "an answer");
        }
        assert!(begun.starts_with(status_line));
        Self { stream, begun }
    }

    /// Reads it to the end of the connection; returns how many bytes it was.
    pub(crate) fn finish(mut self) -> usize {
        while read_some(&mut self.stream, &mut self.begun) > 0 {}
        self.begun.len()
    }
}
