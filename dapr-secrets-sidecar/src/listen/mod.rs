//! Listeners and the connections that they accept: TCP or Unix sockets, with TLS or without, for any HTTP service.
//!
//! ```text
//! tcp.rs, unix.rs -> accept.rs -> crowd.rs: a place? -> tls.rs: handshake? -> connection.rs -> service
//!    bind              task        max. connections        10 s                 watched.rs, pulse.rs: how long yet?
//! ```
//!
//! Each connection is a task of its own and speaks HTTP/1.1 or HTTP/2, by ALPN or prior knowledge: nobody waits for
//! another client's bytes. What a connection may take is in [`Limits`].
//!
//! A further API has its listeners served by the same [`Server`]: bind, then [`Server::spawn`] with what makes its
//! service.

mod accept;
mod connection;
mod crowd;
mod head;
mod limits;
mod pulse;
mod socket;
mod tcp;
#[cfg(test)]
mod tests;
mod unix;
mod up;
mod watched;

#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

pub(crate) use accept::Server;
pub(crate) use crowd::Crowd;
pub(crate) use limits::{LEAST_READ_BUFFER, Limits};
pub(crate) use socket::Listener;
pub(crate) use tcp::{addresses, bind};
pub(crate) use tls::{Tls, TlsFiles};
pub(crate) use unix::{SocketFile, bind_unix, socket_path};
pub(crate) use up::Listening;
