//! Runs the example, and reads its timeline.

use std::process::Command;

#[test]
fn no_request_is_refused_during_the_rollover_and_the_removed_key_ends() {
    let output = Command::new(env!("CARGO_BIN_EXE_key-rollover"))
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let told = String::from_utf8_lossy(&output.stdout);
    let counts: Vec<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("   20 requests signed with "))
        .collect();
    let all = |kid: &str, fetches| {
        format!("{kid}: 20 accepted, 0 refused; keys fetched so far: {fetches}")
    };
    let none = |kid: &str, fetches| {
        format!("{kid}: 0 accepted, 20 refused; keys fetched so far: {fetches}")
    };
    assert_eq!(
        counts,
        [
            all("2026-10", 1),
            all("2026-10", 1),
            // The 20 share one fetch, and wait for it.
            all("2026-11", 2),
            all("2026-10", 2),
            all("2026-11", 2),
            none("2026-12", 3),
            all("2026-11", 3),
            none("2026-10", 3),
        ],
        "{told}"
    );
}
