//! What can go wrong with one call, without a status code: the tables of the API give it one.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::store::{StoreError, StoreErrorKind};

/// Why a call to [`Engine::get`](crate::Engine::get) or [`Engine::bulk`](crate::Engine::bulk)
/// was not answered.
///
/// It names the store and the secret as they were asked for, and never a value, nor anything
/// that a backend sent.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    store: Box<str>,
    secret: Option<Box<str>>,
    detail: &'static str,
    retry_after: Option<Duration>,
}

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Not a single secret store is configured.
    StoresNotConfigured,
    /// There is no store of this name, or it belongs to other apps.
    StoreNotFound,
    /// The store is known and cannot work until an operator acts.
    StoreMisconfigured,
    /// The scopes of this app refuse the secret.
    PermissionDenied,
    /// The secret does not exist.
    NotFound,
    /// The environment variable is not set, or is one that is never served. A miss like
    /// [`ErrorKind::NotFound`], but for [`Profile::Daprd`](crate::Profile::Daprd).
    Unset,
    /// The secret exists, or may, but the version or stage that was asked for does not.
    VersionNotFound,
    /// The name or the request metadata cannot be served.
    InvalidRequest,
    /// The backend refuses this process.
    BackendDenied,
    /// The backend asks for fewer calls.
    BackendThrottled,
    /// The backend did not answer in time.
    BackendTimeout,
    /// The backend cannot be reached or is not ready.
    BackendUnavailable,
    /// The backend's answer cannot be used.
    Corrupt,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        store: &str,
        secret: Option<&str>,
        detail: &'static str,
    ) -> Self {
        Self {
            kind,
            store: store.into(),
            secret: secret.map(Into::into),
            detail,
            retry_after: None,
        }
    }

    pub(crate) fn from_store(error: &StoreError, store: &str, secret: Option<&str>) -> Self {
        Self {
            retry_after: error.retry_after(),
            ..Self::new(error.kind().into(), store, secret, error.detail())
        }
    }

    /// The same error with a secret's name of at most `max` bytes; a longer one is cut and ends in `...`.
    #[cfg(feature = "grpc")]
    pub(crate) fn with_name_cut(&self, max: usize) -> Self {
        let cut = |name: &str| -> Box<str> {
            if name.len() <= max {
                return name.into();
            }
            let end = (0..=max).rev().find(|at| name.is_char_boundary(*at));
            format!("{}...", &name[..end.unwrap_or(0)]).into()
        };
        Self {
            kind: self.kind,
            store: self.store.clone(),
            secret: self.secret.as_deref().map(cut),
            detail: self.detail,
            retry_after: self.retry_after,
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The store that was asked.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The secret that was asked for; `None` for a bulk call as a whole.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// A few fixed words of this library or of the store that say more than the kind; may be empty.
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

impl From<StoreErrorKind> for ErrorKind {
    fn from(kind: StoreErrorKind) -> Self {
        match kind {
            StoreErrorKind::NotFound => Self::NotFound,
            StoreErrorKind::Unset => Self::Unset,
            StoreErrorKind::VersionNotFound => Self::VersionNotFound,
            StoreErrorKind::Denied => Self::BackendDenied,
            StoreErrorKind::Throttled => Self::BackendThrottled,
            StoreErrorKind::Timeout => Self::BackendTimeout,
            StoreErrorKind::Unavailable => Self::BackendUnavailable,
            StoreErrorKind::InvalidRequest => Self::InvalidRequest,
            StoreErrorKind::Misconfigured => Self::StoreMisconfigured,
            StoreErrorKind::Corrupt => Self::Corrupt,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &self.store;
        match (self.kind, self.secret.as_deref()) {
            (ErrorKind::StoresNotConfigured, _) => f.write_str("secret store is not configured"),
            (ErrorKind::StoreNotFound, _) => {
                write!(f, "failed finding secret store with key {store}")
            }
            (ErrorKind::StoreMisconfigured, _) => {
                write!(f, "secret store {store} is misconfigured")?;
                if self.detail.is_empty() {
                    return Ok(());
                }
                write!(f, ": {}", self.detail)
            }
            (ErrorKind::PermissionDenied, secret) => write!(
                f,
                "access denied by policy to get {} from {}",
                Quoted(secret.unwrap_or_default()),
                Quoted(store)
            ),
            (_, Some(secret)) => {
                write!(
                    f,
                    "failed getting secret with key {secret} from secret store {store}: "
                )?;
                match self.kind {
                    ErrorKind::NotFound | ErrorKind::Unset | ErrorKind::VersionNotFound => {
                        write!(f, "secret {secret} not found")
                    }
                    _ => f.write_str(self.reason_text()),
                }
            }
            (_, None) => write!(
                f,
                "failed getting secrets from secret store {store}: {}",
                self.reason_text()
            ),
        }
    }
}

impl Error {
    fn reason_text(&self) -> &'static str {
        if !self.detail.is_empty() {
            return self.detail;
        }
        match self.kind {
            ErrorKind::StoresNotConfigured => "no secret store is configured",
            ErrorKind::StoreNotFound => "the store does not exist",
            ErrorKind::StoreMisconfigured => "the store is misconfigured",
            ErrorKind::PermissionDenied => "access denied by policy",
            ErrorKind::NotFound => "not found",
            ErrorKind::Unset => "not set",
            ErrorKind::VersionNotFound => "version not found",
            ErrorKind::InvalidRequest => "the request cannot be served",
            ErrorKind::BackendDenied => "the backend denied access",
            ErrorKind::BackendThrottled => "the backend is throttling",
            ErrorKind::BackendTimeout => "the backend did not answer in time",
            ErrorKind::BackendUnavailable => "the backend is unavailable",
            ErrorKind::Corrupt => "the answer cannot be used",
        }
    }
}

impl StdError for Error {}

/// A name between double quotes, with `"` and `\` escaped.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for part in self.0.split_inclusive(['"', '\\']) {
            match part.as_bytes().last() {
                Some(b'"' | b'\\') => {
                    let (text, special) = part.split_at(part.len() - 1);
                    write!(f, "{text}\\{special}")?;
                }
                _ => f.write_str(part)?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_d1_messages_are_those_that_daprd_gives() {
        let rows: &[(&str, Error, &str)] = &[
            (
                "no store at all",
                Error::new(ErrorKind::StoresNotConfigured, "s", Some("x"), ""),
                "secret store is not configured",
            ),
            (
                "unknown store",
                Error::new(ErrorKind::StoreNotFound, "nostore", Some("x"), ""),
                "failed finding secret store with key nostore",
            ),
            (
                "refused by scope",
                Error::new(ErrorKind::PermissionDenied, "allowlisted", Some("uni"), ""),
                r#"access denied by policy to get "uni" from "allowlisted""#,
            ),
            (
                "refused, with a quote and a backslash",
                Error::new(ErrorKind::PermissionDenied, "s", Some(r#"a"b\c"#), ""),
                r#"access denied by policy to get "a\"b\\c" from "s""#,
            ),
            (
                "missing",
                Error::new(ErrorKind::NotFound, "filestore", Some("nope"), ""),
                "failed getting secret with key nope from secret store filestore: secret nope not found",
            ),
            (
                "other causes end in our detail",
                Error::new(ErrorKind::Corrupt, "s", Some("x"), "not valid UTF-8"),
                "failed getting secret with key x from secret store s: not valid UTF-8",
            ),
            (
                "bulk",
                Error::new(ErrorKind::BackendTimeout, "s", None, ""),
                "failed getting secrets from secret store s: the backend did not answer in time",
            ),
        ];
        for (name, error, message) in rows {
            assert_eq!(&error.to_string(), message, "{name}");
        }
    }

    #[test]
    fn e2_every_store_error_kind_has_a_kind_of_its_own() {
        let kinds = [
            StoreErrorKind::NotFound,
            StoreErrorKind::Unset,
            StoreErrorKind::VersionNotFound,
            StoreErrorKind::Denied,
            StoreErrorKind::Throttled,
            StoreErrorKind::Timeout,
            StoreErrorKind::Unavailable,
            StoreErrorKind::InvalidRequest,
            StoreErrorKind::Misconfigured,
            StoreErrorKind::Corrupt,
        ];
        let mapped: std::collections::HashSet<ErrorKind> =
            kinds.into_iter().map(ErrorKind::from).collect();
        assert_eq!(mapped.len(), kinds.len());
    }
}
