//! Keys that are names alone, fetches that are played, and servers of our own.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::schedule::Schedule;
use super::super::set::{RemoteKeySet, Shared};
use super::super::task::{Refresh, Refreshed, Why};
use super::super::{Accepted, JwksError, JwksErrorKind, KeySetSink};
use crate::observe::Observer;
use crate::token::KeyEvent;
use crate::token::clock::Clock;

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// The clock of Tokio, which stands still where a test says so.
pub(super) struct TokioClock(Instant);

impl TokioClock {
    pub(super) fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, _: Duration) {
        unreachable!("nothing here blocks");
    }
}

/// Keys are names, and one that begins with `-` cannot be used.
#[derive(Default)]
pub(super) struct Names(Mutex<HashSet<String>>);

impl Names {
    pub(super) fn document(names: &[&str]) -> String {
        let keys: Vec<_> = names
            .iter()
            .map(|name| serde_json::json!({ "kid": name }))
            .collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    fn replace(&self, names: &[&str]) -> Result<Accepted, JwksError> {
        assert!(!names.contains(&"panic"), "told to");
        let good: HashSet<String> = names
            .iter()
            .filter(|name| !name.starts_with('-'))
            .map(|name| (*name).to_owned())
            .collect();
        if good.is_empty() {
            return Err(JwksErrorKind::NoUsableKey.into());
        }
        let accepted = Accepted {
            keys: good.len(),
            skipped: names.len() - good.len(),
        };
        *self.0.lock().expect("no test panicked") = good;
        Ok(accepted)
    }
}

impl KeySetSink for Names {
    fn accept(&self, document: &[u8]) -> Result<Accepted, JwksError> {
        let document: serde_json::Value =
            serde_json::from_slice(document).map_err(|_| JwksErrorKind::NotAKeySet)?;
        let keys = document["keys"]
            .as_array()
            .ok_or(JwksErrorKind::NotAKeySet)?;
        let names: Vec<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
        self.replace(&names)
    }

    fn holds(&self, kid: &str) -> bool {
        self.0.lock().expect("no test panicked").contains(kid)
    }
}

/// Keeps what an observer is told.
#[derive(Default)]
pub(super) struct Told(Mutex<Vec<KeyEvent>>);

impl Told {
    pub(super) fn take(&self) -> Vec<KeyEvent> {
        std::mem::take(&mut self.0.lock().expect("no test panicked"))
    }
}

impl Observer for Told {
    fn on_key_event(&self, event: &KeyEvent) {
        self.0.lock().expect("no test panicked").push(event.clone());
    }
}

/// How one fetch goes.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Keys(&'static [&'static str]),
    KeysFor(&'static [&'static str], Duration),
    Unchanged,
    /// The issuer says no more where its keys are, and the address that is remembered still answers.
    KeysWithoutDiscovery(&'static [&'static str]),
    Fails,
    Hangs,
}

/// Plays fetches, one step after the other, the last one for ever.
pub(super) struct Play {
    steps: Vec<Step>,
    takes: Duration,
    names: Arc<Names>,
    began: mpsc::UnboundedSender<(Why, Instant)>,
    dropped: mpsc::UnboundedSender<()>,
}

struct TellsOfDrop(mpsc::UnboundedSender<()>);

impl Drop for TellsOfDrop {
    fn drop(&mut self) {
        // Nobody listens any more at the end of a test.
        let _ = self.0.send(());
    }
}

impl Refresh for Play {
    async fn refresh(&mut self, why: Why) -> Result<Refreshed, JwksError> {
        let _tells = TellsOfDrop(self.dropped.clone());
        let _ = self.began.send((why, Instant::now()));
        let step = match self.steps.len() {
            1 => self.steps[0],
            _ => self.steps.remove(0),
        };
        tokio::time::sleep(self.takes).await;
        let refreshed = |accepted, lifetime| Refreshed { accepted, lifetime };
        match step {
            Step::Keys(names) => Ok(refreshed(Some(self.names.replace(names)?), None)),
            Step::KeysFor(names, lifetime) => {
                Ok(refreshed(Some(self.names.replace(names)?), Some(lifetime)))
            }
            Step::Unchanged => Ok(refreshed(None, None)),
            Step::KeysWithoutDiscovery(names) if why == Why::UnknownKid => {
                Ok(refreshed(Some(self.names.replace(names)?), None))
            }
            Step::KeysWithoutDiscovery(_) => Err(JwksErrorKind::Status(404).into()),
            Step::Fails => Err(JwksErrorKind::Unreachable.into()),
            Step::Hangs => std::future::pending().await,
        }
    }
}

/// A set over played fetches, each of which takes 50 ms unless it is said otherwise.
pub(super) struct Stage {
    pub(super) set: RemoteKeySet,
    pub(super) names: Arc<Names>,
    pub(super) clock: Arc<TokioClock>,
    pub(super) told: Arc<Told>,
    began: mpsc::UnboundedReceiver<(Why, Instant)>,
    pub(super) dropped: mpsc::UnboundedReceiver<()>,
}

impl Stage {
    pub(super) fn new(steps: &[Step]) -> Self {
        Self::with(steps, Duration::from_millis(50), DAY)
    }

    pub(super) fn with(steps: &[Step], takes: Duration, max_stale: Duration) -> Self {
        let told = Arc::new(Told::default());
        Self::observed_by(steps, takes, max_stale, Arc::clone(&told) as _, told)
    }

    pub(super) fn observed_by(
        steps: &[Step],
        takes: Duration,
        max_stale: Duration,
        observer: Arc<dyn Observer>,
        told: Arc<Told>,
    ) -> Self {
        let names = Arc::new(Names::default());
        let clock = TokioClock::start();
        let (began_to, began) = mpsc::unbounded_channel();
        let (dropped_to, dropped) = mpsc::unbounded_channel();
        let play = Play {
            steps: steps.to_vec(),
            takes,
            names: Arc::clone(&names),
            began: began_to,
            dropped: dropped_to,
        };
        let shared = Shared::new(
            Arc::clone(&names) as _,
            Arc::clone(&clock) as _,
            Some(observer),
            max_stale,
        );
        let schedule = Schedule::new(None, max_stale);
        Self {
            set: RemoteKeySet::start(shared, play, schedule).expect("in a runtime"),
            names,
            clock,
            told,
            began,
            dropped,
        }
    }

    /// The next fetch, when it begins.
    pub(super) async fn next_fetch(&mut self) -> (Why, Instant) {
        self.began.recv().await.expect("the task runs")
    }

    /// The fetches that began and were not looked at yet.
    pub(super) fn fetches(&mut self) -> Vec<Why> {
        std::iter::from_fn(|| self.began.try_recv().ok())
            .map(|(why, _)| why)
            .collect()
    }

    pub(super) fn is_stale(&self) -> bool {
        self.set.is_stale(self.clock.now())
    }
}

/// On the paused clock time passes only while nothing can run.
pub(super) async fn passes(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(super) fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// What a server was asked: the target, and the headers.
pub(super) type Asked = (String, HeaderMap);

/// A server on loopback that speaks HTTP as hyper does.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) async fn start(
        answer: impl Fn(&Request<Incoming>) -> Response<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            address: listener.local_addr().expect("bound"),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&server.asked);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&asked)));
            }
        });
        server
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no test panicked"))
    }

    pub(super) fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|(target, _)| target).collect()
    }
}

/// Serves one connection, whatever it is made of.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Arc<impl Fn(&Request<Incoming>) -> Response<String>>,
    asked: Arc<Mutex<Vec<Asked>>>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let target = request.uri().to_string();
        asked
            .lock()
            .expect("no test panicked")
            .push((target, request.headers().clone()));
        let response = answer(&request).map(|body| Full::new(Bytes::from(body)));
        async { Ok::<_, Infallible>(response) }
    });
    // A client that closes early is no error of the server.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Reads the head of one request.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    String::from_utf8(head).expect("ASCII")
}
