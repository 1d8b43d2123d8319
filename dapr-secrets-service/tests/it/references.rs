//! `secretKeyRef`: stores whose settings are secrets of other stores, at the start and when those secrets change.

use std::collections::BTreeMap;

use dapr_secrets_service::config::{Config, Loader, Reloaded};
use dapr_secrets_service::{Engine, ErrorKind, Metadata, StoreErrorKind};
use tempfile::TempDir;

use crate::files::{engine, env, file, folder, loader, problems, write};
use crate::log::Log;
use crate::vault::Vault;

/// A `local.env` component that refers to another store; its items are written from line 6 on.
fn referring(name: &str, store: &str, items: &[&str]) -> String {
    let items: String = items.iter().map(|item| format!("  - {item}\n")).collect();
    format!(
        "kind: Component\nmetadata: {{name: {name}}}\nauth: {{secretStore: {store}}}\nspec:\n  type: secretstores.local.env\n  metadata:\n{items}"
    )
}

const PREFIX: &str = "{name: prefix, secretKeyRef: {name: p, key: k}}";

fn variables() -> BTreeMap<String, String> {
    [
        ("ONE_A", "1"),
        ("TWO_A", "2"),
        ("{appID}_A", "3"),
        ("A", "all"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

async fn read(engine: &Engine, store: &str, name: &str) -> Result<String, ErrorKind> {
    let secret = engine.get(store, name, &Metadata::default()).await;
    secret
        .map(|secret| secret.get(name).expect("its key").expose().to_owned())
        .map_err(|error| error.kind())
}

fn with_vault(files: &TempDir, vault: &Vault) -> Loader {
    loader(files)
        .app_id("shop")
        .environment(variables())
        .add_store("vault", vault.clone())
}

fn reload(engine: &Engine, loader: Loader) -> Result<[usize; 4], String> {
    let reloaded = loader.load().and_then(|config| config.reload(engine));
    let Reloaded {
        kept,
        replaced,
        added,
        removed,
        ..
    } = reloaded.map_err(|problems| problems.to_string())?;
    Ok([kept, replaced, added, removed])
}

#[tokio::test]
async fn s13_s17_s22_s23_values_are_read_in_order_of_need_once_and_byte_for_byte() {
    let vault = Vault::default();
    vault
        .put("p", &[("k", "{appID}_"), ("path", "no/such/file")])
        .put("yes", &[("yes", "true")]);
    // `a` needs `b`, `b` needs `c`, `c` needs the vault; the files stand in the opposite order.
    let files = folder(&[
        (
            "a.yaml",
            &referring("a", "b", &["{name: prefix, secretKeyRef: {name: prefix}}"]),
        ),
        (
            "b.yaml",
            &file("b", "  - {name: secretsFile, secretKeyRef: {name: path}}\n")
                .replace("spec:", "auth: {secretStore: c}\nspec:"),
        ),
        (
            "c.yaml",
            &file(
                "c",
                "  - {name: secretsFile, value: \"{dir}/c.json\"}\n  - {name: multiValued, secretKeyRef: {name: p, key: no}}\n",
            )
            .replace("spec:", "auth: {secretStore: vault}\nspec:"),
        ),
        ("c.json", r#"{"path": "{dir}/b.json"}"#),
        ("b.json", r#"{"prefix": "ONE_"}"#),
        (
            "d.yaml",
            &referring(
                "d",
                "vault",
                &[PREFIX, "{name: allowAll, secretKeyRef: {name: p, key: no}}"],
            ),
        ),
    ]);
    vault.put("p", &[("k", "{appID}_"), ("no", "false")]);
    let engine = engine(with_vault(&files, &vault)).expect("sound");
    assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("1"));
    // Neither a template in a secret nor its braces are touched.
    assert_eq!(read(&engine, "d", "A").await.as_deref(), Ok("3"));
    // Once for `c` and once for `d`, which uses it twice.
    assert_eq!(vault.reads(), ["p", "p"]);
    assert!(engine.is_ready());
}

#[tokio::test]
async fn s23_scopes_bind_the_app_and_not_a_reference() {
    let vault = Vault::default();
    vault.put("p", &[("k", "ONE_")]);
    let files = folder(&[
        ("a.yaml", &referring("a", "vault", &[PREFIX])),
        (
            "config.yml.txt",
            "kind: Configuration\nspec: {secrets: {scopes: [{storeName: vault, defaultAccess: deny}]}}\n",
        ),
    ]);
    let engine = engine(with_vault(&files, &vault)).expect("sound");
    assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("1"));
    let denied = engine.get("vault", "p", &Metadata::default()).await;
    assert_eq!(denied.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn s23_the_namespace_of_the_component_goes_to_stores_that_know_the_key() {
    for (name, namespace, ours, read) in [
        ("its own", ", namespace: prod", None, "p@prod"),
        (
            "its own, which is ours",
            ", namespace: prod",
            Some("prod"),
            "p@prod",
        ),
        ("ours", "", Some("dev"), "p@dev"),
        ("none", "", None, "p"),
    ] {
        let vault = Vault::default();
        vault.put("p", &[("k", "ONE_")]);
        let text = referring("a", "vault", &[PREFIX])
            .replace("{name: a}", &format!("{{name: a{namespace}}}"));
        let files = folder(&[("a.yaml", &text)]);
        let mut loader = with_vault(&files, &vault);
        if let Some(ours) = ours {
            loader = loader.namespace(ours);
        }
        engine(loader).expect(name);
        assert_eq!(vault.reads(), [read], "{name}");
    }
}

#[test]
fn s24_a_definite_miss_is_an_error_and_lenient_fails_the_store() {
    let start = "component \"a\", metadata key \"prefix\": secretKeyRef:";
    for (kind, said) in [
        (
            StoreErrorKind::NotFound,
            "has no secret \"p\": add it, or correct the name",
        ),
        (
            StoreErrorKind::Unset,
            "has no secret \"p\": add it, or correct the name",
        ),
        (
            StoreErrorKind::VersionNotFound,
            "has no secret \"p\": add it, or correct the name",
        ),
        (
            StoreErrorKind::Denied,
            "refuses the secret \"p\": grant the right to read it",
        ),
        (
            StoreErrorKind::InvalidRequest,
            "can hold no secret \"p\": correct the name",
        ),
        (
            StoreErrorKind::Corrupt,
            "holds a secret \"p\" that cannot be read as text",
        ),
    ] {
        let vault = Vault::default();
        vault.fail("p", kind);
        let files = folder(&[("a.yaml", &referring("a", "vault", &[PREFIX]))]);
        let expected = format!("a.yaml:7: {start} the store \"vault\" {said} (its own words)");
        assert_eq!(
            problems(with_vault(&files, &vault), files.path()),
            [expected],
            "{kind:?}"
        );
        let log = Log::start();
        let engine = engine(with_vault(&files, &vault).lenient(true)).expect("lenient");
        assert!(log.text().contains(said), "{kind:?}: {}", log.text());
        let stores: Vec<_> = engine.stores().map(|store| store.is_ready()).collect();
        assert_eq!(stores, [true, false], "{kind:?}");
        assert!(!engine.is_ready());
    }
}

#[test]
fn s24_a_name_that_the_store_refuses_is_never_asked_for() {
    let vault = Vault::default();
    for name in ["a?b", &"x".repeat(2_049), "a\\tb"] {
        let item = format!("{{name: prefix, secretKeyRef: {{name: \"{name}\"}}}}");
        let files = folder(&[("a.yaml", &referring("a", "vault", &[&item]))]);
        let said = problems(with_vault(&files, &vault), files.path());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("the store \"vault\" can hold no secret "),
            "{said:?}"
        );
    }
    assert!(vault.reads().is_empty());
}

#[test]
fn s24_a_key_that_is_missing_or_empty_is_an_error() {
    let vault = Vault::default();
    vault
        .put(
            "p",
            &[("password", "hunter2"), ("user", "u"), ("empty", "")],
        )
        .put("one", &[("one", "hunter2")])
        .put("none", &[]);
    let start = "a.yaml:7: component \"a\", metadata key \"prefix\": secretKeyRef: the secret";
    for (reference, said) in [
        (
            "{name: p, key: pasword}",
            "\"p\" of the store \"vault\" has no key \"pasword\" (did you mean `password`?)",
        ),
        ("{name: p}", "\"p\" of the store \"vault\" has no key \"p\""),
        (
            "{name: one, key: k}",
            "\"one\" of the store \"vault\" has no key \"k\": its only key is \"one\"",
        ),
        (
            "{name: none}",
            "\"none\" of the store \"vault\" has no key \"none\": it has no keys at all",
        ),
        (
            "{name: p, key: empty}",
            "\"p\" of the store \"vault\" is empty under the key \"empty\": give it a value",
        ),
    ] {
        let item = format!("{{name: prefix, secretKeyRef: {reference}}}");
        let files = folder(&[("a.yaml", &referring("a", "vault", &[&item]))]);
        let expected = [format!("{start} {said}")];
        assert_eq!(
            problems(with_vault(&files, &vault), files.path()),
            expected,
            "{reference}"
        );
        let text =
            referring("a", "vault", &[&item]).replace("spec:\n", "spec:\n  ignoreErrors: true\n");
        write(&files.path().join("a.yaml"), text);
        let engine = engine(with_vault(&files, &vault)).expect("errors are ignored");
        let failed = engine
            .stores()
            .find(|store| store.name() == "a")
            .expect("known");
        assert!(!failed.is_ready() && engine.is_ready(), "{reference}");
    }
}

#[tokio::test]
async fn s24_what_may_pass_leaves_the_component_waiting_and_not_ready() {
    for kind in [
        StoreErrorKind::Throttled,
        StoreErrorKind::Timeout,
        StoreErrorKind::Unavailable,
        StoreErrorKind::Misconfigured,
    ] {
        let vault = Vault::default();
        vault.fail("p", kind);
        let files = folder(&[("a.yaml", &referring("a", "vault", &[PREFIX]))]);
        let loader = with_vault(&files, &vault);
        let log = Log::start();
        let engine = engine(loader.clone()).expect("no miss");
        let said = "component \"a\" waits for the secret \"p\" of the store \"vault\"";
        assert_eq!(
            log.text().matches(said).count(),
            1,
            "{kind:?}: {}",
            log.text()
        );
        assert!(!engine.is_ready(), "{kind:?}");
        assert_eq!(
            read(&engine, "a", "A").await,
            Err(ErrorKind::StoreMisconfigured)
        );
        vault.put("p", &[("k", "TWO_")]);
        assert_eq!(reload(&engine, loader), Ok([1, 1, 0, 0]), "{kind:?}");
        assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("2"));
        assert!(engine.is_ready(), "{kind:?}");
    }
}

#[test]
fn s12_s24_a_store_behind_one_that_failed_waits_for_it() {
    let broken = file(
        "files",
        "  - {name: secretsFile, value: \"{dir}/none.json\"}\n",
    );
    let files = folder(&[
        ("a.yaml", &referring("a", "files", &[PREFIX])),
        ("files.yaml", &broken),
    ]);
    // What is wrong is told once, where it is wrong.
    let said = problems(loader(&files), files.path());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("files.yaml:2: "), "{said:?}");

    let path = files.path().display().to_string();
    let ignoring = broken
        .replace("spec:\n", "spec:\n  ignoreErrors: true\n")
        .replace("{dir}", &path);
    write(&files.path().join("files.yaml"), ignoring);
    let log = Log::start();
    let engine = engine(loader(&files)).expect("errors are ignored");
    assert!(
        log.text()
            .contains("component \"a\" waits for the secret store \"files\""),
        "{}",
        log.text()
    );
    assert!(!engine.is_ready(), "`a` does not ignore errors");
}

#[test]
fn s22_lenient_fails_exactly_the_stores_of_a_ring() {
    let files = folder(&[
        ("a.yaml", &referring("a", "b", &[PREFIX])),
        ("b.yaml", &referring("b", "a", &[PREFIX])),
        ("c.yaml", &referring("c", "c", &[PREFIX])),
        ("d.yaml", &env("d", "")),
        ("e.yaml", &referring("e", "a", &[PREFIX])),
    ]);
    let end = "a cycle cannot start; write one of the values without secretKeyRef, or name another auth.secretStore";
    let rings = [
        format!(
            "a.yaml:2: component \"a\" (a.yaml:2) needs \"b\" (b.yaml:2), which needs \"a\": {end}"
        ),
        format!("c.yaml:2: component \"c\" (c.yaml:2) needs itself for its secretKeyRefs: {end}"),
    ];
    assert_eq!(problems(loader(&files), files.path()), rings);

    let config = loader(&files).lenient(true).load().expect("lenient");
    let start = format!("{}/", files.path().display());
    let warnings = config
        .warnings()
        .iter()
        .map(|problem| problem.to_string().replace(&start, ""));
    assert_eq!(warnings.collect::<Vec<_>>(), rings);
    let engine = config.into_engine().expect("lenient");
    let ready: Vec<_> = engine.stores().map(|store| store.is_ready()).collect();
    assert_eq!(ready, [false, false, false, true, false]);
}

#[test]
fn s22_rings_of_any_length_are_found_and_a_chain_is_none() {
    for length in [2, 3, 40] {
        let store = |index: usize, needs: usize| {
            referring(&format!("s{index:02}"), &format!("s{needs:02}"), &[PREFIX])
        };
        let ring: Vec<_> = (0..length)
            .map(|index| store(index, (index + 1) % length))
            .collect();
        let files = folder(&[("ring.yaml", &ring.join("---\n"))]);
        let said = problems(loader(&files), files.path());
        assert_eq!(said.len(), 1, "{said:?}");
        for index in 0..length {
            let member = format!("\"s{index:02}\" (ring.yaml:{})", 2 + 8 * index);
            assert!(said[0].contains(&member), "{member} in {said:?}");
        }
    }
    // The last of the chain is a file whose secrets all others take theirs from, one from the next.
    let vault = Vault::default();
    vault.put("p", &[("k", "P")]);
    let mut chain: Vec<_> = (0..40)
        .map(|index| {
            let text = referring(
                &format!("s{index:02}"),
                &format!("s{:02}", index + 1),
                &["{name: prefix, secretKeyRef: {name: X}}"],
            );
            text.replace("---\n", "")
        })
        .collect();
    chain.push(referring("s40", "vault", &[PREFIX]));
    let files = folder(&[("chain.yaml", &chain.join("---\n"))]);
    let variables: BTreeMap<String, String> = [("PX".to_owned(), "P".to_owned())].into();
    let loaded = engine(with_vault(&files, &vault).environment(variables)).expect("a chain");
    assert!(loaded.stores().all(|store| store.is_ready()));
}

#[tokio::test]
async fn s22_api_i2_stores_that_must_be_waited_for_need_the_async_functions() {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    let vault = Vault::default();
    vault.put("p", &[("k", "ONE_")]).wait();
    let files = folder(&[("a.yaml", &referring("a", "vault", &[PREFIX]))]);
    assert_eq!(
        problems(with_vault(&files, &vault), files.path()),
        [
            "a.yaml:2: component \"a\" needs the secret \"p\" of the store \"vault\", which must be waited for: use the `_async` function"
        ]
    );
    let config = with_vault(&files, &vault).load().expect("sound");
    let engine = is_send(config.into_engine_async()).await.expect("sound");
    assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("1"));
    vault.put("p", &[("k", "TWO_")]);
    let config = with_vault(&files, &vault).load().expect("sound");
    is_send(config.reload_async(&engine)).await.expect("sound");
    assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("2"));
}

#[tokio::test]
async fn s22_what_is_independent_is_read_side_by_side() {
    let vault = Vault::default();
    vault
        .put("p", &[("k", "ONE_"), ("no", "false")])
        .put("q", &[("k", "false")]);
    // Four reads: none of them is answered before all have begun.
    vault.meet(4);
    let items = [PREFIX, "{name: allowAll, secretKeyRef: {name: q, key: k}}"];
    let files = folder(&[
        ("a.yaml", &referring("a", "vault", &items)),
        ("b.yaml", &referring("b", "vault", &items)),
    ]);
    let config = with_vault(&files, &vault).load().expect("sound");
    let patience = std::time::Duration::from_secs(30);
    let engine = tokio::time::timeout(patience, config.into_engine_async()).await;
    let engine = engine.expect("nobody waits for another").expect("sound");
    assert!(engine.is_ready());
    assert_eq!(vault.reads(), ["p", "q", "p", "q"]);
}

#[tokio::test]
async fn w7_a_component_is_rebuilt_when_a_secret_of_it_changes_or_stays_degraded() {
    let vault = Vault::default();
    vault.put("p", &[("k", "ONE_")]);
    let files = folder(&[
        ("a.yaml", &referring("a", "vault", &[PREFIX])),
        (
            "b.yaml",
            &referring(
                "b",
                "vault",
                &["{name: prefix, secretKeyRef: {name: q, key: k}}"],
            ),
        ),
    ]);
    vault.put("q", &[("k", "ONE_")]);
    let base = with_vault(&files, &vault);
    let loader = || base.clone();
    let engine = engine(loader()).expect("sound");
    let state = || -> Vec<(bool, bool)> {
        let stores = engine.stores();
        stores
            .map(|store| (store.is_degraded(), store.refers_to_secrets()))
            .collect()
    };
    assert_eq!(state(), [(false, false), (false, true), (false, true)]);
    type Change = fn(&Vault);
    let rows: [(&str, Change, [usize; 4], &str, bool); 7] = [
        ("nothing", |_| (), [3, 0, 0, 0], "1", false),
        (
            "the secret",
            |vault| {
                vault.put("p", &[("k", "TWO_")]);
            },
            [2, 1, 0, 0],
            "2",
            false,
        ),
        (
            "another key of it",
            |vault| {
                vault.put("p", &[("k", "TWO_"), ("l", "x")]);
            },
            [3, 0, 0, 0],
            "2",
            false,
        ),
        (
            "it is gone",
            |vault| {
                vault.fail("p", StoreErrorKind::NotFound);
            },
            [3, 0, 0, 0],
            "2",
            true,
        ),
        (
            "it cannot be used",
            |vault| {
                vault.put("p", &[("k", "A=")]);
            },
            [3, 0, 0, 0],
            "2",
            true,
        ),
        (
            "it cannot be had for now",
            |vault| {
                vault.fail("p", StoreErrorKind::Timeout);
            },
            [3, 0, 0, 0],
            "2",
            true,
        ),
        (
            "it is back, another one",
            |vault| {
                vault.put("p", &[("k", "ONE_")]);
            },
            [2, 1, 0, 0],
            "1",
            false,
        ),
    ];
    for (name, change, counted, value, is_degraded) in rows {
        change(&vault);
        let log = Log::start();
        assert_eq!(reload(&engine, loader()), Ok(counted), "{name}");
        assert_eq!(
            read(&engine, "a", "A").await.as_deref(),
            Ok(value),
            "{name}"
        );
        assert_eq!(read(&engine, "b", "A").await.as_deref(), Ok("1"), "{name}");
        assert_eq!(
            state(),
            [(false, false), (is_degraded, true), (false, true)],
            "{name}"
        );
        let stays = "component \"a\" stays as it was, degraded";
        assert_eq!(
            log.text().contains(stays),
            is_degraded,
            "{name}: {}",
            log.text()
        );
        assert!(engine.is_ready(), "{name}");
    }
    // An edit of the component itself that cannot be used is refused as a whole.
    vault.fail("p", StoreErrorKind::NotFound);
    let edited = referring("a", "vault", &[PREFIX, "{name: allowAll, value: false}"]);
    write(&files.path().join("a.yaml"), edited);
    let said = reload(&engine, loader()).unwrap_err();
    assert!(said.contains("a.yaml:7: "), "{said}");
    assert_eq!(state(), [(false, false), (false, true), (false, true)]);
}

#[tokio::test]
async fn w7_a_change_passes_along_a_chain_of_stores() {
    let files = folder(&[
        (
            "a.yaml",
            &referring("a", "b", &["{name: prefix, secretKeyRef: {name: prefix}}"]),
        ),
        (
            "b.yaml",
            &file("b", "  - {name: secretsFile, secretKeyRef: {name: path}}\n")
                .replace("spec:", "auth: {secretStore: c}\nspec:"),
        ),
        (
            "c.yaml",
            &file("c", "  - {name: secretsFile, value: \"{dir}/c.json\"}\n"),
        ),
        ("c.json", r#"{"path": "{dir}/one.json"}"#),
        ("one.json", r#"{"prefix": "ONE_"}"#),
        ("two.json", r#"{"prefix": "TWO_"}"#),
    ]);
    let load = || loader(&files).environment(variables());
    let engine = load().load().and_then(Config::into_engine).expect("sound");
    assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("1"));
    let path = files.path().join("two.json");
    write(
        &files.path().join("c.json"),
        format!("{{\"path\": {path:?}}}"),
    );
    assert_eq!(engine.refresh(), 1, "`c` alone reads something new");
    assert_eq!(
        read(&engine, "a", "A").await.as_deref(),
        Ok("1"),
        "until the next load"
    );
    assert_eq!(reload(&engine, load()), Ok([1, 2, 0, 0]));
    assert_eq!(read(&engine, "a", "A").await.as_deref(), Ok("2"));
}

#[test]
fn s7_s19_no_value_of_a_secret_is_told() {
    let secret = "hidden-7f3a";
    for (name, item) in [
        ("a path", "{name: secretsFile, secretKeyRef: {name: v}}"),
        (
            "a truth value",
            "{name: multiValued, secretKeyRef: {name: v}}",
        ),
        (
            "a missing key",
            "{name: secretsFile, secretKeyRef: {name: v, key: x}}",
        ),
    ] {
        let vault = Vault::default();
        vault.put("v", &[("v", "hidden-7f3a")]);
        let text = file("a", &format!("  - {item}\n"))
            .replace("spec:", "auth: {secretStore: vault}\nspec:");
        let files = folder(&[("a.yaml", &text)]);
        let said = problems(with_vault(&files, &vault), files.path());
        assert!(!said.is_empty(), "{name}");
        assert!(!said.join("\n").contains(secret), "{name}: {said:?}");
        let config = with_vault(&files, &vault).load();
        assert!(!format!("{config:?}").contains(secret), "{name}");
    }
    let files = folder(&[(
        "a.yaml",
        &file("a", "  - {name: secretsFile, secretKeyRef: {name: v}}\n")
            .replace("spec:", "auth: {secretStore: vault}\nspec:"),
    )]);
    let vault = Vault::default();
    vault.put("v", &[("v", "hidden-7f3a")]);
    let said = problems(with_vault(&files, &vault), files.path());
    assert!(said[0].contains("the path in the secret \"v\""), "{said:?}");
}

#[test]
fn api_i1_a_store_given_as_a_value_is_one_among_those_of_the_files() {
    let vault = Vault::default();
    let files = folder(&[("a.yaml", &env("vault", ""))]);
    let said = problems(with_vault(&files, &vault), files.path());
    assert_eq!(
        said,
        [
            "a.yaml:2: two components are called \"vault\": (stores given as values) and a.yaml:2; give one of them another name"
        ]
    );
    let nameless = Loader::new().add_store("", vault.clone());
    let said = nameless.load().unwrap_err().to_string();
    assert_eq!(
        said,
        "(stores given as values): \"\" cannot name a secret store: the store name is empty"
    );

    let files = folder(&[("b.yaml", &env("b", ""))]);
    let engine = engine(with_vault(&files, &vault)).expect("sound");
    assert_eq!(
        reload(&engine, with_vault(&files, &Vault::default())),
        Ok([1, 1, 0, 0]),
        "another one of its name"
    );
}
