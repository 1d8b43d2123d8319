//! Signed tokens for tests, made with keys that exist for this purpose alone.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;

use super::algorithm::Algorithm;
use super::backend::Backend;
use super::local_keys::JwtKeys;

pub(super) const RSA: Pair = Pair {
    private: include_bytes!("testing/rsa.private.der"),
    public: include_str!("testing/rsa.public.pem"),
};
pub(super) const OTHER_RSA: Pair = Pair {
    private: include_bytes!("testing/rsa2.private.der"),
    public: include_str!("testing/rsa2.public.pem"),
};
pub(super) const RSA_PKCS1: &str = include_str!("testing/rsa.pkcs1.pem");
pub(super) const P256: Pair = Pair {
    private: include_bytes!("testing/p256.private.der"),
    public: include_str!("testing/p256.public.pem"),
};
pub(super) const OTHER_P256: Pair = Pair {
    private: include_bytes!("testing/p256b.private.der"),
    public: include_str!("testing/p256b.public.pem"),
};
pub(super) const P384: Pair = Pair {
    private: include_bytes!("testing/p384.private.der"),
    public: include_str!("testing/p384.public.pem"),
};
pub(super) const ED25519: Pair = Pair {
    private: include_bytes!("testing/ed25519.private.der"),
    public: include_str!("testing/ed25519.public.pem"),
};
pub(super) const SECRET: &[u8] =
    b"64 bytes that are a secret in tests alone and nowhere else......";

/// What time it is in the tests.
pub(super) const NOW: Duration = Duration::from_secs(1_800_000_000);

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "orders";

/// Both halves of a key.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) private: &'static [u8],
    pub(super) public: &'static str,
}

impl Pair {
    /// The one that goes with the algorithm.
    pub(super) fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ES256 => P256,
            Algorithm::ES384 => P384,
            Algorithm::EdDSA => ED25519,
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Self {
                private: SECRET,
                public: "",
            },
            _ => RSA,
        }
    }

    /// The public half in DER.
    pub(super) fn keys_der(self) -> Vec<u8> {
        let lines = self.public.lines().filter(|line| !line.starts_with('-'));
        STANDARD.decode(lines.collect::<String>()).expect("base64")
    }

    pub(super) fn keys(self) -> JwtKeys {
        let keys = if self.public.is_empty() {
            JwtKeys::secret(self.private)
        } else {
            JwtKeys::pem(self.public)
        };
        keys.expect("a good key")
    }

    pub(super) fn named(self, kid: &str) -> JwtKeys {
        self.keys().with_kid(kid).expect("a good name")
    }

    /// A token of this header and payload, whatever they say.
    pub(super) fn sign(
        self,
        algorithm: Algorithm,
        header: &str,
        payload: impl AsRef<[u8]>,
    ) -> String {
        let key = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                EncodingKey::from_secret(self.private)
            }
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(self.private),
            Algorithm::EdDSA => EncodingKey::from_ed_der(self.private),
            _ => EncodingKey::from_rsa_der(self.private),
        };
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signer = (Backend::default().provider().signer_factory)(&algorithm.foreign(), &key)
            .expect("a good key");
        let signature = signer.try_sign(signed.as_bytes()).expect("signs");
        format!("{signed}.{}", encode(signature))
    }
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A header with this algorithm and nothing else.
pub(super) fn header(algorithm: Algorithm) -> String {
    format!(r#"{{"alg":"{algorithm}"}}"#)
}

/// Claims that every rule of the tests takes, with these members after them.
pub(super) fn claims_and(more: &str) -> String {
    let exp = NOW.as_secs() + 600;
    format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{exp}{more}}}"#)
}

/// A token that is accepted.
pub(super) fn good(algorithm: Algorithm) -> String {
    Pair::of(algorithm).sign(algorithm, &header(algorithm), claims_and(""))
}
