//! [`RequireTokenLayer`]: the inbound check with the presets of a gRPC app.

use std::fmt;

use tower_dapr_token::{ConfigError, Immediate, RequireToken, RequireTokenBuilder};
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
///
/// Its parameter is that of the layer inside: [`Immediate`], or `Waiting` for JWTs whose keys are fetched (feature
/// `jwks`). Whoever asks for no such keys need not name it.
#[cfg_attr(
    all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")),
    doc = r#"
```no_run
use tonic_dapr_token::{JwtRules, RequireTokenLayer, Waiting};

# async fn layer() -> Result<RequireTokenLayer<Waiting>, tonic_dapr_token::ConfigError> {
let layer: RequireTokenLayer<Waiting> = RequireTokenLayer::builder()
    .daprd_probes()
    .daprd_discovery()
    .jwks(
        "https://login.example.com/keys",
        JwtRules::new("https://login.example.com", "orders"),
    )
    .build()
    .await?
    .into();
# Ok(layer)
# }
```"#
)]
#[must_use = "a layer does nothing until it is put around a server"]
pub struct RequireTokenLayer<M = Immediate>(tower_dapr_token::RequireTokenLayer<M>);

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

impl<M> From<tower_dapr_token::RequireTokenLayer<M>> for RequireTokenLayer<M> {
    fn from(layer: tower_dapr_token::RequireTokenLayer<M>) -> Self {
        Self(layer)
    }
}

// Not derived, because that would ask the same of the parameter, which has no values.
impl<M> Clone for RequireTokenLayer<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for RequireTokenLayer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequireTokenLayer").field(&self.0).finish()
    }
}

impl<S, M> Layer<S> for RequireTokenLayer<M> {
    type Service = RequireToken<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
