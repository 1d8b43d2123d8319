//! Step 2 of the inbound flow: the [`Verifier`], the only maker of [`Verified`].

use std::sync::Arc;

use super::compare::{Compared, Matched};
use super::overlap::Accepted;
use super::rotation::{Rotation, Surroundings};
use super::set::TokenSet;
use crate::inbound::{Presented, RejectionKind};

/// Decides what was presented.
pub(crate) struct Verifier {
    tokens: TokenSet,
    /// The slots whose match needs no look at anything else, a bit for each.
    timeless: u64,
    /// What else there is to look at, where the tokens can change.
    rotation: Option<Rotation>,
    /// Everything passes: `insecure_allow_all()`. Asked only after the tokens did not decide.
    allows_all: bool,
}

/// Proof that the verifier let a request through. Its field is private to this module, and the
/// forwarding step asks for one.
#[derive(Debug)]
pub(crate) struct Verified {
    matched: Option<Matched>,
}

impl Verified {
    /// A JWT was accepted, which has no slot. Asks for what only the verifier of JWTs can make.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn by_jwt(_: &super::jwt::Accepted) -> Self {
        Self { matched: None }
    }

    /// The slot of the token that matched, 0 for the current one; none when everything is allowed.
    pub(crate) fn slot(&self) -> Option<u32> {
        self.matched.map(Matched::slot)
    }
}

/// Decides about one presented value: the [`Verifier`] itself, or what asks more of it.
pub(crate) trait Verify {
    /// Verifies one value.
    fn verify(&self, presented: Presented<'_>) -> Result<Verified, RejectionKind>;
}

impl Verify for Verifier {
    #[inline(always)]
    fn verify(&self, presented: Presented<'_>) -> Result<Verified, RejectionKind> {
        Self::verify(self, presented)
    }
}

impl Verifier {
    /// The value must equal one of the tokens.
    pub(crate) fn tokens(tokens: TokenSet) -> Self {
        Self {
            tokens,
            timeless: u64::MAX,
            rotation: None,
            allows_all: false,
        }
    }

    /// The value must equal one of the tokens, and the time of that one must not be over.
    pub(super) fn rotating(accepted: Accepted, around: Arc<Surroundings>) -> Self {
        let Accepted { tokens, previous } = accepted;
        let rotation = Rotation::new(tokens.len() == 0, previous, around);
        Self {
            tokens,
            timeless: rotation.timeless(),
            rotation: Some(rotation),
            allows_all: false,
        }
    }

    /// Nothing passes.
    pub(crate) fn none() -> Self {
        Self::tokens(TokenSet::none())
    }

    /// Everything passes.
    pub(crate) fn allow_all() -> Self {
        Self {
            allows_all: true,
            ..Self::none()
        }
    }

    /// What is accepted, to work out what comes after it.
    pub(super) fn accepted(&self) -> Accepted {
        let rotation = self.rotation.as_ref();
        Accepted {
            tokens: self.tokens.clone(),
            previous: rotation.map_or_else(Vec::new, |rotation| rotation.previous().to_vec()),
        }
    }

    pub(super) fn token_set(&self) -> &TokenSet {
        &self.tokens
    }

    pub(super) fn rotation(&self) -> Option<&Rotation> {
        self.rotation.as_ref()
    }

    /// Whether there are tokens, and they are not too old.
    pub(super) fn is_available(&self) -> bool {
        self.rotation.as_ref().is_none_or(Rotation::is_available)
    }

    /// Verifies one value.
    #[inline(always)]
    pub(crate) fn verify(&self, presented: Presented<'_>) -> Result<Verified, RejectionKind> {
        let compared = self.tokens.compare(presented.as_bytes());
        match (compared.decide(self.timeless), &self.rotation) {
            (None, None) => Err(RejectionKind::Mismatch),
            (None, Some(rotation)) => Self::verify_by_clock(rotation, compared),
            (matched, _) => Ok(Verified { matched }),
        }
    }

    /// Where the time counts, or nothing matched tokens that can change: out of the way of the usual request.
    #[inline(never)]
    fn verify_by_clock(rotation: &Rotation, compared: Compared) -> Result<Verified, RejectionKind> {
        if !rotation.is_available() {
            return Err(RejectionKind::Unavailable);
        }
        let matched = compared.decide(u64::MAX).ok_or(RejectionKind::Mismatch)?;
        if !rotation.accepts_slot(matched.slot()) {
            return Err(RejectionKind::Expired);
        }
        Ok(Verified {
            matched: Some(matched),
        })
    }

    /// Lets through what was not verified, if everything is allowed.
    pub(crate) fn pardon(&self, kind: RejectionKind) -> Result<Verified, RejectionKind> {
        if self.allows_all {
            Ok(Verified { matched: None })
        } else {
            Err(kind)
        }
    }
}
