//! Our layers, each with the number of instructions that it has to reach.

use std::ffi::OsString;

use http::{Method, StatusCode};
use tower_dapr_token::{
    InjectToken, InjectTokenLayer, RequireToken, RequireTokenBuilder, RequireTokenLayer, Token,
    TokenHandle, TokenSet,
};
use tower_layer::Layer;

use crate::case::{Case, Gate};
use crate::drive::{Outcome, Plan, drive, drive_clone};
use crate::floor::Body;
use crate::inner::{FORWARDED, Inner};
use crate::request::{OTHER_HEADER, OTHER_TOKEN, Shape, TOKEN};

const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;
/// gRPC tells a refusal in a header.
const REFUSED_GRPC: StatusCode = StatusCode::OK;

/// The cases and their targets, which are those of `docs/spec/auth.md`, P2 to P4.
pub const CASES: &[Case] = &[
    gated(
        "accept",
        "bare-accepted",
        Gate::Target(440),
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Accepted, require(|layer| layer)),
    ),
    gated(
        "accept-two-tokens-current",
        "bare-accepted",
        Gate::Target(480),
        FORWARDED,
        |plan| {
            drive::<_, Body, _>(
                plan,
                Shape::Accepted,
                require(|layer| layer.add_previous(token(OTHER_TOKEN))),
            )
        },
    ),
    gated(
        "accept-two-tokens-previous",
        "bare-accepted",
        Gate::Target(480),
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Accepted, rotated()),
    ),
    // Each token is compared, always: the match stands in the last place.
    gated(
        "accept-eight-tokens",
        "bare-accepted",
        Gate::Record,
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Accepted, eight()),
    ),
    gated(
        "accept-keep-header",
        "bare-accepted",
        Gate::Target(400),
        FORWARDED,
        |plan| {
            drive::<_, Body, _>(
                plan,
                Shape::Accepted,
                require(RequireTokenBuilder::keep_header),
            )
        },
    ),
    // Tokens that can change: one atomic load more, as long as they do not (R8).
    gated(
        "accept-rotating",
        "bare-accepted",
        Gate::Target(440),
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Accepted, rotating()),
    ),
    // What the targets of a current and a previous token promise, all at once.
    gated(
        "accept-everything",
        "bare-accepted",
        Gate::Target(480),
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Accepted, everything()),
    ),
    // Each further name adds at most 180 (P4).
    gated(
        "accept-strip-underscores",
        "bare-accepted",
        Gate::Target(440 + 180),
        FORWARDED,
        |plan| {
            drive::<_, Body, _>(
                plan,
                Shape::Accepted,
                require(RequireTokenBuilder::strip_underscore_variants),
            )
        },
    ),
    // As the row before, and the name is one that the compiler does not know.
    gated(
        "accept-custom-header",
        "bare-other-name",
        Gate::Record,
        FORWARDED,
        |plan| {
            drive::<_, Body, _>(
                plan,
                Shape::AcceptedByOtherName,
                require(|layer| layer.header_name(OTHER_HEADER)),
            )
        },
    ),
    gated(
        "exempt",
        "bare-probe",
        Gate::Target(450),
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Probe, require(four_exemptions)),
    ),
    gated(
        "reject-http",
        "bare-wrong",
        Gate::Target(1_300),
        REFUSED,
        |plan| drive::<_, Body, _>(plan, Shape::Wrong, require(|layer| layer)),
    ),
    gated(
        "reject-http-first-byte",
        "bare-wrong",
        Gate::Record,
        REFUSED,
        |plan| drive::<_, Body, _>(plan, Shape::WrongFirstByte, require(|layer| layer)),
    ),
    gated(
        "reject-http-all-bytes",
        "bare-wrong",
        Gate::Record,
        REFUSED,
        |plan| drive::<_, Body, _>(plan, Shape::WrongAllBytes, require(|layer| layer)),
    ),
    gated(
        "reject-http-two-tokens",
        "bare-wrong",
        Gate::Target(1_330),
        REFUSED,
        |plan| {
            drive::<_, Body, _>(
                plan,
                Shape::Wrong,
                require(|layer| layer.add_previous(token(OTHER_TOKEN))),
            )
        },
    ),
    // The four exemptions are tried before a refusal, so this row pays for them.
    gated(
        "reject-http-everything",
        "bare-wrong",
        Gate::Target(1_330),
        REFUSED,
        |plan| drive::<_, Body, _>(plan, Shape::Wrong, everything()),
    ),
    gated(
        "reject-http-eight-tokens",
        "bare-wrong",
        Gate::Record,
        REFUSED,
        |plan| drive::<_, Body, _>(plan, Shape::Wrong, eight()),
    ),
    gated(
        "reject-http-missing",
        "bare-missing",
        Gate::Target(1_300),
        REFUSED,
        |plan| drive::<_, Body, _>(plan, Shape::Missing, require(|layer| layer)),
    ),
    gated(
        "reject-grpc",
        "bare-wrong-grpc",
        Gate::Target(2_000),
        REFUSED_GRPC,
        |plan| drive::<_, Body, _>(plan, Shape::WrongGrpc, require(|layer| layer)),
    ),
    gated(
        "inject",
        "bare-outbound",
        Gate::Target(400),
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Outbound, inject()),
    ),
    gated(
        "inject-nothing-elsewhere",
        "bare-elsewhere",
        Gate::Record,
        FORWARDED,
        |plan| drive::<_, Body, _>(plan, Shape::Elsewhere, inject()),
    ),
    Case {
        name: "clone",
        baseline: Some("bare-clone"),
        gate: Gate::Record,
        answers: None,
        run: |plan| drive_clone(plan, &require(four_exemptions)),
    },
];

/// Cases that must cost the same to the instruction, because they differ only in what is secret: how much of a token is
/// right, and which one matches (`docs/spec/auth.md`, C2).
pub const INDISTINGUISHABLE: &[[&str; 2]] = &[
    ["reject-http", "reject-http-first-byte"],
    ["reject-http", "reject-http-all-bytes"],
    ["accept-two-tokens-current", "accept-two-tokens-previous"],
];

const fn gated(
    name: &'static str,
    baseline: &'static str,
    gate: Gate,
    answers: StatusCode,
    run: fn(Plan) -> Outcome,
) -> Case {
    Case {
        name,
        baseline: Some(baseline),
        gate,
        answers: Some(answers),
        run,
    }
}

/// The layer around [`Inner`], with [`TOKEN`] as its current token and what else the case asks for.
fn require(
    configure: impl FnOnce(RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static>,
) -> RequireToken<Inner<Body>> {
    build(configure(RequireTokenLayer::builder().token(token(TOKEN))))
}

/// Accepts [`TOKEN`], with every setting at its default.
pub(crate) fn accepting() -> RequireToken<Inner<Body>> {
    require(|layer| layer)
}

/// Accepts [`TOKEN`] from a handle that may change it.
pub(crate) fn rotating() -> RequireToken<Inner<Body>> {
    let handle = TokenHandle::new(TokenSet::new(token(TOKEN)));
    build(RequireTokenLayer::builder().reader(handle.reader()))
}

/// [`TOKEN`] and a previous token from a handle that may change them, and four exemptions.
fn everything() -> RequireToken<Inner<Body>> {
    let tokens = TokenSet::new(token(TOKEN))
        .add_previous(token(OTHER_TOKEN))
        .expect("two tokens are not too many");
    let handle = TokenHandle::new(tokens);
    build(four_exemptions(
        RequireTokenLayer::builder().reader(handle.reader()),
    ))
}

/// As after a rotation: [`TOKEN`] is the previous token.
fn rotated() -> RequireToken<Inner<Body>> {
    build(
        RequireTokenLayer::builder()
            .token(token(OTHER_TOKEN))
            .add_previous(token(TOKEN)),
    )
}

/// As after seven rotations within the overlap: [`TOKEN`] is the last of eight.
fn eight() -> RequireToken<Inner<Body>> {
    let other = |number: u8| token(&format!("{number}{}", &OTHER_TOKEN[1..]));
    let builder = (2..8).fold(
        RequireTokenLayer::builder().token(other(1)),
        |builder, number| builder.add_previous(other(number)),
    );
    build(builder.add_previous(token(TOKEN)))
}

fn build(builder: RequireTokenBuilder<'static>) -> RequireToken<Inner<Body>> {
    builder
        .build()
        .expect("the tokens and paths of these cases are valid")
        .layer(Inner::new())
}

/// The health path comes last, so that the request of [`Shape::Probe`] is compared with all four.
fn four_exemptions(builder: RequireTokenBuilder<'static>) -> RequireTokenBuilder<'static> {
    builder
        .exempt(Method::GET, "/metrics")
        .exempt(Method::GET, "/livez")
        .exempt(Method::GET, "/readyz")
        .http_health()
}

/// The layer for daprd's own API as a program without further settings has it: every loopback origin on both ports.
fn inject() -> InjectToken<Inner<Body>> {
    let environment = |name: &str| (name == "DAPR_API_TOKEN").then(|| OsString::from(TOKEN));
    InjectTokenLayer::builder()
        .environment(&environment)
        .dapr_token()
        .build()
        .expect("the token is valid, and without further variables the origins are the defaults")
        .layer(Inner::new())
}

fn token(text: &str) -> Token {
    text.parse().expect("the tokens of these cases are valid")
}
