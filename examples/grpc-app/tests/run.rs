//! Starts the example and calls it over a socket, as daprd does and as others do.

#[rustfmt::skip]
#[path = "../src/app_callback.rs"]
mod app_callback;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use app_callback::app_callback_client::AppCallbackClient;
use app_callback::app_callback_health_check_client::AppCallbackHealthCheckClient;
use app_callback::{BindingEventRequest, Data, Empty, InvokeRequest, TopicEventRequest};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_dapr_token::TokenRejection;

const TOKEN: &str = "the-app-token-of-this-test";

/// The example, stopped when the test ends.
struct Running {
    child: Child,
    told: BufReader<ChildStdout>,
}

impl Running {
    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops it; gives what its handlers were called for.
    fn calls(mut self) -> String {
        self.stop();
        let mut told = String::new();
        self.told.read_to_string(&mut told).expect("text");
        told
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(arguments: &[&str]) -> (Running, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_grpc-app"))
        .arg("127.0.0.1:0")
        .args(arguments)
        .env("APP_API_TOKEN", TOKEN)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut told = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    told.read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .expect("an address");
    (Running { child, told }, format!("http://{address}"))
}

fn with<T>(message: T, token: Option<&'static str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let metadata = request.metadata_mut();
        metadata.insert("dapr-api-token", token.parse().expect("a value"));
    }
    request
}

/// The calls that daprd makes with the token, and what they come to.
async fn call(channel: &Channel, token: Option<&'static str>) -> Vec<Result<(), Status>> {
    let mut app = AppCallbackClient::new(channel.clone());
    let invoke = InvokeRequest {
        method: "greet".to_owned(),
        data: Some(Data {
            type_url: String::new(),
            value: b"hello".to_vec(),
        }),
        content_type: "text/plain".to_owned(),
    };
    let invoked = app.on_invoke(with(invoke, token)).await.map(|response| {
        let data = response.into_inner().data.expect("data");
        assert_eq!(data.value, b"hello");
    });
    let event = TopicEventRequest {
        topic: "orders".to_owned(),
        data: b"a book".to_vec(),
        ..TopicEventRequest::default()
    };
    let binding = BindingEventRequest {
        name: "tick".to_owned(),
        ..BindingEventRequest::default()
    };
    vec![
        invoked,
        app.on_topic_event(with(event, token)).await.map(drop),
        app.on_binding_event(with(binding, token)).await.map(drop),
    ]
}

async fn check((running, address): (Running, String), right: &'static str) {
    let channel = Channel::from_shared(address).expect("an address");
    let channel = channel.connect().await.expect("connected");
    for result in call(&channel, Some(right)).await {
        result.expect("the token is right");
    }
    for (token, rejection) in [
        (None, TokenRejection::Missing),
        (Some("guess"), TokenRejection::Invalid),
    ] {
        for result in call(&channel, token).await {
            let status = result.expect_err("refused");
            assert_eq!(status.code(), Code::Unauthenticated);
            assert_eq!(TokenRejection::from_status(&status), Some(rejection));
        }
    }

    let mut app = AppCallbackClient::new(channel.clone());
    let topics = app.list_topic_subscriptions(Empty {}).await;
    assert_eq!(
        topics.expect("exempt").into_inner().subscriptions[0].topic,
        "orders"
    );
    let bindings = app.list_input_bindings(Empty {}).await;
    assert_eq!(bindings.expect("exempt").into_inner().bindings, ["tick"]);
    let mut probe = AppCallbackHealthCheckClient::new(channel);
    probe.health_check(Empty {}).await.expect("exempt");
    assert_eq!(
        running.calls(),
        "invoked greet\nevent of orders: a book\nbinding tick\n",
        "no other call reached a handler"
    );
}

#[tokio::test]
async fn the_app_answers_daprd_and_nobody_else() {
    check(start(&[]), TOKEN).await;
}

#[tokio::test]
async fn a_file_takes_the_place_of_the_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "the-token-in-the-file\n").expect("written");
    let running = start(&[file.to_str().expect("UTF-8")]);
    check(running, "the-token-in-the-file").await;
}

#[test]
fn it_does_not_start_without_a_token() {
    let output = Command::new(env!("CARGO_BIN_EXE_grpc-app"))
        .arg("127.0.0.1:0")
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
