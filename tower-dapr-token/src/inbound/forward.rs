//! Step 4a of the inbound flow: hands the request on. It asks for the proof that it may.

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use std::sync::Arc;

use http::{Extensions, Request};
use tower_service::Service;

use super::exempt::ExemptRequest;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::observe::JwtCache;
use crate::observe::TokenMode;
use crate::token::Verified;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::{Claims, ClaimsError};

/// Put into the extensions of an accepted request by `with_extensions()` (`E6`).
///
/// ```
/// use http::Request;
/// use tower_dapr_token::Authenticated;
///
/// /// What a handler may ask, when the layer was built `with_extensions()`.
/// fn used_a_previous_token(request: &Request<()>) -> bool {
///     request
///         .extensions()
///         .get::<Authenticated>()
///         .and_then(Authenticated::slot)
///         .is_some_and(|slot| slot > 0)
/// }
/// # assert!(!used_a_previous_token(&Request::new(())));
/// ```
#[derive(Clone, Debug)]
pub struct Authenticated {
    slot: Option<u32>,
    details: Details,
}

/// What else is known of an accepted request.
#[derive(Clone, Debug)]
pub(super) struct Details {
    pub(super) mode: TokenMode,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) claims: Option<Arc<Claims>>,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) cache: Option<JwtCache>,
}

impl Details {
    pub(super) fn of(mode: TokenMode) -> Self {
        Self {
            mode,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            claims: None,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            cache: None,
        }
    }
}

impl Authenticated {
    /// Takes the proof.
    pub(super) fn new(verified: &Verified, details: Details) -> Self {
        Self {
            slot: verified.slot(),
            details,
        }
    }

    /// Which token matched: 0 is the current one, others are previous ones. `None` if the layer
    /// lets everything through.
    #[must_use]
    pub fn slot(&self) -> Option<u32> {
        self.slot
    }

    /// How it was accepted: as a static token, as a JWT, or because everything is.
    #[must_use]
    pub fn mode(&self) -> TokenMode {
        self.details.mode
    }

    /// What the JWT says, if it was one.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    #[must_use]
    pub fn jwt(&self) -> Option<&Claims> {
        self.details.claims.as_deref()
    }

    /// What the JWT says, as a type of your own.
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] if it was no JWT, or lacks what the type asks for.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    pub fn claims<T: serde_core::de::DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        self.jwt()
            .map_or(Err(ClaimsError::no_jwt()), Claims::deserialize)
    }
}

/// Put into the extensions of an exempt request by `with_extensions()` (`E6`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exempt {}

/// Why a request may go on: one of the two proofs, neither of which this file can make.
pub(super) enum Pass {
    Verified(Verified),
    Exempt(ExemptRequest),
}

/// Calls the inner service. Takes the proof that it may.
#[inline]
pub(super) fn forward<S, B>(inner: &mut S, request: Request<B>, _: Pass) -> S::Future
where
    S: Service<Request<B>>,
{
    inner.call(request)
}

/// Marks the request for its handlers.
pub(super) fn mark<B>(request: &mut Request<B>, pass: &Pass, details: &Details) {
    let extensions = request.extensions_mut();
    unmark(extensions);
    match pass {
        Pass::Verified(verified) => {
            extensions.insert(Authenticated::new(verified, details.clone()));
        }
        Pass::Exempt(_) => {
            extensions.insert(Exempt {});
        }
    }
}

/// Removes any mark that is there already: it is somebody else's word (`E6`).
pub(super) fn unmark(extensions: &mut Extensions) {
    extensions.remove::<Authenticated>();
    extensions.remove::<Exempt>();
}
