//! What a slip of the pen in a file must not open: in strict mode it is an error, and so it is in
//! lenient mode where the store would otherwise serve more than was written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dapr_secrets_service::config::Problem;
use dapr_secrets_service::{ErrorKind, Metadata};

use crate::files::{SECRETS_FILE, engine, env, file, folder, loader, names, problems, write};
use crate::log::Log;

const OPEN: &str = "  metadata: [{name: allowAll, value: true}]\n";

/// The one problem of a file `a.yaml` beside a sound store, in both modes.
fn never_passes(name: &str, files: &[(&str, &str)], said: &str) {
    let files = folder(files);
    for lenient in [false, true] {
        let loader = loader(&files).app_id("shop").lenient(lenient);
        let found = problems(loader, files.path());
        assert!(
            found.iter().any(|line| line == said),
            "{name}, lenient {lenient}: {found:#?}"
        );
    }
}

#[test]
fn api_e3_s20_scopes_that_nobody_would_read_are_an_error() {
    for (name, configuration, said) in [
        (
            "not indented",
            "kind: Configuration\nspec:\n  secrets:\n  scopes: [{storeName: a, defaultAccess: deny}]\n",
            "config.yml.txt:4: a field \"scopes\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "not indented, the section",
            "kind: Configuration\nspec:\n  secrets:\n  scopes: [{storeName: a}]\n",
            "config.yml.txt:3: spec.secrets is no mapping",
        ),
        (
            "one letter short",
            "kind: Configuration\nspec:\n  secret:\n    scopes: [{storeName: a}]\n",
            "config.yml.txt:3: a field \"secret\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "another letter case",
            "kind: Configuration\nspec:\n  Secrets:\n    scopes: [{storeName: a}]\n",
            "config.yml.txt:3: a field \"Secrets\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "at the root",
            "kind: Configuration\nsecrets:\n  scopes: [{storeName: a}]\n",
            "config.yml.txt:2: a field \"secrets\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "scopes at the root",
            "kind: Configuration\nscopes: [{storeName: a}]\n",
            "config.yml.txt:2: a field \"scopes\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "a misspelt spec",
            "kind: Configuration\nSpec:\n  secrets:\n    scopes: [{storeName: a}]\n",
            "config.yml.txt:2: a field \"Spec\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "spec is a list",
            "kind: Configuration\nspec:\n- secrets: {scopes: [{storeName: a}]}\n",
            "config.yml.txt:2: spec is no mapping",
        ),
        (
            "spec is null",
            "kind: Configuration\nspec:\n",
            "config.yml.txt:2: spec is no mapping",
        ),
        (
            "scopes are null",
            "kind: Configuration\nspec:\n  secrets:\n    scopes:\n",
            "config.yml.txt:4: spec.secrets.scopes is no list of scopes, each with a storeName",
        ),
        (
            "a scope is null",
            "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    -\n",
            "config.yml.txt:5: a secret scope is no mapping",
        ),
        (
            "below another section",
            "kind: Configuration\nspec:\n  vault:\n    list: [{storeName: a, defaultAccess: deny}]\n",
            "config.yml.txt:4: a field \"storeName\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "a list without its parent",
            "kind: Configuration\nmetadata:\n  x:\n    deniedSecrets: [x]\n",
            "config.yml.txt:4: a field \"deniedSecrets\" here does nothing: scopes belong below spec.secrets",
        ),
        (
            "an unknown field beside",
            "kind: Configuration\nspec: {secrets: {scops: [{storeName: a}]}}\n",
            "config.yml.txt:2: spec.secrets has an unknown field \"scops\" (did you mean `scopes`?)",
        ),
        (
            "an unknown null field beside",
            "kind: Configuration\nspec: {secrets: {tenants: }}\n",
            "config.yml.txt:2: spec.secrets has an unknown field \"tenants\"",
        ),
    ] {
        let files = [
            ("a.yaml", &*env("a", OPEN)),
            ("config.yml.txt", configuration),
        ];
        never_passes(name, &files, said);
    }
}

#[test]
fn api_e3_the_rest_of_a_configuration_is_none_of_our_business() {
    let configuration = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c, labels: {a: b}}\nspec:\n  tracing: {samplingRate: \"1\"}\n  metric: {enabled: true}\n  metrics: {enabled: true}\n  mtls:\n  httpPipeline: {handlers: [{name: x, type: y}]}\n  appHttpPipeline: {}\n  nameResolution: {component: x}\n  features: [{name: x, enabled: true}]\n  api: {allowed: []}\n  components: {deny: []}\n  accessControl: {defaultAction: deny, policies: [{appId: x}]}\n  logging: {}\n  wasm: {strictSandbox: true}\n  workflow: {}\n  secrets: {}\nstatus: {}\n";
    let files = folder(&[("a.yaml", &env("a", "")), ("config.yml.txt", configuration)]);
    let config = loader(&files).load().expect("sound");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

#[test]
fn api_e3_every_document_of_a_configuration_file_is_a_configuration() {
    let sound = "kind: Configuration\n---\n";
    for (name, second, said) in [
        (
            "no kind",
            "spec: {secrets: {scopes: [{storeName: a}]}}\n",
            "kind",
        ),
        ("another letter case", "kind: configuration\n", "kind"),
        ("a slip", "kind: Configuraton\n", "kind"),
        ("another kind", "kind: Component\n", "kind"),
        ("a list", "- kind: Configuration\n", "mapping"),
        ("a merge key", "<<: {kind: Configuration}\n", "merge"),
    ] {
        let said = if said == "kind" {
            "config.yml.txt:3: a document of a configuration file whose kind is not Configuration: write `kind: Configuration`, or move it to another file"
        } else if said == "mapping" {
            "config.yml.txt:3: a document of a configuration file is no mapping: write `kind: Configuration` and its other fields"
        } else {
            "config.yml.txt:3: YAML merge keys (`<<`) are not followed: write the fields out"
        };
        let configuration = format!("{sound}{second}");
        let files = [
            ("a.yaml", &*env("a", OPEN)),
            ("config.yml.txt", &configuration),
        ];
        never_passes(name, &files, said);
    }
    let empty = [
        ("a.yaml", &*env("a", OPEN)),
        ("config.yml.txt", "---\n---\n"),
    ];
    never_passes(
        "nothing",
        &empty,
        "config.yml.txt: there is no document of kind Configuration here: give a file that has one",
    );
    let twice = "kind: Configuration\n---\nkind: Configuration\nspec: {secrets: {scopes: [{storeName: a, defaultAccess: deny}]}}\n---\n";
    let files = folder(&[("a.yaml", &env("a", OPEN)), ("config.yml.txt", twice)]);
    assert!(engine(loader(&files)).is_ok(), "several documents may be");
}

fn scoped(scope: &str) -> [(&'static str, String); 2] {
    [
        ("a.yaml", env("a", OPEN)),
        (
            "config.yml.txt",
            format!(
                "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    - {{storeName: a, {scope}}}\n"
            ),
        ),
    ]
}

#[test]
fn api_e1_api_e3_a_null_in_a_scope_and_an_unknown_field_never_open_the_store() {
    for (scope, said) in [
        (
            "defaultAccess: ",
            "the scope of \"a\": defaultAccess needs allow or deny",
        ),
        (
            "defaultAccess: ~",
            "the scope of \"a\": defaultAccess needs allow or deny",
        ),
        (
            "defaultAccess: \"\"",
            "the scope of \"a\": defaultAccess needs allow or deny",
        ),
        (
            "allowedSecrets: ",
            "the scope of \"a\": allowedSecrets is a list of names",
        ),
        (
            "deniedSecrets: null",
            "the scope of \"a\": deniedSecrets is a list of names",
        ),
        (
            "allowedSecrets: [x, ~]",
            "the scope of \"a\": allowedSecrets is a list of names",
        ),
        (
            "denySecrets: [x]",
            "a secret scope has an unknown field \"denySecrets\" (did you mean `deniedSecrets`?)",
        ),
        (
            "default: deny",
            "a secret scope has an unknown field \"default\"",
        ),
        (
            "allowedSecret: ",
            "a secret scope has an unknown field \"allowedSecret\" (did you mean `allowedSecrets`?)",
        ),
    ] {
        let files = scoped(scope);
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        never_passes(scope, &files, &format!("config.yml.txt:5: {said}"));
    }
}

#[tokio::test]
async fn api_e1_denied_by_default_alone_refuses_everything() {
    for access in ["DENY", "deny", "Deny"] {
        let files = scoped(&format!("defaultAccess: {access}"));
        let files = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        let environment = BTreeMap::from([("X".to_owned(), "1".to_owned())]);
        let engine = engine(loader(&files).environment(environment)).expect("sound");
        for name in ["X", "nope"] {
            let error = engine.get("a", name, &Metadata::default()).await;
            let kind = error.expect_err("refused").kind();
            assert_eq!(kind, ErrorKind::PermissionDenied, "{access} {name}");
        }
        let bulk = engine
            .bulk("a", &Metadata::default())
            .await
            .expect("answered");
        assert!(bulk.is_empty(), "{access}");
    }
}

#[test]
fn api_e1_an_empty_allow_list_that_allows_everything_is_warned_of() {
    for (scope, warnings) in [
        ("allowedSecrets: []", 1),
        ("allowedSecrets: [], defaultAccess: allow", 0),
        ("allowedSecrets: [], defaultAccess: deny", 0),
        ("allowedSecrets: [x]", 0),
    ] {
        let files = scoped(scope);
        let files = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        let config = loader(&files).load().expect("sound");
        let said: Vec<_> = config.warnings().iter().map(Problem::message).collect();
        assert_eq!(said.len(), warnings, "{scope}: {said:?}");
        assert!(
            said.iter()
                .all(|line| line.contains("an empty allow list allows everything"))
        );
    }
}

#[test]
fn s9_s11_s20_whom_a_component_is_for_is_never_guessed() {
    let named = |metadata: &str| {
        format!(
            "kind: Component\nmetadata: {{name: a{metadata}}}\nspec: {{type: secretstores.local.env}}\n"
        )
    };
    for (name, text, said) in [
        (
            "one letter short",
            env("a", "scope: [other]\n"),
            "a.yaml:5: component \"a\": its root has an unknown field \"scope\" (did you mean `scopes`?)",
        ),
        (
            "another letter case",
            env("a", "Scopes: [other]\n"),
            "a.yaml:5: component \"a\": its root has an unknown field \"Scopes\" (did you mean `scopes`?)",
        ),
        (
            "scopes in metadata",
            named(", scopes: [other]"),
            "a.yaml:2: component \"a\": metadata has a field \"scopes\": `scopes` belongs at the root",
        ),
        (
            "scopes in spec",
            env("a", "  scopes: [other]\n"),
            "a.yaml:5: component \"a\": spec has a field \"scopes\": `scopes` belongs at the root",
        ),
        (
            "namespace in spec",
            env("a", "  namespace: prod\n"),
            "a.yaml:5: component \"a\": spec has a field \"namespace\": `namespace` belongs in metadata",
        ),
        (
            "null scopes",
            env("a", "scopes:\n"),
            "a.yaml:5: component \"a\": scopes is a list of app ids",
        ),
        (
            "a null app",
            env("a", "scopes: [~]\n"),
            "a.yaml:5: component \"a\": scopes is a list of app ids",
        ),
        (
            "a misspelt namespace",
            named(", nameSpace: prod"),
            "a.yaml:2: component \"a\": metadata has a field \"nameSpace\": `namespace` belongs in metadata",
        ),
        (
            "a list of namespaces",
            named(", namespace: [prod]"),
            "a.yaml:2: component \"a\": metadata.namespace is no text",
        ),
        (
            "a null namespace",
            named(", namespace: "),
            "a.yaml:2: component \"a\": metadata.namespace is no text",
        ),
        (
            "scopes twice, the first for others",
            env("a", "scopes: [other]\nscopes: [shop]\n"),
            "a.yaml:6: key \"scopes\" stands twice in one mapping: lines 5 and 6",
        ),
    ] {
        never_passes(name, &[("a.yaml", &text)], said);
        let ignoring = text
            .replace("local.env}", "local.env, ignoreErrors: true}")
            .replace("local.env\n", "local.env\n  ignoreErrors: true\n");
        assert_ne!(ignoring, text, "{name}");
        let files = folder(&[("a.yaml", &ignoring)]);
        let engine = engine(loader(&files).app_id("shop")).expect(name);
        assert!(
            engine.stores().all(|store| !store.is_ready()),
            "{name}: ignored errors leave it closed"
        );
    }
    let other = folder(&[("a.yaml", &env("a", "x-notes: {by: me}\n"))]);
    assert_eq!(
        problems(loader(&other), other.path()),
        ["a.yaml:5: component \"a\": its root has an unknown field \"x-notes\""]
    );
    let lenient = engine(loader(&other).lenient(true)).expect("near nothing");
    assert_eq!(names(&lenient), ["a"]);
}

#[test]
fn s8_a_secret_store_of_another_kind_is_an_error() {
    let with_kind = |kind: &str| env("a", "").replace("kind: Component\n", kind);
    for kind in [
        "kind: component\n",
        "kind: Components\n",
        "Kind: Component\n",
        "kind:\n",
        "",
    ] {
        let files = folder(&[("a.yaml", &with_kind(kind))]);
        let said = problems(loader(&files), files.path());
        assert_eq!(
            said,
            [
                "a.yaml:1: a secret store whose kind is not Component is not loaded: write `kind: Component`"
            ],
            "{kind}"
        );
        let lenient = engine(loader(&files).lenient(true)).expect("a warning");
        assert!(names(&lenient).is_empty(), "{kind}");
    }
}

#[test]
fn s8_scopes_in_a_resources_folder_that_nobody_applies_are_warned_of() {
    let configuration =
        "kind: Configuration\nspec:\n  secrets: {scopes: [{storeName: a, defaultAccess: deny}]}\n";
    let files = folder(&[("a.yaml", &env("a", "")), ("config.yaml", configuration)]);
    let config = loader(&files).load().expect("a warning");
    let said: Vec<_> = config
        .warnings()
        .iter()
        .map(|warning| (warning.line(), warning.message()))
        .collect();
    assert_eq!(
        said,
        [(
            Some(3),
            "the scopes of a Configuration in a resources folder are not applied: give the file with --config"
        )]
    );
    let same_file = files.path().join(".").join("config.yaml");
    let config = loader(&files)
        .add_configuration(same_file)
        .load()
        .expect("sound");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

/// In lenient mode a store that is not as it was written serves nothing.
#[tokio::test]
async fn s20_a_store_whose_metadata_cannot_be_read_fails_and_does_not_open() {
    let environment = BTreeMap::from([("HOME".to_owned(), "1".to_owned())]);
    for (name, item) in [
        ("no such variable", "{name: prefix, envRef: NOPE}"),
        ("a refused variable", "{name: prefix, envRef: DAPR_X}"),
        ("no value", "{name: prefix}"),
        ("a null value", "{name: prefix, value: }"),
        ("a slip", "{name: prefx, value: SHOP_}"),
        ("a key of another store", "{name: multiValued, value: true}"),
        ("no truth value", "{name: allowAll, value: maybe}"),
    ] {
        let text = env("a", &format!("  metadata:\n  - {item}\n"));
        let files = folder(&[("a.yaml", &text)]);
        assert_eq!(problems(loader(&files), files.path()).len(), 1, "{name}");
        let config = loader(&files)
            .lenient(true)
            .environment(environment.clone())
            .load()
            .expect(name);
        assert_eq!(config.warnings().len(), 1, "{name}");
        let engine = config.into_engine().expect(name);
        let error = engine.get("a", "HOME", &Metadata::default()).await;
        assert_eq!(
            error.expect_err("failed").kind(),
            ErrorKind::StoreMisconfigured,
            "{name}"
        );
        assert!(!engine.is_ready(), "{name}");
    }
}

#[test]
fn l4_a_prefix_that_no_variable_starts_with_is_an_error() {
    for prefix in ["A=", "=", "A\\n"] {
        let text = env(
            "a",
            &format!("  metadata:\n  - {{name: prefix, value: \"{prefix}\"}}\n"),
        );
        never_passes(
            prefix,
            &[("a.yaml", &text)],
            "a.yaml:6: component \"a\": metadata key \"prefix\" holds `=` or a control character: no variable is called so",
        );
    }
}

#[test]
fn s19_a_denied_entry_that_a_file_does_not_have_is_warned_of_with_its_line() {
    let log = Log::start();
    let files = folder(&[
        ("a.yaml", &file("a", SECRETS_FILE)),
        ("secrets.json", r#"{"db": {"pass": "p"}}"#),
        (
            "config.yml.txt",
            "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    - storeName: a\n      deniedSecrets: [\"db:pass\",\n        db]\n",
        ),
    ]);
    engine(loader(&files)).expect("sound");
    assert_eq!(log.lines(), 1, "{}", log.text());
    assert!(
        log.text()
            .contains("config.yml.txt:7: the scope of \"a\" denies \"db\""),
        "{}",
        log.text()
    );
}

#[test]
fn s19_no_file_can_write_lines_of_its_own_or_steer_a_terminal() {
    let log = Log::start();
    let mut seen = String::new();
    let text = [
        env("a\\u001b[31m", ""),
        env("b", "  version: \"v9\\n\\e[31m/x.yaml:1: fine\"\n"),
        env("c", "").replace("local.env", "local.\\n\\e[31m"),
        env("d", "  metadata:\n  - {name: \"x\\n\\e[31m\", value: y}\n"),
        env("e", "\"sc\\nopes\": []\n"),
        file(
            "f",
            "  - {name: secretsFile, value: \"no\\nwhere\\e[31m\"}\n",
        ),
        file(
            "g",
            "  - {name: \"multi\\nValued\", value: x}\n  - {name: \"multi\\nvalued\", value: x}\n",
        ),
        "kind: Component\nmetadata: {name: h}\nspec: {type: \"secretstores.\\e[31m\\u2028\"}\n"
            .to_owned(),
    ]
    .join("---\n")
    .replace(
        "secretstores.local.\\n\\e[31m",
        "\"secretstores.local.\\n\\e[31m\"",
    )
    .replace("{name: a\\u001b[31m}", "{name: \"a\\u001b[31m\"}");
    let files = folder(&[("a.yaml", &text)]);
    write(&files.path().join("odd\n\u{1b}[31mname.yaml"), "a: [");
    let found = problems(loader(&files), files.path());
    assert!(found.len() >= 9, "{found:#?}");
    for line in &found {
        writeln!(seen, "{line}").expect("a String takes everything");
    }
    assert_eq!(seen.lines().count(), found.len(), "{seen}");
    let config = loader(&files).lenient(true).load();
    writeln!(seen, "{config:?}").expect("a String takes everything");
    for text in [&seen, &log.text()] {
        assert!(!text.contains(['\u{1b}', '\r', '\u{2028}']), "{text:?}");
    }
    let error = dapr_secrets_service::FileStore::open("no\n\u{1b}[31mwhere").expect_err("none");
    assert!(!error.to_string().contains(['\u{1b}', '\n']), "{error}");
}

#[test]
fn s7_a_path_that_came_from_the_environment_is_not_printed() {
    let hidden = "hunter2-is-a-folder";
    for (name, content, said) in [
        (
            "no file",
            None,
            "a.yaml:2: component \"a\": secrets file: cannot be read: ",
        ),
        (
            "broken",
            Some("{\n1}"),
            "a.yaml:2: component \"a\": secrets file: not valid JSON: key must be a string (the path in $HUNTER), line 2",
        ),
        ("odd", Some(r#"{"": "x"}"#), ""),
    ] {
        let log = Log::start();
        let files = folder(&[(
            "a.yaml",
            &file("a", "  - {name: secretsFile, envRef: HUNTER}\n"),
        )]);
        let path = files.path().join(hidden);
        if let Some(content) = content {
            write(&path, content);
            make_writable(&path);
        }
        let path = path.to_str().expect("text").to_owned();
        let environment = BTreeMap::from([("HUNTER".to_owned(), path)]);
        let found = problems(loader(&files).environment(environment), files.path());
        assert_eq!(found.is_empty(), said.is_empty(), "{name}: {found:?}");
        let seen = found.join("\n") + &log.text();
        assert!(
            seen.contains(said) && seen.contains("the path in $HUNTER"),
            "{name}: {seen}"
        );
        assert!(!seen.contains(hidden), "{name}: {seen}");
    }
}

#[cfg(unix)]
fn make_writable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).expect("ours");
}

#[cfg(not(unix))]
fn make_writable(_: &std::path::Path) {}

#[cfg(unix)]
#[test]
fn s8_a_yaml_file_that_others_may_write_is_warned_of() {
    let configuration = "kind: Configuration\n";
    let files = folder(&[("a.yaml", &env("a", "")), ("config.yml.txt", configuration)]);
    assert!(loader(&files).load().expect("sound").warnings().is_empty());
    for name in ["a.yaml", "config.yml.txt"] {
        make_writable(&files.path().join(name));
    }
    let config = loader(&files).load().expect("sound");
    let said: Vec<_> = config.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter()
            .all(|line| line.ends_with("the group of this file, or others, may write it"))
    );
}

#[cfg(unix)]
#[test]
fn s8_f1_a_device_or_a_socket_in_the_place_of_a_file_does_not_block() {
    use std::os::unix::fs::symlink;
    let files = folder(&[("a.yaml", &file("a", SECRETS_FILE))]);
    let _socket =
        std::os::unix::net::UnixListener::bind(files.path().join("socket.yaml")).expect("a socket");
    symlink("/dev/tty", files.path().join("secrets.json")).expect("a link");
    symlink("/dev/zero", files.path().join("zero.yaml")).expect("a link");
    let found = problems(loader(&files), files.path());
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found.iter().all(|line| line.contains("not a regular file")),
        "{found:#?}"
    );
}

#[test]
fn f1_a_relative_path_that_leads_nowhere_says_where_it_starts() {
    let files = folder(&[(
        "a.yaml",
        &file("a", "  - {name: secretsFile, value: no/where.json}\n"),
    )]);
    let found = problems(loader(&files), files.path());
    let here = std::env::current_dir().expect("somewhere");
    let start = format!(
        "(relative paths start at the working directory, {}) (no/where.json)",
        here.display()
    );
    assert!(found[0].ends_with(&start), "{found:?}");
    let absolute = folder(&[("a.yaml", &file("a", SECRETS_FILE))]);
    let found = problems(loader(&absolute), absolute.path());
    assert!(!found[0].contains("working directory"), "{found:?}");
}
