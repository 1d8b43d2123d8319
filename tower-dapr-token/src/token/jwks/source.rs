//! One refresh: discovery where it is configured, the key set, and on to the keys (`T6`, `T8`).

use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use tower_service::Service;

use super::KeySetSink;
use super::client::{Answer, BoxError, Client};
use super::discovery::Discovery;
use super::error::JwksError;
use super::task::{Refresh, Refreshed, Why};
use super::url::KeyUrl;

/// What the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The key set itself.
    KeySet(KeyUrl),
    /// The issuer, who says where it is.
    Issuer(Discovery),
}

/// Fetches from one place, and remembers what it needs for the next time.
pub(super) struct KeySource<C> {
    client: Client<C>,
    place: Place,
    sink: Arc<dyn KeySetSink>,
    /// Where the keys are, as the issuer said the last time.
    found: Option<KeyUrl>,
    /// Of the set in force, and no other: what was refused must be read again.
    etag: Option<HeaderValue>,
}

impl<C> KeySource<C>
where
    C: Service<Uri>,
    C::Response: Read + Write + Unpin,
    C::Error: Into<BoxError>,
{
    pub(super) fn new(client: Client<C>, place: Place, sink: Arc<dyn KeySetSink>) -> Self {
        Self {
            client,
            place,
            sink,
            found: None,
            etag: None,
        }
    }

    /// The issuer is asked again each time, since it may move its keys; but not while requests wait.
    async fn locate(&mut self, why: Why) -> Result<KeyUrl, JwksError> {
        let discovery = match (&self.place, why, &self.found) {
            (Place::KeySet(url), _, _) | (Place::Issuer(_), Why::UnknownKid, Some(url)) => {
                return Ok(url.clone());
            }
            (Place::Issuer(discovery), _, _) => discovery,
        };
        let told = |kind| JwksError::from(kind).at(discovery.url());
        let answer = self.client.get(discovery.url(), None).await.map_err(told)?;
        let bytes = match answer {
            Answer::Document { bytes, .. } => bytes,
            // Never: it was not asked with an `ETag`.
            Answer::NotModified { .. } => Vec::new(),
        };
        let url = discovery.read(&bytes).map_err(told)?;
        if self.found.as_ref() != Some(&url) {
            // Two servers may name different documents alike.
            self.etag = None;
            self.found = Some(url.clone());
        }
        Ok(url)
    }

    async fn fetch(&mut self, why: Why) -> Result<Refreshed, JwksError> {
        let url = self.locate(why).await?;
        let answer = self.client.get(&url, self.etag.as_ref()).await;
        match answer.map_err(|kind| JwksError::from(kind).at(&url))? {
            Answer::NotModified { lifetime } => Ok(Refreshed {
                accepted: None,
                lifetime,
            }),
            Answer::Document {
                bytes,
                etag,
                lifetime,
            } => {
                let accepted = self.sink.accept(&bytes).map_err(|error| error.at(&url))?;
                self.etag = etag;
                Ok(Refreshed {
                    accepted: Some(accepted),
                    lifetime,
                })
            }
        }
    }
}

impl<C> Refresh for KeySource<C>
where
    C: Service<Uri> + Send + 'static,
    C::Response: Read + Write + Unpin + Send,
    C::Error: Into<BoxError>,
    C::Future: Send,
{
    async fn refresh(&mut self, why: Why) -> Result<Refreshed, JwksError> {
        self.fetch(why).await
    }
}
