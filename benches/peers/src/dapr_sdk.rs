//! Dapr's own Rust SDK: its layer for the server of an app.

use dapr::client::AppApiTokenLayer;
use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN};
use http::StatusCode;
use tower_layer::Layer as _;

pub(crate) const CONTENDER: Contender = Contender {
    package: Some("dapr"),
    layer: "`AppApiTokenLayer`",
    accept: "dapr-sdk-accept",
    reject: Some("dapr-sdk-reject"),
    checks: "no",
    leaves_out: "constant time, rotation, duplicates, exemptions, stripping; lets everything through when the variable is unset; \
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
    let layer = AppApiTokenLayer::new(Some(TOKEN.to_owned()));
    drive::<_, Body, _>(plan, shape, layer.layer(Inner::<Body>::new()))
}
