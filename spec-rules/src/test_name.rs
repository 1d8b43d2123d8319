//! The name of a test -> the rules that it says it proves.
//!
//! The ids stand at the start of the last segment of the name, each followed by `_`: `inbound::extract::e2_c1_a_comma_is_kept`
//! names E2 and C1. Only `[a-z][0-9]{1,2}` followed by `_` (or by the end) is an id, so `http_...` and `x5c_...` name nothing, while
//! `h2_...` names rule H2 and fails where there is none.
//!
//! Which specification a bare id belongs to is said by the package; a prefix says it outright: `api_b2_...`, `auth_e2_...`.

use crate::rule::{Rule, RuleId, SpecFile};

const PREFIXES: [(&str, SpecFile); 2] = [("api_", SpecFile::SecretsApi), ("auth_", SpecFile::Auth)];

/// The specification that a bare id means in the tests of `package`.
fn own_spec(package: &str) -> SpecFile {
    match package {
        "dapr-secrets-service" | "dapr-secrets-sidecar" => SpecFile::Stores,
        _ => SpecFile::Auth,
    }
}

/// Every rule that the test `path` (with its modules) of `package` names, in the order of the name.
pub(crate) fn rules_named(package: &str, path: &str) -> Vec<Rule> {
    let mut rest = path.rsplit("::").next().unwrap_or(path);
    let mut rules = Vec::new();
    loop {
        let (file, unprefixed) = PREFIXES
            .iter()
            .find_map(|(prefix, file)| rest.strip_prefix(prefix).map(|text| (*file, text)))
            .unwrap_or((own_spec(package), rest));
        let Some((id, after)) = RuleId::take(unprefixed, char::is_ascii_lowercase) else {
            return rules;
        };
        if after.is_empty() {
            rules.push(Rule { file, id });
            return rules;
        }
        let Some(after) = after.strip_prefix('_') else {
            return rules;
        };
        rules.push(Rule { file, id });
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_ids_are_read_by_package_and_prefix() {
        const TOWER: &str = "tower-dapr-token";
        const SERVICE: &str = "dapr-secrets-service";
        let table = [
            ("one id", TOWER, "e2_two_values_are_refused", "auth.md E2"),
            ("several", TOWER, "e2_c1_a_comma", "auth.md E2, auth.md C1"),
            (
                "in a module",
                TOWER,
                "inbound::extract::tests::e4_long",
                "auth.md E4",
            ),
            (
                "only the last segment counts",
                TOWER,
                "e2_things::repeated",
                "",
            ),
            ("two digits", SERVICE, "s12_ignored_errors", "stores.md S12"),
            (
                "the sidecar is read like the service",
                "dapr-secrets-sidecar",
                "r8_start",
                "stores.md R8",
            ),
            (
                "an example is read like the token crates",
                "axum-inbound",
                "x4_probe",
                "auth.md X4",
            ),
            ("api prefix", SERVICE, "api_b2_bulk", "secrets-api.md B2"),
            ("auth prefix", SERVICE, "auth_e2_two", "auth.md E2"),
            (
                "each id needs its prefix",
                SERVICE,
                "api_b1_b4_sizes",
                "secrets-api.md B1, stores.md B4",
            ),
            (
                "two prefixes",
                SERVICE,
                "api_b1_api_b4_f2_sizes",
                "secrets-api.md B1, secrets-api.md B4, stores.md F2",
            ),
            (
                "a prefix in a token crate",
                TOWER,
                "api_g2_refused",
                "secrets-api.md G2",
            ),
            (
                "a name that is nothing but an id",
                TOWER,
                "e2",
                "auth.md E2",
            ),
            (
                "a word after the prefix",
                TOWER,
                "api_token_is_stripped",
                "",
            ),
            ("a word", TOWER, "http_health_is_exempt", ""),
            ("letters after the digits", TOWER, "x5c_is_ignored", ""),
            ("digits in a word", TOWER, "http2_keeps_spaces", ""),
            ("three digits", TOWER, "u128_is_parsed", ""),
            ("an id later in the name", TOWER, "the_rule_e2_holds", ""),
            (
                "looks like an id",
                TOWER,
                "h2_connection_is_kept",
                "auth.md H2",
            ),
            ("upper case", TOWER, "E2_is_not_a_test_name", ""),
            ("empty", TOWER, "", ""),
        ];
        for (name, package, path, expected) in table {
            let found: Vec<String> = rules_named(package, path)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found.join(", "), expected, "{name}");
        }
    }
}
