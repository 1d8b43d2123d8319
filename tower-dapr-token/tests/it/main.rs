//! The layers around real services: one binary for all integration tests.

mod contract;
mod environment;
mod exempt;
mod inbound;
mod leak;
mod manifest;
mod outbound;
mod recorded;
#[cfg(feature = "tokio")]
mod rotation;
mod rotation_files;
mod rotation_revoke;
#[cfg(feature = "tokio")]
mod rotation_task;
mod sockets;
mod support;
