//! Holds the public interface of each package against the listing beside this program, so that a change of it is seen in
//! review, and against the crates that may occur in it.
//!
//! `.ci/run` makes rustdoc's JSON with the nightly that it names and runs `check`; `.ci/run api` runs `write`. A listing has
//! every feature on. Implementations of the automatic traits and for every type are left out: tests hold `Send` and `Sync`.
#![forbid(unsafe_code)]

mod foreign;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((command, files)) if command == "check" => each(files, check),
        Some((command, files)) if command == "write" => each(files, write),
        _ => Err("usage: dapr-token-public-api check|write PACKAGE=JSON ...".into()),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell it to if standard error is gone.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Does it with every package, and gives the number of faults.
fn each(
    files: &[String],
    act: fn(&Path, &str, &str) -> io::Result<Vec<String>>,
) -> Result<usize, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = io::stdout().lock();
    let mut count = 0;
    for file in files {
        let (package, json) = file.split_once('=').ok_or("not PACKAGE=JSON")?;
        let listing = listing(Path::new(json)).map_err(|error| format!("{json}: {error}"))?;
        let faults = act(folder, package, &listing)?;
        writeln!(
            out,
            "{package}: {} public items, {} faults",
            listing.lines().count(),
            faults.len()
        )?;
        for fault in &faults {
            writeln!(out, "    {fault}")?;
        }
        count += faults.len();
    }
    Ok(count)
}

/// One line for every public item. What is public under two names has its methods once.
fn listing(json: &Path) -> public_api::Result<String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    let mut seen = BTreeSet::new();
    let lines = api.items().map(|item| format!("{item}\n"));
    Ok(lines.filter(|line| seen.insert(line.clone())).collect())
}

fn write(folder: &Path, package: &str, listing: &str) -> io::Result<Vec<String>> {
    fs::write(folder.join(format!("{package}.txt")), listing)?;
    Ok(Vec::new())
}

fn check(folder: &Path, package: &str, listing: &str) -> io::Result<Vec<String>> {
    let recorded = fs::read_to_string(folder.join(format!("{package}.txt")))?;
    let mut faults = difference(&recorded, listing);
    if !faults.is_empty() {
        faults.push("if that is meant: `bash .ci/run api`, and commit what it writes".to_owned());
    }
    let allowed = fs::read_to_string(folder.join("foreign.txt"))?;
    faults.extend(foreign::faults(package, listing, &allowed));
    Ok(faults)
}

/// The lines that are in one of the two alone.
fn difference(recorded: &str, found: &str) -> Vec<String> {
    let [recorded, found] = [recorded, found].map(|text| text.lines().collect::<BTreeSet<&str>>());
    let gone = recorded
        .difference(&found)
        .map(|line| format!("gone: {line}"));
    let new = found
        .difference(&recorded)
        .map(|line| format!("new:  {line}"));
    gone.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_item_is_told_as_gone_and_new() {
        let recorded = "pub fn a()\npub fn b()\n";
        for (name, found, expected) in [
            ("the same", recorded, vec![]),
            (
                "one more",
                "pub fn a()\npub fn b()\npub fn c()\n",
                vec!["new:  pub fn c()"],
            ),
            ("one less", "pub fn a()\n", vec!["gone: pub fn b()"]),
            (
                "another",
                "pub fn a()\npub fn b(u8)\n",
                vec!["gone: pub fn b()", "new:  pub fn b(u8)"],
            ),
        ] {
            assert_eq!(difference(recorded, found), expected, "{name}");
        }
    }
}
