//! Browser pages.

use crate::process::{Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{Answer, request};

const SECRET: &str = "/v1.0/secrets/files/a";
const OURS: &str = "https://app.example";
const ALLOWED: &str = "access-control-allow-origin";

fn files() -> Files {
    Files::with_secrets(r#"{"a": "1"}"#)
}

fn preflight(origin: &str) -> Vec<(&str, &str)> {
    vec![
        ("origin", origin),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "dapr-api-token"),
    ]
}

#[test]
fn api_g1_pages_of_named_origins_may_call_and_need_the_token() {
    let files = files();
    let sidecar = files
        .start(Start::new())
        .args([
            "--allowed-origins",
            "https://app.example,http://localhost:3000",
        ])
        .serve();
    let send = |method: &str, headers: &[(&str, &str)]| -> Answer {
        request(sidecar.address(), method, SECRET, headers)
    };
    for origin in [OURS, "http://localhost:3000"] {
        let answer = send("OPTIONS", &preflight(origin));
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header(ALLOWED), Some(origin));
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("dapr-api-token")
        );
        let methods = answer
            .header("access-control-allow-methods")
            .expect("methods");
        assert!(methods.contains("GET"), "{methods}");
        assert_eq!(answer.body, b"");

        let answer = send("GET", &[("origin", origin), ("dapr-api-token", TOKEN)]);
        assert_eq!((answer.status, answer.header(ALLOWED)), (200, Some(origin)));
        assert_eq!(answer.text(), r#"{"a":"1"}"#);
        let answer = send("GET", &[("origin", origin)]);
        assert_eq!((answer.status, answer.header(ALLOWED)), (401, Some(origin)));
    }
    for origin in ["https://other.example", "https://app.example.evil", "null"] {
        let answer = send("OPTIONS", &preflight(origin));
        assert_eq!(answer.header(ALLOWED), None, "{origin}");
        let answer = send("GET", &[("origin", origin), ("dapr-api-token", TOKEN)]);
        assert_eq!(
            (answer.status, answer.header(ALLOWED)),
            (200, None),
            "{origin}"
        );
    }
    // What is no preflight is a request like any other.
    let bare: [&[(&str, &str)]; 3] = [
        &[],
        &[("origin", OURS)],
        &[("access-control-request-method", "GET")],
    ];
    for headers in bare {
        assert_eq!(send("OPTIONS", headers).status, 401, "{headers:?}");
    }
}

#[test]
fn api_g1_cors_is_off_by_default_and_for_daprds_default() {
    let files = files();
    let rows: [(&str, &[&str]); 2] = [
        ("default", &[]),
        ("daprd's", &["--profile", "daprd", "--allowed-origins", "*"]),
    ];
    for (name, args) in rows {
        let sidecar = files.start(Start::new()).args(args).serve();
        let answer = request(sidecar.address(), "OPTIONS", SECRET, &preflight(OURS));
        assert_eq!(answer.status, 401, "{name}");
        let headers = [("origin", OURS), ("dapr-api-token", TOKEN)];
        let answer = request(sidecar.address(), "GET", SECRET, &headers);
        assert_eq!(
            (answer.status, answer.header(ALLOWED)),
            (200, None),
            "{name}"
        );
    }
    let sidecar = files
        .start(Start::new())
        .args(["--allowed-origins", "*"])
        .serve();
    let answer = request(sidecar.address(), "OPTIONS", SECRET, &preflight(OURS));
    assert_eq!((answer.status, answer.header(ALLOWED)), (200, Some("*")));
}

#[test]
fn api_g1_what_is_no_origin_is_refused_by_the_flag() {
    for origin in ["app.example", "https://app.example/", "https://*.example"] {
        let output = Start::new().args(["--allowed-origins", origin]).finish();
        assert_eq!(output.code(), Some(2), "{origin}: {}", output.stderr);
        assert!(
            output.stderr.contains("--allowed-origins"),
            "{}",
            output.stderr
        );
    }
}
