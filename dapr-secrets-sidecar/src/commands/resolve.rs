//! `resolve FILE`: shows the components of a file with the values that their metadata refers to.
//!
//! They are printed on stdout as YAML, one document each. Values are masked, those that stand in the file too, unless
//! `--reveal` is given; a comment after each says where it came from. The secret stores are those of
//! `--resources-path` and of the file itself. A problem is one line on stderr, `file:line: message`, the exit code is then
//! 1, and nothing is printed on stdout.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use dapr_secrets_service::Environment;
use dapr_secrets_service::config::{ComponentLoader, ResolvedComponent, ResolvedItem, Source};

use crate::args::{Mode, RunArgs};
use crate::env::Settings;
use crate::error::StartError;
use crate::load;
use crate::one_line::one_line;
use crate::shutdown::Ended;
use crate::telemetry;

/// What `--help` ends with.
pub(crate) const NOTES: &str = "\
Example:
  dapr-secrets-sidecar resolve ./resources/statestore.yaml --resources-path ./resources

Environment:
  APP_ID           stands in for --app-id
  NAMESPACE        components of another namespace are skipped

Exit codes:
  0      the components were printed
  1      a problem was printed
  2      a flag was refused";

/// What `resolve` takes beside the flags of `run`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ResolveArgs {
    /// File of components of any type
    pub(crate) file: PathBuf,

    /// Print the values, secrets too
    #[arg(long)]
    pub(crate) reveal: bool,
}

/// What stands in the place of a value, however long that is.
const MASK: &str = "********";

/// # Errors
///
/// [`StartError::Resources`] with every problem that was found, [`StartError::KubernetesMode`], and
/// [`StartError::Output`].
pub(crate) fn resolve(
    args: &RunArgs,
    what: &ResolveArgs,
    environment: &Arc<dyn Environment>,
) -> Result<Ended, StartError> {
    telemetry::init(args.log_level.into(), args.log_as_json);
    if args.mode == Mode::Kubernetes {
        return Err(StartError::KubernetesMode);
    }
    let settings = Settings::resolve(args, &**environment)?;
    let loader = load::loader(args, &settings, environment);
    let components = ComponentLoader::new(loader)
        .load_file(&what.file)
        .map_err(|problems| load::refused(problems.iter()))?;
    for warning in components.warnings() {
        tracing::warn!("{warning}");
    }
    let mut stdout = io::stdout().lock();
    for (index, component) in components.iter().enumerate() {
        let separator = if index == 0 { "" } else { "---\n" };
        stdout
            .write_all(separator.as_bytes())
            .and_then(|()| print(component, what.reveal, &mut stdout))
            .map_err(StartError::Output)?;
    }
    Ok(Ended::Drained)
}

fn print(component: &ResolvedComponent, reveal: bool, to: &mut impl Write) -> io::Result<()> {
    let mut field = |name: &str, text: &str| match text {
        "" => Ok(()),
        text => writeln!(to, "{name}: {}", quoted(text)),
    };
    field("apiVersion", component.api_version())?;
    field("kind", component.kind())?;
    field("metadata:\n  name", component.name())?;
    field("  namespace", component.namespace().unwrap_or_default())?;
    field("spec:\n  type", component.component_type())?;
    field("  version", component.version())?;
    if component.metadata().len() > 0 {
        writeln!(to, "  metadata:")?;
    }
    for item in component.metadata() {
        let value = if reveal { item.value().expose() } else { MASK };
        let origin = origin(component, item);
        writeln!(to, "  - name: {}", quoted(item.name()))?;
        writeln!(to, "    value: {}  # {origin}", quoted(value))?;
    }
    if !component.scopes().is_empty() {
        writeln!(to, "scopes:")?;
    }
    for app in component.scopes() {
        writeln!(to, "- {}", quoted(app))?;
    }
    Ok(())
}

/// Where a value came from, for a comment.
fn origin(component: &ResolvedComponent, item: &ResolvedItem) -> String {
    let text = match item.source() {
        Source::Secret { name, key, .. } => format!(
            "secretKeyRef: secret {name:?}, key {key:?} of the store {:?}",
            component.secret_store().unwrap_or_default()
        ),
        Source::Variable(name) => format!("envRef: {name}"),
        _ => "value".to_owned(),
    };
    one_line(&text).into_owned()
}

/// A scalar in double quotes. The escapes are those that YAML and JSON share.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", one_line(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g4_a_text_stays_what_it_is_between_quotes() {
        for (text, shown) in [
            ("", r#""""#),
            ("plain: #1", r#""plain: #1""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\nb\t\u{1b}[31m", r#""a\nb\t\u001b[31m""#),
            ("\\n", r#""\\n""#),
            ("\u{202e}é✓", "\"\\u202eé✓\""),
        ] {
            assert_eq!(quoted(text), shown, "{text:?}");
        }
    }
}
