//! Keys in a local file that is read again: what becomes of the file, and of the tokens signed with its keys.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    Algorithm, Clock, ConfigError, Decision, JwtCache, JwtKeys, JwtRules, KeyEvent, KeySetFile,
    Observer, RejectionKind, Reloaded, RequireTokenLayer, SourceErrorKind,
};

use crate::signing::{ISSUER, Key, NOW, Wall, encoded, forged, key_set, rules, signed};
use crate::support::{MovedClock, NAME};

const SECOND: Duration = Duration::from_secs(1);

/// A clock that the test moves, and that does something in the tenth of a second in which content settles.
#[derive(Default)]
struct Meanwhile {
    moved: MovedClock,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Meanwhile {
    fn once(&self, act: impl FnOnce() + Send + 'static) {
        *self.act.lock().expect("no test panicked") = Some(Box::new(act));
    }
}

impl Clock for Meanwhile {
    fn now(&self) -> Duration {
        self.moved.now()
    }

    fn wait(&self, _: Duration) {
        let act = self.act.lock().expect("no test panicked").take();
        if let Some(act) = act {
            act();
        }
    }
}

/// What was told of the keys, and of requests.
#[derive(Default)]
struct Told {
    keys: Mutex<Vec<KeyEvent>>,
    decisions: Mutex<Vec<Decision>>,
}

impl Told {
    fn keys(&self) -> Vec<KeyEvent> {
        std::mem::take(&mut self.keys.lock().expect("no test panicked"))
    }

    /// The number of keys that were told to be in force, and of those that were left out.
    fn counted(&self) -> Vec<(usize, usize)> {
        let told = self.keys();
        let counted = told.iter().map_while(|event| match event {
            KeyEvent::Refreshed { keys, skipped, .. } => Some((*keys, *skipped)),
            _ => None,
        });
        let counted: Vec<_> = counted.collect();
        assert_eq!(counted.len(), told.len(), "{told:?}");
        counted
    }

    fn last(&self) -> Decision {
        let mut decisions = self.decisions.lock().expect("no test panicked");
        decisions.drain(..).next_back().expect("told")
    }
}

impl Observer for Told {
    fn on_key_event(&self, event: &KeyEvent) {
        let mut keys = self.keys.lock().expect("no test panicked");
        keys.push(event.clone());
    }

    fn on_decision(&self, decision: &Decision) {
        let mut decisions = self.decisions.lock().expect("no test panicked");
        decisions.push(decision.clone());
    }
}

/// A folder with a key-set file in it.
struct Folder {
    folder: TempDir,
    clock: Arc<Meanwhile>,
    told: Arc<Told>,
}

impl Folder {
    fn with(keys: &[&Key]) -> Self {
        let folder = Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::default(),
            told: Arc::default(),
        };
        folder.write(key_set(keys));
        folder
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("jwks.json")
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::write(self.path(), content).expect("written");
    }

    fn builder(&self) -> tower_dapr_token::KeySetFileBuilder {
        KeySetFile::builder(self.path())
            .clock(self.clock.clone())
            .observer(self.told.clone())
    }

    fn keys(&self) -> KeySetFile {
        self.builder().build().expect("keys")
    }

    fn layer(&self, keys: &KeySetFile) -> RequireTokenLayer {
        RequireTokenLayer::builder()
            .key_set_file(keys, rules())
            .wall_clock(Wall::at(NOW))
            .observer(self.told.clone())
            .build()
            .expect("valid")
    }
}

async fn ask(layer: &RequireTokenLayer, token: &str) -> u16 {
    let app = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let request = Request::post("/orders").header(NAME, token).body(());
    let asked = layer.layer(app).oneshot(request.expect("valid")).await;
    asked.expect("infallible").status().as_u16()
}

fn refresh(keys: &KeySetFile) -> Result<Reloaded, SourceErrorKind> {
    keys.refresh().map_err(|error| error.kind())
}

#[tokio::test]
async fn t8_r2_r5_whatever_becomes_of_a_key_set_file_the_last_good_set_stays() {
    use SourceErrorKind as Kind;
    type Accident = fn(&Path);

    fn put(path: &Path, content: impl AsRef<[u8]>) {
        fs::write(path, content).expect("written");
    }
    fn set(keys: &[serde_json::Value]) -> String {
        serde_json::json!({ "keys": keys }).to_string()
    }

    let table: &[(&str, Accident, Kind)] = &[
        ("empty", |path| put(path, ""), Kind::NotAKeySet),
        ("blank", |path| put(path, " \n\r\n\t"), Kind::NotAKeySet),
        (
            "half-written",
            |path| {
                let whole = key_set(&[&Key::new("new")]);
                put(path, &whole[..whole.len() / 2]);
            },
            Kind::NotAKeySet,
        ),
        (
            "all but the last byte",
            |path| {
                let whole = key_set(&[&Key::new("new")]);
                put(path, &whole[..whole.len() - 1]);
            },
            Kind::NotAKeySet,
        ),
        (
            "two documents",
            |path| put(path, key_set(&[&Key::new("new")]).repeat(2)),
            Kind::NotAKeySet,
        ),
        (
            "garbage",
            |path| put(path, [0xff, 0xfe, 0, 7]),
            Kind::NotAKeySet,
        ),
        ("a list", |path| put(path, "[]"), Kind::NotAKeySet),
        ("no member `keys`", |path| put(path, "{}"), Kind::NotAKeySet),
        (
            "`keys` twice",
            |path| put(path, r#"{"keys":[],"keys":[]}"#),
            Kind::NotAKeySet,
        ),
        (
            "a key in PEM",
            |path| {
                put(
                    path,
                    rcgen::KeyPair::generate().expect("a key").public_key_pem(),
                );
            },
            Kind::NotAKeySet,
        ),
        ("no key", |path| put(path, set(&[])), Kind::NoUsableKey),
        (
            "an unknown type alone",
            |path| put(path, set(&[serde_json::json!({ "kty": "AKP" })])),
            Kind::NoUsableKey,
        ),
        (
            "a private key alone",
            |path| {
                let mut key = Key::new("new").jwk();
                key["d"] = encoded(&[7; 32]).into();
                put(path, set(&[key]));
            },
            Kind::NoUsableKey,
        ),
        (
            "a point off its curve alone",
            |path| {
                let mut key = Key::new("new").jwk();
                key["x"] = encoded(&[7; 32]).into();
                put(path, set(&[key]));
            },
            Kind::NoUsableKey,
        ),
        (
            "a secret, which the rules do not allow",
            |path| {
                let secret = serde_json::json!({ "kty": "oct", "k": encoded(&[7; 64]) });
                put(path, set(&[secret]));
            },
            Kind::NoUsableKey,
        ),
        (
            "65 keys",
            |path| put(path, set(&vec![Key::new("new").jwk(); 65])),
            Kind::TooManyKeys,
        ),
        (
            "256 KiB and a byte",
            |path| put(path, " ".repeat(256 * 1024 + 1)),
            Kind::KeySetTooLong,
        ),
        (
            "deleted",
            |path| fs::remove_file(path).expect("removed"),
            Kind::NotFound,
        ),
        (
            "a folder in its place",
            |path| {
                fs::remove_file(path).expect("removed");
                fs::create_dir(path).expect("made");
            },
            Kind::NotAFile,
        ),
        #[cfg(unix)]
        (
            "a socket in its place, which is as little a file as a pipe",
            |path| {
                fs::remove_file(path).expect("removed");
                drop(std::os::unix::net::UnixListener::bind(path).expect("bound"));
            },
            Kind::NotAFile,
        ),
        #[cfg(unix)]
        (
            "a link to a device without an end",
            |path| {
                fs::remove_file(path).expect("removed");
                std::os::unix::fs::symlink("/dev/zero", path).expect("linked");
            },
            Kind::NotAFile,
        ),
    ];
    let (old, new) = (Key::new("old"), Key::new("new"));
    for (name, accident, expected) in table {
        let folder = Folder::with(&[&old]);
        let path = folder.path();
        let keys = folder.keys();
        let layer = folder.layer(&keys);
        assert_eq!(folder.told.counted(), [(1, 0)], "{name}");

        accident(&path);
        for times in 1..=2 {
            assert_eq!(refresh(&keys), Err(*expected), "{name}");
            match folder.told.keys().as_slice() {
                [
                    KeyEvent::FileFailed {
                        error, in_a_row, ..
                    },
                ] => {
                    assert_eq!((error.kind(), *in_a_row), (*expected, times), "{name}");
                    assert_eq!(error.path(), Some(path.as_path()), "{name}");
                }
                told => panic!("{name}: {told:?}"),
            }
            assert_eq!(ask(&layer, &old.token()).await, 200, "{name}");
            assert_eq!(ask(&layer, &new.token()).await, 401, "{name}");
        }
        if path.is_dir() {
            fs::remove_dir(&path).expect("removed");
        } else if *expected == Kind::NotAFile {
            fs::remove_file(&path).expect("removed");
        }
        folder.write(key_set(&[&old]));
        assert_eq!(refresh(&keys), Ok(Reloaded::Unchanged), "{name}: as it was");
        assert_eq!(folder.told.keys(), [KeyEvent::Unchanged], "{name}");
        accident(&path);
        assert_eq!(refresh(&keys), Err(*expected), "{name}: once more");
        assert!(
            matches!(
                folder.told.keys()[..],
                [KeyEvent::FileFailed { in_a_row: 1, .. }]
            ),
            "{name}: counted anew, to be warned of anew"
        );
        if path.is_dir() {
            fs::remove_dir(&path).expect("removed");
        } else if *expected == Kind::NotAFile {
            fs::remove_file(&path).expect("removed");
        }
        folder.write(key_set(&[&new]));
        assert_eq!(refresh(&keys), Ok(Reloaded::Changed), "{name}: mended");
        assert_eq!(folder.told.counted(), [(1, 0)], "{name}");
        assert_eq!(ask(&layer, &old.token()).await, 401, "{name}: mended");
        assert_eq!(ask(&layer, &new.token()).await, 200, "{name}: mended");
    }
}

#[tokio::test]
async fn t8_t9_a_removed_key_ends_at_once_and_remembered_tokens_with_it() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let folder = Folder::with(&[&old]);
    let keys = folder.keys();
    let layer = folder.layer(&keys);
    let (first, second) = (old.token(), new.token());
    let told = || {
        let last = folder.told.last();
        (last.jwt_cache(), last.reason().map(RejectionKind::as_str))
    };
    let ask = async |token: &str| {
        ask(&layer, token).await;
        told()
    };

    assert_eq!(ask(&first).await, (Some(JwtCache::Miss), None));
    assert_eq!(ask(&first).await, (Some(JwtCache::Hit), None));
    assert_eq!(ask(&second).await, (None, Some("kid")));

    folder.write(key_set(&[&new, &old]));
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(ask(&first).await, (Some(JwtCache::Hit), None), "it stayed");
    assert_eq!(ask(&second).await, (Some(JwtCache::Miss), None));

    folder.write(key_set(&[&new]));
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(
        ask(&first).await,
        (None, Some("kid")),
        "remembered, and over"
    );
    assert_eq!(ask(&second).await, (Some(JwtCache::Hit), None));

    // The name of the old key comes back with another key behind it.
    let impostor = Key::new("old");
    folder.write(key_set(&[&impostor]));
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(ask(&first).await, (None, Some("signature")));
    assert_eq!(ask(&forged("old")).await, (None, Some("signature")));
    assert_eq!(ask(&impostor.token()).await, (Some(JwtCache::Miss), None));
}

#[tokio::test]
async fn t8_r4_a_set_counts_if_it_is_still_the_same_a_tenth_of_a_second_later() {
    let (old, new, newer) = (Key::new("old"), Key::new("new"), Key::new("newer"));
    let folder = Folder::with(&[&old]);
    let keys = folder.keys();
    let layer = folder.layer(&keys);
    let path = folder.path();

    // Half a set may be a whole one: this one says so twice.
    folder.write(key_set(&[&new]));
    let (half, whole) = (path.clone(), key_set(&[&new, &newer]));
    folder
        .clock
        .once(move || fs::write(half, whole).expect("written"));
    assert_eq!(refresh(&keys), Err(SourceErrorKind::Unsettled));
    assert_eq!(ask(&layer, &old.token()).await, 200);
    assert_eq!(ask(&layer, &new.token()).await, 401);

    folder.write(key_set(&[&new]));
    folder
        .clock
        .once(move || fs::remove_file(path).expect("removed"));
    assert_eq!(refresh(&keys), Err(SourceErrorKind::NotFound));
    assert_eq!(ask(&layer, &old.token()).await, 200);

    folder.write(key_set(&[&new]));
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(ask(&layer, &new.token()).await, 200);
}

#[tokio::test]
async fn t8_r6_a_set_that_is_not_there_at_the_start_is_an_error_or_a_503() {
    let key = Key::new("a");
    let folder = Folder::with(&[&key]);
    let (path, half) = (folder.path(), folder.path());
    folder.clock.once(move || {
        let mut file = File::options().append(true).open(half).expect("opened");
        file.write_all(b"\n").expect("written");
    });
    let error = folder.builder().build().expect_err("unsettled").to_string();
    assert!(error.contains("changed while it was read"), "{error}");

    fs::remove_file(&path).expect("removed");
    let error = folder.builder().build().expect_err("not there");
    assert!(matches!(error, ConfigError::KeySetFile { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("jwks.json is not there"), "{error}");
    assert!(error.contains("put one JSON Web Key Set"), "{error}");

    let keys = folder.builder().build_lazy().expect("valid settings");
    let layer = folder.layer(&keys);
    assert_eq!(ask(&layer, &key.token()).await, 503);
    assert_eq!(ask(&layer, "no JWT").await, 401);
    folder.write(key_set(&[&key]));
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(ask(&layer, &key.token()).await, 200);
}

#[test]
fn t8_exactly_256_kib_are_read() {
    let folder = Folder::with(&[]);
    let mut content = key_set(&[&Key::new("a")]);
    content.push_str(&" ".repeat(256 * 1024 - content.len()));
    folder.write(&content);
    let keys = folder.keys();
    content.push(' ');
    folder.write(&content);
    assert_eq!(refresh(&keys), Err(SourceErrorKind::KeySetTooLong));
    let error = keys.refresh().expect_err("too long").to_string();
    assert!(
        error.ends_with("jwks.json is longer than 256 KiB"),
        "{error}"
    );
}

#[tokio::test]
async fn t8_r3_content_is_compared_and_not_its_times() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let folder = Folder::with(&[&old]);
    let keys = folder.keys();
    let layer = folder.layer(&keys);
    let path = folder.path();
    let written = fs::metadata(&path).expect("there").modified();
    let written = written.expect("known");
    let set_time = |time: SystemTime| {
        let file = File::options().write(true).open(&path).expect("opened");
        file.set_modified(time).expect("set");
    };

    set_time(written + 60 * SECOND);
    assert_eq!(refresh(&keys), Ok(Reloaded::Unchanged));
    folder.write(key_set(&[&new]));
    set_time(written + 60 * SECOND);
    assert_eq!(
        refresh(&keys),
        Ok(Reloaded::Changed),
        "the same time and length"
    );
    assert_eq!(ask(&layer, &new.token()).await, 200);
    assert_eq!(ask(&layer, &old.token()).await, 401);
}

#[tokio::test]
async fn t8_r5_without_a_limit_keys_stay_for_ever_and_with_one_they_end_with_503() {
    let key = Key::new("a");
    for limit in [None, Some(30 * SECOND)] {
        let folder = Folder::with(&[&key]);
        let builder = folder.builder();
        let builder = match limit {
            Some(limit) => builder.max_stale(limit),
            None => builder,
        };
        let keys = builder.build().expect("valid");
        let layer = folder.layer(&keys);
        let (token, other) = (key.token(), key.token_of("another"));
        fs::remove_file(folder.path()).expect("removed");
        for (second, late) in [(0, false), (30, false), (31, true), (100_000, true)] {
            let passed = folder.clock.now();
            let until = Duration::from_secs(second);
            folder.clock.moved.advance(until - passed);
            assert_eq!(refresh(&keys), Err(SourceErrorKind::NotFound));
            let expected = if late && limit.is_some() { 503 } else { 200 };
            assert_eq!(ask(&layer, &token).await, expected, "{limit:?}, {second} s");
        }
        let expected = if limit.is_some() { 503 } else { 200 };
        assert_eq!(ask(&layer, &other).await, expected, "never seen before");
        assert_eq!(ask(&layer, "no JWT").await, 401);

        folder.write(key_set(&[&key]));
        assert_eq!(refresh(&keys), Ok(Reloaded::Unchanged));
        assert_eq!(ask(&layer, &token).await, 200, "seen again");
    }
    let folder = Folder::with(&[&key]);
    let error = folder.builder().max_stale(29 * SECOND).build();
    let limit = 29 * SECOND;
    let error = error.err();
    assert!(
        matches!(&error, Some(ConfigError::MaxStale { limit: said, .. }) if *said == limit),
        "{error:?}"
    );
}

#[tokio::test]
async fn t8_several_layers_follow_one_file_and_all_of_them_change_or_none() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let secret = [7; 64];
    let shared = serde_json::json!({ "kty": "oct", "kid": "shared", "k": encoded(&secret) });
    let folder = Folder::with(&[]);
    folder.write(serde_json::json!({ "keys": [old.jwk(), shared] }).to_string());
    let keys = folder.keys();
    assert_eq!(folder.told.counted(), [(2, 0)]);
    let asymmetric = folder.layer(&keys);
    let symmetric = RequireTokenLayer::builder()
        .key_set_file(&keys, rules().algorithms([Algorithm::HS256]))
        .wall_clock(Wall::at(NOW))
        .build()
        .expect("valid");
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"orders","exp":{}}}"#, NOW + 60);
    let by_secret = signed(&claims, &secret);
    let by_secret = by_secret.as_str();
    let both = async |token: &str| (ask(&asymmetric, token).await, ask(&symmetric, token).await);
    assert_eq!(both(&old.token()).await, (200, 401));
    assert_eq!(
        both(by_secret).await,
        (401, 200),
        "T2: from local configuration"
    );

    folder.write(key_set(&[&new]));
    assert_eq!(refresh(&keys), Err(SourceErrorKind::NoUsableKey));
    assert_eq!(
        both(&old.token()).await,
        (200, 401),
        "none for the other layer"
    );
    assert_eq!(both(by_secret).await, (401, 200));

    folder.told.keys();
    folder.write(serde_json::json!({ "keys": [new.jwk(), shared, { "kty": "none" }] }).to_string());
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(
        folder.told.counted(),
        [(1, 2)],
        "by the layer that can use the fewest"
    );
    assert_eq!(both(&new.token()).await, (200, 401));
    assert_eq!(both(by_secret).await, (401, 200));

    // A layer that is gone has no say, but one of its services keeps it.
    let app = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let service = symmetric.layer(app);
    drop(symmetric);
    folder.write(key_set(&[&old]));
    assert_eq!(refresh(&keys), Err(SourceErrorKind::NoUsableKey));
    drop(service);
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(ask(&asymmetric, &old.token()).await, 200);
}

#[tokio::test]
async fn t1_t2_t8_keys_of_a_file_stand_beside_others_and_are_used_for_their_issuer_alone() {
    let (file, fixed) = (Key::new("a"), Key::new("b"));
    let folder = Folder::with(&[&file]);
    let keys = folder.keys();
    let claims =
        |issuer| serde_json::json!({ "iss": issuer, "aud": "orders", "exp": NOW + 60 }).to_string();
    let other = "https://other.example";
    let layer = RequireTokenLayer::builder()
        .key_set_file(&keys, rules())
        .jwt(
            JwtKeys::key_set(key_set(&[&fixed])).expect("a key"),
            JwtRules::new(other, "orders"),
        )
        .wall_clock(Wall::at(NOW))
        .build()
        .expect("valid");
    for (name, key, issuer, expected) in [
        ("of the file", &file, ISSUER, 200),
        ("that is fixed", &fixed, other, 200),
        ("of the file, for the other issuer", &file, other, 401),
        ("that is fixed, for the other issuer", &fixed, ISSUER, 401),
    ] {
        let token = key.token_with(&claims(issuer));
        assert_eq!(ask(&layer, &token).await, expected, "{name}");
    }
    let twice = RequireTokenLayer::builder()
        .key_set_file(&keys, rules())
        .key_set_file(&keys, rules())
        .build();
    let error = twice.expect_err("one issuer twice").to_string();
    assert!(error.contains("name the same issuer"), "{error}");
    let none = RequireTokenLayer::builder()
        .key_set_file(&keys, rules().algorithms([Algorithm::EdDSA]))
        .build();
    let error = none.expect_err("no key for it").to_string();
    assert!(
        error.contains("fits none of the allowed algorithms"),
        "{error}"
    );
}

/// What a kubelet does: a new folder, the link is turned to it in one step, and the last folder is removed.
#[cfg(unix)]
#[tokio::test]
async fn t8_r2_the_link_of_a_mount_is_followed_to_the_set_of_now() {
    use std::os::unix::fs::symlink;

    let (old, new) = (Key::new("old"), Key::new("new"));
    let folder = Folder::with(&[]);
    let mount = folder.folder.path();
    fs::remove_file(folder.path()).expect("removed");
    let publish = |version: u32, keys: &[&Key]| {
        let name = format!("..{version}");
        fs::create_dir(mount.join(&name)).expect("made");
        fs::write(mount.join(&name).join("jwks.json"), key_set(keys)).expect("written");
        symlink(&name, mount.join("..data_tmp")).expect("linked");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("turned");
    };
    publish(1, &[&old]);
    symlink("..data/jwks.json", folder.path()).expect("linked");
    let keys = folder.keys();
    let layer = folder.layer(&keys);
    assert_eq!(ask(&layer, &old.token()).await, 200);

    publish(2, &[&new]);
    fs::remove_dir_all(mount.join("..1")).expect("removed");
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    assert_eq!(ask(&layer, &old.token()).await, 401);
    assert_eq!(ask(&layer, &new.token()).await, 200);

    // A mount that is half gone: the link leads nowhere.
    fs::remove_dir_all(mount.join("..2")).expect("removed");
    assert_eq!(refresh(&keys), Err(SourceErrorKind::NotFound));
    assert_eq!(ask(&layer, &new.token()).await, 200);
}

#[cfg(feature = "metrics")]
#[test]
fn o1_t8_readings_of_a_key_set_file_are_counted_as_fetches_are() {
    use std::collections::BTreeMap;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use tower_dapr_token::MetricsObserver;

    let recorder = DebuggingRecorder::new();
    let clock = Arc::new(MovedClock::default());
    let metrics = metrics::with_local_recorder(&recorder, || {
        MetricsObserver::builder().clock(clock.clone()).build()
    });
    let metrics = Arc::new(metrics);
    let folder = Folder::with(&[&Key::new("a"), &Key::new("b")]);
    let keys = folder
        .builder()
        .observer(metrics.clone())
        .build()
        .expect("keys");
    let values = || -> BTreeMap<String, f64> {
        let series = recorder.snapshotter().snapshot().into_vec().into_iter();
        series
            .map(|(key, _, _, value)| {
                let labels = key.key().labels().map(metrics::Label::value);
                let name = [key.key().name()].into_iter().chain(labels);
                let value = match value {
                    DebugValue::Counter(count) => count as f64,
                    DebugValue::Gauge(value) => value.into_inner(),
                    DebugValue::Histogram(_) => panic!("no histogram"),
                };
                (name.collect::<Vec<_>>().join(" "), value)
            })
            .collect()
    };
    assert_eq!(refresh(&keys), Ok(Reloaded::Unchanged));
    folder.write("{}");
    clock.advance(7 * SECOND);
    assert!(refresh(&keys).is_err());
    // Taking them sets them to 0, counters and gauges.
    let taken = values();
    for (name, value) in [
        ("dapr_token_jwks_refreshes_total refreshed", 1.0),
        ("dapr_token_jwks_refreshes_total unchanged", 1.0),
        ("dapr_token_jwks_refreshes_total failed", 1.0),
        ("dapr_token_keys", 2.0),
        ("dapr_token_jwks_age_seconds", 7.0),
        ("dapr_token_keys_skipped_total", 0.0),
    ] {
        assert_eq!(taken.get(name), Some(&value), "{name}");
    }
    let one = Key::new("c").jwk();
    folder.write(serde_json::json!({ "keys": [one, { "kty": "none" }] }).to_string());
    assert_eq!(refresh(&keys), Ok(Reloaded::Changed));
    let taken = values();
    for (name, value) in [
        ("dapr_token_jwks_refreshes_total refreshed", 1.0),
        ("dapr_token_keys", 1.0),
        ("dapr_token_jwks_age_seconds", 0.0),
        ("dapr_token_keys_skipped_total", 1.0),
    ] {
        assert_eq!(taken.get(name), Some(&value), "{name}");
    }
}

#[cfg(feature = "tracing")]
#[test]
fn o3_t8_the_first_reading_that_fails_is_warned_of_and_the_others_are_not() {
    use crate::capture::Capture;

    let capture = Capture::start();
    let folder = Folder::with(&[&Key::new("a")]);
    let keys = folder
        .builder()
        .observer(Arc::new(tower_dapr_token::TracingObserver::new()))
        .build()
        .expect("keys");
    let path = folder.path();
    let failed = |level: &str, in_a_row: u32| {
        format!(
            "{level} dapr_token::keys: no keys could be read, the last good ones stay error={} holds no JSON Web Key Set \
             in_a_row={in_a_row} result=failed",
            path.display()
        )
    };
    let loaded = "DEBUG dapr_token::keys: keys were loaded keys=1 result=refreshed skipped=0";
    assert_eq!(capture.ours(), [loaded]);
    folder.write("hunter2");
    for (level, in_a_row) in [("WARN", 1), ("DEBUG", 2), ("DEBUG", 3)] {
        assert!(refresh(&keys).is_err());
        assert_eq!(capture.ours(), [failed(level, in_a_row)]);
    }
    folder.write(key_set(&[&Key::new("b")]));
    assert!(refresh(&keys).is_ok());
    assert_eq!(capture.ours(), [loaded]);
    folder.write("hunter2");
    assert!(refresh(&keys).is_err());
    assert_eq!(capture.ours(), [failed("WARN", 1)], "warned of anew");
}

#[test]
fn o4_what_is_told_of_keys_says_what_to_do_and_nothing_of_the_content() {
    let folder = Folder::with(&[&Key::new("a")]);
    let keys = folder.keys();
    folder.told.keys();
    folder.write(r#"{"keys":[{"kty":"oct","k":"hunter2"}]}"#);
    let error = keys.refresh().expect_err("too short a secret");
    let [event] = &folder.told.keys()[..] else {
        panic!("one event");
    };
    assert_eq!(event.as_str(), "failed");
    let text = format!(
        "{error} {error:?} {event} {event:?} {keys:?} {:?}",
        folder.builder()
    );
    assert!(!text.contains("hunter2"), "{text}");
    assert!(error.to_string().contains("check their types"), "{error}");
    assert!(
        event.to_string().contains("the last good ones stay"),
        "{event}"
    );
}
