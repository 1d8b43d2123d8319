//! The commands that look at one case. Both binaries have them; callgrind runs `case`.

use std::error::Error;
use std::io::{self, Write as _};

use crate::callgrind::{CountError, Counter};
use crate::case::{Case, find};
use crate::drive::{Outcome, Plan};
use crate::figures::{follow, measure, net_nanoseconds};
use crate::table::{grouped, markdown};

/// What the commands are, one a line.
pub const USAGE: &str = "  list            the names of the cases
  case NAME N     serves N requests and prints nothing; for callgrind
  count NAME      instructions and allocations of one request, its baseline taken away
  explain NAME    the same instructions, function by function
  time NAME       wall time of one request, its baseline taken away
";

/// Runs one of the commands of [`USAGE`]. `Ok(false)` if the arguments are none of them.
///
/// # Errors
///
/// What keeps the case from being run or counted.
pub fn run(cases: &[Case], arguments: &[&str]) -> Result<bool, Box<dyn Error>> {
    let mut out = io::stdout().lock();
    match *arguments {
        ["list"] => {
            for case in cases {
                writeln!(out, "{}", case.name)?;
            }
        }
        ["case", name, times] => {
            let times = times.parse()?;
            match follow(known(cases, name)?, Plan::Repeat(times))? {
                Outcome::Served(served) if served == times => {}
                _ => return Err(format!("{name} did not answer every request at once").into()),
            }
        }
        ["count", name] => {
            let measured = measure(&mut Counter::new(cases)?, known(cases, name)?)?;
            writeln!(
                out,
                "{name}: {} instructions, {} allocations",
                grouped(measured.instructions),
                measured.allocations
            )?;
        }
        ["explain", name] => {
            let functions = Counter::new(cases)?.by_function(known(cases, name)?)?;
            let rows: Vec<Vec<String>> = functions
                .iter()
                .map(|(function, count)| vec![grouped(*count), function.clone()])
                .collect();
            write!(out, "{}", markdown(&["instructions", "function"], &rows))?;
        }
        ["time", name] => {
            let case = known(cases, name)?;
            let baseline = case.baseline.and_then(|name| find(cases, name));
            writeln!(out, "{name}: {} ns", net_nanoseconds(case, baseline)?)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn known<'a>(cases: &'a [Case], name: &str) -> Result<&'a Case, CountError> {
    find(cases, name).ok_or_else(|| CountError::Unknown(name.to_owned()))
}
