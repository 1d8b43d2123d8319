//! The tables of `RESULTS.md` that are of JWTs, the targets below them, and the record that the gate compares with.

use std::error::Error;
use std::fs;
use std::path::Path;

use dapr_token_benches::callgrind::Counter;
use dapr_token_benches::case::{Case, Gate, find};
use dapr_token_benches::figures::{measure, net_nanoseconds};
use dapr_token_benches::gate::{against_target, optimised};
use dapr_token_benches::machine::{RUSTC, counted_on};
use dapr_token_benches::record::{Record, accept};
use dapr_token_benches::table::{grouped, markdown};

use crate::row::{DECODE, Figures, OURS, REQUESTS, figures, table};
use crate::{hash, ours};

/// Rows that are shown beside the gated ones: the same static token without JWT mode, and a refusal.
const SHOWN: [&str; 2] = ["accept", "refused-signature"];

/// Measures everything of this package, writes the record, and gives the tables. `package` is the folder of this
/// package.
///
/// # Errors
///
/// What keeps a case from being run or counted, or a file from being read or written.
pub fn record(cases: &[Case], package: &Path) -> Result<String, Box<dyn Error>> {
    optimised()?;
    let file = package.join("record.json");
    let last = Record::load(&file)?;
    let mut record = Record {
        rustc: RUSTC.to_owned(),
        machine: counted_on(),
        ..Record::default()
    };
    let mut counter = Counter::new(cases)?;
    let mut gated = Vec::new();
    let shown = SHOWN.iter().filter_map(|name| find(cases, name));
    let is_gated = |case: &&Case| case.gate != Gate::Open;
    for case in ours::CASES.iter().filter(is_gated).chain(shown) {
        let measured = measure(&mut counter, case)?;
        if case.gate != Gate::Open {
            let entry = accept(case.gate, measured, last.cases.get(case.name));
            record.cases.insert(case.name.to_owned(), entry);
        }
        let baseline = case.baseline.and_then(|name| find(cases, name));
        gated.push(vec![
            case.name.to_owned(),
            grouped(measured.instructions),
            against_target(case.gate, measured),
            measured.allocations.to_string(),
            net_nanoseconds(case, baseline)?.to_string(),
        ]);
    }

    let mut counter = Counter::new(cases)?.of_requests(REQUESTS);
    let mut rows = Vec::new();
    for row in OURS.iter().chain([&DECODE]) {
        rows.push((*row, figures(&mut counter, cases, row)?));
    }
    let Some(case) = find(cases, hash::NAME) else {
        return Err("the hash is missing".into());
    };
    let baseline = case.baseline.and_then(|name| find(cases, name));
    let digest = (
        measure(&mut counter, case)?.instructions,
        net_nanoseconds(case, baseline)?,
    );
    let lock = fs::read_to_string(package.join("../../Cargo.lock"))?;
    let [(_, hit), (_, miss), _, (_, decode)] = rows.as_slice() else {
        return Err("a row is missing".into());
    };
    let targets = targets(hit, miss, decode, digest);
    let text = format!(
        "{}\n{}\n{}",
        markdown(
            &["case", "instructions", "target", "allocations", "ns"],
            &gated
        ),
        markdown(
            &["target", "instructions", "ns", "by instructions"],
            &targets
        ),
        table(&rows, &lock),
    );
    record.store(&file)?;
    Ok(text)
}

/// Instructions, and nanoseconds.
type Pair = (i64, i64);

/// What a hit may cost beside the hash of its token, in instructions.
const BESIDE_THE_HASH: i64 = 3_000;

/// The targets that compare rows with each other, by instructions; wall time stands beside.
fn targets(hit: &Figures, miss: &Figures, decode: &Figures, digest: Pair) -> Vec<Vec<String>> {
    const NAMES: [&str; 4] = ["RS256", "ES256", "EdDSA", "HS256"];
    let pairs = |figures: &Figures| {
        let [rs, es, ed, hs] = figures.measured.map(|measured| measured.instructions);
        let [rs_ns, es_ns, ed_ns, hs_ns] = figures.nanoseconds;
        [(rs, rs_ns), (es, es_ns), (ed, ed_ns), (hs, hs_ns)]
    };
    let line = |target: String, (ours, ours_ns): Pair, (theirs, theirs_ns): Pair, met: bool| {
        vec![
            target,
            format!("{} : {}", grouped(ours), grouped(theirs)),
            format!("{} : {}", grouped(ours_ns), grouped(theirs_ns)),
            if met { "met" } else { "missed" }.to_owned(),
        ]
    };
    let (hit, miss, decode) = (pairs(hit), pairs(miss), pairs(decode));
    // The last algorithm has no public key.
    let cheapest = miss.into_iter().take(3).min().unwrap_or_default();
    let dearest = hit.into_iter().max().unwrap_or_default();
    let mut lines = vec![line(
        format!(
            "a hit : SHA-256 of its token, at most {} more",
            grouped(BESIDE_THE_HASH)
        ),
        dearest,
        digest,
        dearest.0 <= digest.0 + BESIDE_THE_HASH,
    )];
    lines.push(line(
        "a hit : the cheapest miss with a public key, at most a tenth".to_owned(),
        dearest,
        cheapest,
        dearest.0 * 10 <= cheapest.0,
    ));
    for ((name, ours), theirs) in NAMES.iter().zip(miss).zip(decode) {
        // A miss is remembered, under the hash of its token.
        let theirs = (theirs.0 + digest.0, theirs.1 + digest.1);
        lines.push(line(
            format!("a miss with {name} : `jsonwebtoken::decode` and that hash, at most as much"),
            ours,
            theirs,
            ours.0 <= theirs.0,
        ));
    }
    lines
}
