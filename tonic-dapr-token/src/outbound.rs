//! [`InjectTokenInterceptor`]: the token on every call of a tonic client.

use tonic::service::Interceptor;
use tonic::{Request, Status};
use tower_dapr_token::{
    ConfigError, HeaderInjector, InjectTokenBuilder, InjectTokenLayer, Origin, Token,
};

/// Sets Dapr's API token on every call of a client that is made `with_interceptor`.
///
/// An interceptor sees no address. So its constructor takes the origin that the channel goes to, and checks once
/// whether it may have the token (`I3`, `I4`, `I8`). Give it the address that the channel is made of, and no other.
///
/// The value is set in place of every one that the caller set, marked sensitive, and follows a token that changes.
/// No call ever fails because of it. It sees no answer, so unlike
/// [`InjectTokenLayer`](crate::InjectTokenLayer) it asks for no reload when a token was refused (`I6`).
///
/// ```
/// use tonic::service::interceptor::InterceptedService;
/// use tonic::transport::{Channel, Endpoint};
/// use tonic_dapr_token::{InjectTokenInterceptor, Origin};
/// use tonic_health::pb::health_client::HealthClient;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sidecar = "http://127.0.0.1:50001";
/// let origin: Origin = sidecar.parse()?;
/// // In an app of yours: `InjectTokenInterceptor::dapr(origin)?`, which reads DAPR_API_TOKEN
/// let inject = InjectTokenInterceptor::new("a-token-of-16-bytes-or-more".parse()?, origin)?;
///
/// let channel = Endpoint::from_static(sidecar).connect_lazy();
/// let client: HealthClient<InterceptedService<Channel, InjectTokenInterceptor>> =
///     HealthClient::with_interceptor(channel, inject);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an interceptor does nothing until it is put before a client"]
pub struct InjectTokenInterceptor(HeaderInjector);

impl InjectTokenInterceptor {
    /// Sends this token to this origin.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the origin is plain `http` on another host and not pardoned.
    pub fn new(token: Token, origin: Origin) -> Result<Self, ConfigError> {
        Self::builder()
            .token(token)
            .add_origin(origin.clone())
            .build_injector(origin)
            .map(Self)
    }

    /// For a client that calls daprd: `DAPR_API_TOKEN`, to this origin, which must be one of daprd's: loopback on
    /// `DAPR_GRPC_PORT` or `DAPR_HTTP_PORT` (50001 and 3500 unless set), `DAPR_GRPC_ENDPOINT`,
    /// `DAPR_HTTP_ENDPOINT`, or a Unix socket.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the token is unset, empty or not a token, if the origin is none of these, or if one of
    /// those variables is set to what it cannot be.
    pub fn dapr(origin: Origin) -> Result<Self, ConfigError> {
        Self::builder()
            .dapr_token()
            .build_injector(origin)
            .map(Self)
    }

    /// For a client that calls an app as daprd does: `APP_API_TOKEN`, to this origin.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the token is unset, empty or not a token, or if the origin is plain `http` on another
    /// host and not pardoned.
    pub fn app(origin: Origin) -> Result<Self, ConfigError> {
        Self::builder()
            .app_token()
            .add_origin(origin.clone())
            .build_injector(origin)
            .map(Self)
    }

    /// Everything else. What [`build_injector()`](InjectTokenBuilder::build_injector) gives is turned into this
    /// one with `into()`.
    pub fn builder() -> InjectTokenBuilder<'static> {
        InjectTokenLayer::builder()
    }
}

impl From<HeaderInjector> for InjectTokenInterceptor {
    fn from(injector: HeaderInjector) -> Self {
        Self(injector)
    }
}

impl Interceptor for InjectTokenInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        // Whatever came of it, the call goes on (`I2`); an observer is told.
        let _ = self.0.inject(request.metadata_mut().as_mut());
        Ok(request)
    }
}
