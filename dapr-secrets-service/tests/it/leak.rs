//! No secret value in `Debug`, `Display`, errors, headers or logs.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::fs;
use std::sync::Arc;

use dapr_secrets_service::config::Loader;
use dapr_secrets_service::{EnvStore, FileStore, Metadata, Scope, SecretsService};

use crate::log::Log;
use crate::talk::{PROFILES, ask};

/// In every value below; nothing else holds it.
const VALUE: &str = "v4lue-0f-a-secret";

fn note(seen: &mut String, what: &dyn Debug) {
    writeln!(seen, "{what:?}\n{what:#?}").expect("a String takes everything");
}

fn environment() -> Arc<BTreeMap<String, String>> {
    Arc::new(BTreeMap::from([
        ("DEMO_A".to_owned(), VALUE.to_owned()),
        ("SEPARATOR".to_owned(), ".".to_owned()),
        ("APP_API_TOKEN".to_owned(), VALUE.to_owned()),
    ]))
}

/// Answers, stores and engines over files and variables, in every representation they have.
#[tokio::test]
async fn s7_no_value_is_printed_or_logged_while_serving() {
    let log = Log::start();
    let mut seen = String::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secrets.json");
    let content =
        format!(r#"{{"a": "{VALUE}", "m": {{"k": "{VALUE}"}}, "": "{VALUE}", "l": ["{VALUE}"]}}"#);
    fs::write(&file, content).expect("written");
    let components = format!(
        "kind: Component\nmetadata: {{name: file}}\nspec:\n  type: secretstores.local.file\n  metadata:\n  - {{name: secretsFile, value: {file:?}}}\n  - {{name: nestedSeparator, envRef: SEPARATOR}}\n---\n\
         kind: Component\nmetadata: {{name: multi}}\nspec:\n  type: secretstores.local.file\n  metadata:\n  - {{name: secretsFile, value: {file:?}}}\n  - {{name: multiValued, value: true}}\n---\n\
         kind: Component\nmetadata: {{name: env}}\nspec:\n  type: secretstores.local.env\n  metadata:\n  - {{name: prefix, value: DEMO_}}\n"
    );
    fs::write(folder.path().join("stores.yaml"), components).expect("written");
    let loader = Loader::new()
        .add_resources_path(folder.path())
        .environment(environment());
    note(&mut seen, &loader);
    let config = loader.load().expect("sound");
    note(&mut seen, &config);
    let engine = config.into_engine().expect("sound");
    note(&mut seen, &engine);
    note(&mut seen, &engine.stores().collect::<Vec<_>>());
    for (store, name) in [("file", "a"), ("multi", "m"), ("env", "A")] {
        let secret = engine
            .get(store, name, &Metadata::default())
            .await
            .expect("there");
        let (_, value) = secret.iter().next().expect("one key");
        assert_eq!(value.expose(), VALUE, "{store}");
        note(&mut seen, &secret);
        note(&mut seen, value);
        note(
            &mut seen,
            &engine
                .bulk(store, &Metadata::default())
                .await
                .expect("there"),
        );
    }
    for profile in PROFILES {
        let service = SecretsService::builder(engine.clone())
            .profile(profile)
            .build();
        note(&mut seen, &service);
        for target in [
            "file/a",
            "multi/m",
            "env/A",
            "file/bulk",
            "file/x",
            "env/%00",
            "no/a",
        ] {
            for method in ["GET", "HEAD", "POST"] {
                let answer = ask(&service, method, &format!("/v1.0/secrets/{target}")).await;
                note(&mut seen, &answer.headers);
                if answer.status >= 400 {
                    seen.push_str(&answer.body);
                }
            }
        }
        let request = http::Request::get("/v1.0/secrets/file/a")
            .body(())
            .expect("a request");
        let future = tower::Service::call(&mut service.clone(), request);
        note(&mut seen, &future);
        note(&mut seen, &future.await.expect("infallible"));
    }
    note(&mut seen, &FileStore::open(&file).expect("sound"));
    note(&mut seen, &EnvStore::new((*environment()).clone()));
    note(
        &mut seen,
        &dapr_secrets_service::Engine::builder().add_scope("s", Scope::default()),
    );
    assert!(log.lines() > 0, "the entry without a name is warned of");
    assert!(!log.text().contains(VALUE), "{}", log.text());
    assert!(!seen.contains(VALUE), "{seen}");
}

#[test]
fn s7_no_problem_quotes_a_value() {
    let log = Log::start();
    let mut seen = String::new();
    for (name, yaml, json) in [
        ("broken YAML", format!("a: [{VALUE}\nb: }}"), String::new()),
        (
            "a flag",
            format!("- {{name: multiValued, value: {VALUE}}}"),
            "{}".to_owned(),
        ),
        (
            "two values",
            format!("- {{name: nestedSeparator, value: {VALUE}, envRef: SEPARATOR}}"),
            "{}".to_owned(),
        ),
        (
            "an unknown key",
            format!("- {{name: other, value: {VALUE}}}"),
            "{}".to_owned(),
        ),
        (
            "a list",
            format!("- {{name: nestedSeparator, value: [{VALUE}]}}"),
            "{}".to_owned(),
        ),
        (
            "an unknown field",
            format!("- {{name: nestedSeparator, value: x, more: {VALUE}}}"),
            "{}".to_owned(),
        ),
        (
            "one key twice",
            format!(
                "- {{name: multiValued, value: {VALUE}}}\n  - {{name: MultiValued, value: {VALUE}}}"
            ),
            "{}".to_owned(),
        ),
        ("no object", String::new(), format!("\"{VALUE}\"")),
        (
            "broken JSON",
            String::new(),
            format!("{{\"a\": \"{VALUE}\" {VALUE}}}"),
        ),
        ("no string", String::new(), format!("{{\"a\": {VALUE}}}")),
        (
            "one member twice",
            String::new(),
            format!("{{\"a\": \"{VALUE}\", \"a\": \"{VALUE}\"}}"),
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secrets.json");
        fs::write(&file, json).expect("written");
        let components = if name == "broken YAML" {
            yaml
        } else {
            format!(
                "kind: Component\nmetadata: {{name: file}}\nspec:\n  type: secretstores.local.file\n  metadata:\n  - {{name: secretsFile, value: {file:?}}}\n  {yaml}\n"
            )
        };
        fs::write(folder.path().join("stores.yaml"), components).expect("written");
        let problems = Loader::new()
            .add_resources_path(folder.path())
            .environment(environment())
            .load()
            .and_then(|config| config.into_engine().map(|_| ()))
            .expect_err(name);
        note(&mut seen, &problems);
        writeln!(seen, "{problems}").expect("a String takes everything");
    }
    assert!(!log.text().contains(VALUE), "{}", log.text());
    assert!(!seen.contains(VALUE), "{seen}");
}
