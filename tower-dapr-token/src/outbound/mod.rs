//! Injecting the token into outbound requests: [`InjectTokenLayer`].
//!
//! ```text
//! request -> origin allowed? -> set the header ------> inner client
//!                           \-> remove the header --/
//! ```
//!
//! # Rules
//!
//! 1. [`dapr()`](InjectTokenLayer::dapr) sends `DAPR_API_TOKEN` and [`app()`](InjectTokenLayer::app) sends
//!    `APP_API_TOKEN`; neither ever stands in for the other. A variable that is not set is an error at
//!    start (`I1`).
//! 2. A value that the caller set is overwritten, every copy of it; the new one is marked sensitive
//!    (`I2`). No request ever fails because of this layer.
//! 3. Only allowed origins get the token: scheme, host and port, compared exactly. On a request for any
//!    other the header is removed, and the request goes on without it (`I3`).
//! 4. Plain `http` is for loopback and Unix sockets, unless an origin is listed with
//!    [`allow_plaintext()`](Origin::allow_plaintext) (`I4`).
//! 5. Each request is judged by its own address, with no memory of a redirect (`I5`).
//! 6. Tokens from a source that changes are followed, and the current one is sent (`I7`). An answer that says
//!    it was not accepted asks for a reload of the source; nothing is sent a second time (`I6`).
//! 7. A JWT (feature `jwt` or `jwt-rust-crypto`) is renewed at two thirds of its life, and never sent once its `exp` is
//!    over (`I9`).
//!
//! # Examples
//!
//! A client that calls its sidecar:
//!
//! ```
//! # use std::convert::Infallible;
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_dapr_token::InjectTokenLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let layer = InjectTokenLayer::builder()
//! #     .dapr_token()
//! #     .environment(&|name: &str| (name == "DAPR_API_TOKEN").then(|| "the-token-of-the-sidecar".into()))
//! #     .build()?;
//! // In an app of yours: `let layer = InjectTokenLayer::dapr()?;`
//! let client = layer.layer(service_fn(|request: Request<()>| async move {
//!     // Stands for a real client; says whether it got the token.
//!     Ok::<_, Infallible>(Response::new(request.headers().contains_key("dapr-api-token")))
//! }));
//!
//! let to_sidecar = Request::get("http://127.0.0.1:3500/v1.0/secrets/store/name").body(())?;
//! assert!(client.clone().oneshot(to_sidecar).await?.into_body());
//!
//! let elsewhere = Request::get("http://localhost.evil.example:3500/").body(())?;
//! assert!(!client.oneshot(elsewhere).await?.into_body());
//! # Ok(())
//! # }
//! ```
//!
//! A sidecar elsewhere, over TLS, and a caller that may bring a token of its own:
//!
//! ```
//! use tower_dapr_token::InjectTokenLayer;
//!
//! let layer = InjectTokenLayer::builder()
//!     .token("the-token-of-the-sidecar".parse()?)
//!     .add_origin("https://dapr.example.com".parse()?)
//!     .keep_existing()
//!     .build()?;
//! # Ok::<(), tower_dapr_token::ConfigError>(())
//! ```
//!
//! # Security
//!
//! - Put this layer *below* one that follows redirects, so that each hop is judged anew. Filters for
//!   redirects know only the standard names, and would carry this header along.
//! - Judged anew also means that a foreign server could redirect such a client to the sidecar, token
//!   included. Give Dapr a client of its own that follows no redirect; daprd sends none.
//! - The header is marked sensitive, which keeps it out of `Debug` and out of HTTP/2's compression tables.
//!   A layer that logs all header values by other means shows it.

mod builder;
mod future;
mod injector;
mod layer;
mod origin;
mod service;
mod status;

pub use builder::InjectTokenBuilder;
pub use future::ResponseFuture;
pub use injector::HeaderInjector;
pub use layer::InjectTokenLayer;
pub use origin::Origin;
pub use service::InjectToken;
