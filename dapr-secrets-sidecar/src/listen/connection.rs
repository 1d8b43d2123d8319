//! [`serve()`]: one connection, from its first byte to its end.
//!
//! It ends by itself, or because of its [`Pulse`], or because another connection takes its place, or because the
//! process drains. A connection that is idle or drained is asked to end, as HTTP does it, and has [`Limits::grace`] for
//! a request that is on its way; the others are dropped. The drain waits for a connection as long as a request that
//! passed the token check is open on it.

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};

use super::crowd::Place;
use super::limits::Limits;
use super::pulse::{Overdue, Pulse};
use super::socket::Transport;
use super::tls::Tls;
use super::watched::Watched;
use crate::gauge::{Counted, Gauge};
use crate::shutdown::Drain;

/// What belongs to one connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) limits: Limits,
    pub(super) pulse: Arc<Pulse>,
    /// Requests that passed the token check, until their answers are sent.
    pub(super) requests: Gauge,
    pub(super) place: Place,
    pub(super) drain: Drain,
    /// The drain waits until this is dropped.
    pub(super) counted: Counted,
}

/// Serves one connection to its end, behind a TLS handshake if there is `tls`.
pub(super) async fn serve<S, B>(
    mut connection: Connection,
    transport: Transport,
    tls: Option<Tls>,
    service: S,
) where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let transport = match tls {
        None => transport,
        Some(tls) => match connection.handshake(&tls, transport).await {
            Some(transport) => transport,
            None => return,
        },
    };
    connection.answer(transport, service).await;
}

/// How [`go_on`] ended.
enum Went {
    Ended(Result<(), Box<dyn Error + Send + Sync>>),
    Overdue(Overdue),
}

impl Connection {
    async fn handshake(&mut self, tls: &Tls, transport: Transport) -> Option<Transport> {
        let shaken = tokio::select! {
            shaken = timeout(self.limits.handshake, tls.accept(transport)) => shaken,
            () = self.drain.begun() => return None,
            () = self.place.taken() => return None,
        };
        match shaken {
            Ok(Ok(transport)) => Some(transport),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }

    async fn answer<I, S, B>(mut self, transport: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let server = server(&self.limits);
        let stream = TokioIo::new(Watched::new(transport, Arc::clone(&self.pulse)));
        let pulse = Arc::clone(&self.pulse);
        let service = TowerToHyperService::new(service);
        let service = service_fn(move |request| {
            let answering = Answering::begin(&pulse);
            let answer = service.call(request);
            async move {
                let answer = answer.await;
                drop(answering);
                answer
            }
        });
        let mut http = pin!(server.serve_connection(stream, service));
        let went = tokio::select! {
            went = go_on(http.as_mut(), &self.pulse, &self.requests, &self.limits) => Some(went),
            () = self.drain.begun() => None,
            () = self.place.taken() => {
                tracing::debug!("a connection has made room for another");
                return;
            }
        };
        let ended = match went {
            Some(Went::Ended(ended)) => ended,
            Some(Went::Overdue(Overdue::Head)) => {
                tracing::debug!("a connection is closed: a head took too long");
                return;
            }
            Some(Went::Overdue(Overdue::Idle)) | None => {
                http.as_mut().graceful_shutdown();
                tokio::select! {
                    went = go_on(http, &self.pulse, &self.requests, &self.limits) => match went {
                        Went::Ended(ended) => ended,
                        Went::Overdue(_) => return,
                    },
                    () = self.place.taken() => return,
                    () = self.requests.idle_for(self.limits.grace) => {
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
        drop(self.counted);
    }
}

fn server(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().max_buf_size(limits.read_buffer);
    server
        .http2()
        .max_header_list_size(u32::try_from(limits.read_buffer).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .max_send_buf_size(limits.send_buffer);
    server
}

/// Drives `http` until it ends, or until its pulse says that it has to.
///
/// The deadline is looked at whenever the connection has done something, and at the latest when the last one that was
/// seen is there: what moves it to an earlier time is always something that the connection does.
async fn go_on<C, E>(
    mut http: Pin<&mut C>,
    pulse: &Pulse,
    requests: &Gauge,
    limits: &Limits,
) -> Went
where
    C: Future<Output = Result<(), E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut alarm = pin!(sleep_until(Instant::now() + limits.idle));
    poll_fn(|cx| {
        if let Poll::Ready(ended) = http.as_mut().poll(cx) {
            return Poll::Ready(Went::Ended(ended.map_err(Into::into)));
        }
        loop {
            let now = Instant::now();
            let deadline = pulse.deadline(requests.count() > 0, limits);
            let until = match deadline {
                Some((until, overdue)) if until <= now => {
                    return Poll::Ready(Went::Overdue(overdue));
                }
                Some((until, _)) => until,
                // It may end in another task, and then there is a deadline again.
                None => now + limits.idle,
            };
            if until < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(until);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// A request, until its answer is made.
struct Answering(Arc<Pulse>);

impl Answering {
    fn begin(pulse: &Arc<Pulse>) -> Self {
        pulse.asked(Instant::now());
        Self(Arc::clone(pulse))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered(Instant::now());
    }
}
