//! SHA-256 of the token and nothing else, by the backend of ours: what T9 asks for before a remembered token is found.

use std::convert::Infallible;
use std::hint::black_box;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{SHA256, digest};
use dapr_token_benches::case::Case;
use dapr_token_benches::drive::{Outcome, Plan, drive_in_turn};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::TOKEN_HEADER;
use http::Request;
use tower_service::Service;

use crate::ours::in_turn;
use crate::token::ES256;

/// The name of the one case.
pub const NAME: &str = "sha-256-of-the-token";

/// Tokens of all algorithms have one length, so one of them stands for all.
pub const CASES: &[Case] = &[Case::shown(NAME, "bare-es256-in-turn", FORWARDED, run)];

fn run(plan: Plan) -> Outcome {
    let inner = Inner::<Body>::new();
    drive_in_turn::<_, Body, _>(plan, &in_turn(ES256), Hash(inner))
}

/// Hashes, and forwards.
struct Hash<S>(S);

impl<S, Q> Service<Request<Q>> for Hash<S>
where
    S: Service<Request<Q>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let token = request.headers().get(TOKEN_HEADER);
        black_box(token.map(|token| digest(&SHA256, token.as_bytes())));
        self.0.call(request)
    }
}
