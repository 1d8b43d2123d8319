//! [`InjectTokenBuilder`]: every setting of the outbound layer, checked once in `build()`.

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod jwt;
mod rotating;

use std::fmt;
use std::sync::Arc;

use http::HeaderName;

use super::injector::HeaderInjector;
use super::layer::InjectTokenLayer;
use super::origin::{Origin, Origins};
use super::service::{Plan, Settings, Value};
use crate::environment::{Environment, ProcessEnvironment};
use crate::error::ConfigError;
use crate::header::{self, DAPR_API_TOKEN};
use crate::observe::{Notice, Observer};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::{JwtHandle, JwtSource, WallClock};
use crate::token::{
    LoadedTokens, Token, TokenHandle, TokenHandleBuilder, TokenReader, TokenVariable,
    notices_of_reader,
};

/// Builds an [`InjectTokenLayer`]. The first mistake is returned by [`build()`](Self::build).
///
/// ```
/// use tower_dapr_token::InjectTokenLayer;
///
/// let layer = InjectTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .add_origin("https://dapr.example.com".parse()?)
///     .build()?;
///
/// // Unencrypted, to another host: not without saying so.
/// let error = InjectTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .add_origin("http://dapr.example.com".parse()?)
///     .build()
///     .unwrap_err();
/// assert!(error.to_string().contains("allow_plaintext"));
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build()`"]
pub struct InjectTokenBuilder<'e> {
    source: Option<Source>,
    /// What a source that can be read again is built with.
    rotation: TokenHandleBuilder,
    /// By which the JWTs of a source end.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    wall_clock: Option<Arc<dyn WallClock>>,
    environment: &'e dyn Environment,
    dapr_origins: bool,
    origins: Origins,
    header: HeaderName,
    optional: bool,
    keep_existing: bool,
    leave_elsewhere: bool,
    observer: Option<Arc<dyn Observer>>,
    mistake: Option<ConfigError>,
}

enum Source {
    Token(Token),
    Variable(TokenVariable),
    /// What `rotation` names.
    Reloaded,
    Reader(TokenReader),
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    Jwt(Box<dyn JwtSource>),
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    JwtHandle(JwtHandle),
}

impl Source {
    /// Whether the settings of rotation are about it.
    fn is_read_again(&self) -> bool {
        match self {
            Self::Reloaded => true,
            Self::Token(_) | Self::Variable(_) | Self::Reader(_) => false,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::Jwt(_) => true,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::JwtHandle(_) => false,
        }
    }
}

impl InjectTokenBuilder<'static> {
    pub(super) fn new() -> Self {
        Self {
            source: None,
            rotation: TokenHandleBuilder::default(),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            wall_clock: None,
            environment: &ProcessEnvironment,
            dapr_origins: false,
            origins: Origins::default(),
            header: DAPR_API_TOKEN,
            optional: false,
            keep_existing: false,
            leave_elsewhere: false,
            observer: None,
            mistake: None,
        }
    }
}

impl<'e> InjectTokenBuilder<'e> {
    /// Injects this token. Only origins that are added get it.
    pub fn token(self, token: Token) -> Self {
        self.named(Source::Token(token))
    }

    /// Injects `DAPR_API_TOKEN`, and allows daprd's origins: loopback on `DAPR_HTTP_PORT` and
    /// `DAPR_GRPC_PORT` (3500 and 50001 unless set), `DAPR_HTTP_ENDPOINT` and `DAPR_GRPC_ENDPOINT`.
    pub fn dapr_token(mut self) -> Self {
        self.dapr_origins = true;
        self.named(Source::Variable(TokenVariable::dapr()))
    }

    /// Injects `APP_API_TOKEN`. Only origins that are added get it: an app has no usual address.
    pub fn app_token(self) -> Self {
        self.named(Source::Variable(TokenVariable::app()))
    }

    /// Injects the token in this variable. Only origins that are added get it.
    pub fn env_var(self, name: impl Into<String>) -> Self {
        self.named(Source::Variable(TokenVariable::named(name.into())))
    }

    /// Where variables are looked up, instead of the process's own environment.
    pub fn environment<'n>(self, environment: &'n dyn Environment) -> InjectTokenBuilder<'n>
    where
        'e: 'n,
    {
        InjectTokenBuilder {
            environment,
            ..self
        }
    }

    /// Lets this origin have the token. Compared exactly: scheme, host in lower case, and port.
    pub fn add_origin(mut self, origin: Origin) -> Self {
        self.origins.add(origin);
        self
    }

    /// Lets every port of this host have the token.
    pub fn any_loopback_port(mut self) -> Self {
        self.origins.any_loopback_port();
        self
    }

    /// Says where requests without an authority go, such as those of a tonic channel or of a client on a
    /// Unix socket. A request that has an authority is judged by it all the same.
    pub fn for_fixed_origin(mut self, origin: Origin) -> Self {
        self.origins.set_fixed(origin);
        self
    }

    /// Sets this header instead of `dapr-api-token`.
    ///
    /// The names that [no token is read from](crate::RequireTokenBuilder::header_name) are an error here too.
    pub fn header_name(mut self, name: HeaderName) -> Self {
        if let Err(mistake) = header::check_name(&name) {
            self.mistake.get_or_insert(mistake);
        }
        self.header = name;
        self
    }

    /// Injects nothing, after one notice, if the variable is not set, instead of failing to build. A value
    /// that is set but cannot be a token is an error still, and what the caller set goes to no other origin either
    /// way.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Leaves a value that the caller set, marked sensitive, instead of overwriting it. Several are overwritten all
    /// the same: nobody can tell which would count.
    pub fn keep_existing(mut self) -> Self {
        self.keep_existing = true;
        self
    }

    /// Leaves a value that the caller set on a request for an origin that may not have the token, instead
    /// of removing it.
    pub fn leave_for_other_origins(mut self) -> Self {
        self.leave_elsewhere = true;
        self
    }

    /// Who is told about injections and oddities, and about the readings of the layer's own source;
    /// [several](Observer) as one.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Checks everything and builds the layer. A file, or another source that is not atomic, is read twice,
    /// 100 ms apart: it **blocks** for that time, once (`R6`).
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. A missing token is one unless the layer is
    /// [`optional()`](Self::optional); so is a layer that could inject nowhere.
    ///
    /// # Panics
    ///
    /// If it is to reload in the background of a Tokio runtime that was built without its timer, or to watch
    /// files in one without I/O.
    pub fn build(self) -> Result<InjectTokenLayer, ConfigError> {
        self.check_unattended()?;
        self.finish(false).map(|(layer, _)| layer)
    }

    /// As [`build()`](Self::build), but gives what sets the token in headers alone, without a layer: for an
    /// interceptor, or a client of your own. It sees no address, so this is where all its requests go, and it is
    /// checked here and now: it must be an origin that may get the token (`I3`), and be on this machine,
    /// encrypted, or pardoned with [`allow_plaintext()`](Origin::allow_plaintext) (`I4`). A Unix socket may always.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found; [`ConfigError::OriginNotAllowed`] if the origin may not get the token.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_injector(mut self, origin: Origin) -> Result<HeaderInjector, ConfigError> {
        self.check_unattended()?;
        if self.leave_elsewhere {
            self.mistake.get_or_insert(ConfigError::NeedsRequest {
                setting: "leave_for_other_origins",
            });
        }
        let (settings, _) = self.settings(false, |origins| origins.only(origin))?;
        Ok(HeaderInjector::new(settings))
    }

    fn check_unattended(&self) -> Result<(), ConfigError> {
        match self.source {
            Some(Source::Reloaded) => self.rotation.check_unattended(),
            _ => Ok(()),
        }
    }

    fn finish(self, lazy: bool) -> Result<(InjectTokenLayer, Option<TokenHandle>), ConfigError> {
        let (settings, handle) = self.settings(lazy, Ok)?;
        Ok((InjectTokenLayer::from_plan(Plan::new(settings)), handle))
    }

    /// What was asked for, with the origins that are left of those that were named.
    fn settings(
        mut self,
        lazy: bool,
        narrow: impl FnOnce(Origins) -> Result<Origins, ConfigError>,
    ) -> Result<(Settings, Option<TokenHandle>), ConfigError> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        if self.dapr_origins {
            self.origins.add_dapr(self.environment)?;
        }
        let mut notices = Vec::new();
        let source = self.source.take().ok_or(ConfigError::NoTokenSource)?;
        if let (false, Some(setting)) = (source.is_read_again(), self.rotation.idle_setting()) {
            return Err(ConfigError::NothingToReload { setting });
        }
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        if self.wall_clock.is_some() && !matches!(source, Source::Jwt(_)) {
            let setting = "wall_clock";
            return Err(ConfigError::NothingToReload { setting });
        }
        // Before the source is read, which takes its time, and before anybody is told of a layer that is none.
        let origins = narrow(self.origins)?.finish()?;
        let mut handle = None;
        let value = match source {
            Source::Token(token) => fixed(LoadedTokens::new(token), &mut notices),
            Source::Variable(variable) => match variable.load(self.environment) {
                Ok(loaded) => fixed(loaded, &mut notices),
                Err(ConfigError::TokenUnset { variable }) if self.optional => {
                    notices.push(Notice::NothingToInject { variable });
                    Value::Fixed(None)
                }
                Err(error) => return Err(error),
            },
            Source::Reloaded => {
                let mut rotation = self.rotation;
                if let Some(observer) = &self.observer {
                    rotation = rotation.observer(Arc::clone(observer));
                }
                let handle = handle.insert(rotation.finish(lazy)?);
                Value::Live {
                    reader: handle.reader(),
                    _source: Some(handle.clone()),
                }
            }
            Source::Reader(reader) => {
                notices.extend(notices_of_reader(&reader));
                Value::Live {
                    reader,
                    _source: None,
                }
            }
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Source::Jwt(source) => {
                let (wall_clock, observer) = (self.wall_clock, self.observer.clone());
                Value::Jwt(jwt::renewed(source, &self.rotation, wall_clock, observer)?)
            }
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Source::JwtHandle(handle) => Value::Jwt(handle),
        };
        if let Some(observer) = &self.observer {
            for notice in &notices {
                observer.on_notice(notice);
            }
        }
        let settings = Settings {
            header: self.header,
            value,
            origins,
            keep_existing: self.keep_existing,
            leave_elsewhere: self.leave_elsewhere,
            observer: self.observer,
        };
        Ok((settings, handle))
    }

    fn named(mut self, source: Source) -> Self {
        if self.source.is_some() {
            self.mistake.get_or_insert(ConfigError::SeveralTokenSources);
        }
        self.source = Some(source);
        self
    }
}

/// Tokens that cannot change. Only the current one is ever sent (`I7`).
fn fixed(loaded: LoadedTokens, notices: &mut Vec<Notice>) -> Value {
    notices.extend(loaded.notices());
    Value::Fixed(Some(loaded.current.into_header_value()))
}

impl fmt::Debug for InjectTokenBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InjectTokenBuilder").finish_non_exhaustive()
    }
}
