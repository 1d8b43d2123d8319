//! `jwt-authorizer`: its layer with one key. It reads `authorization` alone.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum_0_7::body::Body;
use dapr_token_benches::case::Case;
use dapr_token_benches::drive::{Outcome, Plan, drive_in_turn};
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::Template;
use dapr_token_jwt_benches::decode::Claims;
use dapr_token_jwt_benches::ours::bearer;
use dapr_token_jwt_benches::row::Row;
use dapr_token_jwt_benches::token::{AUDIENCE, EDDSA, ES256, HS256, ISSUER, RS256, SECRET, Tokens};
use jsonwebtoken_9::Algorithm;
use jwt_authorizer::{Authorizer, IntoLayer as _, JwtAuthorizer, Validation};
use tower_layer::Layer as _;

pub(crate) const ROW: Row = Row {
    package: Some("jwt-authorizer"),
    layer: "`AuthorizationLayer`, one key",
    cases: [
        "jwt-authorizer-rs256",
        "jwt-authorizer-es256",
        "jwt-authorizer-eddsa",
        "jwt-authorizer-hs256",
    ],
    backend: "ring",
    leaves_out: "what `decode` leaves out, and stripping; an `iss` or `aud` that is missing, unless the type of the claims asks for \
                 it. With fetched keys: one lock for all requests, held during a fetch; nothing ends a set that cannot be \
                 fetched again",
};

pub(crate) const CASES: &[Case] = &[
    Case::baseline("bare-bearer-rs256-axum-0.7", Some(FORWARDED), |plan| {
        bare(plan, RS256)
    }),
    Case::baseline("bare-bearer-es256-axum-0.7", Some(FORWARDED), |plan| {
        bare(plan, ES256)
    }),
    Case::baseline("bare-bearer-eddsa-axum-0.7", Some(FORWARDED), |plan| {
        bare(plan, EDDSA)
    }),
    Case::baseline("bare-bearer-hs256-axum-0.7", Some(FORWARDED), |plan| {
        bare(plan, HS256)
    }),
    Case::shown(
        "jwt-authorizer-rs256",
        "bare-bearer-rs256-axum-0.7",
        FORWARDED,
        |plan| check(plan, RS256),
    ),
    Case::shown(
        "jwt-authorizer-es256",
        "bare-bearer-es256-axum-0.7",
        FORWARDED,
        |plan| check(plan, ES256),
    ),
    Case::shown(
        "jwt-authorizer-eddsa",
        "bare-bearer-eddsa-axum-0.7",
        FORWARDED,
        |plan| check(plan, EDDSA),
    ),
    Case::shown(
        "jwt-authorizer-hs256",
        "bare-bearer-hs256-axum-0.7",
        FORWARDED,
        |plan| check(plan, HS256),
    ),
];

fn in_turn(tokens: Tokens) -> Vec<Template> {
    tokens.both().into_iter().map(bearer).collect()
}

fn bare(plan: Plan, tokens: Tokens) -> Outcome {
    drive_in_turn::<_, Body, _>(plan, &in_turn(tokens), Inner::<Body>::new())
}

fn check(plan: Plan, tokens: Tokens) -> Outcome {
    check_with(plan, &in_turn(tokens), tokens)
}

pub(crate) fn check_with(plan: Plan, templates: &[Template], tokens: Tokens) -> Outcome {
    let service = authorizer(tokens).into_layer().layer(Inner::<Body>::new());
    drive_in_turn::<_, Body, _>(plan, templates, service)
}

fn authorizer(tokens: Tokens) -> Authorizer<Claims> {
    let algorithm = named(tokens);
    let validation = Validation::new()
        .iss(&[ISSUER])
        .aud(&[AUDIENCE])
        .nbf(true)
        .algs(vec![algorithm]);
    let builder = match algorithm {
        Algorithm::RS256 => JwtAuthorizer::<Claims>::from_rsa_pem_text(tokens.pem),
        Algorithm::ES256 => JwtAuthorizer::from_ec_pem_text(tokens.pem),
        Algorithm::EdDSA => JwtAuthorizer::from_ed_pem_text(tokens.pem),
        _ => JwtAuthorizer::from_secret(SECRET),
    };
    // It waits for nothing: the key is at hand.
    let mut built = pin!(builder.validation(validation).build());
    match built.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(authorizer)) => authorizer,
        Poll::Ready(Err(_)) | Poll::Pending => unreachable!("the keys of these cases are valid"),
    }
}

fn named(tokens: Tokens) -> Algorithm {
    format!("{tokens:?}")
        .parse()
        .expect("the algorithms of these cases are known")
}
