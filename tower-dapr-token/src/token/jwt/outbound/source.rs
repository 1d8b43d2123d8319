//! [`JwtSource`]: where the JWTs come from that a client sends.

use std::time::Duration;

use super::minted::MintedToken;
use crate::token::SourceError;

/// A place that JWTs come from, one at a time (`I9`).
///
/// [`JwtSigner`](crate::JwtSigner) mints them and [`JwtFile`](crate::JwtFile) reads them. A source of your own may ask
/// a token service:
///
/// ```
/// use std::time::Duration;
/// use tower_dapr_token::{JwtHandle, JwtSource, MintedToken, SourceError};
///
/// struct TokenService;
///
/// impl JwtSource for TokenService {
///     fn fetch(&self, _now: Duration) -> Result<MintedToken, SourceError> {
///         // In an app of yours: the `access_token` of the answer to a blocking request.
///         let answer = b"eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.AAAA";
///         MintedToken::new(answer.to_vec())
///     }
/// }
///
/// let handle = JwtHandle::builder(TokenService).build()?;
/// assert_eq!(handle.expires_at(), Some(Duration::from_secs(4_102_444_800)));
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub trait JwtSource: Send + Sync + 'static {
    /// A token to send from now on. `now` is the time since 1970-01-01 UTC. One call ends before the next one begins.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there is none to be had. The one before is then sent until its `exp`, and no longer.
    fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError>;

    /// When it is asked, and where it may be.
    fn renewal(&self) -> Renewal {
        Renewal::Fetched
    }
}

/// When a [`JwtSource`] is asked for the next token, and whether a request may wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// At two thirds of the token's life. A token is made by computing alone, in about a millisecond or less: without
    /// a background task, the request that finds it due makes it, and no other request at the same time.
    Minted,
    /// At two thirds of the token's life, never on a request: it may block. Needs a background task, or somebody who
    /// calls [`refresh()`](crate::JwtHandle::refresh).
    Fetched,
    /// Somebody else renews the token, nobody knows when: looked at every 10 s, give or take a tenth, and never on a
    /// request. A new one counts if it is the same when it is fetched again 100 ms later (`R4`).
    Polled,
}

impl<T: JwtSource + ?Sized> JwtSource for Box<T> {
    fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError> {
        (**self).fetch(now)
    }

    fn renewal(&self) -> Renewal {
        (**self).renewal()
    }
}
