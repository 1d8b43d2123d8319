//! `tonic`: an interceptor that compares with `==`.

use std::convert::Infallible;

use axum::body::HttpBody;
use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN, TOKEN_HEADER};
use http::{Response, StatusCode};
use tonic::service::InterceptorLayer;
use tonic::{Request, Status};
use tower_layer::Layer as _;
use tower_service::Service;

pub(crate) const CONTENDER: Contender = Contender {
    package: Some("tonic"),
    layer: "`InterceptorLayer` with a closure, `==`",
    accept: "tonic-accept",
    reject: Some("tonic-reject"),
    checks: "no",
    leaves_out: "constant time, rotation, duplicates, stripping, `ErrorInfo`; sees no path, so it cannot exempt one; \
                 gRPC only",
};

pub(crate) const CASES: &[Case] = &[
    Case::shown("tonic-accept", "bare-accepted-grpc", FORWARDED, |plan| {
        intercept(plan, Shape::AcceptedGrpc)
    }),
    // Trailers-only: the status of HTTP is 200.
    Case::shown("tonic-reject", "bare-wrong-grpc", StatusCode::OK, |plan| {
        intercept(plan, Shape::WrongGrpc)
    }),
];

fn intercept(plan: Plan, shape: Shape) -> Outcome {
    drive::<_, Body, _>(plan, shape, around(Inner::<Body>::new()))
}

pub(crate) fn around<S>(
    inner: S,
) -> impl Service<http::Request<Body>, Response = Response<impl HttpBody>, Error = Infallible>
where
    S: Service<http::Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let layer = InterceptorLayer::new(|request: Request<()>| {
        match request.metadata().get(TOKEN_HEADER.as_str()) {
            Some(token) if token.as_encoded_bytes() == TOKEN.as_bytes() => Ok(request),
            _ => Err(Status::unauthenticated("invalid api token")),
        }
    });
    layer.layer(inner)
}
