//! Component and configuration files in a folder of their own, and what loading them says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dapr_secrets_service::Engine;
use dapr_secrets_service::config::{Config, Loader, Problems};
use tempfile::TempDir;

/// Writes a file that nobody else may write, whatever the umask of whoever runs the tests.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("ours");
    }
}

/// A folder with files. `{dir}` in their text stands for the folder.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let text = text.replace("{dir}", folder.path().to_str().expect("text"));
        write(&folder.path().join(name), text);
    }
    folder
}

pub(crate) fn loader(folder: &TempDir) -> Loader {
    let loader = Loader::new()
        .add_resources_path(folder.path())
        .environment(BTreeMap::<String, String>::new());
    let configuration = folder.path().join("config.yml.txt");
    if configuration.exists() {
        loader.add_configuration(configuration)
    } else {
        loader
    }
}

pub(crate) fn engine(loader: Loader) -> Result<Engine, Problems> {
    loader.load().and_then(Config::into_engine)
}

/// The problems, with the folder cut from each path.
pub(crate) fn problems(loader: Loader, folder: &Path) -> Vec<String> {
    let start = format!("{}/", folder.display());
    let problems = match engine(loader) {
        Ok(_) => return Vec::new(),
        Err(problems) => problems,
    };
    assert_eq!(
        problems.to_string().lines().count(),
        problems.iter().len(),
        "each on a line"
    );
    problems
        .iter()
        .map(|problem| problem.to_string().replace(&start, ""))
        .collect()
}

pub(crate) fn names(engine: &Engine) -> Vec<String> {
    engine
        .stores()
        .map(|store| store.name().to_owned())
        .collect()
}

/// A `local.env` component: the type stands in line 4.
pub(crate) fn env(name: &str, more: &str) -> String {
    format!(
        "kind: Component\nmetadata: {{name: {name}}}\nspec:\n  type: secretstores.local.env\n{more}"
    )
}

/// A `local.file` component; `metadata` is the text of its metadata items, from line 6 on.
pub(crate) fn file(name: &str, metadata: &str) -> String {
    format!(
        "kind: Component\nmetadata: {{name: {name}}}\nspec:\n  type: secretstores.local.file\n  metadata:\n{metadata}"
    )
}

pub(crate) const SECRETS_FILE: &str = "  - {name: secretsFile, value: \"{dir}/secrets.json\"}\n";
