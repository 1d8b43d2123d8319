//! The tokens and what "verified" means.
//!
//! A presented value is *verified* when it equals one of the configured tokens, every one of which
//! was compared, in a time that depends only on what is public: the length of the presented value
//! and the number of tokens (`C2`). `Verified` is the proof; it is made in `verify.rs` and nowhere
//! else, and the forwarding step asks for it.
//!
//! Tokens that can change are published as snapshots: a [`TokenHandle`] writes them, by hand or from a
//! [`TokenSource`], and any number of [`TokenReader`]s follow without a lock (`R8`). After a change the token
//! before it is accepted for the time of an [`Overlap`] (`R7`), and a source that fails changes nothing (`R5`).
//!
//! # Security
//!
//! - [`Token`] is wiped when it is dropped, and prints as a fixed text. It has no `Display`,
//!   `PartialEq` or serialization.
//! - Constant time is best effort, in optimised builds: Rust and the processor promise nothing, so
//!   a statistical test watches it.
//! - The *length* of a presented value shows in the time. It is the caller's own.

mod builder;
mod clock;
mod compare;
mod file;
mod handle;
#[cfg(feature = "jwks")]
#[cfg_attr(
    not(any(feature = "jwt", feature = "jwt-rust-crypto")),
    allow(
        dead_code,
        unused_imports,
        reason = "nothing asks for keys without a backend for signatures"
    )
)]
pub(crate) mod jwks;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub(crate) mod jwt;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
mod key_event;
mod notices;
mod overlap;
mod reload;
mod rotation;
mod secret;
mod set;
mod snapshot;
mod source;
#[cfg(feature = "tokio")]
pub(crate) mod spread;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
mod stale;
#[cfg(feature = "tokio")]
mod task;
mod variable;
mod verify;
#[cfg(feature = "tokio")]
#[cfg_attr(
    not(all(feature = "inotify", target_os = "linux")),
    path = "unwatched.rs"
)]
mod watch;

/// The longest document of keys, fetched or read (`T6`, `T8`), in bytes. A set of 64 large keys needs less than half.
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
const MAX_KEY_SET_LEN: usize = 256 * 1024;

pub use builder::TokenHandleBuilder;
pub use clock::{Clock, SystemClock};
pub use file::FileSource;
pub use handle::TokenHandle;
#[cfg(feature = "jwks")]
pub use jwks::{JwksError, JwksErrorKind, RemoteKeys};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub use jwt::{
    Algorithm, Backend, Claims, ClaimsError, JwtConfigError, JwtFile, JwtHandle, JwtHandleBuilder,
    JwtKeys, JwtRules, JwtSigner, JwtSignerBuilder, JwtSource, KeySetFile, KeySetFileBuilder,
    MintedToken, Renewal, SubjectRule, SystemWallClock, WallClock,
};
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
pub use key_event::KeyEvent;
pub use overlap::Overlap;
pub use reload::Reloaded;
pub use secret::Token;
pub use set::TokenSet;
pub use snapshot::TokenReader;
pub use source::{LoadedTokens, SourceError, SourceErrorKind, TokenSource};

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub(crate) use jwt::JwtSlot;
pub(crate) use notices::of_reader as notices_of_reader;
pub(crate) use snapshot::Snapshot;
pub(crate) use variable::TokenVariable;
pub(crate) use verify::{Verified, Verifier, Verify};
