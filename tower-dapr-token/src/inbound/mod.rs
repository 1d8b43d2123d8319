//! Enforcing the token on inbound requests: [`RequireTokenLayer`].
//!
//! ```text
//! request -> extract -> verify -----------------> forward -> inner service
//!            every copy    \                         ^
//!            taken out      not decided -> exempt? --/
//!                                             \-> reject: 401 | gRPC UNAUTHENTICATED
//! ```
//!
//! # Rules
//!
//! 1. The token is read from one header, `dapr-api-token`. Not from the query, a cookie, the body or a
//!    trailer, and not from `authorization`, unless `authorization_bearer()` asks for it (`E1`).
//! 2. A request with two values is refused, even if they are equal: nobody can tell which end of a
//!    chain would believe which (`E2`).
//! 3. The value is bytes: nothing is trimmed, decoded, split or folded (`E3`). Longer than 1024 bytes, or 8 KiB
//!    where JWTs are accepted, is refused before it is looked at (`E4`).
//! 4. Every configured token is compared, without an early exit, in a time that does not depend on a
//!    secret (`C2`).
//! 5. The header leaves the request before the inner service runs, whatever was decided (`E5`).
//! 6. A request without a valid token passes only if its method and raw path are exactly on the list of
//!    exemptions (`X1`). The list is empty unless presets fill it.
//! 7. Anything else is refused in the protocol that the caller speaks (`J1`, `J2`); the inner service
//!    is not called and the body is not read (`J5`).
//!
//! | refused | HTTP | gRPC | `errorCode` |
//! | --- | --- | --- | --- |
//! | no token | 401 | UNAUTHENTICATED | `ERR_API_TOKEN_MISSING` |
//! | any other reason | 401 | UNAUTHENTICATED | `ERR_API_TOKEN_INVALID` |
//! | nothing to judge it by: no token or key loaded yet, or none for too long | 503 | UNAVAILABLE | `ERR_AUTH_UNAVAILABLE` |
//!
//! # Examples
//!
//! An axum app behind daprd. The layer covers the routes added before it, so it comes last, and outside
//! of any `nest`:
//!
//! ```
//! use axum::{Router, body::Body, routing::post};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! use tower_dapr_token::RequireTokenLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = Router::new()
//!     .route("/orders", post(|| async { "taken" }))
//!     // In an app of yours: `.layer(RequireTokenLayer::from_env()?)`
//!     .layer(RequireTokenLayer::new("a-token-of-16-bytes-or-more".parse()?));
//!
//! let request = Request::post("/orders").header("dapr-api-token", "a-token-of-16-bytes-or-more");
//! let response = app.clone().oneshot(request.body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//!
//! let request = Request::post("/orders").header("dapr-api-token", "a-token-of-16-bytes-or-less");
//! let response = app.oneshot(request.body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! Customised: two tokens during a rotation, and daprd's health probe, which carries none:
//!
//! ```
//! # use std::convert::Infallible;
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_dapr_token::RequireTokenLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = RequireTokenLayer::builder()
//!     .token("the-current-token-of-32-bytes-ok".parse()?)
//!     .add_previous("the-token-that-is-on-its-way-out".parse()?)
//!     .http_health()
//!     .build()?;
//! let app = layer.layer(service_fn(|_: Request<()>| async {
//!     Ok::<_, Infallible>(Response::new(String::new()))
//! }));
//!
//! let probe = Request::get("/healthz").body(())?;
//! assert_eq!(app.clone().oneshot(probe).await?.status(), StatusCode::OK);
//!
//! let elsewhere = Request::get("/healthz/").body(())?;
//! assert_eq!(app.oneshot(elsewhere).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! # Security
//!
//! - daprd sends the app token to foreign hosts when an app invokes a bare URL
//!   (`/v1.0/invoke/https://host/method/x`). Give the token to no one else, and rotate it.
//! - Before October 2024 daprd appended its token after one that the caller sent; such a request is
//!   refused here (dapr/dapr #8173 and #8219 mended it; over gRPC pub/sub, bindings and jobs still append).
//! - Before October 2025 (dapr/dapr #9142; #9143 for 1.16) daprd sent no token over gRPC for pub/sub,
//!   bindings and jobs.
//! - In an axum `nest` the layer sees the path without the prefix, so that exempting `/healthz` would
//!   exempt `/admin/healthz`. Put the layer outside, or ask for `exemptions_on_original_uri()` (feature `axum`).
//! - Layers outside of this one see the header as it came. Put what logs headers inside, or mark
//!   `dapr-api-token` sensitive before it.
//! - A static token proves that the caller knows it, not who the caller is: a JWT does, with an end and an audience
//!   (features `jwt`, `jwks`). Over plain HTTP either is there to be read. It belongs on loopback or behind TLS.

mod body;
mod builder;
mod decide;
mod exempt;
mod extract;
mod forward;
mod future;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
mod layer;
mod marker;
mod reject;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod remote;
mod service;
mod verbose;
mod verifier;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod waiting;

pub use body::ResponseBody;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
pub use builder::RequireRemoteTokenBuilder;
pub use builder::RequireTokenBuilder;
pub use forward::{Authenticated, Exempt};
pub use future::ResponseFuture;
pub use layer::RequireTokenLayer;
pub use marker::Immediate;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
pub use marker::Waiting;
pub use reject::{Rejection, RejectionKind};
pub use service::RequireToken;
pub use verifier::HeaderVerifier;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
pub use waiting::WaitingFuture;

pub(crate) use extract::Presented;
