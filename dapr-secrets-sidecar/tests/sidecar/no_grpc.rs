//! A build without the feature `grpc`.

use crate::process::Start;
use crate::store_files::Files;

#[test]
fn api_g1_a_flag_names_the_feature_that_is_missing_and_a_variable_does_not_matter() {
    let files = Files::with_secrets("{}");
    let output = files
        .start(Start::new())
        .args(["--dapr-grpc-port", "0"])
        .finish();
    assert_eq!(output.code(), Some(1), "{}", output.stderr);
    let says = "--dapr-grpc-port needs the feature `grpc`";
    assert!(output.stderr.contains(says), "{}", output.stderr);
    assert_eq!(output.stdout, "");

    let sidecar = files.start(Start::new()).env("DAPR_GRPC_PORT", "7").serve();
    let ready = sidecar.ready_line().to_owned();
    assert!(!ready.contains("grpc="), "{ready}");
    let stderr = sidecar.stop().stderr;
    assert!(stderr.contains("grpc (port 7)"), "{stderr}");
}
