//! [`Client`]: signs its own tokens with one key, and sends them to the app.

use std::error::Error;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt};
use tower_dapr_token::{InjectToken, InjectTokenLayer, JwtSigner};

use crate::app::{AUDIENCE, App};
use crate::issuer::Issuer;
use crate::key::Key;

pub(crate) struct Client {
    kid: &'static str,
    orders: String,
    http: InjectToken<HttpClient<HttpConnector, Empty<Bytes>>>,
}

impl Client {
    pub(crate) fn new(issuer: &Issuer, key: &Key, app: &App) -> Result<Self, Box<dyn Error>> {
        let signer = JwtSigner::builder()
            .pem(key.pem())
            .key_id(key.kid())
            .issuer(issuer.name())
            .audience(AUDIENCE)
            .subject("shop")
            .build()?;
        let origin = format!("http://{}", app.address());
        let inject = InjectTokenLayer::builder()
            .jwt(signer)
            .add_origin(origin.parse()?) // loopback: elsewhere plain `http` is refused
            .build()?;
        let http = HttpClient::builder(TokioExecutor::new()).build_http();
        Ok(Self {
            kid: key.kid(),
            orders: format!("{origin}/orders"),
            http: inject.layer(http),
        })
    }

    pub(crate) fn kid(&self) -> &'static str {
        self.kid
    }

    /// Sends so many requests at once; gives how many were accepted.
    pub(crate) async fn send(&self, requests: usize) -> Result<usize, Box<dyn Error>> {
        let mut sent = JoinSet::new();
        for _ in 0..requests {
            let request = Request::post(&self.orders).body(Empty::new())?;
            sent.spawn(self.http.clone().oneshot(request));
        }
        let mut accepted = 0;
        while let Some(answer) = sent.join_next().await {
            match answer??.status() {
                StatusCode::OK => accepted += 1,
                StatusCode::UNAUTHORIZED => {}
                other => return Err(format!("the app answers {other}").into()),
            }
        }
        Ok(accepted)
    }
}
