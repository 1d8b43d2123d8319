//! `axum-jwt-auth`: its extractor, run for every request as `axum` runs one in front of a router, with one key.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRef;
use axum::middleware::from_extractor_with_state;
use axum_jwt_auth::{Decoder, HeaderTokenExtractor, LocalDecoder, define_header_extractor};
use dapr_token_benches::case::Case;
use dapr_token_benches::drive::{Outcome, Plan, drive_in_turn};
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::Template;
use dapr_token_jwt_benches::decode::{Claims, REQUIRED};
use dapr_token_jwt_benches::ours::in_turn;
use dapr_token_jwt_benches::row::Row;
use dapr_token_jwt_benches::token::{AUDIENCE, EDDSA, ES256, HS256, ISSUER, RS256, SECRET, Tokens};
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation};
use tower_layer::Layer as _;

pub(crate) const ROW: Row = Row {
    package: Some("axum-jwt-auth"),
    layer: "`Claims` as an extractor, `LocalDecoder` with one key",
    cases: [
        "axum-jwt-auth-rs256",
        "axum-jwt-auth-es256",
        "axum-jwt-auth-eddsa",
        "axum-jwt-auth-hs256",
    ],
    backend: "RustCrypto",
    leaves_out: "what `decode` leaves out, and stripping. With fetched keys: an unknown `kid` starts no fetch, the next one is that \
                 of the hour; one unusable key keeps a whole set from being taken over; nothing ends a set that cannot be \
                 fetched again",
};

pub(crate) const CASES: &[Case] = &[
    Case::baseline("bare-rs256-axum", Some(FORWARDED), |plan| bare(plan, RS256)),
    Case::baseline("bare-es256-axum", Some(FORWARDED), |plan| bare(plan, ES256)),
    Case::baseline("bare-eddsa-axum", Some(FORWARDED), |plan| bare(plan, EDDSA)),
    Case::baseline("bare-hs256-axum", Some(FORWARDED), |plan| bare(plan, HS256)),
    Case::shown(
        "axum-jwt-auth-rs256",
        "bare-rs256-axum",
        FORWARDED,
        |plan| check(plan, RS256),
    ),
    Case::shown(
        "axum-jwt-auth-es256",
        "bare-es256-axum",
        FORWARDED,
        |plan| check(plan, ES256),
    ),
    Case::shown(
        "axum-jwt-auth-eddsa",
        "bare-eddsa-axum",
        FORWARDED,
        |plan| check(plan, EDDSA),
    ),
    Case::shown(
        "axum-jwt-auth-hs256",
        "bare-hs256-axum",
        FORWARDED,
        |plan| check(plan, HS256),
    ),
];

define_header_extractor!(DaprApiToken, "dapr-api-token");

type Extractor = axum_jwt_auth::Claims<Claims, HeaderTokenExtractor<DaprApiToken>>;

#[derive(Clone, FromRef)]
struct State {
    decoder: Decoder<Claims>,
}

fn bare(plan: Plan, tokens: Tokens) -> Outcome {
    drive_in_turn::<_, Body, _>(plan, &in_turn(tokens), Inner::<Body>::new())
}

fn check(plan: Plan, tokens: Tokens) -> Outcome {
    check_with(plan, &in_turn(tokens), tokens)
}

pub(crate) fn check_with(plan: Plan, templates: &[Template], tokens: Tokens) -> Outcome {
    let algorithm = named(tokens);
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&REQUIRED);
    validation.validate_nbf = true;
    let decoder = LocalDecoder::builder()
        .keys(vec![key(tokens, algorithm)])
        .validation(validation)
        .build()
        .expect("the settings of these cases are valid");
    let state = State {
        decoder: Arc::new(decoder),
    };
    let layer = from_extractor_with_state::<Extractor, State>(state);
    drive_in_turn::<_, Body, _>(plan, templates, layer.layer(Inner::<Body>::new()))
}

fn key(tokens: Tokens, algorithm: Algorithm) -> DecodingKey {
    let pem = tokens.pem.as_bytes();
    let key = match algorithm {
        Algorithm::RS256 => DecodingKey::from_rsa_pem(pem),
        Algorithm::ES256 => DecodingKey::from_ec_pem(pem),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
        _ => Ok(DecodingKey::from_secret(SECRET.as_bytes())),
    };
    key.expect("the keys of these cases are valid")
}

fn named(tokens: Tokens) -> Algorithm {
    format!("{tokens:?}")
        .parse()
        .expect("the algorithms of these cases are known")
}
