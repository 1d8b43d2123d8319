//! [`RemoteKeys`]: where keys are fetched from, and how.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::KeySetSink;
use super::client::Client;
use super::discovery::Discovery;
use super::roots::Roots;
use super::schedule::{LONGEST, SHORTEST, Schedule};
use super::set::{RemoteKeySet, Shared};
use super::source::{KeySource, Place};
use super::url::{KeyUrl, Plaintext};
use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::clock::Clock;

/// It outlasts an outage of the issuer, but keys must not live for ever.
const MAX_STALE: Duration = Duration::from_secs(24 * 3600);

/// A key set that is fetched over HTTPS and kept fresh, or the issuer that says where it is (`T6`).
///
/// The address is configured here, or named by the configured issuer; none is ever taken from a token. Keys are
/// fetched every 10 minutes, give or take a tenth, or when the server's `max-age` ends, if that is between a minute
/// and a day. A fetch takes 5 s at most and reads 256 KiB at most; it follows no redirect and uses no proxy. When it
/// fails, the last good keys stay until [`max_stale`](Self::max_stale) is over.
///
/// ```
/// use tower_dapr_token::RemoteKeys;
///
/// let by_address = RemoteKeys::jwks("https://login.example.com/keys");
/// let by_issuer = RemoteKeys::discovery("https://login.example.com/tenant");
/// ```
///
/// What is wrong with an address or a setting is found when the layer is built.
#[derive(Clone)]
#[must_use]
pub struct RemoteKeys {
    place: Named,
    roots: Roots,
    insecure_allow_http: bool,
    refresh_every: Option<Duration>,
    max_stale: Duration,
    observer: Option<Arc<dyn Observer>>,
}

#[derive(Clone)]
enum Named {
    KeySet(String),
    Issuer(String),
}

impl RemoteKeys {
    /// The JSON Web Key Set at this address: `https`, or `http` to loopback; without user information, and no longer
    /// than 2048 bytes.
    pub fn jwks(url: impl Into<String>) -> Self {
        Self::new(Named::KeySet(url.into()))
    }

    /// The keys of this issuer, who names their address in `<issuer>/.well-known/openid-configuration`.
    ///
    /// The `issuer` in that document must equal this text, each character and a slash at the end included, and rules that
    /// name issuers must name this one among them. The
    /// document is fetched again with every scheduled refresh, but not for a request with an unknown `kid`, which
    /// waits. Its `jwks_uri` must be an address that [`jwks`](Self::jwks) takes, and `https` if the issuer is.
    pub fn discovery(issuer: impl Into<String>) -> Self {
        Self::new(Named::Issuer(issuer.into()))
    }

    fn new(place: Named) -> Self {
        Self {
            place,
            roots: Roots::default(),
            insecure_allow_http: false,
            refresh_every: None,
            max_stale: MAX_STALE,
            observer: None,
        }
    }

    /// Trusts these root certificates and no others: PEM, one or more, at most 1 MiB.
    ///
    /// Without it, those of the operating system are read once, when the layer is built; `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others, as for other programs. An issuer inside a cluster needs this, with the cluster's
    /// own root.
    pub fn root_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots = Roots::Pem(pem.as_ref().into());
        self
    }

    /// Fetches over plain `http` from other machines too. **Insecure**: anyone between can answer with keys of their
    /// own, and then every token they sign is valid. For a network that encrypts by itself, such as a mesh.
    pub fn insecure_allow_http(mut self) -> Self {
        self.insecure_allow_http = true;
        self
    }

    /// Fetches this often, give or take a tenth, whatever the server's `max-age` says. Between a minute and a day, and
    /// no more than half of [`max_stale`](Self::max_stale), so that there is time to try again.
    pub fn refresh_every(mut self, interval: Duration) -> Self {
        self.refresh_every = Some(interval);
        self
    }

    /// Answers 503 when keys could not be fetched for this long, instead of for 24 h (`T8`). At least two minutes.
    ///
    /// Keys are fetched at least about twice in this time, even where `max-age` asks for less.
    pub fn max_stale(mut self, limit: Duration) -> Self {
        self.max_stale = limit;
        self
    }

    /// Who is told of these keys, instead of the layer's [observer](Observer): to tell several key sets apart. An
    /// observer knows of a [`KeyEvent`](crate::KeyEvent) what is in it, and no event names a key set.
    ///
    /// With the feature `metrics`, `MetricsObserver::builder().build_for_keys(name)` makes one for each.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The issuer whose keys these are, where discovery finds them.
    pub(crate) fn issuer(&self) -> Option<&str> {
        match &self.place {
            Named::KeySet(_) => None,
            Named::Issuer(issuer) => Some(issuer),
        }
    }

    /// Checks everything, reads the root certificates, and begins to fetch, in the runtime that this is called in.
    ///
    /// # Panics
    ///
    /// If that runtime was built without its timer.
    pub(crate) fn start(
        self,
        sink: Arc<dyn KeySetSink>,
        clock: Arc<dyn Clock>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<RemoteKeySet, ConfigError> {
        let place = self.place()?;
        let schedule = self.schedule()?;
        let observer = self.observer.or(observer);
        let roots = match (&place, self.roots) {
            (Place::KeySet(url), _) if !url.is_https() => Roots::Unused,
            (Place::Issuer(issuer), Roots::System) if !issuer.url().is_https() => {
                Roots::SystemIfAny
            }
            (_, roots) => roots,
        };
        let client = Client::new(roots.into_tls_config()?);
        let source = KeySource::new(client, place, Arc::clone(&sink));
        let shared = Shared::new(sink, clock, observer, self.max_stale);
        RemoteKeySet::start(shared, source, schedule)
    }

    fn place(&self) -> Result<Place, ConfigError> {
        let plaintext = if self.insecure_allow_http {
            Plaintext::Anywhere
        } else {
            Plaintext::Loopback
        };
        match &self.place {
            Named::KeySet(url) => KeyUrl::parse(url, plaintext).map(Place::KeySet),
            Named::Issuer(issuer) => Discovery::new(issuer, plaintext).map(Place::Issuer),
        }
        .map_err(|reason| ConfigError::KeySetUrl { reason })
    }

    fn schedule(&self) -> Result<Schedule, ConfigError> {
        let refused = |reason| Err(ConfigError::KeyRefresh { reason });
        if self.max_stale < SHORTEST * 2 {
            return refused(
                "max_stale of keys would refuse requests between two fetches: use at least two minutes",
            );
        }
        if let Some(interval) = self.refresh_every {
            if !(SHORTEST..=LONGEST).contains(&interval) {
                return refused("refresh_every does not fit: use a minute to a day");
            }
            if interval > self.max_stale / 2 {
                return refused(
                    "refresh_every leaves no time to try again: use at most half of max_stale",
                );
            }
        }
        Ok(Schedule::new(self.refresh_every, self.max_stale))
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address: it may hold what it should not.
        f.debug_struct("RemoteKeys")
            .field("insecure_allow_http", &self.insecure_allow_http)
            .field("refresh_every", &self.refresh_every)
            .field("max_stale", &self.max_stale)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t6_t8_settings_that_cannot_work_are_refused() {
        let seconds = Duration::from_secs;
        let keys = || RemoteKeys::jwks("https://h/keys");
        let table: &[(&str, RemoteKeys, Option<&str>)] = &[
            ("defaults", keys(), None),
            ("a minute", keys().refresh_every(seconds(60)), None),
            (
                "a day",
                keys().refresh_every(LONGEST).max_stale(LONGEST * 2),
                None,
            ),
            ("two minutes", keys().max_stale(seconds(120)), None),
            ("for ever", keys().max_stale(Duration::MAX), None),
            (
                "too often",
                keys().refresh_every(seconds(59)),
                Some("a minute to a day"),
            ),
            (
                "never",
                keys().refresh_every(Duration::MAX),
                Some("a minute to a day"),
            ),
            (
                "at once",
                keys().refresh_every(Duration::ZERO),
                Some("a minute to a day"),
            ),
            (
                "too short",
                keys().max_stale(seconds(119)),
                Some("two minutes"),
            ),
            (
                "no time left",
                keys().refresh_every(seconds(301)).max_stale(seconds(600)),
                Some("half of max_stale"),
            ),
            (
                "half",
                keys().refresh_every(seconds(300)).max_stale(seconds(600)),
                None,
            ),
        ];
        for (name, keys, refused) in table {
            match (keys.schedule(), refused) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) => {
                    assert!(error.to_string().contains(part), "{name}: {error}");
                }
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }

    #[test]
    fn t6_an_address_that_keys_must_not_come_from_is_refused_before_anything_is_fetched() {
        let secret = "https://user:hunter2@h/keys?key=hunter2";
        let table: &[(&str, RemoteKeys, bool)] = &[
            ("https", RemoteKeys::jwks("https://h/keys"), true),
            ("issuer", RemoteKeys::discovery("https://h"), true),
            (
                "loopback",
                RemoteKeys::jwks("http://127.0.0.1:1/keys"),
                true,
            ),
            ("http", RemoteKeys::jwks("http://h/keys"), false),
            ("http issuer", RemoteKeys::discovery("http://h"), false),
            (
                "allowed http",
                RemoteKeys::jwks("http://h/keys").insecure_allow_http(),
                true,
            ),
            (
                "allowed http issuer",
                RemoteKeys::discovery("http://h").insecure_allow_http(),
                true,
            ),
            ("user", RemoteKeys::jwks(secret), false),
            (
                "user, insecure",
                RemoteKeys::jwks(secret).insecure_allow_http(),
                false,
            ),
            (
                "issuer with query",
                RemoteKeys::discovery("https://h?key=hunter2"),
                false,
            ),
        ];
        for (name, keys, allowed) in table {
            let place = keys.place();
            assert_eq!(place.is_ok(), *allowed, "{name}: {place:?}");
            if let Err(error) = place {
                assert!(
                    error.to_string().contains("https://login.example.com"),
                    "{error}"
                );
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
            assert!(!format!("{keys:?}").contains("hunter2"), "{keys:?}");
        }
    }
}
