//! [`TokenHandleBuilder`]: every setting of tokens that come from a source, checked once in `build()`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Clock, SystemClock};
use super::file::FileSource;
use super::handle::TokenHandle;
use super::notices;
use super::overlap::{Accepted, Overlap};
use super::reload::Reloader;
use super::rotation::Surroundings;
use super::set::TokenSet;
use super::snapshot::Shared;
use super::source::TokenSource;
use crate::error::ConfigError;
use crate::header::MAX_TOKEN_LEN;
use crate::observe::Observer;

/// Twice the time between two polls, and more: less would refuse requests between them.
const SHORTEST_MAX_STALE: Duration = Duration::from_secs(30);

/// Builds a [`TokenHandle`], as a rule over a source.
///
/// ```
/// use std::time::Duration;
/// use tower_dapr_token::{Overlap, TokenHandle};
///
/// // An error while it is built, and not later: there is no such file.
/// let error = TokenHandle::builder()
///     .file("/there/is/no/such/file")
///     .overlap(Overlap::For(Duration::from_secs(600)))
///     .build()
///     .unwrap_err();
/// assert!(error.to_string().contains("is not there"));
/// ```
#[must_use = "a builder does nothing until `build()`"]
pub struct TokenHandleBuilder {
    /// Tokens that are changed by hand alone, in place of a source.
    tokens: Option<TokenSet>,
    source: Option<Box<dyn TokenSource>>,
    overlap: Option<Overlap>,
    max_stale: Option<Duration>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    limit: usize,
    in_background: bool,
    several: bool,
}

impl Default for TokenHandleBuilder {
    fn default() -> Self {
        Self {
            tokens: None,
            source: None,
            overlap: None,
            max_stale: None,
            clock: Arc::new(SystemClock::default()),
            observer: None,
            limit: MAX_TOKEN_LEN,
            in_background: false,
            several: false,
        }
    }
}

impl TokenHandleBuilder {
    /// Begins with these tokens, which have no source: they are changed by hand alone, as those of
    /// [`TokenHandle::new()`].
    pub fn tokens(mut self, tokens: TokenSet) -> Self {
        self.several |= self.tokens.is_some() || self.source.is_some();
        self.tokens = Some(tokens);
        self
    }

    /// Reads this file, one token a line, the current one first. See [`FileSource`].
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.source(FileSource::new(path))
    }

    /// Reads the current token from the first file and previous ones from the second, which need not exist.
    pub fn file_with_previous(
        self,
        current: impl Into<PathBuf>,
        previous: impl Into<PathBuf>,
    ) -> Self {
        self.source(FileSource::new(current).with_previous(previous))
    }

    /// Asks this source.
    pub fn source(mut self, source: impl TokenSource) -> Self {
        self.several |= self.tokens.is_some() || self.source.is_some();
        self.source = Some(Box::new(source));
        self
    }

    /// How long a token is accepted after another one took its place, instead of for an hour.
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = Some(overlap);
        self
    }

    /// Accepts no token, answering 503 to requests that bring one, and sends none, when the source was not read
    /// with success for this long. At least 30 s, and something must read it: the task, or you. Without it the last good tokens stay for ever: a vanished file must not stop an app that
    /// works.
    pub fn max_stale(mut self, limit: Duration) -> Self {
        self.max_stale = Some(limit);
        self
    }

    /// Which clock ends a previous token; for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told about readings of the source, changes and oddities; [several](Observer) as one. A layer over a
    /// [`reader()`](TokenHandle::reader) has an observer of its own, which is told about requests.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Reads the source again every 10 s, give or take a tenth, in a task of the Tokio runtime that the
    /// builder is finished in. The reading happens on the runtime's threads for blocking work. The task ends
    /// with the last handle.
    #[cfg(feature = "tokio")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub fn reload_in_background(mut self) -> Self {
        self.in_background = true;
        self
    }

    /// Loads the tokens, twice, 100 ms apart, as half a token must never become a previous one: it **blocks** for
    /// that time, once, at the start of a program (`R6`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::TokenSource`] if that fails, and what else is wrong with the settings.
    ///
    /// # Panics
    ///
    /// If it is to reload in the background of a Tokio runtime that was built without its timer.
    pub fn build(self) -> Result<TokenHandle, ConfigError> {
        self.finish(false)
    }

    /// As [`build()`](Self::build), but tokens that cannot be loaded yet are no error: until they are, requests get 503 and
    /// nothing is sent.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_lazy(self) -> Result<TokenHandle, ConfigError> {
        self.finish(true)
    }

    pub(crate) fn finish(self, lazy: bool) -> Result<TokenHandle, ConfigError> {
        if self.several {
            return Err(ConfigError::SeveralTokenSources);
        }
        if let Some(limit) = self.max_stale.filter(|limit| *limit < SHORTEST_MAX_STALE) {
            return Err(ConfigError::MaxStale { limit });
        }
        if self.limit > MAX_TOKEN_LEN {
            return Err(ConfigError::ValueLimit { limit: self.limit });
        }
        let accepted = match (self.tokens, &self.source) {
            (None, None) => return Err(ConfigError::NoTokenSource),
            (None, Some(_)) => Accepted::nothing(),
            (Some(_), _) if self.max_stale.is_some() => {
                return Err(ConfigError::NothingToReload {
                    setting: "max_stale",
                });
            }
            (Some(_), _) if self.in_background => {
                return Err(ConfigError::NothingToReload {
                    setting: "reload_in_background",
                });
            }
            (Some(tokens), _) => Accepted::listed(tokens),
        };
        let by_hand = self
            .source
            .is_none()
            .then(|| notices::of_set(&accepted.tokens));
        let around = Surroundings::new(self.clock, self.observer, self.max_stale);
        let shared = Shared::new(accepted, around, self.limit);
        let reloader = Reloader::new(shared, self.source, self.overlap.unwrap_or_default());
        if let (Err(error), false) = (reloader.refresh(), lazy) {
            return Err(ConfigError::TokenSource { error });
        }
        if let Some(notices) = by_hand {
            reloader.begin_by_hand(&notices);
        }
        TokenHandle::reloading(reloader, self.in_background)
    }

    /// Tokens that are bound to grow too old: nobody will read them again, since nobody is given the handle.
    pub(crate) fn check_unattended(&self) -> Result<(), ConfigError> {
        match self.max_stale {
            // A shorter one is a mistake of another kind, which is found when the tokens are loaded.
            Some(limit) if limit >= SHORTEST_MAX_STALE && !self.in_background => {
                Err(ConfigError::NobodyReloads)
            }
            _ => Ok(()),
        }
    }

    /// No loaded token may be longer.
    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// A setting that only a source gives a meaning to.
    pub(crate) fn idle_setting(&self) -> Option<&'static str> {
        let settings = [
            (self.overlap.is_some(), "overlap"),
            (self.max_stale.is_some(), "max_stale"),
            (self.in_background, "reload_in_background"),
        ];
        settings
            .into_iter()
            .find_map(|(is_set, name)| is_set.then_some(name))
    }
}

impl fmt::Debug for TokenHandleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenHandleBuilder").finish_non_exhaustive()
    }
}
