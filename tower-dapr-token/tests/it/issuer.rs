//! An issuer on loopback: a server of key sets that a test can hold up.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::signing::{Key, key_set};

/// A server of key sets.
pub(crate) struct Issuer {
    address: SocketAddr,
    answer: Arc<Mutex<(u16, String)>>,
    asked: watch::Receiver<usize>,
    open: watch::Sender<bool>,
    hung_up: Arc<AtomicBool>,
    listening: JoinHandle<()>,
}

impl Issuer {
    pub(crate) async fn with(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (count, asked) = watch::channel(0);
        let open = watch::Sender::new(true);
        let answer = Arc::new(Mutex::new((200, String::new())));
        let count = Arc::new(count);
        let hung_up = Arc::new(AtomicBool::new(false));
        let hangs_up = Arc::clone(&hung_up);
        let parts = (count, open.clone(), Arc::clone(&answer));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if hangs_up.load(Ordering::Relaxed) {
                    continue;
                }
                let parts = parts.clone();
                tokio::spawn(async move {
                    let service = service_fn(|_: Request<Incoming>| {
                        let (count, open, answer) = parts.clone();
                        async move {
                            count.send_modify(|count| *count += 1);
                            let mut open = open.subscribe();
                            open.wait_for(|open| *open).await.expect("not dropped");
                            let (status, body) = answer.lock().expect("no test panicked").clone();
                            let response = Response::builder().status(status);
                            Ok::<_, Infallible>(
                                response.body(Full::new(Bytes::from(body))).expect("valid"),
                            )
                        }
                    });
                    // A client that closes early is no error of the server.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        let issuer = Self {
            address,
            answer,
            asked,
            open,
            hung_up,
            listening,
        };
        issuer.has(keys);
        issuer
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// Serves these keys from now on, and no others.
    pub(crate) fn has(&self, keys: &[&Key]) {
        self.answers(200, &key_set(keys));
    }

    /// The same, with this beside them.
    #[cfg(feature = "metrics")]
    pub(crate) fn has_and(&self, keys: &[&Key], other: &serde_json::Value) {
        let keys = keys.iter().map(|key| key.jwk()).chain([other.clone()]);
        let keys: Vec<_> = keys.collect();
        self.answers(200, &serde_json::json!({ "keys": keys }).to_string());
    }

    pub(crate) fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().expect("no test panicked") = (status, body.to_owned());
    }

    /// Answers nobody until it goes on.
    pub(crate) fn holds_up(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn goes_on(&self) {
        self.open.send_replace(true);
    }

    /// Closes every new connection at once, or no longer: down, with a port that nobody else gets.
    pub(crate) fn hangs_up(&self, whether: bool) {
        self.hung_up.store(whether, Ordering::Relaxed);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Comes back when it was asked so often.
    pub(crate) async fn was_asked(&mut self, times: usize) {
        let asked = self.asked.wait_for(|asked| *asked >= times).await;
        assert_eq!(*asked.expect("it serves"), times);
    }

    /// Closes its port.
    pub(crate) async fn ends(&mut self) {
        self.listening.abort();
        let _ = (&mut self.listening).await;
    }
}
