//! [`JwtHandle`]: a JWT that is renewed, for any number of clients.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::super::clock::{SystemWallClock, WallClock};
use super::slot::{Settings, Slot};
use super::source::{JwtSource, Renewal};
#[cfg(feature = "tokio")]
use super::task::RenewalTask;
use crate::error::ConfigError;
use crate::observe::Observer;
use crate::token::{Clock, Reloaded, SourceError, SystemClock};

/// A JWT that is renewed before it ends, and sent by any number of layers (`I9`).
///
/// Cloning it gives another handle to the same token. Layers hold one too; when the last one is dropped, a background
/// task ends (`R9`).
///
/// ```
/// use tower_dapr_token::{InjectTokenLayer, JwtHandle};
/// # use tower_dapr_token::{JwtSource, MintedToken, SourceError};
/// # struct TokenService;
/// # impl JwtSource for TokenService {
/// #     fn fetch(&self, _: std::time::Duration) -> Result<MintedToken, SourceError> {
/// #         MintedToken::new(b"eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.AAAA".to_vec())
/// #     }
/// # }
///
/// let handle = JwtHandle::builder(TokenService).build()?;
/// let orders = InjectTokenLayer::builder()
///     .jwt_handle(&handle)
///     .add_origin("https://orders.example".parse()?)
///     .build()?;
/// let stock = InjectTokenLayer::builder()
///     .jwt_handle(&handle)
///     .add_origin("https://stock.example".parse()?)
///     .build()?;
///
/// // Without a background task this is yours to call, when it is due.
/// if handle.is_renewal_due() {
///     handle.refresh()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JwtHandle {
    held: Arc<Held>,
}

/// Dropped with the last handle.
struct Held {
    slot: Arc<Slot>,
    /// Ends when it is dropped.
    #[cfg(feature = "tokio")]
    _task: Option<RenewalTask>,
}

impl JwtHandle {
    /// A token from this source.
    pub fn builder(source: impl JwtSource) -> JwtHandleBuilder {
        JwtHandleBuilder::new(Box::new(source))
    }

    /// Fetches a token, and sends it from now on. Needs no runtime.
    ///
    /// It blocks as the source does; if that is [`Polled`](Renewal::Polled) and has something new, 100 ms more
    /// (`R4`). In asynchronous code it belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there is no token to be had that is valid now. The one before is sent until its `exp`; the
    /// next call tries again.
    pub fn refresh(&self) -> Result<Reloaded, SourceError> {
        self.held.slot.refresh()
    }

    /// Whether a [`refresh()`](Self::refresh) is due: there is no token, two thirds of its life are over, or a server
    /// refused it (`I6`). A background task does that by itself.
    #[must_use]
    pub fn is_renewal_due(&self) -> bool {
        self.held.slot.is_due()
    }

    /// The `exp` of the token that was fetched last, since 1970-01-01 UTC, even if it is over.
    #[must_use]
    pub fn expires_at(&self) -> Option<Duration> {
        self.held.slot.expires_at()
    }

    /// The token as a header value, marked sensitive; `None` while no token is valid. For a client that no layer of
    /// this crate fits.
    #[must_use]
    pub fn header_value(&self) -> Option<HeaderValue> {
        self.held.slot.header_value(false)
    }

    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.held.slot
    }
}

impl fmt::Debug for JwtHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtHandle")
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// Builds a [`JwtHandle`].
#[must_use = "a builder does nothing until `build()`"]
pub struct JwtHandleBuilder {
    source: Box<dyn JwtSource>,
    wall: Arc<dyn WallClock>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    in_background: bool,
}

impl JwtHandleBuilder {
    pub(crate) fn new(source: Box<dyn JwtSource>) -> Self {
        Self {
            source,
            wall: Arc::new(SystemWallClock),
            clock: Arc::new(SystemClock::default()),
            observer: None,
            in_background: false,
        }
    }

    /// Which clock says when a token ends; for tests.
    pub fn wall_clock(mut self, clock: Arc<dyn WallClock>) -> Self {
        self.wall = clock;
        self
    }

    /// Which clock measures the 100 ms in which a file must stay the same, and the second between two attempts of
    /// requests; for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who is told of fetches and of what stands in their way. A layer has an observer of its own, which is told
    /// about requests.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Fetches the next token when it is due, in a task of the Tokio runtime that the builder is finished in, on the
    /// runtime's threads for blocking work. It looks at the clock at least every 11 s, as clocks may be set and
    /// machines sleep. A fetch that failed is repeated after 1 s, doubling to 10 s. The task ends with the last
    /// handle.
    #[cfg(feature = "tokio")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub fn renew_in_background(mut self) -> Self {
        self.in_background = true;
        self
    }

    /// Fetches a token. A [`Polled`](Renewal::Polled) source is asked twice, 100 ms apart: it **blocks** for that
    /// time, once, at the start of a program (`R6`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::JwtSource`] if there is no token to be had, [`ConfigError::NoRuntime`] without a runtime for
    /// the task.
    ///
    /// # Panics
    ///
    /// If the task is to run in a Tokio runtime that was built without its timer.
    pub fn build(self) -> Result<JwtHandle, ConfigError> {
        self.finish(false)
    }

    /// As [`build()`](Self::build), but a token that cannot be had yet is no error: until it can, requests go out
    /// without one.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoRuntime`] without a runtime for the task.
    ///
    /// # Panics
    ///
    /// As [`build()`](Self::build).
    pub fn build_lazy(self) -> Result<JwtHandle, ConfigError> {
        self.finish(true)
    }

    /// For a layer that keeps the handle to itself, so that nobody can call `refresh()`.
    pub(crate) fn build_unattended(self, in_background: bool) -> Result<JwtHandle, ConfigError> {
        if !in_background && self.source.renewal() != Renewal::Minted {
            return Err(ConfigError::NobodyRenews);
        }
        Self {
            in_background,
            ..self
        }
        .finish(false)
    }

    fn finish(self, lazy: bool) -> Result<JwtHandle, ConfigError> {
        // Before the source is asked, which takes its time.
        #[cfg(feature = "tokio")]
        if self.in_background {
            RenewalTask::runtime()?;
        }
        let slot = Arc::new(Slot::new(Settings {
            source: self.source,
            wall: self.wall,
            clock: self.clock,
            observer: self.observer,
            has_task: self.in_background,
        }));
        if let (Err(error), false) = (slot.refresh(), lazy) {
            return Err(ConfigError::JwtSource { error });
        }
        #[cfg(feature = "tokio")]
        let task = self
            .in_background
            .then(|| RenewalTask::spawn(Arc::clone(&slot)))
            .transpose()?;
        Ok(JwtHandle {
            held: Arc::new(Held {
                slot,
                #[cfg(feature = "tokio")]
                _task: task,
            }),
        })
    }
}

impl fmt::Debug for JwtHandleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtHandleBuilder").finish_non_exhaustive()
    }
}
