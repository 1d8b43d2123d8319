//! The mistakes of the library's `tests/it/mistakes/`, told by `validate`: the same words, line by line. Its `mistakes.rs`
//! says how the files are written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::process::Start;
use crate::store_files::Files;

#[test]
fn api_g4_s19_validate_tells_every_mistake_on_a_line() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../dapr-secrets-service/tests/it/mistakes");
    let listed = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = listed.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() >= 70, "only {} were found", paths.len());
    let mut wrong = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).expect("text");
        let (expected, parts) = text.split_once("-- ").expect("a file");
        let mut files = Files::empty();
        let dir = files.path().to_str().expect("text").to_owned();
        let mut start = Start::bare().args(["validate"]);
        for part in parts.split("\n-- ") {
            let (file, content) = part.split_once(" --\n").expect("a name and a text");
            let name = match file.split_once(" -> ") {
                Some((link, target)) => {
                    symlink(target, files.path().join(link)).expect("a link");
                    link
                }
                None => {
                    files = files.file(file, content.replace("{dir}", &dir) + "\n");
                    file
                }
            };
            if name == "config.yaml" {
                start = start.args(["--config", name]);
            }
        }
        let output = files.start(start).finish();
        let said = output.stderr.replace(&format!("{dir}/"), "");
        let expected = expected.replace("expects ", "");
        if said.trim() != expected.trim() || output.code() != Some(1) || !output.stdout.is_empty() {
            wrong.push(format!("{}: {output:?}, not {expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
