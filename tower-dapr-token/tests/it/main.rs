//! The layers around real services: one binary for all integration tests.

#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod authority;
#[cfg(feature = "axum")]
mod axum_nest;
mod bypass;
#[cfg(feature = "tracing")]
mod capture;
mod contract;
mod environment;
mod exempt;
mod headers;
mod inbound;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod issuer;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod jwks;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod jwks_headers;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt_tables;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod key_set_file;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod key_set_file_sockets;
#[cfg(all(feature = "tokio", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod key_set_file_task;
mod leak;
#[cfg(all(feature = "metrics", feature = "tracing"))]
mod leak_log;
#[cfg(all(
    feature = "jwks",
    feature = "jwt",
    feature = "metrics",
    feature = "tracing"
))]
mod leak_types;
mod manifest;
mod observe;
#[cfg(feature = "metrics")]
mod observe_metrics;
#[cfg(feature = "tracing")]
mod observe_tracing;
mod outbound;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod outbound_jwt;
mod properties;
mod recorded;
mod rotation;
#[cfg(unix)]
mod rotation_accidents;
mod rotation_files;
mod rotation_handle;
mod rotation_revoke;
#[cfg(feature = "tokio")]
mod rotation_task;
#[cfg(feature = "inotify")]
mod rotation_watch;
#[cfg(all(feature = "metrics", feature = "tracing"))]
mod secrets;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod sentry;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod signing;
mod sockets;
mod support;
