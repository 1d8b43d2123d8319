//! `axum`: a function as middleware that compares with `==`. axum fixes both bodies to its own, so these rows have
//! baselines of their own.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN, TOKEN_HEADER};
use http::StatusCode;
use tower_layer::Layer as _;
use tower_service::Service;

pub(crate) const CONTENDER: Contender = Contender {
    package: Some("axum"),
    layer: "`middleware::from_fn`, `==`",
    accept: "axum-accept",
    reject: Some("axum-reject"),
    checks: "no",
    leaves_out: "constant time, rotation, duplicates, exemptions, stripping; a bare status for gRPC and HTTP alike",
};

pub(crate) const CASES: &[Case] = &[
    Case::baseline("bare-accepted-axum", Some(FORWARDED), |plan| {
        bare(plan, Shape::Accepted)
    }),
    Case::baseline("bare-wrong-axum", Some(FORWARDED), |plan| {
        bare(plan, Shape::Wrong)
    }),
    Case::shown("axum-accept", "bare-accepted-axum", FORWARDED, |plan| {
        check(plan, Shape::Accepted)
    }),
    Case::shown(
        "axum-reject",
        "bare-wrong-axum",
        StatusCode::UNAUTHORIZED,
        |plan| check(plan, Shape::Wrong),
    ),
];

fn bare(plan: Plan, shape: Shape) -> Outcome {
    drive::<_, Body, _>(plan, shape, Inner::<Body>::new())
}

fn check(plan: Plan, shape: Shape) -> Outcome {
    drive::<_, Body, _>(plan, shape, around(Inner::<Body>::new()))
}

pub(crate) fn around<S>(inner: S) -> impl Service<Request, Response = Response, Error = Infallible>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    from_fn(equal).layer(inner)
}

async fn equal(request: Request, next: Next) -> Result<Response, StatusCode> {
    match request.headers().get(TOKEN_HEADER) {
        Some(token) if token.as_bytes() == TOKEN.as_bytes() => Ok(next.run(request).await),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}
