//! How long an answer says that it may be used: `Cache-Control: max-age`, less `Age` (`T6`).

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// What is left of the answer's life. `None` without a `max-age` that can be read.
///
/// `no-cache` and `no-store` alone say nothing: common servers send them with every answer, and keys that are not
/// kept at all could verify nothing.
pub(super) fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let max_age = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(max_age)
        .min()?;
    let age = headers
        .get(AGE)
        .and_then(|value| value.to_str().ok())
        .and_then(seconds)
        .unwrap_or_default();
    Some(Duration::from_secs(max_age.saturating_sub(age)))
}

fn max_age(directive: &str) -> Option<u64> {
    let (name, value) = directive.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("max-age") {
        return None;
    }
    let value = value.trim();
    // RFC 9111 allows both forms to be read.
    let bare = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    seconds(bare.unwrap_or(value))
}

/// Digits alone. A number that is too large means "very long" (RFC 9111, 1.2.2).
fn seconds(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t6_max_age_is_read_from_every_form_that_is_in_use() {
        let table: &[(&str, &[(&str, &str)], Option<u64>)] = &[
            ("none", &[], None),
            ("alone", &[("cache-control", "max-age=600")], Some(600)),
            (
                "among others",
                &[("cache-control", "public, max-age=600, must-revalidate")],
                Some(600),
            ),
            (
                "upper case",
                &[("cache-control", "Public,MAX-AGE=600")],
                Some(600),
            ),
            ("quoted", &[("cache-control", "max-age=\"600\"")], Some(600)),
            (
                "twice",
                &[("cache-control", "max-age=600, max-age=60")],
                Some(60),
            ),
            (
                "two lines",
                &[
                    ("cache-control", "max-age=600"),
                    ("cache-control", "max-age=60"),
                ],
                Some(60),
            ),
            (
                "less its age",
                &[("cache-control", "max-age=600"), ("age", "500")],
                Some(100),
            ),
            (
                "older than that",
                &[("cache-control", "max-age=600"), ("age", "601")],
                Some(0),
            ),
            (
                "senseless age",
                &[("cache-control", "max-age=600"), ("age", "-1")],
                Some(600),
            ),
            ("no-cache", &[("cache-control", "no-cache, no-store")], None),
            ("shared caches", &[("cache-control", "s-maxage=600")], None),
            ("other name", &[("cache-control", "x-max-age=600")], None),
            ("zero", &[("cache-control", "max-age=0")], Some(0)),
            ("negative", &[("cache-control", "max-age=-1")], None),
            ("fraction", &[("cache-control", "max-age=1.5")], None),
            ("sign", &[("cache-control", "max-age=+5")], None),
            ("empty", &[("cache-control", "max-age=")], None),
            ("half a quote", &[("cache-control", "max-age=\"")], None),
            (
                "too large",
                &[("cache-control", "max-age=99999999999999999999")],
                Some(u64::MAX),
            ),
        ];
        for (name, lines, expected) in table {
            let mut headers = HeaderMap::new();
            for (header, value) in *lines {
                headers.append(*header, value.parse().expect("valid"));
            }
            assert_eq!(
                lifetime(&headers),
                expected.map(Duration::from_secs),
                "{name}"
            );
        }
        let mut headers = HeaderMap::new();
        let bytes = http::HeaderValue::from_bytes(b"max-age=6\xff").expect("valid");
        headers.append("cache-control", bytes);
        assert_eq!(lifetime(&headers), None);
    }
}
