//! [`RequireTokenInterceptor`]: the inbound check for tonic's `with_interceptor`.

use std::sync::Arc;

use tonic::service::Interceptor;
use tonic::{Request, Status};
use tower_dapr_token::{ConfigError, HeaderVerifier, Protocol, RequireTokenBuilder, Token};

use crate::status::Refusals;

/// Requires Dapr's app token on every call of the services that it is put before, **without any exemption**.
///
/// Prefer [`RequireTokenLayer`](crate::RequireTokenLayer). An interceptor sees no path, so it cannot let daprd's
/// own calls through that carry no token: its health probe, and the discovery calls `ListTopicSubscriptions` and
/// `ListInputBindings` (`X6`). In front of an `AppCallback` service it stops events and input bindings from ever
/// arriving. It is for the other services of a server, and for who must name the type of a single one. It also
/// costs more: tonic turns each request into one of its own and back.
///
/// Otherwise it is the same check: the same tokens, with their rotation, the same rules for a header that is
/// repeated, empty or too long, the header taken out of the metadata, and a refusal with the same code, message
/// and details. It decides at once and never waits. A JWT whose key is not known is refused therefore, where the layer would
/// fetch the key and wait; the interceptor has it fetched for those who come after (`T7`).
///
/// ```
/// # use tonic::{Request, Response, Status, async_trait};
/// # use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
/// # use tonic_health::pb::health_server::{Health, HealthServer};
/// # struct MyHealth;
/// # #[async_trait]
/// # impl Health for MyHealth {
/// #     async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
/// #         Err(Status::unimplemented(""))
/// #     }
/// #     type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;
/// #     async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
/// #         Err(Status::unimplemented(""))
/// #     }
/// # }
/// use tonic::service::interceptor::InterceptedService;
/// use tonic_dapr_token::RequireTokenInterceptor;
///
/// // In an app of yours: `RequireTokenInterceptor::strict()?`
/// let require = RequireTokenInterceptor::new("a-token-of-16-bytes-or-more".parse()?);
/// let service: InterceptedService<HealthServer<MyHealth>, RequireTokenInterceptor> =
///     HealthServer::with_interceptor(MyHealth, require);
/// # Ok::<(), tonic_dapr_token::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "an interceptor does nothing until it is put before a service"]
pub struct RequireTokenInterceptor {
    verifier: HeaderVerifier,
    refusals: Arc<Refusals>,
}

impl RequireTokenInterceptor {
    /// Accepts this token and no other, with every other setting at its default. Cannot fail.
    pub fn new(token: Token) -> Self {
        HeaderVerifier::new(token).into()
    }

    /// The app token of `APP_API_TOKEN` (and `APP_API_TOKEN_PREVIOUS`) for every call.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `APP_API_TOKEN` is unset, empty or not a token.
    pub fn strict() -> Result<Self, ConfigError> {
        Self::builder().app_token().build_verifier().map(Self::from)
    }

    /// Everything else: tokens that change, an observer, another header. What
    /// [`build_verifier()`](RequireTokenBuilder::build_verifier) gives is turned into this one with `into()`; an
    /// exemption makes that fail. With keys that are fetched (feature `jwks`) it ends in `build_verifier().await?.into()`.
    ///
    /// ```
    /// use tonic_dapr_token::{RequireTokenInterceptor, TokenHandle, TokenSet};
    ///
    /// let tokens = TokenHandle::new(TokenSet::new("the-first-token-of-32-bytes-or-so".parse()?));
    /// let require: RequireTokenInterceptor = RequireTokenInterceptor::builder()
    ///     .reader(tokens.reader()) // follows every change of `tokens`
    ///     .with_extensions() // a handler finds `Authenticated` in its request
    ///     .build_verifier()?
    ///     .into();
    /// # Ok::<(), tonic_dapr_token::ConfigError>(())
    /// ```
    pub fn builder() -> RequireTokenBuilder<'static> {
        crate::RequireTokenLayer::builder()
    }
}

impl From<HeaderVerifier> for RequireTokenInterceptor {
    fn from(verifier: HeaderVerifier) -> Self {
        Self {
            verifier,
            refusals: Arc::default(),
        }
    }
}

impl Interceptor for RequireTokenInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = request.metadata_mut().as_mut();
        match self.verifier.verify(headers, Protocol::Grpc) {
            Ok(authenticated) => {
                self.verifier.mark(request.extensions_mut(), authenticated);
                Ok(request)
            }
            Err(rejection) => Err(self.refusals.of(&self.verifier, &rejection)),
        }
    }
}
