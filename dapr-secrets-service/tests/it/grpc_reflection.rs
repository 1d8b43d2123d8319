//! The definition of the service, as server reflection hands it out.

use dapr_secrets_service::SecretsGrpc;
use prost::Message;
use tonic::server::NamedService;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::call::{connect, origin};

#[tokio::test]
async fn api_f3_reflection_tells_the_methods_that_are_served() {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(SecretsGrpc::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("descriptors");
    // tonic's services take tonic's body.
    let service = tower::ServiceBuilder::new()
        .map_request(|request: http::Request<hyper::body::Incoming>| {
            request.map(tonic::body::Body::new)
        })
        .service(reflection);
    let mut client = ServerReflectionClient::with_origin(connect(service).await, origin());
    let ask = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let requests = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            SecretsGrpc::NAME.to_owned(),
        )),
    ]);
    let answer = client.server_reflection_info(requests).await;
    let mut answers = answer.expect("answered").into_inner();
    let mut next = async || {
        let answer = answers.message().await.expect("an answer");
        answer.expect("one more").message_response
    };
    let Some(MessageResponse::ListServicesResponse(list)) = next().await else {
        panic!("a list");
    };
    assert!(
        list.service
            .iter()
            .any(|service| service.name == SecretsGrpc::NAME)
    );
    let Some(MessageResponse::FileDescriptorResponse(file)) = next().await else {
        panic!("a file");
    };
    let file = prost_types::FileDescriptorProto::decode(&file.file_descriptor_proto[0][..]);
    let file = file.expect("a descriptor");
    assert_eq!(file.package(), "dapr.proto.runtime.v1");
    let methods: Vec<_> = file.service[0]
        .method
        .iter()
        .map(prost_types::MethodDescriptorProto::name)
        .collect();
    assert_eq!(methods, ["GetSecret", "GetBulkSecret", "GetMetadata"]);
}
