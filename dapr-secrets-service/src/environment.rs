//! The process environment behind a trait, so that tests and embedders can give their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

/// Where environment variables come from: the `local.env` store, `envRef` and templates read
/// nothing else.
///
/// Implemented by [`ProcessEnvironment`] and by a map:
///
/// ```
/// use std::collections::BTreeMap;
/// use dapr_secrets_service::Environment;
///
/// let environment = BTreeMap::from([("GREETING".to_owned(), "hi".to_owned())]);
/// assert_eq!(environment.var("GREETING"), Some("hi".into()));
/// assert_eq!(environment.var("NOPE"), None);
/// ```
pub trait Environment: Send + Sync + 'static {
    /// The value of one variable, or `None` when it is not set.
    fn var(&self, name: &str) -> Option<OsString>;

    /// Every variable with its value.
    fn vars(&self) -> Vec<(OsString, OsString)>;
}

impl Environment for BTreeMap<String, String> {
    fn var(&self, name: &str) -> Option<OsString> {
        self.get(name).map(OsString::from)
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        self.iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }
}

impl<E: Environment + ?Sized> Environment for Arc<E> {
    fn var(&self, name: &str) -> Option<OsString> {
        (**self).var(name)
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        (**self).vars()
    }
}

/// The environment of this process, read at each call.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<OsString> {
        // Asked for `A=B`, the C library would answer from the value of `A`.
        can_name_a_variable(name)
            .then(|| std::env::var_os(name))
            .flatten()
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }
}

/// Whether a variable can be called so.
pub(crate) fn can_name_a_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(is_foreign_to_names)
}

/// What stands in no variable's name.
pub(crate) fn is_foreign_to_names(character: char) -> bool {
    character == '=' || character.is_control()
}

/// Whether a variable holds Dapr's own tokens or settings, in any letter case: those are served
/// to nobody.
#[cfg(any(feature = "config", feature = "env"))]
pub(crate) fn is_daprs_own(name: &str) -> bool {
    let starts_with_dapr = name
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("DAPR_"));
    starts_with_dapr || name.eq_ignore_ascii_case("APP_API_TOKEN")
}

/// Where relative paths start, when it is known.
#[cfg(feature = "file")]
pub(crate) fn working_directory() -> Option<std::path::PathBuf> {
    std::env::current_dir().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_environment_lists_what_it_answers() {
        let vars = ProcessEnvironment.vars();
        let (name, value) = vars
            .iter()
            .find(|(name, _)| name.to_str().is_some_and(|n| !n.is_empty()))
            .expect("a test process has an environment");
        let name = name.to_str().expect("checked above");
        assert_eq!(ProcessEnvironment.var(name).as_ref(), Some(value));
        assert_eq!(ProcessEnvironment.var("NOT_SET_ANYWHERE_3f1c"), None);
    }

    #[test]
    fn l4_s18_a_name_with_an_equals_sign_does_not_read_inside_of_a_value() {
        for (name, can) in [
            ("HOME", true),
            ("with space", true),
            ("é", true),
            ("", false),
            ("A=", false),
            ("=A", false),
            ("APP_API_TOKEN=ab", false),
            ("A\0", false),
            ("A\n", false),
        ] {
            assert_eq!(can_name_a_variable(name), can, "{name:?}");
        }
    }
}
