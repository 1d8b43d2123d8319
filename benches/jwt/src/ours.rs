//! Our layer in JWT mode.
//!
//! A hit is the same token again. A miss is two tokens in turn with room for one: each pushes the other out, so that every
//! request pays for the look-up, the signature, the claims, and for being remembered.

use dapr_token_benches::case::{Case, Gate};
use dapr_token_benches::drive::{Outcome, Plan, drive, drive_in_turn};
use dapr_token_benches::floor::Body;
use dapr_token_benches::inner::{FORWARDED, Inner};
use dapr_token_benches::request::{Shape, TOKEN, Template};
use http::StatusCode;
use tower_dapr_token::{
    Algorithm, JwtKeys, JwtRules, RequireToken, RequireTokenBuilder, RequireTokenLayer,
};
use tower_layer::Layer as _;

use crate::token::{AUDIENCE, EDDSA, ES256, HS256, ISSUER, KID, RS256, SECRET, Tokens};

/// The header of the tokens, unless a case says otherwise.
pub const HEADER: &str = "dapr-api-token";

/// What a hit may allocate: the place of what handlers are told, its table and its value, because the request had no
/// extension yet.
const TOLD: u64 = 3;

/// The cases; what differs in the algorithm alone is named after it.
pub const CASES: &[Case] = &[
    Case::baseline("bare-rs256", Some(FORWARDED), |plan| bare(plan, RS256)),
    Case::baseline("bare-es256", Some(FORWARDED), |plan| bare(plan, ES256)),
    Case::baseline("bare-eddsa", Some(FORWARDED), |plan| bare(plan, EDDSA)),
    Case::baseline("bare-hs256", Some(FORWARDED), |plan| bare(plan, HS256)),
    Case::baseline("bare-rs256-in-turn", Some(FORWARDED), |plan| {
        bare_in_turn(plan, RS256)
    }),
    Case::baseline("bare-es256-in-turn", Some(FORWARDED), |plan| {
        bare_in_turn(plan, ES256)
    }),
    Case::baseline("bare-eddsa-in-turn", Some(FORWARDED), |plan| {
        bare_in_turn(plan, EDDSA)
    }),
    Case::baseline("bare-hs256-in-turn", Some(FORWARDED), |plan| {
        bare_in_turn(plan, HS256)
    }),
    Case::baseline("bare-bearer", Some(FORWARDED), |plan| {
        drive_in_turn::<_, Body, _>(plan, &[bearer(ES256.one())], Inner::<Body>::new())
    }),
    Case::baseline("bare-altered", Some(FORWARDED), |plan| {
        drive_in_turn::<_, Body, _>(plan, &[altered()], Inner::<Body>::new())
    }),
    hit("hit-rs256", "bare-rs256", |plan| one(plan, RS256, |b| b)),
    hit("hit-es256", "bare-es256", |plan| one(plan, ES256, |b| b)),
    hit("hit-eddsa", "bare-eddsa", |plan| one(plan, EDDSA, |b| b)),
    hit("hit-hs256", "bare-hs256", |plan| one(plan, HS256, |b| b)),
    hit("hit-keep-header", "bare-es256", |plan| {
        one(plan, ES256, RequireTokenBuilder::keep_header)
    }),
    hit("hit-bearer", "bare-bearer", |plan| {
        let layer = service(ES256, RequireTokenBuilder::authorization_bearer);
        drive_in_turn::<_, Body, _>(plan, &[bearer(ES256.one())], layer)
    }),
    // A static token is compared first; a JWT then pays for both.
    hit("hit-beside-static", "bare-es256", |plan| {
        one(plan, ES256, beside_static)
    }),
    // The way to JWTs: callers that still send the static token (T14).
    Case {
        name: "static-beside-jwt",
        baseline: Some("bare-accepted"),
        gate: Gate::Allocating {
            target: None,
            allocations: TOLD,
        },
        answers: Some(FORWARDED),
        run: |plan| drive::<_, Body, _>(plan, Shape::Accepted, service(ES256, beside_static)),
    },
    Case::shown("miss-rs256", "bare-rs256-in-turn", FORWARDED, |plan| {
        two_in_turn(plan, RS256)
    }),
    Case::shown("miss-es256", "bare-es256-in-turn", FORWARDED, |plan| {
        two_in_turn(plan, ES256)
    }),
    Case::shown("miss-eddsa", "bare-eddsa-in-turn", FORWARDED, |plan| {
        two_in_turn(plan, EDDSA)
    }),
    Case::shown("miss-hs256", "bare-hs256-in-turn", FORWARDED, |plan| {
        two_in_turn(plan, HS256)
    }),
    Case::shown("no-cache-rs256", "bare-rs256", FORWARDED, |plan| {
        one(plan, RS256, without_cache)
    }),
    Case::shown("no-cache-es256", "bare-es256", FORWARDED, |plan| {
        one(plan, ES256, without_cache)
    }),
    Case::shown("no-cache-eddsa", "bare-eddsa", FORWARDED, |plan| {
        one(plan, EDDSA, without_cache)
    }),
    Case::shown("no-cache-hs256", "bare-hs256", FORWARDED, |plan| {
        one(plan, HS256, without_cache)
    }),
    Case::shown(
        "refused-signature",
        "bare-altered",
        StatusCode::UNAUTHORIZED,
        |plan| drive_in_turn::<_, Body, _>(plan, &[altered()], service(ES256, |b| b)),
    ),
];

const fn hit(name: &'static str, baseline: &'static str, run: fn(Plan) -> Outcome) -> Case {
    Case {
        name,
        baseline: Some(baseline),
        gate: Gate::Allocating {
            // That of a hit is relative to the hash of its token: `report.rs`.
            target: None,
            allocations: TOLD,
        },
        answers: Some(FORWARDED),
        run,
    }
}

fn bare(plan: Plan, tokens: Tokens) -> Outcome {
    drive_in_turn::<_, Body, _>(plan, &[carrying(tokens.one())], Inner::<Body>::new())
}

fn bare_in_turn(plan: Plan, tokens: Tokens) -> Outcome {
    drive_in_turn::<_, Body, _>(plan, &in_turn(tokens), Inner::<Body>::new())
}

fn one(
    plan: Plan,
    tokens: Tokens,
    configure: fn(RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static>,
) -> Outcome {
    let service = service(tokens, configure);
    drive_in_turn::<_, Body, _>(plan, &[carrying(tokens.one())], service)
}

/// The answer of the layer to one request with this token; for the tests of the rivals, to compare with.
#[must_use]
pub fn check_one(token: &str, tokens: Tokens) -> Outcome {
    drive_in_turn::<_, Body, _>(Plan::Answer, &[carrying(token)], service(tokens, |b| b))
}

fn two_in_turn(plan: Plan, tokens: Tokens) -> Outcome {
    let service = service(tokens, with_room_for_one);
    drive_in_turn::<_, Body, _>(plan, &in_turn(tokens), service)
}

fn with_room_for_one(builder: RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static> {
    builder.jwt_cache(1)
}

fn without_cache(builder: RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static> {
    builder.jwt_cache(0)
}

fn beside_static(builder: RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static> {
    builder.token(TOKEN.parse().expect("a valid token"))
}

/// The layer with one key and one issuer, and what else the case asks for.
fn service(
    tokens: Tokens,
    configure: impl FnOnce(RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static>,
) -> RequireToken<Inner<Body>> {
    let keys = match tokens.pem {
        "" => JwtKeys::secret(SECRET),
        pem => JwtKeys::pem(pem),
    };
    let keys = keys
        .and_then(|keys| keys.with_kid(KID))
        .expect("the keys of these cases are valid");
    let rules = JwtRules::new(ISSUER, AUDIENCE).algorithms([ours(tokens.algorithm)]);
    configure(RequireTokenLayer::builder().jwt(keys, rules))
        .build()
        .expect("the settings of these cases are valid")
        .layer(Inner::new())
}

fn ours(algorithm: jsonwebtoken::Algorithm) -> Algorithm {
    match algorithm {
        jsonwebtoken::Algorithm::RS256 => Algorithm::RS256,
        jsonwebtoken::Algorithm::ES256 => Algorithm::ES256,
        jsonwebtoken::Algorithm::EdDSA => Algorithm::EdDSA,
        _ => Algorithm::HS256,
    }
}

/// A request with this token.
#[must_use]
pub fn carrying(token: &str) -> Template {
    Template::carrying(HEADER, token)
}

/// A request with this token in `authorization`.
#[must_use]
pub fn bearer(token: &str) -> Template {
    Template::carrying("authorization", &format!("Bearer {token}"))
}

/// Requests with either token.
#[must_use]
pub fn in_turn(tokens: Tokens) -> Vec<Template> {
    tokens.both().into_iter().map(carrying).collect()
}

/// Well formed, and signed by nobody: one bit of the claims was turned.
fn altered() -> Template {
    let token = ES256.one().replace("eyJpc3Mi", "eyJpc3Mj");
    carrying(&token)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tower_dapr_token::{Decision, JwtCache, Observer, RejectionKind};
    use tower_service::Service;

    use super::*;
    use crate::token::ALL;

    #[derive(Default)]
    struct Told(Mutex<Vec<(Option<JwtCache>, Option<RejectionKind>)>>);

    impl Observer for Told {
        fn on_decision(&self, decision: &Decision) {
            self.0
                .lock()
                .unwrap()
                .push((decision.jwt_cache(), decision.reason()));
        }
    }

    /// What an observer is told of each of these requests.
    fn told(
        tokens: Tokens,
        templates: &[Template],
        configure: fn(RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static>,
    ) -> Vec<(Option<JwtCache>, Option<RejectionKind>)> {
        let told = Arc::new(Told::default());
        let observer: Arc<dyn Observer> = told.clone();
        let mut service = service(tokens, |builder| configure(builder.observer(observer)));
        for template in templates.iter().cycle().take(6) {
            drop(service.call(template.fresh::<Body>()));
        }
        std::mem::take(&mut told.0.lock().unwrap())
    }

    #[test]
    fn a_hit_is_a_hit_and_a_miss_pushes_another_token_out() {
        let (hit, miss, evict) = (
            (Some(JwtCache::Hit), None),
            (Some(JwtCache::Miss), None),
            (Some(JwtCache::Evict), None),
        );
        for tokens in ALL {
            let same = [carrying(tokens.one())];
            let decisions = told(tokens, &same, |builder| builder);
            assert_eq!(decisions, [miss, hit, hit, hit, hit, hit], "{tokens:?}");
            let decisions = told(tokens, &in_turn(tokens), with_room_for_one);
            let expected = [miss, evict, evict, evict, evict, evict];
            assert_eq!(decisions, expected, "{tokens:?}");
            let decisions = told(tokens, &same, without_cache);
            assert_eq!(decisions, [(None, None); 6], "{tokens:?}");
        }
    }

    #[test]
    fn the_altered_token_is_refused_for_its_signature() {
        let decisions = told(ES256, &[altered()], |builder| builder);
        assert_eq!(decisions, [(None, Some(RejectionKind::Signature)); 6]);
    }
}
