//! What a caller asks for, parsed once: names and request metadata.
//!
//! Limits: a store name has 1 to 256 bytes, a secret name 1 to 2,048, request metadata at most
//! 32 keys. Names hold no control characters. Both APIs and the in-process calls share them.

use std::fmt;

/// Longest store name in bytes.
pub(crate) const STORE_NAME_MAX: usize = 256;
/// Longest secret name in bytes.
pub(crate) const SECRET_NAME_MAX: usize = 2_048;
/// Most keys of request metadata.
pub(crate) const METADATA_MAX: usize = 32;

/// Checked text of a store's name: 1 to 256 bytes, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StoreName(Box<str>);

/// Checked text of a secret's name: 1 to 2,048 bytes, no control characters. Letter case counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SecretName(Box<str>);

/// Why a text cannot be a name, or request metadata cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRequest(&'static str);

impl StoreName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn check(name: &str) -> Result<(), InvalidRequest> {
        check(name, STORE_NAME_MAX).map_err(|fault| {
            InvalidRequest(match fault {
                Fault::Empty => "the store name is empty",
                Fault::TooLong => "the store name is longer than 256 bytes",
                Fault::Control => "the store name holds a control character",
            })
        })
    }
}

impl SecretName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn check(name: &str) -> Result<(), InvalidRequest> {
        check(name, SECRET_NAME_MAX).map_err(|fault| {
            InvalidRequest(match fault {
                Fault::Empty => "the secret name is empty",
                Fault::TooLong => "the secret name is longer than 2048 bytes",
                Fault::Control => "the secret name holds a control character",
            })
        })
    }
}

impl TryFrom<&str> for StoreName {
    type Error = InvalidRequest;

    fn try_from(name: &str) -> Result<Self, InvalidRequest> {
        Self::check(name).map(|()| Self(name.into()))
    }
}

impl TryFrom<&str> for SecretName {
    type Error = InvalidRequest;

    fn try_from(name: &str) -> Result<Self, InvalidRequest> {
        Self::check(name).map(|()| Self(name.into()))
    }
}

impl InvalidRequest {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self(reason)
    }

    /// The reason, in fixed words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidRequest {}

enum Fault {
    Empty,
    TooLong,
    Control,
}

fn check(name: &str, max: usize) -> Result<(), Fault> {
    if name.is_empty() {
        Err(Fault::Empty)
    } else if name.len() > max {
        Err(Fault::TooLong)
    } else if name.chars().any(char::is_control) {
        Err(Fault::Control)
    } else {
        Ok(())
    }
}

/// The metadata of one request: exact, case-sensitive keys with text values.
///
/// Every store takes `prefix`, `partial` and `refresh_cache`; a key that a store does not know
/// is ignored by it. The first value given for a key stays, as in daprd.
///
/// ```
/// use dapr_secrets_service::Metadata;
///
/// let metadata = Metadata::default().with("prefix", "db:")?.with("prefix", "ignored")?;
/// assert_eq!(metadata.get("prefix"), Some("db:"));
/// # Ok::<_, dapr_secrets_service::InvalidRequest>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(Box<str>, Box<str>)>);

impl Metadata {
    /// Adds a key, unless it is there already.
    ///
    /// # Errors
    ///
    /// When this would be the 33rd key.
    pub fn with(mut self, key: &str, value: &str) -> Result<Self, InvalidRequest> {
        self.insert(key, value)?;
        Ok(self)
    }

    pub(crate) fn insert(&mut self, key: &str, value: &str) -> Result<(), InvalidRequest> {
        if self.get(key).is_some() {
            return Ok(());
        }
        if self.0.len() == METADATA_MAX {
            return Err(InvalidRequest("more than 32 keys of request metadata"));
        }
        self.0.push((key.into(), value.into()));
        Ok(())
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find_map(|(candidate, value)| (candidate == key).then_some(value))
    }

    /// Every key with its value, in the order they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `prefix`: a bulk call keeps the names that start with this text. Empty when not given.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.get("prefix").unwrap_or_default()
    }

    /// `partial`: a bulk call answers what it could read and lists what it could not.
    ///
    /// # Errors
    ///
    /// When the value is not a truth value.
    pub fn partial(&self) -> Result<bool, InvalidRequest> {
        self.flag(
            "partial",
            "request metadata `partial` is neither true nor false",
        )
    }

    /// `refresh_cache`: the caller asks for a value that no cache holds.
    ///
    /// # Errors
    ///
    /// When the value is not a truth value.
    pub fn refresh_cache(&self) -> Result<bool, InvalidRequest> {
        self.flag(
            "refresh_cache",
            "request metadata `refresh_cache` is neither true nor false",
        )
    }

    fn flag(&self, key: &str, complaint: &'static str) -> Result<bool, InvalidRequest> {
        self.get(key).map_or(Ok(false), |text| {
            parse_bool(text).ok_or(InvalidRequest(complaint))
        })
    }
}

/// Dapr's truth values: trimmed, any case; empty is false.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    const TRUE: [&str; 6] = ["y", "yes", "true", "t", "on", "1"];
    const FALSE: [&str; 7] = ["n", "no", "false", "f", "off", "0", ""];
    let text = text.trim();
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_one_of(&TRUE) {
        Some(true)
    } else if is_one_of(&FALSE) {
        Some(false)
    } else {
        None
    }
}

/// One call, as both APIs and the in-process methods make it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SecretsRequest {
    /// One secret.
    Get {
        store: StoreName,
        name: SecretName,
        metadata: Metadata,
    },
    /// Every secret of the store that the caller may see.
    Bulk {
        store: StoreName,
        metadata: Metadata,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n5_api_b4_names_have_bounds_and_no_control_characters() {
        let rows: &[(&str, String, bool)] = &[
            ("empty", String::new(), false),
            ("one byte", "a".into(), true),
            ("longest", "a".repeat(2_048), true),
            ("too long", "a".repeat(2_049), false),
            ("bytes count, not characters", "é".repeat(1_025), false),
            ("nul", "a\0".into(), false),
            ("line feed", "a\nb".into(), false),
            ("delete", "\u{7f}".into(), false),
            ("a control of the second block", "\u{85}".into(), false),
            ("space, slash, percent, dots", " /%..".into(), true),
            ("not ASCII", "h\u{e9}llo \u{2713}".into(), true),
        ];
        for (name, text, accepted) in rows {
            assert_eq!(
                SecretName::try_from(text.as_str()).is_ok(),
                *accepted,
                "{name}"
            );
        }
        for (name, text, accepted) in [
            ("longest store", "a".repeat(256), true),
            ("store too long", "a".repeat(257), false),
            ("store empty", String::new(), false),
            ("store with nul", "\0".into(), false),
        ] {
            assert_eq!(
                StoreName::try_from(text.as_str()).is_ok(),
                accepted,
                "{name}"
            );
        }
    }

    #[test]
    fn api_b5_the_first_value_wins_and_keys_are_bounded() {
        let mut metadata = Metadata::default();
        for index in 0..METADATA_MAX {
            metadata.insert(&format!("k{index}"), "1").expect("room");
        }
        assert!(metadata.insert("one more", "1").is_err());
        assert!(metadata.insert("k0", "2").is_ok(), "a repeated key is none");
        assert_eq!(metadata.get("k0"), Some("1"));
        assert_eq!(metadata.get("K0"), None, "keys are case-sensitive");
    }

    #[test]
    fn s16_truth_values() {
        for text in ["y", "yes", "true", "t", "on", "1", " TRUE ", "On"] {
            assert_eq!(parse_bool(text), Some(true), "{text:?}");
        }
        for text in ["n", "no", "false", "f", "off", "0", "", "  ", "FALSE"] {
            assert_eq!(parse_bool(text), Some(false), "{text:?}");
        }
        for text in ["maybe", "2", "truee", "-1", "ja"] {
            assert_eq!(parse_bool(text), None, "{text:?}");
        }
    }

    #[test]
    fn s25_a_value_that_cannot_be_right_is_refused() {
        let metadata = |key, value| Metadata::default().with(key, value).expect("room");
        assert_eq!(metadata("partial", "yes").partial(), Ok(true));
        assert!(metadata("partial", "maybe").partial().is_err());
        assert!(metadata("refresh_cache", "2").refresh_cache().is_err());
        assert_eq!(metadata("Partial", "maybe").partial(), Ok(false));
    }
}
