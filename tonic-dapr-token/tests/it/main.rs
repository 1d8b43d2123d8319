//! The layer and the interceptors around real tonic servers and channels: one binary for all of them.

mod calls;
mod client;
mod frames;
mod http_beside;
mod inject;
mod interceptor;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod interceptor_keys;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod jwks;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
mod manifest;
mod named;
mod presets;
mod recorded;
mod rejection;
mod rotation;
mod server;
mod streams;
mod support;
mod upload;
