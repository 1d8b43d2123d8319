//! Step 2 where JWTs are accepted: [`JwtCheck`] asks the static tokens first, then the verifier of JWTs (`T14`).

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderMap;
use memchr::memchr_iter;

use super::extract::{Extraction, Presented};
use super::forward::Details;
use super::reject::RejectionKind;
#[cfg(feature = "jwks")]
use super::remote::{RemoteTrusts, Unknown};
use crate::observe::{JwtCache, TokenMode};
use crate::token::jwt::{Accepted, CacheUse, JwtVerifier, Refused};
use crate::token::{KeySetFile, Verified, Verifier, Verify, WallClock};

/// The scheme in front of a token in `authorization` (`E1`), and the one space behind it.
pub(super) const SCHEME: &[u8] = b"Bearer ";

/// What a layer accepts JWTs by.
pub(super) struct JwtCheck {
    pub(super) verifier: JwtVerifier,
    pub(super) clock: Arc<dyn WallClock>,
    /// The longest value that is compared with static tokens, in bytes; `None` if there are none.
    pub(super) static_limit: Option<usize>,
    /// When the static tokens end.
    pub(super) static_end: Option<StaticEnd>,
    /// The token stands in `authorization`, behind its scheme.
    pub(super) bearer: bool,
    /// Files of keys, each with its place among the trusts of the verifier.
    pub(super) files: Box<[(usize, KeySetFile)]>,
    /// Keys that are fetched.
    #[cfg(feature = "jwks")]
    pub(super) remote: RemoteTrusts,
}

/// The end of the static tokens, which is final: a clock that is set back later does not undo it (`T14`).
pub(super) struct StaticEnd {
    /// Since 1970-01-01 UTC.
    at: Duration,
    has_come: AtomicBool,
}

impl StaticEnd {
    pub(super) fn new(at: Duration) -> Self {
        Self {
            at,
            has_come: AtomicBool::new(false),
        }
    }

    fn has_come(&self, now: Duration) -> bool {
        if self.has_come.load(Ordering::Relaxed) {
            return true;
        }
        let has_come = now >= self.at;
        // A clock before 1970 tells nothing and reads as the end of time: all is refused, and only as long as that lasts.
        if has_come && now != Duration::MAX {
            self.has_come.store(true, Ordering::Relaxed);
        }
        has_come
    }
}

/// What came of the header of a request.
pub(super) struct Judged {
    pub(super) verdict: Result<Verified, RejectionKind>,
    pub(super) details: Details,
    /// The token was refused for want of a key that may be fetched.
    #[cfg(feature = "jwks")]
    pub(super) unknown: Option<Unknown>,
}

impl JwtCheck {
    /// Takes the header out of the request and judges what it held.
    pub(super) fn judge(
        &self,
        extraction: &Extraction,
        tokens: &Verifier,
        headers: &mut HeaderMap,
    ) -> Judged {
        let judge = Judge {
            check: self,
            tokens,
            accepted: Cell::new(None),
            #[cfg(feature = "jwks")]
            unknown: Cell::new(None),
        };
        let verdict = extraction.present_to(&judge, headers);
        let details = match (&verdict, judge.accepted.take()) {
            (Ok(_), None) => Details::of(TokenMode::Static),
            (_, accepted) => details_of(accepted),
        };
        Judged {
            verdict,
            details,
            #[cfg(feature = "jwks")]
            unknown: judge.unknown.take(),
        }
    }

    /// Judges a token once more that a key was fetched for. It is no static one: that was asked before.
    #[cfg(feature = "jwks")]
    pub(super) fn judge_again(&self, token: &[u8]) -> (Result<Verified, RejectionKind>, Details) {
        match self.verify(token, self.clock.unix_time()) {
            Ok(accepted) => (Ok(Verified::by_jwt(&accepted)), details_of(Some(accepted))),
            Err(refused) => (Err(refused.kind), details_of(None)),
        }
    }

    fn verify(&self, token: &[u8], now: Duration) -> Result<Accepted, Refused> {
        self.verifier
            .verify_by(token, now, &|trust| self.are_fresh(trust))
    }

    /// Whether the keys of this trust may be used; those that do not change always may.
    fn are_fresh(&self, trust: usize) -> bool {
        #[cfg(feature = "jwks")]
        if !self.remote.are_fresh(trust) {
            return false;
        }
        let mut files = self.files.iter().filter(|(place, _)| *place == trust);
        files.all(|(_, file)| !file.is_stale())
    }

    /// Whether the time of the static tokens is over.
    fn has_outgrown_static(&self, now: Duration) -> bool {
        self.static_end
            .as_ref()
            .is_some_and(|end| end.has_come(now))
    }
}

/// What is told of a JWT, accepted or not.
fn details_of(accepted: Option<Accepted>) -> Details {
    let cache = accepted.as_ref().and_then(|accepted| match accepted.cache {
        CacheUse::Hit => Some(JwtCache::Hit),
        CacheUse::Miss => Some(JwtCache::Miss),
        CacheUse::Evicted => Some(JwtCache::Evict),
        CacheUse::Off => None,
    });
    Details {
        claims: accepted.map(|accepted| accepted.claims),
        cache,
        ..Details::of(TokenMode::Jwt)
    }
}

/// The decision about one request, and what came of it besides.
struct Judge<'a> {
    check: &'a JwtCheck,
    tokens: &'a Verifier,
    accepted: Cell<Option<Accepted>>,
    #[cfg(feature = "jwks")]
    unknown: Cell<Option<Unknown>>,
}

impl Verify for Judge<'_> {
    fn verify(&self, presented: Presented<'_>) -> Result<Verified, RejectionKind> {
        let value = presented.as_bytes();
        let now = self.check.clock.unix_time();
        let token = if self.check.bearer {
            token_of(value).ok_or(RejectionKind::Malformed)?
        } else {
            value
        };
        if let Some(limit) = self.check.static_limit {
            // Whatever was presented: each request is a chance to see that the end has come.
            let is_over = self.check.has_outgrown_static(now);
            let refused = match self.compare(presented, limit) {
                Ok(_) if is_over => RejectionKind::Expired,
                Ok(verified) => return Ok(verified),
                Err(kind) => kind,
            };
            if !has_form(token) {
                return Err(refused);
            }
        }
        let accepted = self.check.verify(token, now).map_err(|refused| {
            #[cfg(feature = "jwks")]
            self.unknown
                .set(self.check.remote.unknown(refused.unknown_kid, token));
            refused.kind
        })?;
        let verified = Verified::by_jwt(&accepted);
        self.accepted.set(Some(accepted));
        Ok(verified)
    }
}

impl Judge<'_> {
    fn compare(&self, presented: Presented<'_>, limit: usize) -> Result<Verified, RejectionKind> {
        if presented.as_bytes().len() > limit {
            return Err(RejectionKind::TooLarge);
        }
        self.tokens.verify(presented)
    }
}

/// Exactly two dots: what is worth a look at as a JWT.
fn has_form(value: &[u8]) -> bool {
    memchr_iter(b'.', value).take(3).count() == 2
}

/// The token behind the scheme, in any case, and exactly one space: `token68` to the end (RFC 9110, section 11.2).
fn token_of(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    let end = token.iter().rposition(|byte| *byte != b'=')? + 1;
    let unpadded = token.get(..end)?;
    let is_token68 = |byte: &u8| TOKEN68[usize::from(*byte)];
    (scheme.eq_ignore_ascii_case(SCHEME) && unpadded.iter().all(is_token68)).then_some(token)
}

/// The bytes of `token68` but for its padding. A table, because every byte of a long token is looked at.
const TOKEN68: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e1_a_bearer_token_stands_behind_its_scheme_and_one_space() {
        let table: &[(&str, Option<&str>)] = &[
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer a.b.c", Some("a.b.c")),
            ("BEARER a.b.c", Some("a.b.c")),
            ("Bearer A-z_0.~+/9", Some("A-z_0.~+/9")),
            ("Bearer abc==", Some("abc==")),
            ("Bearer  a.b.c", None),
            ("Bearer\ta.b.c", None),
            ("Bearera.b.c", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer ==", None),
            ("Bearer a=b", None),
            ("Bearer a.b.c ", None),
            ("Bearer a.b.c, Bearer d", None),
            ("Basic a.b.c", None),
            ("a.b.c", None),
            (" Bearer a.b.c", None),
            ("", None),
        ];
        for (value, expected) in table {
            let token =
                token_of(value.as_bytes()).map(|token| str::from_utf8(token).expect("text"));
            assert_eq!(token, *expected, "{value:?}");
        }
    }

    #[test]
    fn t14_the_end_of_static_tokens_is_final() {
        let at = Duration::from_secs;
        let table: &[(&str, &[(Duration, bool)])] = &[
            (
                "a clock that is set back",
                &[(at(99), false), (at(100), true), (at(50), true)],
            ),
            (
                "a clock that tells nothing for a while",
                &[(Duration::MAX, true), (at(50), false), (at(100), true)],
            ),
        ];
        for (name, steps) in table {
            let end = StaticEnd::new(at(100));
            for (now, expected) in *steps {
                assert_eq!(end.has_come(*now), *expected, "{name}, {now:?}");
            }
        }
    }

    #[test]
    fn t14_two_dots_make_a_value_worth_a_look() {
        for (value, expected) in [
            ("", false),
            ("a", false),
            ("a.b", false),
            ("..", true),
            ("a.b.c", true),
            ("a.b.c.", false),
        ] {
            assert_eq!(has_form(value.as_bytes()), expected, "{value:?}");
        }
    }
}
