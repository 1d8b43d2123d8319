//! [`JwtSigner`]: mints JWTs with a private key at hand.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::algorithm::Algorithm;
use super::super::backend::Backend;
use super::super::header::Kid;
use super::minted::MintedToken;
use super::private_key::{Kind, PrivateKey};
use super::source::{JwtSource, Renewal};
use crate::error::ConfigError;
use crate::token::SourceError;

const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// A shorter life ends on the way, or by the difference of two clocks.
const LEAST_LIFETIME: Duration = Duration::from_secs(30);
const GREATEST_LIFETIME: Duration = Duration::from_secs(3600);
/// Later times are not exact in every JSON parser (`T4`).
const END_OF_TIME: u64 = 1 << 53;
const MAX_TYPE_LEN: usize = 64;

/// Mints JWTs with a local private key (`I9`).
///
/// The claims are `iss`, `aud`, `sub`, `iat` and `exp`; the header has `alg`, `typ` and, if one is given, `kid`. There
/// is no `jti`: a token is sent with many requests, so a server that takes each one once would refuse it.
///
/// ```
/// use std::time::Duration;
/// use tower_dapr_token::{InjectTokenLayer, JwtSigner};
///
/// # const KEY: &str = concat!("-----BEGIN ", "PRIVATE KEY-----\n",
/// #     "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n", "-----END ", "PRIVATE KEY-----\n");
/// let signer = JwtSigner::builder()
///     .pem(KEY) // in an app of yours: `std::fs::read(path)?`
///     .key_id("2026-11")
///     .issuer("https://issuer.example")
///     .audience("orders")
///     .subject("shop")
///     .lifetime(Duration::from_secs(120))
///     .build()?;
///
/// // A token is minted now, and another one when two thirds of its life are over.
/// let layer = InjectTokenLayer::builder()
///     .jwt(signer)
///     .add_origin("https://orders.example".parse()?)
///     .build()?;
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub struct JwtSigner {
    backend: Backend,
    algorithm: Algorithm,
    /// Wipes itself. The library's own form of it cannot be shared by threads, so it is made for each token.
    pub(super) key: EncodingKey,
    /// The header, encoded, and a dot.
    header: String,
    /// The claims that stay the same, and the comma after them.
    claims: String,
    lifetime: u64,
}

impl JwtSigner {
    /// Begins with nothing: a key, an issuer and an audience must be named.
    pub fn builder() -> JwtSignerBuilder {
        JwtSignerBuilder::default()
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn sign(&self, message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let factory = self.backend.provider().signer_factory;
        let signer = factory(&self.algorithm.foreign(), &self.key).ok()?;
        signer.try_sign(message).ok().map(Zeroizing::new)
    }

    fn mint(&self, now: Duration) -> Result<MintedToken, SourceError> {
        let issued_at = now.as_secs();
        let expires_at = issued_at
            .checked_add(self.lifetime)
            .filter(|expires_at| *expires_at < END_OF_TIME)
            .ok_or_else(|| SourceError::other("has a clock that shows no possible time"))?;
        let claims = format!(r#"{}"iat":{issued_at},"exp":{expires_at}}}"#, self.claims);
        let mut token = self.header.clone();
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self
            .sign(token.as_bytes())
            .ok_or_else(|| SourceError::other("cannot sign with its key"))?;
        // Room for all of it from the start: only the signature makes it a secret.
        let mut text = String::with_capacity(token.len() + 4 + signature.len() * 2);
        text.push_str(&token);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&*signature, &mut text);
        MintedToken::signed(Zeroizing::new(text.into_bytes()), expires_at)
    }
}

impl JwtSource for JwtSigner {
    fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError> {
        self.mint(now)
    }

    fn renewal(&self) -> Renewal {
        Renewal::Minted
    }
}

impl fmt::Debug for JwtSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSigner")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Builds a [`JwtSigner`]. The first mistake is returned by [`build()`](Self::build).
#[derive(Default)]
#[must_use = "a builder does nothing until `build()`"]
pub struct JwtSignerBuilder {
    backend: Backend,
    key: Option<Result<PrivateKey, &'static str>>,
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
    token_type: Option<String>,
    issuer: Option<String>,
    audiences: Vec<String>,
    subject: Option<String>,
    lifetime: Option<Duration>,
}

impl JwtSignerBuilder {
    /// Signs with this key in PEM: RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519, as PKCS#8
    /// (`-----BEGIN PRIVATE KEY-----`), SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), not encrypted. The
    /// copy that is kept is wiped with the signer; yours is yours to wipe.
    ///
    /// RSA needs the backend aws-lc-rs: signing with RustCrypto takes a time that tells of the key
    /// (RUSTSEC-2023-0071).
    pub fn pem(mut self, key: impl AsRef<[u8]>) -> Self {
        self.key = Some(PrivateKey::from_pem(key.as_ref()));
        self
    }

    /// The key's name, the header's `kid`: 1 to 256 printable ASCII characters. Without it there is none, which
    /// servers with several keys refuse.
    pub fn key_id(mut self, kid: impl Into<String>) -> Self {
        self.key_id = Some(kid.into());
        self
    }

    /// Signs with this algorithm instead of the usual one of the key: RS256, ES256, ES384 or EdDSA.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The header's `typ` instead of `JWT`: at most 64 visible ASCII characters.
    pub fn token_type(mut self, typ: impl Into<String>) -> Self {
        self.token_type = Some(typ.into());
        self
    }

    /// Who says so, `iss`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Whom the tokens are for, `aud`. A further call adds one; they are then sent as an array. A token for several
    /// servers lets each of them call the others with it.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Whom the tokens are about, `sub`. Without it that is the issuer, who then speaks for itself (RFC 7523
    /// section 3).
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// How long a token lives, instead of 5 min: 30 s to 1 h, in whole seconds.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Which library signs.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Checks everything, and signs once, so that a key that cannot is found now.
    ///
    /// # Errors
    ///
    /// [`ConfigError::JwtSigner`] for the first setting that is wrong or missing.
    pub fn build(self) -> Result<JwtSigner, ConfigError> {
        let key = self
            .key
            .ok_or_else(|| wrong("pem", "is missing: give the private key"))?;
        let key = key.map_err(|reason| wrong("pem", reason))?;
        check_backend(self.backend, key.kind)?;
        let algorithms = key.kind.algorithms();
        let usual = algorithms.first().copied();
        let algorithm = self
            .algorithm
            .or(usual)
            .filter(|algorithm| algorithms.contains(algorithm))
            .ok_or_else(|| {
                wrong(
                    "algorithm",
                    "does not go with the type of the key: leave it out",
                )
            })?;
        let lifetime = self.lifetime.unwrap_or(DEFAULT_LIFETIME);
        if !(LEAST_LIFETIME..=GREATEST_LIFETIME).contains(&lifetime) {
            return Err(wrong("lifetime", "is not between 30 s and 1 h"));
        }
        let header = header(algorithm, self.token_type, self.key_id)?;
        let signer = JwtSigner {
            backend: self.backend,
            algorithm,
            key: key.encoding,
            header,
            claims: claims(self.issuer, self.audiences, self.subject)?,
            lifetime: lifetime.as_secs(),
        };
        // The greatest possible time makes the longest token.
        let last = Duration::from_secs(END_OF_TIME - GREATEST_LIFETIME.as_secs() - 1);
        signer.mint(last).map_err(|error| match error.kind() {
            crate::token::SourceErrorKind::JwtTooLong => wrong(
                "issuer, audience or subject",
                "makes tokens longer than 8 KiB",
            ),
            _ => wrong(
                "pem",
                "is a key that the cryptography library cannot sign with",
            ),
        })?;
        Ok(signer)
    }
}

/// Signing with RSA takes RustCrypto a time that depends on the key (`T13`).
fn check_backend(backend: Backend, kind: Kind) -> Result<(), ConfigError> {
    match (backend, kind) {
        #[cfg(feature = "jwt-rust-crypto")]
        (Backend::RustCrypto, Kind::Rsa) => Err(wrong(
            "pem",
            "is an RSA key, which RustCrypto signs with in a time that tells of the key (RUSTSEC-2023-0071): use \
             the feature `jwt`, or a P-256, P-384 or Ed25519 key",
        )),
        _ => Ok(()),
    }
}

fn header(
    algorithm: Algorithm,
    typ: Option<String>,
    kid: Option<String>,
) -> Result<String, ConfigError> {
    let typ = typ.unwrap_or_else(|| "JWT".to_owned());
    if typ.is_empty() || typ.len() > MAX_TYPE_LEN || !typ.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(wrong(
            "token_type",
            "is not 1 to 64 visible ASCII characters",
        ));
    }
    let mut json = format!(r#"{{"alg":"{algorithm}","typ":{}"#, Value::from(typ));
    if let Some(kid) = kid {
        if kid.is_empty() || Kid::new(&kid).is_none() {
            return Err(wrong(
                "key_id",
                "is not 1 to 256 printable ASCII characters",
            ));
        }
        json += &format!(r#","kid":{}"#, Value::from(kid));
    }
    json.push('}');
    let mut header = URL_SAFE_NO_PAD.encode(json);
    header.push('.');
    Ok(header)
}

fn claims(
    issuer: Option<String>,
    audiences: Vec<String>,
    subject: Option<String>,
) -> Result<String, ConfigError> {
    let issuer = issuer.ok_or_else(|| wrong("issuer", "is missing: name who signs"))?;
    if issuer.is_empty() {
        return Err(wrong("issuer", "is empty: name who signs"));
    }
    if audiences.iter().any(String::is_empty) {
        return Err(wrong("audience", "is empty: name whom the tokens are for"));
    }
    let audience = match <[String; 1]>::try_from(audiences) {
        Ok([audience]) => Value::from(audience),
        Err(audiences) if audiences.is_empty() => {
            return Err(wrong(
                "audience",
                "is missing: name whom the tokens are for",
            ));
        }
        Err(audiences) => Value::from(audiences),
    };
    let subject = subject.unwrap_or_else(|| issuer.clone());
    if subject.is_empty() {
        return Err(wrong(
            "subject",
            "is empty: leave it out, or name whom the tokens are about",
        ));
    }
    Ok(format!(
        r#"{{"iss":{},"aud":{audience},"sub":{},"#,
        Value::from(issuer),
        Value::from(subject)
    ))
}

fn wrong(setting: &'static str, reason: &'static str) -> ConfigError {
    ConfigError::JwtSigner { setting, reason }
}

impl fmt::Debug for JwtSignerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSignerBuilder").finish_non_exhaustive()
    }
}
