//! One key: its material, checked by our code before any type of the library is built from it (`T2`, `T11`).
//!
//! The library trusts what it is given: an Ed25519 key of 31 bytes makes one backend panic, and the other takes any
//! length. So lengths, sizes and exponents are looked at here, and a [`Material`] cannot hold anything else.

use std::fmt;

use jsonwebtoken::DecodingKey;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, AlgorithmName, Algorithms};
use super::backend::{Backend, Digest};
use super::ed25519;
use super::header::Kid;
use super::pem;

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;
/// Exponents are odd, at least 3, and below this.
const RSA_EXPONENT_END: u64 = 1 << 33;
/// A longer shared secret is a mistake: it would be hashed down.
const MAX_SECRET_LEN: usize = 1024;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum UnusableKey {
    /// Not a key in any form that is known, or a part of it is missing or not base64url.
    Malformed,
    /// A type or curve that is not listed in `T2`.
    UnknownType,
    /// A length, a size or an exponent outside the limits of `T2`.
    Size,
    /// Too large for this backend.
    SizeForBackend,
    /// A point that is not on its curve, or what else the backend does not take.
    Refused,
    /// A point of small order, under which anybody can sign.
    SmallOrder,
    /// Made for something else than verifying signatures.
    Use,
    /// Its `alg` is unknown, does not go with its type, or is not among those allowed.
    Algorithm,
    /// Its name is no `kid`.
    Kid,
    /// The private half is in it.
    Private,
    /// A shared secret where only public keys may be.
    Secret,
    /// A shared secret that is the text of a key or a certificate.
    SecretInPem,
}

impl UnusableKey {
    /// What is wrong, as the rest of a sentence about the key.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "cannot be read as a public key",
            Self::UnknownType => "is neither RSA, P-256, P-384 nor Ed25519",
            Self::Size => {
                "has a length outside the limits: RSA has 2048 to 8192 bits and an odd exponent from 3 to below 2^33, \
                 a shared secret 32 to 1024 bytes"
            }
            Self::SizeForBackend => "has more bits than the RustCrypto backend verifies with, 4096",
            Self::Refused => "is not a point of its curve",
            Self::SmallOrder => "is a point of small order, under which anybody can sign",
            Self::Use => "is not made for verifying signatures",
            Self::Algorithm => "fits none of the allowed algorithms",
            Self::Kid => "has a name that is not 1 to 256 printable ASCII characters",
            Self::Private => "is a private key, which no verifier should have",
            Self::Secret => "is a shared secret, which only local configuration may name",
            Self::SecretInPem => "was given as a shared secret and is a key in PEM",
        }
    }
}

/// What a signature is checked with. Every value of this type has passed the checks of `T11`.
#[derive(Clone)]
pub(super) enum Material {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    /// 65 bytes: an uncompressed point.
    P256(Box<[u8]>),
    /// 97 bytes: an uncompressed point.
    P384(Box<[u8]>),
    Ed25519([u8; 32]),
    Secret(Zeroizing<Box<[u8]>>),
}

impl Material {
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, UnusableKey> {
        // Some issuers write `n` as a signed number, with a zero in front. An exponent has no such excuse.
        let n = without_zeros(n);
        let bits = bit_len(n);
        let is_odd = n.last().is_some_and(|byte| byte % 2 == 1);
        let is_short = e.len() <= 5 && e.first() != Some(&0);
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !is_odd || !is_short {
            return Err(UnusableKey::Size);
        }
        let exponent = e
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
        if exponent < 3 || exponent % 2 == 0 || exponent >= RSA_EXPONENT_END {
            return Err(UnusableKey::Size);
        }
        Ok(Self::Rsa {
            n: n.into(),
            e: e.into(),
        })
    }

    pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<Self, UnusableKey> {
        if x.len() != 32 || y.len() != 32 {
            return Err(UnusableKey::Size);
        }
        Ok(Self::P256([&[4], x, y].concat().into()))
    }

    pub(super) fn p384(x: &[u8], y: &[u8]) -> Result<Self, UnusableKey> {
        if x.len() != 48 || y.len() != 48 {
            return Err(UnusableKey::Size);
        }
        Ok(Self::P384([&[4], x, y].concat().into()))
    }

    pub(super) fn ed25519(x: &[u8]) -> Result<Self, UnusableKey> {
        let x: [u8; 32] = x.try_into().map_err(|_| UnusableKey::Size)?;
        if ed25519::is_small_order(&x) {
            return Err(UnusableKey::SmallOrder);
        }
        if !ed25519::is_canonical(&x) {
            return Err(UnusableKey::Refused);
        }
        Ok(Self::Ed25519(x))
    }

    pub(super) fn secret(secret: &[u8]) -> Result<Self, UnusableKey> {
        if !(32..=MAX_SECRET_LEN).contains(&secret.len()) {
            return Err(UnusableKey::Size);
        }
        // Everybody has the public key, and could sign with its text.
        if pem::looks_like_pem(secret) {
            return Err(UnusableKey::SecretInPem);
        }
        Ok(Self::Secret(Zeroizing::new(secret.into())))
    }

    /// Every algorithm that this material is for. A shared secret is never shorter than the hash (RFC 7518 section
    /// 3.2).
    pub(super) fn algorithms(&self) -> Algorithms {
        use Algorithm::{
            ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512,
        };

        match self {
            Self::Rsa { .. } => [RS256, RS384, RS512, PS256, PS384, PS512]
                .into_iter()
                .collect(),
            Self::P256(_) => [ES256].into_iter().collect(),
            Self::P384(_) => [ES384].into_iter().collect(),
            Self::Ed25519(_) => [EdDSA].into_iter().collect(),
            Self::Secret(secret) => [(HS256, 32), (HS384, 48), (HS512, 64)]
                .into_iter()
                .filter(|(_, least)| secret.len() >= *least)
                .map(|(algorithm, _)| algorithm)
                .collect(),
        }
    }

    fn decoding_key(&self) -> DecodingKey {
        match self {
            Self::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
            Self::P256(point) | Self::P384(point) => DecodingKey::from_ec_der(point),
            Self::Ed25519(x) => DecodingKey::from_ed_der(x),
            Self::Secret(secret) => DecodingKey::from_secret(secret),
        }
    }

    /// The bytes that make two keys the same key, after a letter for the type, with room for so many more.
    fn identity(&self, more: usize) -> Zeroizing<Vec<u8>> {
        let (letter, parts): (u8, [&[u8]; 2]) = match self {
            Self::Rsa { n, e } => (b'r', [n, e]),
            Self::P256(point) => (b'p', [point, &[]]),
            Self::P384(point) => (b'q', [point, &[]]),
            Self::Ed25519(x) => (b'e', [x, &[]]),
            Self::Secret(secret) => (b's', [secret, &[]]),
        };
        // A growing vector would leave unwiped copies behind: a letter, and each part after its length.
        let len: usize = parts.iter().map(|part| size_of::<u64>() + part.len()).sum();
        let mut identity = Zeroizing::new(Vec::with_capacity(1 + len + more));
        identity.push(letter);
        for part in parts {
            identity.extend((part.len() as u64).to_be_bytes());
            identity.extend_from_slice(part);
        }
        identity
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "RSA",
            Self::P256(_) => "P-256",
            Self::P384(_) => "P-384",
            Self::Ed25519(_) => "Ed25519",
            Self::Secret(_) => "[redacted]",
        })
    }
}

fn without_zeros(mut bytes: &[u8]) -> &[u8] {
    while let Some((0, rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}

/// Of a number without leading zeros.
fn bit_len(bytes: &[u8]) -> usize {
    let unused = bytes
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    bytes.len().saturating_mul(8).saturating_sub(unused)
}

/// A key as it was configured or fetched, before a backend has seen it.
#[derive(Clone, Debug)]
pub(super) struct KeySpec {
    pub(super) kid: Option<Kid>,
    pub(super) material: Material,
    /// Those of the material, or fewer.
    pub(super) algorithms: Algorithms,
    /// Given by itself, in local configuration: without a name it stands for every name, and it must be of use.
    pub(super) by_itself: bool,
}

impl KeySpec {
    /// A key of local configuration that is not part of a set.
    pub(super) fn by_itself(material: Material) -> Self {
        Self {
            kid: None,
            algorithms: material.algorithms(),
            material,
            by_itself: true,
        }
    }

    /// The name, the algorithms and the material: the same for the same key in the next set.
    fn id(&self, backend: Backend) -> Option<KeyId> {
        let algorithms = self.algorithms.bits().to_be_bytes();
        let kid_len = self.kid.as_ref().map_or(0, |kid| 1 + kid.as_bytes().len());
        let mut identity = self.material.identity(algorithms.len() + 1 + kid_len);
        identity.extend(algorithms);
        identity.push(u8::from(self.by_itself));
        if let Some(kid) = &self.kid {
            identity.push(b'k');
            identity.extend_from_slice(kid.as_bytes());
        }
        backend.digest(&identity).map(KeyId)
    }
}

/// Tells keys apart and finds one again in another set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId(Digest);

/// A key that signatures can be checked with.
pub(super) struct Key {
    id: KeyId,
    kid: Option<Kid>,
    algorithms: Algorithms,
    by_itself: bool,
    /// The length of an RSA signature.
    modulus_len: usize,
    /// Kept in place of a verifier, which could not be shared by threads (`T10`).
    decoding: DecodingKey,
}

impl Key {
    /// Builds one verifier for each algorithm of the key, to see that it can be done (`T10`).
    pub(super) fn new(spec: &KeySpec, backend: Backend) -> Result<Self, UnusableKey> {
        let modulus_len = match &spec.material {
            Material::Rsa { n, .. } if bit_len(n) > backend.max_rsa_bits() => {
                return Err(UnusableKey::SizeForBackend);
            }
            Material::Rsa { n, .. } => n.len(),
            _ => 0,
        };
        if spec.algorithms.is_empty() {
            return Err(UnusableKey::Algorithm);
        }
        let decoding = spec.material.decoding_key();
        let taken = |algorithm| backend.takes(algorithm, &decoding);
        if !spec.algorithms.iter().all(taken) {
            return Err(UnusableKey::Refused);
        }
        Ok(Self {
            id: spec.id(backend).ok_or(UnusableKey::Refused)?,
            kid: spec.kid.clone(),
            algorithms: spec.algorithms,
            by_itself: spec.by_itself,
            modulus_len,
            decoding,
        })
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn is_named(&self, kid: &Kid) -> bool {
        self.kid.as_ref() == Some(kid)
    }

    /// Whether it may stand for a name that no key has.
    pub(super) fn fits_any_name(&self) -> bool {
        self.by_itself && self.kid.is_none()
    }

    /// Whether a header may ask for an algorithm by this name.
    pub(super) fn admits(&self, name: AlgorithmName) -> bool {
        self.algorithms.has_name(name)
    }

    pub(super) fn has(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(algorithm)
    }

    /// Looks at the length before any arithmetic.
    pub(super) fn verifies(
        &self,
        backend: Backend,
        algorithm: Algorithm,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> bool {
        let expected = signature_len(algorithm).unwrap_or(self.modulus_len);
        self.has(algorithm)
            && signature.len() == expected
            && backend.verifies(algorithm, &self.decoding, message, signature)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// How long a signature is; of RSA it is as long as the modulus.
fn signature_len(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::HS256 => Some(32),
        Algorithm::HS384 => Some(48),
        Algorithm::HS512 | Algorithm::ES256 | Algorithm::EdDSA => Some(64),
        Algorithm::ES384 => Some(96),
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => None,
    }
}

/// Whether a signature of this length can be good under any key.
pub(super) fn can_be_signature(algorithm: Algorithm, len: usize) -> bool {
    match signature_len(algorithm) {
        Some(expected) => len == expected,
        None => (MIN_RSA_BITS / 8..=MAX_RSA_BITS / 8).contains(&len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] = 0xff >> (n.len() * 8 - bits);
        n
    }

    #[test]
    fn t2_t11_rsa_keys_have_2048_to_8192_bits_and_an_odd_exponent_below_2_to_the_33() {
        let zeros = [&[0; 9], &*modulus(2048)].concat();
        let mut even = modulus(2048);
        *even.last_mut().expect("a byte") = 0xfe;
        let f4: &[u8] = &[1, 0, 1];
        let table: &[(&str, Vec<u8>, &[u8], bool)] = &[
            ("1024 bits", modulus(1024), f4, false),
            ("2047 bits", modulus(2047), f4, false),
            (
                "2047 bits after zeros",
                [&[0; 9], &*modulus(2047)].concat(),
                f4,
                false,
            ),
            ("2048 bits", modulus(2048), f4, true),
            ("2048 bits after zeros", zeros, f4, true),
            ("4096 bits", modulus(4096), f4, true),
            ("8192 bits", modulus(8192), f4, true),
            ("8193 bits", modulus(8193), f4, false),
            ("8200 bits", modulus(8200), f4, false),
            ("an even modulus", even, f4, false),
            ("no modulus", Vec::new(), f4, false),
            ("a modulus of zeros", vec![0; 256], f4, false),
            ("no exponent", modulus(2048), &[], false),
            ("exponent 0", modulus(2048), &[0], false),
            ("exponent 1", modulus(2048), &[1], false),
            ("exponent 2", modulus(2048), &[2], false),
            ("exponent 3", modulus(2048), &[3], true),
            ("exponent 3 after a zero", modulus(2048), &[0, 3], false),
            (
                "exponent 3 after zeros",
                modulus(2048),
                &[0, 0, 0, 0, 0, 0, 3],
                false,
            ),
            ("exponent 65536", modulus(2048), &[1, 0, 0], false),
            (
                "exponent 2^33 - 1",
                modulus(2048),
                &[1, 0xff, 0xff, 0xff, 0xff],
                true,
            ),
            ("exponent 2^33", modulus(2048), &[2, 0, 0, 0, 0], false),
            ("exponent 2^33 + 1", modulus(2048), &[2, 0, 0, 0, 1], false),
            (
                "exponent of nine bytes",
                modulus(2048),
                &[1, 0, 0, 0, 0, 0, 0, 0, 3],
                false,
            ),
        ];
        for (name, n, e, good) in table {
            let material = Material::rsa(n, e);
            assert_eq!(material.is_ok(), *good, "{name}");
            let Ok(material) = material else { continue };
            let spec = KeySpec::by_itself(material);
            for backend in Backend::ALL {
                let fits = bit_len(without_zeros(n)) <= backend.max_rsa_bits();
                let key = Key::new(&spec, *backend).map(|_| ());
                let expected = if fits {
                    Ok(())
                } else {
                    Err(UnusableKey::SizeForBackend)
                };
                assert_eq!(key, expected, "{name}, {backend:?}");
            }
        }
    }

    #[test]
    fn t11_lengths_are_checked_before_any_key_type_is_built() {
        for len in 0..100 {
            let bytes = vec![7; len];
            assert_eq!(
                Material::ed25519(&bytes).is_ok(),
                len == 32,
                "Ed25519 of {len}"
            );
            assert_eq!(
                Material::p256(&bytes, &bytes).is_ok(),
                len == 32,
                "P-256 of {len}"
            );
            assert_eq!(
                Material::p384(&bytes, &bytes).is_ok(),
                len == 48,
                "P-384 of {len}"
            );
            assert!(
                Material::p256(&bytes, &[7; 31]).is_err(),
                "P-256 of {len} and 31"
            );
            assert!(
                Material::p384(&bytes, &[7; 49]).is_err(),
                "P-384 of {len} and 49"
            );
        }
    }

    #[test]
    fn t2_a_shared_secret_is_never_shorter_than_the_hash() {
        let table: &[(usize, &[Algorithm])] = &[
            (0, &[]),
            (31, &[]),
            (32, &[Algorithm::HS256]),
            (47, &[Algorithm::HS256]),
            (48, &[Algorithm::HS256, Algorithm::HS384]),
            (64, &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]),
            (
                1024,
                &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512],
            ),
            (1025, &[]),
        ];
        for (len, expected) in table {
            let algorithms: Vec<_> = Material::secret(&vec![7; *len])
                .map(|secret| secret.algorithms().iter().collect())
                .unwrap_or_default();
            assert_eq!(algorithms, *expected, "{len} bytes");
        }
    }

    #[test]
    fn t9_a_key_has_the_same_id_in_the_next_set_and_another_key_another() {
        let spec = |byte, kid: Option<&str>, algorithms: &[Algorithm]| {
            let material = Material::secret(&[byte; 64]).expect("long enough");
            KeySpec {
                kid: kid.and_then(Kid::new),
                material,
                algorithms: algorithms.iter().copied().collect(),
                by_itself: false,
            }
        };
        let both = [Algorithm::HS256, Algorithm::HS512];
        for backend in Backend::ALL {
            let id = |spec: KeySpec| Key::new(&spec, *backend).expect("usable").id();
            let first = id(spec(1, Some("a"), &both));
            assert!(first == id(spec(1, Some("a"), &both)));
            for (name, other) in [
                ("another secret", spec(2, Some("a"), &both)),
                ("another name", spec(1, Some("b"), &both)),
                ("no name", spec(1, None, &both)),
                ("an empty name", spec(1, Some(""), &both)),
                ("fewer algorithms", spec(1, Some("a"), &both[..1])),
            ] {
                assert!(first != id(other), "{name}");
            }
        }
    }

    #[test]
    fn o4_no_key_shows_what_it_is_made_of() {
        let spec = KeySpec::by_itself(Material::secret(&[b'h'; 32]).expect("long enough"));
        let key = Key::new(&spec, Backend::default()).expect("usable");
        for text in [
            format!("{spec:?}"),
            format!("{key:?}"),
            format!("{:?}", key.decoding),
        ] {
            assert!(!text.contains("104") && !text.contains("hhh"), "{text}");
        }
    }
}
