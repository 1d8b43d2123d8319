//! `completions`: a script for a shell that completes subcommands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::StartError;
use crate::shutdown::Ended;
use crate::stdout;

pub(crate) const NOTES: &str = "\
Example:
  dapr-secrets-sidecar completions bash > ~/.local/share/bash-completion/completions/dapr-secrets-sidecar
  dapr-secrets-sidecar completions zsh > \"${fpath[1]}/_dapr-secrets-sidecar\"
  dapr-secrets-sidecar completions fish > ~/.config/fish/completions/dapr-secrets-sidecar.fish";

/// The arguments of `completions`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct CompletionsArgs {
    /// Whose script to print
    #[arg(value_enum)]
    shell: Shell,
}

/// # Errors
///
/// [`StartError::Output`].
pub(crate) fn completions(
    args: &CompletionsArgs,
    mut command: Command,
) -> Result<Ended, StartError> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, &*name, &mut script);
    if args.shell == Shell::Bash {
        script = with_one_spelling(&name, script);
    }
    stdout::write(&script)?;
    Ok(Ended::Drained)
}

/// In scripts for bash, clap_complete 4.6 writes the name of a program with a hyphen in two ways, so that nothing behind a
/// subcommand is completed (clap-rs/clap#6421). A script that has one way only stays as it is.
fn with_one_spelling(name: &str, script: Vec<u8>) -> Vec<u8> {
    let (one, other) = (name.replace('-', "__"), name.replace('-', "__subcmd__"));
    match String::from_utf8(script) {
        Ok(text) => text.replace(&other, &one).into_bytes(),
        Err(raw) => raw.into_bytes(),
    }
}
