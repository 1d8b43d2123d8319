//! [`RequireTokenLayer`]: the inbound check with the presets of a gRPC app.

use tower_dapr_token::{ConfigError, RequireToken, RequireTokenBuilder};
use tower_layer::Layer;

/// Requires Dapr's app token on every gRPC call, but the probes and discovery calls that daprd makes without
/// one.
///
/// A thin type around [`tower_dapr_token::RequireTokenLayer`], which answers gRPC in gRPC: a refused call
/// ends UNAUTHENTICATED, trailers-only, with an `ErrorInfo`. A plain HTTP request on the same port is
/// answered with a 401.
///
/// ```
/// use tonic_dapr_token::RequireTokenLayer;
/// use tonic::transport::Server;
///
/// # fn layer() -> Result<RequireTokenLayer, tonic_dapr_token::ConfigError> {
/// // In an app of yours: `RequireTokenLayer::for_dapr_app()?`
/// let layer: RequireTokenLayer = RequireTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .daprd_probes()
///     .daprd_discovery()
///     .build()?
///     .into();
/// let server = Server::builder().layer(layer.clone());
/// # drop(server);
/// # Ok(layer)
/// # }
/// # layer().unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a server"]
pub struct RequireTokenLayer(tower_dapr_token::RequireTokenLayer);

impl RequireTokenLayer {
    /// For an app behind daprd: the app token of `APP_API_TOKEN` (and `APP_API_TOKEN_PREVIOUS`), and no
    /// token for the calls that daprd makes without one: `AppCallbackHealthCheck/HealthCheck`,
    /// `AppCallback/ListTopicSubscriptions` and `AppCallback/ListInputBindings`. Without them daprd takes the
    /// app for unhealthy, and events silently never arrive.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `APP_API_TOKEN` is unset, empty or not a token.
    pub fn for_dapr_app() -> Result<Self, ConfigError> {
        Self::builder()
            .app_token()
            .daprd_probes()
            .daprd_discovery()
            .build()
            .map(Self)
    }

    /// The app token of `APP_API_TOKEN` for every call, without an exemption. An app that daprd probes, or
    /// that has subscriptions or input bindings, does not work behind it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `APP_API_TOKEN` is unset, empty or not a token.
    pub fn strict() -> Result<Self, ConfigError> {
        Self::builder().app_token().build().map(Self)
    }

    /// Everything else. The layer that it builds is turned into this one with `into()`.
    pub fn builder() -> RequireTokenBuilder<'static> {
        tower_dapr_token::RequireTokenLayer::builder()
    }
}

impl From<tower_dapr_token::RequireTokenLayer> for RequireTokenLayer {
    fn from(layer: tower_dapr_token::RequireTokenLayer) -> Self {
        Self(layer)
    }
}

impl<S> Layer<S> for RequireTokenLayer {
    type Service = RequireToken<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
