//! The process environment behind a trait, so that a test hands in a table and never touches the
//! real one. The only file of this crate in which `std::env` occurs.

use std::ffi::OsString;

/// Where a variable is looked up while a layer is built.
///
/// Implemented for every `Fn(&str) -> Option<OsString>` that is `Sync`, so a closure over a map will do:
///
/// ```
/// use std::ffi::OsString;
/// use tower_dapr_token::RequireTokenLayer;
///
/// let environment = |name: &str| (name == "APP_API_TOKEN").then(|| OsString::from("a-token-of-16-bytes-or-more"));
/// let layer = RequireTokenLayer::builder()
///     .app_token()
///     .environment(&environment)
///     .build();
/// assert!(layer.is_ok());
/// ```
pub trait Environment: Sync {
    /// The value of the variable, or `None` when it is not set.
    fn var(&self, name: &str) -> Option<OsString>;
}

impl<F> Environment for F
where
    F: Fn(&str) -> Option<OsString> + Sync,
{
    fn var(&self, name: &str) -> Option<OsString> {
        self(name)
    }
}

/// The environment of this process, read at the moment of the call.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}
