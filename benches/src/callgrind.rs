//! Instruction counts with valgrind's callgrind.
//!
//! A case runs twice in a process of its own, with [`REQUESTS`] and with three times as many requests; the difference
//! divided by twice [`REQUESTS`] is the cost of one iteration, and start-up cancels out. From that the same figure of
//! the case's baseline is taken away. The child gets an empty environment and fixed arguments, and it serves on a
//! thread of its own (see [`follow`](crate::figures::follow)), so that neither the length of its path nor that of its
//! arguments moves its stack.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt, fs, io, process};

use crate::case::{Case, find};

/// How many requests the short run serves, unless the counter was told otherwise.
pub const REQUESTS: u64 = 2_000;

/// Why there is no count.
#[derive(Debug)]
pub enum CountError {
    /// No program `valgrind` on the search path.
    NoValgrind,
    /// The program of the cases, or what it wrote, could not be reached.
    Io(io::Error),
    /// Valgrind ran and failed; what it said last.
    Failed(String),
    /// A profile without a total.
    Profile,
    /// The case does not do what its row says, so its cost would mean nothing.
    WrongAnswer(&'static str),
    /// A case or a baseline that does not exist.
    Unknown(String),
}

impl fmt::Display for CountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValgrind => f.write_str(
                "valgrind is not installed or not on PATH, and without it nothing can be counted\n\
                 Debian, Ubuntu: apt-get install valgrind\n\
                 Fedora: dnf install valgrind\n\
                 Alpine: apk add valgrind",
            ),
            Self::Io(error) => write!(f, "cannot run a case: {error}"),
            Self::Failed(message) => write!(f, "valgrind failed: {message}"),
            Self::Profile => f.write_str("callgrind wrote a profile without a total"),
            Self::WrongAnswer(name) => write!(f, "the case {name} does not answer as its row says"),
            Self::Unknown(name) => write!(f, "there is no case named {name}"),
        }
    }
}

impl std::error::Error for CountError {}

impl From<io::Error> for CountError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Counts the cases of one program.
#[derive(Debug)]
pub struct Counter<'a> {
    cases: &'a [Case],
    valgrind: PathBuf,
    folder: PathBuf,
    program: PathBuf,
    baselines: BTreeMap<&'static str, i64>,
    requests: u64,
}

impl<'a> Counter<'a> {
    /// A counter for the cases of the running program.
    ///
    /// # Errors
    ///
    /// [`CountError::NoValgrind`], or [`CountError::Io`] if the program cannot find itself.
    pub fn new(cases: &'a [Case]) -> Result<Self, CountError> {
        let valgrind = env::var_os("PATH")
            .iter()
            .flat_map(env::split_paths)
            .map(|folder| folder.join("valgrind"))
            .find(|candidate| candidate.is_file())
            .ok_or(CountError::NoValgrind)?;
        let program = env::current_exe()?;
        let (Some(folder), Some(name)) = (program.parent(), program.file_name()) else {
            return Err(io::Error::other("the program has no path").into());
        };
        Ok(Self {
            cases,
            valgrind,
            folder: folder.to_owned(),
            program: Path::new(".").join(name),
            baselines: BTreeMap::new(),
            requests: REQUESTS,
        })
    }

    /// The same with fewer requests in the short run, for cases that cost a hundred times as much as others.
    #[must_use]
    pub fn of_requests(mut self, requests: u64) -> Self {
        self.requests = requests;
        self
    }

    /// Which valgrind it is.
    ///
    /// # Errors
    ///
    /// [`CountError::Io`] if it cannot be run.
    pub fn version(&self) -> Result<String, CountError> {
        let output = Command::new(&self.valgrind).arg("--version").output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Instructions of one request, those of the case's baseline taken away.
    ///
    /// # Errors
    ///
    /// Any [`CountError`].
    pub fn net(&mut self, case: &Case) -> Result<i64, CountError> {
        let own = self.per_request(self.twice(case.name, total)?);
        let Some(name) = case.baseline else {
            return Ok(own);
        };
        if let Some(known) = self.baselines.get(name) {
            return Ok(own - known);
        }
        let baseline =
            find(self.cases, name).ok_or_else(|| CountError::Unknown(name.to_owned()))?;
        let known = self.per_request(self.twice(baseline.name, total)?);
        self.baselines.insert(name, known);
        Ok(own - known)
    }

    /// The same, function by function: instructions in the function itself, most expensive first. A function that the
    /// compiler inlined counts for its caller.
    ///
    /// # Errors
    ///
    /// Any [`CountError`].
    pub fn by_function(&mut self, case: &Case) -> Result<Vec<(String, i64)>, CountError> {
        let mut net = BTreeMap::new();
        for (name, sign) in [(Some(case.name), 1), (case.baseline, -1)] {
            let Some(name) = name else { continue };
            let (short, long) = self.twice(name, functions)?;
            for (function, count) in &long {
                let before = short.get(function).copied().unwrap_or_default();
                *net.entry(function.clone()).or_default() +=
                    sign * self.per_request((before, *count));
            }
        }
        let mut net: Vec<(String, i64)> =
            net.into_iter().filter(|(_, count)| *count != 0).collect();
        net.sort_by_key(|(_, count)| -count);
        Ok(net)
    }

    /// What `read` finds in the profiles of the short and of the long run.
    fn twice<T>(
        &self,
        name: &str,
        read: fn(&str) -> Result<T, CountError>,
    ) -> Result<(T, T), CountError> {
        let short = read(&self.profile(name, self.requests)?)?;
        let long = read(&self.profile(name, 3 * self.requests)?)?;
        Ok((short, long))
    }

    fn per_request(&self, runs: (i64, i64)) -> i64 {
        per_request(self.requests, runs)
    }

    fn profile(&self, name: &str, requests: u64) -> Result<String, CountError> {
        let file = env::temp_dir().join(format!("callgrind.{}.{name}", process::id()));
        let mut option = std::ffi::OsString::from("--callgrind-out-file=");
        option.push(&file);
        let output = Command::new(&self.valgrind)
            .arg("--tool=callgrind")
            .arg(option)
            .arg(&self.program)
            .args(["case", name, &requests.to_string()])
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()?;
        let profile = fs::read_to_string(&file);
        // A file that is left behind in the temporary folder is no reason to fail.
        drop(fs::remove_file(&file));
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(CountError::Failed(said.trim().to_owned()));
        }
        Ok(profile?)
    }
}

/// One iteration, from the totals of the short and of the long run, rounded to the nearest whole instruction.
fn per_request(requests: u64, (short, long): (i64, i64)) -> i64 {
    let iterations = 2 * requests.cast_signed();
    let spent = long - short;
    (spent + spent.signum() * iterations / 2) / iterations
}

/// The total of a profile.
fn total(profile: &str) -> Result<i64, CountError> {
    profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .ok_or(CountError::Profile)
}

/// Instructions of each function itself. The format names a function once and then refers to it by its number; the
/// line after `calls=` is the cost of the callee, which is listed on its own elsewhere.
fn functions(profile: &str) -> Result<BTreeMap<String, i64>, CountError> {
    let mut names = BTreeMap::new();
    let mut costs: BTreeMap<String, i64> = BTreeMap::new();
    let mut current = String::new();
    let mut callee = false;
    for line in profile.lines() {
        if let Some(function) = line
            .strip_prefix("fn=")
            .or_else(|| line.strip_prefix("cfn="))
        {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(number.to_owned(), name.to_owned());
            }
            if line.starts_with("fn=") {
                current = names.get(number).ok_or(CountError::Profile)?.clone();
            }
        } else if line.starts_with("calls=") {
            callee = true;
        } else if line.starts_with(['+', '-', '*'])
            || line.starts_with(|c: char| c.is_ascii_digit())
        {
            if !callee {
                let cost = line
                    .split(' ')
                    .nth(1)
                    .and_then(|cost| cost.parse::<i64>().ok());
                *costs.entry(current.clone()).or_default() += cost.ok_or(CountError::Profile)?;
            }
            callee = false;
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "version: 1\nevents: Ir\n\nfl=(1) a.rs\nfn=(1) outer\n10 5\ncfn=(2) inner\ncalls=3 7\n\
                           +2 40\n* 1\n\nfl=(1)\nfn=(2)\n7 40\n\ntotals: 46\n";

    #[test]
    fn a_function_is_charged_for_itself_and_not_for_what_it_calls() {
        let functions = functions(PROFILE).unwrap();
        assert_eq!(functions["outer"], 6);
        assert_eq!(functions["inner"], 40);
        assert_eq!(total(PROFILE).unwrap(), 46);
    }

    #[test]
    fn a_profile_without_a_total_is_an_error() {
        assert!(matches!(total("events: Ir\n"), Err(CountError::Profile)));
    }

    #[test]
    fn start_up_cancels_out_and_halves_are_rounded() {
        let start = 1_000_000;
        let served = |each: i64, requests: u64| start + each * requests.cast_signed();
        for requests in [100, REQUESTS] {
            let runs = (served(440, requests), served(440, 3 * requests));
            assert_eq!(per_request(requests, runs), 440);
            let almost_two = 2 * 2 * requests.cast_signed() - 1;
            assert_eq!(per_request(requests, (0, almost_two)), 2);
            assert_eq!(per_request(requests, (almost_two, 0)), -2);
        }
    }

    #[test]
    fn a_missing_valgrind_is_told_with_its_remedy() {
        assert!(
            CountError::NoValgrind
                .to_string()
                .contains("apt-get install valgrind")
        );
    }
}
