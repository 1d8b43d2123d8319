//! [`KeySetFile`]: a key set in a local file, which is read again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithms;
use super::backend::Backend;
use super::key_reload::KeyReloader;
use super::key_set::KeySlot;
use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::builder::SHORTEST_MAX_STALE;
#[cfg(feature = "tokio")]
use crate::token::task::Task;
use crate::token::{Clock, Reloaded, SourceError, SystemClock};

/// A JSON Web Key Set (RFC 7517) in a local file, for any number of layers, which follow when the file changes (`T8`).
///
/// Nothing is fetched, so neither a network nor TLS is needed: for keys that Kubernetes mounts, or that an agent on the
/// machine writes. [`RequireTokenBuilder::key_set_file`](crate::RequireTokenBuilder::key_set_file) puts it into a layer.
///
/// 1. The file is one JSON document of at most 256 KiB and 64 keys. Keys that cannot be used are left out and counted,
///    as long as every layer that follows can use one. Shared secrets (`oct`) may be among them.
/// 2. New content counts if it is the same when it is read again 100 ms later. It then replaces the whole set, for all
///    layers or for none: a key that it does not name ends at once, and with it the JWTs that were accepted before and
///    are remembered.
/// 3. A file that is empty, half-written, gone, too long, no key set, or no file at all changes nothing. The last good
///    set stays, for ever or for [`max_stale`](KeySetFileBuilder::max_stale), the observer is told each time, and the
///    next reading tries again.
///
/// It is read again by a background task (feature `tokio`), early when something happens to the file (feature
/// `inotify`), or by [`refresh()`](Self::refresh). Replace the file by a rename, with both keys in it during a
/// rollover: the new one before the issuer signs with it, the old one until its last token has ended. A Kubernetes
/// mount with `subPath` never changes.
///
/// Cloning it gives another handle to the same keys. Layers hold one too; when the last one is dropped, a background
/// task ends (`R9`).
///
/// ```no_run
/// use tower_dapr_token::{JwtRules, KeySetFile, RequireTokenLayer};
///
/// # fn main() -> Result<(), tower_dapr_token::ConfigError> {
/// let keys = KeySetFile::builder("/etc/orders/jwks.json");
/// # #[cfg(feature = "inotify")]
/// let keys = keys.watch_files();
/// let keys = keys.build()?;
/// let layer = RequireTokenLayer::builder()
///     .key_set_file(&keys, JwtRules::new("https://issuer.example", "orders"))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeySetFile {
    held: Arc<Held>,
}

/// Dropped with the last handle.
struct Held {
    reloader: Arc<KeyReloader>,
    /// Ends when it is dropped.
    #[cfg(feature = "tokio")]
    _task: Option<Task>,
}

impl KeySetFile {
    /// The key set in this file.
    pub fn builder(path: impl Into<PathBuf>) -> KeySetFileBuilder {
        KeySetFileBuilder::new(path.into())
    }

    /// Reads the file again, and puts its keys in force if its content is another one. Needs no runtime.
    ///
    /// It blocks while the file is read, and 100 ms more if there is something new, which must then be the same when it
    /// is read again (`R4`). In asynchronous code it belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there is no key set to be had, or not yet. The keys of the last good reading stay in force
    /// (`R5`); the next call tries again.
    pub fn refresh(&self) -> Result<Reloaded, SourceError> {
        self.held.reloader.refresh()
    }

    /// The keys of now and later, for this backend and these algorithms.
    pub(crate) fn follow(
        &self,
        backend: Backend,
        allowed: Algorithms,
    ) -> Result<KeySlot, ConfigError> {
        self.held.reloader.follow(backend, allowed)
    }

    /// Whether the keys must not be used any more.
    pub(crate) fn is_stale(&self) -> bool {
        self.held.reloader.is_stale()
    }
}

impl fmt::Debug for KeySetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySetFile").finish_non_exhaustive()
    }
}

/// Builds a [`KeySetFile`].
#[must_use = "a builder does nothing until `build()`"]
pub struct KeySetFileBuilder {
    path: PathBuf,
    max_stale: Option<Duration>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    #[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "for the task"))]
    in_background: bool,
    /// Early too, when something happens to the file.
    #[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "for the task"))]
    watches: bool,
}

impl KeySetFileBuilder {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            max_stale: None,
            clock: Arc::new(SystemClock::default()),
            observer: None,
            in_background: false,
            watches: false,
        }
    }

    /// Answers 503 to requests with a JWT when the file was not read with success for this long. At least 30 s, and
    /// something must read it: the task, or you. Without it the last good keys stay for ever: a vanished file must not
    /// stop an app that works.
    pub fn max_stale(mut self, limit: Duration) -> Self {
        self.max_stale = Some(limit);
        self
    }

    /// Which clock says how old the keys are, and measures the 100 ms in which new content must stay the same; for
    /// tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told of readings, as [`KeyEvent`](crate::KeyEvent), and if the file cannot be watched. A layer has an
    /// observer of its own, which is told about requests.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Reads the file again every 10 s, give or take a tenth, in a task of the Tokio runtime that the builder is
    /// finished in. The reading happens on the runtime's threads for blocking work. The task ends with the last handle
    /// and layer.
    #[cfg(feature = "tokio")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub fn reload_in_background(mut self) -> Self {
        self.in_background = true;
        self
    }

    /// As [`reload_in_background()`](Self::reload_in_background), and on Linux sooner: when something happens in the
    /// folder of the file. See [`TokenHandleBuilder::watch_files()`](crate::TokenHandleBuilder::watch_files), which
    /// watches in the same way.
    #[cfg(feature = "inotify")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inotify")))]
    pub fn watch_files(mut self) -> Self {
        self.in_background = true;
        self.watches = true;
        self
    }

    /// Reads the file, twice, 100 ms apart: it **blocks** for that time, once, at the start of a program (`R6`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::KeySetFile`] if it holds no key set, [`ConfigError::MaxStale`] for less than 30 s,
    /// [`ConfigError::NoRuntime`] without a runtime for the task.
    ///
    /// # Panics
    ///
    /// If it is to reload in the background of a Tokio runtime that was built without its timer, or to watch the file in
    /// one without I/O.
    pub fn build(self) -> Result<KeySetFile, ConfigError> {
        self.finish(false)
    }

    /// As [`build()`](Self::build), but a file that cannot be read yet is no error: until it can, requests with a JWT get
    /// 503. Requests without a token get 401, and exempt ones pass.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_lazy(self) -> Result<KeySetFile, ConfigError> {
        self.finish(true)
    }

    fn finish(self, lazy: bool) -> Result<KeySetFile, ConfigError> {
        if let Some(limit) = self.max_stale.filter(|limit| *limit < SHORTEST_MAX_STALE) {
            return Err(ConfigError::MaxStale { limit });
        }
        // Before the file is read, which takes its time.
        #[cfg(feature = "tokio")]
        if self.in_background {
            Task::runtime()?;
        }
        let reloader = Arc::new(KeyReloader::new(
            self.path,
            self.clock,
            self.observer,
            self.max_stale,
        ));
        if let (Err(error), false) = (reloader.refresh(), lazy) {
            return Err(ConfigError::KeySetFile { error });
        }
        #[cfg(feature = "tokio")]
        let task = self
            .in_background
            .then(|| Task::spawn(Arc::clone(&reloader) as _, self.watches))
            .transpose()?;
        Ok(KeySetFile {
            held: Arc::new(Held {
                reloader,
                #[cfg(feature = "tokio")]
                _task: task,
            }),
        })
    }
}

impl fmt::Debug for KeySetFileBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySetFileBuilder").finish_non_exhaustive()
    }
}
