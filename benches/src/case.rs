//! What a row is: a name, what it is measured against, and what is asked of it.

use http::StatusCode;

use crate::drive::{Outcome, Plan};

/// One thing to measure.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name on the command line, in the record and in the tables.
    pub name: &'static str,
    /// The case whose cost is subtracted: the same request through [`Inner`](crate::inner::Inner) alone.
    pub baseline: Option<&'static str>,
    /// What the gate holds the case to.
    pub gate: Gate,
    /// The status that proves that the case does what its name says; `None` for a case without a response.
    pub answers: Option<StatusCode>,
    /// Follows a plan with the case.
    pub run: fn(Plan) -> Outcome,
}

/// What the gate asks of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: the row is there to be compared with.
    Open,
    /// No allocation and no growth over the record.
    Record,
    /// As [`Gate::Record`], and once it was at or below this number of instructions it stays there.
    Target(u64),
    /// Of a case that cannot do without: so many allocations at most, and a target as of [`Gate::Target`] if there is one.
    Allocating {
        /// The number of instructions to reach.
        target: Option<u64>,
        /// Allocations of one request.
        allocations: u64,
    },
}

impl Gate {
    /// The number of instructions to reach.
    #[must_use]
    pub const fn target(self) -> Option<u64> {
        match self {
            Self::Target(instructions) => Some(instructions),
            Self::Allocating { target, .. } => target,
            Self::Open | Self::Record => None,
        }
    }

    /// How often one request may allocate.
    #[must_use]
    pub const fn allocations(self) -> u64 {
        match self {
            Self::Allocating { allocations, .. } => allocations,
            Self::Open | Self::Record | Self::Target(_) => 0,
        }
    }
}

impl Case {
    /// A row to subtract: [`Inner`](crate::inner::Inner) alone.
    #[must_use]
    pub const fn baseline(
        name: &'static str,
        answers: Option<StatusCode>,
        run: fn(Plan) -> Outcome,
    ) -> Self {
        Self {
            name,
            baseline: None,
            gate: Gate::Open,
            answers,
            run,
        }
    }

    /// A row that is shown and not gated.
    #[must_use]
    pub const fn shown(
        name: &'static str,
        baseline: &'static str,
        answers: StatusCode,
        run: fn(Plan) -> Outcome,
    ) -> Self {
        Self {
            name,
            baseline: Some(baseline),
            gate: Gate::Open,
            answers: Some(answers),
            run,
        }
    }
}

/// The case of this name.
#[must_use]
pub fn find<'a>(cases: &'a [Case], name: &str) -> Option<&'a Case> {
    cases.iter().find(|case| case.name == name)
}
