//! What was counted, and whether it is good.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::client::wrong;
use crate::ledger::{Before, Verdict};
use crate::server::{Holding, Protocol};

/// So many faults are told in full.
const TOLD: usize = 5;

/// What one client, or all clients of a lane, saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) current: u64,
    pub(crate) previous: u64,
    pub(crate) over: u64,
    pub(crate) never: u64,
    pub(crate) changing: u64,
    /// All of them.
    pub(crate) wrong: u64,
    pub(crate) faults: Vec<Fault>,
}

/// A request that was answered wrongly.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) wrong: &'static str,
    pub(crate) holding: Holding,
    pub(crate) protocol: Protocol,
    pub(crate) verdict: Verdict,
    pub(crate) number: Option<u64>,
    pub(crate) before: Before,
    pub(crate) status: StatusCode,
}

impl Counts {
    /// Counts an answer; says what is wrong with it.
    pub(crate) fn note(&mut self, verdict: Verdict, status: StatusCode) -> Option<&'static str> {
        *match verdict {
            Verdict::Current => &mut self.current,
            Verdict::Previous => &mut self.previous,
            Verdict::Over => &mut self.over,
            Verdict::Never => &mut self.never,
            Verdict::Changing => &mut self.changing,
        } += 1;
        wrong(verdict, status)
    }

    pub(crate) fn keep(&mut self, fault: Fault) {
        self.wrong += 1;
        if self.faults.len() < TOLD {
            self.faults.push(fault);
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.current += other.current;
        self.previous += other.previous;
        self.over += other.over;
        self.never += other.never;
        self.changing += other.changing;
        self.wrong += other.wrong;
        self.faults.extend(other.faults);
    }
}

/// What came of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) lane: &'static str,
    pub(crate) rotations: u64,
    pub(crate) counts: Counts,
}

#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) took: Duration,
}

impl Report {
    /// What is wrong. A run in which some kind of answer never occurred proves nothing, and is wrong too.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for Row {
            lane,
            rotations,
            counts,
        } in &self.rows
        {
            if counts.wrong > 0 {
                faults.push(format!("{lane}: {} wrong answers", counts.wrong));
            }
            for fault in &counts.faults {
                faults.push(format!("{lane}: {fault}"));
            }
            for (kind, count) in [
                ("current", counts.current),
                ("previous", counts.previous),
                ("over", counts.over),
                ("never a token", counts.never),
            ] {
                if count < *rotations {
                    faults.push(format!("{lane}: only {count} answers of the kind `{kind}`"));
                }
            }
        }
        faults
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            wrong,
            holding,
            protocol,
            verdict,
            number,
            before,
            status,
        } = self;
        write!(
            f,
            "{wrong}: {status} for token {number:?} ({verdict:?}), {before:?}, {holding:?}, {protocol:?}"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADINGS: [&str; 8] = [
            "tokens change",
            "rotations",
            "current",
            "previous",
            "over",
            "never one",
            "either way",
            "wrong",
        ];
        for heading in HEADINGS {
            write!(f, "{heading:>13}")?;
        }
        writeln!(f)?;
        for Row {
            lane,
            rotations,
            counts,
        } in &self.rows
        {
            write!(f, "{lane:>13}")?;
            for number in [
                *rotations,
                counts.current,
                counts.previous,
                counts.over,
                counts.never,
                counts.changing,
                counts.wrong,
            ] {
                write!(f, "{number:>13}")?;
            }
            writeln!(f)?;
        }
        for fault in self.faults() {
            writeln!(f, "{fault}")?;
        }
        write!(f, "{:.1} s", self.took.as_secs_f64())
    }
}
