//! [`Decides`]: whatever a layer asks about the value of the header, put together.

use http::HeaderMap;

use super::extract::Extraction;
use super::forward::Details;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use super::jwt::JwtCheck;
use super::reject::RejectionKind;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
use super::remote::Unknown;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
use crate::error::ConfigError;
use crate::observe::TokenMode;
use crate::token::{Token, TokenHandle, TokenReader, TokenSet, Verified, Verifier};

/// What decides about one value.
pub(super) struct Decides {
    pub(super) verifier: Verifier,
    /// Where the tokens come from if they can change; the verifier above then knows none.
    pub(super) live: Option<Live>,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) jwt: Option<Box<JwtCheck>>,
}

/// Tokens that can change. Each service keeps the newest snapshot that it saw.
pub(super) struct Live {
    pub(super) reader: TokenReader,
    /// Where the layer was built from a source: its reload lasts as long as the layer and its services.
    pub(super) source: Option<TokenHandle>,
}

impl Decides {
    /// By this token alone.
    pub(super) fn by(token: Token) -> Self {
        Self {
            verifier: Verifier::tokens(TokenSet::new(token)),
            live: None,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            jwt: None,
        }
    }

    /// Whether the value may be something else than a static token, so that the usual way does not do.
    pub(super) fn is_unusual(&self) -> bool {
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        if self.jwt.is_some() {
            return true;
        }
        false
    }

    /// Takes the header out and judges its value by these tokens, and as a JWT where there are keys for one.
    pub(super) fn judge(
        &self,
        extraction: &Extraction,
        tokens: &Verifier,
        headers: &mut HeaderMap,
    ) -> (Result<Verified, RejectionKind>, Details) {
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        if let Some(jwt) = &self.jwt {
            let judged = jwt.judge(extraction, tokens, headers);
            return (judged.verdict, judged.details);
        }
        let verdict = extraction.present_to(tokens, headers);
        (verdict, Details::of(self.mode()))
    }

    /// As [`judge`](Self::judge), where nothing waits: a key that is not known is fetched for those who come later (`T7`).
    pub(super) fn judge_on_the_spot(
        &self,
        extraction: &Extraction,
        tokens: &Verifier,
        headers: &mut HeaderMap,
    ) -> (Result<Verified, RejectionKind>, Details) {
        #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
        if let Some(jwt) = &self.jwt {
            let judged = jwt.judge(extraction, tokens, headers);
            let unknown = judged.unknown;
            let published = unknown.filter(|unknown| jwt.remote.fetch_for_others(unknown));
            return match published.as_ref().and_then(Unknown::token) {
                // Between the two looks.
                Some(token) => jwt.judge_again(token),
                None => (judged.verdict, judged.details),
            };
        }
        self.judge(extraction, tokens, headers)
    }

    /// Waits for the first keys of each set that is fetched.
    #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
    pub(super) async fn first_keys(&self) -> Result<(), ConfigError> {
        match &self.jwt {
            Some(jwt) => jwt.remote.first_load().await,
            None => Ok(()),
        }
    }

    /// What is asked of a token: nothing, where a request without one is let through.
    fn mode(&self) -> TokenMode {
        match self.verifier.pardon(RejectionKind::Missing) {
            Ok(_) => TokenMode::AllowAll,
            Err(_) => TokenMode::Static,
        }
    }
}
