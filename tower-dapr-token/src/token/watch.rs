//! [`Watch`]: is told by the kernel that something happened to the files of tokens or keys; feature `inotify`, on Linux (`R3`).
//!
//! It watches folders and not files: Kubernetes turns the link `..data`, of which a watch on the file sees nothing
//! but the end. All that it finds out is that it is time to look. What there is to see is found by reading, as at
//! every other poll.

use std::ffi::{CStr, OsStr, OsString};
use std::future::pending;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::file::MOUNT_LINK;
use super::task::Reload;
use crate::observe::Notice;

/// One change comes as several events, and a storm as thousands: they are gathered for this long and then read
/// together.
const GATHER: Duration = Duration::from_millis(100);
/// An event has at most 272 bytes.
const BUFFER: usize = 4096;
/// After so many readings somebody else gets a turn. The kernel keeps 16,384 events, unless told otherwise.
const READINGS: usize = 256;

/// What can bring a file to its name: a write that is finished, a rename, a link. Not a write that goes on, since
/// half a file is of no use.
const EVENTS: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Something happened that no name comes with: the folder went away, or events were lost.
const NAMELESS: ReadFlags = ReadFlags::DELETE_SELF
    .union(ReadFlags::MOVE_SELF)
    .union(ReadFlags::UNMOUNT)
    .union(ReadFlags::QUEUE_OVERFLOW);

/// The folders of the files that a source names.
pub(super) struct Watch {
    events: AsyncFd<OwnedFd>,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    /// The names in the folders that count.
    names: Vec<OsString>,
    /// What the kernel calls the watches.
    ids: Vec<i32>,
    /// It was told that some folder cannot be watched.
    failing: bool,
}

impl Watched {
    /// Whether this may be a change of a file. Names are not told apart by folder: at worst the files are read
    /// once in vain.
    fn is_meant(&self, flags: ReadFlags, name: Option<&CStr>) -> bool {
        let is_named = |name: &CStr| {
            let name = OsStr::from_bytes(name.to_bytes());
            name == MOUNT_LINK || self.names.iter().any(|known| known == name)
        };
        flags.intersects(NAMELESS) || name.is_some_and(is_named)
    }
}

impl Watch {
    /// Watches the files of this source. Where the kernel does not let it, that is told, and polls alone go on.
    ///
    /// # Panics
    ///
    /// In a Tokio runtime without its I/O driver, as everything of Tokio that waits for the kernel.
    pub(super) fn begin(reloader: &dyn Reload) -> Option<Self> {
        match open() {
            Ok(events) => {
                let watch = Self {
                    events,
                    watched: Mutex::default(),
                };
                watch.renew(reloader);
                Some(watch)
            }
            Err(error) => {
                let error = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                tell(reloader, error);
                None
            }
        }
    }

    /// Watches the folders that are there now under their names. May block, as everything that follows a path.
    ///
    /// To be called before the files are read: what happens after the reading is then seen.
    pub(super) fn renew(&self, reloader: &dyn Reload) {
        let mut next = Watched::default();
        let mut refused = None;
        for file in reloader.files() {
            let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
                continue;
            };
            // A file in the folder that the program runs in.
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            next.names.push(name.to_owned());
            // The same folder again is the same watch.
            match inotify::add_watch(&self.events, folder, EVENTS) {
                Ok(id) => next.ids.push(id),
                // The reading says so, if the file has to be there.
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(error) => refused = Some(error),
            }
        }
        next.failing = refused.is_some();
        let last = std::mem::replace(&mut *self.watched(), next);
        let watched = self.watched();
        for id in last.ids.iter().filter(|id| !watched.ids.contains(id)) {
            // Another folder has the name now. Fails if the kernel was faster.
            let _ = inotify::remove_watch(&self.events, *id);
        }
        drop(watched);
        if let (Some(error), false) = (refused, last.failing) {
            tell(reloader, error);
        }
    }

    /// Comes back when the files may have changed, at most every 100 ms. May be dropped and asked again: nothing is
    /// lost.
    pub(super) async fn changed(&self) {
        loop {
            let Ok(mut ready) = self.events.readable().await else {
                // The runtime is going down.
                return pending().await;
            };
            sleep(GATHER).await;
            let (is_meant, is_empty) = self.read();
            if is_empty {
                ready.clear_ready();
            }
            if is_meant {
                return;
            }
        }
    }

    /// Reads what has gathered: whether any of it counts, and whether that was all.
    fn read(&self) -> (bool, bool) {
        let watched = self.watched();
        let mut buffer = [const { MaybeUninit::uninit() }; BUFFER];
        let mut events = Reader::new(&self.events, &mut buffer);
        let (mut is_meant, mut readings) = (false, 0);
        loop {
            if events.is_buffer_empty() {
                if readings == READINGS {
                    return (is_meant, false);
                }
                readings += 1;
            }
            match events.next() {
                Ok(event) => is_meant |= watched.is_meant(event.events(), event.file_name()),
                Err(Errno::INTR) => {}
                Err(_) => return (is_meant, true),
            }
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A descriptor of the kernel's, and the runtime waits for it.
#[allow(
    deprecated,
    reason = "the form that took its place since Tokio 1.54 is unsafe code, because the type of a descriptor may lie \
              about it; `OwnedFd` does not"
)]
fn open() -> io::Result<AsyncFd<OwnedFd>> {
    let descriptor = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

fn tell(reloader: &dyn Reload, error: Errno) {
    let reason = reason(error);
    reloader.notice(&Notice::FilesNotWatched { reason });
}

/// What an operator can do something about is named.
fn reason(error: Errno) -> &'static str {
    match error {
        Errno::NOSPC => {
            "there are as many watches as the user may have (fs.inotify.max_user_watches)"
        }
        Errno::MFILE => {
            "there are as many watchers as the user may have (fs.inotify.max_user_instances), or as many \
             open files as the process may have"
        }
        _ => "the operating system refused",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::future::Future;
    use std::path::PathBuf;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::observe::Observer;
    use crate::token::clock::SystemClock;
    use crate::token::overlap::{Accepted, Overlap};
    use crate::token::reload::Reloader;
    use crate::token::rotation::Surroundings;
    use crate::token::snapshot::Shared;
    use crate::token::source::{LoadedTokens, SourceError, TokenSource};

    /// More than anything here takes.
    const LONG: Duration = Duration::from_secs(10);

    /// Names files, and has a token whatever becomes of them.
    struct Named(Arc<Mutex<Vec<PathBuf>>>);

    impl TokenSource for Named {
        fn load(&self) -> Result<LoadedTokens, SourceError> {
            Ok(LoadedTokens::new("a-token".parse().expect("valid")))
        }

        fn files(&self) -> Vec<PathBuf> {
            self.0.lock().expect("no test panicked").clone()
        }
    }

    #[derive(Default)]
    struct Told(Mutex<Vec<Notice>>);

    impl Observer for Told {
        fn on_notice(&self, notice: &Notice) {
            let mut told = self.0.lock().expect("no test panicked");
            told.push(notice.clone());
        }
    }

    struct Watched {
        watch: Watch,
        reloader: Reloader,
        files: Arc<Mutex<Vec<PathBuf>>>,
        told: Arc<Told>,
    }

    impl Watched {
        fn over(files: &[PathBuf]) -> Self {
            let told = Arc::new(Told::default());
            let around =
                Surroundings::new(Arc::new(SystemClock::default()), Some(told.clone()), None);
            let shared = Shared::new(Accepted::nothing(), around, 1024);
            let files = Arc::new(Mutex::new(files.to_vec()));
            let source = Box::new(Named(Arc::clone(&files)));
            let reloader = Reloader::new(shared, Some(source), Overlap::default());
            Self {
                watch: Watch::begin(&reloader).expect("inotify"),
                reloader,
                files,
                told,
            }
        }

        fn renew(&self) {
            self.watch.renew(&self.reloader);
        }

        fn told(&self) -> usize {
            self.told.0.lock().expect("no test panicked").len()
        }

        /// What happened so far is known to the kernel already: whether it counts.
        fn has_changed(&self) -> bool {
            let (is_meant, is_empty) = self.watch.read();
            assert!(is_empty, "more than is read at once");
            is_meant
        }
    }

    #[tokio::test]
    async fn r3_only_what_happens_to_the_files_and_the_link_of_a_mount_counts() {
        type Act = fn(&Path);
        let table: &[(&str, bool, Act)] = &[
            ("nothing", false, |_| {}),
            ("read", false, |folder| {
                fs::read(folder.join("token")).expect("read");
            }),
            ("written in place", true, |folder| {
                fs::write(folder.join("token"), "b").expect("written");
            }),
            ("another is renamed to it", true, |folder| {
                fs::rename(folder.join("other"), folder.join("token")).expect("renamed");
            }),
            ("renamed away", true, |folder| {
                fs::rename(folder.join("token"), folder.join("old")).expect("renamed");
            }),
            ("deleted", true, |folder| {
                fs::remove_file(folder.join("token")).expect("removed");
            }),
            ("the link is turned", true, |folder| {
                std::os::unix::fs::symlink("..1", folder.join("..data_tmp")).expect("linked");
                fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("turned");
            }),
            ("a link of its name", true, |folder| {
                fs::remove_file(folder.join("token")).expect("removed");
                std::os::unix::fs::symlink("other", folder.join("token")).expect("linked");
            }),
            ("another file", false, |folder| {
                fs::write(folder.join("other"), "b").expect("written");
            }),
            ("a name that begins like it", false, |folder| {
                fs::write(folder.join("token2"), "b").expect("written");
            }),
            ("a name that it begins with", false, |folder| {
                fs::write(folder.join("toke"), "b").expect("written");
            }),
            ("a folder for the next version", false, |folder| {
                fs::create_dir(folder.join("..2")).expect("made");
            }),
            ("the folder is renamed", true, |folder| {
                fs::rename(folder, folder.with_extension("old")).expect("renamed");
            }),
            ("the folder is deleted", true, |folder| {
                fs::remove_dir_all(folder).expect("removed");
            }),
        ];
        for (name, expected, act) in table {
            let parent = tempfile::tempdir().expect("a folder");
            let folder = parent.path().join("folder");
            fs::create_dir(&folder).expect("made");
            for file in ["token", "other"] {
                fs::write(folder.join(file), "a").expect("written");
            }
            let watched = Watched::over(&[folder.join("token")]);
            act(&folder);
            assert_eq!(watched.has_changed(), *expected, "{name}");
            assert!(!watched.has_changed(), "{name}: told once");
        }
    }

    #[test]
    fn r3_lost_events_and_an_unmounted_folder_count_as_a_change() {
        let watched = super::Watched {
            names: vec!["token".into()],
            ..Default::default()
        };
        for (flags, name, expected) in [
            (ReadFlags::QUEUE_OVERFLOW, None, true),
            (ReadFlags::UNMOUNT, None, true),
            (ReadFlags::IGNORED, None, false),
            (ReadFlags::CLOSE_WRITE, Some(c"token"), true),
            (ReadFlags::CLOSE_WRITE, Some(c"\xff\xfe"), false),
            (ReadFlags::CLOSE_WRITE, Some(c""), false),
        ] {
            assert_eq!(
                watched.is_meant(flags, name),
                expected,
                "{flags:?} {name:?}"
            );
        }
    }

    #[tokio::test]
    async fn r3_a_folder_that_comes_back_is_watched_from_the_next_poll_on() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("folder");
        let file = folder.join("token");
        let watched = Watched::over(std::slice::from_ref(&file));
        for round in 0..3 {
            fs::create_dir(&folder).expect("made");
            assert!(!watched.has_changed(), "{round}: not watched yet");
            watched.renew();
            fs::write(&file, "a").expect("written");
            assert!(watched.has_changed(), "{round}");
            watched.renew();
            assert_eq!(watched.watch.watched().ids.len(), 1, "{round}");

            // Another folder takes the name, and the first one lives on under another.
            let aside = parent.path().join(format!("aside-{round}"));
            fs::rename(&folder, &aside).expect("renamed");
            assert!(watched.has_changed(), "{round}: went away");
            watched.renew();
            fs::write(aside.join("token"), "b").expect("written");
            assert!(!watched.has_changed(), "{round}: not watched any more");
        }
        assert_eq!(watched.told(), 0, "the reading tells what is missing");
    }

    #[tokio::test]
    async fn r3_files_of_two_folders_are_watched_and_those_that_are_named_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["a", "b", "c"] {
            fs::create_dir(path(name)).expect("made");
        }
        let watched = Watched::over(&[path("a/token"), path("b/old")]);
        let touch = |name: &str| fs::write(path(name), "x").expect("written");
        for (file, expected) in [("a/token", true), ("b/old", true), ("c/token", false)] {
            touch(file);
            assert_eq!(watched.has_changed(), expected, "{file}");
        }
        *watched.files.lock().expect("no test panicked") = vec![path("c/token")];
        watched.renew();
        for (file, expected) in [("a/token", false), ("b/old", false), ("c/token", true)] {
            touch(file);
            assert_eq!(watched.has_changed(), expected, "{file}: later");
        }
    }

    #[tokio::test]
    async fn r3_a_folder_that_cannot_be_watched_is_told_once_until_it_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = folder.path().join("token");
        // A name that no file system takes.
        let bad = folder.path().join("x".repeat(300)).join("token");
        let watched = Watched::over(std::slice::from_ref(&bad));
        let names = |files: &[&PathBuf]| {
            let mut named = watched.files.lock().expect("no test panicked");
            *named = files.iter().copied().cloned().collect();
        };
        for (name, files, expected) in [
            ("at the beginning", vec![&bad], 1),
            ("still", vec![&bad], 1),
            ("one of two", vec![&bad, &good], 1),
            ("none", vec![&good], 1),
            ("again", vec![&good, &bad], 2),
        ] {
            names(&files);
            watched.renew();
            assert_eq!(watched.told(), expected, "{name}");
        }
        fs::write(&good, "a").expect("written");
        assert!(
            watched.has_changed(),
            "the other one is watched all the same"
        );
        let told = watched.told.0.lock().expect("no test panicked");
        let expected = "files are not watched, changes are found at the next poll: the operating \
                        system refused";
        assert_eq!(told[0].to_string(), expected);
    }

    /// A key of a Secret that is mounted as `sub/token`: the link turns in a folder that nobody watches, and the end
    /// of the last version is what is seen.
    #[tokio::test]
    async fn r3_a_folder_inside_of_a_mount_counts_when_its_version_is_removed() {
        use std::os::unix::fs::symlink;

        let mount = tempfile::tempdir().expect("a folder");
        let path = |name: &str| mount.path().join(name);
        let publish = |version: &str| {
            fs::create_dir_all(path(version).join("sub")).expect("made");
            fs::write(path(version).join("sub/token"), version).expect("written");
            symlink(version, path("..data_tmp")).expect("linked");
            fs::rename(path("..data_tmp"), path("..data")).expect("turned");
        };
        publish("..1");
        symlink("..data/sub", path("sub")).expect("linked");
        let watched = Watched::over(&[path("sub/token")]);
        for (last, version) in [("..1", "..2"), ("..2", "..3")] {
            publish(version);
            fs::remove_dir_all(path(last)).expect("removed");
            assert!(watched.has_changed(), "{version}");
            watched.renew();
            assert!(!watched.has_changed(), "{version}: once");
        }
    }

    #[test]
    fn r3_a_limit_that_is_reached_is_named() {
        for (error, expected) in [
            (Errno::NOSPC, "fs.inotify.max_user_watches"),
            (Errno::MFILE, "fs.inotify.max_user_instances"),
            (Errno::ACCESS, "refused"),
        ] {
            assert!(reason(error).contains(expected), "{error:?}");
        }
    }

    #[tokio::test]
    async fn r3_a_storm_wakes_once_and_one_of_other_files_never() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let watched = Watched::over(std::slice::from_ref(&file));
        let storm = |name: &str| {
            // Turn by turn, because the kernel makes one event of two that are equal.
            for _ in 0..1_000 {
                fs::write(folder.path().join(name), "a").expect("written");
                fs::remove_file(folder.path().join(name)).expect("removed");
            }
        };
        storm("token");
        tokio::time::timeout(LONG, watched.watch.changed())
            .await
            .expect("woken");
        storm("other");
        assert!(!watched.has_changed(), "all of it was read by that one");

        storm("other");
        let mut changed = pin!(watched.watch.changed());
        let mut poll = || {
            changed
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        };
        assert_eq!(poll(), Poll::Pending);
        fs::write(&file, "b").expect("written");
        tokio::time::timeout(LONG, changed).await.expect("woken");
    }
}
