//! The whole service: requests in, responses out, over stores given as values and over files.

mod compile_fail;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod config;
#[cfg(all(feature = "config", not(all(feature = "file", feature = "env"))))]
mod disabled;
mod errors;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod files;
#[cfg(feature = "file")]
mod http;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod leak;
mod log;
#[cfg(feature = "file")]
mod mounting;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod recorded;
#[cfg(all(unix, feature = "config", feature = "file", feature = "env"))]
mod reload;
mod scopes;
mod shelf;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod slips;
mod talk;
