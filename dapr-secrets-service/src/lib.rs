#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! Dapr's secrets API as a Tower service over real secret stores.
//!
//! It answers `GET /v1.0/secrets/{store}/{name}` and `GET /v1.0/secrets/{store}/bulk` like the
//! Dapr sidecar does, from inside of any axum, hyper or Tower stack, or without HTTP through
//! [`Engine`]. Secrets are only ever read.
//!
//! ```text
//! request -> 1 route -> SecretsRequest -> 2 scope -> Permit -> 3 store -> 4 encode -> response
//!              |                            |                    |
//!              +-- refused: 400, 404, 405   +-- refused: 403     +-- Error: 204, 400, 500
//! ```
//!
//! | step | where |
//! | --- | --- |
//! | 1 route | `api/http/route.rs`: raw path and query become a checked request |
//! | 2 scope | `scope.rs`: allow and deny lists on the store's canonical name make a [`Permit`] |
//! | 3 store | `store/`: a [`SecretStore`] reads nothing without a permit |
//! | 4 encode | `api/http/encode.rs`: the one table of status codes, per [`Profile`] |
//!
//! # Quick start in axum
//!
#![cfg_attr(feature = "file", doc = "```")]
#![cfg_attr(not(feature = "file"), doc = "```text")]
//! use axum::{Router, routing::get};
//! use dapr_secrets_service::{Engine, FileStore, Scope, SecretsService};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = FileStore::builder().parse(r#"{"db": {"user": "admin", "password": "p@ss"}}"#)?;
//! let engine = Engine::builder()
//!     .add_store("local", store)
//!     .add_scope("local", Scope::only(["db:user", "db:host"]))
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "my app" }))
//!     .fallback_service(SecretsService::new(engine));
//! // GET /v1.0/secrets/local/db:user      -> 200 {"db:user":"admin"}
//! // GET /v1.0/secrets/local/db:password  -> 403
//! // GET /v1.0/secrets/local/db:host      -> 204
//! # use tower::ServiceExt;
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! #     for (name, status) in [("db:user", 200), ("db:password", 403), ("db:host", 204)] {
//! #         let uri = format!("/v1.0/secrets/local/{name}");
//! #         let request = http::Request::get(uri).body(axum::body::Body::empty())?;
//! #         assert_eq!(app.clone().oneshot(request).await?.status(), status);
//! #     }
//! #     Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok(())
//! # }
//! ```
//!
//! The contracts stand on the types: [`SecretsService`] for what is answered, [`Engine`] for how a
//! secret is reached, [`Scope`] for who may read it, [`SecretStore`] for what a store owes.
//!
//! # Security
//!
//! The service checks no token: put a token layer around it, or serve it where only this app can
//! connect. Values are wiped from memory when they are dropped and have no `Display`; no error,
//! log line or `Debug` output holds one.
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `file` | yes | `FileStore`: the secrets of a JSON file (`secretstores.local.file`) |
//! | `env` | yes | `EnvStore`: environment variables (`secretstores.local.env`) |
//! | `config` | no | `config`: component and configuration files, in YAML |
//! | `grpc` | no | `SecretsGrpc`: the same over gRPC, as a service for tonic |
//! | `reflection` | no | its descriptors, for tonic-reflection |
//! | `testing` | no | `testing`: the conformance suite for a store of your own |
//!
//! Without `config` no YAML is compiled in, without `grpc` no tonic, and no feature pulls in a TLS
//! stack or a server.

mod api;
#[cfg(any(feature = "config", feature = "file"))]
mod bounded_file;
mod builder;
mod bulk;
mod engine;
mod environment;
mod error;
mod inventory;
#[cfg(any(feature = "config", feature = "file"))]
mod one_line;
mod request;
mod scope;
mod secret;
mod store;

#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub mod config;

#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

pub use api::Profile;
#[cfg(feature = "grpc")]
#[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
pub use api::grpc::{GrpcBody, GrpcFuture, SecretsGrpc, SecretsGrpcBuilder};
pub use api::http::{
    FallbackBody, FallbackFuture, ResponseBody, ResponseFuture, SecretsService,
    SecretsServiceBuilder, WithFallback,
};
pub use builder::{ConfigError, EngineBuilder};
pub use bulk::BulkSecrets;
pub use engine::Engine;
pub use environment::{Environment, ProcessEnvironment};
pub use error::{Error, ErrorKind};
pub use inventory::StoreStatus;
pub use request::{InvalidRequest, Metadata};
pub use scope::{Access, BulkPermit, Permit, Scope};
pub use secret::{SecretMap, SecretValue};
#[cfg(feature = "env")]
#[cfg_attr(docsrs, doc(cfg(feature = "env")))]
pub use store::env::EnvStore;
#[cfg(feature = "file")]
#[cfg_attr(docsrs, doc(cfg(feature = "file")))]
pub use store::file::{FileStore, FileStoreBuilder, FileStoreError};
pub use store::{
    MULTIPLE_KEY_VALUES_PER_SECRET, SecretStore, StoreError, StoreErrorKind, StoreFuture,
};

#[cfg(all(doctest, feature = "config", feature = "file", feature = "env"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The page that the repository opens with; its examples compile here, where both libraries are at hand.
#[cfg(all(doctest, feature = "config", feature = "file", feature = "env"))]
#[doc = include_str!("../../README.md")]
struct WorkspaceReadme;

/// How to deploy: what it says of the layers compiles here as well.
#[cfg(all(doctest, feature = "config", feature = "file", feature = "env"))]
#[doc = include_str!("../../deploy/README.md")]
struct DeployReadme;
