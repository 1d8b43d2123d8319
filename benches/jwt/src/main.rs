//! `gate` for continuous integration, `record` for `RESULTS.md`, and the commands that look at one case.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use dapr_token_benches::{command, gate};
use dapr_token_jwt_benches::{cases, report, token};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to tell it to if standard error is gone.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let cases = cases();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    match arguments {
        ["gate"] => {
            let findings = gate::check(&cases, &[], &package.join("record.json"))?;
            write!(io::stdout(), "{}", findings.table)?;
            Ok(if findings.passed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        ["record"] => {
            write!(io::stdout(), "{}", report::record(&cases, package)?)?;
            Ok(ExitCode::SUCCESS)
        }
        ["mint"] => {
            for tokens in token::ALL {
                let file = package.join(format!("tokens/{tokens:?}.txt"));
                fs::write(file, tokens.mint()?)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        arguments if command::run(&cases, arguments)? => Ok(ExitCode::SUCCESS),
        _ => Err(format!(
            "usage: cargo run --release -p dapr-token-jwt-benches -- COMMAND\n  \
             gate            counts the gated cases and compares them with record.json\n  \
             record          measures everything, writes record.json and prints the tables of RESULTS.md\n  \
             mint            signs the tokens anew\n{}",
            command::USAGE
        )
        .into()),
    }
}
