//! Dapr's secrets API on the wire.

mod failed;
#[cfg(feature = "grpc")]
pub(crate) mod grpc;
pub(crate) mod http;
mod wiped;

/// Whose answers the API gives where Dapr's documents and the running daprd disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Profile {
    /// What Dapr documents: 204 for a missing secret, 400 for an unknown store, errors with
    /// details.
    #[default]
    Documented,
    /// What daprd 1.18 answers: 500 for a missing secret, 401 for an unknown store, an empty
    /// value for an environment variable that is not set. For clients written against it.
    Daprd,
}
