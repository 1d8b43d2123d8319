//! cargo -> the tests of the workspace, with the package that each belongs to.
//!
//! The test programs are built by the command that the README gives for the tests, so nothing is compiled a second time; each is
//! then asked for its list. A compile-fail case counts by the test that runs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// One test as its program lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    pub(crate) package: String,
    /// The name with its modules.
    pub(crate) path: String,
    /// An ignored test does not run with the others.
    pub(crate) ignored: bool,
}

/// This package's own tests prove the check, not the product.
const LEFT_OUT: &str = env!("CARGO_PKG_NAME");

/// Builds every test of the workspace at `root` and lists them.
pub(crate) fn of_workspace(root: &Path) -> Result<Vec<Test>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let metadata = output(Command::new(&cargo).current_dir(root).args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?;
    let packages = packages_by_manifest(&metadata)?;
    let messages = output(Command::new(&cargo).current_dir(root).args([
        "test",
        "--workspace",
        "--all-features",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]))?;

    let mut tests = BTreeSet::new();
    for (manifest, program) in test_programs(&messages) {
        let package = packages
            .get(&manifest)
            .ok_or_else(|| format!("{manifest} is no member of the workspace"))?;
        if package == LEFT_OUT {
            continue;
        }
        let folder = Path::new(&manifest).parent().unwrap_or(root);
        let ignored = names(&listed(&program, folder, &["--ignored"])?)?;
        for path in names(&listed(&program, folder, &[])?)? {
            let ignored = ignored.contains(&path);
            tests.insert(Test {
                package: package.clone(),
                path,
                ignored,
            });
        }
    }
    Ok(tests.into_iter().collect())
}

fn listed(program: &Path, folder: &Path, more: &[&str]) -> Result<String, String> {
    output(
        Command::new(program)
            .current_dir(folder)
            .args(["--list", "--format", "terse"])
            .args(more),
    )
}

fn output(command: &mut Command) -> Result<String, String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let first = command
        .get_args()
        .next()
        .map(OsStr::to_string_lossy)
        .unwrap_or_default()
        .into_owned();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{shown} {first}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown} {first}: {}", output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("{shown} {first}: the output is not UTF-8"))
}

fn packages_by_manifest(metadata: &str) -> Result<BTreeMap<String, String>, String> {
    let metadata: Value =
        serde_json::from_str(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata names no packages")?;
    Ok(packages
        .iter()
        .filter_map(|package| {
            Some((
                package["manifest_path"].as_str()?.to_owned(),
                package["name"].as_str()?.to_owned(),
            ))
        })
        .collect())
}

/// The test programs that cargo built, each with the manifest of its package.
fn test_programs(messages: &str) -> Vec<(String, PathBuf)> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["profile"]["test"] == true
        })
        .filter_map(|message| {
            let manifest = message["manifest_path"].as_str()?.to_owned();
            Some((manifest, PathBuf::from(message["executable"].as_str()?)))
        })
        .collect()
}

/// The names in a terse list. A program that prints anything else is not one of libtest's, and its tests would be lost unseen.
fn names(list: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for line in list.lines().filter(|line| !line.trim().is_empty()) {
        match line.rsplit_once(": ") {
            Some((name, "test")) => found.push(name.to_owned()),
            Some((_, "benchmark")) => {}
            _ => return Err(format!("not a line of a list of tests: {line}")),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_programs_are_asked_for_their_list() {
        let messages = [
            r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","profile":{"test":true},"executable":"/t/a-1"}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","profile":{"test":false},"executable":"/t/a"}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/w/a/Cargo.toml","profile":{"test":true},"executable":null}"#,
            r#"{"reason":"build-script-executed","manifest_path":"/w/b/Cargo.toml"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "a line of a build script that is no message",
        ]
        .join("\n");
        assert_eq!(
            test_programs(&messages),
            [("/w/a/Cargo.toml".to_owned(), PathBuf::from("/t/a-1"))]
        );
    }

    #[test]
    fn packages_are_found_by_their_manifest() {
        let metadata = r#"{"packages":[{"name":"a","manifest_path":"/w/x/Cargo.toml"}]}"#;
        let packages = packages_by_manifest(metadata).expect("valid");
        assert_eq!(
            packages.get("/w/x/Cargo.toml").map(String::as_str),
            Some("a")
        );
        assert!(packages_by_manifest("{}").is_err());
        assert!(packages_by_manifest("no json").is_err());
    }

    #[test]
    fn a_list_is_read_whole_or_refused() {
        let table = [
            (
                "tests",
                "a::b_c: test\nd: test\n",
                Some(vec!["a::b_c", "d"]),
            ),
            (
                "a benchmark is no test",
                "a: benchmark\nb: test\n",
                Some(vec!["b"]),
            ),
            ("nothing", "", Some(vec![])),
            ("another program's output", "running 3 things\n", None),
            ("a name without its kind", "a::b\n", None),
        ];
        for (name, list, expected) in table {
            let expected =
                expected.map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(names(list).ok(), expected, "{name}");
        }
    }
}
