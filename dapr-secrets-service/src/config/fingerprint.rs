//! Whether a component says what it said before: its type, its version and its metadata, values included.
//!
//! The values are not kept for that. Two hashes with keys of this process stand for them; where they are equal the values are,
//! but for one chance in 2^128.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

use super::component::Component;
use super::item::ItemValue;
use crate::engine::Fingerprint;
use crate::store::registry::Setting;

/// That of a component whose values are known.
pub(super) fn of(kind: &str, version: &str, given: &[Setting]) -> Fingerprint {
    hashed(|mut hasher| {
        (kind, version, given.len()).hash(&mut hasher);
        for setting in given {
            let value = setting.value.as_deref();
            (setting.key.to_ascii_lowercase(), value).hash(&mut hasher);
        }
    })
}

/// That of a component as it is written: what its references are called, not what they stand for.
pub(super) fn written(component: &Component) -> Fingerprint {
    hashed(|mut hasher| {
        let store = component.secret_store.as_ref().map(|(store, _)| store);
        let items = component.items.len();
        (&component.component_type, &component.version, store, items).hash(&mut hasher);
        for item in &component.items {
            item.key.to_ascii_lowercase().hash(&mut hasher);
            match &item.value {
                ItemValue::Written(text) => (0_u8, text.as_str()).hash(&mut hasher),
                ItemValue::Variable(name, text) => (1_u8, name, text.as_str()).hash(&mut hasher),
                ItemValue::Secret(of) => (2_u8, &of.secret, &of.key).hash(&mut hasher),
                ItemValue::Unusable => 3_u8.hash(&mut hasher),
            }
        }
    })
}

fn hashed(feed: impl Fn(&mut dyn Hasher)) -> Fingerprint {
    static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
    let keys = KEYS.get_or_init(Default::default);
    Fingerprint(keys.each_ref().map(|keys| {
        let mut hasher = keys.build_hasher();
        feed(&mut hasher);
        hasher.finish()
    }))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::store::registry::Origin;

    fn setting(key: &str, value: Option<&str>, line: usize) -> Setting {
        Setting {
            key: key.to_owned(),
            value: value.map(|value| Zeroizing::new(value.to_owned())),
            origin: Origin::Written,
            line,
        }
    }

    #[test]
    fn api_g10_only_what_a_component_says_makes_another_one_of_it() {
        let given = |key, value| vec![setting(key, value, 6)];
        let first = of("local.file", "v1", &given("secretsFile", Some("a.json")));
        for (name, kind, version, settings, is_same) in [
            (
                "the same",
                "local.file",
                "v1",
                given("secretsFile", Some("a.json")),
                true,
            ),
            (
                "another line",
                "local.file",
                "v1",
                vec![setting("secretsFile", Some("a.json"), 9)],
                true,
            ),
            (
                "another letter case",
                "local.file",
                "v1",
                given("SECRETSFILE", Some("a.json")),
                true,
            ),
            (
                "another kind",
                "local.env",
                "v1",
                given("secretsFile", Some("a.json")),
                false,
            ),
            (
                "another version",
                "local.file",
                "",
                given("secretsFile", Some("a.json")),
                false,
            ),
            (
                "another value",
                "local.file",
                "v1",
                given("secretsFile", Some("A.json")),
                false,
            ),
            (
                "no value",
                "local.file",
                "v1",
                given("secretsFile", None),
                false,
            ),
            ("nothing", "local.file", "v1", Vec::new(), false),
            (
                "one more",
                "local.file",
                "v1",
                vec![
                    setting("secretsFile", Some("a.json"), 6),
                    setting("multiValued", Some("1"), 7),
                ],
                false,
            ),
            (
                "a letter moved",
                "local.file",
                "v1",
                given("secretsFilea", Some(".json")),
                false,
            ),
        ] {
            assert_eq!(of(kind, version, &settings) == first, is_same, "{name}");
        }
    }
}
