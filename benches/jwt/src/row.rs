//! A line of the tables: one way to check a token, by four algorithms.

use std::error::Error;

use dapr_token_benches::callgrind::Counter;
use dapr_token_benches::case::{Case, find};
use dapr_token_benches::figures::{measure, net_nanoseconds};
use dapr_token_benches::machine::locked_version;
use dapr_token_benches::record::Measured;
use dapr_token_benches::table::{grouped, markdown};

/// How many requests the short run serves where each costs a signature.
pub const REQUESTS: u64 = 100;

/// What is checked, and what is not.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The crate, whose version is read from the lock file; `None` for what is written here.
    pub package: Option<&'static str>,
    /// How it was used.
    pub layer: &'static str,
    /// Its cases: RS256, ES256, EdDSA, HS256.
    pub cases: [&'static str; 4],
    /// Who computes the signatures.
    pub backend: &'static str,
    /// What it leaves out of what ours does.
    pub leaves_out: &'static str,
}

/// Ours.
pub const OURS: &[Row] = &[
    Row {
        package: None,
        layer: "**ours**, the token remembered",
        cases: ["hit-rs256", "hit-es256", "hit-eddsa", "hit-hs256"],
        backend: "aws-lc-rs",
        leaves_out: "",
    },
    Row {
        package: None,
        layer: "**ours**, a token that is new and then remembered",
        cases: ["miss-rs256", "miss-es256", "miss-eddsa", "miss-hs256"],
        backend: "aws-lc-rs",
        leaves_out: "",
    },
    Row {
        package: None,
        layer: "**ours**, `jwt_cache(0)`",
        cases: [
            "no-cache-rs256",
            "no-cache-es256",
            "no-cache-eddsa",
            "no-cache-hs256",
        ],
        backend: "aws-lc-rs",
        leaves_out: "remembering, by choice",
    },
];

/// What `decode` takes and ours refuses, in each of its versions here: the tests of `benches/peers/jwt` show it. A claim
/// that is given twice is refused if the type of the claims names it.
const LIBRARY: &str = "remembering; a `crit` that nobody understands; `typ`; whether a `kid` is the key's; an unknown claim \
                       given twice; `iat` in the future; tokens of more than 8 KiB";

/// `jsonwebtoken::decode`.
pub const DECODE: Row = Row {
    package: Some("jsonwebtoken"),
    layer: "`decode`, the key parsed before",
    cases: [
        "decode-rs256",
        "decode-es256",
        "decode-eddsa",
        "decode-hs256",
    ],
    backend: "aws-lc-rs",
    leaves_out: LIBRARY,
};

/// What was found of one row.
#[derive(Debug)]
pub struct Figures {
    /// By algorithm.
    pub measured: [Measured; 4],
    /// Wall time, by algorithm.
    pub nanoseconds: [i64; 4],
}

/// Measures one row.
///
/// # Errors
///
/// What keeps a case from being run or counted.
pub fn figures(
    counter: &mut Counter<'_>,
    cases: &[Case],
    row: &Row,
) -> Result<Figures, Box<dyn Error>> {
    let mut measured = Vec::new();
    let mut nanoseconds = [0; 4];
    for (name, nanoseconds) in row.cases.iter().zip(&mut nanoseconds) {
        let case = find(cases, name).ok_or_else(|| format!("no case named {name}"))?;
        measured.push(measure(counter, case)?);
        let baseline = case.baseline.and_then(|name| find(cases, name));
        *nanoseconds = net_nanoseconds(case, baseline)?;
    }
    let measured = measured.try_into().map_err(|_| "four algorithms")?;
    Ok(Figures {
        measured,
        nanoseconds,
    })
}

/// The table. `lock` is the text of the lock file that the rows were built with.
#[must_use]
pub fn table(rows: &[(Row, Figures)], lock: &str) -> String {
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|(row, figures)| {
            let mut line = vec![title(row, lock)];
            line.extend(figures.measured.map(|found| grouped(found.instructions)));
            line.push(figures.nanoseconds.map(grouped).join(" / "));
            line.push(
                figures
                    .measured
                    .map(|found| found.allocations.to_string())
                    .join(" / "),
            );
            line.push(row.backend.to_owned());
            line.push(row.leaves_out.to_owned());
            line
        })
        .collect();
    markdown(
        &[
            "check",
            "RS256",
            "ES256",
            "EdDSA",
            "HS256",
            "ns, in this order",
            "allocations",
            "signatures by",
            "does not check",
        ],
        &lines,
    )
}

fn title(row: &Row, lock: &str) -> String {
    match row.package {
        None => row.layer.to_owned(),
        Some(package) => {
            // Where rivals bring older ones of their own, the newest is the one that is used here.
            let versions = locked_version(lock, package).unwrap_or_default();
            let version = versions.rsplit(' ').next().unwrap_or_default();
            format!("{package} {version} {}", row.layer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_cases() {
        let cases = crate::cases();
        for row in OURS.iter().chain([&DECODE]) {
            for name in row.cases {
                assert!(find(&cases, name).is_some(), "{name}");
            }
        }
    }
}
