//! The secrets API over gRPC: 1 route and message, then the engine with 2 scope and 3 store, then 4
//! encode. The rules are those of [`SecretsGrpc`].

mod body;
#[rustfmt::skip]
mod dapr;
mod deadline;
#[cfg(feature = "reflection")]
#[rustfmt::skip]
mod descriptors;
mod encode;
mod future;
mod message;
mod route;
mod wire;

pub use body::GrpcBody;
pub use future::GrpcFuture;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use self::dapr::{
    GetBulkSecretRequest, GetMetadataRequest, GetMetadataResponse, GetSecretRequest,
    RegisteredComponents,
};
use self::deadline::Deadline;
use self::encode::Encoder;
use self::message::read;
use self::route::{Method, Refusal, route};
use crate::api::Profile;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::request::{Metadata, SecretName, StoreName};

/// What an error says when the caller would not wait any longer.
const DEADLINE_PASSED: &str = "the deadline of the call has passed";

/// Dapr's secrets API as a gRPC service: a part of `dapr.proto.runtime.v1.Dapr`. Cheap to clone,
/// always ready, never fails.
///
/// | method | answer |
/// | --- | --- |
/// | `GetSecret` | one secret; it may be called `bulk` |
/// | `GetBulkSecret` | every secret of the store that this app may see |
/// | `GetMetadata` | the app id, the version, the stores |
/// | every other method | UNIMPLEMENTED |
///
/// 1. The metadata map of a request is its request metadata: at most 32 keys and 8 KiB of keys and
///    values. Names have the limits of [`Engine`], and are taken as they are: nothing is decoded.
/// 2. A message of more than 4 MiB is RESOURCE_EXHAUSTED; nothing of one that has more than 64 KiB is
///    parsed, since no request needs so much. Compressed messages are UNIMPLEMENTED.
/// 3. An answer of more than 16 MiB is RESOURCE_EXHAUSTED, and advises the request metadata key
///    `prefix`.
/// 4. The deadline that the caller sets (`grpc-timeout`) bounds the whole call. A caller that cancels
///    is not waited for.
/// 5. An error has a status and a message. In the documented profile its details are a
///    `google.rpc.Status` with an ErrorInfo, and a ResourceInfo of the secret or the store. Of a
///    secret's name they repeat 256 bytes at most, so that they fit what clients take.
///
/// It is a [`NamedService`] of tonic, for its router and its server; it needs neither.
///
/// ```
/// use dapr_secrets_service::{Engine, SecretsGrpc, SecretsService};
/// use tonic::service::Routes;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::builder().build()?;
/// // Both on one port: gRPC by its path, everything else over HTTP.
/// let http = axum::Router::new().fallback_service(SecretsService::new(engine.clone()));
/// let routes = Routes::from(http).add_service(SecretsGrpc::new(engine));
/// let server = tonic::transport::Server::builder().accept_http1(true).add_routes(routes);
/// # let _ = server;
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// A call with a deadline panics outside of a tokio runtime that has its timer on; so does tonic's
/// own server.
///
/// # Security
///
/// The service asks for no token: put a token layer in front of it. Messages that hold secrets are
/// wiped when they are dropped; what the HTTP server copies into its own buffers is not.
#[derive(Debug, Clone)]
pub struct SecretsGrpc(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    engine: Engine,
    profile: Profile,
    app_id: String,
}

impl SecretsGrpc {
    /// Serves the engine's stores in the documented profile, for an app without an id.
    pub fn new(engine: Engine) -> Self {
        Self::builder(engine).build()
    }

    /// Starts from [`SecretsGrpc::new`], to change something.
    pub fn builder(engine: Engine) -> SecretsGrpcBuilder {
        SecretsGrpcBuilder(Settings {
            engine,
            profile: Profile::default(),
            app_id: String::new(),
        })
    }

    /// The definition of the service, for tonic-reflection's `register_encoded_file_descriptor_set`.
    #[cfg(feature = "reflection")]
    #[cfg_attr(docsrs, doc(cfg(feature = "reflection")))]
    pub const FILE_DESCRIPTOR_SET: &'static [u8] = descriptors::FILE_DESCRIPTOR_SET;

    /// The engine behind the service: the same answers in process, without gRPC.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }
}

/// Changes the defaults of a [`SecretsGrpc`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SecretsGrpcBuilder(Settings);

impl SecretsGrpcBuilder {
    /// Whose answers to give. [`Profile::Documented`] unless said otherwise.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.0.profile = profile;
        self
    }

    /// The app that `GetMetadata` names. None unless said otherwise.
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.0.app_id = app_id.into();
        self
    }

    /// The service.
    pub fn build(self) -> SecretsGrpc {
        SecretsGrpc(Arc::new(self.0))
    }
}

impl NamedService for SecretsGrpc {
    const NAME: &'static str = route::SERVICE;
}

impl<B> Service<Request<B>> for SecretsGrpc
where
    B: Body + Send + 'static,
{
    type Response = Response<GrpcBody>;
    type Error = Infallible;
    type Future = GrpcFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> GrpcFuture {
        let encoder = Encoder::new(self.0.profile);
        match route(&request) {
            Ok((method, deadline)) => {
                let settings = Arc::clone(&self.0);
                GrpcFuture::waiting(async move {
                    answer(&settings, method, deadline, request.into_body(), encoder)
                        .await
                        .unwrap_or_else(|refusal| encoder.refusal(refusal))
                })
            }
            Err(refusal) => GrpcFuture::ready(encoder.refusal(refusal)),
        }
    }
}

async fn answer<B: Body>(
    settings: &Settings,
    method: Method,
    deadline: Deadline,
    body: B,
    encoder: Encoder,
) -> Result<Response<GrpcBody>, Refusal> {
    let engine = &settings.engine;
    match method {
        Method::Secret => {
            let asked: GetSecretRequest = deadline.bound(read(body)).await??;
            let (store, name) = (asked.store_name.as_str(), asked.key.as_str());
            StoreName::check(store)?;
            SecretName::check(name)?;
            let metadata = metadata(asked.metadata.iter())?;
            let reading = deadline.bound(engine.get(store, name, &metadata)).await;
            Ok(match reading {
                Ok(Ok(secret)) => encoder.secret(&secret),
                Ok(Err(error)) => encoder.error(&error),
                Err(_) => encoder.deadline(&too_late(store, Some(name))),
            })
        }
        Method::BulkSecret => {
            let asked: GetBulkSecretRequest = deadline.bound(read(body)).await??;
            let store = asked.store_name.as_str();
            StoreName::check(store)?;
            let metadata = metadata(asked.metadata.iter())?;
            let reading = deadline.bound(engine.bulk(store, &metadata)).await;
            Ok(match reading {
                Ok(Ok(secrets)) => encoder.bulk(store, &secrets),
                Ok(Err(error)) => encoder.error(&error),
                Err(_) => encoder.deadline(&too_late(store, None)),
            })
        }
        Method::Metadata => {
            let _: GetMetadataRequest = deadline.bound(read(body)).await??;
            Ok(encoder.metadata(&describe(settings)))
        }
    }
}

fn too_late(store: &str, secret: Option<&str>) -> Error {
    Error::new(ErrorKind::BackendTimeout, store, secret, DEADLINE_PASSED)
}

/// The map of a request, within the limits that a query has.
fn metadata<'a>(map: impl Iterator<Item = (&'a String, &'a String)>) -> Result<Metadata, Refusal> {
    let mut metadata = Metadata::default();
    let mut bytes = 0_usize;
    // A key without a name means nothing, over HTTP as well.
    for (key, value) in map.filter(|(key, _)| !key.is_empty()) {
        bytes += key.len() + value.len();
        if bytes > message::METADATA_MAX {
            return Err(message::METADATA_TOO_LONG.into());
        }
        metadata.insert(key, value)?;
    }
    Ok(metadata)
}

/// Dapr's metadata document, without the fields that have no meaning here.
fn describe(settings: &Settings) -> GetMetadataResponse {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let engine = &settings.engine;
    // Joined by `,`, so within a name that character is encoded.
    let not_ready: Vec<_> = engine
        .stores()
        .filter(|store| !store.is_ready())
        .map(|store| store.name().replace('%', "%25").replace(',', "%2C"))
        .collect();
    let mut extended = vec![("daprRuntimeVersion".to_owned(), version.clone())];
    if !not_ready.is_empty() {
        extended.push(("notReadyStores".to_owned(), not_ready.join(",")));
    }
    GetMetadataResponse {
        id: settings.app_id.clone(),
        registered_components: engine
            .stores()
            .map(|store| RegisteredComponents {
                name: store.name().to_owned(),
                r#type: store.component_type().to_owned(),
                version: store.version().to_owned(),
                capabilities: store
                    .capabilities()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            })
            .collect(),
        extended_metadata: extended.into_iter().collect(),
        runtime_version: version,
    }
}
