//! The gRPC API: which service answers a call, within the limits that HTTP has too.
//!
//! ```text
//! connection -> token layer -> path? -> dapr.proto.runtime.v1.Dapr -> SecretsGrpc -> budget.rs
//!                                    -> grpc.health.v1.Health
//!                                    -> grpc.reflection (feature `reflection`)
//!                                    -> UNIMPLEMENTED (encode.rs)
//! ```
//!
//! A call of the secrets service that passed the token check holds the drain until its answer is sent; health and
//! reflection, whose streams have no end of their own, do not.

mod encode;
#[cfg(test)]
mod tests;

#[cfg(feature = "reflection")]
mod reflection;
#[cfg(not(feature = "reflection"))]
#[path = "no_reflection.rs"]
mod reflection;

use std::convert::Infallible;
use std::sync::Arc;

use dapr_secrets_service::{GrpcBody, SecretsGrpc};
use http::{Request, Response, Version};
use http_body::Body as _;
use http_body_util::Either;
use hyper::body::Incoming;
use tokio::time::timeout;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tower::{Layer, ServiceExt};
use tower_dapr_token::RequireTokenLayer;

use self::reflection::Reflection;
use crate::backend::Backend;
use crate::budget::Share;
use crate::encode::Overload;
use crate::gauge::{Counted, Gauge};
use crate::health::DEADLINE;
use crate::held::Held;
use crate::listen::Server;
use crate::listeners::Api;
use crate::shutdown::Drain;

/// Whether this binary serves gRPC.
pub(crate) const SERVED: bool = true;

/// The secrets service's answer: an open request, and a part of the budget, until its last byte is sent; or another
/// service's.
type Body = Either<Held<GrpcBody, (Counted, Share)>, tonic::body::Body>;

/// Serves what `backend` has, behind the token check, on the listeners of `api`.
pub(crate) async fn serve(server: &Server, api: Api, token: RequireTokenLayer, backend: Backend) {
    let calls = Calls::new(backend, server.drain.clone()).await;
    let make_service = move |requests: Gauge| {
        let calls = calls.clone();
        token.layer(tower::service_fn(move |call: Request<Incoming>| {
            let (calls, requests) = (calls.clone(), requests.clone());
            async move { calls.answer(call, &requests).await }
        }))
    };
    for listener in api.listeners {
        server.spawn(listener, api.tls.clone(), make_service.clone());
    }
}

/// Everything behind the token layer; cheap to clone.
#[derive(Clone)]
struct Calls(Arc<State>);

struct State {
    secrets: SecretsGrpc,
    health: HealthServer<HealthService>,
    reflection: Reflection,
    backend: Backend,
}

impl Calls {
    async fn new(backend: Backend, drain: Drain) -> Self {
        let secrets = SecretsGrpc::builder(backend.engine.clone())
            .profile(backend.profile)
            .app_id(&backend.app_id)
            .build();
        let reporter = HealthReporter::new();
        tell_health(&reporter, ServingStatus::Serving).await;
        tokio::spawn(tell_end(reporter.clone(), drain));
        Self(Arc::new(State {
            secrets,
            health: HealthServer::new(HealthService::from_health_reporter(reporter)),
            reflection: Reflection::new(),
            backend,
        }))
    }

    /// Answers one call whose token is valid or whose path is exempt.
    async fn answer(
        &self,
        call: Request<Incoming>,
        requests: &Gauge,
    ) -> Result<Response<Body>, Infallible> {
        let state = &*self.0;
        if call.version() != Version::HTTP_2 {
            return Ok(encode::not_http2().map(Either::Right));
        }
        let path = call.uri().path();
        let service = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        let other = match service.map(|(service, _)| service) {
            Some(SecretsGrpc::NAME) => {
                let open = requests.enter();
                match state.secrets(call).await {
                    Ok((answer, share)) => {
                        return Ok(answer.map(|body| Either::Left(Held::new(body, (open, share)))));
                    }
                    Err(refusal) => refusal,
                }
            }
            Some(HealthServer::<HealthService>::NAME) => state.health.clone().oneshot(call).await?,
            service => match service.and_then(|service| state.reflection.find(service)) {
                Some(reflection) => reflection.oneshot(call).await?,
                None => encode::unknown_service(state.backend.profile),
            },
        };
        Ok(other.map(Either::Right))
    }
}

impl State {
    /// The secrets service's answer, with its part of the budget; or why there is none.
    async fn secrets<B>(
        &self,
        call: Request<B>,
    ) -> Result<(Response<GrpcBody>, Share), Response<tonic::body::Body>>
    where
        B: http_body::Body + Send + 'static,
    {
        let backend = &self.backend;
        let Some(admitted) = backend.admission.enter() else {
            return Err(encode::overloaded(backend.profile, Overload::Requests));
        };
        let answer = timeout(DEADLINE, self.secrets.clone().oneshot(call)).await;
        drop(admitted);
        let Ok(Ok(answer)) = answer else {
            return Err(encode::deadline_passed(backend.profile));
        };
        let size = answer.body().size_hint().upper().unwrap_or(u64::MAX);
        match backend.budget.take(size) {
            Some(share) => Ok((answer, share)),
            None => Err(encode::overloaded(backend.profile, Overload::Answers)),
        }
    }
}

/// The server as a whole, and its one service.
async fn tell_health(reporter: &HealthReporter, status: ServingStatus) {
    for name in ["", SecretsGrpc::NAME] {
        reporter.set_service_status(name, status).await;
    }
}

/// Who watches the health hears of the end before the connection is closed.
async fn tell_end(reporter: HealthReporter, mut drain: Drain) {
    drain.begun().await;
    // It waits for every holder.
    drop(drain);
    tell_health(&reporter, ServingStatus::NotServing).await;
}
