//! [`App`]: trusts the issuer's keys, which it fetches and keeps fresh.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tower_dapr_token::{Clock, JwtRules, RemoteKeys, RequireTokenLayer};

use crate::issuer::Issuer;

/// What `aud` must say.
pub(crate) const AUDIENCE: &str = "orders";

pub(crate) struct App {
    address: SocketAddr,
    clock: Arc<MovedClock>,
}

impl App {
    pub(crate) async fn start(issuer: &Issuer) -> Result<Self, Box<dyn Error>> {
        let clock = Arc::new(MovedClock::default());
        let layer = RequireTokenLayer::builder()
            .remote_keys(
                RemoteKeys::jwks(issuer.key_set_url()),
                JwtRules::new(issuer.name(), AUDIENCE),
            )
            .key_clock(clock.clone()) // an app leaves this out
            .build()
            .await?;
        let app = Router::new()
            .route("/orders", post(async || "taken"))
            .layer(layer);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { address, clock })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// An unknown key is looked up at most once in 30 s. Nobody wants to wait for that here.
    pub(crate) fn let_half_a_minute_pass(&self) {
        self.clock.0.fetch_add(31, Ordering::Relaxed);
    }
}

/// A clock that stands still, in seconds, until it is moved.
#[derive(Default)]
struct MovedClock(AtomicU64);

impl Clock for MovedClock {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    /// Keys are never waited for by this clock.
    fn wait(&self, _: Duration) {}
}
