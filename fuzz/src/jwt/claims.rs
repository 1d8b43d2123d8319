//! What a payload must say (T4), a second time: every fault of it is found, and none stops the search.

use super::json::Json;
use super::{AUDIENCE, ISSUER};

/// Larger times are no times.
const MAX_TIME: u64 = 1 << 53;
/// In characters.
const LONGEST_TIME: usize = 40;

/// What is asked of a payload.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
    /// In seconds.
    pub(crate) leeway: u64,
    pub(crate) exact_subjects: Vec<String>,
    pub(crate) spiffe_subjects: Vec<String>,
    /// In seconds.
    pub(crate) max_lifetime: Option<u64>,
    pub(crate) scopes: Vec<String>,
}

impl Asked {
    /// Of one issuer and for one audience, and nothing else.
    pub(crate) fn plain() -> Self {
        Self {
            issuers: vec![ISSUER.to_owned()],
            audiences: vec![AUDIENCE.to_owned()],
            leeway: 60,
            exact_subjects: Vec::new(),
            spiffe_subjects: Vec::new(),
            max_lifetime: None,
            scopes: Vec::new(),
        }
    }

    /// Whether a layer can be built that asks for it.
    pub(crate) fn is_valid(&self) -> bool {
        let is_scope = |scope: &String| {
            !scope.is_empty()
                && scope
                    .bytes()
                    .all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'))
        };
        let is_rule = |id: &String| is_spiffe_id(id.strip_suffix('/').unwrap_or(id));
        !self.issuers.iter().any(String::is_empty)
            && !self.audiences.iter().any(String::is_empty)
            && self.leeway <= 300
            && !self.exact_subjects.iter().any(String::is_empty)
            && self.spiffe_subjects.iter().all(is_rule)
            && self.max_lifetime != Some(0)
            && self.scopes.iter().all(is_scope)
    }

    /// Every fault of this payload at this time, in milliseconds.
    pub(crate) fn faults(&self, payload: &[u8], now: u64) -> Vec<&'static str> {
        let Some(claims) = Json::strict_object(payload, 32) else {
            return vec!["claims"];
        };
        let mut faults = Vec::new();
        let mut fault = |is_one: bool, reason: &'static str| {
            if is_one && !faults.contains(&reason) {
                faults.push(reason);
            }
        };

        for name in ["iss", "sub", "jti"] {
            let claim = claims.member(name);
            fault(claim.is_some_and(|claim| claim.text().is_none()), "claims");
        }
        match claims.member("iss") {
            None => fault(true, "claims"),
            Some(issuer) => fault(
                issuer
                    .text()
                    .is_some_and(|issuer| !self.issuers.iter().any(|known| known == issuer)),
                "iss",
            ),
        }
        let audiences = claims.member("aud").and_then(|audience| {
            let one = audience.text().map(|audience| vec![audience]);
            one.or_else(|| audience.texts())
        });
        match audiences {
            None => fault(true, "claims"),
            Some(audiences) => fault(
                !audiences
                    .iter()
                    .any(|audience| self.audiences.iter().any(|known| known == audience)),
                "aud",
            ),
        }

        let mut time = |name: &str, round: Round| match claims.member(name) {
            None => None,
            Some(Json::Number(number)) => {
                let seconds = seconds(number, round);
                fault(seconds.is_none(), "claims");
                seconds
            }
            Some(_) => {
                fault(true, "claims");
                None
            }
        };
        let expires_at = time("exp", Round::Down);
        let begins = [time("nbf", Round::Up), time("iat", Round::Up)];
        fault(claims.member("exp").is_none(), "claims");
        let millis = |seconds: u64| u128::from(seconds) * 1000;
        let now = u128::from(now);
        fault(
            expires_at.is_some_and(|end| millis(end) + millis(self.leeway) <= now),
            "expired",
        );
        fault(
            begins
                .iter()
                .flatten()
                .any(|begin| millis(*begin) > now + millis(self.leeway)),
            "not_yet",
        );
        if let Some(limit) = self.max_lifetime {
            let is_short = match (expires_at, begins[1]) {
                (Some(end), Some(begin)) => end.saturating_sub(begin) <= limit,
                _ => false,
            };
            fault(!is_short, "claims");
        }

        if !(self.exact_subjects.is_empty() && self.spiffe_subjects.is_empty()) {
            match claims.member("sub").and_then(Json::text) {
                None => fault(true, "claims"),
                Some(subject) => fault(!self.is_subject(subject), "sub"),
            }
        }
        if !self.scopes.is_empty() {
            let scope = claims.member("scope").and_then(Json::text).unwrap_or("");
            let granted: Vec<&str> = scope.split(' ').collect();
            let is_granted = |wanted: &String| granted.contains(&wanted.as_str());
            fault(!self.scopes.iter().all(is_granted), "claims");
        }
        faults
    }

    fn is_subject(&self, subject: &str) -> bool {
        let is_below = |rule: &String| {
            let segments = |id: &str| -> Vec<String> { id.split('/').map(str::to_owned).collect() };
            let (at, subject) = (segments(rule), segments(subject));
            match at.split_last() {
                // Those below it alone.
                Some((last, at)) if last.is_empty() => {
                    subject.len() > at.len() && subject.starts_with(at)
                }
                _ => subject.starts_with(&at),
            }
        };
        self.exact_subjects.iter().any(|known| known == subject)
            || (is_spiffe_id(subject) && self.spiffe_subjects.iter().any(is_below))
    }
}

/// SPIFFE-ID, section 2.
fn is_spiffe_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('/').collect();
    let ["spiffe:", "", domain, path @ ..] = parts.as_slice() else {
        return false;
    };
    let is_name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(
                |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_'),
            )
    };
    id.len() <= 2048
        && domain.len() <= 255
        && is_name(domain)
        && !domain.bytes().any(|byte| byte.is_ascii_uppercase())
        && path
            .iter()
            .all(|segment| is_name(segment) && *segment != "." && *segment != "..")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Down,
    Up,
}

/// Whole seconds: the number is written out in decimal, whatever its exponent, so that nothing is rounded on the way.
fn seconds(number: &str, round: Round) -> Option<u64> {
    if number.len() > LONGEST_TIME || number.starts_with('-') {
        return None;
    }
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], &number[at + 1..]),
        None => (number, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.bytes().all(|digit| digit == b'0') {
        return Some(0);
    }
    let is_small = exponent.starts_with('-');
    // Zeros on either side for every exponent that may matter; the others are as good as the greatest.
    let most = digits.len() + 20;
    let exponent = exponent
        .trim_start_matches(['+', '-'])
        .trim_start_matches('0');
    let exponent = match exponent {
        "" => 0,
        exponent => exponent.parse().unwrap_or(most).min(most),
    };
    let zeros = "0".repeat(exponent);
    let (text, point) = if is_small {
        (format!("{zeros}{digits}"), whole.len())
    } else {
        (format!("{digits}{zeros}"), whole.len() + exponent)
    };
    let (whole, fraction) = text.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => 0,
        whole if whole.len() > 16 => return None,
        whole => whole.parse().ok()?,
    };
    let is_more = fraction.bytes().any(|digit| digit != b'0');
    let seconds = whole + u64::from(is_more && round == Round::Up);
    (seconds <= MAX_TIME).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        for (number, down, up) in [
            ("0", Some(0), Some(0)),
            ("-0", None, None),
            ("1.5", Some(1), Some(2)),
            ("15e-1", Some(1), Some(2)),
            ("0.15e1", Some(1), Some(2)),
            ("1e3", Some(1000), Some(1000)),
            ("1E+0003", Some(1000), Some(1000)),
            ("1e-400", Some(0), Some(1)),
            ("0e99999999999999999999", Some(0), Some(0)),
            ("1e99999999999999999999", None, None),
            ("9007199254740992", Some(MAX_TIME), Some(MAX_TIME)),
            ("9007199254740992e0", Some(MAX_TIME), Some(MAX_TIME)),
            ("9007199254740993e0", None, None),
            (
                "1767225540.9999999999e0",
                Some(1_767_225_540),
                Some(1_767_225_541),
            ),
        ] {
            assert_eq!(seconds(number, Round::Down), down, "{number}");
            assert_eq!(seconds(number, Round::Up), up, "{number}");
        }
    }
}
