//! Flags that daprd knows and that mean nothing here.
//!
//! In the `daprd` profile they are accepted, so that an existing command line keeps working; the caller warns once and
//! names them. In the documented profile they are unknown flags like any other, with a hint at the profile.
//!
//! Only flags whose absence changes nothing for a caller of the secrets API are listed: one that would open a socket,
//! delay the shutdown or print something else is not silently dropped.

use std::ffi::{OsStr, OsString};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// daprd's flags that take a value.
const WITH_VALUE: [&str; 24] = [
    "actors-service",
    "app-channel-address",
    "app-health-check-path",
    "app-health-port",
    "app-health-probe-interval",
    "app-health-probe-timeout",
    "app-health-threshold",
    "app-max-concurrency",
    "app-port",
    "app-protocol",
    "control-plane-address",
    "control-plane-namespace",
    "control-plane-trust-domain",
    "dapr-http-max-request-size",
    "dapr-internal-grpc-listen-address",
    "dapr-internal-grpc-port",
    "max-body-size",
    "placement-host-address",
    "profile-port",
    "reminders-service",
    "scheduler-host-address",
    "scheduler-job-streams",
    "sentry-address",
    "sentry-request-jwt-audiences",
];

/// daprd's flags that stand alone or take `=BOOL`.
const BOOLEAN: [&str; 5] = [
    "app-ssl",
    "enable-api-logging",
    "enable-app-health-check",
    "enable-mtls",
    "enable-profiling",
];

fn names() -> impl Iterator<Item = &'static str> {
    WITH_VALUE.into_iter().chain(BOOLEAN)
}

/// Whether the command line chooses the `daprd` profile.
///
/// It decides which flags exist, so it is read before the parser runs; the parser still has the last word on its form.
pub(crate) fn asks_for_daprd(arguments: &[OsString]) -> bool {
    let mut rest = arguments.iter().map(OsString::as_os_str);
    while let Some(argument) = rest.next() {
        match argument.to_str() {
            Some("--") => return false,
            Some("--profile" | "-profile") => return rest.next() == Some(OsStr::new("daprd")),
            Some("--profile=daprd" | "-profile=daprd") => return true,
            _ => {}
        }
    }
    false
}

/// Lets `command` and its subcommands take the foreign flags, unseen in their help.
///
/// As in daprd, of a repeated flag the last one counts.
pub(crate) fn accept(command: Command) -> Command {
    let subcommands: Vec<_> = command
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect();
    let extended = extend(command);
    subcommands.into_iter().fold(extended, |command, name| {
        command.mut_subcommand(name, extend)
    })
}

fn extend(command: Command) -> Command {
    let valued = WITH_VALUE.map(|name| {
        hidden(name)
            .action(ArgAction::Append)
            .allow_hyphen_values(true)
    });
    let boolean = BOOLEAN.map(|name| {
        hidden(name)
            .action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
    });
    command.args_override_self(true).args(valued).args(boolean)
}

fn hidden(name: &'static str) -> Arg {
    Arg::new(name).long(name).hide(true)
}

/// daprd takes `-app-id` for `--app-id`.
pub(crate) fn double_dashes(arguments: Vec<OsString>) -> Vec<OsString> {
    arguments
        .into_iter()
        .map(|argument| match argument.to_str() {
            Some(text) if text.len() > 2 && text.starts_with('-') && !text.starts_with("--") => {
                OsString::from(format!("-{text}"))
            }
            _ => argument,
        })
        .collect()
}

/// The foreign flags that were given, in alphabetical order of their kind.
pub(crate) fn given(matches: &ArgMatches) -> Vec<&'static str> {
    let matches = matches
        .subcommand()
        .map_or(matches, |(_, subcommand)| subcommand);
    names()
        .filter(|name| {
            // An id that this command line's profile does not declare is not there.
            matches.try_contains_id(name).is_ok_and(|given| given)
                && matches.value_source(name) == Some(ValueSource::CommandLine)
        })
        .collect()
}

/// Adds to the refusal of a foreign flag how it would be accepted.
pub(crate) fn explain(mut error: clap::Error) -> clap::Error {
    let is_foreign = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if error.kind() == ErrorKind::UnknownArgument => {
            let name = flag.trim_start_matches('-');
            let name = name.split_once('=').map_or(name, |(name, _)| name);
            names().any(|foreign| foreign == name)
        }
        _ => false,
    };
    if is_foreign {
        let hint = "daprd knows this flag, but it means nothing here; `--profile daprd` accepts and ignores it";
        error.remove(ContextKind::SuggestedArg);
        // It would name the flag that was suggested.
        error.remove(ContextKind::Usage);
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![StyledStr::from(hint)]),
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    fn arguments(line: &str) -> Vec<OsString> {
        let program = std::iter::once("dapr-secrets-sidecar");
        program
            .chain(line.split_whitespace())
            .map(OsString::from)
            .collect()
    }

    #[test]
    fn api_g1_daprd_flags_are_taken_in_the_daprd_profile() {
        let rows: [(&str, &str, &[&str]); 7] = [
            ("none", "--profile daprd", &[]),
            (
                "with a value",
                "--profile daprd --placement-host-address localhost:50005 --app-port=8080",
                &["app-port", "placement-host-address"],
            ),
            (
                "boolean",
                "--enable-mtls --profile=daprd --app-ssl=false",
                &["app-ssl", "enable-mtls"],
            ),
            (
                "after the subcommand",
                "run --profile daprd --sentry-address x:1",
                &["sentry-address"],
            ),
            (
                "negative number",
                "--profile daprd --app-max-concurrency -1",
                &["app-max-concurrency"],
            ),
            (
                "repeated",
                "--profile daprd --app-port 1 --app-port 2",
                &["app-port"],
            ),
            (
                "single dash",
                "-profile daprd -app-port 1 -app-id t",
                &["app-port"],
            ),
        ];
        for (name, line, expected) in rows {
            let invocation =
                args::parse(arguments(line)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut given = invocation.foreign;
            given.sort_unstable();
            assert_eq!(given, expected, "{name}");
        }
    }

    #[test]
    fn api_g1_of_a_repeated_flag_the_last_one_counts_in_the_daprd_profile() {
        let line = "--profile daprd --app-id a --app-id b";
        let parsed = args::parse(arguments(line)).expect("as in daprd");
        assert_eq!(parsed.args.app_id.as_deref(), Some("b"));
        args::parse(arguments("--app-id a --app-id b"))
            .expect_err("a mistake in the documented profile");
    }

    #[test]
    fn api_g1_every_daprd_flag_is_unknown_in_the_documented_profile_and_says_why() {
        for name in names() {
            for line in [format!("--{name}=true"), format!("run --{name}=true")] {
                let error = args::parse(arguments(&line)).expect_err(name);
                assert_eq!(error.exit_code(), 2, "{line}");
                let text = error.to_string();
                assert!(text.contains(&format!("'--{name}")), "{text}");
                assert!(text.contains("--profile daprd"), "{text}");
            }
        }
    }

    #[test]
    fn the_profile_is_found_as_the_parser_finds_it() {
        let rows = [
            ("absent", "--app-id x", false),
            ("two words", "--profile daprd", true),
            ("one word", "--profile=daprd", true),
            ("after the subcommand", "validate --profile daprd", true),
            ("documented", "--profile documented", false),
            ("unknown", "--profile daprd2", false),
            ("no value", "--profile", false),
            ("past the end of flags", "-- --profile daprd", false),
        ];
        for (name, line, expected) in rows {
            assert_eq!(asks_for_daprd(&arguments(line)), expected, "{name}");
        }
    }
}
