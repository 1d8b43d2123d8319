//! What a JWT costs in front of a service.
//!
//! ```text
//! token.rs   tokens of 800 bytes, and their keys
//! ours.rs    the layer: remembered tokens, new ones, refused ones
//! decode.rs  jsonwebtoken::decode, called by a layer as plain as can be
//! hash.rs    the hash that finds a remembered token, alone
//! row.rs     a line of the tables: one way to check, by four algorithms
//! report.rs  the tables, and the targets
//! ```
//!
//! A package of its own, because the feature `jwt` in the binary of `dapr-token-benches` could move the counts of static
//! tokens. A library, so that the rivals in `benches/peers/jwt` are driven by the same loop with the same tokens. The
//! README of `benches` says how to read a row.
#![forbid(unsafe_code)]

pub mod decode;
pub mod hash;
pub mod ours;
pub mod report;
pub mod row;
pub mod token;

use dapr_token_benches::case::Case;

/// Every case, and those of static tokens, compiled into this binary.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = dapr_token_benches::cases();
    for case in &mut cases {
        // Their gate is in their own package.
        case.gate = dapr_token_benches::case::Gate::Open;
    }
    cases.extend_from_slice(ours::CASES);
    cases.extend_from_slice(decode::CASES);
    cases.extend_from_slice(hash::CASES);
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dapr_token_benches::figures::answers_as_told;

    use super::*;

    #[test]
    fn every_case_answers_as_its_row_says() {
        for case in [ours::CASES, decode::CASES, hash::CASES].concat() {
            assert!(answers_as_told(&case).unwrap(), "{}", case.name);
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own_and_a_baseline_that_exists() {
        let cases = cases();
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            let exists = |name| names.contains(name);
            assert!(case.baseline.is_none_or(exists), "{}", case.name);
        }
    }
}
