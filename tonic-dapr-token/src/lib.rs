#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod layer;

pub use layer::RequireTokenLayer;
pub use tower_dapr_token;
pub use tower_dapr_token::{
    ConfigError, Environment, InjectToken, InjectTokenBuilder, InjectTokenLayer, Observer, Origin,
    Rejection, RejectionKind, RequireToken, RequireTokenBuilder, ResponseBody, Token, TokenSet,
};
#[cfg(feature = "jwks")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
pub use tower_dapr_token::{JwksError, JwksErrorKind, KeyEvent, RemoteKeys};
