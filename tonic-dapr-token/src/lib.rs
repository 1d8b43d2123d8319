#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod interceptor;
mod layer;
mod outbound;
mod status;

pub use interceptor::RequireTokenInterceptor;
pub use layer::RequireTokenLayer;
pub use outbound::InjectTokenInterceptor;
pub use status::TokenRejection;
pub use tower_dapr_token;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto")))
)]
pub use tower_dapr_token::KeyEvent;
pub use tower_dapr_token::{
    Authenticated, ConfigError, Environment, Exempt, HeaderInjector, HeaderVerifier, Immediate,
    InjectToken, InjectTokenBuilder, InjectTokenLayer, Observer, Origin, Rejection, RejectionKind,
    RequireToken, RequireTokenBuilder, ResponseBody, Token, TokenHandle, TokenReader, TokenSet,
    TokenSource,
};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
pub use tower_dapr_token::{Claims, JwtKeys, JwtRules, KeySetFile};
#[cfg(feature = "jwks")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
pub use tower_dapr_token::{JwksError, JwksErrorKind, RemoteKeys};
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[cfg_attr(
    docsrs,
    doc(cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto"))))
)]
pub use tower_dapr_token::{RequireRemoteTokenBuilder, Waiting};
