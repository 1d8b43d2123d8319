//! `tower-http`: a closure that compares with `==`.

use std::convert::Infallible;

use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN, TOKEN_HEADER};
use http::{Request, Response, StatusCode};
use tower_http::validate_request::ValidateRequestHeaderLayer;
use tower_layer::Layer as _;
use tower_service::Service;

pub(crate) const CONTENDER: Contender = Contender {
    package: Some("tower-http"),
    layer: "`ValidateRequestHeaderLayer::custom`, `==`",
    accept: "tower-http-accept",
    reject: Some("tower-http-reject"),
    checks: "no",
    leaves_out: "constant time, rotation, duplicates, exemptions, stripping; a bare status for gRPC and HTTP alike",
};

pub(crate) const CASES: &[Case] = &[
    Case::shown("tower-http-accept", "bare-accepted", FORWARDED, |plan| {
        validate(plan, Shape::Accepted)
    }),
    Case::shown(
        "tower-http-reject",
        "bare-wrong",
        StatusCode::UNAUTHORIZED,
        |plan| validate(plan, Shape::Wrong),
    ),
];

fn validate(plan: Plan, shape: Shape) -> Outcome {
    drive::<_, Body, _>(plan, shape, around(Inner::<Body>::new()))
}

#[allow(
    clippy::result_large_err,
    reason = "the layer asks for a whole response"
)]
pub(crate) fn around<S>(
    inner: S,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let layer = ValidateRequestHeaderLayer::custom(|request: &mut Request<Body>| {
        match request.headers().get(TOKEN_HEADER) {
            Some(token) if token.as_bytes() == TOKEN.as_bytes() => Ok(()),
            _ => {
                let mut response = Response::new(Body::default());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                Err(response)
            }
        }
    });
    layer.layer(inner)
}
