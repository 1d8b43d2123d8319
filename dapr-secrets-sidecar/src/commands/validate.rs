//! `validate`: loads what `run` would load, and says what is wrong with it.
//!
//! Each problem is one line on stderr, `file:line: message`, and the exit code is 1; warnings are log lines and do not
//! count. Without a problem one line on stdout sums up what was read. Secrets files are read, since a store that cannot
//! read its file cannot start; no value is shown. No token is read and no port is opened.

use std::io::{self, Write};
use std::sync::Arc;

use dapr_secrets_service::Environment;

use crate::args::RunArgs;
use crate::env::Settings;
use crate::error::StartError;
use crate::load;
use crate::shutdown::Ended;
use crate::telemetry;

/// # Errors
///
/// What [`load::load`] refuses.
pub(crate) fn validate(
    args: &RunArgs,
    environment: &Arc<dyn Environment>,
) -> Result<Ended, StartError> {
    telemetry::init(args.log_level.into(), args.log_as_json);
    let settings = Settings::resolve(args, &**environment)?;
    let loader = load::loader(args, &settings, environment);
    let engine = load::load(args, &settings, loader)?;
    let stores = engine.stores().count();
    let noun = if stores == 1 { "store" } else { "stores" };
    let summary = format!("OK: {stores} secret {noun}\n");
    // A closed stdout leaves nobody to tell, and the exit code says it too.
    let _ = io::stdout().lock().write_all(summary.as_bytes());
    Ok(Ended::Drained)
}
