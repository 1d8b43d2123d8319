//! Reads a file whole, if it is a regular one and not too large. The bytes are wiped on drop.
//!
//! The file is opened once, without waiting, and everything that is asked of it is asked of the open
//! file: a pipe has no writer to wait for, a device or a file of `/proc` has nothing to wait for,
//! and nobody can swap the file between a check and its use.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// What was read.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Whether the group of the file, or others, may write it.
    pub(crate) others_may_write: bool,
}

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
