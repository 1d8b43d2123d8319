//! Writes `RESULTS.md` and the record: every table anew, with where and when above each.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::callgrind::{CountError, Counter};
use crate::case::{Case, Gate, find};
use crate::figures::{measure, net_nanoseconds};
use crate::gate::{against_target, optimised};
use crate::machine::{RUSTC, counted_on, provenance};
use crate::record::{Record, accept};
use crate::table::{grouped, markdown};
use crate::timing::{self, Verdict};
use crate::{floor, ours, refusal, scaling};

/// Measures everything, rivals included, and writes `record.json` and `RESULTS.md` into the folder of this package.
///
/// # Errors
///
/// If a case cannot be counted, the rivals cannot be built, a file cannot be written, or the timing test is invalid or
/// finds a leak. What it found is written all the same.
pub fn write(cases: &[Case], package: &Path) -> Result<(), Box<dyn Error>> {
    optimised()?;
    let timing = timing::run(timing::SAMPLES)?;
    if timing.verdict == Verdict::Invalid {
        return Err(format!("the timing test is invalid\n\n{}", timing.text).into());
    }
    let mut counter = Counter::new(cases)?;
    let record_file = package.join("record.json");
    let last = Record::load(&record_file)?;
    let mut record = Record {
        rustc: RUSTC.to_owned(),
        machine: counted_on(),
        ..Record::default()
    };

    let mut gated = Vec::new();
    for case in floor::CASES.iter().chain(ours::CASES) {
        if case.baseline.is_none() {
            continue;
        }
        let measured = measure(&mut counter, case)?;
        if case.gate != Gate::Open {
            let entry = accept(case.gate, measured, last.cases.get(case.name));
            record.cases.insert(case.name.to_owned(), entry);
        }
        gated.push(vec![
            case.name.to_owned(),
            grouped(measured.instructions),
            against_target(case.gate, measured),
            measured.allocations.to_string(),
            case.baseline
                .and_then(|name| find(cases, name))
                .map_or(Ok(0), |baseline| net_nanoseconds(case, Some(baseline)))?
                .to_string(),
        ]);
    }
    let functions = functions(&mut counter, cases)?;
    let parts = parts(&mut counter, cases)?;
    let peers = ["--manifest-path", "peers/Cargo.toml"];
    let rivals = run(&peers, package, "table")?;
    let grpc = run(&peers, package, "grpc-table")?;
    let jwt = run(&["-p", "dapr-token-jwt-benches"], package, "record")?;
    let jwt_rivals = run(
        &["--manifest-path", "peers/jwt/Cargo.toml"],
        package,
        "table",
    )?;

    let here = provenance(&package.join("../Cargo.lock"));
    let there = provenance(&package.join("peers/Cargo.lock"));
    let valgrind = counter.version()?;
    let text = format!(
        "# Results\n\n\
         Written by `cargo run --release -p dapr-token-benches -- record`; not edited by hand. `README.md` says how to \
         read a row. Instructions and allocations are of one request, those of the same request without a layer taken \
         away; they repeat exactly. Nanoseconds are wall time of a shared machine and are gated by nothing.\n\n\
         ## The gated rows\n\n{here}; {valgrind}.\n\n{gated}\n\
         ## Where the instructions of ours go\n\n{here}; {valgrind}.\n\n\
         Instructions in each function itself; what the compiler inlined counts for its caller. `repeat` is the loop, \
         into which the poll of our future is inlined. A negative number is work that the layer takes from the \
         service, such as dropping the token.\n\n{functions}\
         ## What an answer to a refused request is made of\n\n{here}; {valgrind}.\n\n\
         Answers built by hand, without any check.\n\n{parts}\n\
         ## Whether times tell secrets apart\n\n{here}.\n\n\
         One run of `timing`. `README.md` says what the rows are and why these.\n\n{timing}\n\
         ## Two threads\n\n{here}.\n\n\
         Each thread has its own clone of one layer's service and requests of its own, which it also makes; wall time, the \
         best of 60 turns. The floor is the first row; a row is judged where the floor itself reaches the target.\n\n{scaling}\n\
         ## Side by side\n\n{there}; {valgrind}.\n\n\
         One binary with all rows, so the figures of ours may differ by a few instructions from those above.\n\n{rivals}\n\
         ## Side by side: gRPC\n\n{there}; {valgrind}.\n\n\
         The same loop with a request of gRPC, refused trailers-only.\n\n{grpc}\n\
         ## JWT mode\n\n{here}; {valgrind}.\n\n\
         Tokens of 800 bytes. Valgrind knows no SHA extensions: under it, SHA-256 of such a token is most of a hit, \
         which processors with these extensions do not spend. So nanoseconds stand beside. `README.md` says what a hit and a miss are.\n\n{jwt}\n\
         ## JWT mode, side by side\n\n{there}; {valgrind}.\n\n\
         One binary with all rows: the same tokens, keys and claims. The rivals remember nothing.\n\n{jwt_rivals}",
        gated = markdown(
            &["case", "instructions", "target", "allocations", "ns"],
            &gated
        ),
        timing = timing.text,
        scaling = scaling::table(),
    );
    fs::write(package.join("RESULTS.md"), text)?;
    record.store(&record_file)?;
    match timing.verdict {
        Verdict::Passed => Ok(()),
        _ => Err("written, and times tell secrets apart: RESULTS.md says which".into()),
    }
}

/// The flows that are taken apart.
const EXPLAINED: [&str; 4] = ["accept", "reject-http", "reject-grpc", "inject"];

fn functions(counter: &mut Counter<'_>, cases: &[Case]) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for name in EXPLAINED {
        let case = find(cases, name).ok_or_else(|| CountError::Unknown(name.to_owned()))?;
        let rows: Vec<Vec<String>> = counter
            .by_function(case)?
            .iter()
            .map(|(function, count)| {
                vec![grouped(*count), format!("`{}`", without_paths(function))]
            })
            .collect();
        text.push_str(&markdown(&[name, "function"], &rows));
        text.push('\n');
    }
    Ok(text)
}

/// A function's name with every path in it cut to its last name, or to its last two for a free function.
fn without_paths(function: &str) -> String {
    let mut text = String::new();
    let mut rest = function;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
        let (before, path) = rest.split_at(start);
        text.push_str(before);
        let end = path
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(path.len());
        let (path, after) = path.split_at(end);
        text.push_str(last_names(path));
        rest = after;
    }
    text.push_str(rest);
    text
}

fn last_names(path: &str) -> &str {
    let Some((before, last)) = path.rsplit_once("::") else {
        return path;
    };
    if before.is_empty() || last.starts_with(char::is_uppercase) {
        // A method behind a type, or a type.
        return if before.is_empty() { path } else { last };
    }
    match before.rsplit_once("::") {
        Some((modules, _)) => &path[modules.len() + "::".len()..],
        None => path,
    }
}

fn parts(counter: &mut Counter<'_>, cases: &[Case]) -> Result<String, Box<dyn Error>> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for step in refusal::STEPS {
        let case =
            find(cases, step.case).ok_or_else(|| CountError::Unknown(step.case.to_owned()))?;
        let measured = measure(counter, case)?;
        let upon = step.upon.and_then(|upon| counts.get(upon)).copied();
        rows.push(vec![
            step.adds.to_owned(),
            grouped(measured.instructions - upon.unwrap_or_default()),
            grouped(measured.instructions),
            measured.allocations.to_string(),
        ]);
        counts.insert(step.case, measured.instructions);
    }
    Ok(markdown(
        &["step", "instructions", "together", "allocations"],
        &rows,
    ))
}

/// Builds another package, rivals or JWT mode, and has it print its table.
fn run(which: &[&str], package: &Path, command: &str) -> Result<String, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--release", "--locked", "--quiet"])
        .args(which)
        .args(["--", command])
        .current_dir(package)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        let which = which.join(" ");
        return Err(format!(
            "{which} could not be built or measured; what went wrong is printed above"
        )
        .into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_shown_without_the_paths_in_its_name() {
        for (name, shown) in [
            ("__memcpy_avx_unaligned_erms", "__memcpy_avx_unaligned_erms"),
            ("http::header::map::hash_elem_using", "map::hash_elem_using"),
            (
                "http::header::map::HeaderMap<T>::remove",
                "HeaderMap<T>::remove",
            ),
            (
                "core::ptr::drop_in_place<[http::header::map::Bucket<http::header::value::HeaderValue>]>",
                "ptr::drop_in_place<[Bucket<HeaderValue>]>",
            ),
            (
                "<a::b::RequireToken<S> as tower_service::Service<http::request::Request<B>>>::call",
                "<RequireToken<S> as Service<Request<B>>>::call",
            ),
        ] {
            assert_eq!(without_paths(name), shown);
        }
    }

    #[test]
    fn every_explained_flow_is_a_case() {
        for name in EXPLAINED {
            assert!(find(&crate::cases(), name).is_some(), "{name}");
        }
    }
}
