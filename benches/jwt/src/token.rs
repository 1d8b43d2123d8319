//! The tokens of the measurement, and the keys that they are checked with.
//!
//! Each is 800 bytes long, or what base64 allows just below, and says what tokens usually say; the rest is padding. They
//! are files, so that every count is of the same bytes: a new ECDSA signature takes other steps. `mint` wrote them, with the
//! test keys of the library.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey, errors};

/// How long a token is at most.
pub const LEN: usize = 800;
/// Whose word the tokens are.
pub const ISSUER: &str = "https://issuer.example";
/// Whom they are for.
pub const AUDIENCE: &str = "orders";
/// The name of the key that signed them.
pub const KID: &str = "2026-01";
/// The shared secret of HS256.
pub const SECRET: &str = "64 bytes that are a secret in tests alone and nowhere else......";

/// When they were made, 2026-01-01, in seconds since 1970.
pub const MADE_AT: u64 = 1_767_225_600;
/// When they end, 2100-01-01.
pub const ENDS_AT: u64 = 4_102_444_800;

/// An algorithm, its key, and two tokens that differ in their `jti`, hence in their signatures.
#[derive(Clone, Copy)]
pub struct Tokens {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The public key in PEM; empty for the shared secret.
    pub pem: &'static str,
    private: &'static [u8],
    file: &'static str,
}

/// Everything that is measured, in the order of the columns.
pub const ALL: [Tokens; 4] = [RS256, ES256, EDDSA, HS256];

/// RSA with a key of 2048 bits.
pub const RS256: Tokens = Tokens {
    algorithm: Algorithm::RS256,
    pem: include_str!("../../../tower-dapr-token/src/token/jwt/testing/rsa.public.pem"),
    private: include_bytes!("../../../tower-dapr-token/src/token/jwt/testing/rsa.private.der"),
    file: include_str!("../tokens/RS256.txt"),
};
/// ECDSA on P-256.
pub const ES256: Tokens = Tokens {
    algorithm: Algorithm::ES256,
    pem: include_str!("../../../tower-dapr-token/src/token/jwt/testing/p256.public.pem"),
    private: include_bytes!("../../../tower-dapr-token/src/token/jwt/testing/p256.private.der"),
    file: include_str!("../tokens/ES256.txt"),
};
/// Ed25519.
pub const EDDSA: Tokens = Tokens {
    algorithm: Algorithm::EdDSA,
    pem: include_str!("../../../tower-dapr-token/src/token/jwt/testing/ed25519.public.pem"),
    private: include_bytes!("../../../tower-dapr-token/src/token/jwt/testing/ed25519.private.der"),
    file: include_str!("../tokens/EdDSA.txt"),
};
/// HMAC with a shared secret.
pub const HS256: Tokens = Tokens {
    algorithm: Algorithm::HS256,
    pem: "",
    private: SECRET.as_bytes(),
    file: include_str!("../tokens/HS256.txt"),
};

impl Tokens {
    /// The tokens.
    #[must_use]
    pub fn both(&self) -> Vec<&'static str> {
        self.file.lines().collect()
    }

    /// The first of them.
    #[must_use]
    pub fn one(&self) -> &'static str {
        self.file.lines().next().unwrap_or_default()
    }

    /// The public key in DER; nothing for the shared secret.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        let lines = self.pem.lines().filter(|line| !line.starts_with('-'));
        STANDARD
            .decode(lines.collect::<String>())
            .unwrap_or_default()
    }

    /// Signs this header and these claims, whatever they say.
    ///
    /// # Errors
    ///
    /// If the key cannot sign.
    pub fn sign(&self, header: &str, claims: &str) -> errors::Result<String> {
        self.signed(&unsigned(header, claims))
    }

    fn signed(&self, unsigned: &str) -> errors::Result<String> {
        let key = match self.algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_der(self.private),
            Algorithm::ES256 => EncodingKey::from_ec_der(self.private),
            Algorithm::EdDSA => EncodingKey::from_ed_der(self.private),
            _ => EncodingKey::from_secret(self.private),
        };
        let signer = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &key)?;
        let signature = signer
            .try_sign(unsigned.as_bytes())
            .map_err(|_| errors::ErrorKind::InvalidSignature)?;
        Ok(format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Signs both anew: the text of the file.
    ///
    /// # Errors
    ///
    /// If the key cannot sign.
    pub fn mint(&self) -> errors::Result<String> {
        let mut file = String::new();
        for jti in [
            "01999f2b-7c10-7000-8000-0000000000a1",
            "01999f2b-7c10-7000-8000-0000000000b2",
        ] {
            let padded = |padding| {
                let more = format!(r#","jti":"{jti}","note":"{}""#, "x".repeat(padding));
                unsigned(&self.header_and(""), &claims_and(MADE_AT, &more))
            };
            let longest = (0..LEN)
                .rev()
                .map(padded)
                .find(|unsigned| unsigned.len() + 1 + self.signature_len() <= LEN)
                .unwrap_or_default();
            file.push_str(&self.signed(&longest)?);
            file.push('\n');
        }
        Ok(file)
    }

    /// In base64.
    fn signature_len(&self) -> usize {
        let bytes: usize = match self.algorithm {
            Algorithm::RS256 => 256,
            Algorithm::HS256 => 32,
            _ => 64,
        };
        (bytes * 4).div_ceil(3)
    }

    /// The header of the tokens, with these members after its own.
    #[must_use]
    pub fn header_and(&self, more: &str) -> String {
        let algorithm = self.algorithm;
        format!(r#"{{"alg":"{algorithm:?}","typ":"JWT","kid":"{KID}"{more}}}"#)
    }
}

/// Claims that the rules of every case take, of a token made at this second, with these members after them.
#[must_use]
pub fn claims_and(made_at: u64, more: &str) -> String {
    format!(
        r#"{{"iss":"{ISSUER}","sub":"checkout","aud":"{AUDIENCE}","exp":{ENDS_AT},"nbf":{MADE_AT},"iat":{made_at},"scope":"orders:read orders:write"{more}}}"#
    )
}

fn unsigned(header: &str, claims: &str) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    )
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_as_long_as_the_tables_say() {
        for tokens in ALL {
            let both = tokens.both();
            assert_eq!(both.len(), 2, "{tokens:?}");
            assert_ne!(both[0], both[1], "{tokens:?}");
            for token in both {
                assert!((LEN - 1..=LEN).contains(&token.len()), "{tokens:?}");
            }
        }
    }

    /// Another signature at most: ECDSA draws a number for each.
    #[test]
    fn the_files_are_what_mint_writes() {
        let signed = |file: &str| -> Vec<String> {
            file.lines()
                .filter_map(|token| Some(token.rsplit_once('.')?.0.to_owned()))
                .collect()
        };
        for tokens in ALL {
            assert_eq!(
                signed(tokens.file),
                signed(&tokens.mint().unwrap()),
                "{tokens:?}"
            );
        }
    }
}
