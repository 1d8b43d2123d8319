//! [`KeyEvent`]: what an observer is told about keys.

use std::fmt;

#[cfg(feature = "jwks")]
use super::JwksError;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use super::SourceError;

/// What became of the keys of JWT mode. Its `Display` is a sentence for a log. It names no key (`O2`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyEvent {
    /// A key set was fetched, or read from its file, and is in force. All earlier keys have ended.
    ///
    /// It is not told of keys that a request had fetched (`T7`) while the refresh of the schedule fails: they are in force,
    /// but the age of keys goes on.
    #[non_exhaustive]
    Refreshed {
        /// How many keys it has that can be used. Where several layers follow one file: by the layer that can use the
        /// fewest.
        keys: usize,
        /// How many of its keys cannot be used, and were left out.
        skipped: usize,
    },
    /// The server says that the key set is still the same, or the file has what it had.
    Unchanged,
    /// Keys could not be fetched. The last good ones stay until `max_stale` (`T8`).
    #[cfg(feature = "jwks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    #[non_exhaustive]
    Failed {
        /// Why.
        error: JwksError,
        /// How many fetches have failed since the last good one; 1 is the moment for a warning.
        in_a_row: u32,
    },
    /// A file had no keys to give. The last good ones stay, for ever or until `max_stale` (`T8`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[non_exhaustive]
    FileFailed {
        /// Why.
        error: SourceError,
        /// How many readings have failed since the last good one; 1 is the moment for a warning.
        in_a_row: u32,
    },
    /// A request named a key that is not in the set that is fetched (`T7`).
    #[cfg(feature = "jwks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    #[non_exhaustive]
    UnknownKid {
        /// Whether it waits for a fetch; otherwise it is refused at once, as always without a layer.
        waits: bool,
    },
}

impl KeyEvent {
    /// Its name, for a label or a field.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refreshed { .. } => "refreshed",
            Self::Unchanged => "unchanged",
            #[cfg(feature = "jwks")]
            Self::Failed { .. } => "failed",
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::FileFailed { .. } => "failed",
            #[cfg(feature = "jwks")]
            Self::UnknownKid { .. } => "unknown_kid",
        }
    }
}

impl fmt::Display for KeyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refreshed { keys, skipped: 0 } => write!(f, "{keys} keys were loaded"),
            Self::Refreshed { keys, skipped } => write!(
                f,
                "{keys} keys were loaded, and {skipped} more that cannot be used"
            ),
            Self::Unchanged => f.write_str("the keys were loaded and are the same"),
            #[cfg(feature = "jwks")]
            Self::Failed { error, in_a_row } => write!(
                f,
                "no keys could be fetched, {in_a_row} times in a row, the last good ones stay: {error}"
            ),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::FileFailed { error, in_a_row } => write!(
                f,
                "no keys could be read, {in_a_row} times in a row, the last good ones stay: {error}"
            ),
            #[cfg(feature = "jwks")]
            Self::UnknownKid { waits: true } => {
                f.write_str("a token names a key that is not known: the keys are fetched")
            }
            #[cfg(feature = "jwks")]
            Self::UnknownKid { waits: false } => {
                f.write_str("a token names a key that is not known")
            }
        }
    }
}
