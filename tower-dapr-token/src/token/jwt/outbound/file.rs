//! [`JwtFile`]: one JWT in a file that somebody else renews.

use std::path::PathBuf;
use std::time::Duration;

use super::minted::MintedToken;
use super::source::{JwtSource, Renewal};
use crate::token::file::{MAX_FILE_LEN, read};
use crate::token::{SourceError, SourceErrorKind};

/// A file with one JWT, which somebody else renews, as the kubelet does with a projected service-account token (`I9`).
///
/// The file is read at every poll, in one pass and whatever its times say (`R2`, `R3`). A new token counts if it is
/// still the same 100 ms later (`R4`). Content that is no JWT, has no `exp`, has expired, or is longer than 8 KiB
/// changes nothing: the token before it is sent until its `exp` (`R5`). White space around the token is trimmed.
///
/// ```
/// use std::time::Duration;
/// use tower_dapr_token::{ConfigError, InjectTokenLayer, JwtFile, JwtHandle};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("token");
/// // Such as "/var/run/secrets/tokens/orders".
/// std::fs::write(&path, "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.AAAA")?;
/// let handle = JwtHandle::builder(JwtFile::new(&path)).build()?;
/// assert_eq!(handle.expires_at(), Some(Duration::from_secs(4_102_444_800)));
///
/// // Nobody would read the next one: `reload_in_background()` (feature `tokio`) does.
/// let layer = InjectTokenLayer::builder()
///     .jwt(JwtFile::new(&path))
///     .add_origin("https://orders.example.com".parse()?)
///     .build();
/// assert!(matches!(layer, Err(ConfigError::NobodyRenews)));
///
/// std::fs::write(&path, "no JWT")?;
/// assert!(handle.refresh().is_err(), "and the one from before stays, until its end");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JwtFile {
    path: PathBuf,
}

impl JwtFile {
    /// Reads this file. It is first opened when a token is fetched.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl JwtSource for JwtFile {
    fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError> {
        let content = read(&self.path, None, MAX_FILE_LEN)?;
        let token =
            MintedToken::read(&content).map_err(|kind| SourceError::at(&self.path, kind))?;
        if token.expires_at() <= now {
            return Err(SourceError::at(&self.path, SourceErrorKind::JwtExpired));
        }
        Ok(token)
    }

    fn renewal(&self) -> Renewal {
        Renewal::Polled
    }
}
