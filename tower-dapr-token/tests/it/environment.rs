//! What the shortest forms read: the environment of the process. Each case runs in a child with an environment
//! of its own, because no test may change the one that all tests share.

use std::process::Command;

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{InjectTokenLayer, RequireTokenLayer};

use crate::support::{NAME, request, send};

const CASE: &str = "TOWER_DAPR_TOKEN_TEST_CASE";
const TEST: &str = "environment::r1_i1_the_shortest_forms_read_their_own_variable_and_no_other";

/// The value that leaves the layer for this address.
async fn injected(layer: &InjectTokenLayer, uri: &str) -> Option<String> {
    let client = layer.layer(service_fn(|request: Request<()>| async move {
        let value = request
            .headers()
            .get(NAME)
            .map(|value| value.to_str().expect("text").to_owned());
        Ok::<_, std::convert::Infallible>(Response::new(value))
    }));
    let request = Request::get(uri).body(()).expect("valid");
    client
        .oneshot(request)
        .await
        .expect("infallible")
        .into_body()
}

#[tokio::test]
async fn r1_i1_the_shortest_forms_read_their_own_variable_and_no_other() {
    const APP: &str = "http://127.0.0.1:8080";
    let app_origin = || APP.parse().expect("an origin");
    match std::env::var(CASE).as_deref() {
        Err(_) => {
            for (case, variables) in [
                ("app", &[("APP_API_TOKEN", "the-app-token")][..]),
                (
                    "dapr",
                    &[
                        ("DAPR_API_TOKEN", "the-dapr-token"),
                        ("DAPR_HTTP_PORT", "4500"),
                    ],
                ),
                ("neither", &[]),
            ] {
                let output = Command::new(std::env::current_exe().expect("a path"))
                    .args(["--exact", TEST, "--nocapture"])
                    .env_clear()
                    .env(CASE, case)
                    .envs(variables.iter().copied())
                    .output()
                    .expect("it runs");
                let stdout = String::from_utf8_lossy(&output.stdout);
                assert!(
                    output.status.success() && stdout.contains("1 passed"),
                    "{case}: {stdout}"
                );
            }
        }
        Ok("app") => {
            let inbound = RequireTokenLayer::from_env().expect("set");
            for (value, status) in [("the-app-token", 200), ("the-dapr-token", 401)] {
                assert_eq!(send(&inbound, request(&[value])).await.0.status, status);
            }
            let outbound = InjectTokenLayer::app(app_origin()).expect("set");
            assert_eq!(
                injected(&outbound, APP).await.as_deref(),
                Some("the-app-token")
            );
            assert!(InjectTokenLayer::dapr().is_err());
        }
        Ok("dapr") => {
            let outbound = InjectTokenLayer::dapr().expect("set");
            for (uri, expected) in [
                (
                    "http://localhost:4500/v1.0/secrets/s/n",
                    Some("the-dapr-token"),
                ),
                ("http://localhost:3500/v1.0/secrets/s/n", None),
            ] {
                assert_eq!(injected(&outbound, uri).await.as_deref(), expected, "{uri}");
            }
            assert!(RequireTokenLayer::from_env().is_err());
            assert!(InjectTokenLayer::app(app_origin()).is_err());
        }
        Ok(_) => {
            assert!(RequireTokenLayer::from_env().is_err());
            assert!(InjectTokenLayer::dapr().is_err());
        }
    }
}
