//! `gate` for continuous integration, `timing` for C4, `scaling` for two threads, `record` for `RESULTS.md`, and the
//! commands that look at one case.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use dapr_token_benches::ours::INDISTINGUISHABLE;
use dapr_token_benches::timing::{self, Verdict};
use dapr_token_benches::{cases, command, gate, results, scaling};

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
            let findings = gate::check(&cases, INDISTINGUISHABLE, &package.join("record.json"))?;
            write!(io::stdout(), "{}", findings.table)?;
            Ok(if findings.passed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        ["record"] => {
            results::write(&cases, package)?;
            Ok(ExitCode::SUCCESS)
        }
        ["timing"] => time(timing::SAMPLES),
        // Whatever is no number is as much out of bounds as a number that is too small.
        ["timing", samples] => time(samples.parse().unwrap_or_default()),
        ["scaling"] => {
            gate::optimised()?;
            write!(io::stdout(), "{}", scaling::table())?;
            Ok(ExitCode::SUCCESS)
        }
        arguments if command::run(&cases, arguments)? => Ok(ExitCode::SUCCESS),
        _ => Err(format!(
            "usage: cargo run --release -p dapr-token-benches -- COMMAND\n  \
             gate            counts the gated cases and compares them with record.json\n  \
             timing [N]      whether times tell how much of a token is right, by N samples a pair\n  \
             scaling         what two threads serve together, beside what one serves\n  \
             record          measures everything and writes RESULTS.md and record.json\n{}",
            command::USAGE
        )
        .into()),
    }
}

/// A run that cannot be made says as little as an invalid one, and ends with the same code.
fn time(samples: usize) -> Result<ExitCode, Box<dyn Error>> {
    let verdict = match timing::run(samples) {
        Ok(report) => {
            write!(io::stdout(), "{}", report.text)?;
            report.verdict
        }
        Err(error) => {
            writeln!(io::stderr(), "{error}")?;
            Verdict::Invalid
        }
    };
    match verdict {
        Verdict::Passed => {}
        Verdict::Leaks => writeln!(
            io::stderr(),
            "times tell secrets apart: a real leak grows with the root of N, chance does not"
        )?,
        Verdict::Invalid => writeln!(
            io::stderr(),
            "the run is invalid: it says nothing about the layer"
        )?,
    }
    Ok(ExitCode::from(verdict.exit_code()))
}
