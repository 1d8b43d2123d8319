//! [`Limits`]: what one connection may take of memory and time (`docs/spec/secrets-api.md`, G6).

use std::time::Duration;

/// The least that the HTTP server takes for a head.
pub(crate) const LEAST_READ_BUFFER: usize = 8 * 1024;

/// Room for the longest query that is taken (8 KiB), a name and ordinary headers.
pub(crate) const READ_BUFFER: usize = 16 * 1024;

/// The same for every connection of a listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How much of a head is buffered, in bytes; at least [`LEAST_READ_BUFFER`].
    pub(crate) read_buffer: usize,
    /// From the accepted connection to the end of the TLS handshake.
    pub(crate) handshake: Duration,
    /// From the first byte of a head to its end.
    pub(crate) head: Duration,
    /// How long a connection without an open request stays, and one whose answer nobody reads.
    pub(crate) idle: Duration,
    /// Most requests that are open at once on an HTTP/2 connection.
    pub(crate) streams: u32,
    /// How much of an HTTP/2 answer is handed to the connection at once, in bytes.
    pub(crate) send_buffer: usize,
    /// How long a connection that is asked to end goes on without an open request: time for one that is already on its
    /// way.
    pub(crate) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read_buffer: READ_BUFFER,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            streams: 64,
            send_buffer: 64 * 1024,
            grace: Duration::from_millis(250),
        }
    }
}
