//! What the manifests promise about dependencies.

/// The version that the workspace asks for.
fn asked_for(manifest: &str, dependency: &str) -> Vec<u64> {
    manifest
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{dependency} = \"")))
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("one version, written out")
        .split('.')
        .map(|part| part.parse().expect("a number"))
        .collect()
}

#[test]
fn e8_http_is_at_least_1_4_1() {
    let workspace = include_str!("../../../Cargo.toml");
    assert!(asked_for(workspace, "http") >= vec![1, 4, 1]);
    let ours = include_str!("../../Cargo.toml");
    assert!(ours.contains("\nhttp.workspace = true\n"));
}
