//! Earlier versions of the list and of the rules, out of git.
//!
//! Nothing to compare with is said, never guessed: outside a git checkout, in a shallow one, or without git, the reason is printed.
//! Any other failure of git is an error, because a comparison that silently did not happen would look like a good one.

use std::{collections::BTreeSet, path::Path, process::Command};

use crate::{
    open_list::{self, OpenList},
    rule::{Rule, SpecFile},
    spec,
};

/// The list and the rules as one commit had them.
#[derive(Debug)]
pub(crate) struct EarlierList {
    pub(crate) commit: String,
    pub(crate) rules: BTreeSet<Rule>,
    pub(crate) list: OpenList,
}

/// What git knows.
#[derive(Debug)]
pub(crate) enum Earlier {
    Known(Vec<EarlierList>),
    /// Nothing can be compared, for this reason.
    Unknown(&'static str),
}

/// Every committed version, in the history of the present commit, of the list in `folder` (relative to `root`).
pub(crate) fn earlier_lists(root: &Path, folder: &str) -> Result<Earlier, String> {
    let shallow = match git(root, &["rev-parse", "--is-shallow-repository"]) {
        Ok(answer) => answer,
        Err(Failed::NoGit) => return Ok(Earlier::Unknown("git is not installed")),
        Err(Failed::Answer(text)) if text.contains("not a git repository") => {
            return Ok(Earlier::Unknown("this is no git checkout"));
        }
        Err(failed) => return Err(failed.text()),
    };
    if shallow.trim() == "true" {
        return Ok(Earlier::Unknown("this is a shallow git checkout"));
    }
    if git(root, &["rev-parse", "--verify", "--quiet", "HEAD"]).is_err() {
        return Ok(Earlier::Known(Vec::new()));
    }
    // Merged branches too: without --full-history git leaves out a side whose version of the folder did not survive.
    let commits = git(
        root,
        &["log", "--full-history", "--format=%H", "HEAD", "--", folder],
    )
    .map_err(Failed::text)?;
    let mut lists = Vec::new();
    for commit in commits.lines() {
        let path = format!("{folder}/{}", open_list::FILE_NAME);
        let Some(list) = committed(root, commit, &path)? else {
            continue;
        };
        let mut rules = BTreeSet::new();
        for file in SpecFile::ALL {
            let path = format!("{folder}/{}", file.file_name());
            rules.extend(spec::rules_of(
                file,
                &committed(root, commit, &path)?.unwrap_or_default(),
            ));
        }
        lists.push(EarlierList {
            commit: commit.get(..12).unwrap_or(commit).to_owned(),
            rules,
            list: OpenList::parse(&list),
        });
    }
    Ok(Earlier::Known(lists))
}

/// The text of a file in a commit, or nothing if the commit does not have it.
fn committed(root: &Path, commit: &str, path: &str) -> Result<Option<String>, String> {
    if git(root, &["ls-tree", "--name-only", commit, "--", path])
        .map_err(Failed::text)?
        .trim()
        .is_empty()
    {
        return Ok(None);
    }
    git(root, &["show", &format!("{commit}:./{path}")])
        .map(Some)
        .map_err(Failed::text)
}

#[derive(Debug)]
enum Failed {
    NoGit,
    Answer(String),
}

impl Failed {
    fn text(self) -> String {
        match self {
            Self::NoGit => "git is not installed".to_owned(),
            Self::Answer(text) => text,
        }
    }
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, Failed> {
    let output = Command::new("git")
        .current_dir(root)
        .env("LC_ALL", "C")
        // Set when a git hook runs the check; they would point away from `root`.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        // A container often checks a tree that another user owns. Cargo just ran that tree's code, so reading its history adds no trust.
        .args(["-c", "safe.directory=*"])
        .args(arguments)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Failed::NoGit),
        Err(error) => return Err(Failed::Answer(format!("git: {error}"))),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failed::Answer(format!(
            "git {}: {}",
            arguments[0],
            said.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FOLDER: &str = "docs/spec";
    const NO_GIT: &str = "git is not installed";

    fn in_repository(root: &Path, arguments: &[&str]) {
        let done = Command::new("git")
            .current_dir(root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .args(["-c", "user.name=a test", "-c", "user.email=test@localhost"])
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn commit(root: &Path, files: &[(&str, &str)]) {
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("a file");
        }
        in_repository(root, &["add", "."]);
        in_repository(root, &["commit", "--quiet", "-m", "a version"]);
    }

    fn shown(earlier: &Earlier) -> Vec<(Vec<String>, Vec<String>)> {
        match earlier {
            Earlier::Unknown(reason) => panic!("{reason}"),
            Earlier::Known(lists) => lists
                .iter()
                .map(|earlier| {
                    let listed = earlier
                        .list
                        .entries
                        .iter()
                        .map(|(rule, state)| format!("{rule} {state}"));
                    (
                        earlier.rules.iter().map(ToString::to_string).collect(),
                        listed.collect(),
                    )
                })
                .collect(),
        }
    }

    #[test]
    fn each_committed_version_of_the_list_is_read_with_the_rules_of_its_commit() {
        let scratch = tempfile::tempdir().expect("a folder");
        let root = scratch.path().join("work");
        fs::create_dir(&root).expect("a folder");
        match earlier_lists(&root, FOLDER).expect("no failure") {
            Earlier::Unknown(NO_GIT) => return,
            Earlier::Unknown(reason) => assert_eq!(reason, "this is no git checkout"),
            Earlier::Known(lists) => panic!("{lists:?}"),
        }

        in_repository(&root, &["init", "--quiet", "--initial-branch", "main"]);
        assert!(
            shown(&earlier_lists(&root, FOLDER).expect("no failure")).is_empty(),
            "no commit yet"
        );

        commit(&root, &[("auth.md", "- **E1** one\n")]);
        assert!(
            shown(&earlier_lists(&root, FOLDER).expect("no failure")).is_empty(),
            "no list yet"
        );

        commit(&root, &[("OPEN.md", "## auth.md\n- **E1** open: all\n")]);
        in_repository(&root, &["checkout", "--quiet", "-b", "side"]);
        commit(&root, &[("OPEN.md", "## auth.md\n- **E1** half: some\n")]);
        in_repository(&root, &["checkout", "--quiet", "main"]);
        commit(&root, &[("auth.md", "- **E1** one\n- **E2** two\n")]);
        // The side is merged, but its version of the list is dropped: it still counts.
        in_repository(
            &root,
            &[
                "merge",
                "--quiet",
                "--strategy",
                "ours",
                "-m",
                "merge",
                "side",
            ],
        );

        let mut versions = shown(&earlier_lists(&root, FOLDER).expect("no failure"));
        versions.sort();
        versions.dedup();
        let strings = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            versions,
            [
                (strings(&["auth.md E1"]), strings(&["auth.md E1 half"])),
                (strings(&["auth.md E1"]), strings(&["auth.md E1 open"])),
                (
                    strings(&["auth.md E1", "auth.md E2"]),
                    strings(&["auth.md E1 open"])
                ),
            ]
        );

        let shallow = scratch.path().join("shallow");
        let source = format!("file://{}", root.display());
        in_repository(
            scratch.path(),
            &["clone", "--quiet", "--depth", "1", &source, "shallow"],
        );
        match earlier_lists(&shallow, FOLDER).expect("no failure") {
            Earlier::Unknown(reason) => assert_eq!(reason, "this is a shallow git checkout"),
            Earlier::Known(lists) => panic!("{lists:?}"),
        }
    }
}
