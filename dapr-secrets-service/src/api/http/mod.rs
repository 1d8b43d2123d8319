//! The secrets API over HTTP: 1 route, then the engine with 2 scope and 3 store, then 4 encode. The
//! rules are those of [`SecretsService`].

mod body;
mod encode;
mod fallback;
mod future;
mod json;
mod route;

pub use body::ResponseBody;
pub use fallback::{FallbackBody, FallbackFuture, WithFallback};
pub use future::ResponseFuture;

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::api::Profile;
use crate::engine::Engine;
use crate::request::SecretsRequest;
use encode::Encoder;
use route::{Mount, Refusal, route};

/// Dapr's secrets API as a Tower service. Cheap to clone, always ready, never fails.
///
/// | request | answer |
/// | --- | --- |
/// | `GET /v1.0/secrets/{store}/{name}` | one secret |
/// | `GET /v1.0/secrets/{store}/bulk` | every secret of the store that this app may see |
/// | `HEAD` of both | the same without its body |
/// | another method | 405 |
/// | another path | 404, or the service given to [`SecretsServiceBuilder::build_with_fallback`] |
///
/// 1. Paths are matched raw, segment by segment; each segment is then decoded once. Empty
///    segments are dropped, `.` and `..` are never resolved.
/// 2. Only the full path is matched. Under a router that strips `/v1.0/secrets`, say
///    [`SecretsServiceBuilder::nested`]. It is never both: a service that also took
///    `/store/name` would serve secrets past a proxy's rule on `/v1.0/secrets`.
/// 3. Request bodies are ignored and never read.
/// 4. A query has at most 8 KiB and 32 keys of request metadata; names have the limits of
///    [`Engine`].
///
/// ```
/// use dapr_secrets_service::{Engine, Profile, SecretsService};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::builder().build()?;
/// let app = axum::Router::<()>::new()
///     .fallback_service(SecretsService::new(engine.clone()))
///     // or, for clients written against daprd, under a stripped prefix:
///     .nest_service(
///         "/v1.0/secrets",
///         SecretsService::builder(engine).profile(Profile::Daprd).nested().build(),
///     );
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// The service asks for no token: put a token layer in front of it, or serve it where only this
/// app can connect. Bodies that hold secrets are wiped when they are dropped; what the HTTP
/// server copies into its own buffers is not.
#[derive(Debug, Clone)]
pub struct SecretsService {
    engine: Engine,
    profile: Profile,
    mount: Mount,
}

impl SecretsService {
    /// Serves the engine's stores under the full path, in the documented profile.
    pub fn new(engine: Engine) -> Self {
        Self::builder(engine).build()
    }

    /// Starts from [`SecretsService::new`], to change something.
    pub fn builder(engine: Engine) -> SecretsServiceBuilder {
        SecretsServiceBuilder(Self {
            engine,
            profile: Profile::default(),
            mount: Mount::FullPath,
        })
    }

    /// The engine behind the service: the same answers in process, without HTTP.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same stores in the same profile, over gRPC.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn grpc(&self) -> crate::SecretsGrpc {
        crate::SecretsGrpc::builder(self.engine.clone())
            .profile(self.profile)
            .build()
    }
}

/// Changes the defaults of a [`SecretsService`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct SecretsServiceBuilder(SecretsService);

impl SecretsServiceBuilder {
    /// Whose answers to give. [`Profile::Documented`] unless said otherwise.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.0.profile = profile;
        self
    }

    /// Expects what is left of the path after `/v1.0/secrets`, and only that.
    pub fn nested(mut self) -> Self {
        self.0.mount = Mount::Nested;
        self
    }

    /// The service.
    pub fn build(self) -> SecretsService {
        self.0
    }

    /// The service in front of another one, which gets every request for another path.
    pub fn build_with_fallback<F>(self, fallback: F) -> WithFallback<F> {
        WithFallback::new(self.0, fallback)
    }
}

impl<B> Service<Request<B>> for SecretsService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let encoder = Encoder::new(self.profile, request.method());
        self.respond(self.route(&request), encoder)
    }
}

impl SecretsService {
    fn route<B>(&self, request: &Request<B>) -> Result<SecretsRequest, Refusal> {
        route(request.method(), request.uri(), self.mount, self.profile)
    }

    fn respond(&self, routed: Result<SecretsRequest, Refusal>, encoder: Encoder) -> ResponseFuture {
        match routed {
            Ok(wanted) => ResponseFuture::waiting(answer(self.engine.clone(), wanted, encoder)),
            Err(refusal) => ResponseFuture::ready(encoder.refusal(refusal)),
        }
    }
}

async fn answer(
    engine: Engine,
    wanted: SecretsRequest,
    encoder: Encoder,
) -> Response<ResponseBody> {
    match wanted {
        SecretsRequest::Get {
            store,
            name,
            metadata,
        } => match engine.get(store.as_str(), name.as_str(), &metadata).await {
            Ok(secret) => encoder.secret(&secret),
            Err(error) => encoder.error(&error),
        },
        SecretsRequest::Bulk { store, metadata } => {
            match engine.bulk(store.as_str(), &metadata).await {
                Ok(secrets) => encoder.bulk(&secrets),
                Err(error) => encoder.error(&error),
            }
        }
    }
}
