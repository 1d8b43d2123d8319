//! [`Issuer`]: publishes public keys over HTTP, and counts who fetches them.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::key::Key;

pub(crate) struct Issuer {
    address: SocketAddr,
    published: Arc<Published>,
}

#[derive(Default)]
struct Published {
    keys: Mutex<Vec<Value>>,
    fetches: AtomicUsize,
}

impl Published {
    fn keys(&self) -> MutexGuard<'_, Vec<Value>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issuer {
    /// Serves no key yet.
    pub(crate) async fn start() -> io::Result<Self> {
        let published = Arc::new(Published::default());
        let app = Router::new()
            .route("/keys", get(keys))
            .with_state(published.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { address, published })
    }

    /// These keys from now on, and no others.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        let keys = keys.iter().map(|key| key.jwk()).collect();
        *self.published.keys() = keys;
    }

    /// The `iss` of its tokens.
    pub(crate) fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn key_set_url(&self) -> String {
        format!("{}/keys", self.name())
    }

    /// How often its keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.published.fetches.load(Ordering::Relaxed)
    }
}

async fn keys(State(published): State<Arc<Published>>) -> impl IntoResponse {
    published.fetches.fetch_add(1, Ordering::Relaxed);
    let document = json!({ "keys": *published.keys() });
    (
        [(CONTENT_TYPE, "application/jwk-set+json")],
        document.to_string(),
    )
}
