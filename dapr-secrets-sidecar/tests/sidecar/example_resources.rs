//! The commands that the documents give, as they are written there, and what they serve.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::Start;
use crate::store_files::{Files, file_store};
use crate::wire::{get, get_anonymously, request};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn start() -> Start {
    Start::new()
        .current_dir(root())
        .resources("examples/resources")
}

/// The two commands of a document's quick start: one line each, whatever stands before them.
struct QuickStart {
    start: String,
    read: String,
}

impl QuickStart {
    fn of(document: &str) -> Self {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
        let line = |begin: &str, contains: &str| {
            let found: Vec<_> = text
                .lines()
                .filter_map(|line| Some(&line[line.find(begin)?..]))
                .filter(|line| line.contains(contains))
                .collect();
            assert_eq!(found.len(), 1, "{document}: one `{begin}`: {found:?}");
            found[0].to_owned()
        };
        Self {
            start: line("DAPR_API_TOKEN=", " cargo run -- "),
            read: line("curl -H '", "http://"),
        }
    }

    /// The token, and what follows `cargo run --`.
    fn start(&self) -> (&str, Vec<&str>) {
        let (variable, args) = self
            .start
            .split_once(" cargo run -- ")
            .expect("the command that starts it");
        let token = variable
            .strip_prefix("DAPR_API_TOKEN=")
            .expect("the only variable");
        (token, args.split(' ').collect())
    }

    /// The name and the value of the header, and the path.
    fn read(&self) -> (&str, &str, &str) {
        let rest = self.read.strip_prefix("curl -H '").expect("a header");
        let (header, url) = rest.split_once("' ").expect("its end");
        let (name, value) = header.split_once(": ").expect("a name and a value");
        let path = url
            .strip_prefix("http://127.0.0.1:3500")
            .expect("the default address and port");
        (name, value, path)
    }
}

#[test]
fn the_quick_start_of_the_readme_works_as_it_is_written() {
    let quick_start = QuickStart::of("README.md");
    let (token, args) = quick_start.start();
    let sidecar = Start::bare()
        .current_dir(root())
        .env("DAPR_API_TOKEN", token)
        .args(args)
        .args(["--dapr-http-port", "0"])
        .serve();
    let (name, value, path) = quick_start.read();
    let answer = request(sidecar.address(), "GET", path, &[(name, value)]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let readme = fs::read_to_string(root().join("README.md")).expect("it was read before");
    let (_, rest) = readme.split_once("```json\n").expect("the answer");
    let (shown, _) = rest.split_once("\n```").expect("its end");
    assert_eq!(answer.text(), shown);
    assert_eq!(
        get_anonymously(sidecar.address(), path).status,
        401,
        "as the next sentence says"
    );
}

#[test]
fn every_document_gives_the_same_quick_start() {
    let readme = QuickStart::of("README.md");
    for document in [
        "dapr-secrets-sidecar/README.md",
        "examples/resources/stores.yaml",
    ] {
        let other = QuickStart::of(document);
        assert_eq!(other.start, readme.start, "{document}");
        assert_eq!(other.read, readme.read, "{document}");
    }
}

#[test]
fn f1_f2_l1_l2_the_example_resources_serve_what_they_say() {
    let sidecar = start()
        .env("DEMO_GREETING", "hello")
        .env("OTHER", "not for anyone")
        .serve();
    let rows: [(&str, Value); 5] = [
        (
            "/v1.0/secrets/passwords/redis",
            json!({ "redis": "hunter2" }),
        ),
        (
            "/v1.0/secrets/passwords/database:user",
            json!({ "database:user": "app" }),
        ),
        (
            "/v1.0/secrets/credentials/database",
            json!({ "user": "app", "password": "correct-horse", "port": "5432" }),
        ),
        (
            "/v1.0/secrets/environment/GREETING",
            json!({ "GREETING": "hello" }),
        ),
        (
            "/v1.0/secrets/environment/bulk",
            json!({ "GREETING": { "GREETING": "hello" } }),
        ),
    ];
    for (path, body) in rows {
        let answer = get(sidecar.address(), path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.json(), Some(body), "{path}");
    }
    assert_eq!(
        get(sidecar.address(), "/v1.0/secrets/environment/OTHER").status,
        204
    );
}

#[test]
fn api_g4_the_example_resources_are_valid() {
    let output = Start::bare()
        .args(["validate"])
        .current_dir(root())
        .resources("examples/resources")
        .finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, "OK: 3 secret stores");
}

#[test]
fn api_g4_the_examples_of_the_help_work_as_they_are_written() {
    let files = Files::with_secrets(r#"{"NAME": "1"}"#)
        .file("resources/store.yaml", file_store("STORE", "secrets.json"))
        .file(
            "config.yaml",
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec: {}\n",
        );
    for help in [&["--help"][..], &["run", "--help"]] {
        let text = Start::bare().args(help).finish().stdout;
        let (_, rest) = text.split_once("Example:\n").expect("an example");
        let mut lines = rest.lines().map(str::trim);
        let start = lines.next().expect("the command that starts it");
        let read = lines.next().expect("the command that reads a secret");
        let (variable, args) = start
            .split_once(" dapr-secrets-sidecar ")
            .expect("this binary");
        let (name, token) = variable.split_once('=').expect("a variable");
        let sidecar = Start::bare()
            .current_dir(files.path())
            .env(name, token)
            .args(args.split(' '))
            .args(["--dapr-http-port", "0"])
            .serve();
        let read = QuickStart {
            start: start.to_owned(),
            read: read.to_owned(),
        };
        let (name, value, path) = read.read();
        let answer = request(sidecar.address(), "GET", path, &[(name, value)]);
        assert_eq!(answer.json(), Some(json!({ "NAME": "1" })), "{help:?}");
    }
    let text = Start::bare().args(["validate", "--help"]).finish().stdout;
    let (_, rest) = text.split_once("Example:\n").expect("an example");
    let line = rest.lines().next().expect("a command").trim();
    let args = line
        .strip_prefix("dapr-secrets-sidecar ")
        .expect("this binary");
    let output = Start::bare()
        .current_dir(files.path())
        .args(args.split(' '))
        .finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, "OK: 2 secret stores");
}
