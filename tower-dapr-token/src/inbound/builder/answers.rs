//! The settings of what a refused request is answered (`J1` to `J8`).

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::RequireTokenBuilder;
use crate::inbound::reject::{Dialect, Rejection};

/// What a refused request is answered.
impl RequireTokenBuilder<'_> {
    /// Refuses in daprd's own words instead of JSON, for clients written against a running daprd.
    pub fn daprd_compat(mut self) -> Self {
        self.dialect = Dialect::Daprd;
        self
    }

    /// Answers a refused request with what this builds, instead of with the table.
    ///
    /// Keep to 401 and 503, and over gRPC ([`Rejection::protocol`]) to a trailers-only UNAUTHENTICATED or UNAVAILABLE: daprd
    /// takes every 2xx for success, and drops the message on 404 and on UNIMPLEMENTED; 403 carries no challenge. Say the same for every
    /// [`kind`](Rejection::kind) but `Missing`; the difference helps an attacker more than a caller. A HEAD gets no body,
    /// whatever is built. It allocates.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Response, StatusCode};
    /// use tower_dapr_token::RequireTokenLayer;
    ///
    /// let layer = RequireTokenLayer::builder()
    ///     .token("a-token-of-16-bytes-or-more".parse()?)
    ///     .respond_with(|_| {
    ///         let mut response = Response::new(Bytes::from_static(b"who are you?"));
    ///         *response.status_mut() = StatusCode::UNAUTHORIZED;
    ///         response
    ///     })
    ///     .build()?;
    /// # Ok::<(), tower_dapr_token::ConfigError>(())
    /// ```
    pub fn respond_with<F>(mut self, respond: F) -> Self
    where
        F: Fn(&Rejection) -> Response<Bytes> + Send + Sync + 'static,
    {
        self.answers.respond = Some(Arc::new(respond));
        self
    }

    /// Says in the answer what was wrong with a token, as `invalid api token: expired`; over gRPC also in the details,
    /// as `reason` among the metadata. It allocates.
    ///
    /// Without it all causes look alike, because the difference helps an attacker more than a correct caller: for
    /// development, or where the callers are known.
    pub fn verbose_errors(mut self) -> Self {
        self.answers.verbose = true;
        self
    }

    /// Puts the [`Rejection`] into the extensions of the answer, for layers outside of this one. It allocates.
    pub fn rejection_in_extensions(mut self) -> Self {
        self.answers.in_extensions = true;
        self
    }
}
