//! The token from a file that changes while the process runs.

use std::fs;

use crate::process::{Sidecar, Start, TOKEN};
use crate::store_files::Files;
use crate::wire::request;

const SECRET: &str = "/v1.0/secrets/files/a";
const FIRST: &str = "the-first-token-of-the-file";
const SECOND: &str = "the-second-token-of-the-file";

fn files() -> Files {
    Files::with_secrets(r#"{"a": "1"}"#).file("token", format!("{FIRST}\n"))
}

fn with_file(files: &Files) -> Start {
    files
        .start(Start::bare())
        .args(["--dapr-http-port", "0", "--api-token-file", "token"])
}

fn replace(files: &Files, content: &str) {
    let next = files.path().join("next");
    fs::write(&next, content).expect("written");
    fs::rename(next, files.path().join("token")).expect("replaced");
}

fn statuses(sidecar: &Sidecar) -> [u16; 3] {
    [FIRST, SECOND, TOKEN].map(|token| {
        request(
            sidecar.address(),
            "GET",
            SECRET,
            &[("dapr-api-token", token)],
        )
        .status
    })
}

#[test]
fn api_g2_a_new_token_in_the_file_counts_and_the_old_one_for_the_overlap() {
    let rows: [(&str, &[&str], [u16; 3]); 3] = [
        ("an hour", &[], [200, 200, 401]),
        ("given", &["--api-token-overlap", "2h"], [200, 200, 401]),
        ("none", &["--api-token-overlap", "0"], [401, 200, 401]),
    ];
    for (name, args, after) in rows {
        let files = files();
        let mut sidecar = with_file(&files).args(args).serve();
        assert_eq!(statuses(&sidecar), [200, 401, 401], "{name}");
        replace(&files, SECOND);
        sidecar.wait_for("the token file names another token");
        assert_eq!(statuses(&sidecar), after, "{name}");
        let output = sidecar.stop();
        for token in [FIRST, SECOND] {
            assert!(!output.stderr.contains(token), "{name}: {}", output.stderr);
        }
    }
}

#[test]
fn api_g2_a_file_that_becomes_useless_keeps_the_last_good_token() {
    let files = files();
    let mut sidecar = with_file(&files).serve();
    for content in ["", "with a space", "control\u{1}character"] {
        replace(&files, content);
        sidecar.wait_for("the last good ones stay");
        assert_eq!(statuses(&sidecar), [200, 401, 401], "{content:?}");
        replace(&files, FIRST);
        sidecar.wait_for("tokens can be loaded again");
    }
}

#[test]
fn api_g2_the_file_counts_before_the_variable() {
    let files = files();
    for args in [&[][..], &["--insecure-allow-anonymous"]] {
        let sidecar = with_file(&files)
            .env("DAPR_API_TOKEN", TOKEN)
            .args(args)
            .serve();
        assert_eq!(statuses(&sidecar), [200, 401, 401]);
        assert_eq!(request(sidecar.address(), "GET", SECRET, &[]).status, 401);
        let stderr = sidecar.stop().stderr;
        assert!(stderr.contains("DAPR_API_TOKEN has no effect"), "{stderr}");
    }
}

#[test]
fn api_g2_a_file_without_a_usable_token_keeps_it_from_starting() {
    let rows = [
        ("empty", Some("")),
        ("blank", Some(" \n\n")),
        ("a space inside", Some("a token\n")),
        ("gone", None),
    ];
    for (name, content) in rows {
        let files = files();
        match content {
            Some(content) => replace(&files, content),
            None => fs::remove_file(files.path().join("token")).expect("there"),
        }
        // No other source stands in for it, and no flag forgives it.
        let output = with_file(&files)
            .env("DAPR_API_TOKEN", TOKEN)
            .args(["--insecure-allow-anonymous"])
            .finish();
        assert_eq!(output.code(), Some(1), "{name}: {}", output.stderr);
        assert!(output.stderr.contains("token"), "{name}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{name}");
    }
}
