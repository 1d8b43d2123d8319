//! [`MountedStore`]: the Secrets that Kubernetes mounts below one folder, a folder for each and a file for each of its keys.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dapr_secrets_service::{
    BulkPermit, BulkSecrets, MULTIPLE_KEY_VALUES_PER_SECRET, Metadata, Permit, SecretMap,
    SecretStore, SecretValue, StoreError, StoreErrorKind, StoreFuture,
};

/// The limit of Kubernetes itself, for a Secret with all of its keys.
const SECRET_MAX: usize = 1 << 20;

/// Reads `ROOT/SECRET/KEY` at each call, so that a Secret which changes is served as it is now.
#[derive(Debug)]
pub(crate) struct MountedStore {
    root: PathBuf,
}

impl MountedStore {
    /// The folder below which the Secrets are mounted.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

impl SecretStore for MountedStore {
    fn component_type(&self) -> &str {
        "secretstores.mounted"
    }

    fn features(&self) -> &[&'static str] {
        &[MULTIPLE_KEY_VALUES_PER_SECRET]
    }

    // Scopes are checked on what this returns. Kubernetes names Secrets in lower-case letters, digits, `-` and `.`; whatever
    // else a file system would take for the same folder (`../x`, `DB`, `db/`) is refused here, and so is `..data`.
    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = name.len() <= 253
            && name
                .bytes()
                .all(|byte| is_inner(byte) || byte == b'-' || byte == b'.')
            && name.bytes().next().is_some_and(is_inner)
            && name.bytes().last().is_some_and(is_inner);
        if !is_name {
            let refused = StoreErrorKind::InvalidRequest;
            return Err(StoreError::new(
                refused,
                "not the name of a Kubernetes Secret",
            ));
        }
        Ok(Cow::Borrowed(name))
    }

    // Only the engine makes permits, after the scope let the name through: it cannot be forgotten.
    fn get<'a>(&'a self, permit: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        let folder = self.root.join(permit.name());
        StoreFuture::boxed(blocking(move || read(&folder)))
    }

    fn bulk<'a>(
        &'a self,
        permit: BulkPermit<'a>,
        metadata: &'a Metadata,
    ) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::boxed(async move {
            let root = self.root.clone();
            let mut names = blocking(move || list(&root)).await?;
            names.retain(|name| self.canonical(name, metadata).is_ok());
            let mut answer = BulkSecrets::default();
            for name in names
                .iter()
                .filter(|name| name.starts_with(metadata.prefix()))
            {
                // Asked before anything is read: what the scope refuses is not even opened.
                let Some(permit) = permit.check(name) else {
                    continue;
                };
                match self.get(permit, metadata).await {
                    Ok(secret) => answer.insert(name.as_str(), secret),
                    // Unmounted since it was listed.
                    Err(error) if error.kind() == StoreErrorKind::NotFound => {}
                    Err(error) => answer.add_failure(name, error),
                }
                answer.check_size()?;
            }
            Ok(answer)
        })
    }
}

/// Files block, so they are read on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let failed = StoreError::new(StoreErrorKind::Unavailable, "the reading thread ended");
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(failed))
}

/// The names of the folders below `root`.
fn list(root: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(|error| broken(&error))? {
        let entry = entry.map_err(|error| broken(&error))?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Every key of one Secret.
fn read(folder: &Path) -> Result<SecretMap, StoreError> {
    // Kubernetes replaces all keys at once, by turning the link `..data` to another folder. Read in the folder that it means
    // now, they are of one version.
    let folder = fs::canonicalize(folder.join("..data")).unwrap_or_else(|_| folder.to_owned());
    let entries = fs::read_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            StoreError::new(StoreErrorKind::NotFound, "")
        }
        _ => broken(&error),
    })?;
    let mut left = SECRET_MAX;
    let mut keys = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| broken(&error))?.path();
        let key = path.file_name().and_then(|name| name.to_str());
        // Folders and what begins so are Kubernetes' own; pipes and devices would block.
        if let Some(key) = key.filter(|key| !key.starts_with(".."))
            && path.is_file()
        {
            let value = read_key(&path, left)?;
            left -= value.expose().len();
            keys.push((key.to_owned(), value));
        }
    }
    Ok(keys.into_iter().collect())
}

fn read_key(path: &Path, limit: usize) -> Result<SecretValue, StoreError> {
    let corrupt = |detail| StoreError::new(StoreErrorKind::Corrupt, detail);
    let file = File::open(path).map_err(|error| broken(&error))?;
    let length = file.metadata().map_err(|error| broken(&error))?.len();
    let length = usize::try_from(length).map_or(limit, |length| length.min(limit));
    // Of the final size: growth would leave copies behind that nobody wipes.
    let mut text = String::with_capacity(length + 1);
    match file.take(limit as u64 + 1).read_to_string(&mut text) {
        Ok(length) if length > limit => Err(corrupt("the Secret is larger than 1 MiB")),
        Ok(_) => Ok(SecretValue::from(text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(corrupt("a key is not UTF-8"))
        }
        Err(error) => Err(broken(&error)),
    }
}

/// Broken is not missing. The words are ours: the error of the system would name paths.
fn broken(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            StoreError::new(StoreErrorKind::Denied, "no right to read")
        }
        _ => StoreError::new(StoreErrorKind::Unavailable, "the folder cannot be read"),
    }
}

#[cfg(test)]
mod tests;
