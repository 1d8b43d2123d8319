//! The settings of tokens that can change, of the inbound layer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{RequireTokenBuilder, Source};
use crate::error::ConfigError;
use crate::inbound::RequireTokenLayer;
use crate::token::{Clock, Overlap, TokenHandle, TokenHandleBuilder, TokenReader, TokenSource};

/// Tokens that can change: where they come from, and how one follows the other.
impl RequireTokenBuilder<'_> {
    /// Accepts the tokens in this file, one a line, the current one first; see
    /// [`FileSource`](crate::FileSource).
    ///
    /// A file is read again by a background task (feature `tokio`) or by
    /// [`refresh()`](TokenHandle::refresh), for which [`build_with_handle()`](Self::build_with_handle) gives the
    /// handle. With neither, what it said at the start counts.
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.reloaded(|rotation| rotation.file(path))
    }

    /// Accepts the tokens in the first file, and as previous ones those in the second, which need not exist. Two
    /// keys of one mounted Kubernetes Secret are read from the same version of it.
    pub fn file_with_previous(
        self,
        current: impl Into<PathBuf>,
        previous: impl Into<PathBuf>,
    ) -> Self {
        self.reloaded(|rotation| rotation.file_with_previous(current, previous))
    }

    /// Accepts the tokens of a source of your own.
    pub fn source(self, source: impl TokenSource) -> Self {
        self.reloaded(|rotation| rotation.source(source))
    }

    /// Accepts what this reader says: for several layers over one set of tokens. Whoever holds the
    /// [`TokenHandle`] changes them. The least [`max_value_len()`](Self::max_value_len) of any layer that was ever
    /// built over a handle binds it for good: no longer token is taken into it, even after that layer is gone.
    pub fn reader(self, reader: TokenReader) -> Self {
        self.named(Source::Reader(reader))
    }

    /// How long a token is accepted after the source named another one, instead of for an hour.
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.rotation = self.rotation.overlap(overlap);
        self
    }

    /// Accepts no token, answering 503 to requests that bring one, when the source was not read with success for
    /// this long, at least 30 s. Requests without a token get the 401 that they always get, and exempt ones pass.
    /// Without it the last good tokens stay. Something must read it: the task, or you through the handle.
    pub fn max_stale(mut self, limit: Duration) -> Self {
        self.rotation = self.rotation.max_stale(limit);
        self
    }

    /// Which clock ends a previous token: for tests, or for one that counts the time in which the machine sleeps,
    /// as [`SystemClock`](crate::SystemClock) does not.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.rotation = self.rotation.clock(clock);
        self
    }

    /// Reads the source again every 10 s, give or take a tenth, in a task of the Tokio runtime that the layer is
    /// built in. It ends with the layer, its services and its handle.
    #[cfg(feature = "tokio")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub fn reload_in_background(mut self) -> Self {
        self.rotation = self.rotation.reload_in_background();
        self
    }

    /// As [`reload_in_background()`](Self::reload_in_background), and on Linux sooner: when something happens in
    /// the folder of a file. See [`TokenHandleBuilder::watch_files()`].
    #[cfg(feature = "inotify")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inotify")))]
    pub fn watch_files(mut self) -> Self {
        self.rotation = self.rotation.watch_files();
        self
    }

    /// As [`build()`](Self::build), but tokens that cannot be loaded from their source yet are no error: until
    /// they are, requests with a token get 503. Requests without one get 401, and exempt ones pass.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_lazy(self) -> Result<(RequireTokenLayer, TokenHandle), ConfigError> {
        self.finish_with_handle(true, "build_lazy")
    }

    /// As [`build()`](Self::build), and gives the handle that reads the source again, or ends the previous
    /// tokens at once. The layer keeps one too, so this one may be dropped.
    ///
    /// ```
    /// use tower_dapr_token::{Reloaded, RequireTokenLayer};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("token");
    /// std::fs::write(&path, "the-first-token-of-32-bytes-or-so")?;
    /// let (layer, handle) = RequireTokenLayer::builder().file(&path).build_with_handle()?;
    ///
    /// std::fs::write(&path, "the-second-token-of-32-bytes-or-so")?;
    /// assert_eq!(handle.refresh()?, Reloaded::Changed);
    /// assert_eq!(handle.reader().len(), 2, "the first one for an hour");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. A source that cannot be read again is one.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_with_handle(self) -> Result<(RequireTokenLayer, TokenHandle), ConfigError> {
        self.finish_with_handle(false, "build_with_handle")
    }

    fn finish_with_handle(
        self,
        lazy: bool,
        setting: &'static str,
    ) -> Result<(RequireTokenLayer, TokenHandle), ConfigError> {
        let (policy, handle) = self.finish(lazy)?;
        let handle = handle.ok_or(ConfigError::NothingToReload { setting })?;
        Ok((RequireTokenLayer::from_policy(policy), handle))
    }

    fn reloaded(mut self, add: impl FnOnce(TokenHandleBuilder) -> TokenHandleBuilder) -> Self {
        self.rotation = add(self.rotation);
        self.named(Source::Reloaded)
    }
}
