//! [`FileSource`]: tokens out of a file, or out of two.
//!
//! A file is read in one pass, whatever its times say (`R3`). Kubernetes replaces a mounted Secret by turning
//! the link `..data` to a new folder; where two files lie in one such mount, the link is followed once and
//! both are read from that folder, so that they are of one version (`R2`).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::source::{LoadedTokens, SourceError, SourceErrorKind, TokenSource, lines};

/// Eight tokens of the greatest length fit into it seven times, and a JWT of the greatest length eight times.
pub(super) const MAX_FILE_LEN: usize = 64 * 1024;
/// The link that Kubernetes turns.
pub(super) const MOUNT_LINK: &str = "..data";
/// The folder behind the link may be gone once it is read; the next one will hardly be.
const ATTEMPTS: usize = 3;

/// A file with one token a line: the first is current, the others are previous (`R2`). At most 64 KiB.
///
/// Blank lines are ignored and there are no comments. A mount with `subPath` never changes, and neither does
/// what is read from it.
///
/// ```
/// use tower_dapr_token::{ConfigError, FileSource, TokenHandle};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("token");
/// // Such as "/var/run/secrets/dapr/token".
/// std::fs::write(&path, "the-current-token-of-32-bytes-ok\nthe-one-before-it\n")?;
/// let handle = TokenHandle::builder().source(FileSource::new(&path)).build()?;
///
/// std::fs::write(&path, "a token with spaces")?;
/// assert!(handle.refresh().is_err(), "and those from before stay");
/// let error = TokenHandle::builder().source(FileSource::new(&path)).build();
/// assert!(matches!(error, Err(ConfigError::TokenSource { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileSource {
    current: PathBuf,
    previous: Option<PathBuf>,
}

impl FileSource {
    /// Reads this file. It is first opened when tokens are loaded.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            current: path.into(),
            previous: None,
        }
    }

    /// Reads the previous tokens from a second file. If it is not there, or blank, there are none: those that it
    /// named before end, which is how they are taken off.
    ///
    /// What is missing is believed as what is written: after 100 ms it must still be so (`R4`). In a Kubernetes
    /// mount, files come and go together with the whole version. Elsewhere, replace the file by a rename and not
    /// by deleting it first.
    #[must_use]
    pub fn with_previous(mut self, path: impl Into<PathBuf>) -> Self {
        self.previous = Some(path.into());
        self
    }

    /// The folder behind the link, if both files lie beside it.
    fn mount(&self) -> Option<PathBuf> {
        let folder = self.current.parent()?;
        if self.previous.as_deref()?.parent()? != folder {
            return None;
        }
        Some(folder.join(fs::read_link(folder.join(MOUNT_LINK)).ok()?))
    }

    fn load_from(&self, mount: Option<&Path>) -> Result<LoadedTokens, SourceError> {
        let mut loaded = read(&self.current, mount, MAX_FILE_LEN).and_then(|content| {
            LoadedTokens::from_lines(&content)
                .map_err(|error| SourceError::at(&self.current, error.kind()))
        })?;
        if let Some(path) = &self.previous {
            match read(path, mount, MAX_FILE_LEN) {
                Ok(content) => {
                    for token in lines(&content) {
                        loaded
                            .previous
                            .push(token.map_err(|kind| SourceError::at(path, kind))?);
                    }
                }
                Err(error) if error.kind() == SourceErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(loaded)
    }
}

impl TokenSource for FileSource {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        let mut mount = self.mount();
        for _ in 0..ATTEMPTS {
            let loaded = self.load_from(mount.as_deref());
            // A file that is missing from a folder that is being removed is not a file that is not there.
            let now = self.mount();
            if mount == now {
                return loaded;
            }
            mount = now;
        }
        Err(SourceError::at(&self.current, SourceErrorKind::Unsettled))
    }

    fn files(&self) -> Vec<PathBuf> {
        let current = std::iter::once(&self.current);
        current.chain(&self.previous).cloned().collect()
    }
}

/// The whole file, if it has so many bytes at most, in memory that is wiped.
pub(super) fn read(
    path: &Path,
    mount: Option<&Path>,
    max_len: usize,
) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let opened = match (mount, path.file_name()) {
        (Some(mount), Some(name)) => read_file(&mount.join(name), max_len),
        _ => read_file(path, max_len),
    };
    opened.map_err(|kind| SourceError::at(path, kind))
}

fn read_file(path: &Path, max_len: usize) -> Result<Zeroizing<Vec<u8>>, SourceErrorKind> {
    // Before it is opened, because opening a pipe would wait for somebody to write.
    if !fs::metadata(path)
        .map_err(|error| unreadable(&error))?
        .is_file()
    {
        return Err(SourceErrorKind::NotAFile);
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    // Room for all that is read and to spare: a growing vector would leave unwiped copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(2 * max_len));
    file.take(max_len as u64 + 1)
        .read_to_end(&mut content)
        .map_err(|error| unreadable(&error))?;
    if content.len() > max_len {
        return Err(SourceErrorKind::TooLarge);
    }
    Ok(content)
}

fn unreadable(error: &io::Error) -> SourceErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => SourceErrorKind::NotFound,
        kind => SourceErrorKind::Unreadable(kind),
    }
}
