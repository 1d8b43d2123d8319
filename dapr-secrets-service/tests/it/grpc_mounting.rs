//! gRPC and HTTP on one port, with health beside them, in tonic's own server.

use axum::Router;
use dapr_secrets_service::{Engine, FileStore, SecretsService};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::service::Routes;
use tonic::transport::{Endpoint, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::call::secret_of;
use crate::dapr::dapr_client::DaprClient;

#[tokio::test]
async fn api_f1_api_f3_grpc_health_and_http_share_a_port() {
    let store = FileStore::builder()
        .parse(r#"{"plain": "3"}"#)
        .expect("valid");
    let engine = Engine::builder()
        .add_store("s", store)
        .build()
        .expect("sound");
    let http = SecretsService::new(engine);
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_serving::<dapr_secrets_service::SecretsGrpc>()
        .await;
    let own = Router::new()
        .route("/own", axum::routing::get(|| async { "own" }))
        .fallback_service(http.clone());
    let routes = Routes::from(own)
        .add_service(http.grpc())
        .add_service(health);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(
        Server::builder()
            .accept_http1(true)
            .add_routes(routes)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );

    let channel = Endpoint::try_from(format!("http://{address}")).expect("an address");
    let channel = channel.connect().await.expect("listening");
    let mut client = DaprClient::new(channel.clone());
    let answer = client.get_secret(secret_of("s", "plain")).await;
    assert_eq!(answer.expect("answered").into_inner().data["plain"], "3");
    let missing = client.get_secret(secret_of("s", "nope")).await;
    assert_eq!(missing.expect_err("missing").code(), Code::NotFound);
    let mut health = HealthClient::new(channel);
    let request = HealthCheckRequest {
        service: "dapr.proto.runtime.v1.Dapr".into(),
    };
    let answer = health.check(request).await.expect("answered");
    assert_eq!(answer.into_inner().status, 1, "SERVING");

    for (target, status, body) in [
        ("/v1.0/secrets/s/plain", 200, r#"{"plain":"3"}"#),
        ("/v1.0/secrets/s/nope", 204, ""),
        ("/own", 200, "own"),
    ] {
        let socket = TcpStream::connect(address).await.expect("listening");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .expect("HTTP/1.1");
        tokio::spawn(connection);
        let request = http::Request::get(target)
            .header("host", "localhost")
            .body(Empty::<bytes::Bytes>::new())
            .expect("a request");
        let response = sender.send_request(request).await.expect("answered");
        assert_eq!(response.status().as_u16(), status, "{target}");
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("whole")
            .to_bytes();
        assert_eq!(bytes, body, "{target}");
    }
}
