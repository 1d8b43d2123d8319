//! [`TokenHandle`]: the writing half of tokens that can change.

use std::fmt;
use std::sync::Arc;

use super::builder::TokenHandleBuilder;
use super::clock::SystemClock;
use super::overlap::{Accepted, Overlap};
use super::reload::{Reloaded, Reloader};
use super::rotation::Surroundings;
use super::secret::Token;
use super::set::TokenSet;
use super::snapshot::{Shared, TokenReader};
use super::source::SourceError;
#[cfg(feature = "tokio")]
use super::task::Task;
use crate::error::ConfigError;
use crate::header::MAX_TOKEN_LEN;

/// Changes the tokens that layers accept and send, while they run.
///
/// Cloning it gives another handle to the same tokens. A layer that was built from a source holds one too, and
/// when the last one is dropped, a reload task ends (`R9`). What the layers have then stays in force.
///
/// ```
/// use tower_dapr_token::{Token, TokenHandle, TokenSet};
///
/// let handle = TokenHandle::new(TokenSet::new("the-first-token-of-32-bytes-or-so".parse()?));
/// let second: Token = "the-second-token-of-32-bytes-or-so".parse()?;
///
/// // Both are accepted now, the first one for an hour.
/// handle.rotate(second)?;
/// assert_eq!(handle.reader().len(), 2);
///
/// // The first one leaked: it ends here and now.
/// assert_eq!(handle.revoke_previous(), 1);
/// assert_eq!(handle.reader().len(), 1);
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct TokenHandle {
    held: Arc<Held>,
}

/// Dropped with the last handle.
struct Held {
    reloader: Arc<Reloader>,
    /// Ends when it is dropped.
    #[cfg(feature = "tokio")]
    _task: Option<Task>,
}

impl TokenHandle {
    /// Tokens that are changed by hand alone. Cannot fail.
    ///
    /// Nobody is told of their changes. With an observer they are
    /// `TokenHandle::builder().tokens(..).observer(..).build()`.
    #[must_use]
    pub fn new(tokens: TokenSet) -> Self {
        let around = Surroundings::new(Arc::new(SystemClock::default()), None, None);
        let shared = Shared::new(Accepted::listed(tokens), around, MAX_TOKEN_LEN);
        Self::holding(Reloader::new(shared, None, Overlap::default()))
    }

    /// Tokens that come from a source.
    pub fn builder() -> TokenHandleBuilder {
        TokenHandleBuilder::default()
    }

    /// What layers follow.
    #[must_use]
    pub fn reader(&self) -> TokenReader {
        TokenReader::new(Arc::clone(self.held.reloader.shared()))
    }

    /// Loads the tokens again, and puts them in force if they are other ones. Needs no runtime.
    ///
    /// It blocks while the source is read, and 100 ms more if there is something new, which must then be the
    /// same when it is read again (`R4`). In asynchronous code it belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there is no token to be had, or not yet. The tokens of the last good load stay in
    /// force (`R5`); the next call tries again.
    pub fn refresh(&self) -> Result<Reloaded, SourceError> {
        self.held.reloader.refresh()
    }

    /// Whether a client was refused with the current token, so that a [`refresh()`](Self::refresh) is due
    /// (`I6`). A background task does that by itself.
    #[must_use]
    pub fn is_reload_wanted(&self) -> bool {
        self.held.reloader.shared().reload_wanted()
    }

    /// Makes this token the current one. The one before it is accepted for the time of the [`Overlap`] (`R7`).
    ///
    /// A source is not written to. What it says next counts when it is something new: until then this token
    /// stays. Previous tokens that the source listed end at once, since the new state is no longer its list; the
    /// one that was current is accepted for the overlap.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ValueLimit`] if a layer that follows, or ever did, takes no token of that length.
    pub fn rotate(&self, token: Token) -> Result<(), ConfigError> {
        self.held.reloader.rotate(TokenSet::new(token))
    }

    /// Accepts these tokens. If there is more than one, then exactly these, without an end; a set of one is
    /// the same as [`rotate()`](Self::rotate).
    ///
    /// # Errors
    ///
    /// [`ConfigError::ValueLimit`] if a layer that follows, or ever did, takes no token of that length.
    pub fn replace(&self, tokens: TokenSet) -> Result<(), ConfigError> {
        self.held.reloader.rotate(tokens)
    }

    /// Ends all previous tokens at once, for a token that leaked: from here on only the current one is
    /// accepted. A load that began before brings none of them back; a source that still lists one does, with
    /// its next change.
    ///
    /// Gives the number of tokens that it ended. None means that the token that leaked is still the current
    /// one, or was gone already: see that the new one is in force first.
    #[must_use = "if it ended nothing, the token that leaked may still be the current one"]
    pub fn revoke_previous(&self) -> usize {
        self.held.reloader.revoke_previous()
    }

    fn holding(reloader: Reloader) -> Self {
        Self {
            held: Arc::new(Held {
                reloader: Arc::new(reloader),
                #[cfg(feature = "tokio")]
                _task: None,
            }),
        }
    }

    /// Its source is read from time to time as long as there is a handle, if that is asked for.
    #[cfg(feature = "tokio")]
    pub(super) fn reloading(
        reloader: Reloader,
        in_background: bool,
        watches: bool,
    ) -> Result<Self, ConfigError> {
        let reloader = Arc::new(reloader);
        let task = in_background
            .then(|| Task::spawn(Arc::clone(&reloader) as _, watches))
            .transpose()?;
        Ok(Self {
            held: Arc::new(Held {
                reloader,
                _task: task,
            }),
        })
    }

    /// Whether there is a runtime, if one is needed.
    #[cfg(feature = "tokio")]
    pub(super) fn check_runtime(in_background: bool) -> Result<(), ConfigError> {
        if in_background {
            Task::runtime()?;
        }
        Ok(())
    }

    /// No task without a runtime to put it in; nothing can ask for one.
    #[cfg(not(feature = "tokio"))]
    pub(super) fn reloading(reloader: Reloader, _: bool, _: bool) -> Result<Self, ConfigError> {
        Ok(Self::holding(reloader))
    }

    /// None is needed.
    #[cfg(not(feature = "tokio"))]
    pub(super) fn check_runtime(_: bool) -> Result<(), ConfigError> {
        Ok(())
    }
}

impl fmt::Debug for TokenHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenHandle")
            .field("reader", &self.reader())
            .finish_non_exhaustive()
    }
}
