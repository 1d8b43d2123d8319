//! Dapr's own Rust SDK: its layer for the server of an app.

use std::convert::Infallible;

use dapr::client::AppApiTokenLayer;
use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN};
use http::{Request, Response, StatusCode};
use tower_layer::Layer as _;
use tower_service::Service;

pub(crate) const CONTENDER: Contender = Contender {
    package: Some("dapr"),
    layer: "`AppApiTokenLayer`",
    accept: "dapr-sdk-accept",
    reject: Some("dapr-sdk-reject"),
    checks: "no",
    leaves_out: "constant time, rotation, duplicates, exemptions, stripping; lets everything through when the variable is unset or empty; \
                 answers gRPC with HTTP 401",
};

pub(crate) const CASES: &[Case] = &[
    Case::shown("dapr-sdk-accept", "bare-accepted", FORWARDED, |plan| {
        enforce(plan, Shape::Accepted)
    }),
    Case::shown(
        "dapr-sdk-reject",
        "bare-wrong",
        StatusCode::UNAUTHORIZED,
        |plan| enforce(plan, Shape::Wrong),
    ),
];

fn enforce(plan: Plan, shape: Shape) -> Outcome {
    drive::<_, Body, _>(plan, shape, around(Inner::<Body>::new(), Some(TOKEN)))
}

/// `configured` is what the layer reads from the variable.
pub(crate) fn around<S>(
    inner: S,
    configured: Option<&str>,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    AppApiTokenLayer::new(configured.map(str::to_owned)).layer(inner)
}
