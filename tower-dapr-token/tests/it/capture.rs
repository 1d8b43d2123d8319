//! A subscriber that keeps all that is traced on this thread: every target, level, field and span.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// One event, or one span as it began or was added to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) target: String,
    /// The name of a span; an event has a place in a file instead, which nobody needs.
    pub(crate) span: Option<String>,
    /// In the order of their names; the text of an event is `message`.
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Line {
    /// `LEVEL target: message a=b c=d`
    pub(crate) fn text(&self) -> String {
        let mut fields = self.fields.clone();
        let message = fields.remove("message").unwrap_or_default();
        let mut text = format!("{} {}: {message}", self.level, self.target);
        for (name, value) in fields {
            text += &format!(" {name}={value}");
        }
        text
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// Keeps what is traced on this thread until it is dropped.
pub(crate) struct Capture {
    lines: Arc<Mutex<Vec<Line>>>,
    _guard: DefaultGuard,
}

impl Capture {
    pub(crate) fn start() -> Self {
        let lines = Arc::default();
        let keeper = Keeper {
            lines: Arc::clone(&lines),
            spans: AtomicU64::new(1),
        };
        Self {
            lines,
            _guard: tracing::subscriber::set_default(keeper),
        }
    }

    /// What was kept since the last time, of every target.
    pub(crate) fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.lines.lock().expect("no test panicked"))
    }

    /// The same as texts, of this crate's targets.
    pub(crate) fn ours(&self) -> Vec<String> {
        let lines = self.take().into_iter();
        lines
            .filter(|line| line.target.starts_with("dapr_token"))
            .map(|line| line.text())
            .collect()
    }
}

struct Keeper {
    lines: Arc<Mutex<Vec<Line>>>,
    spans: AtomicU64,
}

impl Keeper {
    fn keep(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line {
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            span: metadata.is_span().then(|| metadata.name().to_owned()),
            fields: BTreeMap::new(),
        };
        record(&mut line);
        self.lines.lock().expect("no test panicked").push(line);
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata(), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line {
            level: Level::TRACE,
            target: "a span, later".to_owned(),
            span: None,
            fields: BTreeMap::new(),
        };
        values.record(&mut line);
        self.lines.lock().expect("no test panicked").push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
