//! Files that are edited while the process serves.

use rustix::process::Signal;

use crate::process::{Sidecar, Start};
use crate::store_files::{Files, file_store};
use crate::wire::get;

const TARGET: &str = "/v1.0/secrets/files/a";

fn denying(name: &str) -> String {
    format!(
        "kind: Configuration\nmetadata: {{name: c}}\nspec:\n  secrets:\n    scopes:\n    - storeName: files\n      deniedSecrets: [{name}]\n"
    )
}

fn start(files: &Files) -> Sidecar {
    let start = files.start(Start::new());
    start
        .args(["--config", "config.txt", "--log-level", "info"])
        .serve()
}

fn assert_answer(sidecar: &Sidecar, status: u16, body: &str) {
    let answer = get(sidecar.address(), TARGET);
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text().contains(body), "{answer:?}");
}

#[test]
fn api_g10_api_e6_f6_edits_are_served_and_bad_ones_told() {
    const RELOADED: &str = "components and scopes were reloaded";
    const KEPT: &str = "the last good state serves on";

    let files = Files::with_secrets(r#"{"a": "1"}"#).file("config.txt", denying("b"));
    let mut sidecar = start(&files);
    assert_answer(&sidecar, 200, "\"1\"");

    // A secret.
    let files = files.file("secrets.json", r#"{"a": "2"}"#);
    sidecar.wait_for("secrets were read anew");
    assert_answer(&sidecar, 200, "\"2\"");

    // A scope.
    let files = files.file("config.txt", denying("a"));
    sidecar.wait_for(RELOADED);
    assert_answer(&sidecar, 403, "ERR_PERMISSION_DENIED");

    // A bad edit is told with its line, and what was good serves on.
    let bad = denying("a").replace("deniedSecrets", "denied");
    let files = files.file("config.txt", bad);
    let told = sidecar.wait_for("config.txt:7: ");
    assert!(told.contains("ERROR") && told.contains("denied"), "{told}");
    sidecar.wait_for(KEPT);
    assert_answer(&sidecar, 403, "ERR_PERMISSION_DENIED");
    let files = files.file("config.txt", denying("b"));
    sidecar.wait_for(RELOADED);
    assert_answer(&sidecar, 200, "\"2\"");

    // A secrets file that cannot be used.
    let files = files.file("secrets.json", "{\n");
    let told = sidecar.wait_for("the last good content is served");
    assert!(
        told.contains("WARN") && told.contains("secrets.json:"),
        "{told}"
    );
    assert_answer(&sidecar, 200, "\"2\"");

    // Another file, another store, none.
    let files = files
        .file("others.json", r#"{"a": "3"}"#)
        .file("resources/files.yaml", file_store("files", "others.json"));
    sidecar.wait_for(RELOADED);
    assert_answer(&sidecar, 200, "\"3\"");
    let files = files.file("resources/files.yaml", file_store("renamed", "others.json"));
    sidecar.wait_for("which is no secret store here");
    sidecar.wait_for(KEPT);
    assert_answer(&sidecar, 200, "\"3\"");
    let files = files
        .file("config.txt", "kind: Configuration\n")
        .file("resources/files.yaml", "");
    sidecar.wait_for(RELOADED);
    assert_answer(&sidecar, 500, "ERR_SECRET_STORES_NOT_CONFIGURED");
    drop(files);
    assert_eq!(sidecar.stop().code(), Some(0));
}

#[test]
fn api_g10_sighup_reloads_at_once_and_ends_nothing() {
    let files = Files::with_secrets(r#"{"a": "1"}"#).file("config.txt", denying("b"));
    let mut sidecar = start(&files);
    sidecar.signal(Signal::HUP);
    let told = sidecar.wait_for("components and scopes were reloaded");
    assert!(told.contains("kept=1"), "{told}");
    assert_answer(&sidecar, 200, "\"1\"");
    assert_eq!(sidecar.stop().code(), Some(0));
}

#[test]
fn w7_a_component_is_rebuilt_when_a_secret_that_it_refers_to_changes() {
    const REFERRING: &str = "kind: Component\nmetadata: {name: referring}\nauth: {secretStore: files}\nspec:\n  type: secretstores.local.file\n  metadata:\n  - {name: secretsFile, secretKeyRef: {name: path}}\n";
    let files = Files::with_secrets(r#"{"path": "one.json"}"#)
        .file("one.json", r#"{"a": "1"}"#)
        .file("two.json", r#"{"a": "2"}"#)
        .file("resources/referring.yaml", REFERRING);
    let mut sidecar = files.start(Start::new()).serve();
    let assert_value = |sidecar: &Sidecar, value: &str| {
        let answer = get(sidecar.address(), "/v1.0/secrets/referring/a");
        assert_eq!((answer.status, &*answer.text()), (200, value), "{answer:?}");
    };
    assert_value(&sidecar, r#"{"a":"1"}"#);

    let files = files.file("secrets.json", r#"{"path": "two.json"}"#);
    let told = sidecar.wait_for("components and scopes were reloaded");
    assert!(told.contains("kept=1 replaced=1"), "{told}");
    assert_value(&sidecar, r#"{"a":"2"}"#);

    // What cannot be used is told, and the old one stays.
    let files = files.file("secrets.json", r#"{"path": "none.json"}"#);
    sidecar.wait_for("component \"referring\" stays as it was, degraded");
    assert_value(&sidecar, r#"{"a":"2"}"#);
    let files = files.file("secrets.json", r#"{"other": "x"}"#);
    sidecar.wait_for("has no secret \"path\"");
    sidecar.wait_for("component \"referring\" stays as it was, degraded");
    assert_value(&sidecar, r#"{"a":"2"}"#);

    let files = files.file("secrets.json", r#"{"path": "one.json"}"#);
    sidecar.wait_for("replaced=1");
    assert_value(&sidecar, r#"{"a":"1"}"#);
    drop(files);
    assert_eq!(sidecar.stop().code(), Some(0));
}
