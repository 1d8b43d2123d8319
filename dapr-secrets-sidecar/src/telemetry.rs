//! What the process says: log lines and errors on stderr, the ready line on stdout; as text or as JSON.
//!
//! Only our own crates log below `warn`: the lower levels of an HTTP library may print headers, and with them tokens.
//! Every line is one line: control characters in what is printed are escaped (`one_line.rs`).

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde_json::json;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::{Problem, StartError};
use crate::one_line::one_line;

/// The targets of this workspace, crates and names alike.
const OURS: [&str; 4] = [
    "dapr_secrets_sidecar",
    "dapr_secrets_service",
    "tower_dapr_token",
    "dapr_token",
];

/// The target of a warning that no level hides: the process runs in a way that gives secrets to strangers.
pub(crate) const INSECURE: &str = "dapr_token::insecure";

/// Sends log lines of at least `level` to stderr.
pub(crate) fn init(level: LevelFilter, as_json: bool) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Lines(io::stderr))
        // A closed stderr must not end the process.
        .log_internal_errors(false)
        .with_ansi(!as_json && io::stderr().is_terminal());
    let lines = if as_json {
        lines.json().boxed()
    } else {
        lines.boxed()
    };
    // It fails when there is a subscriber already, which then goes on.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter(level)))
        .try_init();
}

fn filter(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OURS.map(|target| (target, level)))
        .with_target(INSECURE, level.max(LevelFilter::WARN))
}

/// Makes [`Line`]s of the writers that `M` makes.
struct Lines<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Lines<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self.0.make_writer())
    }
}

/// Takes a log line a write, with its line feed, and lets no other control character through.
///
/// The escapes that colour a terminal stay: those in the text were escaped when the line was put together.
struct Line<W>(W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line).map(|()| line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(line);
        let coloured: Vec<_> = text
            .strip_suffix('\n')
            .unwrap_or(&text)
            .split('\u{1b}')
            .map(one_line)
            .collect();
        let mut line = coloured.join("\u{1b}");
        line.push('\n');
        self.0.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes the ready line: `listening http=127.0.0.1:3500`, one part an API, several addresses separated by commas; a
/// Unix socket is `unix:` and its path.
///
/// As JSON: `{"event":"listening","http":["127.0.0.1:3500"]}`.
pub(crate) fn ready(apis: &[(&str, Vec<String>)], as_json: bool) {
    let mut line = ready_line(apis, as_json);
    line.push('\n');
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush())
    {
        tracing::warn!(%error, line = line.trim_end(), "the ready line could not be written to stdout");
    }
}

fn ready_line(apis: &[(&str, Vec<String>)], as_json: bool) -> String {
    if as_json {
        let mut line = json!({ "event": "listening" });
        for (api, addresses) in apis {
            line[*api] = json!(addresses);
        }
        return line.to_string();
    }
    let mut line = "listening".to_owned();
    for (api, addresses) in apis {
        line.push(' ');
        line.push_str(api);
        line.push('=');
        line.push_str(&one_line(&addresses.join(",")));
    }
    line
}

/// Writes why the process does not start, one line a problem, and gives its exit code.
///
/// It does not depend on the log level: an error that ends the process is always shown.
pub(crate) fn report(error: &StartError, as_json: bool) -> ExitCode {
    let mut text = String::new();
    for problem in error.problems() {
        text.push_str(&error_line(&problem, as_json));
        text.push('\n');
    }
    // A closed stderr leaves nobody to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
    ExitCode::FAILURE
}

/// A problem of a file starts with its place, as compilers write it, so that editors find it; others say `error`.
fn error_line(problem: &Problem, as_json: bool) -> String {
    let text = match problem {
        Problem::Placed(text) | Problem::General(text) => text,
    };
    let line = match problem {
        _ if as_json => json!({ "level": "ERROR", "fields": { "message": text } }).to_string(),
        Problem::Placed(text) => text.clone(),
        Problem::General(text) => format!("error: {text}"),
    };
    one_line(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn foreign_crates_never_log_below_warn() {
        let rows = [
            ("dapr_secrets_sidecar::listen", Level::TRACE, true),
            ("dapr_secrets_service", Level::TRACE, true),
            ("dapr_token::rejection", Level::DEBUG, true),
            ("h2::codec", Level::WARN, true),
            ("h2::codec", Level::INFO, false),
            ("hyper", Level::TRACE, false),
        ];
        let filter = filter(LevelFilter::TRACE);
        for (target, level, expected) in rows {
            assert_eq!(
                filter.would_enable(target, &level),
                expected,
                "{target} {level}"
            );
        }
    }

    #[test]
    fn a_stricter_level_holds_for_every_crate() {
        let filter = filter(LevelFilter::ERROR);
        for target in ["dapr_secrets_sidecar", "h2"] {
            assert!(filter.would_enable(target, &Level::ERROR), "{target}");
            assert!(!filter.would_enable(target, &Level::WARN), "{target}");
        }
    }

    #[test]
    fn a_problem_of_a_file_starts_with_its_place() {
        let placed = Problem::Placed("a.yaml:3: unknown key".into());
        let general = Problem::General("no token".into());
        assert_eq!(error_line(&placed, false), "a.yaml:3: unknown key");
        assert_eq!(error_line(&general, false), "error: no token");
        assert_eq!(
            error_line(&general, true),
            r#"{"fields":{"message":"no token"},"level":"ERROR"}"#
        );
    }

    #[test]
    fn no_text_of_a_problem_makes_a_second_line() {
        let hostile = "a\nerror: \u{1b}[2J\u{85}".to_owned();
        for (problem, expected) in [
            (
                Problem::Placed(hostile.clone()),
                "a\\nerror: \\u001b[2J\\u0085",
            ),
            (
                Problem::General(hostile.clone()),
                "error: a\\nerror: \\u001b[2J\\u0085",
            ),
        ] {
            assert_eq!(error_line(&problem, false), expected);
            let json: serde_json::Value =
                serde_json::from_str(&error_line(&problem, true)).expect("JSON still");
            assert_eq!(json["fields"]["message"], hostile.as_str());
        }
    }

    #[test]
    fn no_text_of_a_log_line_makes_a_second_one() {
        let rows: [(&str, &[u8], &str); 5] = [
            ("plain", b"WARN a: b\n", "WARN a: b\n"),
            ("without its line feed", b"WARN a: b", "WARN a: b\n"),
            (
                "a line feed inside",
                b"WARN a\r\nERROR b\n",
                "WARN a\\r\\nERROR b\n",
            ),
            (
                "colours",
                b"\x1b[33m WARN\x1b[0m a\n",
                "\x1b[33m WARN\x1b[0m a\n",
            ),
            ("not UTF-8", b"WARN \xff\n", "WARN \u{fffd}\n"),
        ];
        for (name, written, expected) in rows {
            let mut shown = Vec::new();
            Line(&mut shown).write_all(written).expect("memory");
            assert_eq!(String::from_utf8_lossy(&shown), expected, "{name}");
        }
    }

    #[test]
    fn api_g2_no_level_hides_that_the_process_is_open_to_strangers() {
        for level in [LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::TRACE] {
            let filter = filter(level);
            assert!(filter.would_enable(INSECURE, &Level::WARN), "{level}");
        }
    }

    #[test]
    fn api_g1_the_ready_line_names_every_address() {
        let http = (
            "http",
            vec!["127.0.0.1:3500".to_owned(), "[::1]:41234".to_owned()],
        );
        let public = ("public", vec!["0.0.0.0:3501".to_owned()]);
        let socket = ("http", vec!["unix:/run/a\nb.socket".to_owned()]);
        assert_eq!(
            ready_line(&[http.clone(), public.clone()], false),
            "listening http=127.0.0.1:3500,[::1]:41234 public=0.0.0.0:3501"
        );
        assert_eq!(
            ready_line(&[socket], false),
            "listening http=unix:/run/a\\nb.socket"
        );
        let line: serde_json::Value =
            serde_json::from_str(&ready_line(&[http, public], true)).expect("JSON");
        let expected = json!({
            "event": "listening",
            "http": ["127.0.0.1:3500", "[::1]:41234"],
            "public": ["0.0.0.0:3501"],
        });
        assert_eq!(line, expected);
    }
}
