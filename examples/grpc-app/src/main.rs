//! A gRPC app behind daprd: one added layer refuses whoever does not know the app token.
//!
//! ```text
//! APP_API_TOKEN=... cargo run -p grpc-app
//! daprd --app-id grpc-app --app-port 50051 --app-protocol grpc --enable-app-health-check --resources-path ...
//! ```
//!
//! An address behind the command is listened on instead of 127.0.0.1:50051; port 0 picks a free one. A file behind that
//! holds the token in place of `APP_API_TOKEN`, and is read again every 10 s.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says where it listens, what it was called for, and what went wrong"
)]

#[rustfmt::skip]
mod app_callback;

use std::error::Error;
use std::process::ExitCode;

use app_callback::app_callback_health_check_server::{
    AppCallbackHealthCheck, AppCallbackHealthCheckServer,
};
use app_callback::app_callback_server::{AppCallback, AppCallbackServer};
use app_callback::{
    BindingEventRequest, BindingEventResponse, Empty, HealthCheckResponse, InvokeRequest,
    InvokeResponse, ListInputBindingsResponse, ListTopicSubscriptionsResponse, TopicEventRequest,
    TopicEventResponse, TopicSubscription,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, async_trait};
use tonic_dapr_token::RequireTokenLayer;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:50051".to_owned());
    let layer = match arguments.next() {
        None => RequireTokenLayer::for_dapr_app()?, // APP_API_TOKEN; unset is an error
        Some(file) => RequireTokenLayer::builder()
            .file(file)
            .reload_in_background()
            // What `for_dapr_app()` exempts: daprd makes these calls without a token.
            .daprd_probes()
            .daprd_discovery()
            .build()?
            .into(),
    };

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    Server::builder()
        .layer(layer) // the added line: around every service
        .add_service(AppCallbackServer::new(App))
        .add_service(AppCallbackHealthCheckServer::new(App))
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

struct App;

#[async_trait]
impl AppCallback for App {
    async fn on_invoke(
        &self,
        request: Request<InvokeRequest>,
    ) -> Result<Response<InvokeResponse>, Status> {
        let InvokeRequest {
            method,
            data,
            content_type,
        } = request.into_inner();
        println!("invoked {method}");
        Ok(Response::new(InvokeResponse { data, content_type })) // an echo
    }

    async fn list_topic_subscriptions(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        let orders = TopicSubscription {
            pubsub_name: "bus".to_owned(),
            topic: "orders".to_owned(),
        };
        Ok(Response::new(ListTopicSubscriptionsResponse {
            subscriptions: vec![orders],
        }))
    }

    async fn on_topic_event(
        &self,
        request: Request<TopicEventRequest>,
    ) -> Result<Response<TopicEventResponse>, Status> {
        let event = request.into_inner();
        let data = String::from_utf8_lossy(&event.data);
        println!("event of {}: {data}", event.topic);
        Ok(Response::new(TopicEventResponse::default())) // success
    }

    async fn list_input_bindings(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<ListInputBindingsResponse>, Status> {
        Ok(Response::new(ListInputBindingsResponse {
            bindings: vec!["tick".to_owned()],
        }))
    }

    async fn on_binding_event(
        &self,
        request: Request<BindingEventRequest>,
    ) -> Result<Response<BindingEventResponse>, Status> {
        println!("binding {}", request.into_inner().name);
        Ok(Response::new(BindingEventResponse {}))
    }
}

#[async_trait]
impl AppCallbackHealthCheck for App {
    async fn health_check(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse {}))
    }
}
