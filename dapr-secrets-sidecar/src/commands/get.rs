//! `get`: one secret, or with `--bulk` all of a store, as JSON on stdout.
//!
//! It loads what `run` would load and asks the same engine, in process: scopes apply, no token is read, no port is opened.
//! What is printed is what the HTTP API answers, and a line feed. Everything else goes to stderr, and below errors only if
//! `--log-level` asks for it, so that a script can take stdout as it is.

use std::io::{self, Write};
use std::sync::Arc;

use clap::{Args, Command};
use dapr_secrets_service::{BulkSecrets, Environment, Error, Metadata, SecretMap};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::args::RunArgs;
use crate::env::Settings;
use crate::error::StartError;
use crate::load;
use crate::shutdown::Ended;
use crate::{stdout, telemetry};

pub(crate) const NAME: &str = "get";

pub(crate) const NOTES: &str = "\
Example:
  dapr-secrets-sidecar get passwords redis --resources-path ./resources
  {\"redis\":\"hunter2\"}

The other flags of `run` are accepted as well, so that its command line can be taken as it stands.

Environment:
  APP_ID           stands in for --app-id
  NAMESPACE        components of another namespace are skipped

Exit codes:
  0      the secret was printed
  1      there is no such secret, it may not be read, or the files cannot be used
  2      a flag was refused";

/// The flags of `run` that matter here; its other ones are accepted and not shown.
const SHOWN_FLAGS: [&str; 7] = [
    "app_id",
    "config",
    "lenient",
    "log_as_json",
    "log_level",
    "mode",
    "resources_path",
];

/// The arguments of `get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Wanted {
    /// Name of the secret store, as its component is called
    store: String,

    /// Name of the secret
    #[arg(required_unless_present = "bulk", conflicts_with = "bulk")]
    name: Option<String>,

    /// All secrets of the store that the scopes let through, in place of one
    #[arg(long)]
    bulk: bool,

    /// Request metadata, such as `prefix=db`; several times, and of equal keys the first counts
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    metadata: Vec<(String, String)>,
}

/// Hides the flags of `run` that mean nothing here, and logs errors alone unless told otherwise.
pub(crate) fn adapt(command: Command) -> Command {
    let hidden: Vec<_> = RunArgs::augment_args(Command::new(""))
        .get_arguments()
        .map(|arg| arg.get_id().clone())
        .filter(|id| !SHOWN_FLAGS.contains(&id.as_str()))
        .collect();
    command.mut_subcommand(NAME, |command| {
        hidden
            .into_iter()
            .fold(command, |command, id| {
                command.mut_arg(id, |arg| arg.hide(true))
            })
            .mut_arg("log_level", |arg| arg.default_value("error"))
    })
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// # Errors
///
/// What [`load::load`] refuses, and whatever keeps the secret from being read or printed.
pub(crate) fn get(
    args: &RunArgs,
    wanted: &Wanted,
    environment: &Arc<dyn Environment>,
) -> Result<Ended, StartError> {
    telemetry::init(args.log_level.into(), args.log_as_json);
    let settings = Settings::resolve(args, &**environment)?;
    let mut metadata = Metadata::default();
    for (key, value) in &wanted.metadata {
        metadata = metadata.with(key, value).map_err(StartError::Metadata)?;
    }
    let loader = load::loader(args, &settings, environment);
    let engine = load::load(args, &settings, loader)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let refused = |error: Error| StartError::Unread(vec![error.to_string()]);
    let failed = if let Some(name) = &wanted.name {
        let secret = runtime.block_on(engine.get(&wanted.store, name, &metadata));
        print(&Secret(&secret.map_err(refused)?))?;
        Vec::new()
    } else {
        let secrets = runtime.block_on(engine.bulk(&wanted.store, &metadata));
        let secrets = secrets.map_err(refused)?;
        print(&Secrets(&secrets))?;
        failures(&secrets)
    };
    if failed.is_empty() {
        Ok(Ended::Drained)
    } else {
        Err(StartError::Unread(failed))
    }
}

/// What a partial answer lacks.
fn failures(secrets: &BulkSecrets) -> Vec<String> {
    let line = |(name, error)| format!("failed getting secret with key {name}: {error}");
    secrets.failed().map(line).collect()
}

/// Writes the JSON in one piece, so that no buffer but the wiped one holds it.
fn print(content: &impl Serialize) -> Result<(), StartError> {
    let written = |error: serde_json::Error| StartError::Output(error.into());
    let mut size = Size(0);
    serde_json::to_writer(&mut size, content).map_err(written)?;
    // Of the final size: growth would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(size.0 + 1));
    serde_json::to_writer(&mut *line, content).map_err(written)?;
    line.push(b'\n');
    stdout::write(&line)
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Secret<'a>(&'a SecretMap);

impl Serialize for Secret<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value.expose())))
    }
}

struct Secrets<'a>(&'a BulkSecrets);

impl Serialize for Secrets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, secret)| (name, Secret(secret))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g4_metadata_is_a_key_an_equals_sign_and_a_value() {
        for (text, expected) in [
            ("prefix=db", Some(("prefix", "db"))),
            ("a=b=c", Some(("a", "b=c"))),
            ("a=", Some(("a", ""))),
            ("=b", None),
            ("a", None),
            ("", None),
        ] {
            let parsed = key_and_value(text).ok();
            let parsed = parsed.as_ref().map(|(key, value)| (&**key, &**value));
            assert_eq!(parsed, expected, "{text:?}");
        }
    }

    #[test]
    fn the_flags_that_are_shown_are_flags_of_run() {
        let run = RunArgs::augment_args(Command::new(""));
        for flag in SHOWN_FLAGS {
            assert!(
                run.get_arguments().any(|arg| arg.get_id() == flag),
                "{flag}"
            );
        }
    }
}
