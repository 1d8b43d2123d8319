//! Holds the numbered rules of `docs/spec` against the tests that name them.
//!
//! `cargo run -p spec-rules` reads every rule id of the specifications, every test of the workspace and the list
//! `docs/spec/OPEN.md`, and fails unless each rule is proven by a test or listed with what is open. `docs/spec/README.md`
//! says how a test names a rule and what the states of the list mean.
//!
//! The flow: `spec` (texts to rule ids), `open_list` (the list), `test_list` (cargo to test names), `test_name` (test name to
//! rules), `history` (earlier lists out of git), `verdict` (all of these to failures and counts; pure), and the output here.
//!
//! `cargo run -p spec-rules -- list` prints each rule with the tests that name it.
#![forbid(unsafe_code)]

mod history;
mod open_list;
mod rule;
mod spec;
mod test_list;
mod test_name;
mod verdict;

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use open_list::OpenList;
use rule::SpecFile;
use verdict::Verdict;

/// Where the specifications and the list lie, seen from the root of the workspace.
const SPEC_FOLDER: &str = "docs/spec";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let with_tests = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["list"] => true,
        _ => {
            let _ = writeln!(io::stderr(), "usage: cargo run -p spec-rules [-- list]");
            return ExitCode::from(2);
        }
    };
    match run(with_tests) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "spec-rules: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Reads everything, prints the verdict, and says whether it is good.
fn run(with_tests: bool) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("the package has no folder above it")?;
    let mut rules = Vec::new();
    for file in SpecFile::ALL {
        rules.extend(spec::rules_of(file, &read(root, file.file_name())?));
    }
    let list = OpenList::parse(&read(root, open_list::FILE_NAME)?);
    let tests = test_list::of_workspace(root)?;
    let earlier = history::earlier_lists(root, SPEC_FOLDER)?;

    let verdict = Verdict::of(&rules, &list, &tests, &earlier);
    print(&verdict, &earlier, tests.len(), with_tests)
        .map_err(|error| format!("cannot write the result: {error}"))?;
    Ok(verdict.failures.is_empty())
}

fn read(root: &Path, name: &str) -> Result<String, String> {
    let path = root.join(SPEC_FOLDER).join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn print(
    verdict: &Verdict,
    earlier: &history::Earlier,
    tests: usize,
    with_tests: bool,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if with_tests {
        for (rule, names) in &verdict.proofs {
            writeln!(out, "{rule}")?;
            for name in names {
                writeln!(out, "    {name}")?;
            }
        }
    }
    for failure in &verdict.failures {
        writeln!(out, "{failure}")?;
    }
    for (file, count) in &verdict.counts {
        writeln!(
            out,
            "{:<15} {:>3} rules: {} proven, {} half, {} open, {} reading",
            file.file_name(),
            count.rules,
            count.proven,
            count.half,
            count.open,
            count.reading
        )?;
    }
    match earlier {
        history::Earlier::Known(lists) => writeln!(
            out,
            "{tests} tests; {} earlier versions of the list",
            lists.len()
        )?,
        history::Earlier::Unknown(reason) => {
            writeln!(
                out,
                "{tests} tests; earlier versions of the list not compared: {reason}"
            )?;
        }
    }
    match verdict.failures.len() {
        0 => writeln!(out, "every rule is proven or listed"),
        count => writeln!(out, "{count} failures"),
    }
}
