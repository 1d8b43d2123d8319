//! [`Claims`]: what an accepted token says, and the rules that it met (`T4`).
//!
//! A claim of the wrong JSON type refuses the token even if nothing asks for it. Times may have a fraction: `exp` is
//! rounded down and `nbf` and `iat` up, so that rounding never lets a token live longer.

use std::fmt;
use std::time::Duration;

use serde_core::de::DeserializeOwned;

use super::json::{Object, WrongType};
use super::rules::JwtRules;
use crate::inbound::RejectionKind;

/// How deep a payload may be nested.
pub(super) const MAX_DEPTH: usize = 32;

/// Larger numbers are not exact in every JSON parser.
const MAX_TIME: u64 = 1 << 53;

/// A longer number is no time.
const MAX_NUMBER_LEN: usize = 40;

/// What an accepted token says.
///
/// `Debug` shows none of it: claims are about people and machines, and a log is read by many.
pub struct Claims {
    said: Said,
    json: String,
}

/// The registered claims (RFC 7519 section 4.1), with their types checked.
pub(super) struct Said {
    issuer: Option<String>,
    subject: Option<String>,
    audiences: Option<Vec<String>>,
    expires_at: Option<u64>,
    not_before: Option<u64>,
    issued_at: Option<u64>,
}

impl Claims {
    pub(super) fn new(said: Said, payload: Vec<u8>) -> Option<Self> {
        let json = String::from_utf8(payload).ok()?;
        Some(Self { said, json })
    }

    /// Claims of a token that ends at this second.
    #[cfg(test)]
    pub(super) fn ending_at(expires_at: u64) -> Self {
        let said = Said {
            issuer: None,
            subject: None,
            audiences: None,
            expires_at: Some(expires_at),
            not_before: None,
            issued_at: None,
        };
        let json = String::new();
        Self { said, json }
    }

    /// Who made the token, `iss`. There is one unless the rules are those of `dapr_sentry`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.said.issuer.as_deref()
    }

    /// Whom it is about, `sub`. There is one if the rules ask for it.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.said.subject.as_deref()
    }

    /// Whom it is for, `aud`: one of these is configured here.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.said.audiences.iter().flatten().map(String::as_str)
    }

    /// When it ends, `exp`, in whole seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn expires_at(&self) -> Duration {
        Duration::from_secs(self.said.expires_at.unwrap_or_default())
    }

    /// All claims as the JSON text that was signed.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// All claims as a type of your own.
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] if the token lacks what the type asks for.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        serde_json::from_str(&self.json).map_err(|error| ClaimsError {
            column: Some(error.column()),
        })
    }

    /// Whether it is still valid at this time, without any leeway at its end.
    pub(super) fn hold_at(&self, now: Duration, leeway: Duration) -> bool {
        self.expires_at() > now
            && self
                .said
                .not_before
                .is_none_or(|begin| Duration::from_secs(begin) <= now.saturating_add(leeway))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// The claims of a token do not fit a type. It tells where, and nothing of what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimsError {
    /// `None`: there are no claims.
    column: Option<usize>,
}

impl ClaimsError {
    /// The request was let through without a JWT.
    pub(crate) fn no_jwt() -> Self {
        Self { column: None }
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            None => f.write_str("the request was accepted without a JWT, so it has no claims"),
            Some(column) => write!(
                f,
                "the claims do not fit the type that was asked for (noticed at byte {column} of the payload)"
            ),
        }
    }
}

impl std::error::Error for ClaimsError {}

/// The `iss` of a payload whose signature nobody has checked yet: it chooses the keys and nothing else (`T1`).
pub(super) fn unverified_issuer(payload: &Object<'_>) -> Result<Option<String>, RejectionKind> {
    payload.text("iss").map_err(wrong_type)
}

/// Checks the claims of a payload whose signature is good.
pub(super) fn check(
    payload: &Object<'_>,
    rules: &JwtRules,
    now: Duration,
) -> Result<Said, RejectionKind> {
    let said = Said::read(payload)?;
    said.check_issuer(rules)?;
    said.check_audience(rules)?;
    said.check_times(rules, now)?;
    said.check_subject(rules)?;
    if rules.scopes.is_empty() || has_scopes(payload, rules)? {
        Ok(said)
    } else {
        Err(RejectionKind::Claims)
    }
}

impl Said {
    fn read(payload: &Object<'_>) -> Result<Self, RejectionKind> {
        let time = |name, round_up| match payload.number(name).map_err(wrong_type)? {
            None => Ok(None),
            Some(number) => match seconds(number, round_up) {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(RejectionKind::Claims),
            },
        };
        let text = |name| payload.text(name).map_err(wrong_type);
        text("jti")?;
        Ok(Self {
            issuer: text("iss")?,
            subject: text("sub")?,
            audiences: payload.text_or_texts("aud").map_err(wrong_type)?,
            expires_at: time("exp", false)?,
            not_before: time("nbf", true)?,
            issued_at: time("iat", true)?,
        })
    }

    fn check_issuer(&self, rules: &JwtRules) -> Result<(), RejectionKind> {
        match &self.issuer {
            None if !rules.issuers.is_empty() => Err(RejectionKind::Claims),
            issuer if rules.are_for(issuer.as_deref()) => Ok(()),
            _ => Err(RejectionKind::Issuer),
        }
    }

    fn check_audience(&self, rules: &JwtRules) -> Result<(), RejectionKind> {
        let audiences = self.audiences.as_ref().ok_or(RejectionKind::Claims)?;
        if audiences
            .iter()
            .any(|audience| rules.audiences.contains(audience))
        {
            Ok(())
        } else {
            Err(RejectionKind::Audience)
        }
    }

    fn check_times(&self, rules: &JwtRules, now: Duration) -> Result<(), RejectionKind> {
        let expires_at = self.expires_at.ok_or(RejectionKind::Claims)?;
        if Duration::from_secs(expires_at) <= now.saturating_sub(rules.leeway) {
            return Err(RejectionKind::Expired);
        }
        let latest = now.saturating_add(rules.leeway);
        let begins = [self.not_before, self.issued_at];
        if begins
            .into_iter()
            .flatten()
            .any(|begin| Duration::from_secs(begin) > latest)
        {
            return Err(RejectionKind::NotYet);
        }
        let Some(max_lifetime) = rules.max_lifetime else {
            return Ok(());
        };
        let issued_at = self.issued_at.ok_or(RejectionKind::Claims)?;
        if Duration::from_secs(expires_at.saturating_sub(issued_at)) > max_lifetime {
            return Err(RejectionKind::Claims);
        }
        Ok(())
    }

    fn check_subject(&self, rules: &JwtRules) -> Result<(), RejectionKind> {
        if rules.subjects.is_empty() {
            return Ok(());
        }
        let subject = self.subject.as_ref().ok_or(RejectionKind::Claims)?;
        if rules.subjects.iter().any(|rule| rule.admits(subject)) {
            Ok(())
        } else {
            Err(RejectionKind::Subject)
        }
    }
}

fn wrong_type(_: WrongType) -> RejectionKind {
    RejectionKind::Claims
}

/// Whether each required scope is one of those that the token grants.
fn has_scopes(payload: &Object<'_>, rules: &JwtRules) -> Result<bool, RejectionKind> {
    let granted = granted_scopes(payload, rules.scope_claim.as_deref()).map_err(wrong_type)?;
    Ok(rules.scopes.iter().all(|scope| granted.contains(scope)))
}

/// Those of `scope`, a string of names; or of a claim that the rules name, where an array may list them too, each
/// element one name as it stands.
fn granted_scopes(payload: &Object<'_>, claim: Option<&str>) -> Result<Vec<String>, WrongType> {
    let listed = match (payload.text(claim.unwrap_or("scope")), claim) {
        (Ok(names), _) => {
            let names = names.unwrap_or_default();
            return Ok(names.split(' ').map(str::to_owned).collect());
        }
        (Err(WrongType), Some(claim)) => payload.texts(claim)?,
        (Err(WrongType), None) => return Err(WrongType),
    };
    Ok(listed.unwrap_or_default())
}

/// Seconds since 1970 out of the text of a JSON number, rounded to whole ones. Nothing below 0 or above 2^53.
///
/// Digit by digit: a float on the way would round first, and to the other side too.
pub(super) fn seconds(number: &str, round_up: bool) -> Option<u64> {
    if number.len() > MAX_NUMBER_LEN || number.starts_with('-') {
        return None;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // One that 32 bits cannot hold moves every digit out of sight, as the last that they can does.
    let exponent = exponent.parse().unwrap_or(match exponent.as_bytes() {
        [b'-', ..] => i32::MIN,
        _ => i32::MAX,
    });
    // How many digits stand before the point, those included that the exponent adds.
    let mut before = i64::try_from(whole.len())
        .ok()?
        .saturating_add(i64::from(exponent));
    let (mut seconds, mut is_more) = (0_u64, false);
    for digit in whole.bytes().chain(fraction.bytes()) {
        if before > 0 {
            let digit = u64::from(digit.checked_sub(b'0')?);
            seconds = seconds.checked_mul(10)?.checked_add(digit)?;
        } else {
            is_more |= digit != b'0';
        }
        before = before.saturating_sub(1);
    }
    // Ends after 20 rounds at the latest: the product is then too great.
    while before > 0 && seconds > 0 {
        seconds = seconds.checked_mul(10)?;
        before -= 1;
    }
    let seconds = seconds.checked_add(u64::from(round_up && is_more))?;
    (seconds <= MAX_TIME).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::subject::SubjectRule;
    use super::super::testing::{AUDIENCE, ISSUER, NOW};
    use super::*;

    fn rules() -> JwtRules {
        JwtRules::new(ISSUER, AUDIENCE)
    }

    fn verdict(payload: &str, rules: &JwtRules, now: Duration) -> Result<Claims, RejectionKind> {
        let object =
            Object::parse(payload.as_bytes(), MAX_DEPTH).map_err(|_| RejectionKind::Claims)?;
        let said = check(&object, rules, now)?;
        Claims::new(said, payload.into()).ok_or(RejectionKind::Claims)
    }

    /// Good claims, with one of them changed, added or (if it is empty) left out.
    fn with(name: &str, value: &str) -> String {
        let good = [
            ("iss", format!(r#""{ISSUER}""#)),
            ("aud", format!(r#""{AUDIENCE}""#)),
            ("exp", (NOW.as_secs() + 600).to_string()),
        ];
        let mut members: Vec<_> = good
            .iter()
            .filter(|(good, _)| *good != name)
            .map(|(name, value)| format!(r#""{name}":{value}"#))
            .collect();
        if !value.is_empty() {
            members.push(format!(r#""{name}":{value}"#));
        }
        format!("{{{}}}", members.join(","))
    }

    #[test]
    fn t4_exp_aud_and_iss_are_required() {
        assert!(verdict(&with("", ""), &rules(), NOW).is_ok());
        for name in ["exp", "aud", "iss"] {
            let refused = verdict(&with(name, ""), &rules(), NOW).map(|_| ());
            assert_eq!(refused, Err(RejectionKind::Claims), "without {name}");
        }
    }

    #[test]
    fn t4_a_claim_of_a_wrong_type_refuses_the_token_even_if_nothing_asks_for_it() {
        let now = NOW.as_secs();
        let values = [
            ("text", r#""x""#.to_owned()),
            ("number as text", format!(r#""{now}""#)),
            ("number", now.to_string()),
            ("list", r#"["x"]"#.to_owned()),
            ("list of numbers", "[1]".to_owned()),
            ("object", "{}".to_owned()),
            ("null", "null".to_owned()),
            ("true", "true".to_owned()),
            ("negative", "-1".to_owned()),
            ("negative zero", "-0".to_owned()),
            ("negative fraction", "-0.5".to_owned()),
            ("2^53 + 1", "9007199254740993".to_owned()),
            ("2^64", "18446744073709551616".to_owned()),
            ("1e400", "1e400".to_owned()),
            ("1e16", "1e16".to_owned()),
            ("a number of 41 digits", "0.".to_owned() + &"1".repeat(39)),
        ];
        // Which of these values a claim may have, and what it then means.
        let allowed = |claim: &str, value: &str| match (claim, value) {
            ("iss", "text" | "number as text") => Some(Err(RejectionKind::Issuer)),
            ("aud", "text" | "number as text" | "list") => Some(Err(RejectionKind::Audience)),
            ("exp" | "nbf" | "iat", "number") => Some(Ok(())),
            ("sub" | "jti", "text" | "number as text") => Some(Ok(())),
            ("anything", "1e400") => None,
            ("anything", _) => Some(Ok(())),
            _ => None,
        };
        for claim in ["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "anything"] {
            for (name, value) in &values {
                let expected = allowed(claim, name).unwrap_or(Err(RejectionKind::Claims));
                let found = verdict(&with(claim, value), &rules(), NOW).map(|_| ());
                assert_eq!(found, expected, "{claim} as {name}");
            }
        }
        let twice = with("exp", &format!("{now},\"exp\":{}", now + 9));
        assert!(verdict(&twice, &rules(), NOW).is_err(), "exp twice");
    }

    #[test]
    fn t4_times_with_the_leeway_and_its_edges() {
        let now = NOW.as_secs();
        let expired = Err(RejectionKind::Expired);
        let not_yet = Err(RejectionKind::NotYet);
        let wrong = Err(RejectionKind::Claims);
        let table: &[(&str, String, u64, Result<(), RejectionKind>)] = &[
            ("exp", format!("{}", now + 1), 0, Ok(())),
            ("exp", format!("{now}"), 0, expired),
            ("exp", format!("{now}.9"), 0, expired),
            ("exp", format!("{}.0", now + 1), 0, Ok(())),
            ("exp", format!("{}", now - 59), 60, Ok(())),
            ("exp", format!("{}", now - 60), 60, expired),
            ("exp", format!("{}.999", now - 60), 60, expired),
            ("exp", "1.8000000005e9".to_owned(), 0, expired),
            ("exp", "18000000010e-1".to_owned(), 0, Ok(())),
            ("exp", "0".to_owned(), 60, expired),
            ("exp", "9007199254740992".to_owned(), 60, Ok(())),
            ("exp", "9007199254740992e0".to_owned(), 60, Ok(())),
            // More digits than a double has: rounding it first would make it end a second later, or begin earlier.
            ("exp", format!("{now}9999999999e-10"), 0, expired),
            ("nbf", format!("{now}.0000000001e0"), 0, not_yet),
            ("nbf", format!("{now}.{}1", "0".repeat(28)), 0, not_yet),
            ("nbf", format!("{now}.{}1", "0".repeat(29)), 0, wrong),
            ("nbf", format!("0.{}{now}e30", "0".repeat(20)), 0, Ok(())),
            ("nbf", format!("{now}e-99999999999999999999"), 0, Ok(())),
            ("exp", format!("{now}e-99999999999999999999"), 0, expired),
            ("exp", "9007199254740993e0".to_owned(), 0, wrong),
            ("exp", "1e300".to_owned(), 0, wrong),
            ("nbf", format!("{now}"), 0, Ok(())),
            ("nbf", format!("{now}.0"), 0, Ok(())),
            ("nbf", format!("{now}.1"), 0, not_yet),
            ("nbf", format!("{now}.00000000000000000001"), 0, not_yet),
            ("nbf", format!("{}", now + 1), 0, not_yet),
            ("nbf", format!("{}", now + 60), 60, Ok(())),
            ("nbf", format!("{}.1", now + 60), 60, not_yet),
            ("nbf", "1.8000000001e9".to_owned(), 0, not_yet),
            ("iat", format!("{}", now + 60), 60, Ok(())),
            ("iat", format!("{}", now + 61), 60, not_yet),
            ("iat", "0".to_owned(), 0, Ok(())),
        ];
        for (claim, value, leeway, expected) in table {
            let rules = rules().leeway(Duration::from_secs(*leeway));
            let found = verdict(&with(claim, value), &rules, NOW).map(|_| ());
            assert_eq!(found, *expected, "{claim} {value}, leeway {leeway} s");
        }
        let rules = rules();
        let ends = with("exp", &now.to_string());
        let at = |seconds, millis: u32| {
            verdict(&ends, &rules, Duration::new(seconds, millis * 1_000_000)).is_ok()
        };
        assert!(at(now + 59, 999) && !at(now + 60, 0));
        assert!(
            verdict(&with("", ""), &rules, Duration::MAX).is_err(),
            "a clock that tells nothing"
        );
    }

    #[test]
    fn t4_aud_and_iss_are_compared_whole() {
        let aud = |value: &str, expected| ("aud", value.to_owned(), expected);
        let iss = |value: &str, expected| ("iss", value.to_owned(), expected);
        let (no_aud, no_iss) = (Err(RejectionKind::Audience), Err(RejectionKind::Issuer));
        let wrong = Err(RejectionKind::Claims);
        let table = [
            aud(r#""orders""#, Ok(())),
            aud(r#"["orders"]"#, Ok(())),
            aud(r#"["other","orders"]"#, Ok(())),
            aud(r#"["other"]"#, no_aud),
            aud("[]", no_aud),
            aud(r#""""#, no_aud),
            aud(r#""Orders""#, no_aud),
            aud(r#""orders ""#, no_aud),
            aud(r#""other orders""#, no_aud),
            aud(r#"[["orders"]]"#, wrong),
            aud(r#"["orders",1]"#, wrong),
            aud(r#"["orders",null]"#, wrong),
            iss(r#""https://issuer.example""#, Ok(())),
            iss(r#""https:\/\/issuer.example""#, Ok(())),
            iss(r#""https://issuer.example/""#, no_iss),
            iss(r#""HTTPS://issuer.example""#, no_iss),
            iss(r#""https://issuer.example.evil""#, no_iss),
            iss(r#""""#, no_iss),
            iss(r#"["https://issuer.example"]"#, wrong),
        ];
        for (claim, value, expected) in table {
            let found = verdict(&with(claim, &value), &rules(), NOW).map(|_| ());
            assert_eq!(found, expected, "{claim} {value}");
        }
        let more = rules().add_audience("billing").add_issuer("https://b");
        assert!(verdict(&with("aud", r#""billing""#), &more, NOW).is_ok());
        assert!(verdict(&with("iss", r#""https://b""#), &more, NOW).is_ok());
    }

    #[test]
    fn t4_subjects_lifetime_and_scopes_if_asked_for() {
        let now = NOW.as_secs();
        let shop = rules()
            .add_subject(SubjectRule::exact("a"))
            .add_subject(SubjectRule::spiffe("spiffe://d/b"));
        let short = rules().max_lifetime(Duration::from_secs(660));
        let scoped = rules().require_scope("read").require_scope("write");
        let scp = scoped.clone().scope_claim("scp");
        let (sub, wrong) = (Err(RejectionKind::Subject), Err(RejectionKind::Claims));
        let table = [
            ("sub", r#""a""#.to_owned(), &shop, Ok(())),
            ("sub", r#""spiffe://d/b/c""#.to_owned(), &shop, Ok(())),
            ("sub", r#""spiffe://d/bc""#.to_owned(), &shop, sub),
            ("sub", r#""b""#.to_owned(), &shop, sub),
            ("sub", String::new(), &shop, wrong),
            ("iat", format!("{}", now - 60), &short, Ok(())),
            ("iat", format!("{}.5", now - 61), &short, Ok(())),
            ("iat", format!("{}", now - 61), &short, wrong),
            ("iat", String::new(), &short, wrong),
            ("scope", r#""read write""#.to_owned(), &scoped, Ok(())),
            ("scope", r#""a write read b""#.to_owned(), &scoped, Ok(())),
            ("scope", r#""read""#.to_owned(), &scoped, wrong),
            ("scope", r#""read,write""#.to_owned(), &scoped, wrong),
            ("scope", r#""read write2""#.to_owned(), &scoped, wrong),
            ("scope", r#"["read","write"]"#.to_owned(), &scoped, wrong),
            ("scope", String::new(), &scoped, wrong),
            ("scope", "[1]".to_owned(), &rules(), Ok(())),
            ("scp", r#""read write""#.to_owned(), &scoped, wrong),
            ("scp", r#""read write""#.to_owned(), &scp, Ok(())),
            ("scp", r#""a write read b""#.to_owned(), &scp, Ok(())),
            ("scp", r#""read""#.to_owned(), &scp, wrong),
            ("scp", r#""read  write""#.to_owned(), &scp, Ok(())),
            ("scp", r#"["read","write"]"#.to_owned(), &scp, Ok(())),
            ("scp", r#"["b","write","read"]"#.to_owned(), &scp, Ok(())),
            ("scp", r#"["read"]"#.to_owned(), &scp, wrong),
            ("scp", r#"["read write"]"#.to_owned(), &scp, wrong),
            ("scp", r#"["read","write",1]"#.to_owned(), &scp, wrong),
            ("scp", r#"[["read","write"]]"#.to_owned(), &scp, wrong),
            ("scp", r#"{"read":1,"write":1}"#.to_owned(), &scp, wrong),
            ("scp", "null".to_owned(), &scp, wrong),
            ("scp", "[]".to_owned(), &scp, wrong),
            ("scp", String::from("\"\""), &scp, wrong),
            ("scope", r#""read write""#.to_owned(), &scp, wrong),
            ("scp", "[1]".to_owned(), &scoped, wrong),
            ("scp", "[1]".to_owned(), &rules(), Ok(())),
        ];
        for (claim, value, rules, expected) in table {
            let found = verdict(&with(claim, &value), rules, NOW).map(|_| ());
            assert_eq!(found, expected, "{claim} {value}");
        }
    }

    #[test]
    fn e6_claims_become_a_type_of_the_users_own_and_show_nothing() {
        #[derive(serde::Deserialize)]
        struct Mine {
            tenant: String,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Other {
            #[allow(dead_code, reason = "asked for, and not there")]
            tenant: u8,
        }
        let claims = verdict(&with("tenant", r#""hunter2""#), &rules(), NOW).expect("good");
        assert_eq!(
            claims.deserialize::<Mine>().expect("fits").tenant,
            "hunter2"
        );
        assert_eq!((claims.issuer(), claims.subject()), (Some(ISSUER), None));
        assert_eq!(claims.audiences().collect::<Vec<_>>(), [AUDIENCE]);
        assert_eq!(claims.expires_at(), NOW + Duration::from_secs(600));
        assert!(claims.as_json().contains("hunter2"));

        let error = claims.deserialize::<Other>().expect_err("a text");
        for text in [
            format!("{claims:?}"),
            format!("{error:?}"),
            error.to_string(),
        ] {
            assert!(
                !text.contains("hunter2") && !text.contains(ISSUER),
                "{text}"
            );
        }
        assert!(error.to_string().contains("at byte"), "{error}");
    }

    proptest! {
        #[test]
        fn t4_any_number_is_rounded_against_the_token_or_refused(number in "-?(0|[1-9][0-9]{0,17})([.][0-9]{1,12})?([eE][+-]?[0-9]{1,3})?") {
            let (down, up) = (seconds(&number, false), seconds(&number, true));
            prop_assert!(!number.starts_with('-') || (down.is_none() && up.is_none()));
            if let (Some(down), Some(up)) = (down, up) {
                prop_assert!(up == down || up == down + 1);
                let exact: f64 = number.parse().expect("a number");
                prop_assert!((exact - down as f64).abs() <= 1.0 + exact * 1e-15);
            }
        }
    }
}
