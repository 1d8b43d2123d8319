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
pub(super) const SHORTEST_MAX_STALE: Duration = Duration::from_secs(30);

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
    /// Early too, when something happens to the files.
    watches: bool,
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
            watches: false,
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
    /// with success for this long. At least 30 s, and something must read it: the task, or you. Without it the
    /// last good tokens stay for ever: a vanished file must not stop an app that works.
    ///
    /// Requests without a token get the 401 that they always get, and exempt ones pass.
    pub fn max_stale(mut self, limit: Duration) -> Self {
        self.max_stale = Some(limit);
        self
    }

    /// Which clock ends a previous token: for tests, or for one that counts the time in which the machine sleeps,
    /// as [`SystemClock`] does not.
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

    /// As [`reload_in_background()`](Self::reload_in_background), and on Linux sooner: when something happens in
    /// the folder of a file that the source [names](TokenSource::files), the task reads then, and not only at
    /// the next poll (`R3`).
    ///
    /// An event is no more than a reason to look. The content is compared and must settle as at every poll, the
    /// polls go on all the same, and events are followed by at most one reading a second. Some file systems send
    /// none, such as virtiofs, or NFS when another machine writes; a mount with `subPath` never changes at all.
    /// Where watching fails, such as at the user's limit of watches, that is told as
    /// [`Notice::FilesNotWatched`] and polls alone go on. On other systems than Linux this is the same as
    /// `reload_in_background()`.
    ///
    /// [`Notice::FilesNotWatched`]: crate::Notice::FilesNotWatched
    #[cfg(feature = "inotify")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inotify")))]
    pub fn watch_files(mut self) -> Self {
        self.in_background = true;
        self.watches = true;
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
    /// If it is to reload in the background of a Tokio runtime that was built without its timer, or to watch
    /// files in one without I/O.
    pub fn build(self) -> Result<TokenHandle, ConfigError> {
        self.finish(false)
    }

    /// As [`build()`](Self::build), but tokens that cannot be loaded yet are no error: until they are, requests
    /// with a token get 503, and nothing is sent. Requests without one get 401, and exempt ones pass.
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
        if let (Some(_), Some(setting)) = (&self.tokens, self.setting_of_a_source()) {
            return Err(ConfigError::NothingToReload { setting });
        }
        let accepted = match (self.tokens, &self.source) {
            (None, None) => return Err(ConfigError::NoTokenSource),
            (None, Some(_)) => Accepted::nothing(),
            (Some(tokens), _) => Accepted::listed(tokens),
        };
        let by_hand = self
            .source
            .is_none()
            .then(|| notices::of_set(&accepted.tokens));
        if self.watches && self.source.iter().all(|source| source.files().is_empty()) {
            return Err(ConfigError::NothingToWatch);
        }
        // Before the source is read, which takes its time.
        TokenHandle::check_runtime(self.in_background)?;
        let around = Surroundings::new(self.clock, self.observer, self.max_stale);
        let shared = Shared::new(accepted, around, self.limit);
        let reloader = Reloader::new(shared, self.source, self.overlap.unwrap_or_default());
        if let (Err(error), false) = (reloader.refresh(), lazy) {
            return Err(ConfigError::TokenSource { error });
        }
        if let Some(notices) = by_hand {
            reloader.begin_by_hand(&notices);
        }
        TokenHandle::reloading(reloader, self.in_background, self.watches)
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

    /// What of the settings a JWT has a use for: the clock, and whether to renew it in the background. Its age is
    /// limited by itself, and its file is polled.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn for_jwt(&self) -> Result<(Arc<dyn Clock>, bool), ConfigError> {
        if self.max_stale.is_some() {
            return Err(ConfigError::NothingToReload {
                setting: "max_stale",
            });
        }
        if self.watches {
            return Err(ConfigError::NothingToWatch);
        }
        Ok((Arc::clone(&self.clock), self.in_background))
    }

    /// No loaded token may be longer.
    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// A setting that only tokens give a meaning to that can change.
    pub(crate) fn idle_setting(&self) -> Option<&'static str> {
        let overlap = self.overlap.map(|_| "overlap");
        overlap.or_else(|| self.setting_of_a_source())
    }

    /// A setting that only a source gives a meaning to.
    fn setting_of_a_source(&self) -> Option<&'static str> {
        let settings = [
            (self.max_stale.is_some(), "max_stale"),
            (self.watches, "watch_files"),
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
