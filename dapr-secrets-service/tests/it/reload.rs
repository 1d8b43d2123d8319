//! Files that change while an engine serves: secrets files, components and scopes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dapr_secrets_service::config::{Config, Reloaded};
use dapr_secrets_service::{Engine, ErrorKind, FileStore, Metadata, SecretStore as _};
use tempfile::TempDir;

use crate::files::{env, file, folder, loader, names, write};
use crate::log::Log;

const FILE: &str = "    - {name: secretsFile, value: \"{dir}/secrets.json\"}\n";

async fn read(engine: &Engine, store: &str, name: &str) -> Result<String, ErrorKind> {
    let secret = engine.get(store, name, &Metadata::default()).await;
    secret
        .map(|secret| secret.get(name).expect("its key").expose().to_owned())
        .map_err(|error| error.kind())
}

fn reload(engine: &Engine, files: &TempDir) -> Result<Reloaded, String> {
    let start = format!("{}/", files.path().display());
    let reloaded = loader(files)
        .load()
        .and_then(|config| config.reload(engine));
    reloaded.map_err(|problems| problems.to_string().replace(&start, ""))
}

fn counted(reloaded: Reloaded) -> [usize; 4] {
    let Reloaded {
        kept,
        replaced,
        added,
        removed,
        ..
    } = reloaded;
    [kept, replaced, added, removed]
}

fn scoped(lines: &str) -> String {
    format!(
        "kind: Configuration\nmetadata: {{name: c}}\nspec:\n  secrets:\n    scopes:\n    - storeName: files\n{lines}"
    )
}

/// One store called `files`, scopes that deny `b`.
fn start() -> (TempDir, Engine) {
    let files = folder(&[
        ("a.yaml", &file("files", FILE)),
        ("config.yml.txt", &scoped("      deniedSecrets: [b]\n")),
        ("secrets.json", r#"{"a": "1", "b": "2"}"#),
    ]);
    let engine = loader(&files)
        .load()
        .and_then(Config::into_engine)
        .expect("sound");
    (files, engine)
}

#[tokio::test]
async fn api_e6_scopes_are_those_of_the_files_or_the_last_good_ones() {
    let (files, engine) = start();
    let clone = engine.clone();
    let path = files.path().join("config.yml.txt");
    let denied = Err(ErrorKind::PermissionDenied);
    let ok = |value: &str| Ok(value.to_owned());
    // text, the problem, what `a` and `b` answer afterwards
    let rows = [
        ("as it was", scoped("      deniedSecrets: [b]\n"), None, ok("1"), denied.clone()),
        ("the other one", scoped("      deniedSecrets: [a]\n"), None, denied.clone(), ok("2")),
        (
            "half of it",
            "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    - storeName: files\n      deniedSecrets: [a".to_owned(),
            Some("config.yml.txt:6: "),
            denied.clone(),
            ok("2"),
        ),
        ("nothing", String::new(), Some("config.yml.txt: "), denied.clone(), ok("2")),
        (
            "misspelt",
            scoped("      deniedSecret: [b]\n"),
            Some("config.yml.txt:7: "),
            denied.clone(),
            ok("2"),
        ),
        ("one alone", scoped("      allowedSecrets: [b]\n"), None, denied.clone(), ok("2")),
        ("all", scoped("      defaultAccess: allow\n"), None, ok("1"), ok("2")),
        ("none", scoped("      defaultAccess: deny\n"), None, denied.clone(), denied.clone()),
    ];
    for (name, text, problem, a, b) in rows {
        write(&path, text);
        match (reload(&engine, &files), problem) {
            (Ok(reloaded), None) => assert_eq!(counted(reloaded), [1, 0, 0, 0], "{name}"),
            (Err(said), Some(problem)) => assert!(said.starts_with(problem), "{name}: {said}"),
            (came, _) => unreachable!("{name}: {came:?}"),
        }
        // Every clone is the same engine.
        for engine in [&engine, &clone] {
            assert_eq!(read(engine, "files", "a").await, a, "{name}");
            assert_eq!(read(engine, "files", "b").await, b, "{name}");
        }
    }
}

#[tokio::test]
async fn api_g10_components_are_those_of_the_files_or_the_last_good_ones() {
    let (files, engine) = start();
    let other = FILE.replace("secrets.json", "others.json");
    write(&files.path().join("others.json"), r#"{"a": "other"}"#);
    let component = |metadata: &str| {
        file("files", metadata).replace("{dir}", files.path().to_str().expect("text"))
    };
    let two = format!("{}---\n{}", component(FILE), env("env", ""));
    let rows: [(&str, String, Result<[usize; 4], &str>, &[&str], &str); 8] = [
        (
            "as it was",
            component(FILE),
            Ok([1, 0, 0, 0]),
            &["files"],
            "1",
        ),
        (
            "one more",
            two.clone(),
            Ok([1, 0, 1, 0]),
            &["files", "env"],
            "1",
        ),
        (
            "a key more",
            two.clone() + "  metadata: [{name: prefix, value: P_}]\n",
            Ok([1, 1, 0, 0]),
            &["files", "env"],
            "1",
        ),
        (
            "an unknown key",
            two + "  metadata: [{name: prefixes, value: P_}]\n",
            Err("a.yaml:"),
            &["files", "env"],
            "1",
        ),
        (
            "another file",
            component(&other),
            Ok([0, 1, 0, 1]),
            &["files"],
            "other",
        ),
        (
            "no such file",
            component(&other.replace("others.json", "none.json")),
            Err("a.yaml:"),
            &["files"],
            "other",
        ),
        (
            "another name",
            component(&other).replace("files", "renamed"),
            Err("config.yml.txt:6:"),
            &["files"],
            "other",
        ),
        (
            "tabs",
            "\tkind: Component\n".to_owned(),
            Err("a.yaml:1:"),
            &["files"],
            "other",
        ),
    ];
    for (name, text, came, stores, a) in rows {
        write(&files.path().join("a.yaml"), text);
        match (reload(&engine, &files), came) {
            (Ok(reloaded), Ok(counts)) => assert_eq!(counted(reloaded), counts, "{name}"),
            (Err(said), Err(start)) => assert!(said.starts_with(start), "{name}: {said}"),
            (came, _) => unreachable!("{name}: {came:?}"),
        }
        assert_eq!(names(&engine), stores, "{name}");
        assert_eq!(
            read(&engine, "files", "a").await.as_deref(),
            Ok(a),
            "{name}"
        );
    }
}

#[tokio::test]
async fn api_g10_a_store_that_is_declared_as_before_keeps_what_it_read() {
    let (files, engine) = start();
    // Now nothing could be opened anew.
    fs::remove_file(files.path().join("secrets.json")).expect("it was there");
    engine.refresh();
    assert_eq!(
        counted(reload(&engine, &files).expect("kept")),
        [1, 0, 0, 0]
    );
    assert_eq!(read(&engine, "files", "a").await.as_deref(), Ok("1"));
    let status: Vec<_> = engine.stores().collect();
    assert!(status[0].is_ready() && status[0].is_degraded());
    assert!(engine.is_ready());
}

#[tokio::test]
async fn api_g10_a_store_whose_errors_are_ignored_is_opened_when_it_can_be() {
    let text = file("files", FILE).replace("spec:\n", "spec:\n  ignoreErrors: true\n");
    let files = folder(&[("a.yaml", &text)]);
    let engine = loader(&files)
        .load()
        .and_then(Config::into_engine)
        .expect("ignored");
    let misconfigured = Err(ErrorKind::StoreMisconfigured);
    assert_eq!(read(&engine, "files", "a").await, misconfigured);
    assert_eq!(
        counted(reload(&engine, &files).expect("ignored")),
        [0, 1, 0, 0]
    );
    assert_eq!(read(&engine, "files", "a").await, misconfigured);
    write(&files.path().join("secrets.json"), r#"{"a": "1"}"#);
    assert_eq!(
        counted(reload(&engine, &files).expect("sound")),
        [0, 1, 0, 0]
    );
    assert_eq!(read(&engine, "files", "a").await.as_deref(), Ok("1"));
}

#[test]
fn api_g10_the_state_of_the_files_differs_when_they_do() {
    let (files, _) = start();
    let state = || loader(&files).files_state();
    let path = |name: &str| files.path().join(name);
    let mut last = state();
    assert_eq!(state(), last, "nothing happened");
    let mut step = |name: &str, differs: bool| {
        let now = state();
        assert_eq!(now != last, differs, "{name}");
        last = now;
    };
    write(
        &path("config.yml.txt"),
        scoped("      deniedSecrets: [a]\n"),
    );
    step("a configuration of the same length", true);
    write(&path("b.yaml"), env("env", ""));
    step("one more component", true);
    write(&path("b.yaml"), env("envs", ""));
    step("another component", true);
    fs::rename(path("b.yaml"), path("c.yml")).expect("renamed");
    step("another name", true);
    fs::remove_file(path("c.yml")).expect("removed");
    step("one fewer", true);
    fs::remove_file(path("config.yml.txt")).expect("removed");
    // Without it the loader is told of no configuration at all.
    step("no configuration", true);
    step("nothing more", false);
}

/// What stands at the path of the secrets file, what `a` is then, and whether the store is degraded.
type Step = (&'static str, fn(&Path), &'static str, bool);

#[test]
fn f6_what_cannot_be_used_leaves_the_last_good_content_with_one_warning() {
    fn swap(path: &Path, to: &str) {
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder.join(to)).expect("a folder");
        write(
            &folder.join(to).join("secrets.json"),
            format!(r#"{{"a": "{to}"}}"#),
        );
        let link = folder.join("next");
        symlink(to, &link).expect("a link");
        fs::rename(link, folder.join("..data")).expect("swapped");
    }
    fn put(path: &Path, text: impl AsRef<[u8]>) {
        let next = path.with_extension("next");
        write(&next, text);
        if path.is_dir() {
            fs::remove_dir(path).expect("an empty one");
        }
        fs::rename(next, path).expect("in its place");
    }
    let steps: [Step; 12] = [
        ("replaced", |path| put(path, r#"{"a": "2"}"#), "2", false),
        (
            "written in place",
            |path| write(path, r#"{"a": "3"}"#),
            "3",
            false,
        ),
        ("half of it", |path| put(path, r#"{"a": "#), "3", true),
        ("whole again", |path| put(path, r#"{"a": "4"}"#), "4", false),
        ("empty", |path| put(path, ""), "4", true),
        (
            "gone",
            |path| fs::remove_file(path).expect("there"),
            "4",
            true,
        ),
        (
            "back, as it was",
            |path| put(path, r#"{"a": "4"}"#),
            "4",
            false,
        ),
        (
            "no UTF-8",
            |path| put(path, b"{\"a\": \"\xff\"}"),
            "4",
            true,
        ),
        (
            "one name twice",
            |path| put(path, r#"{"a": "5", "a": "6"}"#),
            "4",
            true,
        ),
        (
            "a folder",
            |path| {
                fs::remove_file(path).expect("there");
                fs::create_dir(path).expect("a folder");
            },
            "4",
            true,
        ),
        (
            "a file again",
            |path| put(path, r#"{"a": "7"}"#),
            "7",
            false,
        ),
        (
            "a mounted volume",
            |path| {
                swap(path, "8");
                fs::remove_file(path).expect("there");
                symlink("..data/secrets.json", path).expect("a link");
            },
            "8",
            false,
        ),
    ];
    let files = folder(&[("secrets.json", r#"{"a": "1"}"#)]);
    let path = files.path().join("secrets.json");
    let store = FileStore::open(&path).expect("sound");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let engine = Engine::builder().add_store("files", store).build();
    let engine = engine.expect("one store");
    let is_degraded = || engine.stores().any(|store| store.is_degraded());
    let mut last = "1".to_owned();
    for (name, change, expected, degraded) in steps {
        change(&path);
        let log = Log::start();
        let was_degraded = is_degraded();
        let changed = engine.refresh();
        assert_eq!(changed == 1, last != expected, "{name}");
        // However often it is asked.
        for _ in 0..5 {
            assert_eq!(engine.refresh(), 0, "{name}");
        }
        let came = runtime.block_on(read(&engine, "files", "a"));
        assert_eq!(came.as_deref(), Ok(expected), "{name}");
        assert_eq!(is_degraded(), degraded, "{name}");
        let lines = usize::from(degraded || was_degraded);
        assert_eq!(log.lines(), lines, "{name}: {}", log.text());
        if degraded {
            assert!(
                log.text().contains("secrets.json"),
                "{name}: {}",
                log.text()
            );
        }
        last = expected.to_owned();
    }
    // And the volume is swapped as Kubernetes does.
    swap(&path, "9");
    assert_eq!(engine.refresh(), 1);
    assert_eq!(
        runtime.block_on(read(&engine, "files", "a")).as_deref(),
        Ok("9")
    );
}

#[test]
fn f6_a_file_that_is_whole_at_the_next_look_is_worth_no_line() {
    let files = folder(&[("secrets.json", r#"{"a": "1"}"#)]);
    let path = files.path().join("secrets.json");
    let store = FileStore::open(&path).expect("sound");
    let log = Log::start();
    for round in 0..5 {
        write(&path, r#"{"a": "#);
        assert!(!store.refresh());
        assert!(store.is_degraded());
        write(&path, format!(r#"{{"a": "round {round}"}}"#));
        assert!(store.refresh());
        assert!(!store.is_degraded());
    }
    assert_eq!(log.lines(), 0, "{}", log.text());
}
