//! Questions with known answers, asked before the first request (`T12`).
//!
//! For each allowed algorithm the backend must take a good signature and refuse the same one with a bit changed. What
//! it is asked with was made once, with another library, for this purpose alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::{Algorithm, Algorithms};
use super::backend::Backend;
use super::error::JwtConfigError;
use super::jwk::{self, Origin};
use super::key::Key;
use crate::error::ConfigError;

/// What is signed.
const MESSAGE: &[u8] = b"a question with a known answer";

/// The keys, named by the key type.
const KEYS: &str = include_str!("known_answer/keys.json");

/// The signature of the message by each algorithm, in base64url.
const SIGNATURES: &str = include_str!("known_answer/signatures.txt");

/// Asks the backend about each of these algorithms.
pub(super) fn check(backend: Backend, algorithms: Algorithms) -> Result<(), ConfigError> {
    check_with(backend, algorithms, |key, algorithm, signature| {
        key.verifies(backend, algorithm, MESSAGE, signature)
    })
}

fn check_with(
    backend: Backend,
    algorithms: Algorithms,
    verifies: impl Fn(&Key, Algorithm, &Vec<u8>) -> bool,
) -> Result<(), ConfigError> {
    let (specs, _) =
        jwk::parse(KEYS.as_bytes(), Origin::Local).map_err(|error| JwtConfigError::KeySet {
            reason: error.as_str(),
        })?;
    let keys: Vec<_> = specs
        .iter()
        .filter_map(|spec| Key::new(spec, backend).ok())
        .collect();
    for algorithm in algorithms.iter() {
        let answers = || {
            let good = signature(algorithm)?;
            let mut altered = good.clone();
            *altered.last_mut()? ^= 1;
            let key = keys.iter().find(|key| key.has(algorithm))?;
            Some(verifies(key, algorithm, &good) && !verifies(key, algorithm, &altered))
        };
        if answers() != Some(true) {
            return Err(JwtConfigError::SelfTest {
                algorithm: algorithm.as_str(),
            }
            .into());
        }
    }
    Ok(())
}

fn signature(algorithm: Algorithm) -> Option<Vec<u8>> {
    let mut lines = SIGNATURES.lines().filter_map(|line| line.split_once(' '));
    let (_, encoded) = lines.find(|(name, _)| *name == algorithm.as_str())?;
    URL_SAFE_NO_PAD.decode(encoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Algorithms {
        Algorithm::ALL.into_iter().collect()
    }

    #[test]
    fn t12_every_backend_knows_every_answer() {
        for backend in Backend::ALL {
            assert_eq!(check(*backend, all()), Ok(()), "{backend:?}");
        }
    }

    #[test]
    fn t12_a_wrong_answer_is_an_error() {
        let backend = Backend::default();
        for wrong in Algorithm::ALL {
            let failed = Err(JwtConfigError::SelfTest {
                algorithm: wrong.as_str(),
            }
            .into());
            for says in [true, false] {
                let verifies = |key: &Key, algorithm, signature: &Vec<u8>| {
                    if algorithm == wrong {
                        says
                    } else {
                        key.verifies(backend, algorithm, MESSAGE, signature)
                    }
                };
                assert_eq!(
                    check_with(backend, all(), verifies),
                    failed,
                    "{wrong} always {says}"
                );
                let others = all()
                    .iter()
                    .filter(|algorithm| *algorithm != wrong)
                    .collect();
                assert_eq!(
                    check_with(backend, others, verifies),
                    Ok(()),
                    "{wrong} is not allowed"
                );
            }
        }
    }
}
