//! What every row is measured against: no layer at all, and the least that a layer could do.

use std::convert::Infallible;
use std::hint::black_box;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http::header::HeaderValue;
use http_body_util::Full;
use tower_service::Service;

use crate::case::Case;
use crate::drive::{Outcome, Plan, drive, drive_clone};
use crate::inner::{FORWARDED, Inner};
use crate::request::{Shape, TOKEN, TOKEN_HEADER};

/// The body of the measured requests and of the answers, unless a rival asks for its own.
pub type Body = Full<Bytes>;

/// No layer, once for every request; then layers that only look, take the header out, or set it.
pub const CASES: &[Case] = &[
    Case::baseline("bare-accepted", Some(FORWARDED), |plan| {
        bare(plan, Shape::Accepted)
    }),
    Case::baseline("bare-other-name", Some(FORWARDED), |plan| {
        bare(plan, Shape::AcceptedByOtherName)
    }),
    Case::baseline("bare-wrong", Some(FORWARDED), |plan| {
        bare(plan, Shape::Wrong)
    }),
    Case::baseline("bare-missing", Some(FORWARDED), |plan| {
        bare(plan, Shape::Missing)
    }),
    Case::baseline("bare-accepted-grpc", Some(FORWARDED), |plan| {
        bare(plan, Shape::AcceptedGrpc)
    }),
    Case::baseline("bare-wrong-grpc", Some(FORWARDED), |plan| {
        bare(plan, Shape::WrongGrpc)
    }),
    Case::baseline("bare-probe", Some(FORWARDED), |plan| {
        bare(plan, Shape::Probe)
    }),
    Case::baseline("bare-outbound", Some(FORWARDED), |plan| {
        bare(plan, Shape::Outbound)
    }),
    Case::baseline("bare-elsewhere", Some(FORWARDED), |plan| {
        bare(plan, Shape::Elsewhere)
    }),
    Case::baseline("bare-clone", None, |plan| {
        drive_clone(plan, &Inner::<Body>::new())
    }),
    Case::shown("floor-get", "bare-accepted", FORWARDED, |plan| {
        floor(plan, Shape::Accepted, |request| {
            black_box(request.headers().get(TOKEN_HEADER));
        })
    }),
    Case::shown("floor-remove", "bare-accepted", FORWARDED, |plan| {
        floor(plan, Shape::Accepted, |request| {
            black_box(&request.headers_mut().remove(TOKEN_HEADER));
        })
    }),
    Case::shown(
        "floor-remove-grpc",
        "bare-accepted-grpc",
        FORWARDED,
        |plan| {
            floor(plan, Shape::AcceptedGrpc, |request| {
                black_box(&request.headers_mut().remove(TOKEN_HEADER));
            })
        },
    ),
    Case::shown("floor-insert", "bare-outbound", FORWARDED, |plan| {
        floor(plan, Shape::Outbound, |request| {
            let value = HeaderValue::from_static(TOKEN);
            request.headers_mut().insert(TOKEN_HEADER, value);
        })
    }),
];

fn bare(plan: Plan, shape: Shape) -> Outcome {
    drive::<_, Body, _>(plan, shape, Inner::<Body>::new())
}

fn floor(plan: Plan, shape: Shape, touch: impl FnMut(&mut Request<Body>)) -> Outcome {
    let service = Touch {
        touch,
        inner: Inner::<Body>::new(),
    };
    drive(plan, shape, service)
}

/// Does one thing to the request and forwards it.
struct Touch<F, S> {
    touch: F,
    inner: S,
}

impl<F, S, Q> Service<Request<Q>> for Touch<F, S>
where
    F: FnMut(&mut Request<Q>),
    S: Service<Request<Q>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> S::Future {
        (self.touch)(&mut request);
        self.inner.call(request)
    }
}
