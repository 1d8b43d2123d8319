//! Component and configuration files -> engine.

use std::fmt;
use std::sync::Arc;

use dapr_secrets_service::config::{Config, Loader, Reloaded};
use dapr_secrets_service::{Engine, Environment};

use crate::args::{Mode, RunArgs};
use crate::env::Settings;
use crate::error::StartError;

/// Reads every file that the flags name, and initialises the stores.
///
/// What stops nothing is logged: what is odd in the files, which components are for others, and that no store is left.
///
/// # Errors
///
/// [`StartError::Resources`] with every problem that was found, and [`StartError::KubernetesMode`].
pub(crate) fn load(
    args: &RunArgs,
    settings: &Settings,
    loader: Loader,
) -> Result<Engine, StartError> {
    if args.mode == Mode::Kubernetes {
        return Err(StartError::KubernetesMode);
    }
    let config = read(loader)?;
    let skipped = config.skipped().len();
    let engine = config
        .into_engine()
        .map_err(|problems| refused(problems.iter()))?;
    if engine.stores().next().is_none() {
        warn_of_no_store(args, settings, skipped);
    }
    Ok(engine)
}

/// Loads the files once more into an engine that serves, all or nothing.
///
/// # Errors
///
/// [`StartError::Resources`] with every problem; then the engine is as it was.
pub(crate) fn reload(loader: Loader, engine: &Engine) -> Result<Reloaded, StartError> {
    read(loader)?
        .reload(engine)
        .map_err(|problems| refused(problems.iter()))
}

/// What to read, and for whom.
pub(crate) fn loader(
    args: &RunArgs,
    settings: &Settings,
    environment: &Arc<dyn Environment>,
) -> Loader {
    let mut loader = Loader::new()
        .lenient(args.lenient)
        .environment(Arc::clone(environment));
    for path in &args.resources_path {
        loader = loader.add_resources_path(path);
    }
    for path in &args.config {
        loader = loader.add_configuration(path);
    }
    if let Some(app_id) = &settings.app_id {
        loader = loader.app_id(app_id);
    }
    if let Some(namespace) = &settings.namespace {
        loader = loader.namespace(namespace);
    }
    loader
}

fn read(loader: Loader) -> Result<Config, StartError> {
    let config = loader.load().map_err(|problems| refused(problems.iter()))?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    for skipped in config.skipped() {
        tracing::info!("{skipped}");
    }
    Ok(config)
}

/// Nothing is wrong with that, but hardly anyone means it.
fn warn_of_no_store(args: &RunArgs, settings: &Settings, skipped: usize) {
    let why = if args.resources_path.is_empty() {
        "no --resources-path is given"
    } else if skipped == 0 {
        "the folders of --resources-path declare none"
    } else {
        "all that the folders of --resources-path declare are for other apps or another namespace"
    };
    tracing::warn!(
        skipped,
        app_id = settings.app_id.as_deref().unwrap_or_default(),
        namespace = settings.namespace.as_deref().unwrap_or_default(),
        "no secret store is loaded: {why}"
    );
}

/// The problems as an error, one text each.
pub(crate) fn refused(problems: impl Iterator<Item = impl fmt::Display>) -> StartError {
    StartError::Resources(problems.map(|problem| problem.to_string()).collect())
}
