//! Keys that are fetched over HTTPS, again and again, and what a request with an unknown one may expect.
//!
//! 1. Keys are fetched from one configured address, or from where the `OpenID` Connect discovery document of one
//!    configured issuer says (`T6`). No address is ever taken from a token.
//! 2. They are fetched every 10 minutes, give or take a tenth, or when the server's `max-age` ends, and a failure is
//!    tried again after 1 s, doubling to 60 s (`T6`; `schedule.rs`).
//! 3. What a server may make us do is bounded: 2 s to connect, 5 s in all, 256 KiB, no redirect, no compression
//!    (`T6`; `client.rs`).
//! 4. A success replaces the whole set. A failure, such as a set without one usable key, changes nothing; after
//!    `max_stale` without a success there are no keys any more (`T8`; `stale.rs` beside this folder).
//! 5. A request with an unknown `kid` makes one fetch happen, at most one in 30 s, and may wait for it, at most 1 s
//!    (`T7`; `unknown.rs`, `wait.rs`). A request with a known one has nothing to do with any of this.
//! 6. One task does it all (`task.rs`). It ends with the last holder of the set, and a fetch under way ends with it:
//!    the connection is part of the fetch's own future, and nothing is left to run by itself.
//!
//! # Security
//!
//! - Whoever can answer for the address can make any token valid, so it is `https`, checked against the root
//!   certificates of the operating system or against given ones. Plain `http` is for loopback, or behind
//!   [`RemoteKeys::insecure_allow_http`].
//! - The provider of the cryptography is aws-lc-rs, handed over explicitly: the default of the process is neither
//!   read nor set.
//! - No error, event or `Debug` output has more of an address than scheme, host and port.

mod client;
mod discovery;
mod error;
mod freshness;
mod remote;
mod roots;
mod schedule;
mod set;
mod source;
mod task;
#[cfg(test)]
mod tests;
mod unknown;
mod url;
mod wait;

pub use error::{JwksError, JwksErrorKind};
pub use remote::RemoteKeys;
pub(crate) use set::RemoteKeySet;
pub(crate) use wait::WaitForKeys;

/// What becomes of a fetched document: the other half of a key set, which knows keys and nothing of networks.
pub(crate) trait KeySetSink: Send + Sync + 'static {
    /// Parses the document and puts its keys in the place of all earlier ones. It is called by one task, one call
    /// after the other, and it may take the milliseconds that 256 KiB need.
    ///
    /// # Errors
    ///
    /// [`JwksErrorKind::NotAKeySet`] and its like; [`JwksErrorKind::NoUsableKey`] if nothing is left. The earlier
    /// keys then stay.
    fn accept(&self, document: &[u8]) -> Result<Accepted, JwksError>;

    /// Whether there is a key of this name now.
    fn holds(&self, kid: &str) -> bool;
}

/// What a document held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Keys that are in force.
    pub(crate) keys: usize,
    /// Keys that cannot be used, and were left out (`T8`).
    pub(crate) skipped: usize,
}
