//! [`Server`]: accepts connections and has them served.
//!
//! A failed `accept` never ends the process and never spins: when files or memory run out, accepting pauses.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::connection::{self, Connection};
use super::crowd::Crowd;
use super::limits::Limits;
use super::pulse::Pulse;
use super::socket::Listener;
use super::tls::Tls;
use super::up::Listening;
use crate::gauge::Gauge;
use crate::shutdown::Drain;

/// How long to wait after an `accept` that failed for want of files or memory: connections that end meanwhile free some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What listeners have in common; clones share the crowd.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) limits: Limits,
    pub(crate) crowd: Crowd,
    pub(crate) drain: Drain,
    pub(crate) listening: Listening,
}

impl Server {
    /// Accepts connections and serves them, until the drain begins; a task of its own for each connection.
    ///
    /// With `tls` each begins with a handshake. `make_service` gives each connection its service; in the gauge that it
    /// gets, that service counts the requests which the drain must wait for: those that passed the token check, until
    /// the last byte of their answer is sent.
    pub(crate) fn spawn<M, S, B>(&self, listener: Listener, tls: Option<Tls>, make_service: M)
    where
        M: Fn(Gauge) -> S + Send + 'static,
        S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let up = self.listening.one_up();
        let server = self.clone();
        tokio::spawn(async move {
            server.accept(&listener, tls, make_service).await;
            drop(listener);
            drop(up);
            tracing::debug!("a listener is closed");
        });
    }

    async fn accept<M, S, B>(mut self, listener: &Listener, tls: Option<Tls>, make_service: M)
    where
        M: Fn(Gauge) -> S,
        S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let mut failing = false;
        let mut full = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.drain.begun() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(transport) => {
                    failing = false;
                    let pulse = Arc::new(Pulse::new(Instant::now()));
                    let requests = Gauge::new();
                    let Some((place, leaving)) = self.crowd.enter(&pulse, &requests) else {
                        if !full {
                            tracing::warn!(
                                "every connection has an open request, so further ones are closed"
                            );
                        }
                        full = true;
                        continue;
                    };
                    full = false;
                    let connection = Connection {
                        limits: self.limits,
                        pulse,
                        requests: requests.clone(),
                        place,
                        drain: self.drain.clone(),
                        counted: self.drain.connection(),
                    };
                    let service = make_service(requests);
                    tokio::spawn(connection::serve(
                        connection,
                        transport,
                        tls.clone(),
                        service,
                    ));
                    if let Some(leaving) = leaving {
                        leaving.finish().await;
                    }
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "connections cannot be accepted for now");
                    }
                    failing = true;
                    tokio::select! {
                        () = self.drain.begun() => return,
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    }
                }
            }
        }
    }
}

/// Whether the client, rather than this process, is to blame: then the next `accept` may follow at once.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_of_one_connection_are_passed_over_at_once() {
        let rows = [
            (io::ErrorKind::ConnectionAborted, true),
            (io::ErrorKind::ConnectionReset, true),
            (io::ErrorKind::Interrupted, true),
            (io::ErrorKind::OutOfMemory, false),
            (io::ErrorKind::Other, false),
        ];
        for (kind, expected) in rows {
            assert_eq!(concerns_one_connection(&kind.into()), expected, "{kind:?}");
        }
    }
}
