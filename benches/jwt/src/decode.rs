//! `jsonwebtoken::decode` as a layer would call it: the header's value, a key that was parsed before, the same claims
//! checked, and the same backend as ours. Nothing is stripped, and nobody is told who called.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use dapr_token_benches::case::Case;
use dapr_token_benches::drive::{Outcome, Plan, drive_in_turn};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{TOKEN_HEADER, Template};
use http::{Request, Response, StatusCode};
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::{Deserialize, Serialize};
use tower_service::Service;

use crate::ours::in_turn;
use crate::token::{AUDIENCE, EDDSA, ES256, HS256, ISSUER, RS256, SECRET, Tokens};

/// The claims of the tokens, as an app would name them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the registered claims, and what they are for")]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: u64,
    pub nbf: u64,
    pub iat: u64,
    pub jti: String,
    pub scope: String,
}

/// The claims that must be there.
pub const REQUIRED: [&str; 3] = ["exp", "iss", "aud"];

/// One row for each algorithm.
pub const CASES: &[Case] = &[
    row("decode-rs256", "bare-rs256-in-turn", |plan| {
        check(plan, RS256)
    }),
    row("decode-es256", "bare-es256-in-turn", |plan| {
        check(plan, ES256)
    }),
    row("decode-eddsa", "bare-eddsa-in-turn", |plan| {
        check(plan, EDDSA)
    }),
    row("decode-hs256", "bare-hs256-in-turn", |plan| {
        check(plan, HS256)
    }),
];

const fn row(name: &'static str, baseline: &'static str, run: fn(Plan) -> Outcome) -> Case {
    Case::shown(name, baseline, FORWARDED, run)
}

fn check(plan: Plan, tokens: Tokens) -> Outcome {
    check_with(plan, &in_turn(tokens), tokens)
}

/// The same with requests of these templates.
#[must_use]
pub fn check_with(plan: Plan, templates: &[Template], tokens: Tokens) -> Outcome {
    // One for each process: it is no matter if it was named before.
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let mut validation = Validation::new(tokens.algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&REQUIRED);
    validation.validate_nbf = true;
    let service = Decode {
        key: key(tokens),
        validation,
        inner: Inner::<Body>::new(),
    };
    drive_in_turn::<_, Body, _>(plan, templates, service)
}

fn key(tokens: Tokens) -> DecodingKey {
    let der = tokens.der();
    // What the reader of PEM would hand over: the key itself, which ends what is around it.
    let last = |len: usize| &der[der.len() - len..];
    match tokens.algorithm {
        Algorithm::RS256 => DecodingKey::from_rsa_der(last(270)),
        Algorithm::ES256 => DecodingKey::from_ec_der(last(65)),
        Algorithm::EdDSA => DecodingKey::from_ed_der(last(32)),
        _ => DecodingKey::from_secret(SECRET.as_bytes()),
    }
}

/// Decodes, and forwards what was good.
struct Decode<S> {
    key: DecodingKey,
    validation: Validation,
    inner: S,
}

impl<S, Q, B> Service<Request<Q>> for Decode<S>
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    S::Future: Unpin,
    B: Default,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Decoded<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let token = request.headers().get(TOKEN_HEADER);
        let decoded =
            token.map(|token| decode::<Claims>(token.as_bytes(), &self.key, &self.validation));
        match black_box(decoded) {
            Some(Ok(_)) => Decoded::Forwarded(self.inner.call(request)),
            _ => Decoded::Refused,
        }
    }
}

enum Decoded<F> {
    Forwarded(F),
    Refused,
}

impl<F, B> Future for Decoded<F>
where
    F: Future<Output = Result<Response<B>, Infallible>> + Unpin,
    B: Default,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Forwarded(future) => Pin::new(future).poll(context),
            Self::Refused => {
                let mut response = Response::new(B::default());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                Poll::Ready(Ok(response))
            }
        }
    }
}
