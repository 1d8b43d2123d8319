//! [`KeyEvent`]: what an observer is told about keys.

use std::fmt;

use super::error::JwksError;

/// What became of the keys of JWT mode. Its `Display` is a sentence for a log. It names no key (`O2`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyEvent {
    /// A key set was fetched and is in force. All earlier keys have ended.
    #[non_exhaustive]
    Refreshed {
        /// How many keys it has that can be used.
        keys: usize,
        /// How many of its keys cannot be used, and were left out.
        skipped: usize,
    },
    /// The server says that the key set is still the same.
    Unchanged,
    /// Keys could not be fetched. The last good ones stay until `max_stale` (`T8`).
    #[non_exhaustive]
    Failed {
        /// Why.
        error: JwksError,
        /// How many fetches have failed since the last good one; 1 is the moment for a warning.
        in_a_row: u32,
    },
    /// A request named a key that is not in the set (`T7`).
    #[non_exhaustive]
    UnknownKid {
        /// Whether it waits for a fetch; otherwise it is refused at once.
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
            Self::Failed { .. } => "failed",
            Self::UnknownKid { .. } => "unknown_kid",
        }
    }
}

impl fmt::Display for KeyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refreshed { keys, skipped: 0 } => write!(f, "{keys} keys were fetched"),
            Self::Refreshed { keys, skipped } => write!(
                f,
                "{keys} keys were fetched, and {skipped} more that cannot be used"
            ),
            Self::Unchanged => f.write_str("the keys were fetched and are the same"),
            Self::Failed { error, in_a_row } => write!(
                f,
                "no keys could be fetched, {in_a_row} times in a row, the last good ones stay: {error}"
            ),
            Self::UnknownKid { waits: true } => {
                f.write_str("a token names a key that is not known: the keys are fetched")
            }
            Self::UnknownKid { waits: false } => {
                f.write_str("a token names a key that is not known")
            }
        }
    }
}
