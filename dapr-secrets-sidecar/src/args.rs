//! Flags and subcommands.
//!
//! The flags are daprd's where the meaning is the same (`docs/spec/secrets-api.md`, G1). Without a subcommand the
//! process runs. What this parser refuses ends the process with exit code 2.
//!
//! The environment is not read here: a flag that was not given is `None`, and `env.rs` fills it from its variable.

mod listen;
mod values;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ContextValue;
use clap::{ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use tracing::level_filters::LevelFilter;

pub(crate) use self::listen::{ListenArgs, Origin};
pub(crate) use self::values::span;
use crate::commands::completions::{self, CompletionsArgs};
use crate::commands::get::{self, GetArgs, Wanted};
use crate::commands::healthcheck::{self, HealthcheckArgs};
use crate::commands::resolve::{self, ResolveArgs};
use crate::commands::token::{self, TokenArgs};
use crate::foreign;
use crate::one_line::one_line;

const ABOUT: &str =
    "Dapr's secrets API over real secret stores: a drop-in for the secrets part of daprd";

const RUN_NOTES: &str = "\
Environment:
  DAPR_API_TOKEN   the token that callers must send as `dapr-api-token`; required, unless
                   --api-token-file is given
  DAPR_API_TOKEN_PREVIOUS
                   the token before it, which is accepted too
  APP_ID, DAPR_HTTP_PORT, DAPR_GRPC_PORT
                   stand in for --app-id, --dapr-http-port, --dapr-grpc-port
  NAMESPACE        components of another namespace are skipped

Exit codes:
  0      ended as asked
  1      could not start: no or bad token, port in use, bad files
  2      a flag was refused
  128+N  ended at once by a second signal N: 143 for SIGTERM, 130 for SIGINT";

const RUN_EXAMPLE: &str = "\
Example:
  DAPR_API_TOKEN=change-me-to-a-long-one dapr-secrets-sidecar run --resources-path ./resources
  curl -H 'dapr-api-token: change-me-to-a-long-one' http://127.0.0.1:3500/v1.0/secrets/STORE/NAME";

const VALIDATE_EXAMPLE: &str = "\
Example:
  dapr-secrets-sidecar validate --resources-path ./resources --config ./config.yaml";

const VALIDATE_NOTES: &str = "\
Environment:
  APP_ID           stands in for --app-id
  NAMESPACE        components of another namespace are skipped

Exit codes:
  0      nothing keeps `run` from loading these files; warnings do not count
  1      a problem was printed
  2      a flag was refused";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) subcommand: Subcommand,
    pub(crate) args: RunArgs,
    /// Flags of daprd that mean nothing here, as given; empty in the documented profile.
    pub(crate) foreign: Vec<&'static str>,
}

/// What to do; one file each in `commands/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subcommand {
    Run,
    Validate,
    Get(Wanted),
    Token(TokenArgs),
    Healthcheck(HealthcheckArgs),
    Completions(CompletionsArgs),
    Resolve(ResolveArgs),
}

#[derive(Debug, Parser)]
#[command(
    name = "dapr-secrets-sidecar",
    bin_name = "dapr-secrets-sidecar",
    version,
    about = ABOUT,
    after_help = format!("{RUN_EXAMPLE}\n\n{RUN_NOTES}"),
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<CommandArgs>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, clap::Subcommand)]
enum CommandArgs {
    /// Serve the secrets API; this is the default
    #[command(after_help = format!("{RUN_EXAMPLE}\n\n{RUN_NOTES}"))]
    Run(RunArgs),
    /// Load everything that `run` would load, print each problem as `file:line: message`, and end
    ///
    /// It takes the flags of `run`, so that a command line can be checked as it stands. No token is read and no port is
    /// opened. The exit code is 1 when there is a problem.
    #[command(after_help = format!("{VALIDATE_EXAMPLE}\n\n{VALIDATE_NOTES}"))]
    Validate(RunArgs),
    /// Print one secret, or all of a store, as JSON
    #[command(after_help = get::NOTES)]
    Get(GetArgs),
    /// Make tokens
    #[command(after_help = token::NOTES)]
    Token(TokenArgs),
    /// Ask a running sidecar whether it is healthy; for container probes
    #[command(after_help = healthcheck::NOTES)]
    Healthcheck(HealthcheckArgs),
    /// Print a script that completes this command line in a shell
    #[command(after_help = completions::NOTES)]
    Completions(CompletionsArgs),
    /// Print the components of a file with every secretKeyRef and envRef resolved, values masked
    ///
    /// The secret stores are those of --resources-path and of the file itself. The other flags are those of `run`. No
    /// token is read and no port is opened.
    #[command(after_help = resolve::NOTES)]
    Resolve {
        #[command(flatten)]
        resolve: ResolveArgs,
        #[command(flatten)]
        run: RunArgs,
    },
}

/// The flags of `run`, which `validate` takes as well.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct RunArgs {
    /// Identity of the app: components that are scoped to other apps do not exist for it [default: $APP_ID, or none]
    #[arg(long, value_name = "ID")]
    pub(crate) app_id: Option<String>,

    /// Folder of component files, its .yaml and .yml files; several times, or as a comma list [default: none]
    #[arg(
        long,
        alias = "components-path",
        value_name = "DIR",
        value_delimiter = ','
    )]
    pub(crate) resources_path: Vec<PathBuf>,

    /// Dapr Configuration with the secret scopes; several times, or as a comma list [default: none, and all is allowed]
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub(crate) config: Vec<PathBuf>,

    /// Where the components come from
    #[arg(long, value_enum, default_value_t)]
    pub(crate) mode: Mode,

    /// Whose status codes to answer with: those of Dapr's documents, or those of a running daprd
    #[arg(long, value_enum, default_value_t)]
    pub(crate) profile: ProfileArg,

    /// Addresses to listen on, as a comma list of IPv4 and IPv6 addresses
    #[arg(
        long,
        value_name = "ADDRESSES",
        value_delimiter = ',',
        default_value = "127.0.0.1",
        value_parser = listen_address
    )]
    pub(crate) dapr_listen_addresses: Vec<IpAddr>,

    /// Port of the HTTP API, 0 to 65535; 0 picks a free one [default: $DAPR_HTTP_PORT, or 3500]
    #[arg(long, value_name = "PORT")]
    pub(crate) dapr_http_port: Option<u16>,

    /// Port of the gRPC API, 0 to 65535; 0 picks a free one [default: $DAPR_GRPC_PORT, or 50001]
    #[arg(long, value_name = "PORT")]
    pub(crate) dapr_grpc_port: Option<u16>,

    /// Port of the metrics, which this version does not serve yet
    #[arg(long, value_name = "PORT", default_value_t = 9090)]
    pub(crate) metrics_port: u16,

    /// Whether to serve metrics, which this version does not do yet: `false` only silences the warning of it
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub(crate) enable_metrics: bool,

    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    /// How long open requests may take to finish after SIGTERM, SIGINT or a shutdown request; 0 cuts them off at once
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) dapr_graceful_shutdown_seconds: u32,

    /// Least severe log lines to write; `fatal` is `error`
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    pub(crate) log_level: LogLevel,

    /// Write log lines and the ready line as JSON
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub(crate) log_as_json: bool,

    /// Turn mistakes in component files into warnings, as daprd does
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub(crate) lenient: bool,

    /// Start without a token: everyone who can reach the port can read every secret
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub(crate) insecure_allow_anonymous: bool,
}

/// Where components come from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Component files
    #[default]
    Standalone,
    /// Component resources of a cluster; this version cannot read them yet
    Kubernetes,
}

/// Whose answers are given.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileArg {
    /// What Dapr's API reference says
    #[default]
    Documented,
    /// What a running daprd answers
    Daprd,
}

/// daprd's log levels, and `trace`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    #[value(alias = "warning")]
    Warn,
    Error,
    Fatal,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Trace => Self::TRACE,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warn => Self::WARN,
            LogLevel::Error | LogLevel::Fatal => Self::ERROR,
        }
    }
}

/// Everything that the command line knows, but for the foreign flags.
pub(crate) fn command() -> Command {
    get::adapt(CommandLine::command())
}

/// Reads the command line; the first item is the name of the program.
///
/// # Errors
///
/// What clap refuses, and its answers to `--help` and `--version`: [`print()`] shows both.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Invocation, clap::Error> {
    let (line, arguments) = if foreign::asks_for_daprd(&arguments) {
        (
            foreign::accept(command()),
            foreign::double_dashes(arguments),
        )
    } else {
        (command(), arguments)
    };
    let matches = line
        .try_get_matches_from(arguments)
        .map_err(|refusal| without_control_characters(foreign::explain(refusal)))?;
    let foreign = foreign::given(&matches);
    let CommandLine { command, run } = CommandLine::from_arg_matches(&matches)?;
    let (subcommand, args) = match command {
        None => (Subcommand::Run, run),
        Some(CommandArgs::Run(args)) => (Subcommand::Run, args),
        Some(CommandArgs::Validate(args)) => (Subcommand::Validate, args),
        Some(CommandArgs::Get(args)) => (Subcommand::Get(args.wanted), args.run),
        Some(CommandArgs::Token(args)) => (Subcommand::Token(args), run),
        Some(CommandArgs::Healthcheck(args)) => (Subcommand::Healthcheck(args), run),
        Some(CommandArgs::Completions(args)) => (Subcommand::Completions(args), run),
        Some(CommandArgs::Resolve { resolve, run }) => (Subcommand::Resolve(resolve), run),
    };
    Ok(Invocation {
        subcommand,
        args,
        foreign,
    })
}

/// Escapes what a refusal repeats of the command line; the layout around it is clap's own.
fn without_control_characters(mut refusal: clap::Error) -> clap::Error {
    let escaped: Vec<_> = refusal
        .context()
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(one_line(text).into_owned()),
                ContextValue::Strings(texts) => ContextValue::Strings(
                    texts
                        .iter()
                        .map(|text| one_line(text).into_owned())
                        .collect(),
                ),
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in escaped {
        refusal.insert(kind, value);
    }
    refusal
}

/// Shows what clap has to say: help and version on stdout with exit code 0, a refusal on stderr with exit code 2.
pub(crate) fn print(answer: &clap::Error) -> ExitCode {
    // A closed stdout or stderr leaves nobody to tell.
    let _ = answer.print();
    if answer.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// An address as daprd takes it: IPv6 with or without brackets.
pub(crate) fn listen_address(text: &str) -> Result<IpAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.trim()
        .parse()
        .map_err(|_| "expected an IPv4 or IPv6 address, such as 127.0.0.1 or ::1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation, clap::Error> {
        let arguments = std::iter::once("dapr-secrets-sidecar").chain(line.split_whitespace());
        parse(arguments.map(OsString::from).collect())
    }

    #[test]
    fn the_declared_flags_are_consistent() {
        command().debug_assert();
        foreign::accept(command()).debug_assert();
    }

    #[test]
    fn api_g4_run_is_the_default_subcommand() {
        let rows = [
            ("nothing", "", Subcommand::Run),
            ("flags alone", "--resources-path a", Subcommand::Run),
            ("run", "run --resources-path a", Subcommand::Run),
            (
                "validate",
                "validate --resources-path a",
                Subcommand::Validate,
            ),
            (
                "resolve",
                "resolve --reveal a --resources-path b",
                Subcommand::Resolve(ResolveArgs {
                    file: "a".into(),
                    reveal: true,
                }),
            ),
        ];
        for (name, line, expected) in rows {
            let invocation = parsed(line).expect(name);
            assert_eq!(invocation.subcommand, expected, "{name}");
        }
    }

    #[test]
    fn api_g1_the_defaults_are_those_of_daprd() {
        let args = parsed("").expect("no flag is required").args;
        assert_eq!(args.dapr_listen_addresses, [IpAddr::from([127, 0, 0, 1])]);
        assert_eq!(args.dapr_graceful_shutdown_seconds, 5);
        assert_eq!(args.metrics_port, 9090);
        assert!(args.enable_metrics);
        assert_eq!(args.mode, Mode::Standalone);
        assert_eq!(args.profile, ProfileArg::Documented);
        assert_eq!(args.log_level, LogLevel::Info);
        assert!(!args.log_as_json && !args.lenient && !args.insecure_allow_anonymous);
        // These three come from the environment first.
        assert_eq!(
            (args.app_id, args.dapr_http_port, args.dapr_grpc_port),
            (None, None, None)
        );
    }

    #[test]
    fn api_g1_a_resources_path_may_be_repeated_listed_and_called_components_path() {
        let args = parsed("--resources-path a --resources-path b,c --components-path d")
            .expect("four folders")
            .args;
        assert_eq!(args.resources_path, ["a", "b", "c", "d"].map(PathBuf::from));
    }

    #[test]
    fn api_g1_boolean_flags_take_true_and_false() {
        let rows = [
            ("--lenient", true),
            ("--lenient=true", true),
            ("--lenient=false", false),
            ("", false),
        ];
        for (line, expected) in rows {
            assert_eq!(parsed(line).expect(line).args.lenient, expected, "{line}");
        }
        assert!(
            !parsed("--enable-metrics=false")
                .expect("a boolean")
                .args
                .enable_metrics
        );
        let refused = parsed("--lenient=perhaps").expect_err("neither true nor false");
        assert_eq!(refused.exit_code(), 2);
    }

    #[test]
    fn api_g1_listen_addresses_are_a_list_of_ipv4_and_ipv6() {
        let args = parsed("--dapr-listen-addresses [::1],127.0.0.1,::")
            .expect("three addresses")
            .args;
        let texts: Vec<_> = args
            .dapr_listen_addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(texts, ["::1", "127.0.0.1", "::"]);
        for refused in [
            "localhost",
            "127.0.0.1,",
            "[::1",
            "127.0.0.1:80",
            "300.0.0.1",
        ] {
            let error = parsed(&format!("--dapr-listen-addresses {refused}")).expect_err(refused);
            assert_eq!(error.exit_code(), 2, "{refused}");
        }
    }

    #[test]
    fn api_g1_an_unknown_flag_is_an_error_with_a_suggestion() {
        let error = parsed("--resource-path a").expect_err("a misspelt flag");
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(text.contains("'--resource-path'"), "{text}");
        assert!(text.contains("'--resources-path'"), "{text}");
    }

    #[test]
    fn api_g4_a_subcommand_that_does_not_exist_is_refused() {
        for line in ["rbac", "resolve", "resolve --reveal", "help", "nonsense"] {
            assert_eq!(parsed(line).expect_err(line).exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn api_g4_what_a_subcommand_needs_must_be_there_and_nothing_else() {
        for (line, is_right) in [
            ("get a b", true),
            ("get a b --resources-path x --dapr-http-port 1", true),
            ("get a b --metadata k=v --metadata k2=v=w", true),
            ("get a b --metadata k", false),
            ("get a --bulk", true),
            ("get a b --bulk", false),
            ("get a", false),
            ("get", false),
            ("get a b c", false),
            ("get a b --profile daprd --app-port 1", true),
            ("get a b --app-port 1", false),
            ("token generate", true),
            ("token generate --bytes 16", true),
            ("token generate --bytes 512", true),
            ("token generate --bytes 15", false),
            ("token generate --bytes 513", false),
            ("token generate --bytes -1", false),
            ("token generate 32", false),
            ("token", false),
            ("healthcheck", true),
            ("healthcheck --timeout 2", false),
            ("healthcheck --dapr-http-port 65536", false),
            ("healthcheck --dapr-listen-addresses localhost", false),
            ("healthcheck x", false),
            ("completions zsh", true),
            ("completions csh", false),
            ("completions", false),
        ] {
            match parsed(line) {
                Ok(_) => assert!(is_right, "{line}"),
                Err(refusal) => {
                    assert!(!is_right, "{line}: {refusal}");
                    assert_eq!(refusal.exit_code(), 2, "{line}");
                }
            }
        }
    }

    #[test]
    fn api_g4_get_logs_errors_alone_unless_it_is_told_otherwise() {
        for (line, expected) in [
            ("get a b", LogLevel::Error),
            ("get a b --log-level info", LogLevel::Info),
            ("validate", LogLevel::Info),
        ] {
            assert_eq!(parsed(line).expect(line).args.log_level, expected, "{line}");
        }
    }

    #[test]
    fn log_levels_are_read_in_any_case() {
        for (text, expected) in [
            ("debug", LevelFilter::DEBUG),
            ("WARN", LevelFilter::WARN),
            ("Warning", LevelFilter::WARN),
            ("fatal", LevelFilter::ERROR),
            ("trace", LevelFilter::TRACE),
        ] {
            let args = parsed(&format!("--log-level {text}")).expect(text).args;
            assert_eq!(LevelFilter::from(args.log_level), expected, "{text}");
        }
    }
}
