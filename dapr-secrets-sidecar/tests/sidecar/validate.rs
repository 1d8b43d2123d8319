//! `validate` reads everything that `run` would read, and starts nothing.

use std::net::TcpListener;

use crate::process::{Start, TOKEN};
use crate::store_files::{Files, file_store};

#[test]
fn api_g4_validate_sums_up_what_is_fine() {
    let files = Files::with_secrets(r#"{"a": "1"}"#).file(
        "resources/variables.yaml",
        file_store("variables", "secrets.json"),
    );
    // No token, and a port that is taken: neither matters here.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let output = files
        .start(Start::bare().args(["validate"]))
        .args(["--dapr-http-port", &port, "--app-id", "t"])
        .finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, "OK: 2 secret stores");
    assert_eq!(output.stderr, "");
}

#[test]
fn api_g4_validate_prints_one_problem_a_line() {
    let files = Files::empty()
        .file(
            "resources/a.yaml",
            file_store("a", "s").replace("local.file", "nothing"),
        )
        .file(
            "resources/b.yaml",
            file_store("b", "s").replace("v1\n  metadata", "v9\n  metadata"),
        );
    let output = files.start(Start::bare().args(["validate"])).finish();
    assert_eq!(output.code(), Some(1));
    assert_eq!(output.stdout, "");
    let lines: Vec<_> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", output.stderr);
    for (line, place) in lines.iter().zip(["resources/a.yaml", "resources/b.yaml"]) {
        let (file, rest) = line.split_once(':').expect("a file");
        let (number, message) = rest.split_once(": ").expect("a line and a message");
        assert_eq!(file, place, "{line}");
        assert!(
            number.parse::<u32>().is_ok_and(|number| number > 0),
            "{line}"
        );
        assert!(!message.is_empty(), "{line}");
    }
}

#[test]
fn api_e7_a_name_that_is_allowed_and_denied_is_a_warning() {
    let files = Files::with_secrets(r#"{"a": "1"}"#).file(
        "config.yaml",
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n  secrets:\n    scopes:\n      \
         - storeName: files\n        allowedSecrets: [a]\n        deniedSecrets: [a]\n",
    );
    let output = files
        .start(Start::bare().args(["validate"]))
        .args(["--config", "config.yaml"])
        .finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, "OK: 1 secret store");
    assert!(output.stderr.contains("config.yaml:"), "{}", output.stderr);
}

#[test]
fn s20_lenient_turns_a_mistake_into_a_warning() {
    let misspelt =
        file_store("files", "secrets.json") + "    - name: multiValud\n      value: \"true\"\n";
    let files = Files::empty()
        .file("resources/files.yaml", misspelt)
        .file("secrets.json", "{}");
    let strict = files.start(Start::bare().args(["validate"])).finish();
    assert_eq!(strict.code(), Some(1), "{}", strict.stderr);
    let lenient = files
        .start(Start::bare().args(["validate", "--lenient"]))
        .finish();
    assert_eq!(lenient.code(), Some(0), "{}", lenient.stderr);
    assert!(lenient.stderr.contains("multiValud"), "{}", lenient.stderr);
}

#[test]
fn api_g4_api_e5_zero_stores_are_a_warning_of_run_and_validate_that_says_why() {
    let scoped = |tail: &str| file_store("scoped", "secrets.json") + tail;
    let other = "scopes: [checkout]\n";
    let elsewhere = file_store("scoped", "secrets.json")
        .replace("name: scoped", "name: scoped\n  namespace: other");
    let rows: [(&str, Files, &[&str], &[&str]); 5] = [
        ("no folder", Files::empty(), &[], &["no --resources-path"]),
        (
            "an empty folder",
            Files::empty(),
            &["--resources-path", "resources"],
            &["declare none", "skipped=0"],
        ),
        (
            "a store of another app",
            Files::empty().file("resources/s.yaml", scoped(other)),
            &["--resources-path", "resources", "--app-id", "orders"],
            &["resources/s.yaml:4: ", "checkout", "skipped=1", "orders"],
        ),
        (
            "a store of another app, and no app id",
            Files::empty().file("resources/s.yaml", scoped(other)),
            &["--resources-path", "resources"],
            &["resources/s.yaml:4: ", "checkout", "skipped=1"],
        ),
        (
            "a store of another namespace",
            Files::empty().file("resources/s.yaml", elsewhere),
            &["--resources-path", "resources"],
            &["resources/s.yaml:4: ", "\"other\"", "skipped=1", "\"this\""],
        ),
    ];
    for (name, files, args, says) in rows {
        let start = |subcommand: &str| {
            Start::bare()
                .args([subcommand, "--dapr-http-port", "0"])
                .env("DAPR_API_TOKEN", TOKEN)
                .current_dir(files.path())
                .env("NAMESPACE", "this")
                .args(args)
        };
        let validated = start("validate").finish();
        assert_eq!(validated.code(), Some(0), "{name}: {}", validated.stderr);
        assert_eq!(validated.stdout, "OK: 0 secret stores", "{name}");
        let run = start("run").serve().stop();
        for stderr in [&validated.stderr, &run.stderr] {
            let warnings = stderr.matches("no secret store is loaded: ").count();
            assert_eq!(warnings, 1, "{name}: {stderr}");
            for text in says {
                assert!(stderr.contains(text), "{name}: `{text}` in {stderr}");
            }
        }
    }
}

#[test]
fn api_g4_api_e5_what_is_for_another_app_is_named_beside_what_is_loaded() {
    let scoped = file_store("scoped", "secrets.json") + "scopes: [checkout]\n";
    let files = Files::with_secrets("{}").file("resources/scoped.yaml", scoped);
    let output = files.start(Start::bare().args(["validate"])).finish();
    assert_eq!(output.stdout, "OK: 1 secret store", "{}", output.stderr);
    let lines: Vec<_> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{}", output.stderr);
    assert!(
        lines[0].contains("resources/scoped.yaml:4: "),
        "{}",
        lines[0]
    );
    assert!(lines[0].contains("checkout"), "{}", lines[0]);
}
