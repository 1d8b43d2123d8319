//! Environment variables and arguments of this process: the only file in which `std::env` occurs.
//!
//! A flag that was given counts; otherwise its variable, if it is set and not empty; otherwise the default.

use std::ffi::OsString;
use std::sync::Arc;

use dapr_secrets_service::{Environment, ProcessEnvironment};

use crate::args::RunArgs;
use crate::error::StartError;

/// daprd's port of the HTTP API.
const HTTP_PORT: u16 = 3500;
/// daprd's port of the gRPC API.
const GRPC_PORT: u16 = 50_001;

/// The arguments that this process was started with, its own name first.
pub(crate) fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The environment that this process was started with.
pub(crate) fn process() -> Arc<dyn Environment> {
    Arc::new(ProcessEnvironment)
}

/// The settings that a flag or a variable may give.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) app_id: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) http_port: u16,
    pub(crate) grpc_port: u16,
}

impl Settings {
    /// # Errors
    ///
    /// [`StartError::Variable`] when a variable is needed and does not hold what its flag would take.
    pub(crate) fn resolve(
        args: &RunArgs,
        environment: &dyn Environment,
    ) -> Result<Self, StartError> {
        let app_id = match &args.app_id {
            Some(id) => Some(id.clone()).filter(|id| !id.is_empty()),
            None => text(environment, "APP_ID")?,
        };
        Ok(Self {
            app_id,
            namespace: text(environment, "NAMESPACE")?,
            http_port: port(
                args.dapr_http_port,
                environment,
                "DAPR_HTTP_PORT",
                HTTP_PORT,
            )?,
            grpc_port: port(
                args.dapr_grpc_port,
                environment,
                "DAPR_GRPC_PORT",
                GRPC_PORT,
            )?,
        })
    }
}

fn text(environment: &dyn Environment, name: &'static str) -> Result<Option<String>, StartError> {
    let value = environment
        .var(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| StartError::Variable {
            name,
            expected: "UTF-8 text",
        })?;
    Ok(value.filter(|value| !value.is_empty()))
}

fn port(
    flag: Option<u16>,
    environment: &dyn Environment,
    name: &'static str,
    default: u16,
) -> Result<u16, StartError> {
    if let Some(port) = flag {
        return Ok(port);
    }
    match text(environment, name)? {
        None => Ok(default),
        Some(value) => value.parse().map_err(|_| StartError::Variable {
            name,
            expected: "a port, 0 to 65535",
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn flags() -> RunArgs {
        RunArgs {
            app_id: Some("flag".into()),
            dapr_http_port: Some(1),
            dapr_grpc_port: Some(2),
            ..RunArgs::default()
        }
    }

    #[test]
    fn api_g1_a_flag_counts_before_its_variable_and_the_variable_before_the_default() {
        let all = table(&[
            ("APP_ID", "variable"),
            ("DAPR_HTTP_PORT", "3"),
            ("DAPR_GRPC_PORT", "4"),
            ("NAMESPACE", "prod"),
        ]);
        let empty = table(&[
            ("APP_ID", ""),
            ("DAPR_HTTP_PORT", ""),
            ("DAPR_GRPC_PORT", ""),
            ("NAMESPACE", ""),
        ]);
        let rows = [
            (
                "flags and variables",
                flags(),
                &all,
                (Some("flag"), Some("prod"), 1, 2),
            ),
            ("flags alone", flags(), &empty, (Some("flag"), None, 1, 2)),
            (
                "variables alone",
                RunArgs::default(),
                &all,
                (Some("variable"), Some("prod"), 3, 4),
            ),
            (
                "empty variables",
                RunArgs::default(),
                &empty,
                (None, None, 3500, 50_001),
            ),
            (
                "nothing",
                RunArgs::default(),
                &table(&[]),
                (None, None, 3500, 50_001),
            ),
        ];
        for (name, args, environment, (app_id, namespace, http_port, grpc_port)) in rows {
            let settings = Settings::resolve(&args, environment).expect(name);
            let expected = Settings {
                app_id: app_id.map(Into::into),
                namespace: namespace.map(Into::into),
                http_port,
                grpc_port,
            };
            assert_eq!(settings, expected, "{name}");
        }
    }

    #[test]
    fn api_g1_a_variable_that_is_no_port_is_named_and_its_value_is_not_shown() {
        for value in ["65536", "-1", " 80", "s3cret", "0x50"] {
            let environment = table(&[("DAPR_HTTP_PORT", value)]);
            let error = Settings::resolve(&RunArgs::default(), &environment).expect_err(value);
            let text = error.to_string();
            assert!(text.contains("DAPR_HTTP_PORT"), "{text}");
            assert!(!text.contains(value), "{text}");
        }
    }

    #[test]
    fn api_g1_a_bad_variable_does_not_matter_when_the_flag_is_given() {
        let environment = table(&[("DAPR_HTTP_PORT", "nonsense")]);
        let settings = Settings::resolve(&flags(), &environment).expect("the flag counts");
        assert_eq!(settings.http_port, 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf8_is_named() {
        use std::os::unix::ffi::OsStringExt;

        struct Broken;
        impl Environment for Broken {
            fn var(&self, name: &str) -> Option<OsString> {
                (name == "APP_ID").then(|| OsString::from_vec(vec![0xff]))
            }
            fn vars(&self) -> Vec<(OsString, OsString)> {
                Vec::new()
            }
        }
        let error = Settings::resolve(&RunArgs::default(), &Broken).expect_err("not UTF-8");
        assert!(error.to_string().contains("APP_ID"), "{error}");
    }
}
