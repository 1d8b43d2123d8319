//! How a store fails: one kind and a few fixed words.

use std::fmt;
use std::time::Duration;

/// Why a store did not answer: one kind and a few fixed words.
///
/// The words are `&'static str`, so that nothing a backend sent can become part of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: &'static str,
    retry_after: Option<Duration>,
}

/// The kinds of a [`StoreError`], and with them what the caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The secret does not exist, or is disabled, deleted or destroyed.
    NotFound,
    /// An environment variable that is not set, or is never served: a miss like
    /// [`StoreErrorKind::NotFound`], which daprd answers with an empty value.
    Unset,
    /// A version or stage was asked for and is missing.
    VersionNotFound,
    /// The backend refuses this identity.
    Denied,
    /// Too many requests.
    Throttled,
    /// Our deadline or the backend's passed.
    Timeout,
    /// No connection, a server error, not ready.
    Unavailable,
    /// The caller's name or metadata cannot be served.
    InvalidRequest,
    /// Wrong credentials, address or engine: an operator must act.
    Misconfigured,
    /// An answer that cannot be decoded or is not UTF-8.
    Corrupt,
}

impl StoreErrorKind {
    /// The kind as one word, as it stands in answers and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Unset => "Unset",
            Self::VersionNotFound => "VersionNotFound",
            Self::Denied => "Denied",
            Self::Throttled => "Throttled",
            Self::Timeout => "Timeout",
            Self::Unavailable => "Unavailable",
            Self::InvalidRequest => "InvalidRequest",
            Self::Misconfigured => "Misconfigured",
            Self::Corrupt => "Corrupt",
        }
    }
}

impl StoreError {
    /// An error of this kind; `detail` are a few words of the store's own, or nothing.
    pub const fn new(kind: StoreErrorKind, detail: &'static str) -> Self {
        Self {
            kind,
            detail,
            retry_after: None,
        }
    }

    /// The same error with the time that the backend asked to wait.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The store's own words; may be empty.
    #[must_use]
    pub fn detail(&self) -> &'static str {
        self.detail
    }

    /// How long the backend asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if self.detail.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.detail)
    }
}

impl std::error::Error for StoreError {}
