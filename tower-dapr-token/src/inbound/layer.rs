//! [`RequireTokenLayer`]: configuration only, cheap to clone.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use tower_layer::Layer;

use super::builder::RequireTokenBuilder;
use super::decide::Decides;
use super::exempt::Exemptions;
use super::extract::Extraction;
use super::marker::Immediate;
use super::reject::Dialect;
use super::service::{Policy, RequireToken};
use crate::error::ConfigError;
use crate::token::Token;

/// Requires Dapr's API token on every request to the service that it wraps.
///
/// The rules, the refusals and two examples are on [the module's page](crate::inbound).
///
/// Its parameter says how it decides: [`Immediate`]ly, or `Waiting` for keys that are fetched (feature `jwks`). Whoever
/// asks for no such keys need not name it.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireTokenLayer<M = Immediate> {
    policy: Arc<Policy>,
    way: PhantomData<fn() -> M>,
}

impl RequireTokenLayer {
    /// Accepts this token and no other, with every other setting at its default. Cannot fail.
    ///
    /// ```
    /// use tower_dapr_token::RequireTokenLayer;
    ///
    /// let layer = RequireTokenLayer::new("a-token-of-16-bytes-or-more".parse()?);
    /// # Ok::<(), tower_dapr_token::ConfigError>(())
    /// ```
    pub fn new(token: Token) -> Self {
        Self::from_policy(Policy::new(
            Extraction::default(),
            Decides::by(token),
            Exemptions::default(),
            Dialect::default(),
        ))
    }

    /// Accepts the app token: `APP_API_TOKEN`, and `APP_API_TOKEN_PREVIOUS` if it is set. daprd sends
    /// it on every call to the app but its health probe.
    ///
    /// The environment is read once and cannot be read again: a new value needs a restart.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `APP_API_TOKEN` is unset, empty or not a token. There is no fall-back to
    /// another variable, and no way to run without a token but
    /// [`insecure_allow_all()`](RequireTokenBuilder::insecure_allow_all).
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().app_token().build()
    }

    /// Everything else.
    pub fn builder() -> RequireTokenBuilder<'static> {
        RequireTokenBuilder::new()
    }
}

impl<M> RequireTokenLayer<M> {
    pub(super) fn from_policy(policy: Policy) -> Self {
        Self {
            policy: Arc::new(policy),
            way: PhantomData,
        }
    }
}

impl<M> Clone for RequireTokenLayer<M> {
    fn clone(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            way: PhantomData,
        }
    }
}

impl<S, M> Layer<S> for RequireTokenLayer<M> {
    type Service = RequireToken<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireToken::new(inner, Arc::clone(&self.policy))
    }
}

impl<M> fmt::Debug for RequireTokenLayer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireTokenLayer").finish_non_exhaustive()
    }
}
