//! The manifests and the image of `deploy/` start the binary with what it takes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::Start;
use crate::store_files::Files;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Every manifest, with its name.
fn manifests() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for variant in fs::read_dir(deploy().join("kubernetes")).expect("the manifests") {
        let folder = variant.expect("an entry").path();
        for entry in fs::read_dir(&folder).expect("a folder for each variant") {
            let path = entry.expect("an entry").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let text = fs::read_to_string(&path).expect("a manifest");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

/// The items below `args:`, which the manifests give one a line.
fn arguments(manifest: &str) -> Vec<&str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "args:")
        .skip(1)
        .map_while(|line| line.trim().strip_prefix("- "))
        .collect()
}

/// What follows the name of the program in `[/dapr-secrets-sidecar, healthcheck]`, with or without quotes.
fn probes(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.lines().filter_map(|line| {
        let (_, list) = line.split_once('[')?;
        let mut words = list
            .trim_end()
            .strip_suffix(']')?
            .split(',')
            .map(|word| word.trim().trim_matches('"').to_owned());
        (words.next()? == "/dapr-secrets-sidecar").then(|| words.collect())
    })
}

/// `validate` takes the flags of `run`, refuses what is none, and loads the stores of the manifests.
#[test]
fn api_g1_api_g4_the_manifests_give_flags_and_stores_that_are_taken() {
    let stores = deploy().join("kubernetes/base/stores");
    let read = |name: &str| fs::read_to_string(stores.join(name)).expect(name);
    let files = Files::empty()
        .folder("dapr")
        .file("secrets.json", r#"{"redis": "hunter2"}"#)
        .file(
            "dapr/stores.yaml",
            read("stores.yaml").replace("/var/run/secrets/stored/", ""),
        )
        .file("dapr/access.yaml", read("access.yaml"));
    let mut started = Vec::new();
    for (name, manifest) in manifests() {
        let arguments = arguments(&manifest);
        let Some((first, flags)) = arguments.split_first() else {
            continue;
        };
        assert_eq!(*first, "run", "{name}");
        let flags = flags.iter().map(|flag| {
            flag.replace("/etc/dapr", "dapr")
                .replace("$(POD_IP)", "127.0.0.1")
        });
        let output = Start::bare()
            .current_dir(files.path())
            .args(["validate"])
            .args(flags)
            .finish();
        assert_eq!(output.code(), Some(0), "{name}: {}", output.stderr);
        assert!(
            output.stdout.contains("OK: 1 secret store"),
            "{name}: {}",
            output.stdout
        );
        started.push(name);
    }
    assert_eq!(started.len(), 3, "{started:?}");
}

#[test]
fn api_g4_the_probes_of_the_manifests_and_of_the_image_are_taken() {
    let containerfile = deploy().join("Containerfile");
    let image = fs::read_to_string(&containerfile).expect("the image");
    let mut texts = manifests();
    texts.push((containerfile.display().to_string(), image));
    let mut asked = 0;
    for (name, text) in &texts {
        for words in probes(text).filter(|words| !words.is_empty()) {
            // What comes before `--help` is parsed first.
            let output = Start::bare().args(&words).args(["--help"]).finish();
            assert_eq!(
                output.code(),
                Some(0),
                "{name}: {words:?}: {}",
                output.stderr
            );
            assert_eq!(
                words.first().map(String::as_str),
                Some("healthcheck"),
                "{name}"
            );
            asked += 1;
        }
    }
    // Three in each of two manifests, one in the image.
    assert_eq!(asked, 7);
}
