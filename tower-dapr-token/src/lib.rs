#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

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
