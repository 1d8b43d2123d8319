//! The port that serves the health routes alone.

use crate::process::{Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{get, get_anonymously, request};

#[test]
fn api_g1_the_public_port_knows_the_probes_and_no_secret() {
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let sidecar = files
        .start(Start::new())
        .args(["--dapr-public-port", "0"])
        .args(["--dapr-public-listen-address", "127.0.0.1"])
        .serve();
    let public = sidecar.addresses_of("public")[0];
    assert_ne!(public, sidecar.address());
    for path in ["/v1.0/healthz", "/v1.0/healthz/outbound"] {
        assert_eq!(get_anonymously(public, path).status, 204, "{path}");
        assert_eq!(request(public, "HEAD", path, &[]).status, 204, "{path}");
    }
    for path in [
        "/v1.0/secrets/files/a",
        "/v1.0/secrets/files/bulk",
        "/v1.0/metadata",
        "/",
    ] {
        // Not even with the token.
        let answer = get(public, path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.error_code().as_deref(),
            Some("ERR_NOT_FOUND"),
            "{path}"
        );
    }
    let answer = request(
        public,
        "POST",
        "/v1.0/shutdown",
        &[("dapr-api-token", TOKEN)],
    );
    assert_eq!(answer.status, 404);
    assert_eq!(
        get(sidecar.address(), "/v1.0/secrets/files/a").status,
        200,
        "nothing was shut down"
    );
}
