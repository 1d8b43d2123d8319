//! Runs the example and reads what each of its callers was told.

use std::process::Command;

const TOKEN: &str = "the-app-token-of-this-test";

#[test]
fn only_a_caller_with_a_certificate_and_the_token_is_accepted() {
    let output = Command::new(env!("CARGO_BIN_EXE_grpc-mutual-tls"))
        .env("APP_API_TOKEN", TOKEN)
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "with a certificate and the token: accepted\n\
         with a certificate alone: the call carried no api token\n\
         with the token alone: no connection\n"
    );
    assert!(output.status.success());
}

#[test]
fn it_does_not_start_without_a_token() {
    let output = Command::new(env!("CARGO_BIN_EXE_grpc-mutual-tls"))
        .env_remove("APP_API_TOKEN")
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.starts_with("error: APP_API_TOKEN is not set: set it to the token"),
        "{told}"
    );
}
