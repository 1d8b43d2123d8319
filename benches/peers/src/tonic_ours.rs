//! Ours as a tonic server has it: the layer with the presets of an app behind daprd, and the interceptor.

use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN};
use http::StatusCode;
use tonic::service::InterceptorLayer;
use tonic_dapr_token::{RequireTokenInterceptor, RequireTokenLayer, Token};
use tower_layer::Layer as _;

pub(crate) const CONTENDERS: [Contender; 2] = [
    Contender {
        package: None,
        layer: "**`tonic_dapr_token::RequireTokenLayer`**, with daprd's probes and discovery calls exempt",
        accept: "tonic-ours-layer-accept",
        reject: Some("tonic-ours-layer-reject"),
        checks: "constant time, duplicates, exemptions, strips; `ErrorInfo` in the answer",
        leaves_out: "",
    },
    Contender {
        package: None,
        layer: "**`RequireTokenInterceptor`** in tonic's `InterceptorLayer`",
        accept: "tonic-ours-interceptor-accept",
        reject: Some("tonic-ours-interceptor-reject"),
        checks: "constant time, duplicates, strips; `ErrorInfo` in the answer",
        leaves_out: "exemptions: an interceptor sees no path",
    },
];

/// Trailers-only: the status of HTTP is 200.
const REFUSED: StatusCode = StatusCode::OK;

pub(crate) const CASES: &[Case] = &[
    Case::shown(
        "tonic-ours-layer-accept",
        "bare-accepted-grpc",
        FORWARDED,
        |plan| layer(plan, Shape::AcceptedGrpc),
    ),
    Case::shown(
        "tonic-ours-layer-reject",
        "bare-wrong-grpc",
        REFUSED,
        |plan| layer(plan, Shape::WrongGrpc),
    ),
    Case::shown(
        "tonic-ours-interceptor-accept",
        "bare-accepted-grpc",
        FORWARDED,
        |plan| intercept(plan, Shape::AcceptedGrpc),
    ),
    Case::shown(
        "tonic-ours-interceptor-reject",
        "bare-wrong-grpc",
        REFUSED,
        |plan| intercept(plan, Shape::WrongGrpc),
    ),
];

fn layer(plan: Plan, shape: Shape) -> Outcome {
    let layer: RequireTokenLayer = RequireTokenLayer::builder()
        .token(token())
        .daprd_probes()
        .daprd_discovery()
        .build()
        .expect("the token and the presets are valid")
        .into();
    drive::<_, Body, _>(plan, shape, layer.layer(Inner::<Body>::new()))
}

fn intercept(plan: Plan, shape: Shape) -> Outcome {
    let layer = InterceptorLayer::new(RequireTokenInterceptor::new(token()));
    drive::<_, Body, _>(plan, shape, layer.layer(Inner::<Body>::new()))
}

fn token() -> Token {
    TOKEN.parse().expect("the token of these cases is valid")
}
