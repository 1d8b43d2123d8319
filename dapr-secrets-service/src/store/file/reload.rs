//! Reads the secrets file again when it has changed, and keeps the last good content when it cannot be used.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use super::{FileStoreBuilder, Secrets};
use crate::bounded_file::Stamp;
use crate::one_line::OneLine;
use crate::secret::SecretMap;

/// Where the secrets came from.
pub(super) struct Source {
    how: FileStoreBuilder,
    path: PathBuf,
    last: Mutex<Last>,
    is_failing: AtomicBool,
}

/// What the last look at the file found.
struct Last {
    /// `None`: there was nothing, or it could not be told.
    stamp: Option<Stamp>,
    at: SystemTime,
    /// What was wrong with the file, and whether it was told.
    problem: Option<(String, bool)>,
}

/// By the clock that files are dated by.
#[allow(
    clippy::disallowed_methods,
    reason = "it is compared with the times that the file system writes, which no test can set apart"
)]
fn this_moment() -> SystemTime {
    SystemTime::now()
}

impl Source {
    pub(super) fn new(how: FileStoreBuilder, path: PathBuf, stamp: Stamp) -> Self {
        Self {
            how,
            path,
            last: Mutex::new(Last {
                stamp: Some(stamp),
                at: this_moment(),
                problem: None,
            }),
            is_failing: AtomicBool::new(false),
        }
    }

    /// Whether the last look found a file that cannot be used.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Reads the file if it has changed. Whether it holds other secrets now.
    pub(super) fn refresh(&self, secrets: &ArcSwap<Secrets>) -> bool {
        // One look at a time: an older content must not be stored after a newer one.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Stamp::of(&self.path);
        let is_settled = last
            .stamp
            .as_ref()
            .is_none_or(|stamp| stamp.is_settled(last.at));
        let is_untold = matches!(last.problem, Some((_, false)));
        if now == last.stamp && is_settled && !is_untold {
            return false;
        }
        last.at = this_moment();
        match self.how.read(&self.path) {
            Ok((contents, stamp)) => {
                last.stamp = Some(stamp);
                self.is_failing.store(false, Ordering::Relaxed);
                if let Some((_, true)) = last.problem.take() {
                    tracing::info!(
                        path = %OneLine(self.how.called(&self.path)),
                        "the secrets file can be used again"
                    );
                }
                let is_new = !is_same(&secrets.load(), &contents.secrets);
                if is_new {
                    secrets.store(Arc::new(contents.secrets));
                }
                is_new
            }
            Err(error) => {
                last.stamp = now;
                self.is_failing.store(true, Ordering::Relaxed);
                let problem = error.to_string();
                // A file that is being written is whole at the next look, and not worth a line.
                let was_seen = last.problem.is_some();
                let was_told = matches!(&last.problem, Some((told, true)) if *told == problem);
                if was_seen && !was_told {
                    tracing::warn!("{problem}; the last good content is served");
                }
                last.problem = Some((problem, was_seen));
                false
            }
        }
    }
}

fn is_same(before: &Secrets, after: &Secrets) -> bool {
    let is_equal = |before: &SecretMap, after: &SecretMap| {
        before.len() == after.len()
            && before
                .iter()
                .zip(after.iter())
                .all(|(before, after)| before.0 == after.0 && before.1.expose() == after.1.expose())
    };
    before.len() == after.len()
        && before
            .iter()
            .zip(after)
            .all(|((name, secret), (other, next))| name == other && is_equal(secret, next))
}
