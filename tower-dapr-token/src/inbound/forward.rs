//! Step 4a of the inbound flow: hands the request on. It asks for the proof that it may.

use http::Request;
use tower_service::Service;

use super::exempt::ExemptRequest;
use crate::token::Verified;

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
}

impl Authenticated {
    /// Which token matched: 0 is the current one, others are previous ones. `None` if the layer
    /// lets everything through.
    #[must_use]
    pub fn slot(&self) -> Option<u32> {
        self.slot
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

/// Marks the request for its handlers. An instance that is there already is removed: it is somebody
/// else's word (`E6`).
pub(super) fn mark<B>(request: &mut Request<B>, pass: &Pass) {
    let extensions = request.extensions_mut();
    extensions.remove::<Authenticated>();
    extensions.remove::<Exempt>();
    match pass {
        Pass::Verified(verified) => {
            extensions.insert(Authenticated {
                slot: verified.slot(),
            });
        }
        Pass::Exempt(_) => {
            extensions.insert(Exempt {});
        }
    }
}
