//! What must be found: a layer that compares with `==`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_service::Service;

use crate::floor::Body;
use crate::inner::FORWARDED;
use crate::request::TOKEN_HEADER;

/// Leaks on purpose: `==` on slices returns at the first difference that it sees.
pub(super) struct Equality {
    token: Vec<u8>,
}

impl Equality {
    pub(super) fn new(token: Vec<u8>) -> Self {
        Self { token }
    }
}

impl Service<Request<Body>> for Equality {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let presented = request.headers_mut().remove(TOKEN_HEADER);
        let equal = presented
            .as_ref()
            .is_some_and(|value| value.as_bytes() == self.token.as_slice());
        drop(presented);
        let mut response = Response::new(Body::default());
        *response.status_mut() = if equal {
            FORWARDED
        } else {
            StatusCode::UNAUTHORIZED
        };
        ready(Ok(response))
    }
}
