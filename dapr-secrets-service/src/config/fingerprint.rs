//! Whether a component says what it said before: its type, its version and its metadata, values included.
//!
//! The values are not kept for that. Two hashes with keys of this process stand for them; where they are equal the values are,
//! but for one chance in 2^128.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

use crate::engine::Fingerprint;
use crate::store::registry::Setting;

pub(super) fn of(kind: &str, version: &str, given: &[Setting]) -> Fingerprint {
    static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
    let keys = KEYS.get_or_init(Default::default);
    Fingerprint(keys.each_ref().map(|keys| {
        let mut hasher = keys.build_hasher();
        (kind, version, given.len()).hash(&mut hasher);
        for setting in given {
            let value = setting.value.as_deref();
            (setting.key.to_ascii_lowercase(), value).hash(&mut hasher);
        }
        hasher.finish()
    }))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn setting(key: &str, value: Option<&str>, line: usize) -> Setting {
        Setting {
            key: key.to_owned(),
            value: value.map(|value| Zeroizing::new(value.to_owned())),
            variable: None,
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
