//! `token generate`: a new token on stdout, for `DAPR_API_TOKEN` or a token file.
//!
//! The bytes come from the random number generator of the operating system, which is the only source.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::error::StartError;
use crate::shutdown::Ended;
use crate::stdout;

pub(crate) const NOTES: &str = "\
Example:
  dapr-secrets-sidecar token generate > token.txt
  DAPR_API_TOKEN=$(dapr-secrets-sidecar token generate) dapr-secrets-sidecar run --resources-path ./resources

The token has only letters, digits, `-` and `_`: it needs no quoting in a shell, a header or YAML.

Exit codes:
  0      a token was printed
  1      the operating system gave no random bytes, or stdout is closed
  2      a flag was refused";

/// The arguments of `token`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum TokenCommand {
    /// Print a new random token: one line of base64url
    #[command(after_help = NOTES)]
    Generate {
        /// How many random bytes, 16 to 512; the token has four characters for every three of them
        // 256 bits: out of reach of guessing, and still one short line. The longest fits into what the token check reads.
        #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(16..=512))]
        bytes: u16,
    },
}

/// # Errors
///
/// [`StartError::Random`] and [`StartError::Output`].
pub(crate) fn token(args: &TokenArgs) -> Result<Ended, StartError> {
    let TokenCommand::Generate { bytes } = args.command;
    let mut random = Zeroizing::new(vec![0; usize::from(bytes)]);
    getrandom::fill(&mut random).map_err(StartError::Random)?;
    // Of the final size: growth would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(random.len().div_ceil(3) * 4 + 1));
    URL_SAFE_NO_PAD.encode_string(&*random, &mut line);
    line.push('\n');
    stdout::write(line.as_bytes())?;
    Ok(Ended::Drained)
}
