//! [`Settings`]: the environment of the app, and the layer that it asks for.

use std::time::{Duration, SystemTime};

use tower_dapr_token::{JwtRules, RemoteKeys, RequireRemoteTokenBuilder, RequireTokenLayer, Token};

pub(crate) struct Settings {
    issuer: String,
    audience: String,
    /// Without it the issuer says where its keys are.
    key_set: Option<String>,
    /// PEM, in place of the root certificates of the operating system.
    root_certificate: Option<Vec<u8>>,
    migration: Option<Migration>,
}

/// The token from before, and when it ends.
struct Migration {
    token: Token,
    until: SystemTime,
}

impl Settings {
    /// What is wrong is told with what to do about it.
    pub(crate) fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        let needed = |name, what| set(name).ok_or(format!("{name} is not set: set it to {what}"));
        let root_certificate = set("JWT_ROOT_CERTIFICATE").map(|path| {
            std::fs::read(&path).map_err(|error| {
                format!("JWT_ROOT_CERTIFICATE cannot be read, {path}: {error}; name a file in PEM")
            })
        });
        Ok(Self {
            issuer: needed(
                "JWT_ISSUER",
                "the `iss` of the tokens, character by character",
            )?,
            audience: needed("JWT_AUDIENCE", "the `aud` that means this app")?,
            key_set: set("JWT_KEY_SET"),
            root_certificate: root_certificate.transpose()?,
            migration: migration(set("APP_API_TOKEN"), set("APP_API_TOKEN_UNTIL"))?,
        })
    }

    /// A layer that is still to be built: with `build()`, which waits for keys, or `build_lazy()`, which does not.
    pub(crate) fn layer(self) -> RequireRemoteTokenBuilder<'static> {
        let mut keys = match self.key_set {
            Some(url) => RemoteKeys::jwks(url),
            None => RemoteKeys::discovery(self.issuer.clone()),
        };
        if let Some(pem) = self.root_certificate {
            keys = keys.root_certificate(pem);
        }
        let rules = JwtRules::new(self.issuer, self.audience);
        let mut layer = RequireTokenLayer::builder().http_health();
        if let Some(Migration { token, until }) = self.migration {
            layer = layer.token(token).static_until(until);
        }
        layer.remote_keys(keys, rules)
    }
}

fn migration(token: Option<String>, until: Option<String>) -> Result<Option<Migration>, String> {
    let (token, until) = match (token, until) {
        (None, None) => return Ok(None),
        (Some(token), Some(until)) => (token, until),
        (Some(_), None) => {
            return Err(
                "APP_API_TOKEN is set and APP_API_TOKEN_UNTIL is not: set it to the day on which the static token \
                 ends, as 2026-12-31, or take APP_API_TOKEN away"
                    .to_owned(),
            );
        }
        (None, Some(_)) => {
            return Err(
                "APP_API_TOKEN_UNTIL is set and APP_API_TOKEN is not: nothing would end; take it away".to_owned(),
            );
        }
    };
    let token = token
        .parse()
        .map_err(|error| format!("APP_API_TOKEN: {error}"))?;
    let until = day(&until).ok_or(
        "APP_API_TOKEN_UNTIL is not a day from 1970 on: write it as 2026-12-31; UTC counts",
    )?;
    Ok(Some(Migration { token, until }))
}

/// The beginning of a day, `YYYY-MM-DD`, in UTC.
fn day(text: &str) -> Option<SystemTime> {
    let mut parts = text.trim().splitn(3, '-').map(str::parse::<u64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    if !(1970..=9999).contains(&year) || !(1..=*months.get(before)?).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year)
        .map(|y| if is_leap(y) { 366 } else { 365 })
        .sum();
    let days = years + months.iter().take(before).sum::<u64>() + day - 1;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(days * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(951_782_400)),
            ("2026-12-31", Some(1_798_675_200)),
            ("2100-03-01", Some(4_107_542_400)),
            (" 2026-12-31\n", Some(1_798_675_200)),
            ("2026-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-01-00", None),
            ("1969-12-31", None),
            ("10000-01-01", None),
            ("2026-12", None),
            ("2026-12-31-1", None),
            ("31.12.2026", None),
            ("", None),
        ] {
            let found = day(text).map(|day| {
                let since = day.duration_since(SystemTime::UNIX_EPOCH);
                since.expect("from 1970 on").as_secs()
            });
            assert_eq!(found, seconds, "{text:?}");
        }
    }

    #[test]
    fn what_is_missing_or_does_not_go_together_is_told_with_what_to_do() {
        let good = [("JWT_ISSUER", "https://a"), ("JWT_AUDIENCE", "orders")];
        let table: &[(&str, &[(&str, &str)], &str)] = &[
            (
                "no issuer",
                &[("JWT_ISSUER", " ")],
                "JWT_ISSUER is not set: ",
            ),
            (
                "no audience",
                &[("JWT_AUDIENCE", "")],
                "JWT_AUDIENCE is not set: ",
            ),
            (
                "a token for ever",
                &[("APP_API_TOKEN", "abc")],
                "APP_API_TOKEN is set and APP_API_TOKEN_UNTIL is not: ",
            ),
            (
                "an end of nothing",
                &[("APP_API_TOKEN_UNTIL", "2026-12-31")],
                "APP_API_TOKEN_UNTIL is set and APP_API_TOKEN is not: ",
            ),
            (
                "no day",
                &[("APP_API_TOKEN", "abc"), ("APP_API_TOKEN_UNTIL", "soon")],
                "APP_API_TOKEN_UNTIL is not a day",
            ),
            (
                "no token",
                &[
                    ("APP_API_TOKEN", "hunter 2"),
                    ("APP_API_TOKEN_UNTIL", "2026-12-31"),
                ],
                "APP_API_TOKEN: ",
            ),
            (
                "no such file",
                &[("JWT_ROOT_CERTIFICATE", "/nowhere/ca.pem")],
                "JWT_ROOT_CERTIFICATE cannot be read, /nowhere/ca.pem: ",
            ),
        ];
        let read = |changed: &[(&str, &str)]| {
            Settings::from_env(|name| {
                let mut all = changed.iter().chain(&good);
                let value = all.find(|(known, _)| *known == name)?.1;
                Some(value.to_owned())
            })
        };
        assert!(read(&[]).is_ok());
        for (name, changed, expected) in table {
            let error = read(changed).err().expect(name);
            assert!(error.starts_with(expected), "{name}: {error}");
            assert!(!error.contains("hunter"), "{name}: {error}");
        }
    }
}
