//! The layers around real services: one binary for all integration tests.

#[cfg(feature = "tracing")]
mod capture;
mod contract;
mod environment;
mod exempt;
mod inbound;
mod leak;
#[cfg(all(feature = "metrics", feature = "tracing"))]
mod leak_log;
#[cfg(all(feature = "metrics", feature = "tracing"))]
mod leak_types;
mod manifest;
mod observe;
#[cfg(feature = "metrics")]
mod observe_metrics;
#[cfg(feature = "tracing")]
mod observe_tracing;
mod outbound;
mod recorded;
#[cfg(feature = "tokio")]
mod rotation;
mod rotation_files;
mod rotation_revoke;
#[cfg(feature = "tokio")]
mod rotation_task;
#[cfg(all(feature = "metrics", feature = "tracing"))]
mod secrets;
mod sockets;
mod support;
