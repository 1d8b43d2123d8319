//! Everything that is taken of one case.

use std::{io, thread};

use crate::callgrind::{CountError, Counter};
use crate::case::Case;
use crate::drive::{Outcome, Plan};
use crate::record::Measured;

/// Follows a plan on a thread of its own, whose stack starts at the same place within a page whatever the arguments
/// and the path of the process are: copies of more than a few registers cost by alignment.
///
/// # Errors
///
/// If there is no thread to be had, or the case panics.
pub fn follow(case: &Case, plan: Plan) -> io::Result<Outcome> {
    let run = case.run;
    thread::Builder::new()
        .spawn(move || run(plan))?
        .join()
        .map_err(|_| io::Error::other(format!("the case {} panicked", case.name)))
}

/// Whether the case answers as its row says.
///
/// # Errors
///
/// As [`follow`].
pub fn answers_as_told(case: &Case) -> io::Result<bool> {
    match follow(case, Plan::Answer)? {
        Outcome::Answer(status) => Ok(status == case.answers),
        _ => Ok(false),
    }
}

/// Instructions and allocations of a case that answers as its row says.
///
/// # Errors
///
/// If it does not, or if it cannot be counted.
pub fn measure(counter: &mut Counter<'_>, case: &Case) -> Result<Measured, CountError> {
    if !answers_as_told(case)? {
        return Err(CountError::WrongAnswer(case.name));
    }
    let Outcome::Allocations(allocations) = follow(case, Plan::Allocations)? else {
        return Err(CountError::WrongAnswer(case.name));
    };
    Ok(Measured {
        instructions: counter.net(case)?,
        allocations,
    })
}

/// Wall time of one request in nanoseconds, that of the baseline taken away: the median over several runs, each right
/// after a run of the baseline, so that a machine that slows down slows both.
///
/// # Errors
///
/// As [`follow`].
pub fn net_nanoseconds(case: &Case, baseline: Option<&Case>) -> io::Result<i64> {
    const RUNS: usize = 11;
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let without = baseline.map_or(Ok(0), nanoseconds)?;
        runs.push(nanoseconds(case)? - without);
    }
    runs.sort_unstable();
    Ok(runs[RUNS / 2])
}

fn nanoseconds(case: &Case) -> io::Result<i64> {
    match follow(case, Plan::Time)? {
        Outcome::Time(time) => Ok(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)),
        _ => Err(io::Error::other(format!(
            "the case {} took no time",
            case.name
        ))),
    }
}
