//! Tokens in files: what Kubernetes, editors and accidents do to them.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tower_dapr_token::{
    Clock, FileSource, InvalidToken, Overlap, Reloaded, SourceErrorKind, TokenHandle, TokenSource,
};

/// A clock that stands still, and does something in the tenth of a second in which content settles.
#[derive(Default)]
pub(crate) struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Meanwhile {
    pub(crate) fn once(&self, act: impl FnOnce() + Send + 'static) {
        *self.0.lock().expect("no test panicked") = Some(Box::new(act));
    }
}

impl Clock for Meanwhile {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self, _: Duration) {
        let act = self.0.lock().expect("no test panicked").take();
        if let Some(act) = act {
            act();
        }
    }
}

pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) clock: Arc<Meanwhile>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::default(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    fn handle(&self, source: FileSource) -> TokenHandle {
        TokenHandle::builder()
            .source(source)
            .overlap(Overlap::None)
            .clock(self.clock.clone())
            .build()
            .expect("a token")
    }
}

pub(crate) fn current(handle: &TokenHandle) -> String {
    let value = handle.reader().header_value().expect("a token");
    value.to_str().expect("ASCII").to_owned()
}

pub(crate) fn refresh(handle: &TokenHandle) -> Result<Reloaded, SourceErrorKind> {
    handle.refresh().map_err(|error| error.kind())
}

/// The tokens that a source has now, with a space between them.
fn loaded(source: &FileSource) -> Result<usize, SourceErrorKind> {
    let loaded = source.load().map_err(|error| error.kind())?;
    // The number is all that can be seen from outside; which tokens they are is the layer's business.
    let handle = TokenHandle::builder().source(Fixed(loaded)).build();
    Ok(handle.expect("a token").reader().len())
}

#[derive(Clone)]
struct Fixed(tower_dapr_token::LoadedTokens);

impl TokenSource for Fixed {
    fn load(&self) -> Result<tower_dapr_token::LoadedTokens, tower_dapr_token::SourceError> {
        Ok(self.0.clone())
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

#[test]
fn r2_r5_whatever_becomes_of_the_file_the_last_good_token_stays() {
    type Accident = fn(&Path);
    let invalid = SourceErrorKind::InvalidToken(InvalidToken::InvalidByte);
    let table: &[(&str, Accident, SourceErrorKind)] = &[
        (
            "empty",
            |path| fs::write(path, "").expect("written"),
            SourceErrorKind::Empty,
        ),
        (
            "blank",
            |path| fs::write(path, " \n\t\r\n").expect("written"),
            SourceErrorKind::Empty,
        ),
        (
            "not UTF-8",
            |path| fs::write(path, b"\xff\xfe\x00").expect("written"),
            invalid,
        ),
        (
            "two words",
            |path| fs::write(path, "two words\n").expect("written"),
            invalid,
        ),
        (
            "huge",
            |path| fs::write(path, "x\n".repeat(32 * 1024 + 1)).expect("written"),
            SourceErrorKind::TooLarge,
        ),
        (
            "huge and blank",
            |path| fs::write(path, "\n".repeat(64 * 1024 + 1)).expect("written"),
            SourceErrorKind::TooLarge,
        ),
        (
            "one long line",
            |path| fs::write(path, "x".repeat(1025)).expect("written"),
            SourceErrorKind::InvalidToken(InvalidToken::TooLong),
        ),
        (
            "nine tokens",
            |path| fs::write(path, "a\nb\nc\nd\ne\nf\ng\nh\ni\n").expect("written"),
            SourceErrorKind::TooManyTokens,
        ),
        (
            "deleted",
            |path| fs::remove_file(path).expect("removed"),
            SourceErrorKind::NotFound,
        ),
        (
            "a folder in its place",
            |path| {
                fs::remove_file(path).expect("removed");
                fs::create_dir(path).expect("made");
            },
            SourceErrorKind::NotAFile,
        ),
    ];
    for (name, accident, expected) in table {
        let folder = Folder::new();
        folder.write("token", "first\n");
        let path = folder.path("token");
        let handle = folder.handle(FileSource::new(&path));
        accident(&path);
        for _ in 0..2 {
            assert_eq!(refresh(&handle), Err(*expected), "{name}");
            assert_eq!(current(&handle), "first", "{name}");
        }
        if path.is_dir() {
            fs::remove_dir(&path).expect("removed");
        }
        folder.write("token", "second\n");
        assert_eq!(refresh(&handle), Ok(Reloaded::Changed), "{name}: mended");
        assert_eq!(current(&handle), "second", "{name}: mended");
    }
}

#[test]
fn r2_exactly_64_kib_are_read() {
    let folder = Folder::new();
    let mut content = "\n".repeat(64 * 1024 - 5);
    content.push_str("token");
    folder.write("token", &content);
    let source = FileSource::new(folder.path("token"));
    assert_eq!(loaded(&source), Ok(1));
    content.push('\n');
    folder.write("token", &content);
    assert_eq!(loaded(&source), Err(SourceErrorKind::TooLarge));
}

#[cfg(unix)]
#[test]
fn r2_a_pipe_in_place_of_the_file_is_refused_and_not_waited_for() {
    let folder = Folder::new();
    // A socket is as little a file as a pipe, and needs no unsafe code to make.
    let path = folder.path("token");
    let _listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    let source = FileSource::new(&path);
    assert_eq!(loaded(&source), Err(SourceErrorKind::NotAFile));
    assert_eq!(
        loaded(&FileSource::new("/dev/zero")),
        Err(SourceErrorKind::NotAFile)
    );
}

#[test]
fn r4_half_a_file_is_never_taken_for_a_token() {
    let folder = Folder::new();
    folder.write("token", "first-token");
    let path = folder.path("token");
    let handle = folder.handle(FileSource::new(&path));

    folder.write("token", "second");
    let half = path.clone();
    folder.clock.once(move || {
        let mut file = File::options().append(true).open(half).expect("opened");
        file.write_all(b"-token").expect("written");
    });
    assert_eq!(refresh(&handle), Err(SourceErrorKind::Unsettled));
    assert_eq!(current(&handle), "first-token");

    folder.write("token", "third");
    let gone = path.clone();
    folder
        .clock
        .once(move || fs::write(gone, "").expect("written"));
    assert_eq!(refresh(&handle), Err(SourceErrorKind::Empty));
    assert_eq!(current(&handle), "first-token");

    folder.write("token", "second-token");
    assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
    assert_eq!(current(&handle), "second-token");
}

#[test]
fn r6_half_a_file_at_the_start_is_an_error() {
    let folder = Folder::new();
    folder.write("token", "first");
    let path = folder.path("token");
    let half = path.clone();
    folder
        .clock
        .once(move || fs::write(half, "first-token").expect("written"));
    let error = TokenHandle::builder()
        .file(&path)
        .clock(folder.clock.clone())
        .build()
        .expect_err("unsettled");
    assert!(
        error.to_string().contains("changed while it was read"),
        "{error}"
    );
    let built = TokenHandle::builder()
        .file(&path)
        .clock(folder.clock.clone())
        .build();
    assert_eq!(current(&built.expect("settled")), "first-token");
}

#[test]
fn r3_content_is_compared_and_not_its_times() {
    let folder = Folder::new();
    folder.write("token", "first-token");
    let path = folder.path("token");
    let handle = folder.handle(FileSource::new(&path));
    let generation = handle.reader().generation();
    let written = fs::metadata(&path)
        .expect("there")
        .modified()
        .expect("known");
    let set_time = |time: SystemTime| {
        let file = File::options().write(true).open(&path).expect("opened");
        file.set_modified(time).expect("set");
    };

    set_time(written + Duration::from_secs(60));
    assert_eq!(refresh(&handle), Ok(Reloaded::Unchanged));
    folder.write("token", "\n first-token \n\n");
    assert_eq!(
        refresh(&handle),
        Ok(Reloaded::Unchanged),
        "other white space"
    );
    assert_eq!(handle.reader().generation(), generation);

    folder.write("token", "other-token");
    set_time(written + Duration::from_secs(60));
    assert_eq!(
        refresh(&handle),
        Ok(Reloaded::Changed),
        "the same time and length"
    );
    assert_eq!(current(&handle), "other-token");
}

#[test]
fn r2_the_second_file_lists_previous_tokens_and_need_not_be_there() {
    let folder = Folder::new();
    let source = FileSource::new(folder.path("token")).with_previous(folder.path("old"));
    folder.write("token", "a\n");
    assert_eq!(loaded(&source), Ok(1), "not there");
    for (name, content, expected) in [
        ("blank", "\n", Ok(1)),
        ("one", "b\n", Ok(2)),
        ("two", "b\nc\n", Ok(3)),
        ("the current one", "a\n", Ok(1)),
        (
            "not a token",
            "b c\n",
            Err(SourceErrorKind::InvalidToken(InvalidToken::InvalidByte)),
        ),
    ] {
        folder.write("old", content);
        assert_eq!(loaded(&source), expected, "{name}");
    }
    fs::remove_file(folder.path("old")).expect("removed");
    fs::create_dir(folder.path("old")).expect("made");
    let error = source.load().expect_err("a folder");
    assert_eq!(error.kind(), SourceErrorKind::NotAFile);
    assert_eq!(error.path(), Some(folder.path("old").as_path()));
}

#[test]
fn r2_r4_r7_a_second_file_that_is_missing_ends_what_it_listed_if_it_is_missing_twice() {
    let folder = Folder::new();
    folder.write("token", "current\n");
    folder.write("old", "previous\n");
    let source = FileSource::new(folder.path("token")).with_previous(folder.path("old"));
    // An overlap does not bring back what was listed.
    let handle = TokenHandle::builder()
        .source(source)
        .overlap(Overlap::UntilRestart)
        .clock(folder.clock.clone())
        .build()
        .expect("a token");
    let tokens = || handle.reader().len();
    assert_eq!(tokens(), 2);

    let old = folder.path("old");
    fs::remove_file(&old).expect("removed");
    let back = old.clone();
    folder
        .clock
        .once(move || fs::write(back, "previous\n").expect("written"));
    assert_eq!(refresh(&handle), Err(SourceErrorKind::Unsettled));
    assert_eq!(tokens(), 2, "missing for less than the settle time");
    assert_eq!(refresh(&handle), Ok(Reloaded::Unchanged));

    // A rename leaves no moment in which it is missing.
    folder.write("new", "previous\nolder\n");
    fs::rename(folder.path("new"), &old).expect("renamed");
    assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
    assert_eq!(tokens(), 3);

    fs::remove_file(&old).expect("removed");
    assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
    assert_eq!(tokens(), 1, "taken off");

    folder.write("old", "previous\n");
    assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
    assert_eq!(tokens(), 2, "listed again");

    // The first file is not like that: without it there is nothing to go by.
    fs::remove_file(folder.path("token")).expect("removed");
    assert_eq!(refresh(&handle), Err(SourceErrorKind::NotFound));
    assert_eq!(tokens(), 2);
}

/// A mounted Secret: `token -> ..data/token`, and `..data` a link to the folder of a version.
#[cfg(unix)]
pub(crate) mod mount {
    use std::os::unix::fs::symlink;

    use super::*;

    pub(crate) fn publish(folder: &Folder, version: &str, files: &[(&str, &str)]) {
        publish_in(folder.folder.path(), version, files);
    }

    pub(crate) fn publish_in(folder: &Path, version: &str, files: &[(&str, &str)]) {
        fs::create_dir(folder.join(version)).expect("made");
        for (name, content) in files {
            fs::write(folder.join(version).join(name), content).expect("written");
        }
        // As Kubernetes does it: the new link takes the place of the old one in one step.
        symlink(version, folder.join("..data_tmp")).expect("linked");
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("turned");
    }

    pub(crate) fn mounted(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        publish(&folder, "..v1", files);
        for (name, _) in files {
            symlink(Path::new("..data").join(name), folder.path(name)).expect("linked");
        }
        folder
    }

    #[test]
    fn r3_a_turned_link_is_followed_and_its_old_folder_may_be_gone() {
        let folder = mounted(&[("token", "first\n")]);
        let handle = folder.handle(FileSource::new(folder.path("token")));
        publish(&folder, "..v2", &[("token", "second\n")]);
        fs::remove_dir_all(folder.path("..v1")).expect("removed");
        assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
        assert_eq!(current(&handle), "second");
    }

    /// A mount with `subPath` is the file itself, under another name: the link turns, and it stays what it was.
    #[test]
    fn r3_a_file_that_is_mounted_with_sub_path_never_changes() {
        let folder = mounted(&[("token", "first\n")]);
        let container = Folder::new();
        fs::hard_link(folder.path("..v1").join("token"), container.path("token")).expect("linked");
        let whole = folder.handle(FileSource::new(folder.path("token")));
        let sub_path = container.handle(FileSource::new(container.path("token")));
        publish(&folder, "..v2", &[("token", "second\n")]);
        fs::remove_dir_all(folder.path("..v1")).expect("removed");
        assert_eq!(refresh(&whole), Ok(Reloaded::Changed));
        assert_eq!(refresh(&sub_path), Ok(Reloaded::Unchanged));
        assert_eq!(current(&sub_path), "first");
    }

    #[test]
    fn r2_r7_a_file_that_leaves_the_mount_with_a_version_ends_its_tokens_and_none_before() {
        let folder = Arc::new(mounted(&[("token", "a\n"), ("old", "b\n")]));
        let source = FileSource::new(folder.path("token")).with_previous(folder.path("old"));
        let handle = folder.handle(source);
        // While it settles, the version that has no second file comes and is replaced by one that has.
        publish(&folder, "..v2", &[("token", "a\n")]);
        let turning = Arc::clone(&folder);
        folder
            .clock
            .once(move || publish(&turning, "..v3", &[("token", "a\n"), ("old", "b\n")]));
        assert_eq!(refresh(&handle), Err(SourceErrorKind::Unsettled));
        assert_eq!(handle.reader().len(), 2);
        publish(&folder, "..v4", &[("token", "a\n")]);
        assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
        assert_eq!(handle.reader().len(), 1);
    }

    #[test]
    fn r4_a_link_that_turns_between_the_two_readings_is_tried_again() {
        let folder = Arc::new(mounted(&[("token", "first\n")]));
        let handle = folder.handle(FileSource::new(folder.path("token")));
        publish(&folder, "..v2", &[("token", "second\n")]);
        let turning = Arc::clone(&folder);
        folder
            .clock
            .once(move || publish(&turning, "..v3", &[("token", "third\n")]));
        assert_eq!(refresh(&handle), Err(SourceErrorKind::Unsettled));
        assert_eq!(current(&handle), "first");
        assert_eq!(refresh(&handle), Ok(Reloaded::Changed));
        assert_eq!(current(&handle), "third");
    }

    #[test]
    fn r2_two_files_of_a_mount_are_read_from_one_version() {
        let folder = mounted(&[("token", "new\n"), ("old", "new-old\n")]);
        let source = FileSource::new(folder.path("token")).with_previous(folder.path("old"));
        assert_eq!(loaded(&source), Ok(2));
        // The names in the mount lead somewhere else than the link does: only the link counts.
        for name in ["token", "old"] {
            fs::remove_file(folder.path(name)).expect("removed");
            folder.write(name, "astray\n");
        }
        let handle = folder.handle(source);
        assert_eq!(current(&handle), "new");
        assert_eq!(handle.reader().len(), 2);
    }

    #[test]
    fn r2_files_of_two_folders_are_read_by_their_own_names() {
        let folder = mounted(&[("token", "new\n")]);
        let elsewhere = Folder::new();
        elsewhere.write("old", "old\n");
        let source = FileSource::new(folder.path("token")).with_previous(elsewhere.path("old"));
        assert_eq!(loaded(&source), Ok(2));
    }

    /// A writer turns the link as fast as it can: whatever is read, both files are of one version.
    #[test]
    fn r2_no_reading_mixes_two_versions() {
        let folder = mounted(&[("token", "current-0\n"), ("old", "previous-0\n")]);
        let source = FileSource::new(folder.path("token")).with_previous(folder.path("old"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for version in 2..200 {
                    let (new, old) = (format!("current-{version}"), format!("previous-{version}"));
                    publish(
                        &folder,
                        &format!("..v{version}"),
                        &[("token", &new), ("old", &old)],
                    );
                    fs::remove_dir_all(folder.path(&format!("..v{}", version - 1)))
                        .expect("removed");
                }
            });
            let mut read = 0;
            for _ in 0..500 {
                // The folder may vanish under every attempt; such a reading fails and is tried at the next poll.
                let Ok(loaded) = source.load() else { continue };
                read += 1;
                let handle = TokenHandle::builder().source(Fixed(loaded)).build();
                let handle = handle.expect("a token");
                let number = current(&handle).replace("current-", "");
                let layer = tower_dapr_token::RequireTokenLayer::builder()
                    .reader(handle.reader())
                    .build()
                    .expect("valid");
                let previous = format!("previous-{number}");
                assert!(accepts(&layer, &previous), "{previous}");
            }
            assert!(read > 0);
        });
    }

    fn accepts(layer: &tower_dapr_token::RequireTokenLayer, token: &str) -> bool {
        use std::future::Future;
        use std::task::{Context, Poll, Waker};

        use http::{Request, Response};
        use tower::{Layer, Service};

        let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(
                String::new(),
            )))
        }));
        let request = Request::get("/")
            .header(crate::support::NAME, token)
            .body(());
        let future = std::pin::pin!(service.call(request.expect("valid")));
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response.status() == 200,
            Poll::Pending => unreachable!("all is ready at once"),
        }
    }
}
