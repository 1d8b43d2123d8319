//! JWT mode of ours, `jsonwebtoken::decode`, and the rivals in one binary, driven by the same loop with the same tokens.
//!
//! Each rival is used as its documentation shows. `table` measures all rows; the other commands are those of
//! `dapr-token-benches`.
#![forbid(unsafe_code)]

mod axum_jwt_auth_extractor;
mod jwt_authorizer_layer;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use dapr_token_benches::callgrind::Counter;
use dapr_token_benches::case::Case;
use dapr_token_benches::{command, gate};
use dapr_token_jwt_benches::row::{DECODE, OURS, REQUESTS, Row, figures, table};

/// Every case: ours, then the rivals'.
fn cases() -> Vec<Case> {
    let mut cases = dapr_token_jwt_benches::cases();
    cases.extend_from_slice(jwt_authorizer_layer::CASES);
    cases.extend_from_slice(axum_jwt_auth_extractor::CASES);
    cases
}

fn rows() -> Vec<Row> {
    let mut rows = OURS.to_vec();
    rows.extend([
        DECODE,
        jwt_authorizer_layer::ROW,
        axum_jwt_auth_extractor::ROW,
    ]);
    rows
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell it to if standard error is gone.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let cases = cases();
    match arguments {
        ["table"] => {
            gate::optimised()?;
            let mut counter = Counter::new(&cases)?.of_requests(REQUESTS);
            let mut measured = Vec::new();
            for row in rows() {
                measured.push((row, figures(&mut counter, &cases, &row)?));
            }
            let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
            let lock = fs::read_to_string(lock)?;
            write!(io::stdout(), "{}", table(&measured, &lock))?;
            Ok(())
        }
        arguments if command::run(&cases, arguments)? => Ok(()),
        _ => Err(format!(
            "usage: dapr-token-bench-jwt-peers COMMAND\n  \
             table           every row, measured\n{}",
            command::USAGE
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use dapr_token_benches::case::find;
    use dapr_token_benches::drive::{Outcome, Plan};
    use dapr_token_benches::figures::answers_as_told;
    use dapr_token_benches::inner::FORWARDED;
    use dapr_token_jwt_benches::decode;
    use dapr_token_jwt_benches::ours::{bearer, carrying, check_one};
    use dapr_token_jwt_benches::token::{EDDSA, ENDS_AT, MADE_AT, claims_and};

    use super::*;

    #[test]
    fn every_rival_accepts_the_tokens() {
        let cases = cases();
        for row in rows() {
            for name in row.cases {
                let case = find(&cases, name).unwrap();
                assert!(answers_as_told(case).unwrap(), "{name}");
            }
        }
    }

    /// Whether ours, `decode`, `jwt-authorizer` and `axum-jwt-auth` let it through.
    fn accepted(header: &str, claims: &str) -> [bool; 4] {
        let token = EDDSA.sign(header, claims).unwrap();
        let plain = [carrying(&token)];
        [
            check_one(&token, EDDSA),
            decode::check_with(Plan::Answer, &plain, EDDSA),
            jwt_authorizer_layer::check_with(Plan::Answer, &[bearer(&token)], EDDSA),
            axum_jwt_auth_extractor::check_with(Plan::Answer, &plain, EDDSA),
        ]
        .map(|outcome| matches!(outcome, Outcome::Answer(Some(FORWARDED))))
    }

    #[test]
    fn the_rivals_let_through_what_their_rows_say() {
        let header = EDDSA.header_and("");
        let header_with = |from: &str, to: &str| header.replace(from, to);
        let claims = |more: &str| claims_and(MADE_AT, &format!(r#","jti":"1"{more}"#));
        let good = claims("");
        let claims_with = |from: &str, to: &str| good.replace(from, to);
        let (everyone, all_but_ours, nobody) = ([true; 4], [false, true, true, true], [false; 4]);
        let padding = format!(r#","note":"{}""#, "x".repeat(7_000));
        let made_later = claims_and(ENDS_AT - 1, r#","jti":"1""#);
        let crit = EDDSA.header_and(r#","crit":["x"],"x":"1""#);
        let twice = r#","note":"a","note":"b""#;
        let issuer_twice = r#","iss":"https://issuer.example""#;
        for (name, header, claims, expected) in [
            ("a good token", header.clone(), good.clone(), everyone),
            ("`crit`", crit, good.clone(), all_but_ours),
            (
                "`typ`",
                header_with("JWT", "logout+jwt"),
                good.clone(),
                all_but_ours,
            ),
            (
                "another `kid`",
                header_with("2026-01", "2027-01"),
                good.clone(),
                all_but_ours,
            ),
            (
                "an unknown claim twice",
                header.clone(),
                claims(twice),
                all_but_ours,
            ),
            (
                "`iat` in the future",
                header.clone(),
                made_later,
                all_but_ours,
            ),
            ("9 KiB", header.clone(), claims(&padding), all_but_ours),
            // What they do check: a row that they let everything through would prove nothing.
            (
                "another algorithm",
                header_with("EdDSA", "HS256"),
                good.clone(),
                nobody,
            ),
            (
                "another issuer",
                header.clone(),
                claims_with("issuer.", "other."),
                nobody,
            ),
            (
                "another audience",
                header.clone(),
                claims_with("\"orders\"", "\"other\""),
                nobody,
            ),
            (
                "over",
                header.clone(),
                claims_with("4102444800", "1767225601"),
                nobody,
            ),
            ("`iss` twice", header.clone(), claims(issuer_twice), nobody),
        ] {
            assert_eq!(accepted(&header, &claims), expected, "{name}");
        }
    }
}
