//! [`Orders`]: sends orders with the token of a file that the kubelet renews.

use std::error::Error;
use std::path::PathBuf;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt};
use tower_dapr_token::{InjectToken, InjectTokenLayer, JwtFile, Origin};

/// The largest answer that is read into memory, in bytes.
const LIMIT: usize = 64 * 1024;

pub(crate) struct Orders {
    url: String,
    client: InjectToken<Client<HttpConnector, Full<Bytes>>>,
}

impl Orders {
    /// `is_mesh`: the network encrypts by itself, so that plain `http` to another machine is no leak.
    pub(crate) fn new(
        token: impl Into<PathBuf>,
        url: &str,
        is_mesh: bool,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut origin: Origin = url.parse()?;
        if is_mesh {
            origin = origin.allow_plaintext();
        }
        // The kubelet writes the next token when four fifths of the life of this one are over. The file is read every
        // 10 s, so the next one is in use long before this one ends.
        let inject = InjectTokenLayer::builder()
            .jwt(JwtFile::new(token))
            .reload_in_background()
            .add_origin(origin)
            .build()?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self {
            url: format!("{url}/orders"),
            client: inject.layer(client),
        })
    }

    /// Sends one order; gives the answer.
    pub(crate) async fn send(
        &self,
        order: &'static str,
    ) -> Result<(StatusCode, String), Box<dyn Error + Send + Sync>> {
        let request = Request::post(&self.url).body(Full::from(order))?;
        let response = self.client.clone().oneshot(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LIMIT).collect().await?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok((status, text))
    }
}
