//! The settings of a token that is a JWT and is renewed, of the outbound layer (`I9`).

use std::sync::Arc;

use super::{InjectTokenBuilder, Source};
use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::{JwtHandle, JwtHandleBuilder, JwtSource, TokenHandleBuilder, WallClock};

/// A JWT that is renewed before it ends: who makes it.
impl InjectTokenBuilder<'_> {
    /// Injects the JWTs of this source: a [`JwtSigner`](crate::JwtSigner), a [`JwtFile`](crate::JwtFile), or one of
    /// your own. Only origins that are added get them. One whose `exp` is over is never sent; a request then goes
    /// out without a token, as [`Injection::NoToken`](crate::Injection::NoToken).
    ///
    /// The next one is made by a background task, if [`reload_in_background()`](Self::reload_in_background) is asked
    /// for (feature `tokio`). Without it a signer mints on the request that finds two thirds of the life over, on
    /// its thread, while other requests send the old token; any other source then needs
    /// [`jwt_handle()`](Self::jwt_handle).
    ///
    /// With the header name `authorization` the token is sent with the scheme `Bearer`, as servers read it (`E1`).
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    pub fn jwt(self, source: impl JwtSource) -> Self {
        self.named(Source::Jwt(Box::new(source)))
    }

    /// Injects the JWT of this handle, which has a builder for its settings, and which other layers may share. Only
    /// origins that are added get it.
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    pub fn jwt_handle(self, handle: &JwtHandle) -> Self {
        self.named(Source::JwtHandle(handle.clone()))
    }

    /// Which clock says when a JWT of [`jwt()`](Self::jwt) ends; for tests. A [`jwt_handle()`](Self::jwt_handle) has
    /// one of its own.
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    pub fn wall_clock(mut self, clock: Arc<dyn WallClock>) -> Self {
        self.wall_clock = Some(clock);
        self
    }
}

/// A handle that the layer keeps to itself.
pub(super) fn renewed(
    source: Box<dyn JwtSource>,
    rotation: &TokenHandleBuilder,
    wall_clock: Option<Arc<dyn WallClock>>,
    observer: Option<Arc<dyn Observer>>,
) -> Result<JwtHandle, ConfigError> {
    let (clock, in_background) = rotation.for_jwt()?;
    let mut builder = JwtHandleBuilder::new(source).clock(clock);
    if let Some(wall_clock) = wall_clock {
        builder = builder.wall_clock(wall_clock);
    }
    if let Some(observer) = observer {
        builder = builder.observer(observer);
    }
    builder.build_unattended(in_background)
}
