//! Token files that are watched: the kernel's own events on Linux, and mistakes everywhere.

use std::sync::Arc;

use tower_dapr_token::{
    ConfigError, FileSource, InjectTokenLayer, LoadedTokens, RequireTokenLayer, SourceError,
    TokenHandle, TokenSet, TokenSource,
};

/// A source that names no file.
struct Nameless;

impl TokenSource for Nameless {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        Ok(LoadedTokens::new("a-token".parse().expect("valid")))
    }
}

#[test]
fn r3_what_cannot_be_watched_is_a_mistake_when_the_layer_is_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, "a-token").expect("written");
    let token = || "a-token".parse().expect("valid");
    let idle = "NothingToReload { setting: \"watch_files\" }";
    let handle = TokenHandle::new(TokenSet::new(token()));
    let inbound = RequireTokenLayer::builder;
    let outbound = || InjectTokenLayer::builder().any_loopback_port();
    for (name, error, expected) in [
        (
            "a literal",
            inbound().token(token()).watch_files().build().err(),
            idle,
        ),
        (
            "a literal to send",
            outbound().token(token()).watch_files().build().err(),
            idle,
        ),
        (
            "a reader",
            inbound()
                .reader(handle.reader())
                .watch_files()
                .build()
                .err(),
            idle,
        ),
        (
            "tokens that are set by hand",
            TokenHandle::builder()
                .tokens(TokenSet::new(token()))
                .watch_files()
                .build()
                .err(),
            idle,
        ),
        (
            "a source without files",
            TokenHandle::builder()
                .source(Nameless)
                .watch_files()
                .build()
                .err(),
            "NothingToWatch",
        ),
        (
            "no runtime",
            inbound().file(&path).watch_files().build().err(),
            "NoRuntime",
        ),
    ] {
        assert_eq!(format!("{:?}", error.expect(name)), expected, "{name}");
    }
    assert!(ConfigError::NothingToWatch.to_string().contains("files()"));
}

/// Counts how often the files are read.
struct Counting {
    files: FileSource,
    loads: Arc<std::sync::atomic::AtomicUsize>,
    told: tokio::sync::mpsc::UnboundedSender<()>,
}

impl TokenSource for Counting {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        self.loads
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Nobody listens any more at the end of a test.
        let _ = self.told.send(());
        self.files.load()
    }

    fn files(&self) -> Vec<std::path::PathBuf> {
        self.files.files()
    }
}

/// On the paused clock of Tokio: what passes is the time of polls, and no file changes but at the beginning.
#[tokio::test(start_paused = true)]
async fn r3_watched_files_are_polled_all_the_same_and_others_are_polled_alone() {
    for watches in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "a-token").expect("written");
        let (told, mut loaded) = tokio::sync::mpsc::unbounded_channel();
        let builder = TokenHandle::builder().source(Box::new(Counting {
            files: FileSource::new(&path),
            loads: Arc::default(),
            told,
        }) as Box<dyn TokenSource>);
        let builder = if watches {
            builder.watch_files()
        } else {
            builder.reload_in_background()
        };
        let _handle = builder.build().expect("a token");
        for _ in 0..2 {
            loaded.recv().await.expect("the first load, and once more");
        }
        if !watches {
            std::fs::write(&path, "a-token").expect("written");
        }
        for poll in 0..5 {
            let last = tokio::time::Instant::now();
            loaded.recv().await.expect("polled");
            let apart = last.elapsed().as_millis();
            assert!(
                (8_990..=11_010).contains(&apart),
                "{watches}, {poll}: {apart} ms"
            );
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use http::{Request, Response};
    use tempfile::TempDir;
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
    use tokio::time::{Instant, timeout_at};
    use tower::{Layer, ServiceExt};
    use tower_dapr_token::{Observer, Overlap, Reloaded, SourceErrorKind};

    use super::*;

    /// The first poll comes 9 s after the start at the earliest: what is told within this time was found without it.
    const BEFORE_ANY_POLL: Duration = Duration::from_secs(8);

    struct Telling(UnboundedSender<Result<Reloaded, SourceErrorKind>>);

    impl Observer for Telling {
        fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
            let _ = self.0.send(result.map_err(SourceError::kind));
        }
    }

    /// Watched files, and what is told of their readings.
    struct Watching {
        handle: TokenHandle,
        loads: Arc<AtomicUsize>,
        reloads: UnboundedReceiver<Result<Reloaded, SourceErrorKind>>,
        started: Instant,
    }

    impl Watching {
        fn over(files: FileSource) -> Self {
            let (tell, reloads) = unbounded_channel();
            let loads = Arc::new(AtomicUsize::new(0));
            let started = Instant::now();
            let handle = TokenHandle::builder()
                .source(Counting {
                    files,
                    loads: Arc::clone(&loads),
                    told: unbounded_channel().0,
                })
                .overlap(Overlap::None)
                .observer(Arc::new(Telling(tell)))
                .watch_files()
                .build_lazy()
                .expect("valid settings");
            let mut watching = Self {
                handle,
                loads,
                reloads,
                started,
            };
            watching.reloads.try_recv().expect("the first reading").ok();
            watching
        }

        /// Waits for a reading with this result, which must come before any poll.
        async fn told(&mut self, expected: Result<Reloaded, SourceErrorKind>, name: &str) {
            let deadline = self.started + BEFORE_ANY_POLL;
            loop {
                let told = timeout_at(deadline, self.reloads.recv()).await;
                assert!(told.is_ok(), "{name}: nothing came before a poll");
                if told.ok().flatten().expect("the handle is there") == expected {
                    return;
                }
            }
        }

        fn tokens(&self) -> (String, usize) {
            let reader = self.handle.reader();
            let current = reader.header_value().map(|value| {
                let text = value.to_str().expect("ASCII");
                text.to_owned()
            });
            (current.unwrap_or_default(), reader.len())
        }
    }

    /// What a kubelet does: a new folder, and the link is turned to it in one step. Then the last one is removed.
    fn publish(mount: &Path, version: u32, files: &[(&str, &str)]) {
        let name = format!("..{version}");
        fs::create_dir(mount.join(&name)).expect("made");
        for (file, content) in files {
            fs::write(mount.join(&name).join(file), content).expect("written");
        }
        symlink(&name, mount.join("..data_tmp")).expect("linked");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("turned");
        for (file, _) in files {
            // Those of the first version are there already.
            let _ = symlink(Path::new("..data").join(file), mount.join(file));
        }
        let _ = fs::remove_dir_all(mount.join(format!("..{}", version - 1)));
    }

    fn folder() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        (folder, path)
    }

    #[tokio::test]
    async fn r3_a_change_of_a_watched_file_is_found_before_the_next_poll() {
        type Act = fn(&Path);
        /// How the folder begins, what is done to it, the current token after that and how many there are.
        type Row = (&'static str, Act, Act, &'static str, usize);
        let one: Act = |folder| fs::write(folder.join("token"), "a").expect("written");
        let two: Act = |folder| {
            fs::write(folder.join("token"), "a").expect("written");
            fs::create_dir(folder.join("aside")).expect("made");
            fs::write(folder.join("aside/old"), "b").expect("written");
        };
        let table: &[Row] = &[
            (
                "the link of a mount is turned",
                |folder| publish(folder, 1, &[("token", "a")]),
                |folder| publish(folder, 2, &[("token", "z")]),
                "z",
                1,
            ),
            (
                "another is renamed over it",
                one,
                |folder| {
                    fs::write(folder.join("new"), "z").expect("written");
                    fs::rename(folder.join("new"), folder.join("token")).expect("renamed");
                },
                "z",
                1,
            ),
            (
                "written in place",
                one,
                |folder| fs::write(folder.join("token"), "z").expect("written"),
                "z",
                1,
            ),
            (
                "it was not there at first",
                |_| {},
                |folder| fs::write(folder.join("token"), "z").expect("written"),
                "z",
                1,
            ),
            (
                "the second file, in a folder of its own, is written",
                two,
                |folder| fs::write(folder.join("aside/old"), "b\nc\n").expect("written"),
                "a",
                3,
            ),
            (
                "the second file is taken away",
                two,
                |folder| fs::remove_file(folder.join("aside/old")).expect("removed"),
                "a",
                1,
            ),
        ];
        for (name, begin, act, current, len) in table {
            let (_folder, path) = folder();
            begin(&path);
            let source = FileSource::new(path.join("token"));
            let mut watching = Watching::over(source.with_previous(path.join("aside/old")));
            act(&path);
            watching.told(Ok(Reloaded::Changed), name).await;
            assert_eq!(watching.tokens(), ((*current).to_owned(), *len), "{name}");
        }
    }

    #[tokio::test]
    async fn r3_a_thousand_events_of_other_files_cause_no_reading_and_of_the_file_a_few() {
        let (_folder, path) = folder();
        let token = path.join("token");
        fs::write(&token, "a").expect("written");
        let mut watching = Watching::over(FileSource::new(&token));
        let loads = || watching.loads.load(Ordering::Relaxed);
        let built = loads();
        for number in 0..1_000 {
            fs::write(path.join(format!("other-{number}")), "x").expect("written");
        }
        fs::write(&token, "b").expect("written");
        watching
            .told(Ok(Reloaded::Changed), "the one that counts")
            .await;
        let loads = || watching.loads.load(Ordering::Relaxed);
        assert_eq!(loads() - built, 2, "found, and settled");

        let before = loads();
        let storm = Instant::now();
        for number in 0..1_000 {
            fs::write(&token, format!("token-{number}")).expect("written");
            fs::remove_file(&token).expect("removed");
        }
        fs::write(&token, "the-last").expect("written");
        while watching.tokens().0 != "the-last" {
            watching.told(Ok(Reloaded::Changed), "the last").await;
        }
        // Each reading that finds something new loads twice, and they are a second apart.
        let loads = watching.loads.load(Ordering::Relaxed) - before;
        let seconds = usize::try_from(storm.elapsed().as_secs()).expect("few");
        assert!(loads <= 2 * (seconds + 2), "{loads} loads in {seconds} s");
    }

    #[tokio::test]
    async fn r3_r5_a_folder_that_is_deleted_ends_nothing_and_is_watched_again_when_it_is_back() {
        let (_folder, path) = folder();
        let secrets = path.join("secrets");
        let token = secrets.join("token");
        fs::create_dir(&secrets).expect("made");
        fs::write(&token, "a").expect("written");
        let mut watching = Watching::over(FileSource::new(&token));

        fs::remove_dir_all(&secrets).expect("removed");
        let gone = Err(SourceErrorKind::NotFound);
        watching.told(gone, "deleted").await;
        assert_eq!(watching.tokens(), ("a".to_owned(), 1), "the last good one");

        fs::create_dir(&secrets).expect("made");
        fs::write(&token, "b").expect("written");
        // In the place of the next poll: a server refuses the token, and the source is asked again.
        let client = InjectTokenLayer::builder()
            .reader(watching.handle.reader())
            .any_loopback_port()
            .build()
            .expect("valid");
        let client = client.layer(tower::service_fn(|_: Request<()>| async {
            let refused = Response::builder().status(401).body(()).expect("valid");
            Ok::<_, std::convert::Infallible>(refused)
        }));
        let request = Request::get("http://localhost/").body(()).expect("valid");
        client.oneshot(request).await.expect("infallible");
        watching.told(Ok(Reloaded::Changed), "back").await;
        assert_eq!(watching.tokens(), ("b".to_owned(), 1));

        fs::write(&token, "c").expect("written");
        watching.told(Ok(Reloaded::Changed), "watched again").await;
        assert_eq!(watching.tokens(), ("c".to_owned(), 1));
    }

    #[tokio::test]
    async fn r3_r9_a_layer_that_watches_ends_its_task_when_it_is_dropped() {
        let (_folder, path) = folder();
        let token = path.join("token");
        fs::write(&token, "a").expect("written");
        let metrics = tokio::runtime::Handle::current().metrics();
        let inbound = RequireTokenLayer::builder()
            .file(&token)
            .watch_files()
            .build()
            .expect("a token");
        let outbound = InjectTokenLayer::builder()
            .file(&token)
            .any_loopback_port()
            .watch_files()
            .build()
            .expect("a token");
        assert_eq!(metrics.num_alive_tasks(), 2);
        drop((inbound, outbound));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(metrics.num_alive_tasks(), 0);
    }

    #[test]
    fn r3_a_runtime_that_cannot_watch_is_found_when_the_layer_is_built() {
        let (_folder, path) = folder();
        let token = path.join("token");
        fs::write(&token, "a").expect("written");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let _inside = runtime.enter();
        let built =
            std::panic::catch_unwind(|| TokenHandle::builder().file(&token).watch_files().build());
        assert!(built.is_err(), "documented to panic, as without a timer");
        let polls = TokenHandle::builder().file(&token).reload_in_background();
        assert!(polls.build().is_ok(), "which needs no I/O");
    }
}
