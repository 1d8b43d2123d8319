//! [`RequireTokenBuilder`]: every setting of the inbound layer, checked once in `build()`.

mod answers;
mod exempt;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
#[cfg(feature = "axum")]
mod original_uri;
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod remote;
mod resolve;
mod rotating;

#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
pub use self::remote::RequireRemoteTokenBuilder;

use std::fmt;
use std::sync::Arc;

use http::HeaderName;

use super::exempt::Exemptions;
use super::reject::{CustomAnswers, Dialect};
use crate::environment::{Environment, ProcessEnvironment};
use crate::error::ConfigError;
use crate::header::{self, MAX_TOKEN_LEN};
use crate::observe::Observer;
use crate::token::{Token, TokenHandleBuilder, TokenReader, TokenVariable};

/// Builds a [`RequireTokenLayer`](crate::RequireTokenLayer). The first mistake is kept and returned by
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
    /// An error is a name that
    /// - holds `_`, which proxies drop, or begins with `-`;
    /// - is gRPC's: it begins with `grpc-`, or ends in `-bin`, which gRPC decodes;
    /// - ends at the next proxy: `connection`, `http2-settings`, `keep-alive`, `proxy-authenticate`,
    ///   `proxy-authorization`, `proxy-connection`, `te`, `trailer`, `transfer-encoding`, `upgrade`;
    /// - is asked with by CORS: `origin`, `access-control-...`;
    /// - a request cannot do without: `content-length`, `content-type`, `cookie`, `expect`, `host`.
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

    /// Who is told about decisions and oddities, and about the readings of the layer's own source; [several](Observer)
    /// as one.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    fn named(mut self, source: Source) -> Self {
        if self.source.is_some() {
            self.mistake(ConfigError::SeveralTokenSources);
        }
        self.source = Some(source);
        self
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
