//! What was found.

use std::error::Error;
use std::fmt;

use super::Check;

/// One way in which a store breaks its contract.
///
/// Its text names secrets and keys, and never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    check: Check,
    text: String,
}

impl Violation {
    /// The question that the store failed.
    #[must_use]
    pub fn check(&self) -> Check {
        self.check
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.text)
    }
}

/// Every way that was found, at least one. `Display` and `Debug` take a line for each.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.0.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store breaks its contract:")?;
        for violation in &self.0 {
            write!(f, "\n- {violation}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Violations {
    /// As `Display`: it is what a test prints that unwraps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Violations {}

/// Collects violations, each text once.
#[derive(Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    pub(super) fn add(&mut self, check: Check, text: String) {
        let violation = Violation { check, text };
        if !self.0.contains(&violation) {
            self.0.push(violation);
        }
    }

    pub(super) fn into_result(self) -> Result<(), Violations> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Violations(self.0))
        }
    }
}
