//! Nothing that the process says holds a token or a secret, at any log level.

use crate::http2::{Client, Window};
use crate::process::{Output, Start, TOKEN};
use crate::store_files::{Files, file_store};
use crate::wire;

const SECRET: &str = "value-of-a-secret";
const VARIABLE: &str = "value-of-a-variable";
const PREVIOUS: &str = "the-token-before-this";
const WRONG: &str = "a-token-of-somebody-else";

fn assert_silent(name: &str, output: &Output) {
    for (what, value) in [
        ("the token", TOKEN),
        ("the previous token", PREVIOUS),
        ("a wrong token", WRONG),
        ("a secret", SECRET),
        ("a variable", VARIABLE),
    ] {
        // The first half would be a leak too.
        let value = &value[..value.len() / 2 + 1];
        assert!(
            !output.stdout.contains(value),
            "{name}: {what} on stdout:\n{}",
            output.stdout
        );
        assert!(
            !output.stderr.contains(value),
            "{name}: {what} on stderr:\n{}",
            output.stderr
        );
    }
}

#[test]
fn s7_auth_o3_nothing_secret_is_said_while_requests_are_served_and_refused() {
    let files = Files::with_secrets(format!(r#"{{"a": "{SECRET}", "b": {{"c": "{SECRET}"}}}}"#)).file(
        "resources/variables.yaml",
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: variables\nspec:\n  type: \
         secretstores.local.env\n  version: v1\n  metadata:\n    - name: prefix\n      value: DEMO_\n",
    );
    for (profile, json) in [
        ("documented", "--log-as-json=false"),
        ("daprd", "--log-as-json=true"),
    ] {
        let sidecar = files
            .start(Start::new())
            .env("DAPR_API_TOKEN_PREVIOUS", PREVIOUS)
            .env("DEMO_A", VARIABLE)
            .args(["--log-level", "trace", "--profile", profile, json])
            .serve();
        let address = match sidecar.ready_line().strip_prefix("listening ") {
            Some(_) => sidecar.address(),
            None => {
                let line: serde_json::Value =
                    serde_json::from_str(sidecar.ready_line()).expect("JSON");
                line["http"][0]
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .expect("an address")
            }
        };
        let mut served = 0;
        for token in [TOKEN, PREVIOUS, WRONG, ""] {
            let paths = [
                "/v1.0/secrets/files/a".to_owned(),
                "/v1.0/secrets/files/b:c".to_owned(),
                "/v1.0/secrets/files/bulk".to_owned(),
                "/v1.0/secrets/files/gone".to_owned(),
                "/v1.0/secrets/nobody/a".to_owned(),
                "/v1.0/secrets/files/%zz".to_owned(),
                "/v1.0/secrets/variables/A".to_owned(),
                "/v1.0/secrets/variables/bulk".to_owned(),
                "/v1.0/metadata".to_owned(),
                "/v1.0/healthz".to_owned(),
                format!("/v1.0/nothing?dapr-api-token={token}"),
            ];
            for path in paths {
                let answer = wire::request(address, "GET", &path, &[("dapr-api-token", token)]);
                served +=
                    usize::from(answer.text().contains(SECRET) || answer.text().contains(VARIABLE));
                let mut client = Client::connect(address, Window::Open);
                client.send("GET", &path, Some(token));
            }
            let headers = [("dapr-api-token", token), ("dapr-api-token", WRONG)];
            wire::request(address, "GET", "/v1.0/secrets/files/a", &headers);
            let broken = format!(
                "GET /v1.0/secrets/files/a HTTP/1.1\r\ndapr-api-token: {token}\r\nbad name: {token}\r\n\r\n"
            );
            wire::send(address, &broken);
        }
        assert_eq!(served, 10, "the secrets were served to both good tokens");
        let output = sidecar.stop();
        assert!(output.stderr.contains("drained"), "{}", output.stderr);
        assert_silent(profile, &output);
    }
}

#[test]
fn s7_auth_o4_nothing_secret_is_said_when_the_start_fails() {
    let rows = [
        (
            "JSON cut short",
            Files::with_secrets(format!(r#"{{"a": "{SECRET}"#)),
        ),
        (
            "JSON without a comma",
            Files::with_secrets(format!(r#"{{"a": "{SECRET}" "{SECRET}"}}"#)),
        ),
        (
            "a bare word",
            Files::with_secrets(format!(r#"{{"a": {SECRET}}}"#)),
        ),
        (
            "a text alone",
            Files::with_secrets(format!(r#""{SECRET}""#)),
        ),
        (
            "the same member twice",
            Files::with_secrets(format!(r#"{{"a": "{SECRET}", "a": "{SECRET}"}}"#)),
        ),
        (
            "a value in the wrong place",
            Files::empty().file(
                "resources/files.yaml",
                file_store("files", "secrets.json")
                    .replace("value: secrets.json", &format!("value: [{SECRET}]")),
            ),
        ),
    ];
    for (name, files) in rows {
        for subcommand in ["run", "validate"] {
            let output = files
                .start(Start::bare().args([subcommand]))
                .env("DAPR_API_TOKEN", TOKEN)
                .args(["--dapr-http-port", "0", "--log-level", "trace"])
                .finish();
            assert_eq!(output.code(), Some(1), "{name}: {}", output.stderr);
            assert_silent(name, &output);
        }
    }
}
