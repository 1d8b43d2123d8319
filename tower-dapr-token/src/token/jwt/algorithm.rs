//! [`Algorithm`]: how a token may be signed, and sets of algorithms.

use std::fmt;

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037, RFC 9864).
///
/// A key admits the algorithms of its type only (`T2`): the header of a token chooses among these and never
/// beyond them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519. Its name in a header or key is `EdDSA` or `Ed25519`; both mean this one algorithm.
    EdDSA,
    /// HMAC with SHA-256 and a shared secret of at least 32 bytes.
    HS256,
    /// HMAC with SHA-384 and a shared secret of at least 48 bytes.
    HS384,
    /// HMAC with SHA-512 and a shared secret of at least 64 bytes.
    HS512,
}

impl Algorithm {
    pub(super) const ALL: [Self; 12] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
        Self::HS256,
        Self::HS384,
        Self::HS512,
    ];

    /// The name in a token's header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// The same algorithm in the words of the library that verifies.
    pub(super) fn foreign(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::RS256 => jsonwebtoken::Algorithm::RS256,
            Self::RS384 => jsonwebtoken::Algorithm::RS384,
            Self::RS512 => jsonwebtoken::Algorithm::RS512,
            Self::PS256 => jsonwebtoken::Algorithm::PS256,
            Self::PS384 => jsonwebtoken::Algorithm::PS384,
            Self::PS512 => jsonwebtoken::Algorithm::PS512,
            Self::ES256 => jsonwebtoken::Algorithm::ES256,
            Self::ES384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDSA => jsonwebtoken::Algorithm::EdDSA,
            Self::HS256 => jsonwebtoken::Algorithm::HS256,
            Self::HS384 => jsonwebtoken::Algorithm::HS384,
            Self::HS512 => jsonwebtoken::Algorithm::HS512,
        }
    }

    /// A bit for each of its names.
    fn bits(self) -> u16 {
        let first = AlgorithmName::first(self).bit();
        match self {
            Self::EdDSA => first | SECOND_NAME,
            _ => first,
        }
    }
}

/// The bit of `Ed25519`, the second name of EdDSA.
const SECOND_NAME: u16 = 1 << 15;

/// An algorithm as a header or a key writes it.
///
/// `EdDSA` and `Ed25519` are two names of one algorithm. A key that gives itself one of them is not meant by the other:
/// what a header asks for must equal what the key says (`T2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlgorithmName {
    algorithm: Algorithm,
    is_second: bool,
}

impl AlgorithmName {
    /// Reads a name, letter by letter: `none` in any case and everything unknown is nothing.
    pub(super) fn parse(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self {
                algorithm: Algorithm::EdDSA,
                is_second: true,
            });
        }
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .map(Self::first)
    }

    fn first(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            is_second: false,
        }
    }

    pub(super) fn algorithm(self) -> Algorithm {
        self.algorithm
    }

    fn bit(self) -> u16 {
        if self.is_second {
            SECOND_NAME
        } else {
            1 << (self.algorithm as u16)
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of algorithms, a bit for each name of each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Algorithms(u16);

impl Algorithms {
    pub(super) const NONE: Self = Self(0);

    /// Every algorithm but those with a shared secret, which would let each verifier forge tokens.
    pub(super) fn asymmetric() -> Self {
        Algorithm::ALL
            .into_iter()
            .filter(|algorithm| {
                !matches!(
                    algorithm,
                    Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
                )
            })
            .collect()
    }

    pub(super) fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bits() != 0
    }

    /// Whether the algorithm may be asked for by this name.
    pub(super) fn has_name(self, name: AlgorithmName) -> bool {
        self.0 & name.bit() != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn bits(self) -> u16 {
        self.0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for Algorithms {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms
            .into_iter()
            .fold(Self::NONE, |set, algorithm| Self(set.0 | algorithm.bits()))
    }
}

impl From<AlgorithmName> for Algorithms {
    /// This name alone.
    fn from(name: AlgorithmName) -> Self {
        Self(name.bit())
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_an_algorithm_is_read_letter_by_letter() {
        for algorithm in Algorithm::ALL {
            let name = AlgorithmName::parse(algorithm.as_str());
            assert_eq!(name.map(AlgorithmName::algorithm), Some(algorithm));
        }
        let second = AlgorithmName::parse("Ed25519");
        assert_eq!(second.map(AlgorithmName::algorithm), Some(Algorithm::EdDSA));
        for name in [
            "", "none", "NONE", "nOnE", "rs256", "RS256 ", " RS256", "RS1", "ES256K", "ES512",
            "Ed448", "eddsa", "HS256\0", "RSA-OAEP", "dir",
        ] {
            assert_eq!(AlgorithmName::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn t2_an_algorithm_is_allowed_by_all_its_names_and_a_name_by_itself_alone() {
        let name = |name| AlgorithmName::parse(name).expect("known");
        let (first, second) = (name("EdDSA"), name("Ed25519"));
        let both = Algorithms::from_iter([Algorithm::EdDSA]);
        assert!(both.has_name(first) && both.has_name(second));
        for (one, other) in [(first, second), (second, first)] {
            let alone = both.and(one.into());
            assert!(alone.has_name(one) && !alone.has_name(other), "{one:?}");
            assert!(alone.contains(Algorithm::EdDSA), "{one:?}");
            assert_eq!(alone.iter().collect::<Vec<_>>(), [Algorithm::EdDSA]);
        }
        assert!(!both.has_name(name("ES256")) && !both.contains(Algorithm::ES256));
    }

    #[test]
    fn t2_no_shared_secret_unless_asked_for() {
        let names: Vec<_> = Algorithms::asymmetric()
            .iter()
            .map(Algorithm::as_str)
            .collect();
        assert_eq!(
            names,
            [
                "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"
            ]
        );
    }
}
