//! The real binary, started on a free port with a clean environment and spoken to over a socket.
#![allow(
    clippy::panic,
    reason = "the helpers of these tests are no test functions themselves"
)]

mod bad_input;
mod connections;
mod documented_profile;
mod example_resources;
mod flags;
mod frames;
mod http2;
mod injection;
mod leak;
mod overload;
mod process;
mod recorded_daprd;
mod recording;
mod reload;
mod routes;
mod shutdown;
mod store_files;
mod token;
mod unread;
mod validate;
mod wire;
