//! Which origins may get the token: exact scheme, host and port (`I3`, `I4`).

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::authority::{default_port, is_loopback, split};
use crate::environment::Environment;
use crate::error::ConfigError;

/// Scheme, host and port of a server that may get the token.
///
/// ```
/// use tower_dapr_token::Origin;
///
/// let origin: Origin = "https://dapr.example.com".parse()?;
/// assert_eq!(origin.to_string(), "https://dapr.example.com:443");
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    transport: Transport,
    /// `http` to a host that is not this one, and the user says that it is meant.
    plaintext_allowed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Transport {
    Unix,
    Tcp {
        tls: bool,
        /// In lower case; IPv6 in brackets.
        host: String,
        port: u16,
    },
}

impl Origin {
    /// A Unix domain socket. It has no address that a request could name, so it is for
    /// [`for_fixed_origin`](crate::InjectTokenBuilder::for_fixed_origin).
    #[must_use]
    pub fn unix() -> Self {
        Self {
            transport: Transport::Unix,
            plaintext_allowed: false,
        }
    }

    /// Sends the token to this origin although the connection is plain `http` to another host, where
    /// anyone between can read it (`I4`).
    #[must_use]
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext_allowed = true;
        self
    }

    /// Whether the token would travel readably outside of this host.
    fn is_exposed(&self) -> bool {
        match &self.transport {
            Transport::Unix => false,
            Transport::Tcp { tls, host, .. } => {
                !tls && !self.plaintext_allowed && !is_loopback(host)
            }
        }
    }

    /// The forms of `DAPR_HTTP_ENDPOINT` and `DAPR_GRPC_ENDPOINT`.
    fn from_endpoint(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.starts_with("unix:") {
            return Ok(Self::unix());
        }
        match text.strip_prefix("dns:") {
            Some(address) => Self::from_dns(address),
            None => Self::from_url(text),
        }
    }

    /// `host[:port][?tls=true|false]`, as gRPC names a server; the port is 443 unless it is given.
    fn from_dns(address: &str) -> Result<Self, &'static str> {
        if address.starts_with("//") {
            return Err("names a DNS server, which is not supported");
        }
        let (address, tls) = match address.split_once('?') {
            None => (address, false),
            Some((address, "tls=true")) => (address, true),
            Some((address, "tls=false")) => (address, false),
            Some(_) => return Err("has a query other than `tls=true` or `tls=false`"),
        };
        let authority = Authority::from_str(address).map_err(|_| "is not `host:port`")?;
        Self::from_authority(tls, &authority, 443)
    }

    fn from_url(text: &str) -> Result<Self, &'static str> {
        let uri = Uri::from_str(text).map_err(|_| "is not a valid address")?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err("has no scheme that can carry a token"),
        };
        if uri.query().is_some() {
            return Err("has a query");
        }
        let authority = uri.authority().ok_or("has no host")?;
        Self::from_authority(tls, authority, default_port(tls))
    }

    fn from_authority(
        tls: bool,
        authority: &Authority,
        default_port: u16,
    ) -> Result<Self, &'static str> {
        if authority.as_str().contains('@') {
            return Err("has user information");
        }
        let (host, port) = split(authority).ok_or("has no valid host and port")?;
        if host.is_empty() {
            return Err("has no host");
        }
        Ok(Self {
            transport: Transport::Tcp {
                tls,
                host: host.to_ascii_lowercase(),
                port: port.unwrap_or(default_port),
            },
            plaintext_allowed: false,
        })
    }
}

/// `http://host[:port]` or `https://host[:port]`; a path is ignored.
impl FromStr for Origin {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_url(text.trim()).map_err(|reason| ConfigError::Origin {
            variable: None,
            reason,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transport {
            Transport::Unix => f.write_str("unix"),
            Transport::Tcp { tls, host, port } => {
                let scheme = if *tls { "https" } else { "http" };
                write!(f, "{scheme}://{host}:{port}")
            }
        }
    }
}

/// The origins that one layer sends its token to.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    listed: Vec<Origin>,
    loopback: Loopback,
    /// Where requests without an authority go.
    fixed: bool,
    /// `http` authorities that are allowed as they stand, so that the usual request is decided by
    /// comparing a few words. Only a shortcut: each would be allowed without it.
    usual: Vec<Short>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Loopback {
    #[default]
    None,
    Ports(Vec<u16>),
    Any,
}

impl Origins {
    pub(super) fn add(&mut self, origin: Origin) {
        self.listed.push(origin);
    }

    pub(super) fn set_fixed(&mut self, origin: Origin) {
        self.fixed = true;
        self.listed.push(origin);
    }

    pub(super) fn any_loopback_port(&mut self) {
        self.loopback = Loopback::Any;
    }

    /// Loopback on daprd's ports, and the Dapr endpoints of the environment (`I3`).
    pub(super) fn add_dapr(&mut self, environment: &dyn Environment) -> Result<(), ConfigError> {
        for variable in ["DAPR_HTTP_ENDPOINT", "DAPR_GRPC_ENDPOINT"] {
            let in_variable = |reason| ConfigError::Origin {
                variable: Some(variable.to_owned()),
                reason,
            };
            if let Some(endpoint) = text(environment, variable) {
                let endpoint = endpoint.map_err(|_| in_variable("is not UTF-8"))?;
                let origin = Origin::from_endpoint(&endpoint).map_err(in_variable)?;
                self.listed.push(origin);
            }
        }
        let mut ports = Vec::new();
        for (variable, default) in [("DAPR_HTTP_PORT", 3500), ("DAPR_GRPC_PORT", 50001)] {
            let port: Option<u16> = match text(environment, variable) {
                Some(port) => port.ok().and_then(|port| port.trim().parse().ok()),
                None => Some(default),
            };
            ports.push(
                port.filter(|port| *port != 0)
                    .ok_or_else(|| ConfigError::Port {
                        variable: variable.to_owned(),
                    })?,
            );
        }
        if self.loopback == Loopback::None {
            self.loopback = Loopback::Ports(ports);
        }
        Ok(())
    }

    /// Nothing but this origin, which must be an allowed one. A Unix socket is one by being named (`I3`, `I8`).
    pub(super) fn only(mut self, origin: Origin) -> Result<Self, ConfigError> {
        let allowed = match &origin.transport {
            Transport::Unix => true,
            Transport::Tcp { tls, host, port } => self.allow_address(*tls, host, *port),
        };
        if !allowed {
            return Err(ConfigError::OriginNotAllowed {
                origin: origin.to_string(),
            });
        }
        // Wherever it was listed, it may have been pardoned (`I4`).
        self.listed
            .retain(|listed| listed.transport == origin.transport);
        self.loopback = Loopback::None;
        self.set_fixed(origin);
        Ok(self)
    }

    /// Checks the whole and prepares the shortcut.
    pub(super) fn finish(mut self) -> Result<Self, ConfigError> {
        // An origin may be named twice, once by a variable and once with `allow_plaintext()`.
        let pardoned: Vec<Transport> = self
            .listed
            .iter()
            .filter(|origin| origin.plaintext_allowed)
            .map(|origin| origin.transport.clone())
            .collect();
        if let Some(exposed) = self
            .listed
            .iter()
            .find(|origin| origin.is_exposed() && !pardoned.contains(&origin.transport))
        {
            return Err(ConfigError::PlaintextOrigin {
                origin: exposed.to_string(),
            });
        }
        // A Unix socket has no address that a request could name: listed, it lets nothing have the token.
        let addressed = self
            .listed
            .iter()
            .any(|origin| origin.transport != Transport::Unix);
        if !addressed && !self.fixed && self.loopback == Loopback::None {
            return Err(ConfigError::NoOrigin);
        }
        if let Loopback::Ports(ports) = &self.loopback {
            for host in ["127.0.0.1", "localhost"] {
                self.usual.extend(
                    ports
                        .iter()
                        .filter_map(|port| Short::new(&format!("{host}:{port}"))),
                );
            }
        }
        for origin in &self.listed {
            if let Transport::Tcp {
                tls: false,
                host,
                port,
            } = &origin.transport
            {
                self.usual.extend(Short::new(&format!("{host}:{port}")));
            }
        }
        Ok(self)
    }

    /// Whether a request for this address may carry the token.
    pub(super) fn allow(&self, uri: &Uri) -> bool {
        match uri.authority() {
            None => self.fixed,
            Some(authority) => self.allow_usual(uri) || self.allow_unusual(uri.scheme(), authority),
        }
    }

    /// Whether the address is one of the usual ones, to the letter. If not, [`allow`](Self::allow) decides.
    #[inline]
    pub(super) fn allow_usual(&self, uri: &Uri) -> bool {
        let Some(asked) = uri
            .authority()
            .and_then(|authority| Short::ends_of(authority.as_str()))
        else {
            return false;
        };
        uri.scheme_str() == Some("http") && self.usual.contains(&asked)
    }

    fn allow_unusual(&self, scheme: Option<&Scheme>, authority: &Authority) -> bool {
        let tls = match scheme {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return false,
        };
        let Some((host, port)) = split(authority) else {
            return false;
        };
        self.allow_address(tls, host, port.unwrap_or(default_port(tls)))
    }

    fn allow_address(&self, tls: bool, host: &str, port: u16) -> bool {
        let on_loopback = match &self.loopback {
            Loopback::None => false,
            Loopback::Ports(ports) => ports.contains(&port) && is_loopback(host),
            Loopback::Any => is_loopback(host),
        };
        on_loopback || self.listed.iter().any(|origin| origin.is(tls, host, port))
    }
}

impl Origin {
    fn is(&self, tls: bool, host: &str, port: u16) -> bool {
        match &self.transport {
            Transport::Unix => false,
            Transport::Tcp {
                tls: own_tls,
                host: own_host,
                port: own_port,
            } => *own_tls == tls && *own_port == port && own_host.eq_ignore_ascii_case(host),
        }
    }
}

/// An authority of 8 to 16 bytes, as `127.0.0.1:3500` and its like are: its length, its first eight bytes
/// and its last eight, which overlap. Two are equal exactly when the texts are, at a third of what a call of
/// `memcmp` costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Short {
    len: usize,
    head: u64,
    tail: u64,
}

impl Short {
    fn new(text: &str) -> Option<Self> {
        Self::ends_of(text).filter(|short| short.len <= 16)
    }

    /// The same of a text of any length from 8 on: what is longer than 16 bytes equals no short one, because
    /// the lengths differ.
    #[inline]
    fn ends_of(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        Some(Self {
            len: text.len(),
            head: u64::from_ne_bytes(*text.first_chunk()?),
            tail: u64::from_ne_bytes(*text.last_chunk()?),
        })
    }
}

/// A variable as text, if it is one; blank is unset.
fn text(environment: &dyn Environment, variable: &str) -> Option<Result<String, OsString>> {
    let text = environment.var(variable)?.into_string();
    match &text {
        Ok(value) if value.trim().is_empty() => None,
        _ => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dapr(variables: &[(&str, &str)]) -> Result<Origins, ConfigError> {
        let environment = |asked: &str| {
            variables
                .iter()
                .find(|(name, _)| *name == asked)
                .map(|(_, value)| OsString::from(value))
        };
        let mut origins = Origins::default();
        origins.add_dapr(&environment)?;
        origins.finish()
    }

    fn listed(origin: Origin) -> Result<Origins, ConfigError> {
        let mut origins = Origins::default();
        origins.add(origin);
        origins.finish()
    }

    #[track_caller]
    fn check(origins: &Origins, table: &[(&str, bool)]) {
        for (uri, expected) in table {
            let parsed: Uri = uri.parse().unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!(origins.allow(&parsed), *expected, "{uri}");
        }
    }

    #[test]
    fn i3_the_shortcut_is_plain_equality() {
        let text = "127.0.0.1:50001.and-more";
        for len in 0..text.len() {
            let short = Short::new(&text[..len]);
            assert_eq!(short.is_some(), (8..=16).contains(&len), "{len}");
            let Some(short) = short else { continue };
            assert_ne!(Some(short), Short::new(&text[..=len]), "{len} and one more");
            for at in 0..len {
                let mut other = text[..len].to_owned();
                other.replace_range(at..=at, "x");
                assert_ne!(Some(short), Short::new(&other), "{len}, byte {at}");
            }
        }
    }

    #[test]
    fn i3_dapr_is_loopback_on_daprds_ports() {
        check(
            &dapr(&[]).expect("valid"),
            &[
                ("http://127.0.0.1:3500/v1.0/secrets/s/n", true),
                ("http://localhost:3500/", true),
                ("http://LOCALHOST:3500/", true),
                ("http://127.0.0.1:50001/", true),
                ("http://127.9.8.7:3500/", true),
                ("http://[::1]:3500/", true),
                ("http://[::ffff:127.0.0.1]:3500/", true),
                ("https://127.0.0.1:3500/", true),
                ("http://user:password@127.0.0.1:3500/", true),
                ("http://127.0.0.1:3501/", false),
                ("http://127.0.0.1/", false),
                ("http://localhost.evil.com:3500/", false),
                ("http://evil-localhost:3500/", false),
                ("http://localhost.:3500/", false),
                ("http://127.0.0.1.evil.com:3500/", false),
                ("http://127.1:3500/", false),
                ("http://2130706433:3500/", false),
                ("http://0.0.0.0:3500/", false),
                ("http://[::]:3500/", false),
                ("http://[::ffff:10.0.0.1]:3500/", false),
                ("http://10.0.0.1:3500/", false),
                ("http://evil.com:3500/", false),
                ("http://127.0.0.1:3500@evil.com/", false),
                ("http://127.0.0.1@evil.com:3500/", false),
                ("http://localhost:99999/", false),
                ("http://localhost:+3500/", false),
                ("http://localhost:03500/", false),
                ("ftp://127.0.0.1:3500/", false),
                ("127.0.0.1:3500", false),
                ("/v1.0/secrets/s/n", false),
                ("*", false),
            ],
        );
    }

    #[test]
    fn i3_the_environment_names_ports_and_endpoints() {
        let origins = dapr(&[
            ("DAPR_HTTP_PORT", "4500"),
            ("DAPR_GRPC_PORT", ""),
            ("DAPR_HTTP_ENDPOINT", "https://Dapr.Example.com/base"),
            ("DAPR_GRPC_ENDPOINT", "dns:grpc.example.com:8443?tls=true"),
        ])
        .expect("valid");
        check(
            &origins,
            &[
                ("http://127.0.0.1:4500/", true),
                ("http://127.0.0.1:50001/", true),
                ("http://127.0.0.1:3500/", false),
                ("https://dapr.example.com/", true),
                ("https://dapr.example.com:443/", true),
                ("https://DAPR.example.COM/x?y", true),
                ("http://dapr.example.com/", false),
                ("http://dapr.example.com:443/", false),
                ("https://dapr.example.com:8443/", false),
                ("https://x.dapr.example.com/", false),
                ("https://grpc.example.com:8443/", true),
                ("https://grpc.example.com/", false),
            ],
        );
        assert!(dapr(&[("DAPR_GRPC_ENDPOINT", "unix:///tmp/dapr.socket")]).is_ok());
        assert!(dapr(&[("DAPR_GRPC_ENDPOINT", "dns:127.0.0.1:5000")]).is_ok());
    }

    #[test]
    fn i3_i4_an_endpoint_that_is_none_is_an_error_that_names_its_variable() {
        let table = [
            ("DAPR_HTTP_ENDPOINT", "dapr.example.com:3500"),
            ("DAPR_HTTP_ENDPOINT", "ftp://dapr.example.com"),
            ("DAPR_HTTP_ENDPOINT", "https://"),
            ("DAPR_HTTP_ENDPOINT", "https://host:99999"),
            ("DAPR_HTTP_ENDPOINT", "https://host?x=y"),
            ("DAPR_HTTP_ENDPOINT", "https://user@host"),
            ("DAPR_GRPC_ENDPOINT", "dns:"),
            ("DAPR_GRPC_ENDPOINT", "dns://8.8.8.8/host:443"),
            ("DAPR_GRPC_ENDPOINT", "dns:host:443?tls=yes"),
            ("DAPR_GRPC_ENDPOINT", "ipv4:10.0.0.1:443"),
            ("DAPR_HTTP_PORT", "http"),
            ("DAPR_HTTP_PORT", "localhost:3500"),
            ("DAPR_HTTP_PORT", "-1"),
            ("DAPR_HTTP_PORT", "0"),
            ("DAPR_GRPC_PORT", "65536"),
        ];
        for (variable, value) in table {
            let error = dapr(&[(variable, value)]).expect_err(value);
            let is_port = matches!(error, ConfigError::Port { .. });
            assert_eq!(is_port, variable.ends_with("_PORT"), "{value}: {error}");
            assert!(error.to_string().contains(variable), "{value}: {error}");
        }
        #[cfg(unix)]
        for variable in [
            "DAPR_HTTP_ENDPOINT",
            "DAPR_GRPC_ENDPOINT",
            "DAPR_HTTP_PORT",
            "DAPR_GRPC_PORT",
        ] {
            use std::os::unix::ffi::OsStringExt;

            let not_utf8 =
                |name: &str| (name == variable).then(|| OsString::from_vec(b"3500\xff".to_vec()));
            let error = Origins::default()
                .add_dapr(&not_utf8)
                .expect_err(variable)
                .to_string();
            assert!(error.contains(variable), "{error}");
        }
    }

    #[test]
    fn i4_plain_http_leaves_this_host_only_where_it_is_allowed_by_name() {
        let remote: Origin = "http://dapr.example.com:3500".parse().expect("valid");
        assert_eq!(
            listed(remote.clone()).map(|_| ()),
            Err(ConfigError::PlaintextOrigin {
                origin: "http://dapr.example.com:3500".to_owned(),
            })
        );
        check(
            &listed(remote.clone().allow_plaintext()).expect("allowed"),
            &[
                ("http://dapr.example.com:3500/", true),
                ("https://dapr.example.com:3500/", false),
                ("http://dapr.example.com/", false),
            ],
        );
        let in_variable = [("DAPR_HTTP_ENDPOINT", "http://dapr.example.com:3500")];
        assert!(dapr(&in_variable).is_err());
        let mut both = Origins::default();
        both.add(remote.allow_plaintext());
        both.add_dapr(&|name: &str| {
            (name == in_variable[0].0).then(|| OsString::from(in_variable[0].1))
        })
        .expect("valid");
        assert!(both.finish().is_ok(), "the same origin, allowed by name");
        for loopback in ["http://127.0.0.1:80", "http://localhost", "http://[::1]:9"] {
            assert!(
                listed(loopback.parse().expect("valid")).is_ok(),
                "{loopback}"
            );
        }
        assert_eq!(
            listed(Origin::unix()).map(|_| ()),
            Err(ConfigError::NoOrigin),
            "a socket has no address: for_fixed_origin() is what it needs"
        );
    }

    #[test]
    fn i3_i5_requests_without_an_authority_belong_to_the_fixed_origin_if_there_is_one() {
        let mut origins = Origins::default();
        origins.set_fixed(Origin::unix());
        check(
            &origins.finish().expect("valid"),
            &[
                ("/dapr.proto.runtime.v1.Dapr/GetSecret", true),
                (
                    "http://evil.com/dapr.proto.runtime.v1.Dapr/GetSecret",
                    false,
                ),
                ("http://localhost/", false),
            ],
        );
    }

    #[test]
    fn i3_any_loopback_port_is_loopback_still() {
        let mut origins = Origins::default();
        origins.any_loopback_port();
        check(
            &origins.finish().expect("valid"),
            &[
                ("http://127.0.0.1:1/", true),
                ("https://localhost:65535/", true),
                ("http://localhost.evil.com:1/", false),
                ("http://10.0.0.1:1/", false),
            ],
        );
        assert!(matches!(
            Origins::default().finish(),
            Err(ConfigError::NoOrigin)
        ));
    }
}
