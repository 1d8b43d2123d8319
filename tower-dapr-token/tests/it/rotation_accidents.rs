//! What an observer is told of token files that come to harm: every failure is counted, each kind of state is warned
//! of once, and the last good token goes on.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tower_dapr_token::{
    InvalidToken, Notice, Observer, Overlap, Reloaded, RequireTokenLayer, SourceError,
    SourceErrorKind, TokenHandle,
};

use crate::rotation_files::mount::{mounted, publish_in};
use crate::rotation_files::{Folder, current, refresh};
use crate::support::{request, send};

/// What was told of readings since the last time.
#[derive(Default)]
struct Told {
    reloads: Mutex<Vec<Result<Reloaded, SourceErrorKind>>>,
    notices: Mutex<Vec<(&'static str, bool)>>,
}

impl Told {
    fn reloads(&self) -> Vec<Result<Reloaded, SourceErrorKind>> {
        std::mem::take(&mut self.reloads.lock().expect("no test panicked"))
    }

    fn notices(&self) -> Vec<(&'static str, bool)> {
        std::mem::take(&mut self.notices.lock().expect("no test panicked"))
    }
}

impl Observer for Told {
    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        let result = result.map_err(SourceError::kind);
        self.reloads.lock().expect("no test panicked").push(result);
    }

    fn on_notice(&self, notice: &Notice) {
        let notice = (notice.as_str(), notice.is_warning());
        self.notices.lock().expect("no test panicked").push(notice);
    }
}

const FIRST: &str = "the-first-token-of-them-all";
const SECOND: &str = "the-second-token-of-them-all";

struct Accident {
    name: &'static str,
    begin: fn() -> Folder,
    happen: fn(&Folder),
    /// Again before each reading.
    go_on: fn(&Folder),
    mend: fn(&Folder, &str),
    expected: SourceErrorKind,
}

fn plain() -> Folder {
    let folder = Folder::new();
    folder.write("token", FIRST);
    folder
}

fn kubernetes() -> Folder {
    mounted(&[("token", FIRST)])
}

fn nothing(_: &Folder) {}

fn write(folder: &Folder, content: &str) {
    folder.write("token", content);
}

/// A version with this file takes the place of whatever is there.
fn turn(folder: &Folder, content: &str) {
    turn_in(&folder.path(""), &[("token", content)]);
}

fn turn_in(folder: &Path, files: &[(&str, &str)]) {
    let entries = fs::read_dir(folder).expect("listed").count();
    publish_in(folder, &format!("..version-{entries}"), files);
}

const PLAIN: Accident = Accident {
    name: "",
    begin: plain,
    happen: nothing,
    go_on: nothing,
    mend: write,
    expected: SourceErrorKind::Empty,
};

const MOUNTED: Accident = Accident {
    begin: kubernetes,
    mend: turn,
    ..PLAIN
};

fn accidents() -> Vec<Accident> {
    let invalid = SourceErrorKind::InvalidToken(InvalidToken::InvalidByte);
    vec![
        Accident {
            name: "empty",
            happen: |folder| folder.write("token", ""),
            ..PLAIN
        },
        Accident {
            name: "blank",
            happen: |folder| folder.write("token", " \n\t\r\n"),
            ..PLAIN
        },
        Accident {
            name: "not UTF-8",
            happen: |folder| folder.write("token", b"\xff\xfe\x00"),
            expected: invalid,
            ..PLAIN
        },
        Accident {
            name: "deleted",
            happen: |folder| fs::remove_file(folder.path("token")).expect("removed"),
            expected: SourceErrorKind::NotFound,
            ..PLAIN
        },
        Accident {
            name: "a folder in its place",
            happen: |folder| {
                fs::remove_file(folder.path("token")).expect("removed");
                fs::create_dir(folder.path("token")).expect("made");
            },
            mend: |folder, content| {
                fs::remove_dir(folder.path("token")).expect("removed");
                folder.write("token", content);
            },
            expected: SourceErrorKind::NotAFile,
            ..PLAIN
        },
        Accident {
            name: "half written, whenever it is read",
            go_on: |folder| {
                folder.write("token", "the-second-token");
                let path = folder.path("token");
                folder.clock.once(move || {
                    let mut file = File::options().append(true).open(path).expect("opened");
                    file.write_all(b"-of-them").expect("written");
                });
            },
            expected: SourceErrorKind::Unsettled,
            ..PLAIN
        },
        Accident {
            name: "emptied while it is read",
            go_on: |folder| {
                folder.write("token", "the-second-token");
                let path = folder.path("token");
                folder
                    .clock
                    .once(move || fs::write(path, "").expect("written"));
            },
            ..PLAIN
        },
        Accident {
            name: "a link that turns whenever it is read",
            go_on: |folder| {
                turn(folder, "the-second-token-that-was-never-there");
                let path = folder.path("");
                folder
                    .clock
                    .once(move || turn_in(&path, &[("token", "another-one")]));
            },
            expected: SourceErrorKind::Unsettled,
            ..MOUNTED
        },
        Accident {
            name: "a link to a version without the file",
            happen: |folder| turn_in(&folder.path(""), &[("other", SECOND)]),
            expected: SourceErrorKind::NotFound,
            ..MOUNTED
        },
        Accident {
            name: "a link to a version that is gone",
            happen: |folder| {
                turn(folder, SECOND);
                let version = fs::read_link(folder.path("..data")).expect("a link");
                fs::remove_dir_all(folder.path("").join(version)).expect("removed");
            },
            expected: SourceErrorKind::NotFound,
            ..MOUNTED
        },
        Accident {
            name: "a link to a version that is empty",
            happen: |folder| turn(folder, ""),
            ..MOUNTED
        },
    ]
}

/// The superuser reads every file, so that it cannot happen to him.
fn lost_permission() -> Option<Accident> {
    let probe = plain();
    set_mode(&probe, 0o000);
    File::open(probe.path("token"))
        .is_err()
        .then_some(Accident {
            name: "lost permission",
            happen: |folder| set_mode(folder, 0o000),
            mend: |folder, content| {
                set_mode(folder, 0o600);
                folder.write("token", content);
            },
            expected: SourceErrorKind::Unreadable(ErrorKind::PermissionDenied),
            ..PLAIN
        })
}

fn set_mode(folder: &Folder, mode: u32) {
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(folder.path("token"), permissions).expect("set");
}

#[tokio::test]
async fn r5_o1_o3_each_accident_is_counted_whenever_it_is_met_and_warned_of_once() {
    const FAILING: (&str, bool) = ("reload_failing", true);
    const RECOVERED: (&str, bool) = ("reload_recovered", false);

    for accident in accidents().into_iter().chain(lost_permission()) {
        let name = accident.name;
        let folder = (accident.begin)();
        let told = Arc::new(Told::default());
        let handle = TokenHandle::builder()
            .file(folder.path("token"))
            .overlap(Overlap::None)
            .clock(folder.clock.clone())
            .observer(told.clone())
            .build()
            .expect(name);
        let layer = RequireTokenLayer::builder()
            .reader(handle.reader())
            .build()
            .expect(name);
        let statuses = async |tokens: [&'static str; 2]| {
            let [one, other] = tokens;
            let one = send(&layer, request(&[one])).await.0.status;
            (one, send(&layer, request(&[other])).await.0.status)
        };
        assert_eq!(told.reloads(), [Ok(Reloaded::Changed)], "{name}: built");
        assert_eq!(told.notices(), [], "{name}: built");
        let mut good = [FIRST, SECOND];
        for time in ["first", "second"] {
            let [now, next] = good;
            (accident.happen)(&folder);
            for poll in 0..4 {
                (accident.go_on)(&folder);
                let failed = Err(accident.expected);
                assert_eq!(refresh(&handle), failed, "{name}, {time}, {poll}");
                assert_eq!(told.reloads(), [failed], "{name}, {time}, {poll}: one");
                let warned: &[_] = if poll == 0 { &[FAILING] } else { &[] };
                assert_eq!(told.notices(), warned, "{name}, {time}, {poll}");
                assert_eq!(current(&handle), now, "{name}, {time}, {poll}");
                assert_eq!(statuses(good).await, (200, 401), "{name}, {time}, {poll}");
            }
            (accident.mend)(&folder, next);
            assert_eq!(refresh(&handle), Ok(Reloaded::Changed), "{name}, {time}");
            assert_eq!(told.reloads(), [Ok(Reloaded::Changed)], "{name}, {time}");
            assert_eq!(told.notices(), [RECOVERED], "{name}, {time}");
            assert_eq!(statuses(good).await, (401, 200), "{name}, {time}: mended");
            assert_eq!(refresh(&handle), Ok(Reloaded::Unchanged), "{name}, {time}");
            assert_eq!(told.reloads(), [Ok(Reloaded::Unchanged)], "{name}, {time}");
            assert_eq!(told.notices(), [], "{name}, {time}: told already");
            good = [next, now];
        }
    }
}
