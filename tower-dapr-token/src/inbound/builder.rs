//! [`RequireTokenBuilder`]: every setting of the inbound layer, checked once in `build()`.

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
#[cfg(feature = "axum")]
mod original_uri;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod remote;
mod rotating;

#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
pub use self::remote::RequireRemoteTokenBuilder;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Method, Response};

use super::decide::{Decides, Live};
use super::exempt::{DAPRD_DISCOVERY, DAPRD_PROBES, Exemptions, GRPC_HEALTH, HTTP_HEALTH};
use super::extract::{Custom, Extraction, Mode};
use super::layer::RequireTokenLayer;
use super::reject::{CustomAnswers, Dialect, Rejection};
use super::service::Policy;
use super::verifier::{HeaderVerifier, Parts};
use crate::environment::{Environment, ProcessEnvironment};
use crate::error::ConfigError;
use crate::header::{self, DAPR_API_TOKEN, MAX_TOKEN_LEN};
use crate::observe::{Notice, Observer};
use crate::token::{
    LoadedTokens, Token, TokenHandle, TokenHandleBuilder, TokenReader, TokenVariable, Verifier,
    notices_of_reader,
};

/// Builds a [`RequireTokenLayer`]. The first mistake is kept and returned by
/// [`build()`](Self::build).
///
/// ```
/// use tower_dapr_token::RequireTokenLayer;
///
/// // Accepts the token of the moment and the one before it; a probe needs none.
/// let layer = RequireTokenLayer::builder()
///     .token("the-current-token-of-32-bytes-ok".parse()?)
///     .add_previous("the-one-before-it".parse()?)
///     .http_health()
///     .build()?;
///
/// // A path that no request can match exactly is refused at once.
/// let error = RequireTokenLayer::builder()
///     .token("the-current-token-of-32-bytes-ok".parse()?)
///     .exempt(http::Method::GET, "/public/*")
///     .build()
///     .unwrap_err();
/// assert!(error.to_string().contains("wildcard"));
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build()`"]
pub struct RequireTokenBuilder<'e> {
    source: Option<Source>,
    previous: Vec<Token>,
    /// What a source that can be read again is built with.
    rotation: TokenHandleBuilder,
    environment: &'e dyn Environment,
    header: Option<HeaderName>,
    limit: usize,
    /// The longest value that is looked at, where that is not the one above.
    value_limit: Option<usize>,
    keep: bool,
    strip_underscored: bool,
    any_valid: bool,
    with_extensions: bool,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    jwt: jwt::JwtSettings,
    exemptions: Exemptions,
    dialect: Dialect,
    answers: CustomAnswers,
    observer: Option<Arc<dyn Observer>>,
    mistake: Option<ConfigError>,
}

enum Source {
    Token(Token),
    Variable(TokenVariable),
    /// What `rotation` names.
    Reloaded,
    Reader(TokenReader),
    AllowAll,
    /// No static token: JWTs alone.
    Nothing,
}

impl RequireTokenBuilder<'static> {
    pub(super) fn new() -> Self {
        Self {
            source: None,
            previous: Vec::new(),
            rotation: TokenHandleBuilder::default(),
            environment: &ProcessEnvironment,
            header: None,
            limit: MAX_TOKEN_LEN,
            value_limit: None,
            keep: false,
            strip_underscored: false,
            any_valid: false,
            with_extensions: false,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            jwt: jwt::JwtSettings::default(),
            exemptions: Exemptions::default(),
            dialect: Dialect::default(),
            answers: CustomAnswers::default(),
            observer: None,
            mistake: None,
        }
    }
}

impl<'e> RequireTokenBuilder<'e> {
    /// Accepts this token.
    pub fn token(self, token: Token) -> Self {
        self.named(Source::Token(token))
    }

    /// Accepts this token beside the one of [`token()`](Self::token): the previous one, during a
    /// rotation. At most seven.
    pub fn add_previous(mut self, token: Token) -> Self {
        self.previous.push(token);
        self
    }

    /// Accepts `APP_API_TOKEN`, which daprd sends to the app, and `APP_API_TOKEN_PREVIOUS` if it is set.
    pub fn app_token(self) -> Self {
        self.named(Source::Variable(TokenVariable::app()))
    }

    /// Accepts `DAPR_API_TOKEN`, which apps send to daprd, and `DAPR_API_TOKEN_PREVIOUS` if it is set. For
    /// servers that speak Dapr's own API, never for an app.
    pub fn dapr_token(self) -> Self {
        self.named(Source::Variable(TokenVariable::dapr()))
    }

    /// Accepts the token in this variable, and in the one with `_PREVIOUS` behind it if that is set. An
    /// app whose whole Secret is mounted with `envFrom` finds its token under the Secret's key, `token`.
    pub fn env_var(self, name: impl Into<String>) -> Self {
        self.named(Source::Variable(TokenVariable::named(name.into())))
    }

    /// Lets **every** request through, with or without a token; the header is stripped all the same. The
    /// only way to run without a token, for a development machine; the observer is told.
    pub fn insecure_allow_all(self) -> Self {
        self.named(Source::AllowAll)
    }

    /// Where variables are looked up, instead of the process's own environment.
    pub fn environment<'n>(self, environment: &'n dyn Environment) -> RequireTokenBuilder<'n>
    where
        'e: 'n,
    {
        RequireTokenBuilder {
            environment,
            ..self
        }
    }

    /// Reads the token from this header instead of `dapr-api-token`, which is then only stripped.
    ///
    /// A name with `_` or one that ends in `-bin` is an error: proxies drop the first, and gRPC decodes
    /// the second.
    pub fn header_name(mut self, name: HeaderName) -> Self {
        if let Err(mistake) = header::check_name(&name) {
            self.mistake(mistake);
        }
        self.header = Some(name);
        self
    }

    /// Longest accepted value, in bytes, instead of 1024. It may be lowered, to no less than the longest
    /// configured token.
    pub fn max_value_len(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Leaves the header in the request, marked sensitive, instead of taking it out. A handler that
    /// echoes or forwards headers then leaks the token.
    pub fn keep_header(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Also takes out every name that has `_` for one `-` or more. For apps that forward to programs that treat both
    /// alike (CVE-2025-64484); Rust servers do not.
    pub fn strip_underscore_variants(mut self) -> Self {
        self.strip_underscored = true;
        self
    }

    /// Of several values of the header lets one that is accepted be enough, instead of refusing them all. At most the
    /// first four are looked at, and always all of these.
    ///
    /// For daprd older than October 2024, which appended its token to one that the caller had sent (dapr/dapr #8172).
    /// With it whoever can add a header line may try several tokens in one request.
    pub fn any_valid(mut self) -> Self {
        self.any_valid = true;
        self
    }

    /// Puts [`Authenticated`](crate::Authenticated) or [`Exempt`](crate::Exempt) into the request's
    /// extensions. Off by default, because the first insert allocates.
    pub fn with_extensions(mut self) -> Self {
        self.with_extensions = true;
        self
    }

    /// Lets this method and path through without a token.
    ///
    /// Both must be exactly equal to what arrives: no prefix, no wildcard, no decoding; the query is
    /// ignored. `HEAD` is not `GET`. In an axum `nest` the layer sees the path without the nest's prefix:
    /// put it outside, or ask for `exemptions_on_original_uri()` (feature `axum`).
    pub fn exempt(mut self, method: Method, path: &str) -> Self {
        if let Err(mistake) = self.exemptions.add(method, path) {
            self.mistake(mistake);
        }
        self
    }

    /// Exempts `GET /healthz`, where daprd probes an HTTP app, without a token, if it is told to.
    pub fn http_health(self) -> Self {
        self.exempt(Method::GET, HTTP_HEALTH)
    }

    /// Exempts `GET` of this path: daprd's `--app-health-check-path`.
    pub fn http_health_at(self, path: &str) -> Self {
        self.exempt(Method::GET, path)
    }

    /// Exempts daprd's probe of a gRPC app, which carries no token.
    pub fn daprd_probes(self) -> Self {
        self.exempt_all(&DAPRD_PROBES)
    }

    /// Exempts the two calls by which daprd learns of a gRPC app's subscriptions and input bindings. They
    /// carry no token either, and if they are refused, events silently never arrive.
    pub fn daprd_discovery(self) -> Self {
        self.exempt_all(&DAPRD_DISCOVERY)
    }

    /// Exempts the standard gRPC health service.
    pub fn grpc_health(self) -> Self {
        self.exempt_all(&GRPC_HEALTH)
    }

    /// Exempts CORS preflights: `OPTIONS` with both `Origin` and `Access-Control-Request-Method`. Anyone
    /// can send one; a CORS layer outside of this one is the better answer.
    pub fn exempt_cors_preflight(mut self) -> Self {
        self.exemptions.add_cors_preflight();
        self
    }

    /// Refuses in daprd's own words instead of JSON, for clients written against a running daprd.
    pub fn daprd_compat(mut self) -> Self {
        self.dialect = Dialect::Daprd;
        self
    }

    /// Answers a refused request with what this builds, instead of with the table.
    ///
    /// Keep to 401 and 503, and over gRPC ([`Rejection::protocol`]) to a trailers-only UNAUTHENTICATED or UNAVAILABLE: daprd
    /// takes every 2xx for success, and drops the message on 404 and on UNIMPLEMENTED; 403 carries no challenge. Say the same for every
    /// [`kind`](Rejection::kind) but `Missing`; the difference helps an attacker more than a caller. A HEAD gets no body,
    /// whatever is built. It allocates.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Response, StatusCode};
    /// use tower_dapr_token::RequireTokenLayer;
    ///
    /// let layer = RequireTokenLayer::builder()
    ///     .token("a-token-of-16-bytes-or-more".parse()?)
    ///     .respond_with(|_| {
    ///         let mut response = Response::new(Bytes::from_static(b"who are you?"));
    ///         *response.status_mut() = StatusCode::UNAUTHORIZED;
    ///         response
    ///     })
    ///     .build()?;
    /// # Ok::<(), tower_dapr_token::ConfigError>(())
    /// ```
    pub fn respond_with<F>(mut self, respond: F) -> Self
    where
        F: Fn(&Rejection) -> Response<Bytes> + Send + Sync + 'static,
    {
        self.answers.respond = Some(Arc::new(respond));
        self
    }

    /// Says in the answer what was wrong with a token, as `invalid api token: expired`; over gRPC also in the details,
    /// as `reason` among the metadata. It allocates.
    ///
    /// Without it all causes look alike, because the difference helps an attacker more than a correct caller: for
    /// development, or where the callers are known.
    pub fn verbose_errors(mut self) -> Self {
        self.answers.verbose = true;
        self
    }

    /// Puts the [`Rejection`] into the extensions of the answer, for layers outside of this one. It allocates.
    pub fn rejection_in_extensions(mut self) -> Self {
        self.answers.in_extensions = true;
        self
    }

    /// Who is told about decisions and oddities, and about the readings of the layer's own source; [several](Observer)
    /// as one.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Checks everything and builds the layer. A file, or another source that is not atomic, is read twice,
    /// 100 ms apart: it **blocks** for that time, once (`R6`).
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. A missing token is one.
    ///
    /// # Panics
    ///
    /// If it is to reload in the background of a Tokio runtime that was built without its timer, or to watch
    /// files in one without I/O.
    pub fn build(self) -> Result<RequireTokenLayer, ConfigError> {
        self.check_unattended()?;
        let (policy, _) = self.finish(false)?;
        Ok(RequireTokenLayer::from_policy(policy))
    }

    /// As [`build()`](Self::build), but gives the check on headers alone, without a layer: for an interceptor, or a
    /// middleware of your own.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. An exemption is one, because headers tell neither method nor path (`X6`),
    /// and so is an answer of your own: what is answered is up to the caller.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_verifier(mut self) -> Result<HeaderVerifier, ConfigError> {
        self.check_unattended()?;
        let settings = [
            (self.exemptions.list().is_some(), "exempt"),
            (self.answers.respond.is_some(), "respond_with"),
            (self.answers.in_extensions, "rejection_in_extensions"),
        ];
        let unseen = settings
            .into_iter()
            .find_map(|(is_set, setting)| is_set.then_some(setting));
        if let Some(setting) = unseen {
            self.mistake(ConfigError::NeedsRequest { setting });
        }
        let decides = self.resolve(false)?;
        Ok(HeaderVerifier::from_parts(Parts {
            extraction: self.extraction(),
            decides,
            verbose: self.answers.verbose,
            dialect: self.dialect,
            with_extensions: self.with_extensions,
            observer: self.observer,
        }))
    }

    fn check_unattended(&self) -> Result<(), ConfigError> {
        match self.source {
            Some(Source::Reloaded) => self.rotation.check_unattended(),
            _ => Ok(()),
        }
    }

    fn finish(mut self, lazy: bool) -> Result<(Policy, Option<TokenHandle>), ConfigError> {
        let decides = self.resolve(lazy)?;
        let live = decides.live.as_ref();
        let handle = live.and_then(|live| live.source.clone());
        let policy = Policy::new(self.extraction(), decides, self.exemptions, self.dialect)
            .answer_with(self.answers)
            .announce_to(self.with_extensions, self.observer);
        Ok((policy, handle))
    }

    /// What decides, and what it follows if its tokens can change. The observer is told what there is to know.
    fn resolve(&mut self, lazy: bool) -> Result<Decides, ConfigError> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        let mut notices = Vec::new();
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        #[cfg_attr(
            not(feature = "jwks"),
            allow(unused_mut, reason = "keys are not fetched")
        )]
        let mut jwt = self.jwt_check()?;
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        let accepts_jwts = jwt.is_some();
        #[cfg(not(any(feature = "jwt", feature = "jwt-rust-crypto")))]
        let accepts_jwts = false;
        let source = match self.source.take() {
            Some(source) => source,
            None if accepts_jwts && self.previous.is_empty() => Source::Nothing,
            None => return Err(ConfigError::NoTokenSource),
        };
        if let (
            Source::Nothing
            | Source::AllowAll
            | Source::Token(_)
            | Source::Variable(_)
            | Source::Reader(_),
            Some(setting),
        ) = (&source, self.rotation.idle_setting())
        {
            return Err(ConfigError::NothingToReload { setting });
        }
        if let (Source::Reloaded | Source::Reader(_), false) = (&source, self.previous.is_empty()) {
            return Err(ConfigError::PreviousBesideSource);
        }
        let mut live = None;
        let verifier = match source {
            Source::AllowAll if !self.previous.is_empty() => {
                return Err(ConfigError::SeveralTokenSources);
            }
            Source::Nothing => Verifier::none(),
            Source::AllowAll => {
                notices.push(Notice::NotEnforcing);
                Verifier::allow_all()
            }
            Source::Token(current) => {
                let previous = std::mem::take(&mut self.previous);
                self.verifier(LoadedTokens { current, previous }, &mut notices)?
            }
            Source::Variable(source) => {
                let mut loaded = source.load(self.environment)?;
                loaded.previous.append(&mut self.previous);
                self.verifier(loaded, &mut notices)?
            }
            Source::Reloaded => {
                let mut rotation = std::mem::take(&mut self.rotation).limit(self.limit);
                if let Some(observer) = &self.observer {
                    rotation = rotation.observer(Arc::clone(observer));
                }
                let handle = rotation.finish(lazy)?;
                live = Some(Live {
                    reader: handle.reader(),
                    source: Some(handle),
                });
                Verifier::none()
            }
            Source::Reader(reader) => {
                reader.limit_to(self.limit)?;
                notices.extend(notices_of_reader(&reader));
                live = Some(Live {
                    reader,
                    source: None,
                });
                Verifier::none()
            }
        };
        // Last of what can fail: a layer that is not built fetches nothing.
        #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
        if let Some(jwt) = &mut jwt {
            jwt.remote.start(self.observer.as_ref())?;
        }
        notices.extend(self.exemptions.list().map(Notice::Exemptions));
        if let Some(observer) = &self.observer {
            for notice in &notices {
                observer.on_notice(notice);
            }
        }
        Ok(Decides {
            verifier,
            live,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            jwt: jwt.map(Box::new),
        })
    }

    fn verifier(
        &self,
        loaded: LoadedTokens,
        notices: &mut Vec<Notice>,
    ) -> Result<Verifier, ConfigError> {
        notices.extend(loaded.notices());
        let set = loaded.into_set()?;
        if self.limit < set.longest() || self.limit > MAX_TOKEN_LEN {
            return Err(ConfigError::ValueLimit { limit: self.limit });
        }
        Ok(Verifier::tokens(set))
    }

    fn extraction(&self) -> Extraction {
        let name = self.header.clone().filter(|name| *name != DAPR_API_TOKEN);
        let mode = match (name, self.strip_underscored || self.any_valid, self.keep) {
            (None, false, false) => Mode::Take,
            (None, false, true) => Mode::Keep,
            (name, _, keep) => Mode::Custom(Box::new(Custom {
                name,
                strip_twins: self.strip_underscored,
                keep,
                any_valid: self.any_valid,
            })),
        };
        Extraction {
            limit: self.value_limit.unwrap_or(self.limit),
            mode,
        }
    }

    fn named(mut self, source: Source) -> Self {
        if self.source.is_some() {
            self.mistake(ConfigError::SeveralTokenSources);
        }
        self.source = Some(source);
        self
    }

    fn exempt_all(self, paths: &[&str]) -> Self {
        // A gRPC call is always a POST.
        paths
            .iter()
            .fold(self, |builder, path| builder.exempt(Method::POST, path))
    }

    fn mistake(&mut self, mistake: ConfigError) {
        self.mistake.get_or_insert(mistake);
    }
}

impl fmt::Debug for RequireTokenBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireTokenBuilder")
            .finish_non_exhaustive()
    }
}
