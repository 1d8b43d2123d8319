#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

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
    Authenticated, Exempt, Rejection, RejectionKind, RequireToken, RequireTokenBuilder,
    RequireTokenLayer, ResponseBody,
};
pub use observe::{Decision, ExemptionList, Injection, Notice, Observer, Outcome, Protocol};
pub use outbound::{InjectToken, InjectTokenBuilder, InjectTokenLayer, Origin};
pub use token::{
    Clock, FileSource, LoadedTokens, Overlap, Reloaded, SourceError, SourceErrorKind, SystemClock,
    Token, TokenHandle, TokenHandleBuilder, TokenReader, TokenSet, TokenSource,
};
