//! Health, metadata, shutdown, and paths as raw bytes.

use serde_json::json;

use crate::process::{Sidecar, Start, TOKEN};
use crate::store_files::{Files, file_store};
use crate::wire::{self, Answer, get, get_anonymously, request};

const WITH_TOKEN: [(&str, &str); 1] = [("dapr-api-token", TOKEN)];

fn started(files: &Files) -> Sidecar {
    files.start(Start::new()).serve()
}

#[test]
fn api_g3_api_b3_health_routes() {
    let files = Files::with_secrets("{}");
    let sidecar = started(&files);
    // method, path, status without a token, status with it
    let rows = [
        ("GET", "/v1.0/healthz", 204, 204),
        ("GET", "/v1.0/healthz?x=1", 204, 204),
        ("GET", "/v1.0/healthz/outbound", 204, 204),
        ("GET", "http://127.0.0.1/v1.0/healthz", 204, 204),
        ("HEAD", "/v1.0/healthz", 401, 204),
        ("HEAD", "/v1.0/healthz/outbound", 401, 204),
        ("GET", "/v1.0/healthz/", 401, 204),
        ("GET", "//v1.0/healthz", 401, 204),
        ("GET", "/v1.0//healthz/outbound/", 401, 204),
        ("POST", "/v1.0/healthz", 401, 405),
        ("OPTIONS", "/v1.0/healthz/outbound", 401, 405),
        ("GET", "/v1.0/%68ealthz", 401, 404),
        ("GET", "/v1.0/healthz%2F", 401, 404),
        ("GET", "/V1.0/healthz", 401, 404),
        ("GET", "/healthz", 401, 404),
        ("GET", "/v1.0/healthz/outbound/x", 401, 404),
        ("GET", "/v1.0/x/../healthz", 401, 404),
        ("GET", "/v1.0/./healthz", 401, 404),
    ];
    for (method, path, anonymous, with_token) in rows {
        let answer = request(sidecar.address(), method, path, &[]);
        assert_eq!(answer.status, anonymous, "{method} {path} without a token");
        let answer = request(sidecar.address(), method, path, &WITH_TOKEN);
        assert_eq!(answer.status, with_token, "{method} {path} with the token");
    }
}

#[test]
fn api_g3_own_errors_have_a_code_and_say_what_is_allowed() {
    let files = Files::with_secrets("{}");
    let sidecar = started(&files);
    let rows = [
        (
            "POST",
            "/v1.0/healthz",
            405,
            "ERR_METHOD_NOT_ALLOWED",
            Some("GET, HEAD"),
        ),
        (
            "DELETE",
            "/v1.0/metadata",
            405,
            "ERR_METHOD_NOT_ALLOWED",
            Some("GET, HEAD"),
        ),
        (
            "GET",
            "/v1.0/shutdown",
            405,
            "ERR_METHOD_NOT_ALLOWED",
            Some("POST"),
        ),
        ("GET", "/v1.0/nothing", 404, "ERR_NOT_FOUND", None),
        ("GET", "/", 404, "ERR_NOT_FOUND", None),
        ("POST", "/v1.0/state/x", 404, "ERR_NOT_FOUND", None),
    ];
    for (method, path, status, code, allow) in rows {
        let answer = request(sidecar.address(), method, path, &WITH_TOKEN);
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            answer.error_code().as_deref(),
            Some(code),
            "{method} {path}"
        );
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{method} {path}"
        );
    }
}

#[test]
fn api_g3_metadata_has_the_recorded_shape() {
    let multi =
        file_store("multi", "secrets.json") + "    - name: multiValued\n      value: \"true\"\n";
    let files = Files::with_secrets("{}")
        .file("resources/a-multi.yaml", multi)
        .file(
            "resources/z-env.yaml",
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: variables\nspec:\n  type: \
             secretstores.local.env\n  version: v1\n",
        );
    let sidecar = files.start(Start::new()).args(["--app-id", "t"]).serve();
    let answer = get(sidecar.address(), "/v1.0/metadata");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({
        "id": "t",
        "runtimeVersion": version,
        "components": [
            {
                "name": "multi",
                "type": "secretstores.local.file",
                "version": "v1",
                "capabilities": ["MULTIPLE_KEY_VALUES_PER_SECRET"],
            },
            { "name": "files", "type": "secretstores.local.file", "version": "v1" },
            { "name": "variables", "type": "secretstores.local.env", "version": "v1" },
        ],
        "extended": { "daprRuntimeVersion": version },
    });
    assert_eq!(answer.json(), Some(expected));

    let head = request(sidecar.address(), "HEAD", "/v1.0/metadata", &WITH_TOKEN);
    assert_eq!(head.status, 200);
    assert_eq!(
        head.header("content-length"),
        answer.header("content-length")
    );
    assert_eq!(head.body, b"");
    assert_eq!(
        get_anonymously(sidecar.address(), "/v1.0/metadata").status,
        401
    );
}

#[test]
fn api_g3_the_metadata_id_is_empty_without_an_app_id() {
    let files = Files::with_secrets("{}");
    let sidecar = started(&files);
    let body = get(sidecar.address(), "/v1.0/metadata")
        .json()
        .expect("JSON");
    assert_eq!(body["id"], "");
}

#[test]
fn api_g3_s12_a_store_that_may_fail_does_not_make_the_rest_unhealthy() {
    let failing = file_store("failing", "gone.json") + "  ignoreErrors: true\n";
    let files = Files::with_secrets("{\"a\": \"1\"}").file("resources/failing.yaml", failing);
    let sidecar = started(&files);
    assert_eq!(
        get_anonymously(sidecar.address(), "/v1.0/healthz/outbound").status,
        204
    );
    let answer = get(sidecar.address(), "/v1.0/secrets/failing/a");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.error_code().as_deref(),
        Some("ERR_SECRET_STORE_MISCONFIGURED")
    );
    assert_eq!(get(sidecar.address(), "/v1.0/secrets/files/a").status, 200);
    let metadata = get(sidecar.address(), "/v1.0/metadata")
        .json()
        .expect("JSON");
    assert_eq!(metadata["extended"]["notReadyStores"], "failing");
}

#[test]
fn api_g3_a_store_that_must_not_fail_and_did_makes_outbound_health_fail() {
    // Lenient goes on past a metadata key that it does not know, without the store.
    let misspelt =
        file_store("must", "secrets.json") + "    - name: multiValud\n      value: \"true\"\n";
    let files = Files::with_secrets("{\"a\": \"1\"}").file("resources/must.yaml", misspelt);
    for (profile, has_details) in [("documented", true), ("daprd", false)] {
        let sidecar = files
            .start(Start::new())
            .args(["--lenient", "--profile", profile])
            .serve();
        let path = "/v1.0/healthz/outbound";
        let answer = get_anonymously(sidecar.address(), path);
        assert_eq!(answer.status, 500, "{profile}");
        let code = answer.error_code();
        assert_eq!(code.as_deref(), Some("ERR_OUTBOUND_HEALTH_NOT_READY"));
        assert!(!answer.text().contains("must"), "{}", answer.text());
        let body = answer.json().expect("JSON");
        assert_eq!(body.get("details").is_some(), has_details, "{profile}");
        let head = request(sidecar.address(), "HEAD", path, &WITH_TOKEN);
        assert_eq!((head.status, head.body.as_slice()), (500, &b""[..]));
        // The listeners are another matter, and so is the store that works.
        let health = get_anonymously(sidecar.address(), "/v1.0/healthz");
        assert_eq!(health.status, 204, "{profile}");
        assert_eq!(get(sidecar.address(), "/v1.0/secrets/files/a").status, 200);
    }
}

#[test]
fn api_g3_metadata_names_the_stores_that_are_not_ready() {
    let failing = |name: &str| file_store(name, "gone.json") + "  ignoreErrors: true\n";
    let files = Files::with_secrets("{}")
        .file("resources/a.yaml", failing("plain"))
        .file("resources/b.yaml", failing("with, 100%"));
    let sidecar = started(&files);
    let metadata = get(sidecar.address(), "/v1.0/metadata")
        .json()
        .expect("JSON");
    let extended = json!({
        "daprRuntimeVersion": env!("CARGO_PKG_VERSION"),
        "notReadyStores": "plain,with%2C 100%25",
    });
    assert_eq!(metadata["extended"], extended);
    assert_eq!(metadata["components"].as_array().map(Vec::len), Some(3));
    // Without a token nobody learns their names.
    for path in ["/v1.0/metadata", "/v1.0/healthz/outbound"] {
        let text = get_anonymously(sidecar.address(), path).text();
        assert!(!text.contains("plain"), "{path}: {text}");
    }
}

#[test]
fn without_a_store_every_secret_is_an_error_of_the_configuration() {
    let sidecar = Start::new().serve();
    let answer = get(sidecar.address(), "/v1.0/secrets/a/b");
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.error_code().as_deref(),
        Some("ERR_SECRET_STORES_NOT_CONFIGURED")
    );
    assert_eq!(
        get_anonymously(sidecar.address(), "/v1.0/healthz/outbound").status,
        204
    );
}

#[test]
fn api_b1_api_b3_auth_x1_auth_x2_paths_are_taken_byte_by_byte() {
    let files = Files::with_secrets(r#"{"a": "1", "..": "dots", "a b": "2", "%": "3"}"#);
    let sidecar = started(&files);
    // target, status without a token, status with it
    let rows: [(&[u8], u16, u16); 20] = [
        (b"/v1.0/secrets/files/a", 401, 200),
        (b"//v1.0/secrets/files/a", 401, 200),
        (b"/v1.0/secrets//files/a/", 401, 200),
        (b"http://localhost/v1.0/secrets/files/a", 401, 200),
        (
            b"http://elsewhere.example/v1.0/healthz/../secrets/files/a",
            401,
            404,
        ),
        (b"/v1.0/secrets/files/%zz", 401, 400),
        (b"/v1.0/secrets/files/%", 401, 400),
        (b"/v1.0/secrets/x/%zz", 401, 400),
        (b"/v1.0/secrets/files/%ff", 401, 400),
        (b"/v1.0/secrets/files/%0a", 401, 400),
        (b"/v1.0/secrets/files/%25", 401, 200),
        (b"/v1.0/secrets/files/a+b", 401, 200),
        (b"/v1.0/secrets/files/..", 401, 404),
        (b"/v1.0/secrets/files/%2e%2e", 401, 200),
        (b"/v1.0/secrets/files/../files/a", 401, 404),
        (b"/v1.0/secrets/files", 401, 404),
        (b"/v1.0/secrets/files/a/b", 401, 404),
        (b"/v1.0/secrets/files/a?/v1.0/healthz", 401, 200),
        (b"/v1.0/healthz;/../secrets/files/a", 401, 404),
        (b"*", 401, 404),
    ];
    for (target, anonymous, with_token) in rows {
        let name = String::from_utf8_lossy(target);
        assert_eq!(
            get_raw(&sidecar, target, "").status,
            anonymous,
            "{name} without a token"
        );
        let header = format!("dapr-api-token: {TOKEN}\r\n");
        let answer = get_raw(&sidecar, target, &header);
        assert_eq!(
            answer.status,
            with_token,
            "{name} with the token: {}",
            answer.text()
        );
    }
}

#[test]
fn a_head_that_is_no_http_is_refused_before_anything_else() {
    let files = Files::with_secrets("{}");
    let sidecar = started(&files);
    let rows: [(&str, &[u8]); 5] = [
        (
            "a space in the target",
            b"GET /v1.0/ healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        ),
        (
            "a control character in the target",
            b"GET /v1.0/\x01 HTTP/1.1\r\nhost: x\r\n\r\n",
        ),
        ("no version", b"GET /v1.0/healthz\r\n\r\n"),
        (
            "a bad header name",
            b"GET /v1.0/healthz HTTP/1.1\r\nbad name: x\r\n\r\n",
        ),
        (
            "nonsense",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        ),
    ];
    for (name, head) in rows {
        assert_eq!(
            wire::send_bytes(sidecar.address(), head).status,
            400,
            "{name}"
        );
    }
    assert_eq!(
        get_anonymously(sidecar.address(), "/v1.0/healthz").status,
        204
    );
}

fn get_raw(sidecar: &Sidecar, target: &[u8], headers: &str) -> Answer {
    let mut head = b"GET ".to_vec();
    head.extend_from_slice(target);
    head.extend_from_slice(b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    head.extend_from_slice(headers.as_bytes());
    head.extend_from_slice(b"\r\n");
    wire::send_bytes(sidecar.address(), &head)
}
