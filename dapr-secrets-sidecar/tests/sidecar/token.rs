//! The token check in front of everything, as a caller meets it.

use crate::process::{Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{get, get_anonymously, request};

const SECRET: &str = "/v1.0/secrets/files/a";

fn files() -> Files {
    Files::with_secrets(r#"{"a": "1"}"#)
}

#[test]
fn api_g2_everything_but_two_probes_needs_the_token() {
    let files = files();
    let sidecar = files.start(Start::new()).serve();
    let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "PROPFIND",
    ];
    let paths = [
        SECRET,
        "/v1.0/secrets/files/bulk",
        "/v1.0/metadata",
        "/v1.0/shutdown",
        "/v1.0/healthz",
        "/v1.0/healthz/outbound",
        "/v1.0/nothing",
        "/",
        "/v1.0/invoke/x/method/y",
        "/metrics",
        "/healthz",
    ];
    let mut anonymous = Vec::new();
    for method in methods {
        for path in paths {
            let answer = request(sidecar.address(), method, path, &[]);
            if answer.status == 204 {
                anonymous.push((method, path));
            } else {
                assert_eq!(answer.status, 401, "{method} {path}");
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some("Dapr-Api-Token"),
                    "{method} {path}"
                );
            }
        }
    }
    let exempt = [("GET", "/v1.0/healthz"), ("GET", "/v1.0/healthz/outbound")];
    assert_eq!(anonymous, exempt);
    // A refused shutdown has shut nothing down.
    assert_eq!(get(sidecar.address(), SECRET).status, 200);
}

#[test]
fn auth_e1_auth_e2_auth_e3_auth_j1_only_the_one_right_header_value_passes() {
    let files = files();
    let sidecar = files.start(Start::new()).serve();
    let one_byte_off = format!("{}4", &TOKEN[..TOKEN.len() - 1]);
    let longer = format!("{TOKEN}x");
    let list = format!("{TOKEN},{TOKEN}");
    let bearer = format!("Bearer {TOKEN}");
    let cookie = format!("dapr-api-token={TOKEN}");
    let too_long = "x".repeat(1025);
    let missing = "ERR_API_TOKEN_MISSING";
    let invalid = "ERR_API_TOKEN_INVALID";
    let rows: [(&str, &[(&str, &str)], Option<&str>); 15] = [
        ("right", &[("dapr-api-token", TOKEN)], None),
        ("upper-case name", &[("DAPR-API-TOKEN", TOKEN)], None),
        ("none", &[], Some(missing)),
        ("empty", &[("dapr-api-token", "")], Some(invalid)),
        ("wrong", &[("dapr-api-token", "wrong")], Some(invalid)),
        (
            "one byte off",
            &[("dapr-api-token", &one_byte_off)],
            Some(invalid),
        ),
        ("longer", &[("dapr-api-token", &longer)], Some(invalid)),
        ("shorter", &[("dapr-api-token", &TOKEN[1..])], Some(invalid)),
        ("too long", &[("dapr-api-token", &too_long)], Some(invalid)),
        (
            "twice",
            &[("dapr-api-token", TOKEN), ("dapr-api-token", TOKEN)],
            Some(invalid),
        ),
        ("as a list", &[("dapr-api-token", &list)], Some(invalid)),
        ("underscores", &[("dapr_api_token", TOKEN)], Some(missing)),
        ("bearer", &[("authorization", &bearer)], Some(missing)),
        ("cookie", &[("cookie", &cookie)], Some(missing)),
        ("another header", &[("x-api-token", TOKEN)], Some(missing)),
    ];
    for (name, headers, refusal) in rows {
        let answer = request(sidecar.address(), "GET", SECRET, headers);
        assert_eq!(
            answer.status,
            if refusal.is_some() { 401 } else { 200 },
            "{name}"
        );
        assert_eq!(answer.error_code().as_deref(), refusal, "{name}");
    }
    let in_query = format!("{SECRET}?dapr-api-token={TOKEN}");
    assert_eq!(get_anonymously(sidecar.address(), &in_query).status, 401);
}

#[test]
fn auth_j7_the_daprd_profile_refuses_as_daprd_does() {
    let files = files();
    let sidecar = files
        .start(Start::new())
        .args(["--profile", "daprd"])
        .serve();
    for headers in [&[][..], &[("dapr-api-token", "wrong")]] {
        let answer = request(sidecar.address(), "GET", SECRET, headers);
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.body, b"invalid api token\n");
    }
}

#[test]
fn auth_r1_the_previous_token_is_accepted_too() {
    let files = files();
    let sidecar = files
        .start(Start::new())
        .env("DAPR_API_TOKEN_PREVIOUS", "the-token-before-this")
        .serve();
    for (token, status) in [
        (TOKEN, 200),
        ("the-token-before-this", 200),
        ("another", 401),
    ] {
        let answer = request(
            sidecar.address(),
            "GET",
            SECRET,
            &[("dapr-api-token", token)],
        );
        assert_eq!(answer.status, status, "{token}");
    }
}

#[test]
fn api_g2_allowing_anonymous_starts_without_a_token_and_warns() {
    let files = files();
    for token in [None, Some("")] {
        let mut start = files.start(Start::bare()).args([
            "--dapr-http-port",
            "0",
            "--insecure-allow-anonymous",
        ]);
        if let Some(token) = token {
            start = start.env("DAPR_API_TOKEN", token);
        }
        let sidecar = start.serve();
        assert_eq!(get_anonymously(sidecar.address(), SECRET).status, 200);
        let stderr = sidecar.stop().stderr;
        assert_eq!(
            stderr.matches("the token check is off").count(),
            1,
            "{stderr}"
        );
    }
}

#[test]
fn api_g2_no_log_level_hides_that_the_token_check_is_off() {
    for (level, json) in [
        ("error", "--log-as-json=false"),
        ("fatal", "--log-as-json=false"),
        ("error", "--log-as-json=true"),
    ] {
        let start = Start::bare().args(["--dapr-http-port", "0", "--insecure-allow-anonymous"]);
        let sidecar = start.args(["--log-level", level, json]).serve();
        let stderr = sidecar.stop().stderr;
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{level}: {stderr}");
        assert!(lines[0].contains("the token check is off"), "{stderr}");
        assert!(lines[0].contains("WARN"), "{stderr}");
    }
}

#[test]
fn api_g2_a_token_that_is_set_is_enforced_even_when_anonymous_callers_are_allowed() {
    let files = files();
    let sidecar = files
        .start(Start::new())
        .args(["--insecure-allow-anonymous"])
        .serve();
    assert_eq!(get_anonymously(sidecar.address(), SECRET).status, 401);
    assert_eq!(get(sidecar.address(), SECRET).status, 200);
    let stderr = sidecar.stop().stderr;
    assert!(stderr.contains("has no effect"), "{stderr}");
}

#[test]
fn api_g2_the_flag_can_be_written_out_as_false() {
    let output = Start::bare()
        .args(["--dapr-http-port", "0", "--insecure-allow-anonymous=false"])
        .finish();
    assert_eq!(output.code(), Some(1), "{}", output.stderr);
}
