//! Component and configuration files: what is loaded, and what is said of what is not.

use std::collections::BTreeMap;
use std::fs;

use dapr_secrets_service::config::{Loader, Problem, Skipped};
use dapr_secrets_service::{ErrorKind, Metadata, SecretValue};
use tempfile::TempDir;

use crate::files::{SECRETS_FILE, engine, env, file, folder, loader, names, problems, write};
use crate::log::Log;

#[test]
fn s8_every_yaml_file_of_every_folder_is_read_in_order() {
    let second = folder(&[("a.yaml", &env("late", ""))]);
    let first = folder(&[
        ("b.yml", &env("b", "")),
        ("a.yaml", &[env("a1", ""), env("a2", "")].join("---\n")),
        ("c.json", "{"),
        ("d.yaml.bak", "{"),
        (
            "other.yaml",
            "kind: Configuration\nspec: {tracing: {typo: 1}}\n---\nkind: Component\nmetadata: {name: x}\nspec: {type: state.redis, typo: 1}\nscopes: x\nscope: [y]\n---\n---\n- a\n---\nkind: Resiliency\n",
        ),
    ]);
    fs::create_dir(first.path().join("folder.yaml")).expect("a folder");
    fs::create_dir(first.path().join("inner")).expect("a folder");
    fs::write(first.path().join("inner/x.yaml"), "{").expect("written");
    let log = Log::start();
    let config = loader(&first)
        .add_resources_path(second.path())
        .load()
        .expect("sound");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    assert!(config.skipped().is_empty(), "none of them is a store");
    let engine = config.into_engine().expect("sound");
    assert_eq!(names(&engine), ["a1", "a2", "b", "late"]);
    assert_eq!(log.text(), "", "what is no store is skipped silently");
}

#[test]
fn s8_what_cannot_be_read_or_parsed_is_an_error_and_lenient_a_warning() {
    let files = folder(&[
        ("a.yaml", &env("a", "")),
        ("broken.yaml", "kind: Component\nmetadata: [\n"),
        ("broken2.yaml", &(env("kept", "") + "---\n}\n")),
    ]);
    write(&files.path().join("bytes.yaml"), b"kind: x\nn: \xff\n");
    write(&files.path().join("large.yaml"), "#".repeat((1 << 20) + 1));
    let said = problems(loader(&files), files.path());
    let starts = [
        "broken.yaml:",
        "broken2.yaml:6: not valid YAML",
        "bytes.yaml:2: not valid UTF-8",
        "large.yaml: larger than 1 MiB",
    ];
    assert_eq!(said.len(), starts.len(), "{said:#?}");
    for (said, start) in said.iter().zip(starts) {
        assert!(said.starts_with(start), "{said}");
    }
    let config = loader(&files).lenient(true).load().expect("lenient");
    assert_eq!(config.warnings().len(), 4);
    assert_eq!(names(&config.into_engine().expect("sound")), ["a", "kept"]);

    let nowhere = Loader::new().add_resources_path(files.path().join("nowhere"));
    assert!(engine(nowhere).is_err(), "a folder that is not there");
}

#[cfg(unix)]
#[test]
fn s8_f1_a_pipe_in_the_place_of_a_file_does_not_block() {
    let files = folder(&[("a.yaml", &file("a", SECRETS_FILE))]);
    for name in ["pipe.yaml", "secrets.json"] {
        let made = std::process::Command::new("mkfifo")
            .arg(files.path().join(name))
            .status()
            .expect("mkfifo is there");
        assert!(made.success());
    }
    let said = problems(loader(&files), files.path());
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said.iter().all(|line| line.contains("not a regular file")),
        "{said:#?}"
    );
}

#[test]
fn s9_names_and_unknown_fields() {
    for (name, text, said) in [
        (
            "no name",
            "kind: Component\nspec: {type: secretstores.local.env}\n",
            "a.yaml:1: the component has no metadata.name: give it one, a text",
        ),
        (
            "a path as a name",
            &*env("a/b", ""),
            "a.yaml:2: \"a/b\" cannot name a component: it is not one segment of a path",
        ),
        (
            "dots as a name",
            &env("..", ""),
            "a.yaml:2: \"..\" cannot name a component: it is not one segment of a path",
        ),
        (
            "no type",
            "kind: Component\nmetadata: {name: a}\nspec: {version: v1}\n",
            "a.yaml:1: the component has no spec.type: a type is, for instance, secretstores.local.file",
        ),
        (
            "no spec",
            "kind: Component\nmetadata: {name: a}\n",
            "a.yaml:1: the component has no spec, and so no type: a type is, for instance, secretstores.local.file",
        ),
        (
            "in spec",
            &env("a", "  metdata: []\n"),
            "a.yaml:5: component \"a\": spec has an unknown field \"metdata\" (did you mean `metadata`?)",
        ),
        (
            "in auth",
            &env("a", "auth: {secretstore: b}\n"),
            "a.yaml:5: component \"a\": auth has an unknown field \"secretstore\" (did you mean `secretStore`?)",
        ),
        (
            "in an item",
            &env("a", "  metadata:\n  - {name: prefix, vale: x, value: y}\n"),
            "a.yaml:6: component \"a\", metadata key \"prefix\" has an unknown field \"vale\" (did you mean `value`?)",
        ),
        (
            "metadata is no list",
            &env("a", "  metadata: {prefix: x}\n"),
            "a.yaml:5: component \"a\": spec.metadata is no list of items with a name and a value",
        ),
        (
            "an item without a name",
            &env("a", "  metadata:\n  - {value: x}\n"),
            "a.yaml:6: component \"a\": a metadata item has no name",
        ),
        (
            "a key twice",
            &env("a", "  version: v1\n  version: v1\n"),
            "a.yaml:6: key \"version\" stands twice in one mapping: lines 5 and 6",
        ),
        (
            "scopes are no list",
            &env("a", "scopes: {x: y}\n"),
            "a.yaml:5: component \"a\": scopes is a list of app ids",
        ),
    ] {
        let files = folder(&[("a.yaml", text)]);
        assert_eq!(problems(loader(&files), files.path()), [said], "{name}");
    }
    let known = folder(&[(
        "a.yaml",
        &("apiVersion: dapr.io/v1alpha1\n".to_owned()
            + &env(
                "a",
                "  version: v1\n  ignoreErrors: true\n  initTimeout: 5s\n  metadata: []\nauth: {secretStore: x}\nscopes: []\n",
            )),
    )]);
    assert!(engine(loader(&known)).is_ok(), "every known field");
}

#[test]
fn s10_s5_types_and_versions() {
    for (component_type, version, said) in [
        ("secretstores.local.env", "", None),
        ("SecretStores.Local.Env", "V1", None),
        ("secretstores.local.env", "v0", None),
        (
            "secretstores.local.env",
            "v2",
            Some(
                "a.yaml:3: component \"a\": couldn't find secret store secretstores.local.env/v2: the version is v1",
            ),
        ),
        (
            "secretstores.local.evn",
            "v1",
            Some(
                "a.yaml:3: component \"a\": unknown component type \"secretstores.local.evn\" (did you mean `local.env`?); this build has local.file and local.env",
            ),
        ),
        (
            "secretstores.hashicorp.vault",
            "v1",
            Some(
                "a.yaml:3: component \"a\": unknown component type \"secretstores.hashicorp.vault\"; this build has local.file and local.env",
            ),
        ),
        (
            "secretstores.",
            "v1",
            Some(
                "a.yaml:3: component \"a\": unknown component type \"secretstores.\"; this build has local.file and local.env",
            ),
        ),
    ] {
        let text = format!(
            "kind: Component\nmetadata: {{name: a}}\nspec: {{type: {component_type}, version: \"{version}\"}}\n"
        );
        let files = folder(&[("a.yaml", &text)]);
        let expected: Vec<&str> = said.into_iter().collect();
        assert_eq!(
            problems(loader(&files), files.path()),
            expected,
            "{component_type} {version}"
        );
    }
    let files = folder(&[("a.yaml", &env("a", "  version: V1\n"))]);
    let engine = engine(loader(&files)).expect("sound");
    let store = engine.stores().next().expect("one");
    assert_eq!(
        (store.component_type(), store.version()),
        ("secretstores.local.env", "V1")
    );
}

#[test]
fn s11_api_e5_namespaces_and_app_ids_decide_what_is_loaded() {
    let namespaced = |name: &str, namespace: &str| {
        format!(
            "kind: Component\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{type: secretstores.local.env}}\n"
        )
    };
    let files = folder(&[(
        "a.yaml",
        &[
            env("all", ""),
            env("mine", "scopes: [other, shop]\n"),
            env("others", "scopes: [other, Shop, shop2]\n"),
            namespaced("prod", "prod"),
            namespaced("test", "test"),
        ]
        .join("---\n"),
    )]);
    for (name, loader, loaded) in [
        (
            "no id, no namespace",
            loader(&files),
            &["all", "prod", "test"][..],
        ),
        (
            "an id",
            loader(&files).app_id("shop"),
            &["all", "mine", "prod", "test"],
        ),
        (
            "a namespace",
            loader(&files).namespace("prod"),
            &["all", "prod"],
        ),
        (
            "both",
            loader(&files).app_id("shop").namespace("test"),
            &["all", "mine", "test"],
        ),
    ] {
        let config = loader.load().expect("sound");
        let skipped: Vec<_> = config.skipped().iter().map(Skipped::name).collect();
        let all = ["all", "mine", "others", "prod", "test"];
        let rest: Vec<_> = all
            .into_iter()
            .filter(|name| !loaded.contains(name))
            .collect();
        assert_eq!(skipped, rest, "{name}");
        let engine = config.into_engine().expect("sound");
        assert_eq!(names(&engine), loaded, "{name}");
    }
    let config = loader(&files)
        .app_id("shop")
        .namespace("test")
        .load()
        .expect("sound");
    let said: Vec<_> = config.skipped().iter().map(Skipped::meant_for).collect();
    assert_eq!(
        said,
        [
            r#"the apps "other", "Shop", "shop2""#,
            r#"the namespace "prod""#
        ]
    );
    let shown = config.skipped()[1].to_string();
    assert!(
        shown.ends_with(
            r#"a.yaml:19: component "prod" is not loaded: it is for the namespace "prod""#
        ),
        "{shown}"
    );
}

#[tokio::test]
async fn api_e5_a_store_of_other_apps_does_not_exist_here() {
    let files = folder(&[(
        "a.yaml",
        &[env("mine", ""), env("others", "scopes: [other]\n")].join("---\n"),
    )]);
    let engine = engine(loader(&files).app_id("shop")).expect("sound");
    for store in ["others", "nowhere"] {
        let error = engine
            .get(store, "x", &Metadata::default())
            .await
            .expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::StoreNotFound, "{store}");
    }
}

#[test]
fn s11_two_components_of_one_name_are_an_error_with_both_places() {
    let files = folder(&[("a.yaml", &env("a", "")), ("b.yaml", &env("a", ""))]);
    for lenient in [false, true] {
        let said = problems(loader(&files).lenient(lenient), files.path());
        assert_eq!(
            said,
            [
                "b.yaml:2: two components are called \"a\": a.yaml:2 and b.yaml:2; give one of them another name"
            ]
        );
    }
    let skipped = folder(&[
        ("a.yaml", &env("a", "")),
        ("b.yaml", &env("a", "scopes: [other]\n")),
    ]);
    assert!(
        engine(loader(&skipped)).is_ok(),
        "one of them is not loaded"
    );
}

#[tokio::test]
async fn s12_api_d_ignored_errors_leave_a_store_that_is_known_as_failed() {
    let log = Log::start();
    let broken = |more: &str| file("broken", SECRETS_FILE) + more;
    let strict = folder(&[("a.yaml", &broken(""))]);
    assert_eq!(problems(loader(&strict), strict.path()).len(), 1);
    for (name, text) in [
        ("no file", broken("  ignoreErrors: true\n")),
        (
            "an unknown key",
            broken("  - {name: typo, value: x}\n  ignoreErrors: true\n"),
        ),
        ("no secretsFile", file("broken", "  ignoreErrors: true\n")),
        (
            "an unknown type",
            env("broken", "  ignoreErrors: true\n").replace("local.env", "no"),
        ),
    ] {
        let files = folder(&[("a.yaml", &(env("sound", "") + "---\n" + &text))]);
        let engine = engine(loader(&files)).expect(name);
        assert_eq!(names(&engine), ["sound", "broken"], "{name}");
        let broken = engine.stores().last().expect("two");
        assert!(!broken.is_ready() && broken.ignores_errors(), "{name}");
        assert!(engine.is_ready(), "{name}");
        for secret in ["x", ""] {
            let error = engine.get("broken", secret, &Metadata::default()).await;
            let error = error.expect_err("failed");
            assert_eq!(error.kind(), ErrorKind::StoreMisconfigured, "{name}");
        }
        let error = engine
            .bulk("broken", &Metadata::default())
            .await
            .expect_err("failed");
        assert_eq!(error.kind(), ErrorKind::StoreMisconfigured, "{name}");
    }
    assert!(
        log.text().contains("secrets file: cannot be read"),
        "{}",
        log.text()
    );
}

#[test]
fn s12_s16_an_init_timeout_is_a_positive_duration_or_whole_seconds() {
    for (text, is_sound) in [
        ("5s", true),
        ("1m30s", true),
        ("0s", false),
        ("-5s", false),
        ("5", true),
        ("0", false),
        ("soon", false),
        ("[5s]", false),
    ] {
        let files = folder(&[("a.yaml", &env("a", &format!("  initTimeout: {text}\n")))]);
        let said = problems(loader(&files), files.path());
        assert_eq!(said.is_empty(), is_sound, "{text}: {said:?}");
        assert!(
            said.iter().all(|line| line.starts_with("a.yaml:5: ")),
            "{said:?}"
        );
        assert!(engine(loader(&files).lenient(true)).is_ok(), "{text}");
    }
}

#[test]
fn s13_an_item_has_exactly_one_source_and_a_value_is_a_scalar() {
    for (item, said) in [
        ("value: DEMO_", None),
        ("value: \"\"", None),
        ("value: true", None),
        ("value: 8200", None),
        (
            "value: [a]",
            Some(
                "component \"a\", metadata key \"prefix\": a value is a text, not a list or a map",
            ),
        ),
        (
            "value: {a: b}",
            Some(
                "component \"a\", metadata key \"prefix\": a value is a text, not a list or a map",
            ),
        ),
        (
            "value:",
            Some(
                "component \"a\", metadata key \"prefix\" needs exactly one of value, secretKeyRef and envRef, and has none",
            ),
        ),
        (
            "value: x, envRef: Y",
            Some(
                "component \"a\", metadata key \"prefix\" needs exactly one of value, secretKeyRef and envRef, and has value and envRef",
            ),
        ),
        (
            "secretKeyRef: {name: x, key: y}",
            Some(
                "component \"a\" has a secretKeyRef and no auth.secretStore: add `auth: {secretStore: NAME}` with the name of a secret store; only Kubernetes mode has a default, and this version does not have that mode",
            ),
        ),
        (
            "envRef: [x]",
            Some("component \"a\", metadata key \"prefix\": envRef is the name of a variable"),
        ),
    ] {
        let text = env("a", &format!("  metadata:\n  - {{name: prefix, {item}}}\n"));
        let files = folder(&[("a.yaml", &text)]);
        let expected: Vec<String> = said
            .map(|said| format!("a.yaml:6: {said}"))
            .into_iter()
            .collect();
        assert_eq!(problems(loader(&files), files.path()), expected, "{item}");
    }
}

#[tokio::test]
async fn s13_s16_a_value_is_the_text_of_any_scalar() {
    let files = folder(&[
        (
            "a.yaml",
            &file(
                "a",
                "  - {name: SECRETSFILE, value: \"{dir}/secrets.json\"}\n  - {name: nestedSeparator, value: 1.50}\n  - {name: MultiValued, value: No}\n",
            ),
        ),
        ("secrets.json", r#"{"db": {"user": "admin"}}"#),
    ]);
    let engine = engine(loader(&files)).expect("sound");
    assert!(
        engine
            .get("a", "db1.50user", &Metadata::default())
            .await
            .is_ok()
    );
}

#[test]
fn s14_s16_s19_what_is_wrong_with_metadata_keys() {
    for (name, items, said, lenient) in [
        (
            "two equal keys",
            "  - {name: multiValued, value: x}\n",
            "a.yaml:8: component \"a\": key multiValued is duplicate in the metadata: lines 7 and 8; letter case does not tell two keys apart",
            false,
        ),
        (
            "no truth value",
            "",
            "a.yaml:7: component \"a\": metadata key \"multiValued\" is neither true nor false: write one of them",
            true,
        ),
        (
            "an unknown key",
            "  - {name: secretFile, value: x}\n",
            "a.yaml:8: component \"a\": unknown metadata key \"secretFile\" (did you mean `secretsFile`?)",
            true,
        ),
    ] {
        let metadata = format!("{SECRETS_FILE}  - {{name: MultiValued, value: maybe}}\n{items}");
        let files = folder(&[("a.yaml", &file("a", &metadata)), ("secrets.json", "{}")]);
        let found = problems(loader(&files), files.path());
        assert!(found.iter().any(|line| line == said), "{name}: {found:#?}");
        assert_eq!(
            engine(loader(&files).lenient(true)).is_ok(),
            lenient,
            "{name}"
        );
    }
}

#[test]
fn f1_s20_a_missing_secrets_file_key_is_an_error_even_when_lenient() {
    for metadata in [
        "",
        "  - {name: secretsFile, value: \"\"}\n",
        "  - {name: multiValued, value: true}\n",
    ] {
        let text = if metadata.is_empty() {
            file("a", "").replace("  metadata:\n", "")
        } else {
            file("a", metadata)
        };
        let files = folder(&[("a.yaml", &text)]);
        for lenient in [false, true] {
            let said = problems(loader(&files).lenient(lenient), files.path());
            assert_eq!(said.len(), 1, "{said:#?}");
            assert!(
                said[0].contains("missing local secrets file in metadata"),
                "{said:?}"
            );
        }
    }
}

#[test]
fn f1_s19_a_secrets_file_that_cannot_be_used_is_named_with_its_line() {
    for (name, content, said) in [
        (
            "none",
            None,
            "a.yaml:2: component \"a\": secrets file: cannot be read: No such file",
        ),
        (
            "broken",
            Some(&b"{\n\"a\" 1}"[..]),
            "secrets.json:2: component \"a\" (a.yaml:2): secrets file: not valid JSON: expected `:`",
        ),
        (
            "no object",
            Some(b"[1]"),
            "secrets.json:1: component \"a\" (a.yaml:2): secrets file: not valid: the top level is no JSON object",
        ),
        (
            "bytes",
            Some(b"{\n\"a\": \"\xff\"}"),
            "secrets.json:2: component \"a\" (a.yaml:2): secrets file: not valid UTF-8",
        ),
        (
            "a repeated key",
            Some(b"{\"a\": 1,\n\"a\": 2}"),
            "secrets.json:2: component \"a\" (a.yaml:2): secrets file: one object has two members \"a\": lines 1 and 2",
        ),
    ] {
        let files = folder(&[("a.yaml", &file("a", SECRETS_FILE))]);
        if let Some(content) = content {
            fs::write(files.path().join("secrets.json"), content).expect("written");
        }
        for lenient in [false, true] {
            let found = problems(loader(&files).lenient(lenient), files.path());
            assert_eq!(found.len(), 1, "{name}: {found:#?}");
            assert!(found[0].starts_with(said), "{name}: {found:?}");
        }
    }
    let files = folder(&[("a.yaml", &file("a", SECRETS_FILE))]);
    fs::create_dir(files.path().join("secrets.json")).expect("a folder");
    let found = problems(loader(&files), files.path());
    assert!(
        found[0].contains("it is a directory (secrets.json)"),
        "{found:?}"
    );
}

#[test]
fn f1_a_secrets_file_has_at_most_16_mib() {
    let files = folder(&[("a.yaml", &file("a", SECRETS_FILE))]);
    let spaces = |count: usize| "{}".to_owned() + &" ".repeat(count - 2);
    let path = files.path().join("secrets.json");
    fs::write(&path, spaces(16 << 20)).expect("written");
    assert!(engine(loader(&files)).is_ok());
    fs::write(&path, spaces((16 << 20) + 1)).expect("written");
    let found = problems(loader(&files), files.path());
    assert!(found[0].contains("larger than 16 MiB"), "{found:?}");
}

#[cfg(unix)]
#[test]
fn f1_a_file_that_others_may_write_gives_one_warning() {
    use std::os::unix::fs::PermissionsExt;
    for (mode, warnings) in [(0o600, 0), (0o644, 0), (0o664, 1), (0o646, 1), (0o666, 1)] {
        let files = folder(&[("a.yaml", &file("a", SECRETS_FILE)), ("secrets.json", "{}")]);
        let path = files.path().join("secrets.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        let log = Log::start();
        engine(loader(&files)).expect("sound");
        assert_eq!(log.lines(), warnings, "{mode:o}: {}", log.text());
    }
}

#[test]
fn f4_what_a_multi_valued_file_does_not_serve_is_named_once_a_load() {
    let log = Log::start();
    let files = folder(&[
        (
            "a.yaml",
            &file(
                "a",
                &format!("{SECRETS_FILE}  - {{name: multiValued, value: true}}\n"),
            ),
        ),
        ("secrets.json", r#"{"list": [1], "number": 2, "text": "t"}"#),
    ]);
    engine(loader(&files)).expect("sound");
    assert_eq!(log.lines(), 1, "{}", log.text());
    assert!(
        log.text().contains("list") && log.text().contains("number"),
        "{}",
        log.text()
    );
    assert!(!log.text().contains("text"), "{}", log.text());
}

#[tokio::test]
async fn f7_get_and_bulk_answer_from_one_snapshot() {
    let files = folder(&[
        ("a.yaml", &file("a", SECRETS_FILE)),
        ("secrets.json", r#"{"k": "old"}"#),
    ]);
    let engine = engine(loader(&files)).expect("sound");
    fs::write(
        files.path().join("secrets.json"),
        r#"{"k": "new", "more": "x"}"#,
    )
    .expect("written");
    let none = Metadata::default();
    let one = engine.get("a", "k", &none).await.expect("there");
    let all = engine.bulk("a", &none).await.expect("there");
    assert_eq!(one.get("k").map(SecretValue::expose), Some("old"));
    let listed = all.get("k").and_then(|secret| secret.get("k"));
    assert_eq!(listed.map(SecretValue::expose), Some("old"));
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn s17_s18_templates_are_for_literals_and_variables_come_byte_for_byte() {
    let environment = BTreeMap::from(
        [
            ("RAW", "{appID}"),
            ("QUOTED", "\"x\""),
            ("shop-A", "1"),
            ("{appID}B", "2"),
            ("\"x\"C", "3"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let with_prefix = |name: &str, source: &str| {
        env(
            name,
            &format!("  metadata:\n  - {{name: prefix, {source}}}\n"),
        )
    };
    let files = folder(&[(
        "a.yaml",
        &[
            with_prefix("literal", "value: \"{appID}-\""),
            with_prefix("raw", "envRef: RAW"),
            with_prefix("quoted", "envRef: QUOTED"),
        ]
        .join("---\n"),
    )]);
    let loader = loader(&files).app_id("shop").environment(environment);
    let engine = engine(loader).expect("sound");
    for (store, name, value) in [
        ("literal", "A", "1"),
        ("raw", "B", "2"),
        ("quoted", "C", "3"),
    ] {
        let secret = engine
            .get(store, name, &Metadata::default())
            .await
            .expect(store);
        assert_eq!(
            secret.get(name).map(SecretValue::expose),
            Some(value),
            "{store}"
        );
    }
}

#[test]
fn s18_a_refused_or_unset_variable_is_an_error_and_lenient_a_warning() {
    for name in ["DAPR_API_TOKEN", "app_api_token", "UNSET", "\"\"", "A B"] {
        let text = env(
            "a",
            &format!("  metadata:\n  - {{name: prefix, envRef: {name}}}\n"),
        );
        let files = folder(&[("a.yaml", &text)]);
        let said = problems(loader(&files), files.path());
        assert_eq!(said.len(), 1, "{name}: {said:#?}");
        assert!(
            said[0].starts_with("a.yaml:6: component \"a\", metadata key \"prefix\": envRef"),
            "{said:?}"
        );
        let config = loader(&files).lenient(true).load().expect("lenient");
        assert_eq!(config.warnings().len(), 1, "{name}");
    }
}

#[test]
fn s19_every_problem_of_every_file_is_reported_together() {
    let files = folder(&[
        (
            "a.yaml",
            &env("a", "  typo: 1\n  metadata:\n  - {name: prefx, value: x}\n"),
        ),
        ("b.yaml", &file("b", SECRETS_FILE)),
        ("c.yaml", "kind: Component\nmetadata: [\n"),
        ("secrets.json", "{\n\n\"x\""),
        (
            "config.yml.txt",
            "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    - storeName: nowhere\n",
        ),
    ]);
    let said = problems(loader(&files), files.path());
    for start in [
        "a.yaml:5: ",
        "a.yaml:7: ",
        "c.yaml:",
        "config.yml.txt:5: ",
        "secrets.json:3: ",
    ] {
        assert!(
            said.iter().any(|line| line.starts_with(start)),
            "{start}: {said:#?}"
        );
    }
    assert_eq!(said.len(), 5, "{said:#?}");
}

/// A configuration whose scopes start in line 5.
fn scoped(scopes: &str) -> TempDir {
    let configuration = format!("kind: Configuration\nspec:\n  secrets:\n    scopes:\n{scopes}");
    folder(&[
        (
            "a.yaml",
            &[
                env("a", "  metadata: [{name: allowAll, value: true}]\n"),
                env("others", "scopes: [other]\n"),
            ]
            .join("---\n"),
        ),
        ("config.yml.txt", &configuration),
    ])
}

#[test]
fn api_e3_s19_n3_what_is_wrong_with_scopes() {
    for (name, scopes, said) in [
        (
            "sound",
            "    - {storeName: a, defaultAccess: DENY, allowedSecrets: [x], deniedSecrets: [y]}\n",
            None,
        ),
        (
            "a store of other apps is known",
            "    - {storeName: others}\n",
            None,
        ),
        (
            "an unknown store",
            "    - {storeName: b}\n",
            Some(
                "config.yml.txt:5: a secret scope names \"b\", which is no secret store here; known are a",
            ),
        ),
        (
            "the same store twice",
            "    - {storeName: a}\n    - {storeName: a}\n",
            Some(
                "config.yml.txt:6: two secret scopes name \"a\": config.yml.txt:5 and config.yml.txt:6; write them as one",
            ),
        ),
        (
            "an unknown field",
            "    - {storeName: a, denySecrets: [x]}\n",
            Some(
                "config.yml.txt:5: a secret scope has an unknown field \"denySecrets\" (did you mean `deniedSecrets`?)",
            ),
        ),
        (
            "a bad default",
            "    - {storeName: a, defaultAccess: denied}\n",
            Some(
                "config.yml.txt:5: the scope of \"a\": defaultAccess \"denied\" is neither allow nor deny",
            ),
        ),
        (
            "an entry without a canonical form",
            "    - storeName: a\n      deniedSecrets:\n      - x\n      - a=b\n",
            Some(
                "config.yml.txt:8: the scope of \"a\" lists \"a=b\": the name of a variable holds no `=`",
            ),
        ),
        (
            "no store",
            "    - {defaultAccess: deny}\n",
            Some(
                "config.yml.txt:5: a secret scope has no storeName: name the secret store that it is for",
            ),
        ),
        (
            "a list that is none",
            "    - {storeName: a, deniedSecrets: x}\n",
            Some("config.yml.txt:5: the scope of \"a\": deniedSecrets is a list of names"),
        ),
        (
            "a list of lists",
            "    - {storeName: a, deniedSecrets: [[x]]}\n",
            Some("config.yml.txt:5: the scope of \"a\": deniedSecrets is a list of names"),
        ),
        (
            "scopes are no list",
            "      a: b\n",
            Some(
                "config.yml.txt:4: spec.secrets.scopes is no list of scopes, each with a storeName",
            ),
        ),
        (
            "an unknown field beside",
            "    - {storeName: a}\n    scope: x\n",
            Some(
                "config.yml.txt:6: spec.secrets has an unknown field \"scope\" (did you mean `scopes`?)",
            ),
        ),
    ] {
        let files = scoped(scopes);
        let expected: Vec<&str> = said.into_iter().collect();
        assert_eq!(problems(loader(&files), files.path()), expected, "{name}");
    }
    let elsewhere = folder(&[
        ("a.yaml", &env("a", "")),
        (
            "config.yml.txt",
            "kind: Configuration\nspec: {tracing: {typo: 1}, typo: 2}\n",
        ),
    ]);
    assert!(
        engine(loader(&elsewhere)).is_ok(),
        "the rest is none of our business"
    );
    let other = folder(&[
        ("a.yaml", &env("a", "")),
        ("config.yml.txt", "kind: Component\n"),
    ]);
    assert_eq!(
        problems(loader(&other), other.path()),
        [
            "config.yml.txt:1: a document of a configuration file whose kind is not Configuration: write `kind: Configuration`, or move it to another file"
        ]
    );
}

#[tokio::test]
async fn api_e3_s20_a_lenient_start_never_opens_what_a_scope_left_unclear() {
    for (name, scopes, allows_x) in [
        (
            "a bad default",
            "    - {storeName: a, defaultAccess: denied}\n",
            false,
        ),
        (
            "two scopes",
            "    - {storeName: a, allowedSecrets: [X]}\n    - {storeName: a}\n",
            false,
        ),
        (
            "an allow list without a sound entry",
            "    - {storeName: a, allowedSecrets: [a=b]}\n",
            false,
        ),
        ("an unknown store beside", "    - {storeName: b}\n", true),
    ] {
        let files = scoped(scopes);
        let environment = BTreeMap::from([("X".to_owned(), "1".to_owned())]);
        let loader = loader(&files).lenient(true).environment(environment);
        let engine = engine(loader).expect(name);
        let answer = engine.get("a", "X", &Metadata::default()).await;
        assert_eq!(answer.is_ok(), allows_x, "{name}");
        let bulk = engine.bulk("a", &Metadata::default()).await.expect(name);
        assert_eq!(bulk.len(), usize::from(allows_x), "{name}");
    }
}

#[test]
fn api_e7_n3_what_is_only_odd_in_a_scope_is_a_warning() {
    let files = scoped("    - {storeName: a, allowedSecrets: [x, y], deniedSecrets: [y]}\n");
    let config = loader(&files).load().expect("sound");
    let warnings: Vec<_> = config.warnings().iter().map(Problem::message).collect();
    assert_eq!(
        warnings,
        ["the scope of \"a\" both allows and denies \"y\": it is allowed"]
    );
    let log = Log::start();
    engine(loader(&scoped(
        "    - {storeName: a, allowedSecrets: [x, x]}\n",
    )))
    .expect("sound");
    assert_eq!(log.lines(), 1, "{}", log.text());
}

#[tokio::test]
async fn f1_a_relative_path_is_taken_from_the_working_directory() {
    // Tests run in the folder of the package.
    let text = file(
        "a",
        "  - {name: secretsFile, value: tests/recorded/daprd-1.18.1/secrets.json}\n",
    );
    let files = folder(&[("a.yaml", &text)]);
    let engine = engine(loader(&files)).expect("found");
    assert!(
        engine
            .get("a", "redisPassword", &Metadata::default())
            .await
            .is_ok()
    );
}

#[test]
fn s4_only_a_multi_valued_file_says_that_it_has_several_keys() {
    let files = folder(&[
        (
            "a.yaml",
            &[
                file("flat", SECRETS_FILE),
                file(
                    "multi",
                    &format!("{SECRETS_FILE}  - {{name: multiValued, value: true}}\n"),
                ),
                env("env", ""),
            ]
            .join("---\n"),
        ),
        ("secrets.json", "{}"),
    ]);
    let engine = engine(loader(&files)).expect("sound");
    let features: Vec<_> = engine
        .stores()
        .map(|store| store.capabilities().to_vec())
        .collect();
    assert_eq!(
        features,
        [&[][..], &["MULTIPLE_KEY_VALUES_PER_SECRET"], &[]]
    );
}

#[test]
fn api_e3_s20_scopes_that_cannot_be_read_stop_a_lenient_start_too() {
    for (name, configuration) in [
        ("broken YAML", "kind: Configuration\nspec: [\n"),
        ("another kind", "kind: Other\nspec: {}\n"),
        (
            "merged",
            "kind: Configuration\nspec:\n  <<: {secrets: {scopes: [{storeName: a, defaultAccess: deny}]}}\n",
        ),
        ("a key twice", "kind: Configuration\nspec: {}\nspec: {}\n"),
    ] {
        let files = folder(&[("a.yaml", &env("a", "")), ("config.yml.txt", configuration)]);
        assert!(engine(loader(&files).lenient(true)).is_err(), "{name}");
    }
    let missing = folder(&[("a.yaml", &env("a", ""))]);
    let loader = loader(&missing).add_configuration(missing.path().join("nowhere.yaml"));
    assert!(engine(loader.lenient(true)).is_err(), "no file");
}

#[test]
fn api_e5_app_ids_that_cannot_be_read_load_nothing() {
    for scopes in ["scopes: other\n", "scopes: {app: shop}\n"] {
        let files = folder(&[("a.yaml", &env("a", scopes))]);
        let loader = || loader(&files).app_id("shop");
        assert!(engine(loader()).is_err(), "{scopes}");
        assert!(engine(loader().lenient(true)).is_err(), "{scopes}");
    }
    let merged = folder(&[("a.yaml", &env("a", "<<: {scopes: [other]}\n"))]);
    assert_eq!(
        problems(loader(&merged), merged.path()),
        ["a.yaml:5: YAML merge keys (`<<`) are not followed: write the fields out"]
    );
}

#[test]
fn i1_a_metadata_key_of_another_store_is_unknown() {
    for (text, said) in [
        (
            env("a", "  metadata:\n  - {name: secretsFile, value: x}\n"),
            "a.yaml:6: component \"a\": unknown metadata key \"secretsFile\"; known are prefix, allowAll",
        ),
        (
            file(
                "a",
                &format!("{SECRETS_FILE}  - {{name: prefix, value: x}}\n"),
            ),
            "a.yaml:7: component \"a\": unknown metadata key \"prefix\"; known are secretsFile, nestedSeparator, multiValued",
        ),
    ] {
        let files = folder(&[("a.yaml", &text), ("secrets.json", "{}")]);
        assert_eq!(problems(loader(&files), files.path()), [said]);
    }
}

#[tokio::test]
async fn f2_an_empty_separator_is_the_default_one() {
    let text = file(
        "a",
        &format!("{SECRETS_FILE}  - {{name: nestedSeparator, value: \"\"}}\n"),
    );
    let files = folder(&[("a.yaml", &text), ("secrets.json", r#"{"a": {"b": 1}}"#)]);
    let engine = engine(loader(&files)).expect("sound");
    assert!(engine.get("a", "a:b", &Metadata::default()).await.is_ok());
}

#[test]
fn s9_s12_an_ignore_errors_that_is_no_truth_value_is_an_error_and_lenient_false() {
    let files = folder(&[("a.yaml", &env("a", "  ignoreErrors: maybe\n"))]);
    assert_eq!(
        problems(loader(&files), files.path()),
        ["a.yaml:5: component \"a\": ignoreErrors is neither true nor false: write one of them"]
    );
    let engine = engine(loader(&files).lenient(true)).expect("a warning");
    assert!(engine.stores().all(|store| !store.ignores_errors()));
}

#[tokio::test]
async fn l2_bulk_without_a_prefix_is_empty_with_one_warning() {
    let log = Log::start();
    let files = folder(&[("a.yaml", &env("a", ""))]);
    let environment = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
    let engine = engine(loader(&files).environment(environment)).expect("sound");
    let none = Metadata::default();
    for _ in 0..3 {
        assert!(engine.bulk("a", &none).await.expect("answered").is_empty());
        assert!(engine.get("a", "HOME", &none).await.is_ok());
    }
    assert_eq!(log.lines(), 1, "{}", log.text());
}
