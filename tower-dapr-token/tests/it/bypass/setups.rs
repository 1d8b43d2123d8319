//! Each way to put the layer that decides by another arm of the flow, and what comes of some rows there.

use std::sync::Arc;

use http::HeaderName;
use tokio::net::TcpListener;
use tower_dapr_token::RejectionKind::{Empty, Mismatch};
use tower_dapr_token::{RequireTokenBuilder, RequireTokenLayer, TokenHandle, TokenSet};

use super::guarded::{CUSTOM, Decisions, Guard, Setup};
use super::table::Expected::{self, Accepted, Exempt, Refused};
use crate::support::{TOKEN, WRONG};

/// Rows by their names, and what comes of them where one value of several is enough. Not of those that a protocol does
/// not let through.
pub(super) const ANY_VALID: &[(&str, Expected)] = &[
    ("twice the same", Accepted),
    ("twice, apart", Accepted),
    ("twice in two cases", Accepted),
    ("a good one, then a bad one", Accepted),
    ("a bad one, then a good one", Accepted),
    ("a good one, then an empty one", Accepted),
    ("an empty one, then a good one", Accepted),
    ("a long one, then a good one", Accepted),
    ("an empty one, then a bad one", Refused(Empty)),
    ("two bad ones", Refused(Mismatch)),
    ("a preflight with two tokens", Refused(Mismatch)),
    ("five times, the fourth is good", Accepted),
    ("five times", Refused(Mismatch)),
    ("two tokens, `connection` names them", Accepted),
    ("the probe with two tokens", Accepted),
    ("two tokens, one behind a line feed alone", Accepted),
    ("two tokens in one block", Accepted),
];

/// The same where preflights are exempt.
pub(super) const PREFLIGHTS: &[(&str, Expected)] = &[
    ("a preflight", Exempt),
    ("a preflight with a wrong token", Exempt),
    ("a preflight with two tokens", Exempt),
];

/// Several requests on one connection: their name, the statuses, and what comes through.
pub(super) type SequenceRow = (&'static str, &'static [u16], &'static [&'static str]);

/// As [`ANY_VALID`].
pub(super) const ANY_VALID_SEQUENCES: &[SequenceRow] = &[
    (
        "a token in the table of the connection counts where it is referred to",
        &[200, 401, 200, 200],
        &["GET /orders", "GET /orders", "GET /orders"],
    ),
    (
        "the second token in a frame of its own",
        &[200],
        &["POST /orders"],
    ),
];

/// With nothing but its defaults and two exemptions.
fn builder() -> RequireTokenBuilder<'static> {
    exempting(RequireTokenLayer::builder().token(TOKEN.parse().expect("valid")))
}

fn exempting(builder: RequireTokenBuilder<'_>) -> RequireTokenBuilder<'_> {
    builder.http_health().daprd_probes()
}

async fn guarded(name: &'static str, guard: Guard) -> Setup {
    Setup {
        name,
        guard,
        listener: TcpListener::bind("127.0.0.1:0").await.expect("a port"),
        keeps: false,
        strips_twins: false,
        has_custom_name: false,
        otherwise: &[],
        sequences_otherwise: &[],
        decisions: None,
        arrivals: Arc::default(),
    }
}

async fn setup(name: &'static str, builder: RequireTokenBuilder<'_>) -> Setup {
    guarded(name, Guard::AtOnce(builder.build().expect("valid"))).await
}

/// Whose decisions are told and marked.
async fn telling(name: &'static str, builder: RequireTokenBuilder<'_>) -> Setup {
    let decisions = Arc::new(Decisions::default());
    let builder = builder.with_extensions().observer(decisions.clone());
    Setup {
        decisions: Some(decisions),
        ..setup(name, builder).await
    }
}

/// The layer with its defaults, and with each option that decides by another arm.
pub(super) async fn setups() -> Vec<Setup> {
    let name = HeaderName::from_static(CUSTOM);
    vec![
        setup("by default", builder()).await,
        telling("tells", builder()).await,
        Setup {
            keeps: true,
            ..setup("keeps the header", builder().keep_header()).await
        },
        Setup {
            strips_twins: true,
            ..setup("strips underscores", builder().strip_underscore_variants()).await
        },
        Setup {
            has_custom_name: true,
            ..telling("reads another header", builder().header_name(name.clone())).await
        },
        Setup {
            has_custom_name: true,
            keeps: true,
            strips_twins: true,
            ..telling(
                "reads and keeps another header, and strips underscores",
                builder()
                    .header_name(name)
                    .keep_header()
                    .strip_underscore_variants(),
            )
            .await
        },
        Setup {
            otherwise: ANY_VALID,
            sequences_otherwise: ANY_VALID_SEQUENCES,
            ..telling("takes any one of several", builder().any_valid()).await
        },
        Setup {
            otherwise: PREFLIGHTS,
            ..telling("exempts preflights", builder().exempt_cors_preflight()).await
        },
        telling("tokens that changed", changed()).await,
        telling("answers as daprd", builder().daprd_compat()).await,
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        beside_jwts().await,
        #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
        beside_fetched_keys().await,
    ]
}

/// Tokens that can change, and have: what every row calls the wrong one was the right one, until it was revoked.
fn changed() -> RequireTokenBuilder<'static> {
    let handle = TokenHandle::new(TokenSet::new(WRONG.parse().expect("valid")));
    let builder = exempting(RequireTokenLayer::builder().reader(handle.reader()));
    handle
        .rotate(TOKEN.parse().expect("valid"))
        .expect("of the same length");
    assert_eq!(handle.revoke_previous(), 1);
    builder
}

/// A static token where JWTs are accepted too: the same verdicts by another check.
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
async fn beside_jwts() -> Setup {
    use tower_dapr_token::{Algorithm, JwtKeys, JwtRules};

    let rules = JwtRules::new("https://issuer.example", "orders").algorithms([Algorithm::HS256]);
    let keys = JwtKeys::secret([b'k'; 32]).expect("a secret");
    telling("beside JWTs", builder().jwt(keys, rules)).await
}

/// The same where keys are fetched, and a request may wait for one.
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
async fn beside_fetched_keys() -> Setup {
    use crate::issuer::Issuer;
    use crate::signing::{Key, rules};

    let issuer = Issuer::with(&[&Key::new("key")]).await;
    let decisions = Arc::new(Decisions::default());
    let layer = builder()
        .observer(decisions.clone())
        .jwks(issuer.url(), rules())
        .build()
        .await
        .expect("keys");
    Setup {
        decisions: Some(decisions),
        ..guarded("beside fetched keys", Guard::Waiting(layer)).await
    }
}
