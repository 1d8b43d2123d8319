//! A build without the feature `tls`.

use crate::process::Start;
use crate::store_files::Files;

#[test]
fn api_g5_a_tls_flag_names_the_feature_that_is_missing() {
    let files = Files::with_secrets("{}");
    let output = files
        .start(Start::new())
        .args(["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key"])
        .finish();
    assert_eq!(output.code(), Some(1), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("--tls-cert-file needs the feature `tls`"),
        "{}",
        output.stderr
    );
    assert_eq!(output.stdout, "");
}
