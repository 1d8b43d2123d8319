//! `OpenID` Connect discovery: from an issuer to the address of its keys (`T6`).

use std::fmt;

use serde_core::Deserialize;
use serde_core::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::error::JwksErrorKind;
use super::url::{KeyUrl, Plaintext};

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// One issuer, and where its document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Discovery {
    /// As it was configured, to the letter.
    issuer: String,
    url: KeyUrl,
    plaintext: Plaintext,
}

impl Discovery {
    /// Where `OpenID` Connect Discovery 1.0, section 4, puts the document of this issuer.
    pub(super) fn new(issuer: &str, plaintext: Plaintext) -> Result<Self, &'static str> {
        if KeyUrl::parse(issuer, plaintext)?.has_query() {
            return Err("has a query, which no issuer has");
        }
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        Ok(Self {
            issuer: issuer.to_owned(),
            url: KeyUrl::parse(&format!("{base}{WELL_KNOWN}"), plaintext)?,
            plaintext,
        })
    }

    /// Where the document is.
    pub(super) fn url(&self) -> &KeyUrl {
        &self.url
    }

    /// The address of the keys that the document names, if it is a document of this issuer.
    pub(super) fn read(&self, document: &[u8]) -> Result<KeyUrl, JwksErrorKind> {
        let metadata: Metadata =
            serde_json::from_slice(document).map_err(|_| JwksErrorKind::NotADiscoveryDocument)?;
        if metadata.issuer != self.issuer {
            return Err(JwksErrorKind::OtherIssuer);
        }
        let plaintext = match self.plaintext {
            Plaintext::Loopback if self.url.is_https() => Plaintext::Never,
            other => other,
        };
        KeyUrl::parse(&metadata.jwks_uri, plaintext).map_err(JwksErrorKind::KeySetUrl)
    }
}

/// What is read of a discovery document.
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a discovery document")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let (mut issuer, mut jwks_uri) = (None, None);
                while let Some(name) = map.next_key::<String>()? {
                    let member = match name.as_str() {
                        "issuer" => &mut issuer,
                        "jwks_uri" => &mut jwks_uri,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    // The second of two would be read by others as the first.
                    if member.replace(map.next_value::<String>()?).is_some() {
                        return Err(Error::custom("a member stands twice"));
                    }
                }
                Ok(Metadata {
                    issuer: issuer.ok_or_else(|| Error::missing_field("issuer"))?,
                    jwks_uri: jwks_uri.ok_or_else(|| Error::missing_field("jwks_uri"))?,
                })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(issuer: &str, plaintext: Plaintext) -> Discovery {
        Discovery::new(issuer, plaintext).expect("valid")
    }

    #[test]
    fn t6_the_document_of_an_issuer_is_where_the_standard_puts_it() {
        let table: &[(&str, Result<&str, &str>)] = &[
            ("https://h", Ok("/.well-known/openid-configuration")),
            ("https://h/", Ok("/.well-known/openid-configuration")),
            (
                "https://h/tenant",
                Ok("/tenant/.well-known/openid-configuration"),
            ),
            (
                "https://h/tenant/",
                Ok("/tenant/.well-known/openid-configuration"),
            ),
            (
                "https://h/tenant//",
                Ok("/tenant//.well-known/openid-configuration"),
            ),
            (
                "http://localhost:8080",
                Ok("/.well-known/openid-configuration"),
            ),
            ("https://h/?a=b", Err("query")),
            ("https://h/?", Err("query")),
            ("https://h/#a", Err("fragment")),
            ("https://u:p@h", Err("user information")),
            ("http://h", Err("plain `http`")),
            ("h", Err("https://")),
        ];
        for (issuer, expected) in table {
            match (Discovery::new(issuer, Plaintext::Loopback), expected) {
                (Ok(found), Ok(target)) => {
                    assert_eq!(found.url().target().as_str(), *target, "{issuer}");
                }
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{issuer}: {reason}"),
                (result, _) => panic!("{issuer}: {result:?}"),
            }
        }
    }

    #[test]
    fn t6_a_discovery_document_is_that_of_the_issuer_to_the_letter_or_refused() {
        use JwksErrorKind::{KeySetUrl, NotADiscoveryDocument, OtherIssuer};

        let deep = format!(
            r#"{{"issuer":"https://h","jwks_uri":"https://h/k","x":{}1{}}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        let table: &[(&str, &str, Result<&str, JwksErrorKind>)] = &[
            (
                "good",
                r#"{"issuer":"https://h","jwks_uri":"https://h/k"}"#,
                Ok("https://h/k"),
            ),
            (
                "other host",
                r#"{"jwks_uri":"https://keys.h:8443/k","issuer":"https://h"}"#,
                Ok("https://keys.h:8443/k"),
            ),
            (
                "more members",
                r#"{"x":[{"issuer":1}],"issuer":"https://h","jwks_uri":"https://h/k","y":null}"#,
                Ok("https://h/k"),
            ),
            (
                "escaped",
                r#"{"issuer":"https:\/\/h","jwks_uri":"https:\/\/h\/k"}"#,
                Ok("https://h/k"),
            ),
            (
                "other issuer",
                r#"{"issuer":"https://evil","jwks_uri":"https://h/k"}"#,
                Err(OtherIssuer),
            ),
            (
                "slash",
                r#"{"issuer":"https://h/","jwks_uri":"https://h/k"}"#,
                Err(OtherIssuer),
            ),
            (
                "upper case",
                r#"{"issuer":"https://H","jwks_uri":"https://h/k"}"#,
                Err(OtherIssuer),
            ),
            (
                "port",
                r#"{"issuer":"https://h:443","jwks_uri":"https://h/k"}"#,
                Err(OtherIssuer),
            ),
            (
                "no issuer",
                r#"{"jwks_uri":"https://h/k"}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "no address",
                r#"{"issuer":"https://h"}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "issuer twice",
                r#"{"issuer":"https://evil","issuer":"https://h","jwks_uri":"https://h/k"}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "address twice",
                r#"{"issuer":"https://h","jwks_uri":"https://h/k","jwks_uri":"https://h/k"}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "issuers",
                r#"{"issuer":["https://h"],"jwks_uri":"https://h/k"}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "null",
                r#"{"issuer":"https://h","jwks_uri":null}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "more behind",
                r#"{"issuer":"https://h","jwks_uri":"https://h/k"} {}"#,
                Err(NotADiscoveryDocument),
            ),
            (
                "array",
                r#"["https://h","https://h/k"]"#,
                Err(NotADiscoveryDocument),
            ),
            ("HTML", "<html></html>", Err(NotADiscoveryDocument)),
            ("empty", "", Err(NotADiscoveryDocument)),
            (
                "deep, which is skipped without recursion",
                &deep,
                Ok("https://h/k"),
            ),
            (
                "http",
                r#"{"issuer":"https://h","jwks_uri":"http://h/k"}"#,
                Err(KeySetUrl("plain `http`")),
            ),
            (
                "http loopback",
                r#"{"issuer":"https://h","jwks_uri":"http://127.0.0.1/k"}"#,
                Err(KeySetUrl("plain `http`")),
            ),
            (
                "user",
                r#"{"issuer":"https://h","jwks_uri":"https://u:p@h/k"}"#,
                Err(KeySetUrl("user information")),
            ),
            (
                "file",
                r#"{"issuer":"https://h","jwks_uri":"/etc/keys"}"#,
                Err(KeySetUrl("https://")),
            ),
        ];
        let discovery = discovery("https://h", Plaintext::Loopback);
        for (name, document, expected) in table {
            match (discovery.read(document.as_bytes()), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.uri(), expected, "{name}"),
                (Err(KeySetUrl(reason)), Err(KeySetUrl(part))) => {
                    assert!(reason.contains(part), "{name}: {reason}");
                }
                (Err(kind), Err(expected)) => assert_eq!(kind, *expected, "{name}"),
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }

    #[test]
    fn t6_plain_http_is_left_where_it_was_begun_or_allowed() {
        let document =
            |issuer: &str, url: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{url}"}}"#);
        let table: &[(&str, &str, &str, Plaintext, bool)] = &[
            (
                "loopback to loopback",
                "http://localhost:1",
                "http://127.0.0.1/k",
                Plaintext::Loopback,
                true,
            ),
            (
                "loopback to https",
                "http://localhost:1",
                "https://h/k",
                Plaintext::Loopback,
                true,
            ),
            (
                "loopback to elsewhere",
                "http://localhost:1",
                "http://h/k",
                Plaintext::Loopback,
                false,
            ),
            (
                "https to loopback",
                "https://h",
                "http://localhost/k",
                Plaintext::Loopback,
                false,
            ),
            (
                "https to http, insecure",
                "https://h",
                "http://h/k",
                Plaintext::Anywhere,
                true,
            ),
            (
                "http to http, insecure",
                "http://h",
                "http://h/k",
                Plaintext::Anywhere,
                true,
            ),
        ];
        for (name, issuer, url, plaintext, allowed) in table {
            let read = discovery(issuer, *plaintext).read(document(issuer, url).as_bytes());
            assert_eq!(read.is_ok(), *allowed, "{name}: {read:?}");
        }
    }
}
