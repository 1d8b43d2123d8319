//! The settings of JWT mode, features `jwt` and `jwt-rust-crypto` (`T1` to `T14`).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::AUTHORIZATION;

use super::{RequireTokenBuilder, Source};
use crate::error::ConfigError;
use crate::inbound::jwt::{JwtCheck, SCHEME, StaticEnd};
use crate::inbound::reject::Dialect;
#[cfg(feature = "jwks")]
use crate::inbound::remote::{RemoteSettings, RemoteTrusts};
use crate::token::jwt::{GREATEST_MAX_LEN, JwtOptions, JwtVerifier, Trust};
use crate::token::{
    Backend, JwtConfigError, JwtKeys, JwtRules, KeySetFile, SystemWallClock, WallClock,
};

/// What was said of JWTs so far.
pub(super) struct JwtSettings {
    trusts: Vec<(JwtKeys, JwtRules)>,
    files: Vec<(KeySetFile, JwtRules)>,
    /// Set by the builder of the layer that may wait, and by no one else.
    #[cfg(feature = "jwks")]
    pub(super) remote: RemoteSettings,
    options: JwtOptions,
    clock: Arc<dyn WallClock>,
    static_until: Option<Duration>,
    bearer: bool,
    /// The first of these methods that was called.
    touched: Option<&'static str>,
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            trusts: Vec::new(),
            files: Vec::new(),
            #[cfg(feature = "jwks")]
            remote: RemoteSettings::default(),
            options: JwtOptions::default(),
            clock: Arc::new(SystemWallClock),
            static_until: None,
            bearer: false,
            touched: None,
        }
    }
}

/// Tokens that are JSON Web Tokens.
impl RequireTokenBuilder<'_> {
    /// Accepts JWTs that one of these keys has signed and that meet these rules. Called again, it adds another
    /// issuer with keys of its own; the exact `iss` of a token then chooses (`T1`).
    ///
    /// With a static token beside it, as [`token()`](Self::token) or [`app_token()`](Self::app_token), both are
    /// accepted: the way from one to the other ([`static_until()`](Self::static_until)). In this mode a value may
    /// have 8 KiB, accepted requests carry [`Authenticated`](crate::Authenticated) with the claims, and a 401 has
    /// the challenge `Bearer`.
    ///
    /// ```
    /// use tower_dapr_token::{JwtKeys, JwtRules, RequireTokenLayer};
    ///
    /// # let pem = "-----BEGIN PUBLIC KEY-----\n\
    /// #     MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
    /// #     -----END PUBLIC KEY-----\n";
    /// let layer = RequireTokenLayer::builder()
    ///     .jwt(
    ///         JwtKeys::pem(pem)?,
    ///         JwtRules::new("https://issuer.example", "orders"),
    ///     )
    ///     .build()?;
    /// # Ok::<(), tower_dapr_token::ConfigError>(())
    /// ```
    pub fn jwt(mut self, keys: JwtKeys, rules: JwtRules) -> Self {
        self.jwt.trusts.push((keys, rules));
        self.touch("jwt")
    }

    /// As [`jwt()`](Self::jwt), with the keys that a file has now and later: when it is read again and names others,
    /// the layer follows at once, and a JWT of a key that it names no more is refused from then on (`T8`).
    ///
    /// The layer keeps the file's reading in the background going; several layers may follow one file.
    ///
    /// ```
    /// use tower_dapr_token::{JwtRules, KeySetFile, Reloaded, RequireTokenLayer};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("jwks.json");
    /// # let set = |kid: &str| format!(
    /// #     r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    /// # );
    /// # std::fs::write(&path, set("2026-10"))?;
    /// // Such as "/etc/orders/jwks.json". In an app of yours: `.watch_files()`, which needs no `refresh()`.
    /// let keys = KeySetFile::builder(&path).build()?;
    /// let layer = RequireTokenLayer::builder()
    ///     .key_set_file(&keys, JwtRules::new("https://issuer.example", "orders"))
    ///     .build()?;
    ///
    /// # std::fs::write(&path, set("2026-11"))?;
    /// // Somebody wrote a new set to it.
    /// assert_eq!(keys.refresh()?, Reloaded::Changed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key_set_file(mut self, keys: &KeySetFile, rules: JwtRules) -> Self {
        self.jwt.files.push((keys.clone(), rules));
        self.touch("key_set_file")
    }

    /// Reads the JWT from `authorization: Bearer <token>` instead of from `dapr-api-token`, which is then only
    /// stripped (`E1`). No static token goes with it.
    pub fn authorization_bearer(mut self) -> Self {
        self.jwt.bearer = true;
        self.touch("authorization_bearer")
    }

    /// Static tokens are refused from this time on, as expired: the end of a migration (`T14`). Without it they are
    /// accepted for ever. Once a request came after it, a clock that is set back does not let them in again.
    pub fn static_until(mut self, end: SystemTime) -> Self {
        // A time before 1970 has passed as well as its beginning.
        self.jwt.static_until = Some(
            end.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
        );
        self.touch("static_until")
    }

    /// Longest JWT, in bytes, instead of 8 KiB; at most 64 KiB. A longer value is refused before it is looked at
    /// (`E4`).
    pub fn max_jwt_len(mut self, limit: usize) -> Self {
        if limit == 0 || limit > GREATEST_MAX_LEN {
            self.mistake(
                JwtConfigError::Rule {
                    setting: "max_jwt_len",
                    reason: "is not between 1 byte and 64 KiB",
                }
                .into(),
            );
        }
        self.jwt.options.max_len = limit;
        self.touch("max_jwt_len")
    }

    /// How many accepted JWTs are remembered, instead of 1,024; at most 65,536, and 0 remembers none. One that is
    /// remembered costs a hash in place of a signature, for 5 minutes at most and never past its end (`T9`).
    pub fn jwt_cache(mut self, entries: usize) -> Self {
        self.jwt.options.cache_entries = entries;
        self.touch("jwt_cache")
    }

    /// Which library verifies, where both are compiled in (`T10`).
    pub fn jwt_backend(mut self, backend: Backend) -> Self {
        self.jwt.options.backend = backend;
        self.touch("jwt_backend")
    }

    /// The time of day by which JWTs begin and end; for tests.
    pub fn wall_clock(mut self, clock: Arc<dyn WallClock>) -> Self {
        self.jwt.clock = clock;
        self.touch("wall_clock")
    }

    fn touch(mut self, setting: &'static str) -> Self {
        self.jwt.touched.get_or_insert(setting);
        self
    }

    /// Applies what JWT mode changes of the other settings, and makes the check.
    pub(super) fn jwt_check(&mut self) -> Result<Option<JwtCheck>, ConfigError> {
        let settings = std::mem::take(&mut self.jwt);
        #[cfg(feature = "jwks")]
        let has_remote = !settings.remote.is_empty();
        #[cfg(not(feature = "jwks"))]
        let has_remote = false;
        if settings.trusts.is_empty() && settings.files.is_empty() && !has_remote {
            return match settings.touched {
                Some(_) => Err(JwtConfigError::NoIssuer.into()),
                None => Ok(None),
            };
        }
        let has_static = self.source.is_some();
        let refused = |setting, reason| Err(JwtConfigError::Rule { setting, reason }.into());
        if let Some(Source::AllowAll) = self.source {
            return Err(ConfigError::SeveralTokenSources);
        }
        if self.any_valid {
            return refused(
                "any_valid",
                "mixes identities: it is for static tokens alone",
            );
        }
        if settings.bearer && has_static {
            return refused(
                "authorization_bearer",
                "is for JWTs alone: leave out the static token",
            );
        }
        if settings.bearer && self.header.is_some() {
            return refused(
                "authorization_bearer",
                "names the header, and header_name(..) another one",
            );
        }
        if settings.static_until.is_some() && !has_static {
            return refused("static_until", "ends nothing: there is no static token");
        }
        let backend = settings.options.backend;
        let trusts = settings.trusts.into_iter();
        let trusts: Result<Vec<_>, _> = trusts
            .map(|(keys, rules)| Trust::local(&keys, rules, backend))
            .collect();
        let mut trusts = trusts?;
        let mut files = Vec::with_capacity(settings.files.len());
        for (file, rules) in settings.files {
            let keys = file.follow(backend, rules.allowed())?;
            files.push((trusts.len(), file));
            trusts.push(Trust::following(keys, rules));
        }
        #[cfg(feature = "jwks")]
        let remote = RemoteTrusts::plan(settings.remote, &mut trusts, backend)?;
        let check = JwtCheck {
            verifier: JwtVerifier::new(trusts, settings.options)?,
            clock: settings.clock,
            static_limit: has_static.then_some(self.limit),
            static_end: settings.static_until.map(StaticEnd::new),
            bearer: settings.bearer,
            files: files.into(),
            #[cfg(feature = "jwks")]
            remote,
        };
        let scheme = if settings.bearer {
            self.header = Some(AUTHORIZATION);
            SCHEME.len()
        } else {
            0
        };
        self.value_limit = Some(self.limit.max(settings.options.max_len + scheme));
        self.with_extensions = true;
        if self.dialect == Dialect::Standard {
            self.dialect = Dialect::Bearer;
        }
        Ok(Some(check))
    }
}
