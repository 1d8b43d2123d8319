//! Components of any type, with the values that their metadata refers to.

use std::collections::BTreeMap;

use dapr_secrets_service::config::{
    ComponentLoader, Components, Loader, Problem, ResolvedComponent, ResolvedItem, Source,
};
use dapr_secrets_service::{SecretValue, StoreErrorKind};
use tempfile::TempDir;

use crate::files::{SECRETS_FILE, file, folder, loader};
use crate::vault::Vault;

const REDIS: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: orders, namespace: prod}\nauth: {secretStore: files}\nscopes: [shop]\nspec:\n  type: state.redis\n  version: v1\n  metadata:\n  - {name: redisHost, value: \"{appID}:6379\"}\n  - {name: redisPassword, secretKeyRef: {name: password}}\n  - {name: redisDB, envRef: DB}\n";
const SECRETS: &str = r#"{"password": "{appID}hunter2", "again": "hunter3"}"#;

fn shop(files: &TempDir) -> Loader {
    let environment: BTreeMap<String, String> = [("DB".to_owned(), "{uuid}7".to_owned())].into();
    loader(files).app_id("shop").environment(environment)
}

fn values(components: &Components, name: &str) -> Vec<(String, String)> {
    let component = components.get(name).expect("resolved");
    let items = component.metadata();
    items
        .map(|item| (item.name().to_owned(), item.value().expose().to_owned()))
        .collect()
}

fn order(components: &Components) -> Vec<&str> {
    components.iter().map(ResolvedComponent::name).collect()
}

fn refused(loader: Loader, files: &TempDir) -> Vec<String> {
    let start = format!("{}/", files.path().display());
    let problems = ComponentLoader::new(loader).load().expect_err("refused");
    problems
        .iter()
        .map(|line| line.to_string().replace(&start, ""))
        .collect()
}

#[test]
fn api_i3_a_component_of_any_type_comes_with_its_values() {
    let files = folder(&[
        ("a.yaml", REDIS),
        ("files.yaml", &file("files", SECRETS_FILE)),
        ("secrets.json", SECRETS),
        // None of these is ours, and a store that nothing refers to is not made.
        (
            "other.yaml",
            "kind: Resiliency\nspec: {type: x}\n---\nkind: Component\nmetadata: {name: vault}\nspec: {type: secretstores.hashicorp.vault, version: v1}\n",
        ),
    ]);
    let components = ComponentLoader::from(shop(&files)).load().expect("sound");
    assert_eq!(order(&components), ["files", "vault", "orders"]);
    assert!(
        components.warnings().is_empty(),
        "{:?}",
        components.warnings()
    );
    let orders = components.get("orders").expect("resolved");
    assert_eq!(
        (
            orders.api_version(),
            orders.kind(),
            orders.name(),
            orders.namespace()
        ),
        ("dapr.io/v1alpha1", "Component", "orders", Some("prod"))
    );
    assert_eq!(
        (orders.component_type(), orders.version()),
        ("state.redis", "v1")
    );
    assert_eq!(orders.scopes(), ["shop"]);
    assert_eq!(orders.secret_store(), Some("files"));
    assert_eq!(
        (orders.path(), orders.line()),
        (&*files.path().join("a.yaml"), Some(3))
    );
    // Templates are replaced in a literal value alone.
    let expected = [
        ("redisHost", "shop:6379"),
        ("redisPassword", "{appID}hunter2"),
        ("redisDB", "{uuid}7"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(values(&components, "orders"), expected);
    assert_eq!(
        orders.get("REDISPASSWORD").map(SecretValue::expose),
        Some("{appID}hunter2")
    );
    assert!(orders.get("nothing").is_none() && components.get("nothing").is_none());
    let sources: Vec<_> = orders
        .metadata()
        .map(|item| item.source().to_string())
        .collect();
    let expected = [
        "value",
        "secretKeyRef \"password\", key \"password\"",
        "envRef \"DB\"",
    ];
    assert_eq!(sources, expected);
    assert_eq!(
        orders.metadata().next().map(ResolvedItem::source),
        Some(&Source::Written)
    );
    let shown = format!("{components:?}");
    for hidden in ["hunter2", "{uuid}7", "shop:6379"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert_eq!(components.into_iter().count(), 3);
}

#[test]
fn api_i3_s22_s24_what_cannot_be_had_is_told_with_its_place() {
    let redis = |name: &str, store: &str, reference: &str| {
        format!(
            "kind: Component\nmetadata: {{name: {name}}}\nauth: {{secretStore: {store}}}\nspec:\n  type: state.redis\n  metadata:\n  - {{name: password, secretKeyRef: {reference}}}\n"
        )
    };
    let files = &file("files", SECRETS_FILE);
    let referring = file(
        "files",
        "  - {name: secretsFile, secretKeyRef: {name: x}}\n",
    );
    for (name, yaml, said) in [
        (
            "a missing secret",
            [&*redis("a", "files", "{name: none}"), files].join("---\n"),
            "a.yaml:7: component \"a\", metadata key \"password\": secretKeyRef: the store \"files\" has no secret \"none\": add it, or correct the name",
        ),
        (
            "a missing key",
            [&*redis("a", "files", "{name: password, key: k}"), files].join("---\n"),
            "a.yaml:7: component \"a\", metadata key \"password\": secretKeyRef: the secret \"password\" of the store \"files\" has no key \"k\": its only key is \"password\"",
        ),
        (
            "a component that is no secret store",
            [&*redis("a", "b", "{name: x}"), &redis("b", "files", "{name: password}"), files].join("---\n"),
            "a.yaml:3: component \"a\": auth.secretStore names \"b\", which is of the type \"state.redis\": name a secret store",
        ),
        (
            "a store in a ring",
            [&*redis("a", "files", "{name: x}"), &referring.replace("spec:", "auth: {secretStore: files}\nspec:")].join("---\n"),
            "a.yaml:10: component \"files\" (a.yaml:10) needs itself for its secretKeyRefs: a cycle cannot start; write one of the values without secretKeyRef, or name another auth.secretStore",
        ),
        (
            "a store that is not built",
            [&*redis("a", "v", "{name: x}"), "kind: Component\nmetadata: {name: v}\nspec: {type: secretstores.hashicorp.vault}\n"].join("---\n"),
            "a.yaml:11: component \"v\": unknown component type \"secretstores.hashicorp.vault\"; this build has local.file and local.env",
        ),
        (
            "two keys that are equal but for case",
            redis("a", "files", "{name: password}").replace("metadata:\n  -", "metadata:\n  - {name: Password, value: x}\n  -") + "---\n" + files,
            "a.yaml:8: component \"a\": key password is duplicate in the metadata: lines 7 and 8; letter case does not tell two keys apart",
        ),
        (
            "two components of one name",
            [&*redis("a", "files", "{name: password}"), &redis("a", "files", "{name: password}"), files].join("---\n"),
            "a.yaml:10: two components are called \"a\": a.yaml:2 and a.yaml:10; give one of them another name",
        ),
        (
            "an unknown field",
            redis("a", "files", "{name: password}").replace("  metadata", "  metdata") + "---\n" + files,
            "a.yaml:6: component \"a\": spec has an unknown field \"metdata\" (did you mean `metadata`?)",
        ),
    ] {
        let files = folder(&[("a.yaml", &yaml), ("secrets.json", SECRETS)]);
        assert_eq!(refused(shop(&files), &files), [said], "{name}");
    }
}

#[test]
fn api_i3_values_that_cannot_be_had_for_now_are_an_error() {
    let yaml = REDIS.replace("secretStore: files", "secretStore: vault");
    let files = folder(&[("a.yaml", &yaml)]);
    for kind in [
        StoreErrorKind::Throttled,
        StoreErrorKind::Unavailable,
        StoreErrorKind::Misconfigured,
    ] {
        let vault = Vault::default();
        vault.fail("password", kind);
        for lenient in [false, true] {
            let loader = shop(&files)
                .lenient(lenient)
                .add_store("vault", vault.clone());
            let said = refused(loader, &files);
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(
                said[0].starts_with("a.yaml:3: component \"orders\" waits for the secret"),
                "{said:?}"
            );
        }
    }
}

#[test]
fn api_i3_s20_lenient_leaves_out_what_lacks_a_value() {
    let files = folder(&[
        ("a.yaml", REDIS),
        (
            "b.yaml",
            &REDIS
                .replace("name: orders", "name: others")
                .replace("{name: password}", "{name: again}"),
        ),
        ("files.yaml", &file("files", SECRETS_FILE)),
        ("secrets.json", r#"{"again": "hunter3"}"#),
    ]);
    let components = ComponentLoader::new(shop(&files).lenient(true))
        .load()
        .expect("lenient");
    assert_eq!(order(&components), ["files", "others"]);
    let warnings: Vec<_> = components.warnings().iter().map(Problem::message).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("has no secret \"password\""),
        "{warnings:?}"
    );
}

#[test]
fn api_i3_s12_ignored_errors_leave_a_component_out_unless_its_file_is_asked_for() {
    let ignoring = REDIS.replace("spec:\n", "spec:\n  ignoreErrors: true\n");
    let files = folder(&[
        ("a.yaml", &ignoring),
        ("files.yaml", &file("files", SECRETS_FILE)),
        ("secrets.json", "{}"),
    ]);
    let components = ComponentLoader::new(shop(&files)).load().expect("ignored");
    assert_eq!(order(&components), ["files"]);
    let said = "component \"orders\", metadata key \"redisPassword\": secretKeyRef: the store \"files\" has no secret \"password\": add it, or correct the name";
    let warnings = components.warnings().iter();
    assert_eq!(warnings.map(Problem::message).collect::<Vec<_>>(), [said]);
    for lenient in [false, true] {
        let loader = ComponentLoader::new(shop(&files).lenient(lenient));
        let problems = loader
            .load_file(files.path().join("a.yaml"))
            .expect_err("it was asked for");
        let problems: Vec<_> = problems.iter().map(Problem::message).collect();
        assert_eq!(problems, [said]);
    }
}

#[test]
fn api_i3_s11_components_of_others_are_left_out_and_listed() {
    let files = folder(&[
        ("a.yaml", REDIS),
        ("files.yaml", &file("files", SECRETS_FILE)),
        ("secrets.json", SECRETS),
    ]);
    for (loader, whom) in [
        (shop(&files).app_id("other"), "the app \"shop\""),
        (shop(&files).namespace("dev"), "the namespace \"prod\""),
    ] {
        let components = ComponentLoader::new(loader).load().expect("sound");
        assert_eq!(order(&components), ["files"]);
        let skipped: Vec<_> = components
            .skipped()
            .iter()
            .map(|other| (other.name(), other.meant_for()))
            .collect();
        assert_eq!(skipped, [("orders", whom)]);
    }
}

#[tokio::test]
async fn api_i3_one_file_alone_needs_nothing_but_its_own_stores() {
    let files = folder(&[
        ("a.yaml", REDIS),
        (
            "b.yaml",
            &REDIS
                .replace("name: orders", "name: b")
                .replace("{name: password}", "{name: none}"),
        ),
        ("files.yaml", &file("files", SECRETS_FILE)),
        ("secrets.json", SECRETS),
    ]);
    let outside = folder(&[
        ("c.yaml", &REDIS.replace("name: orders", "name: c")),
        ("empty.yaml", ""),
        ("theirs.yaml", &REDIS.replace("[shop]", "[others]")),
    ]);
    let load = |path| ComponentLoader::new(shop(&files)).load_file(path);
    let inside = load(files.path().join("a.yaml")).expect("`b` is not looked at");
    assert_eq!(order(&inside), ["orders"]);
    let beside = load(outside.path().join("c.yaml")).expect("sound");
    assert_eq!(order(&beside), ["c"]);
    assert_eq!(values(&beside, "c")[1].1, "{appID}hunter2");
    for (file, said) in [
        ("empty.yaml", "there is no document of kind Component here"),
        ("theirs.yaml", "no component for this app: "),
        ("none.yaml", "cannot be read: "),
    ] {
        let problems = load(outside.path().join(file)).expect_err(file);
        assert_eq!(problems.iter().len(), 1, "{problems}");
        let problem = problems.iter().next().expect("one");
        assert_eq!(problem.path(), outside.path().join(file), "{problem}");
        assert!(problem.message().starts_with(said), "{problem}");
    }
    let problems = load(files.path().join("b.yaml")).expect_err("a missing secret");
    assert!(
        problems.to_string().contains("has no secret \"none\""),
        "{problems}"
    );

    let vault = Vault::default();
    vault.put("password", &[("password", "late")]).wait();
    let vaulted = folder(&[(
        "v.yaml",
        &REDIS.replace("secretStore: files", "secretStore: vault"),
    )]);
    let patient = || ComponentLoader::new(shop(&vaulted).add_store("vault", vault.clone()));
    let said = patient()
        .load()
        .expect_err("it must be waited for")
        .to_string();
    assert!(said.contains("use the `_async` function"), "{said}");
    for components in [
        patient().load_async().await,
        patient()
            .load_file_async(vaulted.path().join("v.yaml"))
            .await,
    ] {
        assert_eq!(values(&components.expect("sound"), "orders")[1].1, "late");
    }
}
