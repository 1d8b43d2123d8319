//! `tower-http`: a header that is set on every request, whoever it goes to.

use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN, TOKEN_HEADER};
use http::HeaderValue;
use tower_http::set_header::SetRequestHeaderLayer;
use tower_layer::Layer as _;

pub(crate) const CONTENDER: Contender = Contender {
    package: Some("tower-http"),
    layer: "`SetRequestHeaderLayer::overriding`",
    accept: "tower-http-inject",
    reject: None,
    checks: "no",
    leaves_out: "the origin: any host gets the token; rotation",
};

pub(crate) const CASES: &[Case] = &[Case::shown(
    "tower-http-inject",
    "bare-outbound",
    FORWARDED,
    inject,
)];

fn inject(plan: Plan) -> Outcome {
    let mut value = HeaderValue::from_static(TOKEN);
    value.set_sensitive(true);
    let layer = SetRequestHeaderLayer::overriding(TOKEN_HEADER, value);
    drive::<_, Body, _>(plan, Shape::Outbound, layer.layer(Inner::<Body>::new()))
}
