//! One GET, and all that a server may not do to us with its answer (`T6`).
//!
//! Every fetch has a connection of its own, which lives in the fetch's future: whoever drops the future closes the
//! connection, and no task of a pool is left behind. Fetches are minutes apart, so that a kept connection would be
//! closed by then anyway. HTTP/1.1 is what every server of keys speaks; no proxy is used.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, ETAG, HOST, IF_NONE_MATCH, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use tokio::time::timeout;
use tower_service::Service;

use super::error::JwksErrorKind;
use super::freshness::lifetime;
use super::url::KeyUrl;
use crate::token::MAX_KEY_SET_LEN;

/// For the name, the connection and TLS together.
const CONNECT: Duration = Duration::from_secs(2);
/// More than servers send, in kilobytes and in number.
const MAX_HEAD_LEN: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;
/// A longer one is not worth its memory.
const MAX_ETAG_LEN: usize = 512;

const JSON: HeaderValue = HeaderValue::from_static("application/jwk-set+json, application/json");
/// Said aloud: without the header, a server may compress (RFC 9110, 12.5.3).
const UNCOMPRESSED: HeaderValue = HeaderValue::from_static("identity");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
/// Firewalls refuse requests without one.
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tower-dapr-token/", env!("CARGO_PKG_VERSION")));

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;
/// TCP with both address families tried, and TLS where the address says so.
pub(super) type SystemConnector = HttpsConnector<HttpConnector>;

/// What a good answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// What is known is still right.
    NotModified {
        /// For so long.
        lifetime: Option<Duration>,
    },
    /// A document.
    Document {
        /// At most 256 KiB.
        bytes: Vec<u8>,
        /// By which it can be asked for again.
        etag: Option<HeaderValue>,
        /// For how long it is right.
        lifetime: Option<Duration>,
    },
}

/// Opens connections, one for each GET.
pub(super) struct Client<C> {
    connector: C,
}

impl Client<SystemConnector> {
    pub(super) fn new(tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared by the addresses of a name, so that one dead address leaves time for the next.
        tcp.set_connect_timeout(Some(CONNECT));
        Self::over(
            HttpsConnectorBuilder::new()
                .with_tls_config(tls)
                // An address was checked when it was made: the user may allow `http`.
                .https_or_http()
                .enable_http1()
                .wrap_connector(tcp),
        )
    }
}

impl<C> Client<C> {
    /// Over connections that come from elsewhere.
    pub(super) fn over(connector: C) -> Self {
        Self { connector }
    }
}

impl<C> Client<C>
where
    C: Service<Uri>,
    C::Response: Read + Write + Unpin,
    C::Error: Into<BoxError>,
{
    /// Fetches a document, unless it is still that of the `etag`. The time that this takes is bounded by the caller.
    pub(super) async fn get(
        &mut self,
        url: &KeyUrl,
        etag: Option<&HeaderValue>,
    ) -> Result<Answer, JwksErrorKind> {
        let stream = self.connect(url).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_header_size(MAX_HEAD_LEN)
            .max_headers(MAX_HEADERS)
            .handshake::<_, String>(stream)
            .await
            .map_err(|_| JwksErrorKind::Broken)?;
        let request = request(url, etag);
        let exchange = async {
            let response = sender.send_request(request).await;
            read(response.map_err(|_| JwksErrorKind::Broken)?, etag.is_some()).await
        };
        driven_by(connection, exchange).await
    }

    async fn connect(&mut self, url: &KeyUrl) -> Result<C::Response, JwksErrorKind> {
        let connecting = async {
            poll_fn(|cx| self.connector.poll_ready(cx)).await?;
            self.connector.call(url.uri().clone()).await
        };
        match timeout(CONNECT, connecting).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(match is_about_tls(&*error.into()) {
                true => JwksErrorKind::Untrusted,
                false => JwksErrorKind::Unreachable,
            }),
            Err(_) => Err(JwksErrorKind::TimedOut),
        }
    }
}

/// Lets the connection work while something goes on over it.
async fn driven_by<T>(connection: impl Future, exchange: impl Future<Output = T>) -> T {
    let mut connection = pin!(connection);
    let mut exchange = pin!(exchange);
    let mut is_open = true;
    poll_fn(|cx| {
        // How the connection ended is told to the exchange too.
        if is_open && connection.as_mut().poll(cx).is_ready() {
            is_open = false;
        }
        exchange.as_mut().poll(cx)
    })
    .await
}

fn request(url: &KeyUrl, etag: Option<&HeaderValue>) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.uri_mut() = Uri::from(url.target().clone());
    let headers = request.headers_mut();
    headers.insert(HOST, url.host().clone());
    headers.insert(ACCEPT, JSON);
    headers.insert(ACCEPT_ENCODING, UNCOMPRESSED);
    headers.insert(USER_AGENT, AGENT);
    headers.insert(CONNECTION, CLOSE);
    if let Some(etag) = etag {
        headers.insert(IF_NONE_MATCH, etag.clone());
    }
    request
}

/// The content type is not looked at: the document is parsed strictly, whatever its server calls it.
async fn read(
    response: Response<Incoming>,
    may_be_unmodified: bool,
) -> Result<Answer, JwksErrorKind> {
    let (head, body) = response.into_parts();
    let lifetime = lifetime(&head.headers);
    match head.status {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if may_be_unmodified => {
            return Ok(Answer::NotModified { lifetime });
        }
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => return Err(JwksErrorKind::Redirected),
        other => return Err(JwksErrorKind::Status(other.as_u16())),
    }
    if is_encoded(&head.headers) {
        return Err(JwksErrorKind::Encoded);
    }
    let bytes = read_bounded(body).await?;
    let mut headers = head.headers;
    let etag = headers
        .remove(ETAG)
        .filter(|etag| !etag.is_empty() && etag.len() <= MAX_ETAG_LEN);
    Ok(Answer::Document {
        bytes,
        etag,
        lifetime,
    })
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Counts what comes, whatever length was announced.
async fn read_bounded(mut body: Incoming) -> Result<Vec<u8>, JwksErrorKind> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MAX_KEY_SET_LEN {
        return Err(JwksErrorKind::TooLarge);
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| JwksErrorKind::Broken)?;
        // What is no data are trailers, which mean nothing here.
        if let Ok(data) = frame.into_data() {
            if data.len() > MAX_KEY_SET_LEN - bytes.len() {
                return Err(JwksErrorKind::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

/// Whether TLS is what failed. An `io::Error` does not name the error that it wraps as its source, so it is unwrapped.
fn is_about_tls(error: &(dyn StdError + 'static)) -> bool {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|error| is_about_tls(error))
}
