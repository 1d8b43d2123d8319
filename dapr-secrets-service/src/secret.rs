//! Secret values in memory: redacted when printed, wiped when dropped.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The text of one secret, or of one key of a secret.
///
/// ```
/// use dapr_secrets_service::SecretValue;
///
/// let value = SecretValue::from("hunter2".to_owned());
/// assert_eq!(value.expose(), "hunter2");
/// assert_eq!(format!("{value:?}"), "[redacted]");
/// ```
///
/// # Security
///
/// It has no `Display`, no `PartialEq` and no serialisation; its `Debug` prints a fixed text that
/// does not depend on the value. The one way to its text is [`SecretValue::expose`], so that a
/// search for that word finds every reader. The memory of the value is overwritten when the last
/// owner drops it. What a parser or the allocator copied on the way in is outside its reach.
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// The text itself. Keep it out of logs, errors and `Debug` output.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretValue {
    /// Takes over the string's own buffer, so that no copy stays behind unwiped.
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Zeroizing<String>> for SecretValue {
    /// Of `zeroize` 1: for a store that reads into a string that is wiped, whatever happens on the way.
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The keys and values of one secret, in sorted order of the keys.
///
/// A clone shares the values with the original: it copies no secret and costs one reference count.
///
/// ```
/// use dapr_secrets_service::SecretMap;
///
/// let secret: SecretMap = [("user", "admin"), ("password", "hunter2")].into_iter().collect();
/// assert_eq!(secret.get("user").map(|value| value.expose()), Some("admin"));
/// assert_eq!(format!("{secret:?}"), r#"{"password": [redacted], "user": [redacted]}"#);
/// ```
#[derive(Clone)]
pub struct SecretMap(Arc<[(Arc<str>, SecretValue)]>);

impl SecretMap {
    /// A secret with exactly one key.
    pub fn single(key: impl Into<Arc<str>>, value: impl Into<SecretValue>) -> Self {
        Self(Arc::new([(key.into(), value.into())]))
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&SecretValue> {
        let index = self
            .0
            .binary_search_by(|(candidate, _)| candidate.as_ref().cmp(key))
            .ok()?;
        Some(&self.0[index].1)
    }

    /// Every key with its value, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &SecretValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The number of keys; zero is a valid secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of all keys and values together.
    pub(crate) fn content_len(&self) -> usize {
        self.iter()
            .map(|(key, value)| key.len() + value.expose().len())
            .sum()
    }
}

impl<K: Into<Arc<str>>, V: Into<SecretValue>> FromIterator<(K, V)> for SecretMap {
    /// Of several values under one key the last one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<(Arc<str>, SecretValue)> = entries
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        // Stable, so that the last of equal keys is also last among them.
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        entries.reverse();
        entries.dedup_by(|(left, _), (right, _)| left == right);
        entries.reverse();
        Self(entries.into())
    }
}

impl fmt::Debug for SecretMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_c2_keys_come_sorted_and_the_last_of_equal_keys_stays() {
        let secret: SecretMap = [("b", "1"), ("a", "2"), ("b", "3"), ("a b", "4")]
            .into_iter()
            .collect();
        let seen: Vec<_> = secret.iter().map(|(k, v)| (k, v.expose())).collect();
        assert_eq!(seen, [("a", "2"), ("a b", "4"), ("b", "3")]);
        assert_eq!(secret.len(), 3);
        assert!(secret.get("c").is_none());
    }

    #[test]
    fn s7_debug_output_is_redacted_for_every_value() {
        for value in ["", "hunter2", "[redacted]", "line\nbreak"] {
            assert_eq!(format!("{:?}", SecretValue::from(value)), "[redacted]");
            assert_eq!(
                format!("{:?}", SecretMap::single("key", value)),
                r#"{"key": [redacted]}"#
            );
        }
    }

    #[test]
    fn a_clone_shares_the_values() {
        let secret = SecretMap::single("key", "value");
        let clone = secret.clone();
        assert!(std::ptr::eq(
            secret.get("key").expect("set").expose(),
            clone.get("key").expect("set").expose()
        ));
    }
}
