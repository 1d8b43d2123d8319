//! The conformance suite: our own stores pass it, and no broken one does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[cfg(feature = "env")]
use dapr_secrets_service::EnvStore;
#[cfg(feature = "file")]
use dapr_secrets_service::FileStore;
use dapr_secrets_service::testing::{
    Check, Violation, Violations, conformance, debug_shows_no_value,
};
use dapr_secrets_service::{Engine, ErrorKind, Metadata, SecretStore};

use crate::broken::{Broken, Fault, KNOWN, MISSING};

fn checks(violations: &Violations) -> BTreeSet<Check> {
    violations.iter().map(Violation::check).collect()
}

#[cfg(feature = "file")]
#[tokio::test]
async fn api_i2_f1_local_file_keeps_the_contract() {
    let text = r#"{
        "redis": "hunter2",
        "": "never asked for",
        "Redis": "another one",
        "odd name/%?#": "x",
        "db": {"user": "app", "password": "correct-horse", "empty": ""}
    }"#;
    let flat: &[(&str, &[(&str, &str)])] = &[
        ("redis", &[("redis", "hunter2")]),
        ("Redis", &[("Redis", "another one")]),
        ("odd name/%?#", &[("odd name/%?#", "x")]),
        ("db:user", &[("db:user", "app")]),
        ("db:password", &[("db:password", "correct-horse")]),
        ("db:empty", &[("db:empty", "")]),
    ];
    let store = FileStore::builder().parse(text).expect("valid");
    debug_shows_no_value(&store, flat).expect("a count at most");
    conformance(store, flat, &["db", "db:host", "nothing"])
        .await
        .expect("flat");

    let several =
        r#"{"db": {"user": "app", "password": "correct-horse"}, "none": {}, "one": {"k": "v"}}"#;
    let store = FileStore::builder()
        .with_multi_valued(true)
        .parse(several)
        .expect("valid");
    conformance(
        store,
        &[
            ("db", &[("user", "app"), ("password", "correct-horse")]),
            ("none", &[]),
            ("one", &[("k", "v")]),
        ],
        &["db:user", "k"],
    )
    .await
    .expect("several keys");
}

#[cfg(feature = "file")]
#[tokio::test]
async fn api_i2_a_file_that_is_read_again_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secrets.json");
    std::fs::write(&path, r#"{"a": "first", "b": "second"}"#).expect("written");
    let store = FileStore::builder().open(&path).expect("valid");
    conformance(
        store,
        &[("a", &[("a", "first")]), ("b", &[("b", "second")])],
        &["c"],
    )
    .await
    .expect("as the text is");
}

#[cfg(feature = "env")]
#[tokio::test]
async fn api_i2_local_env_keeps_the_contract() {
    let environment = || -> BTreeMap<String, String> {
        [
            ("DEMO_GREETING", "hello"),
            ("DEMO_greeting", "another one"),
            ("DEMO_EMPTY", ""),
            ("DEMO_A b/%?#", "odd"),
            ("DAPR_API_TOKEN", "never served"),
            ("HOME", "/root"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    };
    let with_prefix: &[(&str, &[(&str, &str)])] = &[
        ("GREETING", &[("GREETING", "hello")]),
        ("greeting", &[("greeting", "another one")]),
        ("EMPTY", &[("EMPTY", "")]),
        ("A b/%?#", &[("A b/%?#", "odd")]),
    ];
    let without: &[(&str, &[(&str, &str)])] = &[
        ("DEMO_GREETING", &[("DEMO_GREETING", "hello")]),
        ("HOME", &[("HOME", "/root")]),
    ];
    let store = || EnvStore::new(environment());
    for (name, store, known, missing) in [
        (
            "with a prefix",
            store().with_prefix("DEMO_"),
            with_prefix,
            &["DEMO_GREETING", "HOME"][..],
        ),
        (
            "without one",
            store(),
            without,
            &["GREETING", "DAPR_API_TOKEN"],
        ),
        (
            "everything",
            store().with_allow_all(true),
            without,
            &["GREETING", "DAPR_API_TOKEN"],
        ),
    ] {
        debug_shows_no_value(&store, with_prefix).expect(name);
        conformance(store, known, missing).await.expect(name);
    }
}

#[tokio::test]
async fn api_i2_a_store_without_a_fault_passes_as_a_value_and_shared() {
    conformance(Broken::new(Fault::Nothing), KNOWN, MISSING)
        .await
        .expect("no fault");
    let shared: std::sync::Arc<dyn SecretStore> = std::sync::Arc::new(Broken::new(Fault::Nothing));
    conformance(shared, KNOWN, MISSING).await.expect("no fault");
}

/// Each fault is found by the question that is meant for it; by others too, where it shows in more than one place.
#[tokio::test]
async fn api_i2_n1_n2_n7_every_fault_is_found_by_its_name() {
    use Check as C;
    use Fault as F;
    let rows: &[(Fault, &[Check])] = &[
        (F::ForeignType, &[C::ComponentType]),
        (F::UnnamedType, &[C::ComponentType]),
        (F::UnknownFeature, &[C::Features]),
        (F::FeatureTwice, &[C::Features]),
        (F::ListsCommonKey, &[C::RequestMetadata]),
        (F::ListsKeyTwice, &[C::RequestMetadata]),
        (F::IsDegraded, &[C::Degraded]),
        (F::RefusesWhatItHolds, &[C::CanonicalAccepts]),
        (
            F::GrowsCanonical,
            &[
                C::CanonicalIdempotent,
                C::CanonicalIsName,
                C::GetKnown,
                C::BulkListed,
                C::BulkCanonical,
                C::Knows,
            ],
        ),
        (
            F::RefusesItsCanonical,
            &[
                C::CanonicalIdempotent,
                C::CanonicalIsName,
                C::GetKnown,
                C::BulkListed,
                C::BulkCanonical,
                C::Knows,
            ],
        ),
        (F::EmptiesCanonical, &[C::CanonicalIsName]),
        (
            F::CountsCanonical,
            &[
                C::CanonicalIdempotent,
                C::CanonicalIsName,
                C::CanonicalPure,
                C::GetKnown,
                C::BulkListed,
                C::BulkCanonical,
                C::Knows,
            ],
        ),
        (F::FoldsByPrefix, &[C::CanonicalPure]),
        (F::RefusesAsNotFound, &[C::CanonicalRefusal]),
        (F::BackendIgnoresCase, &[C::OneName, C::BulkWhole, C::Knows]),
        (F::BackendDropsSlash, &[C::OneName]),
        (F::BackendDropsQuery, &[C::OneName]),
        (F::AnswersAnother, &[C::GetKnown]),
        (F::MisnamesKey, &[C::GetKnown, C::Shape]),
        (F::LosesAKey, &[C::GetKnown, C::Shape]),
        (F::FailsToGet, &[C::GetKnown, C::BulkListed]),
        (
            F::EmptyForMissing,
            &[C::GetMissing, C::GetByPermit, C::Shape, C::BulkListed],
        ),
        (F::MissingIsUnavailable, &[C::GetMissing, C::OddName]),
        (F::ReadsByLabel, &[C::GetByPermit]),
        (F::SeveralKeys, &[C::GetKnown, C::Shape]),
        (F::RefusesForeignMetadata, &[C::ForeignMetadata]),
        (F::FiltersGet, &[C::ForeignMetadata]),
        (F::StaysBusy, &[C::DroppedCall, C::Refresh]),
        (F::BreaksOnOddNames, &[C::OddName]),
        (F::TellsTheValue, &[C::ErrorText]),
        (F::FailsToList, &[C::BulkAnswers]),
        (F::ListsWithoutAllowed, &[C::BulkListed]),
        (F::ReportsMissing, &[C::BulkListed]),
        (F::IgnoresPermit, &[C::BulkScope]),
        (F::ReportsRefused, &[C::BulkScope]),
        (F::IgnoresPrefix, &[C::BulkPrefix]),
        (
            F::ListsRawNames,
            &[C::BulkListed, C::BulkScope, C::BulkPrefix, C::BulkCanonical],
        ),
        (F::ListsOtherValues, &[C::BulkListed, C::BulkEqualsGet]),
        (F::ListsOneAlone, &[C::BulkListed, C::BulkWhole]),
        (F::ListsWhatIsNotThere, &[C::BulkEqualsGet]),
        (F::ForgetsWhatItHolds, &[C::Knows]),
        (F::KnowsEverything, &[C::Knows]),
        (F::LosesOnRefresh, &[C::Refresh]),
        (
            F::PanicsOnCanonical,
            &[C::GetKnown, C::BulkListed, C::BulkWhole, C::Knows, C::Panic],
        ),
        (F::PanicsOnCall, &[C::Panic]),
        (F::PanicsOnPoll, &[C::Panic]),
        (F::PanicsOnBulk, &[C::Panic]),
    ];
    let mut asked: BTreeSet<Check> = BTreeSet::from([Check::Debug]);
    let mut wrong = Vec::new();
    for (fault, expected) in rows {
        let store = Broken::new(*fault);
        let Err(violations) = conformance(store, KNOWN, MISSING).await else {
            wrong.push(format!("{fault:?} is not found"));
            continue;
        };
        let found = checks(&violations);
        asked.extend(*expected);
        if found != expected.iter().copied().collect() {
            wrong.push(format!("{fault:?}: not {expected:?}, but {violations}"));
        }
        let text = violations.to_string();
        for (_, keys) in KNOWN {
            assert!(!text.contains(keys[0].1), "{fault:?} shows a value: {text}");
        }
        assert_eq!(format!("{violations:?}"), text, "{fault:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Every question finds something.
    let all: BTreeSet<Check> = Check::ALL.iter().copied().collect();
    assert_eq!(
        all.difference(&asked).collect::<Vec<_>>(),
        [] as [&Check; 0]
    );
}

#[test]
fn api_i2_every_check_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Check::ALL.iter().map(|check| check.name()).collect();
    assert_eq!(names.len(), Check::ALL.len());
    for check in Check::ALL {
        assert_eq!(check.to_string(), check.name());
    }
}

#[test]
fn api_i2_s7_debug_output_that_shows_a_value_is_found() {
    struct Shown(&'static str, bool);
    impl fmt::Debug for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            if f.alternate() == self.1 {
                f.write_str(self.0)
            } else {
                f.write_str("Shown")
            }
        }
    }
    let known: &[(&str, &[(&str, &str)])] = &[
        ("a", &[("k", "plain-value"), ("empty", "")]),
        ("b", &[("k", "two\nlines\"")]),
    ];
    for (name, shown, is_found) in [
        ("nothing", Shown("Shown", false), false),
        ("in one line", Shown("x plain-value x", false), true),
        ("in several", Shown("x plain-value x", true), true),
        ("raw", Shown("two\nlines\"", false), true),
        ("quoted", Shown(r#"Shown("two\nlines\"")"#, false), true),
    ] {
        let found = debug_shows_no_value(&shown, known);
        assert_eq!(found.is_err(), is_found, "{name}");
        if let Err(violations) = found {
            assert_eq!(
                checks(&violations),
                BTreeSet::from([Check::Debug]),
                "{name}"
            );
            assert!(!violations.to_string().contains("plain"), "{name}");
        }
    }
}

#[tokio::test]
#[should_panic(expected = "at least two known secrets")]
async fn api_i2_a_suite_that_could_find_nothing_does_not_pass() {
    let _ = conformance(Broken::new(Fault::Nothing), &KNOWN[..1], MISSING).await;
}

#[tokio::test]
#[should_panic(expected = "at least one missing name")]
async fn api_i2_a_suite_without_a_missing_name_does_not_pass() {
    let _ = conformance(Broken::new(Fault::Nothing), KNOWN, &[]).await;
}

/// What the suite leaves to the engine: these names reach no store.
#[tokio::test]
async fn api_i2_n5_what_no_store_accepts_is_refused_before_any_store_is_asked() {
    // It panics when it is asked for its canonical name of anything that is not ASCII, or empty.
    let engine = Engine::builder()
        .add_store("s", Broken::new(Fault::PanicsOnCanonical))
        .build()
        .expect("sound");
    let longest = "a".repeat(2_048);
    let too_long = "a".repeat(2_049);
    for (name, kind) in [
        ("", ErrorKind::InvalidRequest),
        ("\u{85}", ErrorKind::InvalidRequest),
        ("\0", ErrorKind::InvalidRequest),
        ("a\nb", ErrorKind::InvalidRequest),
        (&too_long, ErrorKind::InvalidRequest),
        (&longest, ErrorKind::NotFound),
    ] {
        let error = engine.get("s", name, &Metadata::default()).await;
        assert_eq!(error.expect_err("no secret").kind(), kind, "{name:?}");
    }
}
