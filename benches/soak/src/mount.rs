//! [`Mount`]: a token file that changes as one in a mounted Kubernetes Secret does.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// `token -> ..data/token`, and `..data` a link to the folder of a version, which is turned in one step.
#[derive(Debug)]
pub(crate) struct Mount {
    folder: TempDir,
    version: u64,
}

impl Mount {
    pub(crate) fn new(content: &str) -> io::Result<Self> {
        let mut mount = Self {
            folder: tempfile::tempdir()?,
            version: 0,
        };
        mount.swap(content)?;
        symlink(Path::new("..data").join("token"), mount.token())?;
        Ok(mount)
    }

    pub(crate) fn token(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    pub(crate) fn swap(&mut self, content: &str) -> io::Result<()> {
        let old = self.folder.path().join(format!("..{}", self.version));
        self.version += 1;
        let name = format!("..{}", self.version);
        let new = self.folder.path().join(&name);
        fs::create_dir(&new)?;
        fs::write(new.join("token"), content)?;
        let link = self.folder.path().join("..data_tmp");
        symlink(name, &link)?;
        fs::rename(link, self.folder.path().join("..data"))?;
        if self.version > 1 {
            fs::remove_dir_all(old)?;
        }
        Ok(())
    }
}
