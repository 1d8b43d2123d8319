//! The contract, by the suite of the library; what is special about this store, by its own tests.

use std::os::unix::fs::symlink;

use dapr_secrets_service::testing::{conformance, debug_shows_no_value};
use dapr_secrets_service::{Engine, ErrorKind, Scope};
use tempfile::TempDir;

use super::*;

/// A mount as Kubernetes makes it: `KEY -> ..data/KEY`, and `..data -> ..VERSION`.
fn mount(root: &Path, secret: &str, version: &str, keys: &[(&str, &[u8])]) {
    let folder = root.join(secret);
    let content = folder.join(format!("..{version}"));
    fs::create_dir_all(&content).expect("a folder");
    for (key, value) in keys {
        fs::write(content.join(key), value).expect("written");
        let link = folder.join(key);
        if !link.is_symlink() {
            symlink(Path::new("..data").join(key), link).expect("a link");
        }
    }
    symlink(format!("..{version}"), folder.join("..new")).expect("a link");
    fs::rename(folder.join("..new"), folder.join("..data")).expect("renamed");
}

const KNOWN: &[(&str, &[(&str, &str)])] = &[
    ("db", &[("user", "shop"), ("password", "correct-horse")]),
    ("db.replica", &[("user", "reader")]),
    ("nothing-in-it", &[]),
    ("plain", &[("key", "of a plain folder")]),
];

fn mounted() -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for (secret, keys) in &KNOWN[..3] {
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, value)| (*key, value.as_bytes()))
            .collect();
        mount(root.path(), secret, "2026_01", &keys);
    }
    fs::create_dir(root.path().join("plain")).expect("a folder");
    fs::write(root.path().join("plain/key"), "of a plain folder").expect("written");
    fs::write(root.path().join("a-file"), "is no Secret").expect("written");
    root
}

#[tokio::test]
async fn api_i2_it_keeps_the_contract_of_a_store() {
    let root = mounted();
    let store = MountedStore::new(root.path());
    debug_shows_no_value(&store, KNOWN).expect("a path alone");
    conformance(store, KNOWN, &["a-file", "missing"])
        .await
        .expect("every rule");
}

#[tokio::test]
async fn what_is_broken_is_not_missing() {
    let root = mounted();
    mount(root.path(), "binary", "1", &[("key", b"\xff\xfe")]);
    mount(
        root.path(),
        "large",
        "1",
        &[("a", &[b'x'; 700_000]), ("b", &[b'x'; 700_000])],
    );
    let engine = Engine::builder()
        .add_store("mounted", MountedStore::new(root.path()))
        .add_store("gone", MountedStore::new(root.path().join("gone")))
        .build()
        .expect("sound");
    let none = Metadata::default();
    for (name, kind) in [
        ("binary", ErrorKind::Corrupt),
        ("large", ErrorKind::Corrupt),
        ("missing", ErrorKind::NotFound),
        ("..data", ErrorKind::InvalidRequest),
        ("db/..data", ErrorKind::InvalidRequest),
        ("../secrets", ErrorKind::InvalidRequest),
        ("DB", ErrorKind::InvalidRequest),
    ] {
        let error = engine.get("mounted", name, &none).await.expect_err(name);
        assert_eq!(error.kind(), kind, "{name}");
    }
    let error = engine.bulk("gone", &none).await.expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::BackendUnavailable);
}

#[tokio::test]
async fn a_secret_that_changes_is_served_as_it_is_now() {
    let root = mounted();
    let engine = Engine::builder()
        .add_store("mounted", MountedStore::new(root.path()))
        .add_scope("mounted", Scope::only(["db"]))
        .build()
        .expect("sound");
    let none = Metadata::default();
    mount(
        root.path(),
        "db",
        "2026_02",
        &[("user", b"shop"), ("password", b"battery-staple")],
    );
    let secret = engine.get("mounted", "db", &none).await.expect("there");
    let password = secret.get("password").expect("a key");
    assert_eq!(password.expose(), "battery-staple");
    assert_eq!(secret.len(), 2);
    let refused = engine
        .get("mounted", "plain", &none)
        .await
        .expect_err("out of scope");
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}
