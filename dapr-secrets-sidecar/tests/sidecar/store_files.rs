//! A folder with component and secrets files, made for one test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::process::Start;

/// A working directory: `resources/` for components, secrets beside it.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn empty() -> Self {
        let files = Self(TempDir::new().expect("a temporary folder"));
        fs::create_dir(files.path().join("resources")).expect("a folder");
        files
    }

    /// One file store called `files` with this secrets file.
    pub(crate) fn with_secrets(secrets: impl AsRef<[u8]>) -> Self {
        Self::empty()
            .file("resources/files.yaml", file_store("files", "secrets.json"))
            .file("secrets.json", secrets)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(name);
        fs::write(&path, content).expect("a file");
        // Whatever the umask: a file that others may write is warned of.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
        self
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        fs::create_dir(self.path().join(name)).expect("a folder");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Starts in this working directory, with its components.
    pub(crate) fn start(&self, start: Start) -> Start {
        start.current_dir(self.path()).resources("resources")
    }
}

/// A component of the type `local.file`; `secretsFile` is its line 9.
pub(crate) fn file_store(name: &str, secrets_file: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: {name}
spec:
  type: secretstores.local.file
  version: v1
  metadata:
    - name: secretsFile
      value: {secrets_file}
"
    )
}
