//! [`RequireRemoteTokenBuilder`]: the builder of a layer whose keys are fetched (`T6` to `T8`).

use std::fmt;
use std::sync::Arc;

use super::RequireTokenBuilder;
use crate::error::ConfigError;
use crate::inbound::remote::RemoteSettings;
use crate::inbound::service::Policy;
use crate::inbound::{HeaderVerifier, RequireTokenLayer, Waiting};
use crate::token::{Clock, JwtRules, RemoteKeys};

/// Tokens that are JSON Web Tokens, with keys that are fetched.
impl<'e> RequireTokenBuilder<'e> {
    /// Accepts JWTs signed by a key in the JSON Web Key Set at this address, which is fetched and kept fresh:
    /// [`remote_keys`](Self::remote_keys) of [`RemoteKeys::jwks`]. The [guide](crate::guide::jwt#with-keys-that-are-fetched)
    /// has an example that runs.
    ///
    /// ```no_run
    /// use tower_dapr_token::{JwtRules, RequireTokenLayer};
    ///
    /// # async fn start() -> Result<(), tower_dapr_token::ConfigError> {
    /// let layer = RequireTokenLayer::builder()
    ///     .http_health()
    ///     .jwks(
    ///         "https://login.example.com/keys",
    ///         JwtRules::new("https://login.example.com", "orders"),
    ///     )
    ///     .build()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    pub fn jwks(self, url: impl Into<String>, rules: JwtRules) -> RequireRemoteTokenBuilder<'e> {
        self.remote_keys(RemoteKeys::jwks(url), rules)
    }

    /// Accepts JWTs that one of these keys has signed and that meet these rules. What was set so far stays, static tokens
    /// and [`jwt()`](Self::jwt) included; what is still to be set goes into [`with()`](RequireRemoteTokenBuilder::with).
    ///
    /// The layer that is built is a `RequireTokenLayer<Waiting>`: a request whose JWT names a key that is not known makes
    /// the keys be fetched, at most once in 30 s, and waits for that, at most a second. For this the inner service is asked
    /// to be `Clone`. All other requests, and all on exempt paths, are decided at once.
    ///
    /// ```no_run
    /// use tower_dapr_token::{JwtRules, RemoteKeys, RequireTokenLayer, Waiting};
    ///
    /// # async fn start() -> Result<(), tower_dapr_token::ConfigError> {
    /// let issuer = "https://login.example.com/tenant";
    /// let layer: RequireTokenLayer<Waiting> = RequireTokenLayer::builder()
    ///     .remote_keys(RemoteKeys::discovery(issuer), JwtRules::new(issuer, "orders"))
    ///     .with(|layer| layer.authorization_bearer().http_health())
    ///     .build()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    pub fn remote_keys(self, keys: RemoteKeys, rules: JwtRules) -> RequireRemoteTokenBuilder<'e> {
        RequireRemoteTokenBuilder {
            layer: self,
            remote: RemoteSettings::default(),
        }
        .add_remote_keys(keys, rules)
    }
}

/// Builds a `RequireTokenLayer<Waiting>`, or a [`HeaderVerifier`], whose keys are fetched; made by [`RequireTokenBuilder::jwks`] and
/// [`RequireTokenBuilder::remote_keys`].
#[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
#[must_use = "a builder does nothing until `build()`"]
pub struct RequireRemoteTokenBuilder<'e> {
    layer: RequireTokenBuilder<'e>,
    remote: RemoteSettings,
}

impl<'e> RequireRemoteTokenBuilder<'e> {
    /// Another issuer with keys of its own; the exact `iss` of a token then chooses (`T1`).
    pub fn add_remote_keys(mut self, keys: RemoteKeys, rules: JwtRules) -> Self {
        self.remote.trusts.push((keys, rules));
        self
    }

    /// Every other setting: those of [`RequireTokenBuilder`].
    pub fn with(
        self,
        set: impl FnOnce(RequireTokenBuilder<'e>) -> RequireTokenBuilder<'e>,
    ) -> Self {
        Self {
            layer: set(self.layer),
            ..self
        }
    }

    /// Which clock says how old the keys are, and how long ago a request had them fetched; for tests. The schedule of the
    /// fetches is kept by the runtime.
    pub fn key_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.remote.clock = clock;
        self
    }

    /// Checks everything, begins to fetch, waits for the first keys, and builds the layer. It takes 5 s at most where the
    /// keys do not come. A token file beside them is read as [`RequireTokenBuilder::build`] says, which blocks for 100 ms.
    ///
    /// It needs a **Tokio runtime** with its timer and its network on (`enable_all()`, as `#[tokio::main]` does), of either
    /// kind: a task of the one that this is awaited in fetches the keys. The task ends with the layer and its services, and
    /// keeps nothing alive. If the runtime ends before them, the last keys stay until `max_stale`, and a request
    /// that names an unknown one is refused at once. The services themselves may be driven by any executor.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found; [`ConfigError::NoRuntime`] outside of a Tokio runtime, such as in one of another
    /// kind; [`ConfigError::KeySet`] if the first fetch failed.
    ///
    /// ```
    /// use tower_dapr_token::{ConfigError, JwtRules, RequireTokenLayer};
    ///
    /// let rules = JwtRules::new("https://login.example.com", "orders");
    /// // Not in a runtime, and the same with `build()`: nothing was begun.
    /// let layer = RequireTokenLayer::builder()
    ///     .jwks("http://localhost:8080/keys", rules)
    ///     .build_lazy();
    /// assert!(matches!(layer, Err(ConfigError::NoRuntime)));
    /// ```
    ///
    /// # Panics
    ///
    /// If that runtime was built without its timer. Without its network every fetch fails, the first one with
    /// [`JwksErrorKind::Panicked`](crate::JwksErrorKind::Panicked).
    pub async fn build(self) -> Result<RequireTokenLayer<Waiting>, ConfigError> {
        let policy = self.finish()?;
        policy.decides.first_keys().await?;
        Ok(RequireTokenLayer::from_policy(policy))
    }

    /// As [`build()`](Self::build), but does not wait for the first keys: until they are there, a request with a JWT gets
    /// 503. It is for the keys alone: static tokens beside them must be there at once. It is no future, and needs the same
    /// runtime: call it from a task, from `block_on`, or below `Handle::enter`.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found, and [`ConfigError::NoRuntime`] outside of a Tokio runtime. Keys that could not be
    /// fetched are none: the observer is told.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_lazy(self) -> Result<RequireTokenLayer<Waiting>, ConfigError> {
        self.finish().map(RequireTokenLayer::from_policy)
    }

    /// As [`build()`](Self::build), but gives the check on headers alone, without a layer: for an interceptor, or a
    /// middleware of your own. It never waits: a token whose key is not known is refused at once, and has the keys fetched
    /// for those who come after it, at most once in 30 s (`T7`). An issuer that publishes a key for longer than the keys
    /// are [left alone](RemoteKeys::refresh_every) before it signs with it is followed without a refusal.
    ///
    /// Where it runs: as `build()` says. [`verify()`](HeaderVerifier::verify) itself needs no runtime.
    ///
    /// ```no_run
    /// use tower_dapr_token::{HeaderVerifier, JwtRules, RequireTokenLayer};
    ///
    /// # async fn start() -> Result<(), tower_dapr_token::ConfigError> {
    /// let rules = JwtRules::new("https://login.example.com", "orders");
    /// let verifier: HeaderVerifier = RequireTokenLayer::builder()
    ///     .jwks("https://login.example.com/keys", rules)
    ///     .build_verifier()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `build()`, and of [`RequireTokenBuilder::build_verifier`]: an exemption is one, and an answer of your own.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub async fn build_verifier(self) -> Result<HeaderVerifier, ConfigError> {
        let verifier = self.build_verifier_lazy()?;
        verifier.first_keys().await?;
        Ok(verifier)
    }

    /// As [`build_verifier()`](Self::build_verifier), but does not wait for the first keys, as
    /// [`build_lazy()`](Self::build_lazy) does not: until they are there, a JWT is
    /// [`Unavailable`](crate::RejectionKind::Unavailable).
    ///
    /// # Errors
    ///
    /// Those of `build_verifier()`, but for keys that could not be fetched.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_verifier_lazy(self) -> Result<HeaderVerifier, ConfigError> {
        self.into_layer_builder().build_verifier()
    }

    fn finish(self) -> Result<Policy, ConfigError> {
        let layer = self.into_layer_builder();
        layer.check_unattended()?;
        layer.finish(false).map(|(policy, _)| policy)
    }

    fn into_layer_builder(self) -> RequireTokenBuilder<'e> {
        let mut layer = self.layer;
        layer.jwt.remote = self.remote;
        layer
    }
}

impl fmt::Debug for RequireRemoteTokenBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireRemoteTokenBuilder")
            .finish_non_exhaustive()
    }
}
