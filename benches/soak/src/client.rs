//! The load: one connection that asks again and again, with one token after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::ledger::{Ledger, Verdict};
use crate::report::{Counts, Fault};
use crate::server::{Holding, Protocol};

/// Anything that keeps a client from asking.
pub(crate) type ClientError = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) holding: Holding,
    pub(crate) protocol: Protocol,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) stop: Arc<AtomicBool>,
    /// How many rounds of all tokens it asked with.
    pub(crate) rounds: Arc<AtomicU64>,
}

/// A kept connection.
enum Connection {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

/// The text of the token with this number.
pub(crate) fn token(number: u64) -> String {
    format!("the-token-of-the-soak-number-{number:012}")
}

impl Client {
    /// Asks until it is told to stop.
    pub(crate) async fn run(self) -> Result<Counts, ClientError> {
        let mut connection = Connection::open(self.address, self.protocol).await?;
        let mut counts = Counts::default();
        while !self.stop.load(Ordering::Relaxed) {
            for choice in 0..7 {
                let before = self.ledger.before();
                let number = match choice {
                    0 => Some(before.published),
                    1 => before.published.checked_sub(1),
                    2 => before.published.checked_sub(2),
                    // The one that ended last, and one that ended long ago.
                    3 => before.ended.checked_sub(1),
                    // The one that comes next.
                    5 => Some(before.published + 1),
                    4 => before.ended.checked_sub(1 + before.published % 100),
                    _ => None,
                };
                // Right but for its last byte.
                let text = number.map_or_else(
                    || token(before.published).replace("number", "numbeR"),
                    token,
                );
                let status = connection.ask(&text).await?;
                let verdict = self.ledger.judge(before, number);
                let fault = counts.note(verdict, status);
                if let Some(wrong) = fault {
                    counts.keep(Fault {
                        wrong,
                        holding: self.holding,
                        protocol: self.protocol,
                        verdict,
                        number,
                        before,
                        status,
                    });
                }
            }
            self.rounds.fetch_add(1, Ordering::SeqCst);
        }
        Ok(counts)
    }
}

impl Connection {
    async fn open(address: SocketAddr, protocol: Protocol) -> Result<Self, ClientError> {
        let io = TokioIo::new(TcpStream::connect(address).await?);
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        })
    }

    async fn ask(&mut self, token: &str) -> Result<StatusCode, ClientError> {
        let request = Request::get("http://app/")
            .header("host", "app")
            .header("dapr-api-token", token)
            .body(Empty::new())?;
        let response = match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let status = response.status();
        // To its end, so that the connection can be used again.
        response.into_body().collect().await?;
        Ok(status)
    }
}

/// Whether an answer is wrong, and how.
pub(crate) fn wrong(verdict: Verdict, status: StatusCode) -> Option<&'static str> {
    match (verdict, status) {
        (Verdict::Changing, StatusCode::OK | StatusCode::UNAUTHORIZED)
        | (Verdict::Current | Verdict::Previous, StatusCode::OK)
        | (Verdict::Over | Verdict::Never, StatusCode::UNAUTHORIZED) => None,
        (Verdict::Over | Verdict::Never, StatusCode::OK) => Some("wrongly accepted"),
        (Verdict::Current | Verdict::Previous, StatusCode::UNAUTHORIZED) => Some("wrongly refused"),
        _ => Some("answered with another status"),
    }
}
