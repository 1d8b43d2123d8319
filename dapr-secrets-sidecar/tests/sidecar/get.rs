//! `get` prints what the API would answer, and nothing else.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use crate::process::{Output, Start, TOKEN};
use crate::store_files::{Files, file_store};
use crate::wire;

const SECRETS: &str =
    r#"{"a": "1", "odd \"name\"/%": "x\n\u0007é\u2028", "db": {"user": "u", "denied": "d"}}"#;

/// `files` under a scope that denies one secret, `pairs` with several keys each, and the variables that start with `DEMO_`.
fn files() -> Files {
    Files::with_secrets(SECRETS)
        .file(
            "resources/pairs.yaml",
            file_store("pairs", "secrets.json")
                + "    - name: multiValued\n      value: \"true\"\n",
        )
        .file(
            "resources/variables.yaml",
            file_store("variables", "DEMO_")
                .replace("local.file", "local.env")
                .replace("secretsFile", "prefix"),
        )
        .file(
            "config.yaml",
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n  secrets:\n    scopes:\n      \
             - storeName: files\n        deniedSecrets: [\"db:denied\"]\n",
        )
}

fn get(files: &Files, args: &[&str]) -> Output {
    let start = Start::bare().env("DEMO_GREETING", "hello").args(["get"]);
    files
        .start(start.args(args))
        .args(["--config", "config.yaml"])
        .finish()
}

#[test]
fn api_g4_get_prints_one_json_object_and_nothing_else() {
    let files = files();
    let rows: [(&str, &[&str], Value); 7] = [
        ("a secret", &["files", "a"], json!({ "a": "1" })),
        (
            "an odd name and value",
            &["files", "odd \"name\"/%"],
            json!({ "odd \"name\"/%": "x\n\u{7}é\u{2028}" }),
        ),
        (
            "several keys",
            &["pairs", "db"],
            json!({ "denied": "d", "user": "u" }),
        ),
        (
            "a variable",
            &["variables", "GREETING"],
            json!({ "GREETING": "hello" }),
        ),
        (
            "all that the scope lets through",
            &["files", "--bulk"],
            json!({
                "a": { "a": "1" },
                "db:user": { "db:user": "u" },
                "odd \"name\"/%": { "odd \"name\"/%": "x\n\u{7}é\u{2028}" },
            }),
        ),
        (
            "those with a prefix",
            &[
                "files",
                "--bulk",
                "--metadata",
                "prefix=db",
                "--metadata",
                "prefix=a",
            ],
            json!({ "db:user": { "db:user": "u" } }),
        ),
        (
            "none",
            &["files", "--bulk", "--metadata", "prefix=nothing"],
            json!({}),
        ),
    ];
    for (name, args, expected) in rows {
        let output = get(&files, args);
        assert_eq!(output.code(), Some(0), "{name}: {}", output.stderr);
        assert_eq!(output.stderr, "", "{name}");
        assert_eq!(output.stdout, expected.to_string(), "{name}");
    }
}

#[test]
fn api_g4_what_get_cannot_print_is_one_error_on_stderr() {
    let files = files();
    let many: Vec<String> = (0..33).map(|index| format!("k{index}=v")).collect();
    let mut with_many = vec!["files", "a"];
    for pair in &many {
        with_many.extend(["--metadata", pair]);
    }
    let rows: [(&str, &[&str], &str); 10] = [
        (
            "missing",
            &["files", "nope"],
            "error: failed getting secret with key nope from secret store files: secret nope not found",
        ),
        (
            "an unset variable",
            &["variables", "nope"],
            "error: failed getting secret with key nope from secret store variables: secret nope not found",
        ),
        (
            "refused by scope",
            &["files", "db:denied"],
            r#"error: access denied by policy to get "db:denied" from "files""#,
        ),
        (
            "no such store",
            &["nope", "a"],
            "error: failed finding secret store with key nope",
        ),
        (
            "no such store, all",
            &["nope", "--bulk"],
            "error: failed finding secret store with key nope",
        ),
        (
            "an empty name",
            &["files", ""],
            "error: failed getting secret with key  from secret store files: the secret name is empty",
        ),
        (
            "a name that would write a line of its own",
            &["files", "a\nerror: b"],
            "error: failed getting secret with key a\\nerror: b from secret store files: the secret name holds a control character",
        ),
        (
            "metadata that cannot be right",
            &["files", "--bulk", "--metadata", "partial=perhaps"],
            "error: failed getting secrets from secret store files: request metadata `partial` is neither true nor false",
        ),
        (
            "too much metadata",
            &with_many,
            "error: --metadata: more than 32 keys of request metadata",
        ),
        (
            "files that cannot be used",
            &["files", "a", "--resources-path", "gone"],
            "gone: ",
        ),
    ];
    for (name, args, says) in rows {
        let output = get(&files, args);
        assert_eq!(output.code(), Some(1), "{name}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{name}");
        assert_eq!(
            output.stderr.lines().count(),
            1,
            "{name}: {}",
            output.stderr
        );
        let line = output.stderr.trim_end();
        assert!(line.starts_with(says), "{name}: {line}");
    }
}

#[test]
fn api_g4_get_needs_no_token_opens_no_port_and_takes_the_command_line_of_run() {
    let files = files();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let output = get(
        &files,
        &["files", "a", "--dapr-http-port", &port, "--app-id", "t"],
    );
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, r#"{"a":"1"}"#);
    let output = get(
        &files,
        &["files", "a", "--profile", "daprd", "--app-port", "1"],
    );
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stderr, "");
}

#[test]
fn api_g4_api_e5_get_reads_for_the_app_that_is_named() {
    let scoped = file_store("scoped", "secrets.json") + "scopes: [checkout]\n";
    let files = files().file("resources/scoped.yaml", scoped);
    for (app, code) in [("checkout", 0), ("another", 1)] {
        let output = get(&files, &["scoped", "a", "--app-id", app]);
        assert_eq!(output.code(), Some(code), "{app}: {}", output.stderr);
    }
}

#[test]
fn api_g4_get_warns_only_when_it_is_asked_to() {
    let files = files().file(
        "config.yaml",
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n  secrets:\n    scopes:\n      \
         - storeName: files\n        allowedSecrets: [a]\n        deniedSecrets: [a]\n",
    );
    for (level, warnings) in [(&[][..], 0), (&["--log-level", "warn"], 1)] {
        let output = get(&files, &[&["files", "a"], level].concat());
        assert_eq!(output.code(), Some(0), "{}", output.stderr);
        assert_eq!(output.stdout, r#"{"a":"1"}"#);
        assert_eq!(output.stderr.lines().count(), warnings, "{}", output.stderr);
    }
}

#[test]
fn api_g4_api_c2_get_prints_what_the_api_answers() {
    let files = files();
    let sidecar = files
        .start(Start::new().args(["--config", "config.yaml"]))
        .serve();
    for (args, target) in [
        (&["files", "a"][..], "/v1.0/secrets/files/a"),
        (&["pairs", "db"], "/v1.0/secrets/pairs/db"),
        (&["files", "--bulk"], "/v1.0/secrets/files/bulk"),
    ] {
        let answer = wire::get(sidecar.address(), target);
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(get(&files, args).stdout, answer.text(), "{target}");
    }
}

#[test]
fn api_g4_a_secret_that_nobody_took_is_no_success() {
    // Every write to it fails as on a full disk.
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a Linux device");
    let files = files();
    let start = files.start(Start::bare().args(["get", "files", "a"]));
    let output = start.stdout(full).finish();
    assert_eq!(output.code(), Some(1), "{}", output.stderr);
    assert!(
        output
            .stderr
            .starts_with("error: stdout cannot be written to: "),
        "{}",
        output.stderr
    );
}

#[test]
fn api_g4_get_repeats_no_value_in_its_log() {
    let files = files();
    let start = Start::bare()
        .env("DAPR_API_TOKEN", TOKEN)
        .env("DEMO_GREETING", "a-value-of-its-own")
        .args(["get", "variables", "GREETING", "--log-level", "trace"]);
    let output = files.start(start).finish();
    assert_eq!(output.stdout, r#"{"GREETING":"a-value-of-its-own"}"#);
    for text in ["a-value-of-its-own", TOKEN] {
        assert!(!output.stderr.contains(text), "{}", output.stderr);
    }
}

#[test]
fn api_g4_a_partial_answer_is_printed_and_is_no_success() {
    let files = files();
    let broken = || {
        Start::bare()
            .env("DEMO_GREETING", "hello")
            .env("DEMO_BROKEN", OsStr::from_bytes(b"\xff"))
            .args(["get", "variables", "--bulk"])
    };
    let refused = files.start(broken()).finish();
    assert_eq!(refused.code(), Some(1));
    assert_eq!(refused.stdout, "");
    let partial = files.start(broken());
    let partial = partial.args(["--metadata", "partial=true"]).finish();
    assert_eq!(partial.code(), Some(1));
    assert_eq!(partial.stdout, r#"{"GREETING":{"GREETING":"hello"}}"#);
    assert_eq!(
        partial.stderr.trim_end(),
        "error: failed getting secret with key BROKEN: Corrupt: the variable's value is not UTF-8"
    );
}
