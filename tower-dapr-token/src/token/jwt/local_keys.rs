//! [`JwtKeys`]: keys of local configuration.

use std::fmt;

use super::error::JwtConfigError;
use super::header::Kid;
use super::jwk::{self, MAX_KEYS, Origin};
use super::key::{KeySpec, Material, UnusableKey};
use super::pem;
use crate::error::ConfigError;

/// The keys that an issuer signs its tokens with, as far as verifying needs them.
///
/// ```
/// use tower_dapr_token::JwtKeys;
///
/// let new = JwtKeys::key_set(
///     r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026-11",
///         "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
/// )?;
/// let old = JwtKeys::pem(
///     "-----BEGIN PUBLIC KEY-----\n\
///      MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
///      -----END PUBLIC KEY-----\n",
/// )?
/// .with_kid("2026-10")?;
/// let keys = new.and(old)?;
/// assert_eq!(keys.len(), 2);
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct JwtKeys {
    specs: Vec<KeySpec>,
    skipped: usize,
}

impl JwtKeys {
    /// One public key: RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519, as SubjectPublicKeyInfo
    /// (`-----BEGIN PUBLIC KEY-----`) or as PKCS#1 (`RSA PUBLIC KEY`), in PEM or DER. A certificate is refused, because
    /// its dates and signature would not be looked at: take the key out of it.
    ///
    /// Without [`with_kid`](Self::with_kid) the key stands for every name that a token may give its key.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Jwt`] if it is anything else, as a private key is.
    pub fn pem(key: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        pem::parse(key.as_ref()).map(Self::one).map_err(unusable)
    }

    /// A shared secret: at least 32 random bytes for HS256, 48 for HS384, 64 for HS512, at most 1024. Everybody who
    /// verifies with it can sign with it too, so the rules must name these algorithms.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Jwt`] if it is shorter or longer, or if it is a key or certificate in PEM: a public key taken for
    /// a secret lets everybody forge tokens.
    pub fn secret(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        Material::secret(secret.as_ref())
            .map(Self::one)
            .map_err(unusable)
    }

    /// The keys of a JSON key set (RFC 7517). Those that cannot be used are left out, as long as one
    /// can. Shared secrets (`oct`) may be among them.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Jwt`] if it is longer than 256 KiB, no key set, of more than 64 keys, or without a usable one.
    pub fn key_set(json: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let (specs, skipped) =
            jwk::parse(json.as_ref(), Origin::Local).map_err(|error| JwtConfigError::KeySet {
                reason: error.as_str(),
            })?;
        if specs.is_empty() {
            let reason = skipped
                .reasons()
                .first()
                .map_or("holds no key", |reason| reason.as_str());
            return Err(JwtConfigError::Key { reason }.into());
        }
        Ok(Self {
            specs,
            skipped: skipped.total(),
        })
    }

    /// Names the one key: it then verifies the tokens that give this name as `kid`, and those that give none.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Jwt`] if there are several keys, or if the name is not 1 to 256 printable ASCII characters.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, ConfigError> {
        let [key] = self.specs.as_mut_slice() else {
            return Err(JwtConfigError::Key {
                reason: "cannot be named among several: name each before and(..)",
            }
            .into());
        };
        let kid = Some(kid).filter(|kid| !kid.is_empty()).and_then(Kid::new);
        key.kid = Some(kid.ok_or_else(|| unusable(UnusableKey::Kid))?);
        Ok(self)
    }

    /// These keys and those.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Jwt`] if they are more than 64.
    pub fn and(mut self, other: Self) -> Result<Self, ConfigError> {
        self.specs.extend(other.specs);
        self.skipped += other.skipped;
        if self.specs.len() > MAX_KEYS {
            return Err(JwtConfigError::KeySet {
                reason: "holds more than 64 keys, with those added",
            }
            .into());
        }
        Ok(self)
    }

    /// How many keys there are.
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// How many keys of the sets were left out.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    pub(super) fn specs(&self) -> &[KeySpec] {
        &self.specs
    }

    fn one(material: Material) -> Self {
        Self {
            specs: vec![KeySpec::by_itself(material)],
            skipped: 0,
        }
    }
}

pub(super) fn unusable(reason: UnusableKey) -> ConfigError {
    JwtConfigError::Key {
        reason: reason.as_str(),
    }
    .into()
}

impl fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKeys")
            .field("keys", &self.specs.len())
            .field("skipped", &self.skipped)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{OTHER_P256, P256};
    use super::*;

    fn reason(result: Result<JwtKeys, ConfigError>) -> String {
        result.expect_err("refused").to_string()
    }

    fn secrets(from: u8, to: u8) -> JwtKeys {
        let secret = |byte| JwtKeys::secret([byte; 32]).expect("long enough");
        (from + 1..to).fold(secret(from), |all, byte| {
            all.and(secret(byte)).expect("few")
        })
    }

    #[test]
    fn t2_a_set_that_grows_above_64_keys_is_an_error() {
        let full = secrets(0, 64);
        assert_eq!(full.len(), 64);
        let one = || P256.keys();
        for (name, more) in [
            ("one more", full.clone().and(one())),
            ("one before", one().and(full.clone())),
            ("twice as many", full.clone().and(secrets(64, 128))),
        ] {
            assert!(reason(more).contains("more than 64 keys"), "{name}");
        }
        assert_eq!(secrets(0, 63).and(one()).map(|keys| keys.len()), Ok(64));
    }

    #[test]
    fn t3_a_key_is_named_alone_and_with_1_to_256_printable_ascii_characters() {
        let (longest, too_long) = ("k".repeat(256), "k".repeat(257));
        for name in ["a", " ", "~", "a b", "../../dev/null", &longest] {
            assert!(P256.keys().with_kid(name).is_ok(), "{name:?}");
        }
        for name in ["", "\0", "a\n", "\t", "\u{7f}", "ä", "\u{202e}a", &too_long] {
            let reason = reason(P256.keys().with_kid(name));
            assert!(reason.contains("1 to 256 printable ASCII"), "{name:?}");
            assert!(name.is_empty() || !reason.contains(name), "{name:?}");
        }
        let two = P256.keys().and(OTHER_P256.keys()).expect("few");
        assert!(reason(two.with_kid("a")).contains("name each before and(..)"));
    }

    #[test]
    fn t2_a_secret_is_never_a_text_that_others_have() {
        for text in [
            P256.public.to_owned(),
            format!("\n {}", P256.public),
            P256.public.replace("PUBLIC KEY", "CERTIFICATE"),
        ] {
            let reason = reason(JwtKeys::secret(text));
            assert!(reason.contains("is a key in PEM"), "{reason}");
        }
    }
}
