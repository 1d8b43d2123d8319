//! The layer around a real tonic server, asked by a real tonic channel.

mod manifest;
mod presets;
mod server;
