//! The injecting layer and interceptor around a real channel, before a real server.

use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic_dapr_token::{
    InjectTokenInterceptor, InjectTokenLayer, Origin, RequireTokenLayer, TokenHandle,
    TokenRejection, TokenSet,
};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceBuilder;

use crate::support::{Client, Echo, TOKEN, UNARY, WRONG, channel, layer, serve, with};

#[tokio::test]
async fn i2_i5_a_channel_under_the_layer_sends_the_token_though_its_requests_have_no_authority() {
    let address = serve(layer(), Echo::default()).await;
    let origin: Origin = format!("http://{address}").parse().expect("an origin");
    let builder = || InjectTokenLayer::builder().token(TOKEN.parse().expect("valid"));

    let fixed = builder().for_fixed_origin(origin.clone()).build();
    let stack = ServiceBuilder::new().layer(fixed.expect("valid"));
    let mut client = Client::new(stack.service(channel(address).await));
    for values in [&[][..], &[WRONG], &[WRONG, TOKEN]] {
        let reply = client.unary(UNARY, with("hi", values)).await;
        assert_eq!(reply.expect("accepted"), "hi", "{values:?}: overwritten");
    }

    let listed = builder().add_origin(origin).build();
    let stack = ServiceBuilder::new().layer(listed.expect("valid"));
    let mut client = Client::new(stack.service(channel(address).await));
    let reply = client.unary(UNARY, with("hi", &[])).await;
    let status = reply.expect_err("nobody said where this channel goes");
    assert_eq!(
        TokenRejection::from_status(&status),
        Some(TokenRejection::Missing)
    );
}

/// Its type can be written down, here as a field's.
struct Sidecar {
    health: HealthClient<InterceptedService<Channel, InjectTokenInterceptor>>,
}

#[tokio::test]
async fn i7_i8_a_client_with_the_interceptor_follows_a_token_that_changes() {
    let tokens = TokenHandle::new(TokenSet::new(TOKEN.parse().expect("valid")));
    let require = RequireTokenLayer::builder().reader(tokens.reader());
    let layer = require.build().expect("valid").into();
    // Any unary call is echoed, and an empty message is a health check's answer too.
    let address = serve(layer, Echo::default()).await;

    let origin: Origin = format!("http://{address}").parse().expect("an origin");
    let inject = InjectTokenInterceptor::builder()
        .reader(tokens.reader())
        .add_origin(origin.clone())
        .build_injector(origin)
        .expect("valid");
    let channel = channel(address).await;
    let mut sidecar = Sidecar {
        health: HealthClient::with_interceptor(channel, inject.into()),
    };
    for next in ["the-second-token-of-it", "the-third-token-of-it"] {
        let answer = sidecar.health.check(HealthCheckRequest::default()).await;
        answer.expect("the current token was sent");
        tokens.rotate(next.parse().expect("valid")).expect("fits");
        let ended = tokens.revoke_previous();
        assert_eq!(ended, 1, "nothing but {next} is accepted now");
    }
    let answer = sidecar.health.check(HealthCheckRequest::default()).await;
    answer.expect("the current token was sent");
}
