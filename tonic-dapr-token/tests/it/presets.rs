//! The presets read the environment of the process: each case runs in a child with an environment of its own.

use std::process::Command;

use http::{Request, Response};
use tonic::service::Interceptor as _;
use tonic_dapr_token::{
    ConfigError, InjectTokenInterceptor, Origin, RequireTokenInterceptor, RequireTokenLayer,
};
use tower::{Layer, ServiceExt, service_fn};

const TOKEN: &str = "apptok";
const CASE: &str = "TONIC_DAPR_TOKEN_TEST_CASE";

#[derive(serde::Deserialize)]
struct Call {
    path: String,
    metadata: Vec<(String, String)>,
}

/// Runs this test again in a child, with just these variables.
fn in_child(test: &str, case: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .env(CASE, case)
        .envs(variables.iter().copied());
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
            in_child(NAME, case, &[("APP_API_TOKEN", TOKEN)]);
        }
        return in_child(NAME, "unset", &[("DAPR_API_TOKEN", TOKEN)]);
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

#[test]
fn r1_i1_i8_the_interceptors_read_the_variable_of_their_side_and_no_other() {
    const NAME: &str =
        "presets::r1_i1_i8_the_interceptors_read_the_variable_of_their_side_and_no_other";
    let Ok(case) = std::env::var(CASE) else {
        in_child(NAME, "app", &[("APP_API_TOKEN", TOKEN)]);
        let elsewhere = ("DAPR_GRPC_ENDPOINT", "https://dapr.example.com");
        in_child(NAME, "dapr", &[("DAPR_API_TOKEN", TOKEN), elsewhere]);
        return in_child(NAME, "unset", &[]);
    };
    let origin = |text: &str| text.parse::<Origin>().expect("an origin");
    let sent = |inject: Result<InjectTokenInterceptor, ConfigError>| {
        let request = inject?.call(tonic::Request::new(())).expect("it goes on");
        let token = request.metadata().get("dapr-api-token").expect("set");
        Ok::<_, ConfigError>(token.to_str().expect("ASCII").to_owned())
    };
    let told =
        |error: &'static str| move |result: String| assert!(result.contains(error), "{result}");
    let require = RequireTokenInterceptor::strict();
    let app = sent(InjectTokenInterceptor::app(origin("https://a.example")));
    let dapr = sent(InjectTokenInterceptor::dapr(origin(
        "https://dapr.example.com",
    )));
    let plain = sent(InjectTokenInterceptor::app(origin("http://a.example")));
    let loopback = sent(InjectTokenInterceptor::dapr(origin(
        "http://127.0.0.1:50001",
    )));
    let foreign = sent(InjectTokenInterceptor::dapr(origin("https://a.example")));
    match case.as_str() {
        "app" => {
            let call = |token: &'static str| {
                let mut request = tonic::Request::new(());
                let token = token.parse().expect("a value");
                request.metadata_mut().insert("dapr-api-token", token);
                request
            };
            let mut require = require.expect("the token is set");
            require.call(call(TOKEN)).expect("the app token");
            require.call(call("other")).expect_err("another");
            assert_eq!(app.as_deref(), Ok(TOKEN));
            told("unencrypted")(plain.expect_err("readable").to_string());
            told("DAPR_API_TOKEN is not set")(loopback.expect_err("unset").to_string());
        }
        "dapr" => {
            assert_eq!(dapr.as_deref(), Ok(TOKEN), "the endpoint");
            assert_eq!(loopback.as_deref(), Ok(TOKEN), "and loopback");
            told("https://a.example:443 may not get the token")(
                foreign.expect_err("elsewhere").to_string(),
            );
            told("APP_API_TOKEN is not set")(app.expect_err("unset").to_string());
            told("APP_API_TOKEN is not set")(require.expect_err("unset").to_string());
        }
        _ => {
            for error in [app, loopback] {
                told("is not set")(error.expect_err("unset").to_string());
            }
            told("is not set")(require.expect_err("unset").to_string());
        }
    }
}
