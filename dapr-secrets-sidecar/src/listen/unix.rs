//! Unix sockets: `dapr-<app id>-http.socket` and its like, mode 0660 (`docs/spec/secrets-api.md`, G1).
//!
//! What is in the way is removed only if it is a socket of this user that nobody listens on: what a process that was
//! killed left behind. A lock on the folder keeps two processes that start at once from removing each other's.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::{geteuid, umask};
use tokio::net::{UnixListener, UnixStream};

use crate::error::StartError;

/// Who may connect: the user and the group of this process.
const MODE: u32 = 0o660;

/// Longest app id that a file is named after. The whole path may have about 100 bytes, which the system checks.
const MAX_APP_ID: usize = 64;

/// Listens on `folder/dapr-<app id>-<api>.socket`; the file is removed when the second value is dropped.
///
/// # Errors
///
/// [`StartError::AppId`] if a file cannot be named after the app id, [`StartError::Socket`] for everything else.
pub(crate) async fn bind_unix(
    folder: &Path,
    app_id: Option<&str>,
    api: &str,
) -> Result<(UnixListener, SocketFile), StartError> {
    let path = socket_path(folder, app_id, api)?;
    listen(folder, &path)
        .await
        .map_err(|what| StartError::Socket {
            path: path.clone(),
            what,
        })
}

/// `folder/dapr-<app id>-<api>.socket`
///
/// # Errors
///
/// [`StartError::AppId`] if a file cannot be named after the app id.
pub(crate) fn socket_path(
    folder: &Path,
    app_id: Option<&str>,
    api: &str,
) -> Result<PathBuf, StartError> {
    let app_id = app_id
        .filter(|id| is_file_name(id))
        .ok_or(StartError::AppId)?;
    Ok(folder.join(format!("dapr-{app_id}-{api}.socket")))
}

/// Letters, digits, `.`, `_` and `-`, as Dapr's documents have it.
fn is_file_name(app_id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_APP_ID).contains(&app_id.len()) && app_id.bytes().all(is_plain)
}

async fn listen(folder: &Path, path: &Path) -> Result<(UnixListener, SocketFile), String> {
    let text = |error: io::Error| error.to_string();
    let locked =
        File::open(folder).map_err(|error| format!("the folder cannot be opened: {error}"))?;
    if !locked.metadata().map_err(text)?.is_dir() {
        return Err("its folder is none".to_owned());
    }
    // Some file systems have no locks; then two processes that start at once are not told apart.
    let _ = flock(&locked, FlockOperation::LockExclusive);
    remove_stale(path).await?;
    let listener = bind(path).map_err(text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(text)?;
    let file = SocketFile::of(path, &fs::symlink_metadata(path).map_err(text)?);
    Ok((listener, file))
}

/// Others cannot connect from the first moment on. The mask is that of the whole process for that moment, and only
/// takes rights away from others.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let before = umask(Mode::RWXO);
    let listener = UnixListener::bind(path);
    umask(before);
    listener
}

async fn remove_stale(path: &Path) -> Result<(), String> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !metadata.file_type().is_socket() {
        return Err("there is something else than a socket; it is not removed".to_owned());
    }
    if metadata.uid() != geteuid().as_raw() {
        return Err("there is a socket of another user; it is not removed".to_owned());
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)
            .map_err(|error| format!("a stale socket cannot be removed: {error}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Connected, or too many wait to be: somebody listens.
        _ => Err(
            "another process listens there; stop it, or choose another --app-id or folder"
                .to_owned(),
        ),
    }
}

/// The file of a socket, which is removed when this is dropped, unless another one is there by then.
#[derive(Debug)]
#[must_use = "the file is removed when this is dropped"]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// As long as it is held, no other file gets the number of this one.
    _pin: Option<OwnedFd>,
}

#[cfg(target_os = "linux")]
fn pin(path: &Path) -> Option<OwnedFd> {
    use rustix::fs::{OFlags, open};

    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).ok()
}

/// Other systems do not open sockets; there the number alone has to do.
#[cfg(not(target_os = "linux"))]
fn pin(_: &Path) -> Option<OwnedFd> {
    None
}

impl SocketFile {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
            _pin: pin(path),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A successor may be about to take the place.
        let locked = self
            .path
            .parent()
            .and_then(|folder| File::open(folder).ok());
        let _lock = locked
            .as_ref()
            .map(|folder| flock(folder, FlockOperation::LockExclusive));
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode));
        if is_ours {
            // One that stays is taken for stale by the next process.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener as StdListener;

    use tempfile::TempDir;

    use super::*;

    fn folder() -> TempDir {
        TempDir::new().expect("a temporary folder")
    }

    #[test]
    fn api_g1_a_socket_is_named_after_an_app_id_that_is_a_plain_name() {
        let long = "x".repeat(MAX_APP_ID);
        let too_long = "x".repeat(MAX_APP_ID + 1);
        let rows = [
            ("orders", true),
            ("Orders_2.eu-west", true),
            ("..", true),
            (&*long, true),
            ("", false),
            ("a/b", false),
            ("../x", false),
            ("a b", false),
            ("a\nb", false),
            ("a\0b", false),
            ("\u{fc}", false),
            (&*too_long, false),
        ];
        for (app_id, expected) in rows {
            assert_eq!(is_file_name(app_id), expected, "{app_id:?}");
        }
    }

    #[tokio::test]
    async fn api_g1_a_socket_without_an_app_id_is_an_error() {
        let folder = folder();
        for app_id in [None, Some("../x")] {
            let error = bind_unix(folder.path(), app_id, "http")
                .await
                .expect_err("no name");
            assert!(error.to_string().contains("--app-id"), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[tokio::test]
    async fn api_g1_a_socket_has_mode_0660_and_goes_with_its_owner() {
        let folder = folder();
        let (listener, file) = bind_unix(folder.path(), Some("a"), "http")
            .await
            .expect("free");
        let path = folder.path().join("dapr-a-http.socket");
        assert_eq!(file.path(), path);
        let metadata = fs::symlink_metadata(&path).expect("there");
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.mode() & 0o7777, MODE);
        drop((listener, file));
        fs::symlink_metadata(&path).expect_err("removed");
    }

    #[tokio::test]
    async fn api_g1_only_a_stale_socket_is_removed() {
        let folder = folder();
        let path = folder.path().join("dapr-a-http.socket");

        // Nobody listens on it any more; the standard library leaves the file.
        drop(StdListener::bind(&path).expect("free"));
        let (first, file) = bind_unix(folder.path(), Some("a"), "http")
            .await
            .expect("stale");

        // Now somebody does.
        let error = bind_unix(folder.path(), Some("a"), "http")
            .await
            .expect_err("live");
        assert!(
            error.to_string().contains("another process listens"),
            "{error}"
        );
        drop(first);

        // Closed and in place: what a successor replaces is not the first one's to remove.
        let (_second, _file) = bind_unix(folder.path(), Some("a"), "http")
            .await
            .expect("stale");
        drop(file);
        fs::symlink_metadata(&path).expect("the successor's");
    }

    #[tokio::test]
    async fn api_g1_what_is_no_socket_is_never_removed() {
        let folder = folder();
        let path = folder.path().join("dapr-a-http.socket");
        let live = folder.path().join("elsewhere");
        type Put = fn(&Path, &Path);
        let rows: [(&str, Put); 3] = [
            ("a file", |path, _| {
                fs::write(path, "content").expect("written");
            }),
            ("a folder", |path, _| fs::create_dir(path).expect("made")),
            ("a link to a stale socket", |path, live| {
                drop(StdListener::bind(live).expect("free"));
                std::os::unix::fs::symlink(live, path).expect("made");
            }),
        ];
        for (name, put) in rows {
            put(&path, &live);
            let before = fs::symlink_metadata(&path).expect("there").ino();
            let error = bind_unix(folder.path(), Some("a"), "http")
                .await
                .expect_err(name);
            assert!(error.to_string().contains("not removed"), "{name}: {error}");
            assert_eq!(
                fs::symlink_metadata(&path).expect(name).ino(),
                before,
                "{name}"
            );
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        }
        fs::symlink_metadata(&live).expect("where the link leads is left alone too");
    }

    #[tokio::test]
    async fn api_g1_a_folder_that_is_not_there_is_named() {
        let folder = folder();
        fs::write(folder.path().join("file"), "").expect("written");
        for name in ["nowhere", "file"] {
            let error = bind_unix(&folder.path().join(name), Some("a"), "http")
                .await
                .expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[tokio::test]
    async fn api_g1_a_socket_of_another_user_is_never_removed() {
        let folder = folder();
        let path = folder.path().join("dapr-a-http.socket");
        drop(StdListener::bind(&path).expect("free"));
        let other = geteuid().as_raw() + 1;
        if std::os::unix::fs::chown(&path, Some(other), None).is_err() {
            // Only a superuser gives files away; others get to this with the one that is their own.
            assert!(!geteuid().is_root());
            return;
        }
        let error = bind_unix(folder.path(), Some("a"), "http")
            .await
            .expect_err("another user's");
        assert!(error.to_string().contains("another user"), "{error}");
        fs::symlink_metadata(&path).expect("still there");
    }
}
