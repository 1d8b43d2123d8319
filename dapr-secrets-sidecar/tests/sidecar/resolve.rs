//! `resolve` shows what components refer to.

use crate::process::Start;
use crate::store_files::Files;

const SECRET: &str = "hidden: \"7f3a\"";

const ORDERS: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: orders
  namespace: prod
auth:
  secretStore: files
scopes: [shop]
spec:
  type: state.redis
  version: v1
  metadata:
    - name: redisHost
      value: '{appID}:6379'
    - name: redisPassword
      secretKeyRef:
        name: redis
        key: redis
    - name: redisDB
      envRef: DB
";

fn files() -> Files {
    Files::with_secrets(r#"{"redis": "hidden: \"7f3a\""}"#).file("resources/orders.yaml", ORDERS)
}

fn resolve(files: &Files, file: &str) -> Start {
    let start = Start::bare().args(["resolve", file]).env("DB", "hidden-db");
    files.start(start).args(["--app-id", "shop"])
}

const SHOWN: &str = r#"apiVersion: "dapr.io/v1alpha1"
kind: "Component"
metadata:
  name: "orders"
  namespace: "prod"
spec:
  type: "state.redis"
  version: "v1"
  metadata:
  - name: "redisHost"
    value: "shop:6379"  # value
  - name: "redisPassword"
    value: "hidden: \"7f3a\""  # secretKeyRef: secret "redis", key "redis" of the store "files"
  - name: "redisDB"
    value: "hidden-db"  # envRef: DB
scopes:
- "shop""#;

#[test]
fn api_g4_resolve_masks_every_value_unless_told_to_reveal_it() {
    let files = files().file(
        "beside.yaml",
        ORDERS.replace("name: orders", "name: beside"),
    );
    for (file, name) in [
        ("resources/orders.yaml", "orders"),
        ("beside.yaml", "beside"),
    ] {
        let revealed = resolve(&files, file).args(["--reveal"]).finish();
        assert_eq!(revealed.code(), Some(0), "{}", revealed.stderr);
        let shown = SHOWN.replace("orders", name);
        assert_eq!(revealed.stdout, shown);
        assert_eq!(revealed.stderr, "");

        let masked = resolve(&files, file).finish();
        assert_eq!(masked.code(), Some(0), "{}", masked.stderr);
        let value = |line: &str| line.find("value: \"").zip(line.find("\"  #"));
        let expected: Vec<String> = shown
            .lines()
            .map(|line| match value(line) {
                Some((start, end)) => {
                    format!("{}value: \"********{}", &line[..start], &line[end..])
                }
                None => line.to_owned(),
            })
            .collect();
        assert_eq!(masked.stdout.lines().collect::<Vec<_>>(), expected);
        for hidden in ["7f3a", "hidden", "6379"] {
            assert!(
                !masked.stdout.contains(hidden),
                "{hidden} in {}",
                masked.stdout
            );
        }
    }
}

#[test]
fn api_g4_what_is_shown_can_be_read_again() {
    let files = files();
    let revealed = resolve(&files, "resources/orders.yaml")
        .args(["--reveal"])
        .finish();
    let again = Files::empty().file("again.yaml", &revealed.stdout);
    let output = resolve(&again, "again.yaml").args(["--reveal"]).finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert!(
        output.stdout.contains(&format!("{SECRET:?}  # value")),
        "{}",
        output.stdout
    );
}

#[test]
fn api_g4_several_components_come_one_document_each_the_needed_first() {
    let both = format!(
        "{ORDERS}---\n{}",
        crate::store_files::file_store("late", "secrets.json")
    );
    let files = files().file(
        "both.yaml",
        both.replace("name: orders", "name: both")
            .replace("secretStore: files", "secretStore: late"),
    );
    let output = resolve(&files, "both.yaml").finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    let documents: Vec<_> = output.stdout.split("---\n").collect();
    assert_eq!(documents.len(), 2, "{}", output.stdout);
    assert!(
        documents[0].contains("name: \"late\"") && documents[1].contains("name: \"both\""),
        "{}",
        output.stdout
    );
}

#[test]
fn api_g4_s24_what_cannot_be_resolved_is_told_and_nothing_printed() {
    let wrong =
        |from: &str, to: &str| files().file("resources/orders.yaml", ORDERS.replace(from, to));
    for (name, files, file, says) in [
        (
            "a missing key",
            wrong("key: redis", "key: password"),
            "resources/orders.yaml",
            "resources/orders.yaml:16: component \"orders\", metadata key \"redisPassword\": secretKeyRef: the secret \"redis\" of the store \"files\" has no key \"password\": its only key is \"redis\"",
        ),
        (
            "a variable of Dapr",
            wrong("envRef: DB", "envRef: DAPR_API_TOKEN"),
            "resources/orders.yaml",
            "resources/orders.yaml:20: component \"orders\", metadata key \"redisDB\": envRef \"DAPR_API_TOKEN\" is refused: it is Dapr's own; give the value under another name",
        ),
        (
            "for another app",
            wrong("[shop]", "[other]"),
            "resources/orders.yaml",
            "resources/orders.yaml: no component for this app: resources/orders.yaml:4: component \"orders\" is not loaded: it is for the app \"other\"",
        ),
        (
            "no such file",
            files(),
            "none.yaml",
            "none.yaml: cannot be read: No such file or directory (os error 2)",
        ),
    ] {
        let output = resolve(&files, file).args(["--reveal"]).finish();
        assert_eq!(output.code(), Some(1), "{name}: {}", output.stderr);
        assert_eq!(output.stderr.trim(), says, "{name}");
        assert_eq!(output.stdout, "", "{name}");
    }
    let kubernetes = resolve(&files(), "resources/orders.yaml")
        .args(["--mode", "kubernetes"])
        .finish();
    assert_eq!(kubernetes.code(), Some(1));
    assert!(
        kubernetes.stderr.contains("--mode kubernetes"),
        "{}",
        kubernetes.stderr
    );
    let nothing = Start::bare().args(["resolve"]).finish();
    assert_eq!(nothing.code(), Some(2), "{}", nothing.stderr);
}
