//! [`Backend`]: which library computes, always named and never the default of the process (`T10`).
//!
//! `jsonwebtoken` keeps one provider for the whole process. With both of its backends, or none, in a build, and
//! features add up over a whole build, asking for that provider panics. Nothing here asks for it or sets it: every
//! call goes through the provider that stands in this file.

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{DecodingKey, crypto};

use super::algorithm::Algorithm;

#[cfg(test)]
thread_local! {
    /// How many signatures were verified on this thread, so that a test can tell that none was.
    pub(super) static VERIFIED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The library that verifies signatures.
///
/// The default is aws-lc-rs if the feature `jwt` is on: it verifies RS256 about eight times, and ES256 four to five
/// times, as fast as RustCrypto.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// aws-lc-rs, the feature `jwt`. RSA keys may have up to 8192 bits.
    #[cfg(feature = "jwt")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
    #[default]
    AwsLc,
    /// The crates of the RustCrypto project, the feature `jwt-rust-crypto`. RSA keys may have up to 4096 bits.
    ///
    /// RUSTSEC-2023-0071 names the `rsa` crate: it concerns private keys, and verifying never uses one. Audits
    /// will name the advisory all the same (`T13`).
    #[cfg(feature = "jwt-rust-crypto")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwt-rust-crypto")))]
    #[cfg_attr(not(feature = "jwt"), default)]
    RustCrypto,
}

impl Backend {
    /// Every backend of this build.
    #[cfg(test)]
    pub(super) const ALL: &[Self] = &[
        #[cfg(feature = "jwt")]
        Self::AwsLc,
        #[cfg(feature = "jwt-rust-crypto")]
        Self::RustCrypto,
    ];

    pub(super) fn provider(self) -> &'static CryptoProvider {
        match self {
            #[cfg(feature = "jwt")]
            Self::AwsLc => &crypto::aws_lc::DEFAULT_PROVIDER,
            #[cfg(feature = "jwt-rust-crypto")]
            Self::RustCrypto => &crypto::rust_crypto::DEFAULT_PROVIDER,
        }
    }

    /// The largest RSA modulus that it verifies with, in bits.
    pub(super) fn max_rsa_bits(self) -> usize {
        match self {
            #[cfg(feature = "jwt")]
            Self::AwsLc => 8192,
            #[cfg(feature = "jwt-rust-crypto")]
            Self::RustCrypto => 4096,
        }
    }

    /// Whether a verifier can be built of this key. The key's lengths were checked before (`T11`).
    pub(super) fn takes(self, algorithm: Algorithm, key: &DecodingKey) -> bool {
        let is_built = (self.provider().verifier_factory)(&algorithm.foreign(), key).is_ok();
        match self {
            #[cfg(feature = "jwt")]
            Self::AwsLc => is_built && is_on_curve(algorithm, key),
            #[cfg(feature = "jwt-rust-crypto")]
            Self::RustCrypto => is_built,
        }
    }

    /// Whether the signature is that of the message. The verifier is built for each call: a kept one could not be
    /// shared by threads.
    pub(super) fn verifies(
        self,
        algorithm: Algorithm,
        key: &DecodingKey,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> bool {
        #[cfg(test)]
        VERIFIED.set(VERIFIED.get() + 1);
        (self.provider().verifier_factory)(&algorithm.foreign(), key)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }

    /// SHA-256.
    pub(super) fn digest(self, bytes: &[u8]) -> Option<Digest> {
        match self {
            // Not by way of the provider, which allocates: this is most of what a remembered token costs.
            #[cfg(feature = "jwt")]
            Self::AwsLc => {
                use aws_lc_rs::digest::{SHA256, digest};
                digest(&SHA256, bytes).as_ref().try_into().ok()
            }
            #[cfg(feature = "jwt-rust-crypto")]
            Self::RustCrypto => {
                use jsonwebtoken::jwk::ThumbprintHash;
                let digest = self.provider().key_utils.compute_digest;
                digest(bytes, ThumbprintHash::SHA256).ok()?.try_into().ok()
            }
        }
    }
}

/// The factory of aws-lc-rs takes any point and refuses every signature later; a key set of such keys would look sound.
#[cfg(feature = "jwt")]
fn is_on_curve(algorithm: Algorithm, key: &DecodingKey) -> bool {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};

    let curve = match algorithm {
        Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED,
        _ => return true,
    };
    key.try_get_as_bytes()
        .is_ok_and(|point| ParsedPublicKey::new(curve, point).is_ok())
}

/// A SHA-256.
pub(super) type Digest = [u8; 32];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t13_the_documentation_of_the_feature_names_the_advisory_of_its_crates() {
        let row = include_str!("../../../README.md")
            .lines()
            .find(|line| line.starts_with("| `jwt-rust-crypto` |"))
            .expect("a row");
        assert!(row.contains("RUSTSEC-2023-0071"), "{row}");
    }

    #[test]
    fn t10_aws_lc_is_the_default_where_both_are_on() {
        assert_eq!(Backend::default(), Backend::ALL[0]);
        #[cfg(feature = "jwt")]
        assert_eq!(Backend::default(), Backend::AwsLc);
    }

    #[test]
    fn t9_the_digest_is_sha_256() {
        // FIPS 180-4, the example of one block.
        let expected = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae,
            0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61,
            0xf2, 0x00, 0x15, 0xad,
        ];
        for backend in Backend::ALL {
            assert_eq!(backend.digest(b"abc"), Some(expected), "{backend:?}");
        }
    }
}
