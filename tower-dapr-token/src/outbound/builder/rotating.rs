//! The settings of a token that can change, of the outbound layer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{InjectTokenBuilder, Source};
use crate::error::ConfigError;
use crate::outbound::InjectTokenLayer;
use crate::token::{Clock, TokenHandle, TokenHandleBuilder, TokenReader, TokenSource};

/// A token that can change: where it comes from.
impl InjectTokenBuilder<'_> {
    /// Injects the token in the first line of this file that is not blank; see
    /// [`FileSource`](crate::FileSource). Only origins that are added get it.
    ///
    /// A file is read again by a background task (feature `tokio`) or by
    /// [`refresh()`](TokenHandle::refresh), for which [`build_with_handle()`](Self::build_with_handle) gives the
    /// handle. With neither, what it said at the start counts.
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.reloaded(|rotation| rotation.file(path))
    }

    /// Injects the current token of a source of your own. Only origins that are added get it.
    pub fn source(self, source: impl TokenSource) -> Self {
        self.reloaded(|rotation| rotation.source(source))
    }

    /// Injects the current token of this reader. Only origins that are added get it.
    pub fn reader(self, reader: TokenReader) -> Self {
        self.named(Source::Reader(reader))
    }

    /// Allows daprd's origins, as [`dapr_token()`](Self::dapr_token) does, for a token that comes from
    /// elsewhere.
    pub fn dapr_origins(mut self) -> Self {
        self.dapr_origins = true;
        self
    }

    /// Sends no token when the source could not be read for this long, at least 30 s. Without it the last good
    /// one stays.
    pub fn max_stale(mut self, limit: Duration) -> Self {
        self.rotation = self.rotation.max_stale(limit);
        self
    }

    /// Which clock says how old the token is; for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.rotation = self.rotation.clock(clock);
        self
    }

    /// Reads the source again every 10 s, give or take a tenth, and soon after a server did not accept the
    /// token, in a task of the Tokio runtime that the layer is built in. It ends with the layer, its services
    /// and its handle.
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

    /// As [`build()`](Self::build), but a token that cannot be loaded from its source yet is no error: until it
    /// is, requests go out without one.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_lazy(self) -> Result<(InjectTokenLayer, TokenHandle), ConfigError> {
        self.finish_with_handle(true, "build_lazy")
    }

    /// As [`build()`](Self::build), and gives the handle that reads the source again. The layer keeps one too, so
    /// this one may be dropped.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] found. A source that cannot be read again is one.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_with_handle(self) -> Result<(InjectTokenLayer, TokenHandle), ConfigError> {
        self.finish_with_handle(false, "build_with_handle")
    }

    fn finish_with_handle(
        self,
        lazy: bool,
        setting: &'static str,
    ) -> Result<(InjectTokenLayer, TokenHandle), ConfigError> {
        let (layer, handle) = self.finish(lazy)?;
        let handle = handle.ok_or(ConfigError::NothingToReload { setting })?;
        Ok((layer, handle))
    }

    fn reloaded(mut self, add: impl FnOnce(TokenHandleBuilder) -> TokenHandleBuilder) -> Self {
        self.rotation = add(self.rotation);
        self.named(Source::Reloaded)
    }
}
