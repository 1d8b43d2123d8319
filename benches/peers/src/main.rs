//! The floor, ours and the rivals in one binary, driven by the same loop with the same requests.
//!
//! Each rival is used as its documentation shows. `table` and `grpc-table` measure all rows; the other commands are those
//! of `dapr-token-benches`. The rivals that verify JWTs are a package of their own, `jwt/`, with a binary of their own.
#![forbid(unsafe_code)]

mod axum_from_fn;
mod dapr_sdk;
#[cfg(test)]
mod left_out;
mod tonic_interceptor;
mod tonic_ours;
mod tower_http_exempt;
mod tower_http_set_header;
mod tower_http_validate;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use dapr_token_benches::case::Case;
use dapr_token_benches::contender::{self, Contender, side_by_side};
use dapr_token_benches::{command, gate};

/// Every case: those of the floor and of ours, then the rivals'.
fn cases() -> Vec<Case> {
    let mut cases = dapr_token_benches::cases();
    for rivals in [
        tower_http_validate::CASES,
        dapr_sdk::CASES,
        axum_from_fn::CASES,
        tower_http_exempt::CASES,
        tower_http_set_header::CASES,
        tonic_ours::CASES,
        tonic_interceptor::CASES,
    ] {
        cases.extend_from_slice(rivals);
    }
    cases
}

fn contenders() -> Vec<Contender> {
    let mut contenders = contender::OURS.to_vec();
    contenders.extend([
        tower_http_validate::CONTENDER,
        dapr_sdk::CONTENDER,
        axum_from_fn::CONTENDER,
        tower_http_exempt::CONTENDER,
        tower_http_set_header::CONTENDER,
    ]);
    contenders
}

/// Those in front of a tonic server, asked by gRPC.
fn grpc_contenders() -> Vec<Contender> {
    let mut contenders = contender::GRPC_FLOOR.to_vec();
    contenders.extend(tonic_ours::CONTENDERS);
    contenders.push(tonic_interceptor::CONTENDER);
    contenders
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell it to if standard error is gone.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let cases = cases();
    match arguments {
        ["table"] => print(&contenders(), &cases),
        ["grpc-table"] => print(&grpc_contenders(), &cases),
        arguments if command::run(&cases, arguments)? => Ok(()),
        _ => Err(format!(
            "usage: dapr-token-bench-peers COMMAND\n  \
             table           every row, measured\n  \
             grpc-table      the same of what stands in front of a tonic server\n{}",
            command::USAGE
        )
        .into()),
    }
}

fn print(contenders: &[Contender], cases: &[Case]) -> Result<(), Box<dyn Error>> {
    gate::optimised()?;
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"))?;
    write!(io::stdout(), "{}", side_by_side(contenders, cases, &lock)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use dapr_token_benches::case::find;
    use dapr_token_benches::figures::answers_as_told;

    use super::*;

    #[test]
    fn every_rival_accepts_and_refuses_as_its_row_says() {
        let cases = cases();
        for contender in contenders().into_iter().chain(grpc_contenders()) {
            for name in [Some(contender.accept), contender.reject]
                .into_iter()
                .flatten()
            {
                let case = find(&cases, name).unwrap();
                assert!(answers_as_told(case).unwrap(), "{name}");
            }
        }
    }
}
