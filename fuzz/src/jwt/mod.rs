//! What the targets of JWT mode share: a second reading of `docs/spec/auth.md`, section 9, and keys to sign with.
//!
//! ```text
//! token ─► oracle.rs: form, header, key (T1 to T3) ─► signature: signers.rs ─► claims.rs (T4)
//! ```
//!
//! Where a token has several faults, the rules do not always say which of them is told. The oracle then lists those that
//! may be; whether it is accepted is never open.

pub(crate) mod base64url;
pub(crate) mod claims;
pub(crate) mod json;
pub(crate) mod oracle;
pub(crate) mod signers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tower_dapr_token::{
    DAPR_API_TOKEN, HeaderVerifier, JwtKeys, JwtRules, Protocol, RequireTokenLayer, WallClock,
};

use self::oracle::Verdict;

/// Where nothing else is said.
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "dapr-app";
/// In milliseconds since 1970, as all times here.
pub(crate) const NOW: u64 = 1_767_225_600_000;

/// A clock that the input sets.
pub(crate) struct Wall(AtomicU64);

impl WallClock for Wall {
    fn unix_time(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// The code under test, with its clock.
pub(crate) struct Subject {
    verifier: HeaderVerifier,
    clock: Arc<Wall>,
}

impl Subject {
    /// `None` if the configuration is refused.
    pub(crate) fn new(trusts: impl IntoIterator<Item = (JwtKeys, JwtRules)>) -> Option<Self> {
        let clock = Arc::new(Wall(AtomicU64::new(NOW)));
        let mut builder = RequireTokenLayer::builder().wall_clock(clock.clone());
        for (keys, rules) in trusts {
            builder = builder.jwt(keys, rules);
        }
        let verifier = builder.build_verifier().ok()?;
        Some(Self { verifier, clock })
    }

    /// Asks about a header value at this time, and compares. Gives the reason of a refusal, or `accepted`.
    ///
    /// # Panics
    ///
    /// If the answer is none of those that may be, or if other claims are handed on than those that were signed.
    pub(crate) fn check(&self, value: &HeaderValue, now: u64, expected: &Verdict) -> &'static str {
        self.clock.0.store(now, Ordering::Relaxed);
        let mut headers = HeaderMap::new();
        headers.insert(DAPR_API_TOKEN, value.clone());
        let found = self.verifier.verify(&mut headers, Protocol::Http);
        assert!(headers.is_empty(), "E5: taken out");
        match (found, expected) {
            (Ok(authenticated), Verdict::Accepted) => {
                let claims = authenticated.jwt().expect("a JWT has claims");
                let payload = value.as_bytes().split(|byte| *byte == b'.').nth(1);
                let payload = payload.and_then(base64url::decode);
                assert_eq!(Some(claims.as_json().as_bytes()), payload.as_deref());
                "accepted"
            }
            (Err(rejection), Verdict::Refused(reasons)) => {
                let reason = rejection.kind().as_str();
                assert!(reasons.contains(&reason), "{reason}, and not {reasons:?}");
                reason
            }
            (Ok(_), Verdict::Refused(reasons)) => {
                unreachable!("accepted, and to be refused with {reasons:?}")
            }
            (Err(rejection), Verdict::Accepted) => {
                unreachable!("refused with {}", rejection.kind().as_str())
            }
        }
    }
}
