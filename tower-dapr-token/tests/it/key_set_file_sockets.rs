//! A rollover by file in front of a real server: which token is accepted at which moment, on open connections and new ones.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tower_dapr_token::{KeySetFile, Reloaded, RequireTokenLayer};

use crate::signing::{Key, NOW, Wall, key_set, rules};
use crate::support::NAME;

async fn serve(keys: &KeySetFile) -> SocketAddr {
    let layer = RequireTokenLayer::builder()
        .key_set_file(keys, rules())
        .wall_clock(Wall::at(NOW))
        .build()
        .expect("valid");
    let app = Router::new()
        .route("/orders", post(|| async { "taken" }))
        .layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// One connection that is kept open.
struct Client(SendRequest<Empty<Bytes>>);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connected");
        let (send, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self(send)
    }

    async fn ask(&mut self, token: &str) -> u16 {
        self.0.ready().await.expect("open");
        let request = Request::post("/orders")
            .header("host", "localhost")
            .header(NAME, token)
            .body(Empty::new())
            .expect("valid");
        let answer = self.0.send_request(request).await.expect("answered");
        let status = answer.status().as_u16();
        answer.into_body().collect().await.expect("read to its end");
        status
    }
}

/// As it should be done: another file takes the name in one step.
fn replace(path: &Path, keys: &[&Key]) {
    let aside = path.with_extension("new");
    fs::write(&aside, key_set(keys)).expect("written");
    fs::rename(aside, path).expect("renamed");
}

async fn refresh(keys: &KeySetFile) -> Reloaded {
    let keys = keys.clone();
    let read = tokio::task::spawn_blocking(move || keys.refresh());
    read.await.expect("no panic").expect("a key set")
}

#[tokio::test]
async fn t8_a_rollover_by_file_refuses_the_old_key_at_once_and_the_new_one_never() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    let (old, new) = (Key::new("old"), Key::new("new"));
    replace(&path, &[&old]);
    let keys = KeySetFile::builder(&path).build().expect("keys");
    let address = serve(&keys).await;
    let mut open = Client::connect(address).await;
    let (by_old, by_new) = (old.token(), new.token());
    assert_eq!(open.ask(&by_old).await, 200);
    assert_eq!(open.ask(&by_new).await, 401, "not published yet");

    replace(&path, &[&old, &new]);
    assert_eq!(refresh(&keys).await, Reloaded::Changed);
    assert_eq!(open.ask(&by_old).await, 200);
    assert_eq!(open.ask(&by_new).await, 200);

    // From here on the new key is in every set: nobody who has a token of it is ever refused.
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let progress = Arc::new(Notify::new());
    let tokens: Vec<_> = (0..8)
        .map(|i| new.token_of(&format!("caller-{i}")))
        .collect();
    let load = {
        let (stop, asked, progress) = (stop.clone(), asked.clone(), progress.clone());
        tokio::spawn(async move {
            let mut client = Client::connect(address).await;
            let mut refused = 0;
            while !stop.load(Ordering::Relaxed) {
                // Some are remembered, and some are met for the first time while the set changes.
                let number = asked.fetch_add(1, Ordering::Relaxed);
                let token = &tokens[(number / 16) % tokens.len()];
                refused += usize::from(client.ask(token).await != 200);
                progress.notify_one();
            }
            refused
        })
    };
    let mut changes = 0;
    for keys_now in [&[&new][..], &[&old, &new], &[&new]] {
        progress.notified().await;
        replace(&path, keys_now);
        assert_eq!(refresh(&keys).await, Reloaded::Changed);
        changes += 1;
        let expected = if keys_now.len() == 1 { 401 } else { 200 };
        assert_eq!(
            open.ask(&by_old).await,
            expected,
            "{changes}: open connection"
        );
        assert_eq!(open.ask(&by_new).await, 200, "{changes}: open connection");
        let mut fresh = Client::connect(address).await;
        assert_eq!(
            fresh.ask(&by_old).await,
            expected,
            "{changes}: new connection"
        );
        assert_eq!(fresh.ask(&by_new).await, 200, "{changes}: new connection");
        progress.notified().await;
    }
    stop.store(true, Ordering::Relaxed);
    assert_eq!(load.await.expect("no panic"), 0, "refused, of {asked:?}");
    assert!(asked.load(Ordering::Relaxed) > changes);
}
