//! A tonic server on a loopback socket behind the layer. Its service is the standard health service: small,
//! generated elsewhere, and with a unary and a streaming call.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_dapr_token::RequireTokenLayer;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

const TOKEN: &str = "the-token-that-is-accepted-43-bytes-long-ok";
const WRONG: &str = "the-token-that-is-accepted-43-bytes-long-oK";

async fn serve(layer: RequireTokenLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (_, health) = tonic_health::server::health_reporter();
    tokio::spawn(
        Server::builder()
            .layer(layer)
            .add_service(health)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    address
}

async fn client(address: SocketAddr) -> HealthClient<Channel> {
    let channel = Channel::from_shared(format!("http://{address}"))
        .expect("an address")
        .connect()
        .await
        .expect("connected");
    HealthClient::new(channel)
}

fn call(values: &[&str]) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest::default());
    for value in values {
        let value = MetadataValue::try_from(*value).expect("a value");
        request.metadata_mut().append("dapr-api-token", value);
    }
    request
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("an ErrorInfo");
    assert_eq!(info.domain, "dapr.io");
    info.reason.clone()
}

#[tokio::test]
async fn e2_j2_j3_a_tonic_client_sees_unauthenticated_with_its_reason_and_stays_connected() {
    let layer = RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .build();
    let address = serve(layer.expect("valid").into()).await;
    let mut client = client(address).await;
    let refused = [
        ("none", &[][..], "API_TOKEN_MISSING", "missing api token"),
        ("wrong", &[WRONG], "API_TOKEN_INVALID", "invalid api token"),
        ("empty", &[""], "API_TOKEN_INVALID", "invalid api token"),
        (
            "twice",
            &[TOKEN, TOKEN],
            "API_TOKEN_INVALID",
            "invalid api token",
        ),
    ];
    for (name, values, expected, message) in refused {
        for status in [
            client.check(call(values)).await.expect_err(name),
            client.watch(call(values)).await.expect_err(name),
        ] {
            assert_eq!(status.code(), Code::Unauthenticated, "{name}");
            assert_eq!(status.message(), message, "{name}");
            assert_eq!(reason(&status), expected, "{name}");
        }
        client
            .check(call(&[TOKEN]))
            .await
            .expect("the connection is usable still");
    }
    let mut stream = client
        .watch(call(&[TOKEN]))
        .await
        .expect("accepted")
        .into_inner();
    assert!(
        stream.message().await.expect("a message").is_some(),
        "streams pass unchanged"
    );
}

#[tokio::test]
async fn x4_an_exempt_call_needs_no_token() {
    let layer = RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .grpc_health()
        .build()
        .expect("valid");
    let mut client = client(serve(layer.into()).await).await;
    for values in [&[][..], &[WRONG], &[TOKEN]] {
        client.check(call(values)).await.expect("exempt");
    }
}
