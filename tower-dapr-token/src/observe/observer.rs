//! [`Observer`]: who is told.

use super::decision::Decision;
use super::event::Event;
use super::injection::Injection;
use super::notice::Notice;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::KeyEvent;
use crate::token::{Reloaded, SourceError};

/// Told about every decision of the layers that it is given to. Each method does nothing unless it
/// is implemented.
///
/// Decisions, injections and a few notices are told on the request's own thread: count, and return.
///
/// Two observers in one place are a pair, and one observer in several places is an [`Arc`](std::sync::Arc):
/// pairs and `Arc`s of observers are observers. The features `tracing` and `metrics` bring one each; the
/// [guide](crate::guide::observing) shows them.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_dapr_token::{Decision, Notice, Observer, RequireTokenLayer};
///
/// #[derive(Default)]
/// struct Denied(AtomicU64);
///
/// impl Observer for Denied {
///     fn on_decision(&self, decision: &Decision) {
///         if decision.reason().is_some() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// struct Warnings;
///
/// impl Observer for Warnings {
///     fn on_notice(&self, notice: &Notice) {
///         if notice.is_warning() {
///             eprintln!("{notice}");
///         }
///     }
/// }
///
/// let denied = Arc::new(Denied::default());
/// let layer = RequireTokenLayer::builder()
///     .token("a-token-of-16-bytes-or-more".parse()?)
///     .observer(Arc::new((denied.clone(), Warnings)))
///     .build()?;
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A request was let through or refused.
    fn on_decision(&self, decision: &Decision) {
        let _ = decision;
    }

    /// An outbound request got the token, or did not.
    fn on_injection(&self, injection: Injection) {
        let _ = injection;
    }

    /// A source of tokens was read, in the background or by `refresh()`, and never on the path of a request; but a
    /// JWT that is minted without a background task is told of on the request that found it due.
    /// The next reading waits for this call to come back: do not call
    /// [`refresh()`](crate::TokenHandle::refresh) here. The other methods of a handle may be called.
    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        let _ = result;
    }

    /// Something that an operator should know: while a layer is built, when it begins, or when tokens change.
    ///
    /// What a reading of the source found is told before the next one may begin: do not call
    /// [`refresh()`](crate::TokenHandle::refresh) here. The other methods of a handle may be called.
    fn on_notice(&self, notice: &Notice) {
        let _ = notice;
    }

    /// Something to count or to measure that none of the others tells. Never on the path of a request; the next
    /// one waits for this call to come back: change no tokens here.
    fn on_event(&self, event: &Event) {
        let _ = event;
    }

    /// Keys were fetched or read from a file, or could not be, or a request named one that is not known. The last is
    /// told on the request's own thread, the others by whoever fetches or reads, whose next fetch or reading waits for
    /// this call to come back: do not call [`refresh()`](crate::TokenHandle::refresh) of anything here.
    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(
        docsrs,
        doc(cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto")))
    )]
    fn on_key_event(&self, event: &KeyEvent) {
        let _ = event;
    }
}
