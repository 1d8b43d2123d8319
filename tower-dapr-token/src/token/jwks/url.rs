//! [`KeyUrl`]: an address that keys may be fetched from (`T6`).

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use crate::authority::{default_port, is_loopback, split};

/// No address of a key set in use comes near, and a discovery document can hold no longer one.
pub(super) const MAX_URL_LEN: usize = 2048;

/// Where plain `http` may lead to. Anyone between could replace the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plaintext {
    /// Nowhere: something that came over `https` does not lead away from it.
    Never,
    /// To this machine.
    Loopback,
    /// Anywhere, because the user says so.
    Anywhere,
}

/// An address that was checked. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyUrl {
    uri: Uri,
    host: HeaderValue,
    target: PathAndQuery,
}

impl KeyUrl {
    /// Checks an address. The reason that it gives stands behind "it".
    pub(super) fn parse(text: &str, plaintext: Plaintext) -> Result<Self, &'static str> {
        if text.len() > MAX_URL_LEN {
            return Err("is longer than 2048 bytes");
        }
        // What RFC 3986 leaves out. A fragment is never sent, so that it would be lost without a word.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !br##"#\"<>^`{|}"##.contains(&byte);
        if !text.bytes().all(is_plain) {
            return Err("has a character that addresses cannot have, or a fragment");
        }
        let uri: Uri = text.parse().map_err(|_| "is not a valid address")?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err("does not begin with `https://`"),
        };
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("has user information");
        }
        let (host, port) = split(authority).ok_or("has no valid host and port")?;
        if host.is_empty() {
            return Err("has no host");
        }
        let allowed = tls
            || match plaintext {
                Plaintext::Never => false,
                Plaintext::Loopback => is_loopback(host),
                Plaintext::Anywhere => true,
            };
        if !allowed {
            return Err(
                "is plain `http` to another machine, where anyone between can replace the keys",
            );
        }
        let origin_port = port.filter(|port| *port != default_port(tls));
        let host = match origin_port {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let target = match uri.query() {
            Some(query) => format!("{}?{query}", uri.path()),
            None => uri.path().to_owned(),
        };
        Ok(Self {
            host: host.parse().map_err(|_| "has no valid host and port")?,
            target: target.parse().map_err(|_| "is not a valid address")?,
            uri,
        })
    }

    /// The whole of it, to connect to.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The value of the header `host`.
    pub(super) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// What the request line names.
    pub(super) fn target(&self) -> &PathAndQuery {
        &self.target
    }

    /// Scheme, host and port: what may be printed.
    pub(super) fn origin(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        format!("{scheme}://{}", self.host.to_str().unwrap_or_default())
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    pub(super) fn has_query(&self) -> bool {
        self.uri.query().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t6_keys_come_over_https_or_from_this_machine() {
        use Plaintext::{Anywhere, Loopback, Never};

        let long = format!("https://h/{}", "k".repeat(MAX_URL_LEN - 10));
        let too_long = format!("{long}k");
        let table: &[(&str, &str, Plaintext, Option<&str>)] = &[
            ("https", "https://h/keys", Loopback, None),
            ("https only", "https://h/keys", Never, None),
            ("port and query", "https://h:8443/keys?p=b2c", Never, None),
            ("no path", "https://h", Never, None),
            ("IPv6", "https://[2001:db8::1]/keys", Never, None),
            ("longest", &long, Never, None),
            (
                "loopback name",
                "http://localhost:8080/keys",
                Loopback,
                None,
            ),
            (
                "loopback address",
                "http://127.0.0.1:8080/keys",
                Loopback,
                None,
            ),
            ("loopback IPv6", "http://[::1]:8080/keys", Loopback, None),
            ("http, insecure", "http://h/keys", Anywhere, None),
            ("http", "http://h/keys", Loopback, Some("plain `http`")),
            (
                "http loopback from https",
                "http://127.0.0.1/keys",
                Never,
                Some("plain `http`"),
            ),
            (
                "not quite loopback",
                "http://localhost.h/keys",
                Loopback,
                Some("plain `http`"),
            ),
            (
                "loopback as user",
                "http://localhost@h/keys",
                Loopback,
                Some("user information"),
            ),
            ("user", "https://u@h/keys", Never, Some("user information")),
            (
                "user and password",
                "https://u:p@h/keys",
                Never,
                Some("user information"),
            ),
            (
                "empty user",
                "https://@h/keys",
                Never,
                Some("user information"),
            ),
            ("too long", &too_long, Never, Some("longer than")),
            ("fragment", "https://h/keys#a", Never, Some("fragment")),
            (
                "backslash",
                "https://h\\@evil/keys",
                Never,
                Some("character"),
            ),
            ("space", "https://h/ke ys", Never, Some("character")),
            ("leading space", " https://h/keys", Never, Some("character")),
            (
                "line break",
                "https://h/keys\r\nx: y",
                Never,
                Some("character"),
            ),
            (
                "not ASCII",
                "https://h\u{e9}/keys",
                Never,
                Some("character"),
            ),
            ("no scheme", "h/keys", Never, Some("valid")),
            ("path alone", "/keys", Never, Some("https://")),
            ("other scheme", "file:///etc/keys", Never, Some("valid")),
            ("ftp", "ftp://h/keys", Never, Some("https://")),
            ("no host", "https:///keys", Never, Some("valid")),
            ("port alone", "https://:443/keys", Never, Some("host")),
            ("port 0", "https://h:0/keys", Never, Some("host and port")),
            (
                "port too large",
                "https://h:65536/keys",
                Never,
                Some("host and port"),
            ),
            ("port with sign", "https://h:+80/keys", Never, Some("valid")),
            ("empty", "", Never, Some("valid")),
        ];
        for (name, text, plaintext, refused) in table {
            match (KeyUrl::parse(text, *plaintext), refused) {
                (Ok(_), None) => {}
                (Err(reason), Some(part)) => assert!(reason.contains(part), "{name}: {reason}"),
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }

    #[test]
    fn o4_of_an_address_the_origin_alone_is_printed() {
        let table: &[(&str, &str, &str, &str)] = &[
            (
                "https://h/a/b?key=secret",
                "https://h",
                "h",
                "/a/b?key=secret",
            ),
            ("https://h:443", "https://h", "h", "/"),
            ("https://H:8443?x", "https://H:8443", "H:8443", "/?x"),
            ("http://[::1]:80/k", "http://[::1]", "[::1]", "/k"),
            ("http://[::1]:81/k", "http://[::1]:81", "[::1]:81", "/k"),
        ];
        for (text, origin, host, target) in table {
            let url = KeyUrl::parse(text, Plaintext::Loopback).expect("valid");
            assert_eq!(url.origin(), *origin, "{text}");
            assert_eq!(url.host(), host, "{text}");
            assert_eq!(url.target().as_str(), *target, "{text}");
        }
    }
}
