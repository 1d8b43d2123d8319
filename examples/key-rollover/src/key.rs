//! [`Key`]: a key of the issuer, both halves of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(crate) struct Key {
    kid: &'static str,
    pair: rcgen::KeyPair,
}

impl Key {
    pub(crate) fn generate(kid: &'static str) -> Result<Self, rcgen::Error> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Self { kid, pair })
    }

    /// Its name: each key has one of its own, so that a token says which one it was signed with.
    pub(crate) fn kid(&self) -> &'static str {
        self.kid
    }

    /// The private half, for who signs.
    pub(crate) fn pem(&self) -> String {
        self.pair.serialize_pem()
    }

    /// The public half, for who verifies.
    pub(crate) fn jwk(&self) -> Value {
        // One byte, and the two coordinates of a point of P-256.
        let point = self.pair.public_key_raw();
        let (x, y) = point.split_at(1).1.split_at(32);
        let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid, "x": x, "y": y,
        })
    }
}
