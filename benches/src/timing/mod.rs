//! The statistical timing test of the token comparison (`docs/spec/auth.md`, C4).
//!
//! The method is that of dudect (Reparaz, Balasch and Verbauwhede, 2017): requests of two classes go through one
//! service in random order, and Welch's t-test says whether their times have different means.
//!
//! ```text
//! pair.rs  which classes, against which tokens ── presented.rs, random.rs: a value is drawn for each request
//!    └─ sample.rs  the measured part ── stamp.rs: when the service had decided
//!         └─ crop.rs  the largest |t| of all crops and orders ── welch.rs
//!              └─ verdict.rs, report.rs
//! equality.rs  a leak to be found, or the run is invalid
//! ```
//!
//! `README.md` says which pairs are compared, why these, and what a row does not say.

mod crop;
mod equality;
mod pair;
mod presented;
mod random;
mod report;
mod sample;
mod stamp;
mod verdict;
mod welch;

use std::fmt;

use tower_dapr_token::ConfigError;

pub use report::Report;
pub use verdict::Verdict;

use crate::gate::optimised;

/// How many requests of a pair are measured unless told otherwise, both classes together.
pub const SAMPLES: usize = 1_000_000;

/// With fewer the deliberate leak is not found for certain; with more the memory for them becomes large.
const BOUNDS: std::ops::RangeInclusive<usize> = 10_000..=50_000_000;

/// Why there is nothing to judge.
#[derive(Debug)]
pub enum TimingError {
    /// The build has no optimisation, so its times are not those of what is shipped.
    Debug(&'static str),
    /// A number of samples that is too small to judge by, or too large to hold.
    Samples(usize),
    /// A drawn token that the layer does not take.
    Token(ConfigError),
    /// A drawn value that no header can have.
    NoHeaderValue,
    /// A request was accepted that had to be refused, or the other way round, or was not answered at once.
    WrongAnswer,
    /// The service answered before it had dropped the token, so that nothing shows when it had decided.
    TokenKept,
}

impl fmt::Display for TimingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debug(reason) => f.write_str(reason),
            Self::Samples(count) => write!(
                f,
                "{count} samples: give a number from {} to {}",
                BOUNDS.start(),
                BOUNDS.end()
            ),
            Self::Token(error) => write!(f, "a drawn token was not taken: {error}"),
            Self::NoHeaderValue => f.write_str("a drawn value fits into no header"),
            Self::WrongAnswer => f.write_str("a request was not answered as its class says"),
            Self::TokenKept => f.write_str("a token outlived the answer to its request"),
        }
    }
}

impl std::error::Error for TimingError {}

impl From<ConfigError> for TimingError {
    fn from(error: ConfigError) -> Self {
        Self::Token(error)
    }
}

/// Measures every pair with so many requests.
///
/// # Errors
///
/// Any [`TimingError`]: the run is as invalid as one with [`Verdict::Invalid`].
pub fn run(samples: usize) -> Result<Report, TimingError> {
    optimised().map_err(TimingError::Debug)?;
    if !BOUNDS.contains(&samples) {
        return Err(TimingError::Samples(samples));
    }
    let mut rows = Vec::with_capacity(pair::PAIRS.len());
    for pair in pair::PAIRS {
        rows.push((pair, pair.measure(samples)?));
    }
    Ok(Report::new(&rows, samples))
}
