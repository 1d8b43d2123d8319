//! [`HeaderVerifier`]: steps 1, 2 and 4b of the inbound flow on a bare header map, for what no layer fits.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Extensions, Method, Request, Response, Version};

use super::decide::Decides;
use super::extract::Extraction;
use super::forward::{self, Authenticated};
use super::reject::{Dialect, Refusal, Rejection};
use super::verbose;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
use crate::error::ConfigError;
use crate::header;
use crate::observe::{Decision, Observer, Outcome, Protocol};
use crate::token::Token;

/// The inbound check on a header map: for an interceptor, a handshake, or a middleware of your own, where a
/// [`RequireTokenLayer`](crate::RequireTokenLayer) does not fit. Where one does, it is the better choice.
///
/// It reads the same header by the same rules, takes every copy of it out (`E1` to `E5`), compares with the same
/// tokens and follows their rotation. It sees neither method nor path, so it exempts nothing (`X6`).
///
/// Cloning it is cheap. It decides at once and never waits. Where keys are fetched, a token whose key is not known is
/// refused, and has the keys fetched for those who come after it, at most once in 30 s (`T7`).
///
/// ```
/// use http::HeaderMap;
/// use tower_dapr_token::{HeaderVerifier, Protocol, RejectionKind, RequireTokenLayer};
///
/// let verifier: HeaderVerifier = RequireTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .build_verifier()?;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("dapr-api-token", "a-token-of-16-bytes-or-more".parse()?);
/// let authenticated = verifier.verify(&mut headers, Protocol::Http)?;
/// assert_eq!(authenticated.slot(), Some(0), "the current token");
/// assert!(headers.is_empty(), "taken out");
///
/// let rejection = verifier.verify(&mut headers, Protocol::Http).unwrap_err();
/// assert_eq!(rejection.kind(), RejectionKind::Missing);
/// assert_eq!(verifier.answer(&rejection).status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a verifier does nothing until it is asked"]
pub struct HeaderVerifier {
    parts: Arc<Parts>,
}

/// What a verifier and its clones share.
pub(super) struct Parts {
    pub(super) extraction: Extraction,
    pub(super) decides: Decides,
    /// The answer says what was wrong (`J4`).
    pub(super) verbose: bool,
    pub(super) dialect: Dialect,
    pub(super) with_extensions: bool,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

impl HeaderVerifier {
    /// Accepts this token and no other, with every other setting at its default. Cannot fail.
    pub fn new(token: Token) -> Self {
        Self::from_parts(Parts {
            extraction: Extraction::default(),
            decides: Decides::by(token),
            verbose: false,
            dialect: Dialect::default(),
            with_extensions: false,
            observer: None,
        })
    }

    /// Waits for the first keys of each set that is fetched.
    #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
    pub(super) async fn first_keys(&self) -> Result<(), ConfigError> {
        self.parts.decides.first_keys().await
    }

    pub(super) fn from_parts(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// Takes the token out of the headers, every copy of it, and decides. Which protocol the caller speaks is
    /// yours to say: headers alone do not tell, as a content type may stand on any request (`J2`).
    ///
    /// # Errors
    ///
    /// [`Rejection`], with the reason and that protocol. [`answer()`](Self::answer) makes an answer of it.
    pub fn verify(
        &self,
        headers: &mut HeaderMap,
        protocol: Protocol,
    ) -> Result<Authenticated, Rejection> {
        let parts = &*self.parts;
        let Decides { verifier, live, .. } = &parts.decides;
        let judge = |tokens: &_, headers| {
            parts
                .decides
                .judge_on_the_spot(&parts.extraction, tokens, headers)
        };
        let (verdict, details) = match live {
            None => judge(verifier, headers),
            Some(live) => judge(live.reader.snapshot().verifier(), headers),
        };
        let mode = details.mode;
        let decision = verdict
            .or_else(|kind| verifier.pardon(kind))
            .map(|verified| Authenticated::new(&verified, details))
            .map_err(|kind| Rejection::new(kind, protocol));
        if let Some(observer) = &parts.observer {
            let outcome = match &decision {
                Ok(authenticated) => Outcome::Allowed {
                    slot: authenticated.slot(),
                },
                Err(rejection) => Outcome::Denied(rejection.clone()),
            };
            observer.on_decision(&Decision::new(outcome, protocol, mode));
        }
        decision
    }

    /// Puts what [`verify()`](Self::verify) gave into the request's extensions, in place of what is there, if
    /// the builder was asked [`with_extensions()`](crate::RequireTokenBuilder::with_extensions); otherwise does
    /// nothing (`E6`).
    pub fn mark(&self, extensions: &mut Extensions, authenticated: Authenticated) {
        if self.parts.with_extensions {
            forward::unmark(extensions);
            extensions.insert(authenticated);
        }
    }

    /// What the layer would answer, in the rejection's [`protocol`](Rejection::protocol): 401 or 503 over HTTP,
    /// and over gRPC a trailers-only UNAUTHENTICATED or UNAVAILABLE, whose status is in the headers. The answer to
    /// a HEAD has no body: leave it away there.
    #[must_use]
    pub fn answer(&self, rejection: &Rejection) -> Response<Bytes> {
        let mut request = Request::new(());
        if rejection.protocol() == Protocol::Grpc {
            *request.method_mut() = Method::POST;
            *request.version_mut() = Version::HTTP_2;
            request.headers_mut().append(CONTENT_TYPE, header::GRPC);
        }
        let kind = rejection.kind();
        let mut response = Refusal::new(kind, &mut request, self.parts.dialect).respond();
        if self.parts.verbose {
            verbose::explain(kind, self.parts.dialect, &mut response);
        }
        response
    }
}

impl fmt::Debug for HeaderVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderVerifier").finish_non_exhaustive()
    }
}
