//! Dapr's secrets API as one small binary: `run` serves it, `validate` checks what it would serve, `get` reads without serving,
//! `resolve` shows what components refer to.
//!
//! ```text
//! connection -> token layer -> health.rs: own route? -> answer (encode.rs)
//!   listen/       token.rs          \-> every other path -> SecretsService -> scope -> store -> budget.rs
//! ```
//!
//! The package's `README.md` lists the flags, the environment variables and the exit codes.
#![forbid(unsafe_code)]

mod admission;
mod args;
mod backend;
mod budget;
mod commands;
mod cors;
mod encode;
mod env;
mod error;
mod files;
mod foreign;
mod gauge;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(not(feature = "grpc"))]
#[path = "no_grpc.rs"]
mod grpc;
mod health;
mod held;
mod listen;
mod listeners;
mod load;
mod one_line;
mod reload;
mod route;
mod shutdown;
#[cfg(test)]
mod silent;
mod stdout;
mod telemetry;
mod token;

/// The integration tests make the same certificates.
#[cfg(all(test, feature = "tls"))]
#[path = "../tests/sidecar/certificates.rs"]
mod certificates;

use std::process::ExitCode;

use crate::args::{Invocation, Subcommand};

fn main() -> ExitCode {
    if let Err(error) = shutdown::forbid_core_dumps() {
        return telemetry::report(&error, false);
    }
    let Invocation {
        subcommand,
        args,
        foreign,
    } = match args::parse(env::arguments()) {
        Ok(invocation) => invocation,
        Err(refusal) => return args::print(&refusal),
    };
    let environment = env::process();
    let json = args.log_as_json;
    let ended = match subcommand {
        Subcommand::Run => commands::run::run(args, &foreign, &environment),
        Subcommand::Validate => commands::validate::validate(&args, &environment),
        Subcommand::Get(wanted) => commands::get::get(&args, &wanted, &environment),
        Subcommand::Token(args) => commands::token::token(&args),
        Subcommand::Healthcheck(args) => commands::healthcheck::healthcheck(&args, &*environment),
        Subcommand::Completions(args) => commands::completions::completions(&args, args::command()),
        Subcommand::Resolve(what) => commands::resolve::resolve(&args, &what, &environment),
    };
    ended.map_or_else(|error| telemetry::report(&error, json), ExitCode::from)
}
