//! What is wrong with the files, each with its place, all of it collected before anything stops.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::one_line::OneLine;

/// One thing that is wrong. `Display` is `file:line: message`, or `file: message`.
///
/// It takes one line: control characters are escaped. A message may name components, keys,
/// stores, variables, and a path or a type as the files spell it; never a secret, and never a
/// metadata value that came from the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    path: Arc<Path>,
    line: Option<usize>,
    message: String,
}

impl Problem {
    pub(crate) fn new(place: &Place, message: impl fmt::Display) -> Self {
        Self {
            path: Arc::clone(&place.path),
            line: place.line,
            message: OneLine(message).to_string(),
        }
    }

    /// The file, as its path was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line, counted from 1, where there is one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong, without the place, on one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", OneLine(self.path.display()))?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// Everything that keeps the files from being used. `Display` prints each problem on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Every problem: those of the resources, of the configuration, of the files of the stores.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.0.iter()
    }

    pub(crate) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self(problems))
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A file, and a line in it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    path: Arc<Path>,
    line: Option<usize>,
}

impl Place {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self {
            path: path.into(),
            line: None,
        }
    }

    pub(crate) fn line(&self, line: usize) -> Self {
        self.at(Some(line))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The line, where there is one.
    pub(crate) fn line_number(&self) -> Option<usize> {
        self.line
    }

    pub(crate) fn at(&self, line: Option<usize>) -> Self {
        Self {
            path: Arc::clone(&self.path),
            line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", OneLine(self.path.display()))?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// Collects problems. What is strict is a warning in lenient mode.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) is_lenient: bool,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl Report {
    pub(crate) fn new(is_lenient: bool) -> Self {
        Self {
            is_lenient,
            ..Self::default()
        }
    }

    /// An error in both modes.
    pub(crate) fn error(&mut self, place: &Place, message: impl fmt::Display) {
        self.problems.push(Problem::new(place, message));
    }

    /// An error that lenient mode turns into a warning.
    pub(crate) fn strict(&mut self, place: &Place, message: impl fmt::Display) {
        let problem = Problem::new(place, message);
        if self.is_lenient {
            self.warnings.push(problem);
        } else {
            self.problems.push(problem);
        }
    }

    pub(crate) fn warn(&mut self, place: &Place, message: impl fmt::Display) {
        self.warnings.push(Problem::new(place, message));
    }

    /// Hands everything on to another report; the errors as warnings when they are ignored.
    pub(crate) fn pass_to(self, other: &mut Self, ignores_errors: bool) {
        if ignores_errors {
            other.warnings.extend(self.problems);
        } else {
            other.problems.extend(self.problems);
        }
        other.warnings.extend(self.warnings);
    }
}
