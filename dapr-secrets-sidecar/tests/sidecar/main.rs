//! The real binary, started on a free port with a clean environment and spoken to over a socket.
#![allow(
    clippy::panic,
    reason = "the helpers of these tests are no test functions themselves"
)]

mod bad_input;
mod body;
#[cfg(feature = "tls")]
mod certificates;
mod completions;
mod connections;
mod cors;
mod crowd;
#[cfg(feature = "grpc")]
#[path = "../../../dapr-secrets-service/tests/it/dapr.rs"]
#[rustfmt::skip]
mod dapr;
// The manifests ask for TLS.
#[cfg(feature = "tls")]
mod deployed;
mod documented_profile;
mod example_resources;
mod flags;
mod frames;
mod generate;
mod get;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "grpc")]
mod grpc_client;
#[cfg(feature = "grpc")]
mod grpc_recorded;
#[cfg(feature = "grpc")]
#[path = "../../../dapr-secrets-service/tests/it/grpc_recording.rs"]
mod grpc_recording;
mod healthcheck;
mod http2;
mod injection;
mod leak;
mod mistakes;
#[cfg(not(feature = "grpc"))]
mod no_grpc;
#[cfg(not(feature = "tls"))]
mod no_tls;
mod outsized;
mod overload;
mod process;
mod public_port;
mod recorded_daprd;
mod recording;
mod reload;
mod resolve;
mod routes;
mod shutdown;
mod store_files;
mod surroundings;
#[cfg(feature = "tls")]
mod tls;
mod token;
mod token_file;
mod unix_socket;
mod unread;
mod validate;
mod wire;
