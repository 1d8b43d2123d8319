//! [`JwtConfigError`]: what can be wrong with the rules and keys of JWT mode before the first request.

use std::fmt;

/// What is wrong with the configuration of JWT mode. It names settings, never what a key holds (`O4`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtConfigError {
    /// A key that is no public key, or outside the limits (`T2`).
    #[non_exhaustive]
    Key {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key set that cannot be read, or that holds no key that could be used (`T8`).
    #[non_exhaustive]
    KeySet {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A rule that no token could meet, or that would let too much pass (`T4`).
    #[non_exhaustive]
    Rule {
        /// The method of `JwtRules`.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Keys without rules would accept tokens that were made for somebody else.
    NoIssuer,
    /// Two sets of rules name the same issuer, so that nobody can tell whose keys decide (`T1`).
    IssuerTwice,
    /// The library that verifies gave a wrong answer to a question whose answer is known (`T12`).
    #[non_exhaustive]
    SelfTest {
        /// The algorithm.
        algorithm: &'static str,
    },
}

impl fmt::Display for JwtConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { reason } => write!(
                f,
                "a key for JWT {reason}: give a public key in PEM or DER to pem(..), a shared secret to secret(..) with \
                 algorithms(..) that use it, and a JSON key set to key_set(..)"
            ),
            Self::KeySet { reason } => write!(
                f,
                "a JWT key set {reason}: give the JSON document that the issuer publishes, with 1 to 64 keys"
            ),
            Self::Rule { setting, reason } => {
                write!(f, "{setting}(..) of the JWT rules {reason}")
            }
            Self::NoIssuer => f.write_str("no JWT keys were configured: add keys and the rules for their issuer"),
            Self::IssuerTwice => f.write_str(
                "two sets of JWT rules name the same issuer: put all keys of an issuer under one set of rules",
            ),
            Self::SelfTest { algorithm } => write!(
                f,
                "the cryptography library fails its test for {algorithm}: do not run this build, or leave the algorithm \
                 out with algorithms(..)"
            ),
        }
    }
}

impl std::error::Error for JwtConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o4_every_error_says_what_to_do() {
        let table: &[(JwtConfigError, &str)] = &[
            (
                JwtConfigError::Key { reason: "is odd" },
                "a key for JWT is odd: give a public key",
            ),
            (
                JwtConfigError::KeySet { reason: "is odd" },
                "a JWT key set is odd: give the JSON",
            ),
            (
                JwtConfigError::Rule {
                    setting: "leeway",
                    reason: "is odd",
                },
                "leeway(..) of the JWT rules is odd",
            ),
            (JwtConfigError::NoIssuer, "add keys and the rules"),
            (
                JwtConfigError::IssuerTwice,
                "put all keys of an issuer under one",
            ),
            (
                JwtConfigError::SelfTest { algorithm: "RS256" },
                "for RS256: do not run this build",
            ),
        ];
        for (error, text) in table {
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
