//! Keys, tokens signed with them, and the time at which they are good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto::CryptoProvider};
use tower_dapr_token::{JwtRules, WallClock};

pub(crate) const NOW: u64 = 1_800_000_000;

/// The backend that is compiled in, named as the crate does: never the default of the process.
#[cfg(feature = "jwt")]
pub(crate) const PROVIDER: &CryptoProvider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
pub(crate) const PROVIDER: &CryptoProvider = &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

/// A clock that the test moves.
pub(crate) struct Wall(Mutex<u64>);

impl Wall {
    pub(crate) fn at(now: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    pub(crate) fn set(&self, now: u64) {
        *self.0.lock().expect("no test panicked") = now;
    }
}

impl WallClock for Wall {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(*self.0.lock().expect("no test panicked"))
    }
}

pub(crate) fn encoded(text: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// A token with these claims, signed with this secret.
pub(crate) fn signed(claims: &str, secret: &[u8]) -> String {
    let header = serde_json::to_vec(&Header::new(Algorithm::HS256)).expect("JSON");
    let signed = format!("{}.{}", encoded(&header), encoded(claims.as_bytes()));
    let key = EncodingKey::from_secret(secret);
    let signer = (PROVIDER.signer_factory)(&Algorithm::HS256, &key).expect("a key");
    format!("{signed}.{}", encoded(&signer.sign(signed.as_bytes())))
}

pub(crate) const ISSUER: &str = "https://issuer.example";

/// A key of the issuer, of P-256.
pub(crate) struct Key {
    kid: &'static str,
    pair: rcgen::KeyPair,
}

impl Key {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256);
        Self {
            kid,
            pair: pair.expect("a key"),
        }
    }

    pub(crate) fn jwk(&self) -> serde_json::Value {
        let point = self.pair.public_key_raw();
        assert_eq!((point.len(), point[0]), (65, 4), "uncompressed");
        serde_json::json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid,
            "x": encoded(&point[1..33]), "y": encoded(&point[33..]),
        })
    }

    /// In PEM, PKCS#8.
    #[allow(dead_code, reason = "asked for by other programs that share this file")]
    pub(crate) fn private_key(&self) -> String {
        self.pair.serialize_pem()
    }

    /// A token that the rules accept.
    pub(crate) fn token(&self) -> String {
        self.token_of("daprd")
    }

    /// The same about somebody else.
    pub(crate) fn token_of(&self, subject: &str) -> String {
        self.token_with(&claims_of(subject))
    }

    /// A token with these claims.
    pub(crate) fn token_with(&self, claims: &str) -> String {
        let signed = unsigned(self.kid, claims);
        let key = EncodingKey::from_ec_der(&self.pair.serialize_der());
        let signer = (PROVIDER.signer_factory)(&Algorithm::ES256, &key).expect("a key");
        let signature = signer.try_sign(signed.as_bytes()).expect("signs");
        format!("{signed}.{}", encoded(&signature))
    }
}

fn claims_of(subject: &str) -> String {
    let end = NOW + 600;
    serde_json::json!({ "iss": ISSUER, "aud": "orders", "sub": subject, "exp": end }).to_string()
}

fn unsigned(kid: &str, claims: &str) -> String {
    let header = serde_json::json!({ "alg": "ES256", "kid": kid }).to_string();
    format!(
        "{}.{}",
        encoded(header.as_bytes()),
        encoded(claims.as_bytes())
    )
}

/// A well-formed token of a key that nobody has.
pub(crate) fn forged(kid: &str) -> String {
    format!(
        "{}.{}",
        unsigned(kid, &claims_of("daprd")),
        encoded(&[1; 64])
    )
}

pub(crate) fn rules() -> JwtRules {
    JwtRules::new(ISSUER, "orders")
}

/// The document of these keys.
pub(crate) fn key_set(keys: &[&Key]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    serde_json::json!({ "keys": keys }).to_string()
}
