//! TCP listeners and the connections that they accept.
//!
//! Each connection is a task of its own and speaks HTTP/1.1 or, with prior knowledge, HTTP/2: nobody waits for another
//! client's bytes. A silent client does keep a file descriptor, and nothing limits how many; when they run out, accepting
//! pauses. A failed `accept` never ends the process and never spins.
//!
//! The drain waits for a connection as long as a request that passed the token check is open on it. Without one it is
//! dropped after [`IDLE_GRACE`], whatever it has begun to say.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::error::StartError;
use crate::gauge::{Counted, Gauge};
use crate::shutdown::Drain;

/// How much of a head is buffered: room for the longest query that is taken (8 KiB), a name and ordinary headers.
const READ_BUFFER: usize = 16 * 1024;

/// Most requests that are open at once on an HTTP/2 connection.
const MAX_STREAMS: u32 = 64;

/// How much of an HTTP/2 answer is handed to the connection at once.
const SEND_BUFFER: usize = 64 * 1024;

/// How long the drain lets a connection without an open request go on: time for a request that is already on its way.
const IDLE_GRACE: Duration = Duration::from_millis(250);

/// How long to wait after an `accept` that failed for want of files or memory: connections that end meanwhile free some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Which listeners are up.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    wanted: usize,
    up: Gauge,
}

impl Listening {
    /// `wanted` listeners, none of them up yet.
    pub(crate) fn new(wanted: usize) -> Self {
        Self {
            wanted,
            up: Gauge::new(),
        }
    }

    /// Whether every listener accepts connections.
    pub(crate) fn is_complete(&self) -> bool {
        self.up.count() == self.wanted
    }

    /// One listener is up, until the returned value is dropped.
    pub(crate) fn one_up(&self) -> Counted {
        self.up.enter()
    }
}

/// Binds `port` on each address; `flag` is named in the error.
///
/// # Errors
///
/// [`StartError::Listen`] for the first address that cannot be bound; those before it are closed again.
pub(crate) async fn bind(
    addresses: &[IpAddr],
    port: u16,
    flag: &'static str,
) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| StartError::Listen {
                address,
                flag,
                cause,
            })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// The addresses that `listeners` are bound to, free ports filled in.
///
/// # Errors
///
/// [`StartError::Listen`] when the system cannot tell.
pub(crate) fn addresses(
    listeners: &[TcpListener],
    flag: &'static str,
) -> Result<Vec<SocketAddr>, StartError> {
    let address = |listener: &TcpListener| {
        listener.local_addr().map_err(|cause| StartError::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            flag,
            cause,
        })
    };
    listeners.iter().map(address).collect()
}

/// Accepts connections and serves them, until the drain begins; a task of its own for each connection.
///
/// `make_service` gives each connection its service; in the gauge that it gets, that service counts the requests which
/// the drain must wait for.
pub(crate) fn spawn<M, S, B>(
    listener: TcpListener,
    make_service: M,
    drain: &Drain,
    listening: &Listening,
) where
    M: Fn(Gauge) -> S + Send + 'static,
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let up = listening.one_up();
    let mut drain = drain.clone();
    tokio::spawn(async move {
        let mut failing = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = drain.begun() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    failing = false;
                    let requests = Gauge::new();
                    let service = make_service(requests.clone());
                    tokio::spawn(serve(
                        stream,
                        service,
                        requests,
                        drain.clone(),
                        drain.connection(),
                    ));
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "connections cannot be accepted for now");
                    }
                    failing = true;
                    tokio::select! {
                        () = drain.begun() => break,
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    }
                }
            }
        }
        drop(listener);
        drop(up);
        tracing::debug!("a listener is closed");
    });
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

/// Serves one connection to its end; when the drain begins, to the end of its open requests.
async fn serve<S, B>(
    stream: TcpStream,
    service: S,
    requests: Gauge,
    mut drain: Drain,
    _connection: Counted,
) where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    // Answers are small and written in one piece: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().max_buf_size(READ_BUFFER);
    server
        .http2()
        .max_header_list_size(u32::try_from(READ_BUFFER).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buf_size(SEND_BUFFER);
    let connection =
        server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.begun() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = requests.idle_for(IDLE_GRACE) => {
                    tracing::debug!("a connection without an open request is dropped");
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        // Clients that vanish or speak no HTTP are everyday; the text of the error holds none of their bytes.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g3_every_listener_counts_as_long_as_it_is_held() {
        let listening = Listening::new(2);
        assert!(!listening.is_complete());
        let first = listening.one_up();
        assert!(!listening.is_complete());
        let second = listening.one_up();
        assert!(listening.is_complete());
        drop(first);
        assert!(!listening.is_complete());
        drop(second);
    }

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

    #[tokio::test]
    async fn api_g1_port_0_picks_a_free_port_on_every_address() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let listeners = bind(&[loopback, loopback], 0, "--x")
            .await
            .expect("free ports");
        let addresses = addresses(&listeners, "--x").expect("bound");
        assert_eq!(addresses.len(), 2);
        assert!(addresses.iter().all(|address| address.port() != 0));
        assert_ne!(addresses[0], addresses[1]);
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_its_flag() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let taken = bind(&[loopback], 0, "--x").await.expect("a free port");
        let address = addresses(&taken, "--x").expect("bound")[0];
        let error = bind(&[loopback], address.port(), "--x")
            .await
            .expect_err("taken");
        let text = error.to_string();
        assert!(text.contains(&address.to_string()), "{text}");
        assert!(text.contains("--x"), "{text}");
    }
}
