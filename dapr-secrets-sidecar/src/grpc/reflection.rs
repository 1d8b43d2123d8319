//! Server reflection: which services and messages there are, for tools that have no `.proto` file.

use std::convert::Infallible;

use dapr_secrets_service::SecretsGrpc;
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic_reflection::server::Builder;
use tower::util::BoxCloneSyncService;

type Service = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

/// Both versions of the service: tools ask for the one or the other.
pub(super) struct Reflection {
    v1: Option<Service>,
    v1_alpha: Option<Service>,
}

impl Reflection {
    pub(super) fn new() -> Self {
        // Descriptors that are compiled in cannot be malformed; were they, reflection would not be served.
        Self {
            v1: builder().build_v1().ok().map(Service::new),
            v1_alpha: builder().build_v1alpha().ok().map(Service::new),
        }
    }

    /// The service of this name.
    pub(super) fn find(&self, name: &str) -> Option<Service> {
        match name {
            "grpc.reflection.v1.ServerReflection" => self.v1.clone(),
            "grpc.reflection.v1alpha.ServerReflection" => self.v1_alpha.clone(),
            _ => None,
        }
    }
}

fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(SecretsGrpc::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_f3_both_versions_are_served() {
        let reflection = Reflection::new();
        for (name, is_served) in [
            ("grpc.reflection.v1.ServerReflection", true),
            ("grpc.reflection.v1alpha.ServerReflection", true),
            ("grpc.reflection.v2.ServerReflection", false),
            ("", false),
        ] {
            assert_eq!(reflection.find(name).is_some(), is_served, "{name}");
        }
    }
}
