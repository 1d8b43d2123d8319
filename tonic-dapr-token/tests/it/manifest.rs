//! What the manifest promises about dependencies.

#[test]
fn e8_the_least_version_of_http_is_that_of_the_tower_crate() {
    let ours = include_str!("../../Cargo.toml");
    assert!(ours.contains("\ntower-dapr-token.workspace = true\n"));
    let theirs = include_str!("../../../tower-dapr-token/Cargo.toml");
    assert!(theirs.contains("\nhttp.workspace = true\n"));
}
