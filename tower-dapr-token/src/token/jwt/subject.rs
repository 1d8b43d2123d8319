//! [`SubjectRule`]: whose tokens are accepted, exactly or by SPIFFE segments (`T4`).

/// Which `sub` a token may have.
#[derive(Clone, Debug)]
pub struct SubjectRule {
    text: String,
    is_spiffe: bool,
}

/// The longest SPIFFE id (SPIFFE-ID section 2.3).
const MAX_SPIFFE_LEN: usize = 2048;

impl SubjectRule {
    /// This subject, byte by byte.
    #[must_use]
    pub fn exact(subject: impl Into<String>) -> Self {
        Self {
            text: subject.into(),
            is_spiffe: false,
        }
    }

    /// This SPIFFE id, and those below it by whole segments: `spiffe://a/ns/shop` stands for itself and
    /// `spiffe://a/ns/shop/cart`, never for `spiffe://a/ns/shop2`. With a slash at its end it stands for those below it
    /// alone. A subject that is not a well-formed SPIFFE id never matches.
    #[must_use]
    pub fn spiffe(id: impl Into<String>) -> Self {
        Self {
            text: id.into(),
            is_spiffe: true,
        }
    }

    /// What makes it match nothing.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let id = self.text.strip_suffix('/').unwrap_or(&self.text);
        if self.is_spiffe && !is_spiffe_id(id) {
            Some("is not a SPIFFE id: write it as `spiffe://trust-domain/path`")
        } else if self.text.is_empty() {
            Some("has an empty subject: leave it out, or name one")
        } else {
            None
        }
    }

    pub(super) fn admits(&self, subject: &str) -> bool {
        if !self.is_spiffe {
            return subject == self.text;
        }
        if !is_spiffe_id(subject) {
            return false;
        }
        match subject.strip_prefix(&self.text) {
            Some("") => true,
            Some(rest) => self.text.ends_with('/') || rest.starts_with('/'),
            None => false,
        }
    }
}

/// `spiffe://`, a trust domain, and segments that are neither empty nor dots. Nothing is folded or decoded.
fn is_spiffe_id(id: &str) -> bool {
    let Some(rest) = id.strip_prefix("spiffe://") else {
        return false;
    };
    let mut segments = rest.split('/');
    id.len() <= MAX_SPIFFE_LEN
        && segments.next().is_some_and(is_trust_domain)
        && segments.all(|segment| {
            !matches!(segment, "" | "." | "..") && segment.bytes().all(is_segment_byte)
        })
}

/// At most 255 bytes of lower-case letters, digits, `.`, `-` and `_`.
pub(super) fn is_trust_domain(name: &str) -> bool {
    let is_allowed = |byte: u8| is_segment_byte(byte) && !byte.is_ascii_uppercase();
    (1..=255).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_a_spiffe_subject_matches_by_whole_segments() {
        let at = SubjectRule::spiffe("spiffe://example.org/ns/shop");
        let below = SubjectRule::spiffe("spiffe://example.org/ns/shop/");
        let exact = SubjectRule::exact("spiffe://example.org/ns/shop");
        let long = format!("spiffe://example.org/ns/shop/{}", "x".repeat(2048));
        let table: &[(&str, bool, bool, bool)] = &[
            ("spiffe://example.org/ns/shop", true, false, true),
            ("spiffe://example.org/ns/shop/cart", true, true, false),
            ("spiffe://example.org/ns/shop/cart/v2", true, true, false),
            ("spiffe://example.org/ns/shop2", false, false, false),
            ("spiffe://example.org/ns/shop2/cart", false, false, false),
            ("spiffe://example.org/ns/shop/", false, false, false),
            ("spiffe://example.org/ns/shop//cart", false, false, false),
            ("spiffe://example.org/ns/shop/../admin", false, false, false),
            ("spiffe://example.org/ns/shop/./cart", false, false, false),
            ("spiffe://example.org/ns/shop/%2e%2e", false, false, false),
            ("spiffe://example.org/ns/shop/cart?x", false, false, false),
            ("spiffe://example.org/ns/shop/cart#x", false, false, false),
            ("spiffe://example.org/ns/Shop/cart", false, false, false),
            ("spiffe://Example.org/ns/shop/cart", false, false, false),
            ("SPIFFE://example.org/ns/shop/cart", false, false, false),
            (
                "spiffe://example.org.evil/ns/shop/cart",
                false,
                false,
                false,
            ),
            (
                "spiffe://user@example.org/ns/shop/cart",
                false,
                false,
                false,
            ),
            ("spiffe://example.org:80/ns/shop/cart", false, false, false),
            ("https://example.org/ns/shop/cart", false, false, false),
            (" spiffe://example.org/ns/shop", false, false, false),
            ("", false, false, false),
            (&long, false, false, false),
        ];
        for (subject, by_at, by_below, by_exact) in table {
            let found = (
                at.admits(subject),
                below.admits(subject),
                exact.admits(subject),
            );
            assert_eq!(found, (*by_at, *by_below, *by_exact), "{subject}");
        }
    }

    #[test]
    fn t4_a_subject_rule_that_could_match_nothing_is_an_error() {
        for id in [
            "",
            "spiffe://",
            "spiffe:///ns",
            "spiffe://a//b",
            "spiffe://a//",
            "spiffe://A/b",
            "a",
            "spiffe://a/../b",
        ] {
            assert!(SubjectRule::spiffe(id).fault().is_some(), "{id}");
        }
        for id in ["spiffe://a", "spiffe://a/", "spiffe://a/b", "spiffe://a/b/"] {
            assert_eq!(SubjectRule::spiffe(id).fault(), None, "{id}");
        }
        assert!(SubjectRule::exact("").fault().is_some());
        assert_eq!(SubjectRule::exact("https://a/ b").fault(), None);
    }
}
