//! [`InjectTokenLayer`]: configuration only, cheap to clone.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::builder::InjectTokenBuilder;
use super::origin::Origin;
use super::service::{InjectToken, Plan};
use crate::error::ConfigError;

/// Sets Dapr's API token on the requests of the client that it wraps, if they go where it may go.
///
/// The rules and two examples are on [the module's page](crate::outbound).
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a client"]
pub struct InjectTokenLayer {
    plan: Arc<Plan>,
}

impl InjectTokenLayer {
    /// For a client that calls daprd: `DAPR_API_TOKEN`, to loopback on daprd's ports and to the Dapr
    /// endpoints that the environment names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the variable is unset, empty or not a token, or if one of `DAPR_HTTP_PORT`,
    /// `DAPR_GRPC_PORT`, `DAPR_HTTP_ENDPOINT` and `DAPR_GRPC_ENDPOINT` is set to what it cannot be.
    pub fn dapr() -> Result<Self, ConfigError> {
        Self::builder().dapr_token().build()
    }

    /// For a client that calls an app as daprd does: `APP_API_TOKEN`, to this origin and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the variable is unset, empty or not a token, or if the origin is plain `http` on
    /// another host.
    pub fn app(origin: Origin) -> Result<Self, ConfigError> {
        Self::builder().app_token().add_origin(origin).build()
    }

    /// Everything else.
    pub fn builder() -> InjectTokenBuilder<'static> {
        InjectTokenBuilder::new()
    }

    pub(super) fn from_plan(plan: Plan) -> Self {
        Self {
            plan: Arc::new(plan),
        }
    }
}

impl<S> Layer<S> for InjectTokenLayer {
    type Service = InjectToken<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InjectToken::new(inner, Arc::clone(&self.plan))
    }
}

impl fmt::Debug for InjectTokenLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InjectTokenLayer").finish_non_exhaustive()
    }
}
