//! A generated client and a generated service, the standard health service, on one connection behind the layer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::transport::{Channel, Server};
use tonic_dapr_token::RequireTokenLayer;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{TOKEN, WRONG, channel, layer, with};

/// Gives the number of connections that it took, too.
async fn serve(layer: RequireTokenLayer) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let connections = Arc::<AtomicUsize>::default();
    let taken = Arc::clone(&connections);
    let incoming = TcpListenerStream::new(listener).map(move |connection| {
        taken.fetch_add(1, Ordering::SeqCst);
        connection
    });
    let (_, health) = tonic_health::server::health_reporter();
    tokio::spawn(
        Server::builder()
            .layer(layer)
            .add_service(health)
            .serve_with_incoming(incoming),
    );
    (address, connections)
}

fn call(values: &[&str]) -> tonic::Request<HealthCheckRequest> {
    with(HealthCheckRequest::default(), values)
}

#[tokio::test]
async fn j2_after_refusals_the_connection_is_usable_still() {
    let (address, connections) = serve(layer()).await;
    let mut client: HealthClient<Channel> = HealthClient::new(channel(address).await);
    for values in [&[][..], &[WRONG], &[""], &[TOKEN, TOKEN]] {
        for refused in [
            client.check(call(values)).await.map(drop),
            client.watch(call(values)).await.map(drop),
        ] {
            let status = refused.expect_err("refused");
            assert_eq!(status.code(), Code::Unauthenticated, "{values:?}");
        }
        client.check(call(&[TOKEN])).await.expect("accepted");
        let stream = client.watch(call(&[TOKEN])).await.expect("accepted");
        let first = stream.into_inner().message().await;
        assert!(first.expect("a message").is_some(), "{values:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "all on the same one");
}

#[tokio::test]
async fn x4_an_exempt_call_needs_no_token() {
    let layer = RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .grpc_health()
        .build()
        .expect("valid");
    let (address, _) = serve(layer.into()).await;
    let mut client = HealthClient::new(channel(address).await);
    for values in [&[][..], &[WRONG], &[TOKEN]] {
        client.check(call(values)).await.expect("exempt");
    }
}
