//! Services that are ready at once, driven without a runtime.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use tower_service::Service;

/// The answer, which must be there at once.
pub(crate) fn call<S, Q, B>(service: &mut S, request: Request<Q>) -> Response<B>
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready(), "not ready");
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => unreachable!("the decision is synchronous, and so is the inner service"),
    }
}
