//! Reads YAML files: which ones, how large, and into documents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::problem::{Place, Report};
use super::yaml::{self, Document};
use crate::bounded_file::{self, Stamp};

/// Largest YAML file.
const FILE_MAX_MIB: usize = 1;
/// Most YAML files in one folder.
const FILES_MAX: usize = 1_000;

/// What tells one state of the files of a [`Loader`](super::Loader) from the next, without reading them.
///
/// Which files there are, and of each its size, its times and which file it is. Two equal ones, taken
/// some time apart, say that nothing is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesState(Vec<(PathBuf, Option<Stamp>)>);

impl FilesState {
    pub(super) fn of(folders: &[PathBuf], files: &[PathBuf]) -> Self {
        // What cannot be listed is told by loading; here it is a state like any other.
        let mut unread = Report::default();
        let mut seen = Vec::new();
        for folder in folders {
            seen.push((folder.clone(), Stamp::of(folder)));
            let inside = in_folder(folder, &mut unread);
            seen.extend(inside.into_iter().map(with_stamp));
        }
        seen.extend(files.iter().cloned().map(with_stamp));
        Self(seen)
    }
}

fn with_stamp(path: PathBuf) -> (PathBuf, Option<Stamp>) {
    let stamp = Stamp::of(&path);
    (path, stamp)
}

/// Every `.yaml` and `.yml` file directly in a folder, by name.
pub(super) fn in_folder(folder: &Path, report: &mut Report) -> Vec<PathBuf> {
    let place = Place::file(folder.to_owned());
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<PathBuf>>>()
    });
    let mut files = match listed {
        Ok(files) => files,
        Err(error) => {
            report.error(&place, format!("the folder cannot be read: {error}"));
            return Vec::new();
        }
    };
    files.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("yaml" | "yml")) && !path.is_dir()
    });
    if files.len() > FILES_MAX {
        report.error(
            &place,
            format!("more than {FILES_MAX} YAML files in one folder"),
        );
        return Vec::new();
    }
    files.sort();
    files
}

/// The documents of a file; those before a fault, when there is one. Where and why goes to `say`,
/// which is one of the report's own methods.
pub(super) fn documents(
    path: &Path,
    say: fn(&mut Report, &Place, String),
    report: &mut Report,
) -> (Place, Vec<Document>) {
    let place = Place::file(path.to_owned());
    let content = match bounded_file::read(path, FILE_MAX_MIB) {
        Ok(content) => content,
        Err(fault) => {
            say(report, &place, fault.to_string());
            return (place, Vec::new());
        }
    };
    if content.others_may_write {
        report.warn(&place, "the group of this file, or others, may write it");
    }
    let text = match bounded_file::text(&content.bytes) {
        Ok(text) => text,
        Err(line) => {
            say(report, &place.line(line), "not valid UTF-8".to_owned());
            return (place, Vec::new());
        }
    };
    let (documents, fault) = yaml::parse(text);
    if let Some(fault) = fault {
        say(report, &place.line(fault.line), fault.message);
    }
    (place, documents)
}
