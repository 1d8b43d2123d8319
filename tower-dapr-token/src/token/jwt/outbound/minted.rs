//! [`MintedToken`]: a JWT to send, and until when.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::super::claims::{self, MAX_DEPTH};
use super::super::json::Object;
use super::super::parse::Compact;
use crate::inbound::RejectionKind;
use crate::token::{SourceError, SourceErrorKind};

/// The longest JWT that is sent: what a server takes by default (`E4`, `I9`).
pub(super) const MAX_LEN: usize = 8 * 1024;

/// The scheme of the header `authorization` (RFC 6750).
const BEARER: &[u8] = b"Bearer ";

/// One JWT to send, until its `exp`. Wiped when it is dropped; `Debug` shows the time alone.
///
/// Its signature is not checked here: who receives it does that.
///
/// ```
/// use tower_dapr_token::MintedToken;
///
/// let token = MintedToken::new(b"eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.AAAA\n".to_vec())?;
/// assert_eq!(token.expires_at().as_secs(), 4_102_444_800);
/// assert!(MintedToken::new(b"not a token".to_vec()).is_err());
/// # Ok::<(), tower_dapr_token::SourceError>(())
/// ```
#[derive(Clone)]
pub struct MintedToken {
    pub(super) text: Zeroizing<Vec<u8>>,
    expires_at: u64,
}

impl MintedToken {
    /// Takes a token over: three parts in base64url, at most 8 KiB, with white space around it trimmed. Its payload
    /// must be a JSON object that says `exp`.
    ///
    /// # Errors
    ///
    /// [`SourceErrorKind::Empty`], [`NotAJwt`](SourceErrorKind::NotAJwt),
    /// [`JwtTooLong`](SourceErrorKind::JwtTooLong) or [`JwtWithoutExpiry`](SourceErrorKind::JwtWithoutExpiry).
    pub fn new(token: Vec<u8>) -> Result<Self, SourceError> {
        let token = Zeroizing::new(token);
        Ok(Self::read(&token)?)
    }

    /// When it ends, `exp`, since 1970-01-01 UTC.
    #[must_use]
    pub fn expires_at(&self) -> Duration {
        Duration::from_secs(self.expires_at)
    }

    /// The secret text.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn read(text: &[u8]) -> Result<Self, SourceErrorKind> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(SourceErrorKind::Empty);
        }
        let payload = Compact::find(text, MAX_LEN)
            .and_then(Compact::decode_payload)
            .map_err(|kind| match kind {
                RejectionKind::TooLarge => SourceErrorKind::JwtTooLong,
                _ => SourceErrorKind::NotAJwt,
            })?;
        let payload = Object::parse(&payload, MAX_DEPTH).map_err(|_| SourceErrorKind::NotAJwt)?;
        let expires_at = payload
            .number("exp")
            .ok()
            .flatten()
            .and_then(|exp| claims::seconds(exp, false))
            .ok_or(SourceErrorKind::JwtWithoutExpiry)?;
        Ok(Self {
            text: Zeroizing::new(text.to_vec()),
            expires_at,
        })
    }

    /// Made by the signer, which knows what it wrote.
    pub(super) fn signed(text: Zeroizing<Vec<u8>>, expires_at: u64) -> Result<Self, SourceError> {
        if text.len() > MAX_LEN {
            return Err(SourceErrorKind::JwtTooLong.into());
        }
        Ok(Self { text, expires_at })
    }

    /// As header values. What is no such value, and no token either, is an error.
    pub(super) fn header_values(&self) -> Result<HeaderValues, SourceErrorKind> {
        let mut text = Zeroizing::new(Vec::with_capacity(BEARER.len() + self.text.len()));
        text.extend_from_slice(BEARER);
        text.extend_from_slice(&self.text);
        let bearer = Bytes::from_owner(Exposed(text));
        Ok(HeaderValues {
            plain: sensitive(bearer.slice(BEARER.len()..))?,
            bearer: sensitive(bearer)?,
        })
    }
}

/// Both ways to send one token, in the same memory. Wiped with the last copy of either.
pub(super) struct HeaderValues {
    /// In a header of its own.
    pub(super) plain: HeaderValue,
    /// In `authorization`.
    pub(super) bearer: HeaderValue,
}

/// Owns the bytes of header values.
struct Exposed(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Exposed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn sensitive(bytes: Bytes) -> Result<HeaderValue, SourceErrorKind> {
    let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_| SourceErrorKind::NotAJwt)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
