//! [`HeaderInjector`]: sets the token in a bare header map, for what no layer fits.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::service::{Settings, Value};
use crate::observe::Injection;

/// Sets the token in a header map: for an interceptor, or a client of your own, where an
/// [`InjectTokenLayer`](crate::InjectTokenLayer) does not fit. Where one does, it is the better choice.
///
/// It sees no address, so it is built for the one origin that all its requests go to, and that origin is held
/// against the rules once ([`build_injector()`](crate::InjectTokenBuilder::build_injector); `I8`). It sees no
/// answer either, so a refused token does not ask for a reload (`I6`).
///
/// Cloning it is cheap.
///
/// ```
/// use http::HeaderMap;
/// use tower_dapr_token::{HeaderInjector, InjectTokenLayer, Injection, Origin};
///
/// let sidecar: Origin = "http://127.0.0.1:50001".parse()?;
/// let injector: HeaderInjector = InjectTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .add_origin(sidecar.clone())
///     .build_injector(sidecar)?;
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(injector.inject(&mut headers), Injection::Injected);
/// assert!(headers["dapr-api-token"].is_sensitive());
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "an injector does nothing until it is given headers"]
pub struct HeaderInjector {
    settings: Arc<Settings>,
}

impl HeaderInjector {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
        }
    }

    /// Sets the current token, marked sensitive, in place of every value that is there (`I2`). Without a token to
    /// send the values that are there are taken out, unless it is `optional()`.
    #[inline]
    pub fn inject(&self, headers: &mut HeaderMap) -> Injection {
        let settings = &*self.settings;
        let injection = match &settings.value {
            Value::Fixed(value) => settings.set(value.as_ref(), headers),
            Value::Live { reader, .. } => settings.set(reader.header_value().as_ref(), headers),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Value::Jwt(handle) => settings.set(settings.jwt(handle).as_ref(), headers),
        };
        if let Some(observer) = &settings.observer {
            observer.on_injection(injection);
        }
        injection
    }
}

impl fmt::Debug for HeaderInjector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderInjector").finish_non_exhaustive()
    }
}
