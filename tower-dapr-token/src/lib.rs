#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
//!
//! ## Where to read on
//!
//! The rules are on the pages of [`inbound`] and [`outbound`]. For each use a section of a guide, with examples that are
//! compiled and run:
//!
//! | to | read |
//! | --- | --- |
//! | put the check in front of an axum app | [`guide::placement`, axum](guide::placement#axum) |
//! | put it in front of an axum router inside of another one | [`guide::placement`, inside of a `nest`](guide::placement#inside-of-a-nest) |
//! | put it in front of a hyper server | [`guide::placement`, hyper](guide::placement#hyper) |
//! | check headers where no layer fits | [`guide::placement`, where no layer fits](guide::placement#where-no-layer-fits) |
//! | send the token with hyper's client | [`guide::outbound`, hyper's client](guide::outbound#hypers-client) |
//! | send it with reqwest, or another client with types of its own | [`guide::outbound`, a client with types of its own](guide::outbound#a-client-with-types-of-its-own-such-as-reqwest) |
//! | send it over a Unix socket, or to one address alone | [`guide::outbound`, a fixed origin](guide::outbound#a-fixed-origin) |
//! | follow a mounted Kubernetes Secret | [`guide::rotation`, from a mounted Kubernetes Secret](guide::rotation#from-a-mounted-kubernetes-secret) |
//! | change the token without refusing anybody | [`guide::rotation`, the order of a rotation](guide::rotation#the-order-of-a-rotation) |
//! | end a token that somebody else knows | [`guide::leaked_token`, what to do](guide::leaked_token#what-to-do) |
//! | test an app behind the layer | [`guide::testing`, the environment as an argument](guide::testing#the-environment-as-an-argument) |
//! | test a rotation | [`guide::testing`, an hour that takes no time](guide::testing#an-hour-that-takes-no-time) |
//! | accept JWTs whose keys you have | [`guide::jwt`, with keys at hand](guide::jwt#with-keys-at-hand) |
//! | accept JWTs of a login service | [`guide::jwt`, with keys that are fetched](guide::jwt#with-keys-that-are-fetched) |
//! | go from a static token to JWTs | [`guide::jwt`, from a static token to JWTs](guide::jwt#from-a-static-token-to-jwts) |
//! | send JWTs | [`guide::outbound`, a token that ends](guide::outbound#a-token-that-ends-jwts) |
//! | log refusals and reloads | [`guide::observing`, in the log](guide::observing#in-the-log-tracingobserver) |
//! | count them | [`guide::observing`, in numbers](guide::observing#in-numbers-metricsobserver) |
//! | be alerted | [`guide::observing`, alerts worth having](guide::observing#alerts-worth-having) |
//! | replace another check | [`guide::migration`, from a check by hand](guide::migration#from-a-check-by-hand), [from tower-http](guide::migration#from-tower-http), [from the Dapr SDK](guide::migration#from-the-dapr-sdk-for-rust) |
//! | know what this protects from, and what not | [`guide::threats`, from the caller to the app](guide::threats#from-the-caller-to-the-app), [no identity](guide::threats#no-identity), [from the app to the sidecar](guide::threats#from-the-app-to-the-sidecar) |

mod authority;
mod environment;
mod error;
#[path = "docs/mod.rs"]
pub mod guide;
mod header;
pub mod inbound;
mod observe;
pub mod outbound;
mod token;

pub use environment::{Environment, ProcessEnvironment};
pub use error::{ConfigError, InvalidToken};
pub use header::{DAPR_API_TOKEN, MAX_TOKEN_LEN};
pub use inbound::{
    Authenticated, Exempt, HeaderVerifier, Immediate, Rejection, RejectionKind, RequireToken,
    RequireTokenBuilder, RequireTokenLayer, ResponseBody,
};
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[cfg_attr(
    docsrs,
    doc(cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto"))))
)]
pub use inbound::{RequireRemoteTokenBuilder, Waiting};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
pub use observe::JwtCache;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use observe::TracingObserver;
pub use observe::{
    Decision, Event, ExemptionList, Injection, Notice, Observer, Outcome, Protocol, TokenMode,
    TokenStatus,
};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use observe::{MetricsObserver, MetricsObserverBuilder};
pub use outbound::{HeaderInjector, InjectToken, InjectTokenBuilder, InjectTokenLayer, Origin};
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto")))
)]
pub use token::KeyEvent;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
pub use token::{
    Algorithm, Backend, Claims, ClaimsError, JwtConfigError, JwtFile, JwtHandle, JwtHandleBuilder,
    JwtSigner, JwtSignerBuilder, JwtSource, KeySetFile, KeySetFileBuilder, MintedToken, Renewal,
    SubjectRule, SystemWallClock, WallClock,
};
pub use token::{
    Clock, FileSource, LoadedTokens, Overlap, Reloaded, SourceError, SourceErrorKind, SystemClock,
    Token, TokenHandle, TokenHandleBuilder, TokenReader, TokenSet, TokenSource,
};
#[cfg(feature = "jwks")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
pub use token::{JwksError, JwksErrorKind, RemoteKeys};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
pub use token::{JwtKeys, JwtRules};
