//! No text from outside writes a line of its own, or steers the terminal that shows it.

use crate::process::{Start, TOKEN};
use crate::store_files::{Files, file_store};

/// A name that would add a line, colour the terminal and clear the screen.
const HOSTILE: &str = "x\nINJECTED a line\r\u{1b}[31m\u{9b}2J";

fn assert_escaped(name: &str, text: &str) {
    assert!(text.contains("INJECTED"), "{name}: it is named:\n{text}");
    assert!(!text.contains("\nINJECTED"), "{name}: a line:\n{text}");
    let is_steering = |char: char| char.is_control() && char != '\n';
    assert!(!text.contains(is_steering), "{name}: {text:?}");
}

#[test]
fn control_characters_in_flags_are_escaped_where_they_are_printed() {
    let unknown = format!("--{HOSTILE}");
    let misspelt = format!("--resources-pat={HOSTILE}");
    let folder = format!("--resources-path={HOSTILE}");
    let configuration = format!("--config={HOSTILE}");
    let port = format!("--dapr-http-port={HOSTILE}");
    let profile = format!("--profile={HOSTILE}");
    let address = format!("--dapr-listen-addresses={HOSTILE}");
    let rows: [(&str, &[&str], i32); 10] = [
        ("an unknown flag", &[&unknown], 2),
        ("an unknown flag of a subcommand", &["run", &unknown], 2),
        ("an unknown subcommand", &[HOSTILE], 2),
        ("an argument too many", &["run", HOSTILE], 2),
        ("a port", &[&port], 2),
        ("a profile", &[&profile], 2),
        ("an address", &[&address], 2),
        ("a folder", &["validate", &folder], 1),
        ("a configuration", &["validate", &configuration], 1),
        (
            "a folder, with JSON lines",
            &["validate", &folder, "--log-as-json"],
            1,
        ),
    ];
    for (name, args, code) in rows {
        let output = Start::bare().args(args).finish();
        assert_eq!(output.code(), Some(code), "{name}: {}", output.stderr);
        assert_escaped(name, &output.stderr);
    }
    // The value of a flag that is not there is not even shown.
    let output = Start::bare().args([&misspelt]).finish();
    assert!(!output.stderr.contains("\nINJECTED"), "{}", output.stderr);
}

#[test]
fn control_characters_in_file_names_are_escaped_where_they_are_printed() {
    let file = format!("resources/{HOSTILE}.yaml");
    let misspelt =
        file_store("files", "secrets.json") + "    - name: multiValud\n      value: \"true\"\n";
    let files = Files::empty()
        .file(&file, misspelt)
        .file("secrets.json", "{}");
    let strict = files.start(Start::bare().args(["validate"])).finish();
    assert_eq!(strict.code(), Some(1), "{}", strict.stderr);
    assert_escaped("a problem", &strict.stderr);
    assert_eq!(strict.stderr.lines().count(), 1, "{}", strict.stderr);

    for json in ["--log-as-json=false", "--log-as-json=true"] {
        let lenient = files
            .start(Start::bare().args(["validate", "--lenient", json]))
            .finish();
        assert_eq!(lenient.code(), Some(0), "{}", lenient.stderr);
        assert_escaped("a warning", &lenient.stderr);
        assert_eq!(lenient.stderr.lines().count(), 1, "{}", lenient.stderr);
    }
}

#[test]
fn control_characters_in_the_names_of_stores_are_escaped_where_they_are_printed() {
    let named =
        file_store("NAME", "secrets.json").replace("NAME", r#""x\nINJECTED a line\r\u001b[31m""#);
    let files = Files::with_secrets("{}").file("resources/named.yaml", named);
    for subcommand in ["run", "validate"] {
        let output = files
            .start(Start::bare().args([subcommand]))
            .env("DAPR_API_TOKEN", TOKEN)
            .args(["--dapr-http-port", "0"])
            .finish();
        assert_eq!(output.code(), Some(1), "{}", output.stderr);
        assert_escaped(subcommand, &output.stderr);
    }
}
