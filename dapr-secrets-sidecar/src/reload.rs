//! Looks whether the files that were loaded have changed, and puts the new state in place of the old one, or keeps the old
//! one and says why (`docs/spec/secrets-api.md`, E6 and G10).
//!
//! A change is loaded when two looks in a row saw the same files, so that a file that is being written is not read half.
//! `SIGHUP` loads at once. Where a component refers to secrets of another store, a change of secrets has everything loaded
//! again too (`docs/spec/stores.md`, W7): what is as before stays as it is.

use std::time::Duration;

use dapr_secrets_service::Engine;
use dapr_secrets_service::config::{FilesState, Loader, Reloaded};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use crate::error::{Problem, StartError};
use crate::load;

/// Time between two looks. A look asks the system about each file, and reads none that is as it was.
const INTERVAL: Duration = Duration::from_millis(250);

/// What the files were when they were loaded, and what they were at the last look.
pub(crate) struct Reloader {
    loader: Loader,
    engine: Engine,
    loaded: FilesState,
    seen: FilesState,
    /// Secrets have changed since the last load, and a component refers to secrets.
    is_outdated: bool,
}

/// What a look came to.
#[derive(Debug)]
pub(crate) enum Look {
    Unchanged,
    /// Something has changed, and may change further.
    Settling,
    Reloaded(Reloaded),
    /// The files cannot be used: the last good state serves on.
    Refused(StartError),
}

impl Reloader {
    /// `loaded` is the state of the files from before they were loaded into the engine.
    pub(crate) fn new(loader: Loader, engine: Engine, loaded: FilesState) -> Self {
        Self {
            loader,
            engine,
            seen: loaded.clone(),
            loaded,
            is_outdated: false,
        }
    }

    /// Looks once: at the files of the stores, then at those that declare stores and scopes. It reads files.
    pub(crate) fn look(&mut self) -> Look {
        let changed = self.engine.refresh();
        if changed > 0 {
            tracing::info!(stores = changed, "secrets were read anew");
            let mut stores = self.engine.stores();
            self.is_outdated |= stores.any(|store| store.refers_to_secrets());
        }
        let now = self.loader.files_state();
        let is_settled = std::mem::replace(&mut self.seen, now.clone()) == now;
        if now == self.loaded && !self.is_outdated {
            Look::Unchanged
        } else if is_settled {
            self.load(now)
        } else {
            Look::Settling
        }
    }

    /// Loads whatever the files hold now.
    pub(crate) fn load_now(&mut self) -> Look {
        self.engine.refresh();
        let now = self.loader.files_state();
        self.load(now)
    }

    fn load(&mut self, now: FilesState) -> Look {
        self.loaded = now;
        self.is_outdated = false;
        match load::reload(self.loader.clone(), &self.engine) {
            Ok(reloaded) => Look::Reloaded(reloaded),
            Err(error) => Look::Refused(error),
        }
    }
}

/// Looks again and again, for as long as the process lives.
///
/// # Errors
///
/// When the signal cannot be listened for.
pub(crate) fn spawn(reloader: Reloader) -> Result<(), StartError> {
    let mut hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reloader = Some(reloader);
        while let Some(mut current) = reloader.take() {
            let at_once = tokio::select! {
                _ = ticks.tick() => false,
                _ = hangup.recv() => true,
            };
            // Files are read where waiting for a disk holds up no request.
            let looked = tokio::task::spawn_blocking(move || {
                let look = if at_once {
                    current.load_now()
                } else {
                    current.look()
                };
                tell(&look);
                current
            });
            reloader = looked.await.ok();
        }
        tracing::error!("files are no longer watched: a look at them has ended badly");
    });
    Ok(())
}

fn tell(look: &Look) {
    match look {
        Look::Unchanged | Look::Settling => {}
        Look::Reloaded(Reloaded {
            kept,
            replaced,
            added,
            removed,
            ..
        }) => tracing::info!(
            kept,
            replaced,
            added,
            removed,
            "components and scopes were reloaded"
        ),
        Look::Refused(error) => {
            for problem in error.problems() {
                let (Problem::Placed(text) | Problem::General(text)) = problem;
                tracing::error!("{text}");
            }
            tracing::error!(
                "components and scopes were not reloaded: the last good state serves on"
            );
        }
    }
}
