//! The task that reads a key-set file in the background: polls, watches, and its end.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};
use tower::{Layer, service_fn};
use tower_dapr_token::{
    ConfigError, KeyEvent, KeySetFile, KeySetFileBuilder, Observer, RequireTokenLayer,
};

use crate::signing::{Key, key_set, rules};

/// Passes on what it is told of keys.
struct Telling(UnboundedSender<KeyEvent>);

impl Observer for Telling {
    fn on_key_event(&self, event: &KeyEvent) {
        // Nobody listens any more at the end of a test.
        let _ = self.0.send(event.clone());
    }
}

/// Passes on what it is told of keys, and panics.
struct Panicking(UnboundedSender<KeyEvent>);

impl Observer for Panicking {
    fn on_key_event(&self, event: &KeyEvent) {
        let _ = self.0.send(event.clone());
        assert!(event.as_str().is_empty(), "on purpose: none is");
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    fs::write(&path, key_set(&[&Key::new("a")])).expect("written");
    (folder, path)
}

fn telling(path: &PathBuf) -> (KeySetFileBuilder, UnboundedReceiver<KeyEvent>) {
    let (tell, told) = unbounded_channel();
    let builder = KeySetFile::builder(path).observer(Arc::new(Telling(tell)));
    (builder, told)
}

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

async fn next(told: &mut UnboundedReceiver<KeyEvent>) -> &'static str {
    told.recv().await.expect("the observer is there").as_str()
}

#[tokio::test(start_paused = true)]
async fn t8_r3_the_file_is_polled_every_ten_seconds_give_or_take_one() {
    let (_folder, path) = folder();
    let (builder, mut told) = telling(&path);
    let _keys = builder.reload_in_background().build().expect("keys");
    assert_eq!(next(&mut told).await, "refreshed");
    let mut last = Instant::now();
    for poll in 0..10 {
        assert_eq!(next(&mut told).await, "unchanged", "{poll}");
        let apart = last.elapsed().as_millis();
        // The clock of Tokio counts whole milliseconds.
        assert!((8_990..=11_010).contains(&apart), "{poll}: {apart} ms");
        last = Instant::now();
    }
    fs::write(&path, "{").expect("written");
    assert_eq!(next(&mut told).await, "failed");
    assert_eq!(next(&mut told).await, "failed", "and tried again");
    fs::write(&path, key_set(&[&Key::new("b")])).expect("written");
    assert_eq!(next(&mut told).await, "refreshed");
}

#[tokio::test(start_paused = true)]
async fn t8_r9_the_task_ends_with_the_last_handle_layer_and_service() {
    let (_folder, path) = folder();
    let (builder, mut told) = telling(&path);
    let keys = builder.reload_in_background().build().expect("keys");
    assert_eq!(next(&mut told).await, "refreshed");
    let layer = RequireTokenLayer::builder()
        .key_set_file(&keys, rules())
        .build()
        .expect("valid");
    let service = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(()))
    }));
    let other = keys.clone();
    for (name, held) in [
        ("handle", Box::new(keys) as Box<dyn std::any::Any>),
        ("other handle", Box::new(other)),
        ("layer", Box::new(layer)),
    ] {
        drop(held);
        assert_eq!(tasks(), 1, "without the {name}");
        assert_eq!(next(&mut told).await, "unchanged", "without the {name}");
    }
    drop(service);
    let ended = timeout(Duration::from_secs(60), told.recv()).await;
    assert_eq!(ended, Ok(None), "the observer is dropped with the task");
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn t8_r9_an_observer_that_panics_does_not_end_the_task() {
    let (_folder, path) = folder();
    let (tell, mut told) = unbounded_channel();
    let _keys = KeySetFile::builder(&path)
        .observer(Arc::new(Panicking(tell)))
        .reload_in_background()
        .build()
        .expect("keys");
    for expected in ["refreshed", "unchanged", "unchanged", "unchanged"] {
        assert_eq!(next(&mut told).await, expected);
    }
}

#[test]
fn t8_r9_without_a_runtime_the_builder_says_so_before_it_reads() {
    let error = KeySetFile::builder("/there/is/no/such/file")
        .reload_in_background()
        .build();
    assert_eq!(error.err(), Some(ConfigError::NoRuntime));
}

#[cfg(all(feature = "inotify", target_os = "linux"))]
mod linux {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use tokio::time::timeout_at;

    use super::*;

    /// The first poll comes 9 s after the start at the earliest: what is told within this time was found without it.
    const BEFORE_ANY_POLL: Duration = Duration::from_secs(8);

    fn publish(mount: &Path, version: u32, keys: &[&Key]) {
        let name = format!("..{version}");
        fs::create_dir(mount.join(&name)).expect("made");
        fs::write(mount.join(&name).join("jwks.json"), key_set(keys)).expect("written");
        symlink(&name, mount.join("..data_tmp")).expect("linked");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("turned");
        let _ = fs::remove_dir_all(mount.join(format!("..{}", version - 1)));
    }

    #[tokio::test]
    async fn t8_r3_a_change_of_a_watched_key_set_is_found_before_the_next_poll() {
        type Act = fn(&Path);
        type Row = (&'static str, Act, Act, &'static str);
        let plain: Act = |folder| {
            fs::write(folder.join("jwks.json"), key_set(&[&Key::new("a")])).expect("written");
        };
        let table: &[Row] = &[
            (
                "the link of a mount is turned",
                |folder| {
                    publish(folder, 1, &[&Key::new("a")]);
                    symlink("..data/jwks.json", folder.join("jwks.json")).expect("linked");
                },
                |folder| publish(folder, 2, &[&Key::new("b")]),
                "refreshed",
            ),
            (
                "another is renamed over it",
                plain,
                |folder| {
                    let aside = folder.join("new");
                    fs::write(&aside, key_set(&[&Key::new("b")])).expect("written");
                    fs::rename(aside, folder.join("jwks.json")).expect("renamed");
                },
                "refreshed",
            ),
            ("it was not there at first", |_| {}, plain, "refreshed"),
            (
                "it is deleted",
                plain,
                |folder| fs::remove_file(folder.join("jwks.json")).expect("removed"),
                "failed",
            ),
        ];
        for (name, begin, act, expected) in table {
            let folder = tempfile::tempdir().expect("a folder");
            begin(folder.path());
            let started = Instant::now();
            let (builder, mut told) = telling(&folder.path().join("jwks.json"));
            let keys = builder.watch_files().build_lazy().expect("valid settings");
            told.try_recv().expect("the first reading");
            act(folder.path());
            loop {
                let event = timeout_at(started + BEFORE_ANY_POLL, told.recv()).await;
                let event = event.unwrap_or_else(|_| panic!("{name}: nothing came before a poll"));
                if event.expect("the observer is there").as_str() == *expected {
                    break;
                }
            }
            drop(keys);
        }
    }
}
