//! Step 1 of the inbound flow: takes the header out and says what was presented.
//!
//! Every copy of the header leaves the request here, whatever is decided later, so no step after
//! this one and no handler can see or forward a token (`E5`). One `HeaderMap::remove` a name does
//! it: the removed value is the first one, and the difference in the map's length is how many
//! there were, so that duplicates cost no second lookup (`E2`).

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::reject::RejectionKind;
use crate::header::{DAPR_API_TOKEN, MAX_TOKEN_LEN};
use crate::token::{Verified, Verify};

/// How many values of a repeated header are looked at, where that is asked for (`E2`).
const MOST_VALUES: usize = 4;

/// The one value that a request presented: 1 to `limit` bytes, as they arrived.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a>(&'a [u8]);

impl<'a> Presented<'a> {
    #[inline]
    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Which header holds the token and what happens to it.
#[derive(Clone, Debug)]
pub(super) struct Extraction {
    /// Longest value in bytes; a longer one is refused before anything is copied (`E4`).
    pub(super) limit: usize,
    pub(super) mode: Mode,
}

/// The usual ways have arms of their own, so that they pay for one branch instead of one per option, and
/// because a constant name lets the compiler see through the lookup, which saves 40 instructions.
#[derive(Clone, Debug, Default)]
pub(super) enum Mode {
    /// `dapr-api-token` is read and taken out.
    #[default]
    Take,
    /// `dapr-api-token` is read and left in place, marked sensitive.
    Keep,
    /// Anything else that a builder may ask for.
    Custom(Box<Custom>),
}

#[derive(Clone, Debug)]
pub(super) struct Custom {
    /// The header that is read in place of the default one, which is stripped all the same, unread.
    pub(super) name: Option<HeaderName>,
    /// Strip every name that differs from one of these by `_` for `-`.
    pub(super) strip_twins: bool,
    /// Leave the header in place, marked sensitive.
    pub(super) keep: bool,
    /// Of several values one that is accepted is enough.
    pub(super) any_valid: bool,
}

impl Default for Extraction {
    fn default() -> Self {
        Self {
            limit: MAX_TOKEN_LEN,
            mode: Mode::default(),
        }
    }
}

impl Extraction {
    /// Whether the usual header is read and taken out, and other names are stripped besides.
    pub(super) fn takes_and_strips(&self) -> bool {
        matches!(&self.mode, Mode::Custom(custom) if custom.name.is_none() && !custom.keep && !custom.any_valid)
    }

    /// Takes the token header out of the request, every copy of it, and presents the value to the
    /// verifier.
    ///
    /// The value is verified where it lies and dropped right after: moving it out to the caller would cost
    /// more than looking at it.
    #[inline]
    pub(super) fn present_to<V: Verify>(
        &self,
        verifier: &V,
        headers: &mut HeaderMap,
    ) -> Result<Verified, RejectionKind> {
        match &self.mode {
            Mode::Take => self.take(verifier, headers),
            Mode::Keep => self.keep(verifier, headers),
            Mode::Custom(custom) => self.present_custom_to(verifier, headers, custom),
        }
    }

    /// The usual mode, [`Mode::Take`].
    #[inline(always)]
    pub(super) fn take<V: Verify>(
        &self,
        verifier: &V,
        headers: &mut HeaderMap,
    ) -> Result<Verified, RejectionKind> {
        let before = headers.len();
        let first = headers.remove(DAPR_API_TOKEN);
        let presented = self.judge(first.as_ref(), before - headers.len())?;
        verifier.verify(presented)
    }

    /// [`Mode::Keep`].
    #[inline(always)]
    pub(super) fn keep<V: Verify>(
        &self,
        verifier: &V,
        headers: &mut HeaderMap,
    ) -> Result<Verified, RejectionKind> {
        let (first, copies) = mark(headers, DAPR_API_TOKEN);
        verifier.verify(self.judge(first, copies)?)
    }

    /// [`Mode::Custom`]. A function of its own, so that the usual modes pay for none of it.
    #[inline(never)]
    fn present_custom_to<V: Verify>(
        &self,
        verifier: &V,
        headers: &mut HeaderMap,
        custom: &Custom,
    ) -> Result<Verified, RejectionKind> {
        let verdict = match (&custom.name, custom.keep) {
            _ if custom.any_valid => self.present_any_to(verifier, headers, custom),
            (None, false) => self.take(verifier, headers),
            (None, true) => self.keep(verifier, headers),
            (Some(name), false) => {
                let before = headers.len();
                let first = headers.remove(name);
                self.judge(first.as_ref(), before - headers.len())
                    .and_then(|presented| verifier.verify(presented))
            }
            (Some(name), true) => {
                let (first, copies) = mark(headers, name.clone());
                self.judge(first, copies)
                    .and_then(|presented| verifier.verify(presented))
            }
        };
        self.strip_others(headers);
        verdict
    }

    /// Presents the first few values, each of them whatever the others turned out to be (`E2`).
    fn present_any_to<V: Verify>(
        &self,
        verifier: &V,
        headers: &mut HeaderMap,
        custom: &Custom,
    ) -> Result<Verified, RejectionKind> {
        let name = &custom.name.clone().unwrap_or(DAPR_API_TOKEN);
        let mut verdict = Err(RejectionKind::Missing);
        for value in headers.get_all(name).iter().take(MOST_VALUES) {
            let judged = self
                .judge(Some(value), 1)
                .and_then(|presented| verifier.verify(presented));
            verdict = match (verdict, judged) {
                (Ok(verified), _) | (Err(_), Ok(verified)) => Ok(verified),
                (Err(RejectionKind::Missing), Err(first)) | (Err(first), Err(_)) => Err(first),
            };
        }
        if custom.keep {
            mark(headers, name.clone());
        } else {
            headers.remove(name);
        }
        verdict
    }

    /// Strips what is not read. Last, when there are fewer names to look at.
    #[inline(never)]
    pub(super) fn strip_others(&self, headers: &mut HeaderMap) {
        let Mode::Custom(custom) = &self.mode else {
            return;
        };
        strip_like(
            headers,
            &DAPR_API_TOKEN,
            custom.name.is_none(),
            custom.strip_twins,
        );
        if let (Some(name), true) = (&custom.name, custom.strip_twins) {
            strip_like(headers, name, true, true);
        }
    }

    /// Judges the first value and how many there were, before a byte is looked at.
    #[inline]
    fn judge<'a>(
        &self,
        first: Option<&'a HeaderValue>,
        copies: usize,
    ) -> Result<Presented<'a>, RejectionKind> {
        let value = first.ok_or(RejectionKind::Missing)?;
        if copies > 1 {
            return Err(RejectionKind::Ambiguous);
        }
        // One test for both ends, as 0 wraps round.
        if value.len().wrapping_sub(1) < self.limit {
            return Ok(Presented(value.as_bytes()));
        }
        Err(match value.len() {
            0 => RejectionKind::Empty,
            _ => RejectionKind::TooLarge,
        })
    }
}

/// The first value, left in place, and how many there are. Every copy is marked sensitive.
#[inline]
fn mark(headers: &mut HeaderMap, name: HeaderName) -> (Option<&HeaderValue>, usize) {
    // As many names as values: no name has two, and one lookup is enough.
    if headers.keys_len() < headers.len() {
        return mark_repeated(headers, name);
    }
    match headers.get_mut(name) {
        None => (None, 0),
        Some(value) => {
            value.set_sensitive(true);
            (Some(value), 1)
        }
    }
}

/// Goes through all values, because the entry of a map would make room for one more before it looks for the
/// name, and fail in a full one.
#[cold]
fn mark_repeated(headers: &mut HeaderMap, name: HeaderName) -> (Option<&HeaderValue>, usize) {
    let mut copies = 0;
    for (_, value) in headers.iter_mut().filter(|(key, _)| **key == name) {
        value.set_sensitive(true);
        copies += 1;
    }
    (headers.get(name), copies)
}

/// Removes the name, unless it is `spared`, and on request every name that a program which takes `_` for `-` would
/// read as this one: any mixture of the two (CVE-2025-64484). Looking at every name costs less than one lookup.
fn strip_like(headers: &mut HeaderMap, name: &HeaderName, spared: bool, twins: bool) {
    while let Some(found) = find_like(headers, name, spared, twins) {
        headers.remove(found);
    }
}

/// A configured name never begins with `-` (`E1`), so a twin begins as the name does.
fn find_like(
    headers: &HeaderMap,
    name: &HeaderName,
    spared: bool,
    twins: bool,
) -> Option<HeaderName> {
    let (len, first) = (name.as_str().len(), name.as_str().as_bytes().first());
    for key in headers.keys() {
        let text = key.as_str().as_bytes();
        if text.len() == len && text.first() == first && is_like(key, name, spared, twins) {
            return Some(key.clone());
        }
    }
    None
}

/// Out of the way of the loop, which seldom gets here.
#[cold]
fn is_like(key: &HeaderName, name: &HeaderName, spared: bool, twins: bool) -> bool {
    if key == name {
        return !spared;
    }
    let mut pairs = key.as_str().bytes().zip(name.as_str().bytes());
    twins && pairs.all(|(k, n)| k == n || (k == b'_' && n == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{TokenSet, Verifier};

    fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).expect("name"),
                HeaderValue::from_bytes(value).expect("value"),
            );
        }
        map
    }

    fn with(mode: Mode) -> Extraction {
        Extraction {
            mode,
            ..Extraction::default()
        }
    }

    fn custom(name: &'static str, strip_twins: bool, keep: bool) -> Mode {
        Mode::Custom(Box::new(Custom {
            name: (name != NAME).then(|| HeaderName::from_static(name)),
            strip_twins,
            keep,
            any_valid: false,
        }))
    }

    /// What a verifier of these tokens says: `tok`, `a,b`, `custom` and the longest one.
    fn verified(extraction: &Extraction, map: &mut HeaderMap) -> Result<(), RejectionKind> {
        let longest = "x".repeat(MAX_TOKEN_LEN);
        let tokens = ["a,b", "custom", &longest]
            .into_iter()
            .map(|text| text.parse().expect("a token"))
            .try_fold(
                TokenSet::new("tok".parse().expect("a token")),
                TokenSet::add_previous,
            )
            .expect("four tokens");
        extraction
            .present_to(&Verifier::tokens(tokens), map)
            .map(|_| ())
    }

    const NAME: &str = "dapr-api-token";

    #[test]
    fn e2_e3_e4_what_counts_as_presented() {
        let longest = [b'x'; 1024];
        let too_long = [b'x'; 1025];
        let table: &[(&str, &[(&str, &[u8])], Result<(), RejectionKind>)] = &[
            ("none", &[("host", b"x")], Err(RejectionKind::Missing)),
            ("one", &[(NAME, b"tok")], Ok(())),
            (
                "two equal",
                &[(NAME, b"tok"), (NAME, b"tok")],
                Err(RejectionKind::Ambiguous),
            ),
            (
                "two different",
                &[(NAME, b"tok"), (NAME, b"bad")],
                Err(RejectionKind::Ambiguous),
            ),
            (
                "two, one empty",
                &[(NAME, b""), (NAME, b"tok")],
                Err(RejectionKind::Ambiguous),
            ),
            (
                "two, others between",
                &[(NAME, b"tok"), ("a", b"1"), ("a", b"2"), (NAME, b"tok")],
                Err(RejectionKind::Ambiguous),
            ),
            (
                "one, another name twice",
                &[("a", b"1"), (NAME, b"tok"), ("a", b"2")],
                Ok(()),
            ),
            ("empty", &[(NAME, b"")], Err(RejectionKind::Empty)),
            ("comma is part of the value", &[(NAME, b"a,b")], Ok(())),
            (
                "space is part of the value",
                &[(NAME, b" tok ")],
                Err(RejectionKind::Mismatch),
            ),
            (
                "a byte beyond ASCII",
                &[(NAME, b"\x80")],
                Err(RejectionKind::Mismatch),
            ),
            ("longest", &[(NAME, &longest)], Ok(())),
            (
                "too long",
                &[(NAME, &too_long)],
                Err(RejectionKind::TooLarge),
            ),
            (
                "authorization is not read",
                &[("authorization", b"Bearer tok")],
                Err(RejectionKind::Missing),
            ),
            (
                "underscores are another name",
                &[("dapr_api_token", b"tok")],
                Err(RejectionKind::Missing),
            ),
        ];
        for (keep, extraction) in [
            (false, Extraction::default()),
            (true, with(Mode::Keep)),
            (false, with(custom(NAME, false, false))),
            (true, with(custom(NAME, false, true))),
        ] {
            for (name, pairs, expected) in table {
                let mut map = headers(pairs);
                let presented = verified(&extraction, &mut map);
                assert_eq!(presented, *expected, "{name}, keep: {keep}");
                let copies = map.get_all(NAME).iter().count();
                if keep {
                    let before = headers(pairs).get_all(NAME).iter().count();
                    assert_eq!(copies, before, "{name}: kept");
                    assert!(
                        map.get_all(NAME).iter().all(HeaderValue::is_sensitive),
                        "{name}: marked sensitive"
                    );
                } else {
                    assert_eq!(copies, 0, "{name}: stripped");
                }
            }
        }
    }

    #[test]
    fn e2_any_valid_looks_at_the_first_four_values_and_at_all_of_them() {
        let good: (&str, &[u8]) = (NAME, b"tok");
        let bad: (&str, &[u8]) = (NAME, b"bad");
        let empty: (&str, &[u8]) = (NAME, b"");
        let too_long = [b'x'; 1025];
        let table: &[(&str, &[(&str, &[u8])], Result<(), RejectionKind>)] = &[
            ("none", &[("host", b"x")], Err(RejectionKind::Missing)),
            ("one good", &[good], Ok(())),
            ("one bad", &[bad], Err(RejectionKind::Mismatch)),
            ("one empty", &[empty], Err(RejectionKind::Empty)),
            ("two equal", &[good, good], Ok(())),
            ("good, bad", &[good, bad], Ok(())),
            ("bad, good", &[bad, good], Ok(())),
            (
                "empty, too long, good",
                &[empty, (NAME, &too_long), good],
                Ok(()),
            ),
            ("good 4th of 5", &[bad, bad, bad, good, bad], Ok(())),
            (
                "good 5th",
                &[bad, bad, bad, bad, good],
                Err(RejectionKind::Mismatch),
            ),
            (
                "all bad, the first empty",
                &[empty, bad],
                Err(RejectionKind::Empty),
            ),
        ];
        for (name, keep) in [("strip", false), ("keep", true)] {
            let extraction = with(Mode::Custom(Box::new(Custom {
                name: None,
                strip_twins: false,
                keep,
                any_valid: true,
            })));
            for (case, pairs, expected) in table {
                let mut map = headers(pairs);
                assert_eq!(verified(&extraction, &mut map), *expected, "{name}: {case}");
                let sent = pairs.iter().filter(|(name, _)| *name == NAME).count();
                let left: Vec<_> = map.get_all(NAME).iter().collect();
                assert!(
                    left.iter().all(|value| value.is_sensitive()),
                    "{name}: {case}"
                );
                assert_eq!(left.len(), if keep { sent } else { 0 }, "{name}: {case}");
            }
        }

        struct Counting(std::cell::Cell<usize>);
        impl Verify for Counting {
            fn verify(&self, _: Presented<'_>) -> Result<Verified, RejectionKind> {
                self.0.set(self.0.get() + 1);
                Err(RejectionKind::Mismatch)
            }
        }
        let counting = Counting(std::cell::Cell::new(0));
        let extraction = with(Mode::Custom(Box::new(Custom {
            name: None,
            strip_twins: false,
            keep: false,
            any_valid: true,
        })));
        let mut map = headers(&[good, bad, bad, bad, bad]);
        let _ = extraction.present_to(&counting, &mut map);
        assert_eq!(counting.0.get(), MOST_VALUES, "all of the first four");
    }

    #[test]
    fn e1_e5_a_custom_name_replaces_the_default_which_is_stripped_all_the_same() {
        let extraction = with(custom("x-token", false, false));
        let mut map = headers(&[(NAME, b"default")]);
        assert_eq!(verified(&extraction, &mut map), Err(RejectionKind::Missing));
        assert!(map.is_empty(), "the default name is stripped unread");
        let mut map = headers(&[(NAME, b"default"), ("x-token", b"custom"), (NAME, b"again")]);
        assert_eq!(verified(&extraction, &mut map), Ok(()));
        assert!(map.is_empty());
    }

    #[test]
    fn e5_names_that_differ_by_underscores_are_stripped_on_request_and_never_accepted() {
        let names = [
            ("dapr_api_token", true),
            ("dapr_api-token", true),
            ("dapr-api_token", true),
            ("x_other-token", false),
            ("dapr_api_tokens", false),
            ("dapr.api.token", false),
            ("a", false),
        ];
        let sent: Vec<(&str, &[u8])> = names.iter().map(|(name, _)| (*name, &b"tok"[..])).collect();
        let mut map = headers(&sent);
        assert_eq!(
            verified(&Extraction::default(), &mut map),
            Err(RejectionKind::Missing)
        );
        assert_eq!(map.len(), names.len(), "kept by default");
        let extraction = with(custom(NAME, true, false));
        assert_eq!(verified(&extraction, &mut map), Err(RejectionKind::Missing));
        for (name, is_twin) in names {
            assert_eq!(map.contains_key(name), !is_twin, "{name}");
        }
        // A twin is looked for among the names that begin as it does. Where that would be wrong, no layer is built.
        assert!(crate::header::check_name(&HeaderName::from_static("-token")).is_err());
        let mut map = headers(&[
            ("x_my-token", b"tok"),
            ("x-my_token", b"tok"),
            ("dapr_api-token", b"tok"),
            (NAME, b"tok"),
            ("x-my-token", b"tok"),
        ]);
        let extraction = with(custom("x-my-token", true, false));
        assert_eq!(verified(&extraction, &mut map), Ok(()));
        assert!(map.is_empty(), "{map:?}");
    }

    #[test]
    fn e5_a_header_is_marked_in_a_full_map_too() {
        let mut map = headers(&[(NAME, b"tok"), ("a", b"1"), ("a", b"2")]);
        for i in 0.. {
            let name = HeaderName::try_from(format!("x-{i}")).expect("a name");
            if map.try_insert(name, HeaderValue::from_static("x")).is_err() {
                break;
            }
        }
        assert_eq!(verified(&with(Mode::Keep), &mut map), Ok(()));
        assert!(map[NAME].is_sensitive());
    }

    #[test]
    fn e5_stripping_leaves_the_order_of_each_other_names_values() {
        let mut map = headers(&[
            ("a", b"1"),
            (NAME, b"tok"),
            ("b", b"1"),
            ("a", b"2"),
            (NAME, b"tok"),
            ("a", b"3"),
        ]);
        let _ = verified(&Extraction::default(), &mut map);
        let values: Vec<_> = map.get_all("a").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [b"1", b"2", b"3"]);
        assert_eq!(map.len(), 4);
    }

    #[test]
    fn e7_a_connection_header_that_names_the_token_changes_nothing() {
        let mut map = headers(&[("connection", b"dapr-api-token"), (NAME, b"tok")]);
        assert_eq!(verified(&Extraction::default(), &mut map), Ok(()));
        let mut map = headers(&[("connection", b"dapr-api-token")]);
        assert_eq!(
            verified(&Extraction::default(), &mut map),
            Err(RejectionKind::Missing)
        );
    }
}
