//! Feature `file`: `local.file`, the secrets of one JSON file. The rules are those of [`FileStore`].

#[cfg(feature = "config")]
mod config;
mod document;
mod reload;

#[cfg(feature = "config")]
pub(crate) use config::KIND;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use self::document::{Contents, Fault, Shape};
use self::reload::Source;
use super::{MULTIPLE_KEY_VALUES_PER_SECRET, SecretStore, StoreError, StoreErrorKind, StoreFuture};
use crate::bounded_file::{self, ReadFault, Stamp};
use crate::bulk::BulkSecrets;
use crate::environment::working_directory;
use crate::one_line::OneLine;
use crate::request::Metadata;
use crate::scope::{BulkPermit, Permit};
use crate::secret::SecretMap;

/// Largest secrets file.
const FILE_MAX_MIB: usize = 16;
/// Most names in the warning about what is not served.
const WARNED_NAMES_MAX: usize = 20;

/// The secrets of one JSON file: `local.file`.
///
/// 1. The file is one JSON object, UTF-8. A relative path is taken from the working directory.
/// 2. By default the tree is flattened: `{"db": {"user": "admin"}}` is the secret `db:user`.
///    With [`FileStoreBuilder::with_multi_valued`] one level is kept: the secret `db` has the
///    key `user`.
/// 3. Strings are served as they are, other scalars as their JSON text: numbers keep their
///    digits.
/// 4. Two entries that would be one secret are an error; an entry that cannot be asked for is
///    left out, and one warning names it.
/// 5. A name is exact text: its canonical form is itself. Every answer comes from one immutable
///    snapshot: the old content of the file or the new one, never a mixture.
/// 6. The file is read when the store is built, and again by [`SecretStore::refresh`] when it has
///    changed. What cannot be used then leaves the last good content, with one warning; the store
///    is degraded until the file can be used again.
///
/// # Limits
///
/// The file has at most 16 MiB and 128 levels, and 64 MiB of names and values once it is flattened.
///
/// # Security
///
/// A file that its group or others may write gives a warning: whoever can write it chooses the
/// secrets. Only a regular file is read, and opening it never waits.
///
/// # Example
///
/// ```
/// use dapr_secrets_service::{Engine, FileStore, Metadata};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let store = FileStore::builder().parse(r#"{"db": {"user": "admin", "port": 5432}}"#)?;
/// let engine = Engine::builder().add_store("local", store).build()?;
/// let secret = engine.get("local", "db:port", &Metadata::default()).await?;
/// assert_eq!(secret.get("db:port").map(|value| value.expose()), Some("5432"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct FileStore {
    secrets: ArcSwap<Secrets>,
    features: &'static [&'static str],
    /// `None`: the text was given as a value.
    source: Option<Source>,
}

/// The secrets of one content of the file, by name.
type Secrets = BTreeMap<Arc<str>, SecretMap>;

impl FileStore {
    /// A store that flattens with `:`.
    pub fn builder() -> FileStoreBuilder {
        FileStoreBuilder {
            shape: Shape {
                separator: ":".to_owned(),
                multi_valued: false,
            },
            called: None,
        }
    }

    /// Reads a file with the defaults of [`FileStore::builder`].
    ///
    /// # Errors
    ///
    /// See [`FileStoreError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileStoreError> {
        Self::builder().open(path)
    }

    fn find(&self, permit: &Permit<'_>) -> Result<SecretMap, StoreError> {
        self.secrets
            .load()
            .get(permit.name())
            .cloned()
            .ok_or(StoreError::new(StoreErrorKind::NotFound, ""))
    }

    fn find_all(&self, permit: &BulkPermit<'_>, prefix: &str) -> Result<BulkSecrets, StoreError> {
        let secrets = self.secrets.load();
        if let Some(listed) = permit.listed() {
            let listed = listed.filter(|permit| permit.name().starts_with(prefix));
            return collect(listed.filter_map(|permit| secrets.get_key_value(permit.name())));
        }
        let from_prefix = (Bound::Included(prefix), Bound::Unbounded);
        let with_prefix = secrets.range::<str, _>(from_prefix);
        collect(
            with_prefix
                .take_while(|(name, _)| name.starts_with(prefix))
                .filter(|(name, _)| permit.check(name).is_some()),
        )
    }
}

/// Stops as soon as there is too much for any answer.
fn collect<'s>(
    secrets: impl Iterator<Item = (&'s Arc<str>, &'s SecretMap)>,
) -> Result<BulkSecrets, StoreError> {
    let mut found = BulkSecrets::default();
    for (name, secret) in secrets {
        found.insert(Arc::clone(name), secret.clone());
        found.check_size()?;
    }
    Ok(found)
}

impl SecretStore for FileStore {
    fn component_type(&self) -> &str {
        "secretstores.local.file"
    }

    fn canonical<'n>(&self, name: &'n str, _: &Metadata) -> Result<Cow<'n, str>, StoreError> {
        Ok(Cow::Borrowed(name))
    }

    fn get<'a>(&'a self, permit: Permit<'a>, _: &'a Metadata) -> StoreFuture<'a, SecretMap> {
        StoreFuture::ready(self.find(&permit))
    }

    fn bulk<'a>(
        &'a self,
        permit: BulkPermit<'a>,
        metadata: &'a Metadata,
    ) -> StoreFuture<'a, BulkSecrets> {
        StoreFuture::ready(self.find_all(&permit, metadata.prefix()))
    }

    fn knows(&self, canonical: &str) -> Option<bool> {
        Some(self.secrets.load().contains_key(canonical))
    }

    fn refresh(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|source| source.refresh(&self.secrets))
    }

    fn is_degraded(&self) -> bool {
        self.source.as_ref().is_some_and(Source::is_failing)
    }

    fn features(&self) -> &[&'static str] {
        self.features
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("secrets", &self.secrets.load().len())
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}

/// How a secrets file is read.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until a file is opened"]
pub struct FileStoreBuilder {
    shape: Shape,
    /// What the file is called where its path is not to be told.
    called: Option<String>,
}

impl FileStoreBuilder {
    /// What joins the names of nested members; `:` unless said otherwise.
    pub fn with_nested_separator(mut self, separator: impl Into<String>) -> Self {
        self.shape.separator = separator.into();
        self
    }

    /// Whether a top-level object is one secret with several keys.
    pub fn with_multi_valued(mut self, multi_valued: bool) -> Self {
        self.shape.multi_valued = multi_valued;
        self
    }

    /// Calls the file so in the log, and names no path in errors: the path itself is a secret.
    #[cfg(feature = "config")]
    pub(crate) fn with_path_called(mut self, called: String) -> Self {
        self.called = Some(called);
        self
    }

    /// Reads a file. A relative path is taken from the working directory.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is larger than 16 MiB, is not UTF-8, is not one JSON
    /// object, or has two entries that would be one secret.
    pub fn open(self, path: impl AsRef<Path>) -> Result<FileStore, FileStoreError> {
        let path = path.as_ref();
        let (contents, stamp) = self.read(path)?;
        let source = Source::new(self.clone(), path.to_owned(), stamp);
        Ok(self.store(contents, Some(source)))
    }

    /// The contents of the file, and what tells whether it is still the same.
    fn read(&self, path: &Path) -> Result<(Contents, Stamp), FileStoreError> {
        let in_file = |fault: Fault| FileStoreError {
            path: self.called.is_none().then(|| path.to_owned()),
            line: fault.line,
            message: fault.message,
        };
        let content = bounded_file::read(path, FILE_MAX_MIB).map_err(|fault| {
            let start = match &fault {
                ReadFault::Io(error) if error.kind() == ErrorKind::NotFound => self.start_of(path),
                _ => String::new(),
            };
            in_file(Fault {
                line: None,
                message: format!("{fault}{start}"),
            })
        })?;
        let called = self.called(path);
        if content.others_may_write {
            tracing::warn!(
                path = %OneLine(&called),
                "the group of the secrets file, or others, may write it"
            );
        }
        let text = bounded_file::text(&content.bytes).map_err(|line| {
            in_file(Fault {
                line: Some(line),
                message: "not valid UTF-8".to_owned(),
            })
        })?;
        let contents = document::read(text, &self.shape).map_err(in_file)?;
        warn_of_unserved(&contents.unserved, &called);
        Ok((contents, content.stamp))
    }

    /// What the file is called in the log.
    fn called(&self, path: &Path) -> String {
        match &self.called {
            Some(called) => called.clone(),
            None => path.display().to_string(),
        }
    }

    /// Where a relative path starts, for the message that nothing is there.
    fn start_of(&self, path: &Path) -> String {
        match working_directory() {
            Some(start) if path.is_relative() && self.called.is_none() => format!(
                " (relative paths start at the working directory, {})",
                start.display()
            ),
            _ => String::new(),
        }
    }

    /// Takes the JSON text itself, for stores that are given as values.
    ///
    /// # Errors
    ///
    /// As [`FileStoreBuilder::open`], but for the reading.
    pub fn parse(self, json: &str) -> Result<FileStore, FileStoreError> {
        let contents = document::read(json, &self.shape).map_err(|fault| FileStoreError {
            path: None,
            line: fault.line,
            message: fault.message,
        })?;
        warn_of_unserved(&contents.unserved, "-");
        Ok(self.store(contents, None))
    }

    fn store(self, contents: Contents, source: Option<Source>) -> FileStore {
        FileStore {
            secrets: ArcSwap::from_pointee(contents.secrets),
            source,
            features: if self.shape.multi_valued {
                &[MULTIPLE_KEY_VALUES_PER_SECRET]
            } else {
                &[]
            },
        }
    }
}

fn warn_of_unserved(unserved: &[String], path: &str) {
    if unserved.is_empty() {
        return;
    }
    let names: Vec<String> = unserved
        .iter()
        .take(WARNED_NAMES_MAX)
        .map(|name| document::shown(name))
        .collect();
    tracing::warn!(
        path = %OneLine(path),
        count = unserved.len(),
        names = names.join(", "),
        "entries of the secrets file cannot be asked for and are not served"
    );
}

/// Why a secrets file cannot be used. Names the file, the line and keys, never a value; `Display`
/// takes one line.
#[derive(Debug)]
pub struct FileStoreError {
    path: Option<PathBuf>,
    line: Option<usize>,
    message: String,
}

impl FileStoreError {
    /// The file; `None` for a text that was given as a value.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The line that is wrong, counted from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for FileStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}:", OneLine(path.display()))?,
            None => f.write_str("secrets:")?,
        }
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", OneLine(&self.message))
    }
}

impl std::error::Error for FileStoreError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::scope::CanonicalScope;

    #[test]
    fn s30_s31_bulk_reads_what_has_the_prefix_and_stops_when_there_is_too_much() {
        let members: Vec<_> = (0..10_001)
            .map(|index| format!("\"n{index}\": 0"))
            .collect();
        let text = format!("{{\"m\": 0, \"o\": 0, {}}}", members.join(","));
        let store = FileStore::builder().parse(&text).expect("valid");
        for (scope, prefix, found) in [
            (Scope::default(), "", Err(StoreErrorKind::InvalidRequest)),
            (Scope::default(), "n", Err(StoreErrorKind::InvalidRequest)),
            (Scope::default(), "n1000", Ok(2)),
            (Scope::default(), "m", Ok(1)),
            (Scope::default(), "z", Ok(0)),
            (Scope::default().add_denied("n10000"), "n1000", Ok(1)),
            (Scope::default().add_denied("n1"), "n", Ok(10_000)),
            (Scope::only(["n1", "m", "gone"]), "", Ok(2)),
            (Scope::only(["n1", "m"]), "n", Ok(1)),
        ] {
            let (scope, _) = CanonicalScope::new(&scope, &store);
            let answer = store.find_all(&scope.check_bulk("s"), prefix);
            let counted = answer
                .map(|found| found.len())
                .map_err(|error| error.kind());
            assert_eq!(counted, found, "{prefix:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn n7_a_name_is_its_own_canonical_form(name in "\\PC{1,40}") {
            let text = serde_json::json!({ name.as_str(): "v" }).to_string();
            let store = FileStore::builder().parse(&text).expect("one entry");
            let none = Metadata::default();
            let canonical = store.canonical(&name, &none).expect("any name");
            proptest::prop_assert_eq!(&*canonical, name.as_str());
            proptest::prop_assert!(store.secrets.load().contains_key(&*canonical));
            // Only that text is that secret.
            for other in [name.to_uppercase(), name.to_lowercase(), format!("{name}/"), format!("./{name}")] {
                let is_same = store.secrets.load().contains_key(other.as_str());
                proptest::prop_assert_eq!(is_same, other == name);
            }
        }
    }
}
