//! Which secrets a scope lets through, and what is read of the others: nothing.

use std::sync::Arc;

use dapr_secrets_service::{
    Access, ConfigError, Engine, ErrorKind, Metadata, Scope, SecretsService, StoreError,
    StoreErrorKind,
};

use crate::log::Log;
use crate::shelf::Shelf;
use crate::talk::{PROFILES, get};

fn shelf() -> Shelf {
    Shelf::default()
        .with("a", "1")
        .with("b", "2")
        .with("c", "3")
}

fn engine(scope: Scope) -> Engine {
    Engine::builder()
        .add_store("s", shelf())
        .add_scope("s", scope)
        .build()
        .expect("sound")
}

#[tokio::test]
async fn api_e1_api_e2_api_e7_the_lists_decide_for_get_and_for_bulk() {
    let deny = || Scope::default().with_default_access(Access::Deny);
    for (name, scope, seen) in [
        ("no scope", Scope::default(), &["a", "b", "c"][..]),
        ("denied by default", deny(), &[]),
        ("one denied", Scope::default().add_denied("b"), &["a", "c"]),
        ("an allow list", Scope::default().add_allowed("b"), &["b"]),
        (
            "an allow list beats the default",
            deny().add_allowed("b"),
            &["b"],
        ),
        (
            "in both lists",
            Scope::default().add_allowed("b").add_denied("b"),
            &["b"],
        ),
        (
            "a deny list is void beside an allow list",
            Scope::default().add_allowed("b").add_denied("a"),
            &["b"],
        ),
        ("denied twice over", deny().add_denied("a"), &[]),
        (
            "names that do not exist",
            Scope::default().add_allowed("z").add_allowed("c"),
            &["c"],
        ),
    ] {
        let engine = engine(scope);
        let none = Metadata::default();
        for secret in ["a", "b", "c"] {
            let kind = engine
                .get("s", secret, &none)
                .await
                .err()
                .map(|error| error.kind());
            let expected = (!seen.contains(&secret)).then_some(ErrorKind::PermissionDenied);
            assert_eq!(kind, expected, "{name}: {secret}");
        }
        let bulk = engine.bulk("s", &none).await.expect("answered");
        let names: Vec<&str> = bulk.iter().map(|(name, _)| name).collect();
        assert_eq!(names, seen, "{name}");
    }
}

#[tokio::test]
async fn n1_n2_api_e4_the_scope_is_checked_on_the_canonical_name() {
    let shelf = shelf();
    let reads = Arc::clone(&shelf.reads);
    let engine = Engine::builder()
        .add_store("s", shelf)
        .add_scope("s", Scope::default().add_denied("B"))
        .build()
        .expect("sound");
    for (asked, metadata, kind) in [
        ("b", &[][..], ErrorKind::PermissionDenied),
        ("B", &[], ErrorKind::PermissionDenied),
        ("b", &[("version_id", "1")], ErrorKind::PermissionDenied),
        ("b?x", &[], ErrorKind::InvalidRequest),
        ("", &[], ErrorKind::InvalidRequest),
        ("b\0", &[], ErrorKind::InvalidRequest),
        ("nope", &[], ErrorKind::NotFound),
    ] {
        let mut sent = Metadata::default();
        for (key, value) in metadata {
            sent = sent.with(key, value).expect("room");
        }
        let error = engine.get("s", asked, &sent).await.expect_err("refused");
        assert_eq!(error.kind(), kind, "{asked:?}");
    }
    assert_eq!(
        *reads.lock().expect("sound"),
        ["nope"],
        "nothing else was read"
    );

    assert!(engine.get("s", "A", &Metadata::default()).await.is_ok());
    assert_eq!(
        *reads.lock().expect("sound"),
        ["nope", "a"],
        "the store is asked for the canonical name"
    );
}

#[tokio::test]
async fn api_d3_a_refusal_does_not_tell_whether_the_secret_exists() {
    for (name, scope) in [
        ("an allow list", Scope::default().add_allowed("a")),
        (
            "denied by default",
            Scope::default().with_default_access(Access::Deny),
        ),
        (
            "a deny list",
            Scope::default().add_denied("b").add_denied("y"),
        ),
    ] {
        for profile in PROFILES {
            let service = SecretsService::builder(engine(scope.clone()))
                .profile(profile)
                .build();
            let existing = get(&service, "/v1.0/secrets/s/b").await;
            let missing = get(&service, "/v1.0/secrets/s/y").await;
            assert_eq!((existing.status, missing.status), (403, 403), "{name}");
            assert_eq!(existing.headers, missing.headers, "{name}");
            assert_eq!(
                existing
                    .body
                    .replace("\\\"b\\\"", "\\\"y\\\"")
                    .replace(":\"b\"", ":\"y\""),
                missing.body,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn s27_bulk_does_not_even_read_what_is_denied() {
    let shelf = shelf().failing("broken", StoreError::new(StoreErrorKind::Corrupt, ""));
    let reads = Arc::clone(&shelf.reads);
    let engine = Engine::builder()
        .add_store("s", shelf)
        .add_scope("s", Scope::default().add_denied("b").add_denied("broken"))
        .build()
        .expect("sound");
    engine
        .bulk("s", &Metadata::default())
        .await
        .expect("answered");
    assert_eq!(*reads.lock().expect("sound"), ["a", "c"]);
}

#[tokio::test]
async fn s28_with_an_allow_list_bulk_reads_exactly_those_names() {
    let shelf = shelf();
    let reads = Arc::clone(&shelf.reads);
    let engine = Engine::builder()
        .add_store("s", shelf)
        .add_scope("s", Scope::default().add_allowed("C").add_allowed("gone"))
        .build()
        .expect("sound");
    let bulk = engine
        .bulk("s", &Metadata::default())
        .await
        .expect("answered");
    assert_eq!(bulk.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["c"]);
    assert_eq!(*reads.lock().expect("sound"), ["c", "gone"]);
}

#[tokio::test]
async fn api_e2_what_a_careless_store_answers_is_filtered_again() {
    let shelf = shelf()
        .careless()
        .failing("d", StoreError::new(StoreErrorKind::Denied, ""));
    let engine = Engine::builder()
        .add_store("s", shelf)
        .add_scope("s", Scope::default().add_denied("b").add_denied("d"))
        .build()
        .expect("sound");
    let metadata = Metadata::default().with("partial", "true").expect("room");
    let bulk = engine.bulk("s", &metadata).await.expect("answered");
    assert_eq!(
        bulk.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["a", "c"]
    );
    assert_eq!(
        bulk.failed().len(),
        0,
        "nor does a failure tell of a denied name"
    );
}

#[tokio::test]
async fn n2_api_e2_a_careless_store_cannot_slip_a_name_past_its_own_canonical_form() {
    let failed = || StoreError::new(StoreErrorKind::Denied, "");
    let shelf = Shelf::default()
        .with("a", "1")
        .with("B", "2")
        .with("", "3")
        .with("c\n", "4")
        .with("d?", "5")
        .failing("e", failed())
        .failing("F", failed())
        .careless();
    let engine = Engine::builder()
        .add_store("s", shelf)
        .add_scope("s", Scope::default().add_denied("b").add_denied("f"))
        .build()
        .expect("sound");
    let partial = Metadata::default().with("partial", "true").expect("room");
    let bulk = engine.bulk("s", &partial).await.expect("answered");
    let names: Vec<_> = bulk.iter().map(|(name, _)| name).collect();
    let failed: Vec<_> = bulk.failed().map(|(name, _)| name).collect();
    assert_eq!((names, failed), (vec!["a"], vec!["e"]));
}

#[cfg(feature = "file")]
#[test]
fn s19_a_denied_entry_that_the_store_does_not_have_is_warned_of() {
    for (name, multi_valued, entry, lines) in [
        ("flat, a leaf", false, "db:pass", 0),
        ("flat, the object", false, "db", 1),
        ("several keys, the object", true, "db", 0),
        ("several keys, a leaf", true, "db:pass", 1),
    ] {
        let store = dapr_secrets_service::FileStore::builder()
            .with_multi_valued(multi_valued)
            .parse(r#"{"db": {"pass": "p"}}"#)
            .expect("valid");
        let log = Log::start();
        Engine::builder()
            .add_store("s", Arc::new(store))
            .add_scope("s", Scope::default().add_denied(entry))
            .build()
            .expect("sound");
        assert_eq!(log.lines(), lines, "{name}: {}", log.text());
    }
    let log = Log::start();
    engine(Scope::default().add_denied("nope"));
    engine(Scope::only(["nope"]));
    assert_eq!(
        log.text(),
        "",
        "a store that cannot tell, and a name that may come"
    );
}

#[tokio::test]
async fn only_the_listed_secrets_are_allowed_and_an_empty_list_allows_none() {
    for (names, seen) in [(&["a", "z"][..], &["a"][..]), (&[], &[])] {
        let engine = engine(Scope::only(names.iter().copied()));
        let bulk = engine
            .bulk("s", &Metadata::default())
            .await
            .expect("answered");
        let found: Vec<_> = bulk.iter().map(|(name, _)| name).collect();
        assert_eq!(found, seen, "{names:?}");
        let refused = engine.get("s", "b", &Metadata::default()).await;
        assert_eq!(
            refused.expect_err("not listed").kind(),
            ErrorKind::PermissionDenied
        );
    }
}

#[test]
fn n3_scope_entries_become_canonical_or_are_refused() {
    for entry in ["a?", "", "a\0"] {
        for scope in [
            Scope::default().add_allowed(entry),
            Scope::default().add_denied(entry),
        ] {
            let built = Engine::builder()
                .add_store("s", shelf())
                .add_scope("s", scope)
                .build();
            assert!(
                matches!(built, Err(ConfigError::InvalidScopeEntry { .. })),
                "{entry:?}"
            );
        }
    }
    let log = Log::start();
    engine(Scope::default().add_denied("a").add_denied("b"));
    assert_eq!(log.lines(), 0);
    engine(Scope::default().add_denied("a").add_denied("A"));
    assert_eq!(log.lines(), 1, "{}", log.text());
}

#[test]
fn api_e3_stores_and_scopes_must_fit_together() {
    let build = |scoped: &[&str], names: &[&str]| {
        let mut builder = Engine::builder();
        for name in names {
            builder = builder.add_store(name, shelf());
        }
        for store in scoped {
            builder = builder.add_scope(store, Scope::default());
        }
        builder
            .build()
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    for (name, scoped, names, error) in [
        ("sound", &["s"][..], &["s", "t"][..], None),
        (
            "unknown store",
            &["u"],
            &["s"],
            Some("a scope names \"u\", which is no secret store here"),
        ),
        (
            "scoped twice",
            &["s", "s"],
            &["s"],
            Some("two scopes are given for \"s\""),
        ),
        (
            "one name twice",
            &[],
            &["s", "s"],
            Some("two secret stores are called \"s\""),
        ),
        (
            "no name",
            &[],
            &[""],
            Some("\"\" cannot name a secret store: the store name is empty"),
        ),
    ] {
        assert_eq!(build(scoped, names).err().as_deref(), error, "{name}");
    }
}

#[test]
fn stores_are_listed_in_order_with_what_they_can_do() {
    let engine = Engine::builder()
        .add_store("z", shelf())
        .add_store("a", shelf())
        .build()
        .expect("sound");
    let seen: Vec<_> = engine
        .stores()
        .map(|store| {
            assert!(store.is_ready() && !store.ignores_errors());
            assert!(store.capabilities().is_empty());
            [store.name(), store.component_type(), store.version()].map(str::to_owned)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ["z", "secretstores.shelf", "v1"],
            ["a", "secretstores.shelf", "v1"]
        ]
    );
    assert!(engine.is_ready());
}
