//! Keys whose private half is here: they sign what the targets ask about. Public, and for tests alone.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use aws_lc_rs::{constant_time, hmac};

use super::base64url;

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(
            "../../../tower-dapr-token/tests/jwt/generate/keys/test-only-",
            $name,
            ".pem"
        ))
    };
}

/// The modulus of the RSA key, in base64url; its exponent is 65537.
const RSA_N: &str = include_str!("rsa-2048.n");

/// What a signature is made and checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Secret(Vec<u8>),
    Ed25519(Vec<u8>),
    /// 65 bytes.
    P256(Vec<u8>),
    /// 97 bytes.
    P384(Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl Material {
    /// The names that a header may ask for it by (`T2`).
    pub(crate) fn algorithms(&self) -> Vec<&'static str> {
        match self {
            Self::Secret(secret) => [("HS256", 32), ("HS384", 48), ("HS512", 64)]
                .into_iter()
                .filter(|(_, least)| secret.len() >= *least)
                .map(|(name, _)| name)
                .collect(),
            Self::Ed25519(_) => vec!["EdDSA", "Ed25519"],
            Self::P256(_) => vec!["ES256"],
            Self::P384(_) => vec!["ES384"],
            Self::Rsa { .. } => vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        }
    }

    /// The members of its JWK, but for `kid` and `alg`.
    pub(crate) fn jwk(&self) -> String {
        let text = |bytes: &[u8]| base64url::encode(bytes);
        let point = |crv: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            format!(
                r#""kty":"EC","crv":"{crv}","x":"{}","y":"{}""#,
                text(x),
                text(y)
            )
        };
        match self {
            Self::Secret(secret) => format!(r#""kty":"oct","k":"{}""#, text(secret)),
            Self::Ed25519(x) => format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, text(x)),
            Self::P256(bytes) => point("P-256", bytes),
            Self::P384(bytes) => point("P-384", bytes),
            Self::Rsa { n, e } => format!(r#""kty":"RSA","n":"{}","e":"{}""#, text(n), text(e)),
        }
    }

    /// A signature with a shared secret.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Secret(secret) => hmac_tag(secret, algorithm, message).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether there is such a key at all: the one question that is left to the library (`T10`).
    pub(crate) fn is_on_its_curve(&self) -> bool {
        match self {
            Self::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok(),
            Self::P384(point) => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).is_ok(),
            _ => true,
        }
    }

    /// Whether this is the signature of the message by this algorithm.
    pub(crate) fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let by = |verifier: &'static dyn VerificationAlgorithm, key: &[u8]| {
            let key = UnparsedPublicKey::new(verifier, key);
            key.verify(message, signature).is_ok()
        };
        match self {
            Self::Secret(secret) => {
                let tag = hmac_tag(secret, algorithm, message);
                tag.is_some_and(|tag| {
                    constant_time::verify_slices_are_equal(&tag, signature).is_ok()
                })
            }
            Self::Ed25519(x) => matches!(algorithm, "EdDSA" | "Ed25519") && by(&ED25519, x),
            Self::P256(point) => algorithm == "ES256" && by(&ECDSA_P256_SHA256_FIXED, point),
            Self::P384(point) => algorithm == "ES384" && by(&ECDSA_P384_SHA384_FIXED, point),
            Self::Rsa { n, e } => {
                let parameters: &RsaParameters = match algorithm {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &RSA_PSS_2048_8192_SHA256,
                    "PS384" => &RSA_PSS_2048_8192_SHA384,
                    "PS512" => &RSA_PSS_2048_8192_SHA512,
                    _ => return false,
                };
                let key = RsaPublicKeyComponents { n, e };
                key.verify(parameters, message, signature).is_ok()
            }
        }
    }
}

fn hmac_tag(secret: &[u8], algorithm: &str, message: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return None,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message);
    Some(tag.as_ref().to_vec())
}

/// A key that signs, by its name in a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// 32 bytes.
    Oct32,
    /// 32 others.
    Other,
    /// 48 bytes.
    Oct48,
    /// 64 bytes.
    Oct64,
    Ed25519,
    Ed25519Other,
    P256,
    P384,
    Rsa,
}

impl Signer {
    pub(crate) const ALL: [(&'static str, Self); 9] = [
        ("oct32", Self::Oct32),
        ("other", Self::Other),
        ("oct48", Self::Oct48),
        ("oct64", Self::Oct64),
        ("ed25519", Self::Ed25519),
        ("ed25519-other", Self::Ed25519Other),
        ("p256", Self::P256),
        ("p384", Self::P384),
        ("rsa", Self::Rsa),
    ];

    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(known, signer)| (known.as_bytes() == name).then_some(signer))
    }

    pub(crate) fn material(self) -> Material {
        let pairs = &*PAIRS;
        match self {
            Self::Oct32 => Material::Secret(vec![b'3'; 32]),
            Self::Other => Material::Secret(vec![b'o'; 32]),
            Self::Oct48 => Material::Secret(vec![b'4'; 48]),
            Self::Oct64 => Material::Secret(vec![b'6'; 64]),
            Self::Ed25519 => Material::Ed25519(pairs.ed.public_key().as_ref().to_vec()),
            Self::Ed25519Other => Material::Ed25519(pairs.ed_other.public_key().as_ref().to_vec()),
            Self::P256 => Material::P256(pairs.p256.public_key().as_ref().to_vec()),
            Self::P384 => Material::P384(pairs.p384.public_key().as_ref().to_vec()),
            Self::Rsa => Material::Rsa {
                n: base64url::decode(RSA_N.trim().as_bytes()).expect("a modulus"),
                e: vec![1, 0, 1],
            },
        }
    }

    /// A signature by this algorithm. HMAC with a public key takes its bytes for the secret, which is the attack that
    /// T2 is against; what else does not go together gives 64 bytes that are no signature.
    pub(crate) fn sign(self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let pairs = &*PAIRS;
        let no_signature = || vec![1; 64];
        let random = SystemRandom::new();
        let secret = match self.material() {
            Material::Secret(bytes)
            | Material::Ed25519(bytes)
            | Material::P256(bytes)
            | Material::P384(bytes)
            | Material::Rsa { n: bytes, .. } => bytes,
        };
        if let Some(tag) = hmac_tag(&secret, algorithm, message) {
            return tag;
        }
        match (self, algorithm) {
            (Self::Ed25519, "EdDSA" | "Ed25519") => pairs.ed.sign(message).as_ref().to_vec(),
            (Self::Ed25519Other, "EdDSA" | "Ed25519") => {
                pairs.ed_other.sign(message).as_ref().to_vec()
            }
            (Self::P256, "ES256") => {
                let signature = pairs.p256.sign(&random, message).expect("it signs");
                signature.as_ref().to_vec()
            }
            (Self::P384, "ES384") => {
                let signature = pairs.p384.sign(&random, message).expect("it signs");
                signature.as_ref().to_vec()
            }
            (Self::Rsa, _) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => return no_signature(),
                };
                let mut signature = vec![0; 256];
                pairs
                    .rsa
                    .sign(encoding, &random, message, &mut signature)
                    .expect("it signs");
                signature
            }
            _ => no_signature(),
        }
    }
}

struct Pairs {
    ed: Ed25519KeyPair,
    ed_other: Ed25519KeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

static PAIRS: LazyLock<Pairs> = LazyLock::new(|| {
    let der = |pem| base64url::decode_pem(pem).expect("PEM");
    let ed = |pem| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(pem)).expect("a key");
    let ec = |algorithm, pem| EcdsaKeyPair::from_pkcs8(algorithm, &der(pem)).expect("a key");
    Pairs {
        ed: ed(pem!("ed25519")),
        ed_other: ed(pem!("ed25519-other")),
        p256: ec(&ECDSA_P256_SHA256_FIXED_SIGNING, pem!("p256")),
        p384: ec(&ECDSA_P384_SHA384_FIXED_SIGNING, pem!("p384")),
        rsa: RsaKeyPair::from_pkcs8(&der(pem!("rsa-2048"))).expect("a key"),
    }
});
