//! How the process ends: signals, the drain, the exit code; and how a crash is kept from writing secrets to disk.
//!
//! 1. The first SIGTERM or SIGINT, or a `POST /v1.0/shutdown`, starts the drain: no new connection is accepted, those
//!    without an open request are closed within 250 ms, open requests finish.
//! 2. The process ends with exit code 0 when the last of them has finished, or when the limit has passed; the connections
//!    that are then still open are cut off and counted in a warning.
//! 3. A further signal N ends the process at once with exit code 128 + N, as a shell reports a process that N ended.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};

use crate::error::StartError;
use crate::gauge::{Counted, Gauge};

/// Keeps a crash from writing memory, and with it secrets and tokens, to disk (`docs/spec/secrets-api.md`, G8).
///
/// # Errors
///
/// [`StartError::CoreDumps`] when the system refuses: better no process than one that may leak.
pub(crate) fn forbid_core_dumps() -> Result<(), StartError> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(|errno| StartError::CoreDumps(errno.into()))?;
    forbid_inspection().map_err(StartError::CoreDumps)
}

/// The limit alone does not stop a core that is piped to a handler, nor another process of this user that attaches.
#[cfg(target_os = "linux")]
fn forbid_inspection() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn forbid_inspection() -> io::Result<()> {
    Ok(())
}

/// How the process ended once it had started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Drained, or the limit of the drain passed.
    Drained,
    /// A second signal came.
    Signalled(u8),
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Drained => Self::SUCCESS,
            Ended::Signalled(number) => Self::from(128_u8.saturating_add(number)),
        }
    }
}

/// SIGTERM and SIGINT, from the moment of construction on.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// # Errors
    ///
    /// [`StartError::Signals`] when the system refuses to deliver them.
    pub(crate) fn listen() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(StartError::Signals);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        };
        // Signal numbers are small; SIGTERM is 15 and SIGINT is 2 on every Unix.
        u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX)
    }
}

/// Asks for a graceful end from inside.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopRequest(Arc<Notify>);

impl StopRequest {
    /// May be called any number of times.
    pub(crate) fn request(&self) {
        self.0.notify_one();
    }
}

/// Held by everything that the drain waits for, and tells it when the drain begins.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    begun: watch::Receiver<bool>,
    connections: Gauge,
}

impl Drain {
    /// Counts one connection, until the returned value is dropped.
    pub(crate) fn connection(&self) -> Counted {
        self.connections.enter()
    }

    /// Returns when the drain begins, at once if it has begun.
    pub(crate) async fn begun(&mut self) {
        // An error means that the other end is gone, and then this process is about to end as well.
        let _ = self.begun.wait_for(|begun| *begun).await;
    }
}

/// The end of the process, from its first signal on.
#[derive(Debug)]
pub(crate) struct Shutdown {
    begun: watch::Sender<bool>,
    connections: Gauge,
    requested: StopRequest,
    signals: Signals,
    limit: Duration,
}

impl Shutdown {
    pub(crate) fn new(signals: Signals, limit: Duration) -> Self {
        Self {
            begun: watch::Sender::new(false),
            connections: Gauge::new(),
            requested: StopRequest::default(),
            signals,
            limit,
        }
    }

    /// A handle for what the drain must wait for.
    pub(crate) fn drain(&self) -> Drain {
        Drain {
            begun: self.begun.subscribe(),
            connections: self.connections.clone(),
        }
    }

    /// A handle that asks for the end.
    pub(crate) fn stop_request(&self) -> StopRequest {
        self.requested.clone()
    }

    /// Waits for the end to be asked for, then for the drain.
    pub(crate) async fn wait(mut self) -> Ended {
        tokio::select! {
            number = self.signals.next() => tracing::info!(signal = number, "draining"),
            () = self.requested.0.notified() => tracing::info!("draining, as a request asked for"),
        }
        self.begun.send_replace(true);
        tokio::select! {
            biased;
            number = self.signals.next() => {
                tracing::warn!(signal = number, "ended at once by a second signal");
                Ended::Signalled(number)
            }
            () = self.begun.closed() => {
                tracing::info!("drained");
                Ended::Drained
            }
            () = tokio::time::sleep(self.limit) => {
                tracing::warn!(
                    connections = self.connections.count(),
                    "the limit of the graceful shutdown has passed; what is still open is cut off"
                );
                Ended::Drained
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g8_core_dumps_are_off() {
        forbid_core_dumps().expect("a limit may always be lowered");
        let limit = rustix::process::getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().expect("known to this kernel"),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }

    #[tokio::test]
    async fn api_g7_a_drain_that_has_begun_is_seen_by_late_holders_too() {
        let signals = Signals::listen().expect("signals");
        let shutdown = Shutdown::new(signals, Duration::ZERO);
        let mut early = shutdown.drain();
        shutdown.begun.send_replace(true);
        early.begun().await;
        shutdown.drain().begun().await;
        drop(shutdown);
        early.begun().await;
    }

    #[tokio::test]
    async fn api_g7_the_drain_ends_with_its_last_holder() {
        let signals = Signals::listen().expect("signals");
        let shutdown = Shutdown::new(signals, Duration::from_secs(3600));
        shutdown.stop_request().request();
        let mut holder = shutdown.drain();
        let waiting = tokio::spawn(shutdown.wait());
        holder.begun().await;
        assert!(!waiting.is_finished());
        drop(holder);
        assert_eq!(waiting.await.expect("no panic"), Ended::Drained);
    }

    #[tokio::test]
    async fn api_g7_the_drain_ends_at_its_limit() {
        let signals = Signals::listen().expect("signals");
        let shutdown = Shutdown::new(signals, Duration::ZERO);
        shutdown.stop_request().request();
        let _holder = shutdown.drain();
        assert_eq!(shutdown.wait().await, Ended::Drained);
    }
}
