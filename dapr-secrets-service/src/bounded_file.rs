//! Reads a file whole, if it is a regular one and not too large. The bytes are wiped on drop.
//!
//! The file is opened once, without waiting, and everything that is asked of it is asked of the open
//! file: a pipe has no writer to wait for, a device or a file of `/proc` has nothing to wait for,
//! and nobody can swap the file between a check and its use.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
#[cfg(feature = "file")]
use std::time::Duration;
use std::time::SystemTime;

use zeroize::Zeroizing;

/// What was read.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Whether the group of the file, or others, may write it.
    pub(crate) others_may_write: bool,
    #[cfg(feature = "file")]
    pub(crate) stamp: Stamp,
}

/// What tells one state of a file from the next without reading it.
///
/// Two states can share one: a clock ticks too slowly to tell two writes of one tick apart. So a
/// stamp says whether it is old enough to be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    identity: Identity,
}

/// Which file it is, and when anything about it was last changed.
#[cfg(unix)]
type Identity = (u64, u64, i64, i64);
#[cfg(not(unix))]
type Identity = ();

/// A file that was written less than this before it was read may have been written again within one tick of its clock.
#[cfg(feature = "file")]
const TICK: Duration = Duration::from_secs(2);

impl Stamp {
    fn new(facts: &Metadata) -> Self {
        Self {
            size: facts.len(),
            modified: facts.modified().ok(),
            identity: identity(facts),
        }
    }

    /// That of the file of this name, links followed; `None` when there is nothing.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|facts| Self::new(&facts))
    }

    /// Whether an equal stamp, seen later, means an unchanged file: it was `now` when the file was read.
    #[cfg(feature = "file")]
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        self.modified.is_some_and(|then| {
            // A time in the future is as good: the clock of the file will not come by it soon.
            let distance = now.duration_since(then);
            distance.unwrap_or_else(|error| error.duration()) >= TICK
        })
    }
}

#[cfg(unix)]
fn identity(facts: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (facts.dev(), facts.ino(), facts.ctime(), facts.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum ReadFault {
    Io(io::Error),
    Directory,
    NotRegular,
    /// Larger than so many MiB.
    TooLarge(usize),
}

/// Reads at most `mib` MiB.
pub(crate) fn read(path: &Path, mib: usize) -> Result<Content, ReadFault> {
    let file = open(path)?;
    let facts = file.metadata().map_err(ReadFault::Io)?;
    if facts.is_dir() {
        return Err(ReadFault::Directory);
    }
    if !facts.is_file() {
        return Err(ReadFault::NotRegular);
    }
    let max = mib << 20;
    let size = usize::try_from(facts.len()).unwrap_or(usize::MAX);
    if size > max {
        return Err(ReadFault::TooLarge(mib));
    }
    // Room for all of it and one byte more, so that the buffer never moves and leaves a copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    file.take(max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(ReadFault::Io)?;
    if bytes.len() > max {
        return Err(ReadFault::TooLarge(mib));
    }
    Ok(Content {
        bytes,
        others_may_write: others_may_write(&facts),
        #[cfg(feature = "file")]
        stamp: Stamp::new(&facts),
    })
}

#[cfg(unix)]
fn open(path: &Path) -> Result<File, ReadFault> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    // The standard library adds CLOEXEC itself; naming it keeps the list whole.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|error| {
            // A socket, or a device without a driver, cannot be opened at all.
            if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) {
                ReadFault::NotRegular
            } else {
                ReadFault::Io(error)
            }
        })
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<File, ReadFault> {
    // Windows cannot open a directory as a file, and tells so in other words.
    if path.is_dir() {
        return Err(ReadFault::Directory);
    }
    OpenOptions::new()
        .read(true)
        .open(path)
        .map_err(ReadFault::Io)
}

#[cfg(unix)]
fn others_may_write(facts: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    facts.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn others_may_write(_: &Metadata) -> bool {
    false
}

/// The bytes as text, or the line of the first byte that is not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, usize> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    })
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::Directory => f.write_str("cannot be read: it is a directory"),
            Self::NotRegular => f.write_str("cannot be read: it is not a regular file"),
            Self::TooLarge(mib) => write!(f, "larger than {mib} MiB"),
        }
    }
}
