//! [`TokenVariable`]: tokens out of the environment, read once while a layer is built.

use super::secret::Token;
use super::source::LoadedTokens;
use crate::environment::Environment;
use crate::error::ConfigError;

const PREVIOUS_SUFFIX: &str = "_PREVIOUS";

/// A variable that holds the current token, and `NAME_PREVIOUS` beside it. The two that Dapr knows never
/// stand in for one another (`R1`).
#[derive(Clone, Debug)]
pub(crate) struct TokenVariable(String);

impl TokenVariable {
    /// `APP_API_TOKEN`, which daprd sends to the app.
    pub(crate) fn app() -> Self {
        Self::named("APP_API_TOKEN".to_owned())
    }

    /// `DAPR_API_TOKEN`, which an app sends to daprd.
    pub(crate) fn dapr() -> Self {
        Self::named("DAPR_API_TOKEN".to_owned())
    }

    pub(crate) fn named(name: String) -> Self {
        Self(name)
    }

    pub(crate) fn load(self, environment: &dyn Environment) -> Result<LoadedTokens, ConfigError> {
        let Self(variable) = self;
        let previous_variable = format!("{variable}{PREVIOUS_SUFFIX}");
        let previous = environment
            .var(&previous_variable)
            .filter(|value| !value.as_encoded_bytes().trim_ascii().is_empty())
            .map(|value| Token::from_variable(&previous_variable, value))
            .transpose()?;
        let Some(current) = environment.var(&variable) else {
            return Err(match previous {
                Some(_) => ConfigError::PreviousWithoutCurrent {
                    previous: previous_variable,
                    current: variable,
                },
                None => ConfigError::TokenUnset { variable },
            });
        };
        Ok(LoadedTokens {
            current: Token::from_variable(&variable, current)?,
            previous: previous.into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::error::InvalidToken;

    type Outcome = Result<Vec<&'static str>, ConfigError>;

    #[test]
    fn r1_each_variable_is_read_with_its_previous_twin_and_no_other() {
        let invalid = |variable: &str, reason| {
            Err(ConfigError::TokenInvalid {
                variable: Some(variable.to_owned()),
                reason,
            })
        };
        let unset = |variable: &str| {
            Err(ConfigError::TokenUnset {
                variable: variable.to_owned(),
            })
        };
        let table: &[(&str, TokenVariable, &[(&str, &str)], Outcome)] = &[
            (
                "app",
                TokenVariable::app(),
                &[("APP_API_TOKEN", "a")],
                Ok(vec!["a"]),
            ),
            (
                "app and its previous",
                TokenVariable::app(),
                &[("APP_API_TOKEN", "a"), ("APP_API_TOKEN_PREVIOUS", "b\n")],
                Ok(vec!["a", "b"]),
            ),
            (
                "dapr",
                TokenVariable::dapr(),
                &[("DAPR_API_TOKEN", "d")],
                Ok(vec!["d"]),
            ),
            (
                "the key of a mounted secret",
                TokenVariable::named("token".to_owned()),
                &[("token", "t")],
                Ok(vec!["t"]),
            ),
            (
                "blank previous is none",
                TokenVariable::dapr(),
                &[("DAPR_API_TOKEN", "d"), ("DAPR_API_TOKEN_PREVIOUS", " \n")],
                Ok(vec!["d"]),
            ),
            (
                "app unset",
                TokenVariable::app(),
                &[],
                unset("APP_API_TOKEN"),
            ),
            (
                "app asked for while only dapr is set",
                TokenVariable::app(),
                &[("DAPR_API_TOKEN", "d")],
                unset("APP_API_TOKEN"),
            ),
            (
                "dapr asked for while only app is set",
                TokenVariable::dapr(),
                &[("APP_API_TOKEN", "a")],
                unset("DAPR_API_TOKEN"),
            ),
            (
                "empty",
                TokenVariable::app(),
                &[("APP_API_TOKEN", "")],
                invalid("APP_API_TOKEN", InvalidToken::Empty),
            ),
            (
                "blank",
                TokenVariable::app(),
                &[("APP_API_TOKEN", " \n")],
                invalid("APP_API_TOKEN", InvalidToken::Empty),
            ),
            (
                "control character",
                TokenVariable::dapr(),
                &[("DAPR_API_TOKEN", "a\u{7}b")],
                invalid("DAPR_API_TOKEN", InvalidToken::InvalidByte),
            ),
            (
                "bad previous",
                TokenVariable::dapr(),
                &[("DAPR_API_TOKEN", "a"), ("DAPR_API_TOKEN_PREVIOUS", "b c")],
                invalid("DAPR_API_TOKEN_PREVIOUS", InvalidToken::InvalidByte),
            ),
            (
                "previous without current",
                TokenVariable::app(),
                &[("APP_API_TOKEN_PREVIOUS", "b")],
                Err(ConfigError::PreviousWithoutCurrent {
                    previous: "APP_API_TOKEN_PREVIOUS".to_owned(),
                    current: "APP_API_TOKEN".to_owned(),
                }),
            ),
        ];
        for (name, source, variables, expected) in table {
            let environment = |asked: &str| {
                variables
                    .iter()
                    .find(|(name, _)| *name == asked)
                    .map(|(_, value)| OsString::from(value))
            };
            let loaded = source.clone().load(&environment);
            let tokens = loaded.as_ref().map_err(Clone::clone).map(|loaded| {
                loaded
                    .iter()
                    .map(|token| std::str::from_utf8(token.expose()).expect("ASCII"))
                    .collect()
            });
            assert_eq!(tokens, *expected, "{name}");
        }
    }
}
