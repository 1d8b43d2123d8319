//! The layer around one service of several, through tonic's `named_layer`.

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::server::NamedService;
use tonic::service::LayerExt as _;
use tonic::transport::Server;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Client, Echo, TOKEN, UNARY, channel, layer, with};

fn name<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

#[tokio::test]
async fn x4_a_service_under_named_layer_keeps_its_name_and_is_the_only_one_covered() {
    let echo = Echo::default();
    let covered = layer().named_layer(echo.clone());
    assert_eq!(name(&covered), "test.Echo");

    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(
        Server::builder()
            .add_service(covered)
            .add_service(health)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let channel = channel(address).await;
    let mut client = Client::new(channel.clone());

    let refused = client.unary(UNARY, with("hi", &[])).await;
    assert_eq!(refused.expect_err("no token").code(), Code::Unauthenticated);
    let reply = client.unary(UNARY, with("hi", &[TOKEN])).await;
    assert_eq!(reply.expect("accepted"), "hi");
    assert_eq!(echo.take().len(), 1);

    let mut health = HealthClient::new(channel);
    health
        .check(HealthCheckRequest::default())
        .await
        .expect("not covered");
    let elsewhere = client.unary("/test.Other/Unary", with("hi", &[])).await;
    assert_eq!(
        elsewhere.expect_err("no such service").code(),
        Code::Unimplemented,
        "the layer answers for its own service alone"
    );
}
