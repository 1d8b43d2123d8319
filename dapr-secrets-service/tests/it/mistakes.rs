//! One file a mistake in `mistakes/`: what is wrong, and what is said of it, word for word.
//!
//! A file begins with the problems that are expected, one `expects file:line: message` a line and in this order. The
//! files that make the mistake follow, each behind a line `-- name --`, or `-- name -> target --` for a link. `{dir}` in
//! their text stands for the folder that they are written to; the components are in `resources/`, and `config.yaml` is
//! given as a configuration where there is one. The sidecar's tests read the same files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dapr_secrets_service::config::{Config, Loader};
use tempfile::TempDir;

use crate::files::write;

/// A mistake, unpacked.
struct Mistake {
    name: String,
    expected: Vec<String>,
    folder: TempDir,
}

impl Mistake {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy();
        let text = fs::read_to_string(path).expect("text");
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().to_str().expect("text");
        fs::create_dir(folder.path().join("resources")).expect("a folder");
        let (head, parts) = text.split_once("-- ").expect("a file");
        for part in parts.split("\n-- ") {
            let (file, content) = part.split_once(" --\n").expect("a name and a text");
            match file.split_once(" -> ") {
                Some((link, target)) => symlink(target, folder.path().join(link)).expect("a link"),
                None => write(
                    &folder.path().join(file),
                    content.replace("{dir}", dir) + "\n",
                ),
            }
        }
        let expected = head
            .lines()
            .map(|line| line.strip_prefix("expects ").expect("what is expected"))
            .map(str::to_owned);
        Self {
            name: name.into_owned(),
            expected: expected.collect(),
            folder,
        }
    }

    fn loader(&self) -> Loader {
        let folder = self.folder.path();
        let loader = Loader::new()
            .add_resources_path(folder.join("resources"))
            .environment(BTreeMap::<String, String>::new());
        match folder.join("config.yaml") {
            config if config.is_symlink() || config.exists() => loader.add_configuration(config),
            _ => loader,
        }
    }
}

fn mistakes() -> Vec<Mistake> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mistakes");
    let listed = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = listed.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| Mistake::read(path)).collect()
}

#[test]
fn s8_s9_s10_s13_s14_s16_s17_s18_s19_s21_s22_s24_api_e3_f5_every_mistake_is_told_with_its_place() {
    let mistakes = mistakes();
    assert!(mistakes.len() >= 70, "only {} were found", mistakes.len());
    let mut wrong = Vec::new();
    for mistake in &mistakes {
        let loaded = mistake.loader().load().and_then(Config::into_engine);
        let said = match loaded {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        // As if loaded from inside of the folder, and as the secrets file is called there.
        let start = format!("{}/", mistake.folder.path().display());
        let said: Vec<_> = said
            .iter()
            .map(|line: &String| line.replace(&start, ""))
            .collect();
        if said != mistake.expected || said.is_empty() {
            wrong.push(format!(
                "{}: {said:#?}, not {:#?}",
                mistake.name, mistake.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
