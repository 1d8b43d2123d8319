//! `tower-http`: a header that is set on every request, whoever it goes to.

use std::convert::Infallible;

use dapr_token_benches::case::Case;
use dapr_token_benches::contender::Contender;
use dapr_token_benches::drive::{Outcome, Plan, drive};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN, TOKEN_HEADER};
use http::{HeaderValue, Request, Response};
use tower_http::set_header::SetRequestHeaderLayer;
use tower_layer::Layer as _;
use tower_service::Service;

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
    drive::<_, Body, _>(plan, Shape::Outbound, around(Inner::<Body>::new()))
}

pub(crate) fn around<S>(
    inner: S,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let mut value = HeaderValue::from_static(TOKEN);
    value.set_sensitive(true);
    let layer = SetRequestHeaderLayer::overriding(TOKEN_HEADER, value);
    layer.layer(inner)
}
