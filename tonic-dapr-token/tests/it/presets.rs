//! The presets read the environment of the process: each case runs in a child with an environment of its own.

use std::process::Command;

use http::{Request, Response};
use tonic_dapr_token::RequireTokenLayer;
use tower::{Layer, ServiceExt, service_fn};

const TOKEN: &str = "apptok";
const CASE: &str = "TONIC_DAPR_TOKEN_TEST_CASE";

#[derive(serde::Deserialize)]
struct Call {
    path: String,
    metadata: Vec<(String, String)>,
}

/// Runs this test again in a child, with just these variables.
fn in_child(test: &str, case: &str, token: Option<&str>) {
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .env(CASE, case);
    if let Some(token) = token {
        child.env("APP_API_TOKEN", token);
    }
    let output = child.output().expect("it runs");
    assert!(
        output.status.success(),
        "{case}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{case} ran"
    );
}

async fn accepts(layer: &RequireTokenLayer, call: &Call, with_token: bool) -> bool {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        assert!(
            !request.headers().contains_key("dapr-api-token"),
            "the handler never sees it"
        );
        Ok::<_, std::convert::Infallible>(Response::new(String::new()))
    }));
    let mut request = Request::post(&call.path)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc");
    for (name, value) in &call.metadata {
        if with_token || name != "dapr-api-token" {
            request = request.header(name, value);
        }
    }
    let response = service
        .oneshot(request.body(()).expect("valid"))
        .await
        .expect("infallible");
    !response.headers().contains_key("grpc-status")
}

#[tokio::test]
async fn r1_x4_the_presets_read_the_app_token_and_exempt_what_daprd_sends_without_one() {
    const NAME: &str =
        "presets::r1_x4_the_presets_read_the_app_token_and_exempt_what_daprd_sends_without_one";
    let Ok(case) = std::env::var(CASE) else {
        for case in ["for_dapr_app", "strict"] {
            in_child(NAME, case, Some(TOKEN));
        }
        return in_child(NAME, "unset", None);
    };
    if case == "unset" {
        for refused in [
            RequireTokenLayer::for_dapr_app(),
            RequireTokenLayer::strict(),
        ] {
            let error = refused.expect_err("there is no token").to_string();
            assert!(error.contains("APP_API_TOKEN is not set"), "{error}");
        }
        return;
    }
    let strict = case == "strict";
    let layer = if strict {
        RequireTokenLayer::strict()
    } else {
        RequireTokenLayer::for_dapr_app()
    };
    let layer = layer.expect("the token is set");
    let recorded = include_str!(
        "../../../tower-dapr-token/tests/recorded/daprd-1.18.1/daprd-to-app-grpc.ndjson"
    );
    for line in recorded.lines() {
        let call: Call = serde_json::from_str(line).expect("a recorded line");
        let carries = call
            .metadata
            .iter()
            .any(|(name, _)| name == "dapr-api-token");
        assert_eq!(
            accepts(&layer, &call, true).await,
            carries || !strict,
            "{}",
            call.path
        );
        assert_eq!(
            accepts(&layer, &call, false).await,
            !carries && !strict,
            "{}",
            call.path
        );
    }
}
