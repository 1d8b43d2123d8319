//! Where the value of a metadata item comes from: written there, or from the environment.
//!
//! A value from the environment is taken byte for byte. `APP_API_TOKEN`, `DAPR_*`, an empty name
//! and a name with a space, `=` or a control character are refused, whatever the letter case; where `DAPR_ENV_KEYS` is set,
//! so is every name that its list does not hold.
//!
//! A `secretKeyRef` is an error: this build does not resolve it for secret stores yet.

use zeroize::Zeroizing;

use super::problem::{Place, Report};
use super::template::{self, Surroundings};
use super::yaml::Node;
use crate::environment::{Environment, can_name_a_variable, is_daprs_own};

/// What an item may say about its value.
const SOURCES: [&str; 3] = ["value", "secretKeyRef", "envRef"];

/// The value of an item with the variable that it came from, if it came from one; or `None` after
/// reporting why there is none.
pub(super) fn resolve(
    item: &Node,
    what: &str,
    place: &Place,
    from: &Surroundings<'_>,
    report: &mut Report,
) -> Option<(Zeroizing<String>, Option<String>)> {
    let given: Vec<&str> = SOURCES
        .into_iter()
        .filter(|source| item.get(source).is_some())
        .collect();
    if given.len() != 1 {
        let found = if given.is_empty() {
            "none".to_owned()
        } else {
            given.join(" and ")
        };
        report.strict(
            &place.line(item.line),
            format!("{what} needs exactly one of value, secretKeyRef and envRef, and has {found}"),
        );
    }
    // `value` first, as daprd does when it is given several.
    if let Some(value) = item.get("value") {
        Some((literal(value, what, place, from, report)?, None))
    } else if let Some((line, _)) = item.get_with_line("secretKeyRef") {
        report.error(
            &place.line(line),
            format!("{what}: secretKeyRef is not supported yet for secret stores by this build"),
        );
        None
    } else {
        let reference = item.get("envRef")?;
        let value = variable(reference, what, place, from.environment, report)?;
        Some((value, reference.text().map(str::to_owned)))
    }
}

fn literal(
    value: &Node,
    what: &str,
    place: &Place,
    from: &Surroundings<'_>,
    report: &mut Report,
) -> Option<Zeroizing<String>> {
    let place = place.line(value.line);
    let Some(text) = value.text() else {
        report.error(
            &place,
            format!("{what}: a value is a text, not a list or a map"),
        );
        return None;
    };
    match template::expand(text, from) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(reason) => {
            report.error(&place, format!("{what}: {reason}"));
            None
        }
    }
}

fn variable(
    reference: &Node,
    what: &str,
    place: &Place,
    environment: &dyn Environment,
    report: &mut Report,
) -> Option<Zeroizing<String>> {
    let place = place.line(reference.line);
    let Some(name) = reference.text() else {
        report.error(&place, format!("{what}: envRef is the name of a variable"));
        return None;
    };
    match read_variable(name, environment) {
        Ok(value) => Some(value),
        Err(reason) => {
            report.strict(&place, format!("{what}: envRef {name:?} {reason}"));
            None
        }
    }
}

fn read_variable(
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
        return Err("is refused: it is Dapr's own");
    }
    if let Some(allowed) = environment
        .var("DAPR_ENV_KEYS")
        .filter(|keys| !keys.is_empty())
    {
        let is_listed = allowed
            .to_str()
            .is_some_and(|keys| keys.split(' ').any(|key| key == name));
        if !is_listed {
            return Err("is refused: DAPR_ENV_KEYS does not list it");
        }
    }
    environment
        .var(name)
        .ok_or("is not set")?
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
