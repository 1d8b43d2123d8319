//! `envRef`: a metadata value that is an environment variable, byte for byte.
//!
//! `APP_API_TOKEN`, `DAPR_*`, an empty name and a name with a space, `=` or a control character are
//! refused, whatever the letter case; where `DAPR_ENV_KEYS` is set, so is every name that its list
//! does not hold.

use zeroize::Zeroizing;

use crate::environment::{Environment, can_name_a_variable, is_daprs_own};

/// Reads a variable, or says in a few words why there is no value.
pub(super) fn read_variable(
    name: &str,
    environment: &dyn Environment,
) -> Result<Zeroizing<String>, &'static str> {
    if name.is_empty() {
        return Err("is refused: the name is empty");
    }
    if name.contains(' ') {
        return Err("is refused: the name holds a space");
    }
    if !can_name_a_variable(name) {
        return Err("is refused: the name holds `=` or a control character");
    }
    if is_daprs_own(name) {
        return Err("is refused: it is Dapr's own; give the value under another name");
    }
    if let Some(allowed) = environment
        .var("DAPR_ENV_KEYS")
        .filter(|keys| !keys.is_empty())
    {
        let is_listed = allowed
            .to_str()
            .is_some_and(|keys| keys.split(' ').any(|key| key == name));
        if !is_listed {
            return Err("is refused: DAPR_ENV_KEYS does not list it; add it there");
        }
    }
    environment
        .var(name)
        .ok_or("is not set in the environment of this process")?
        .into_string()
        .map(Zeroizing::new)
        .map_err(|value| {
            drop(Zeroizing::new(value.into_encoded_bytes()));
            "is not UTF-8"
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(name: &str, variables: &[(&str, &str)]) -> Result<String, &'static str> {
        let environment: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        read_variable(name, &environment).map(|value| value.to_string())
    }

    #[test]
    fn s18_dapr_variables_and_odd_names_are_refused() {
        let variables = [
            ("APP_API_TOKEN", "t"),
            ("app_api_token", "t"),
            ("DAPR_API_TOKEN", "t"),
            ("dapr_x", "t"),
            ("A B", "t"),
            ("A=B", "t"),
            ("APP_API_TOKEN=t", "t"),
            ("A\n", "t"),
            ("GOOD", " {appID} "),
            ("EMPTY", ""),
        ];
        for name in [
            "APP_API_TOKEN",
            "app_api_token",
            "DAPR_API_TOKEN",
            "dapr_x",
            "A B",
            "A=B",
            "APP_API_TOKEN=t",
            "A\n",
            "",
            "NOPE",
        ] {
            assert!(read(name, &variables).is_err(), "{name:?}");
        }
        assert_eq!(read("GOOD", &variables).as_deref(), Ok(" {appID} "));
        assert_eq!(read("EMPTY", &variables).as_deref(), Ok(""));
    }

    #[test]
    fn s18_dapr_env_keys_lists_whole_names() {
        let variables = |keys| {
            [
                ("DAPR_ENV_KEYS", keys),
                ("ONE", "1"),
                ("TWO", "2"),
                ("TW", "3"),
                ("one", "4"),
            ]
        };
        for (keys, name, accepted) in [
            ("ONE TWO", "ONE", true),
            ("ONE TWO", "TWO", true),
            ("ONE  TWO", "TWO", true),
            ("ONE TWO", "TW", false),
            ("ONE TWO", "one", false),
            ("one", "ONE", false),
            ("ONE,TWO", "ONE", false),
            ("DAPR_ENV_KEYS", "DAPR_ENV_KEYS", false),
            ("", "ONE", true),
        ] {
            assert_eq!(
                read(name, &variables(keys)).is_ok(),
                accepted,
                "{keys:?} {name}"
            );
        }
    }
}
