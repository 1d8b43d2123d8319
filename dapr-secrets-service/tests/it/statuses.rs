//! Which files name a status code.

use std::fs;
use std::path::{Path, PathBuf};

/// What a status of HTTP or gRPC is named by.
const NAMES: [&str; 6] = [
    "StatusCode",
    "tonic::Code",
    "Code::",
    "tonic::Status",
    "Status::",
    "grpc-status",
];

/// Whether one of them occurs, and not at the end of another word: `ExitCode::` is none.
fn names_a_status(code: &str) -> bool {
    NAMES.iter().any(|name| {
        code.match_indices(name)
            .any(|(at, _)| !code[..at].ends_with(char::is_alphanumeric))
    })
}

/// Every source of a package, tests inside of it left out.
fn sources(package: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(package);
    let mut folders = vec![root.join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if stem == "tests" || stem.ends_with("_tests") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("text");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            sources.push((path, lines.collect::<Vec<_>>().join("\n")));
        }
    }
    sources
}

#[test]
fn api_a2_one_file_a_protocol_names_status_codes() {
    for (package, tables) in [
        (
            "dapr-secrets-service",
            ["src/api/grpc/encode.rs", "src/api/http/encode.rs"],
        ),
        (
            "dapr-secrets-sidecar",
            ["src/encode.rs", "src/grpc/encode.rs"],
        ),
    ] {
        let sources = sources(package);
        let mut naming: Vec<String> = sources
            .iter()
            .filter(|(_, code)| names_a_status(code))
            .map(|(path, _)| path.display().to_string())
            .collect();
        naming.sort();
        assert_eq!(naming.len(), tables.len(), "{package}: {naming:?}");
        for (file, table) in naming.iter().zip(tables) {
            assert!(file.ends_with(table), "{package}: {naming:?}");
        }
    }
}
