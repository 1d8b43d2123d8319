//! The subcommands, one file each.

pub(crate) mod completions;
pub(crate) mod get;
pub(crate) mod healthcheck;
pub(crate) mod resolve;
pub(crate) mod run;
pub(crate) mod token;
pub(crate) mod validate;
