//! The whole service: requests in, responses out, over stores given as values and over files.

#[cfg(feature = "testing")]
mod broken;
#[cfg(feature = "grpc")]
mod call;
mod compile_fail;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod config;
#[cfg(feature = "testing")]
mod conformance;
#[cfg(all(feature = "config", not(all(feature = "file", feature = "env"))))]
mod disabled;
#[cfg(feature = "grpc")]
#[rustfmt::skip]
mod dapr;
mod errors;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod files;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "grpc")]
mod grpc_errors;
#[cfg(feature = "grpc")]
mod grpc_limits;
#[cfg(all(feature = "grpc", feature = "file"))]
mod grpc_mounting;
#[cfg(all(
    feature = "grpc",
    feature = "config",
    feature = "file",
    feature = "env"
))]
mod grpc_recorded;
#[cfg(all(
    feature = "grpc",
    feature = "config",
    feature = "file",
    feature = "env"
))]
mod grpc_recording;
#[cfg(feature = "reflection")]
mod grpc_reflection;
#[cfg(feature = "file")]
mod http;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod leak;
mod log;
#[cfg(all(unix, feature = "config", feature = "file", feature = "env"))]
mod mistakes;
#[cfg(feature = "file")]
mod mounting;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod recorded;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod references;
#[cfg(all(unix, feature = "config", feature = "file", feature = "env"))]
mod reload;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod resolved;
mod scopes;
mod shelf;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod slips;
mod statuses;
mod talk;
#[cfg(all(feature = "config", feature = "file", feature = "env"))]
mod vault;
