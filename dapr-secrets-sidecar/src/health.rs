//! Probes, `/v1.0/metadata` and `/v1.0/shutdown`; every other request goes to the secrets service.
//!
//! It sits behind the token layer. Without a token only the exact `GET` of the two probes gets here (`token.rs`); with
//! one, `HEAD` and doubled or trailing slashes are answered too (`docs/spec/secrets-api.md`, G3).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dapr_secrets_service::{ResponseBody, SecretsService, StoreStatus};
use http::{Method, Request, Response};
use http_body::Body as _;
use http_body_util::{Either, Full};
use serde::Serialize;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::backend::Backend;
use crate::budget::Share;
use crate::encode::{self, Overload};
use crate::gauge::{Counted, Gauge};
use crate::held::Held;
use crate::listen::Listening;
use crate::route::{Route, route};
use crate::shutdown::StopRequest;

/// Version of this binary, as `runtimeVersion`.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a request for secrets may take until its answer is made.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Our own answer, or the secrets service's: an open request, and a part of the budget, until its last byte is sent.
pub(crate) type Body = Either<Full<Bytes>, Held<ResponseBody, (Counted, Share)>>;

/// Everything behind the token layer; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RuntimeApi(Arc<State>);

#[derive(Debug)]
struct State {
    secrets: SecretsService,
    backend: Backend,
    listening: Listening,
    stop: StopRequest,
}

impl RuntimeApi {
    pub(crate) fn new(backend: Backend, listening: Listening, stop: StopRequest) -> Self {
        Self(Arc::new(State {
            secrets: SecretsService::builder(backend.engine.clone())
                .profile(backend.profile)
                .build(),
            backend,
            listening,
            stop,
        }))
    }

    /// Answers one request whose token is valid or whose path is exempt.
    ///
    /// `requests` counts it until its answer is sent. Our own answers are not counted: they are small and at once ready.
    pub(crate) async fn answer<B>(
        &self,
        request: Request<B>,
        requests: &Gauge,
    ) -> Result<Response<Body>, Infallible> {
        let state = &*self.0;
        let is_head = request.method() == Method::HEAD;
        let own = match route(request.method(), request.uri().path()) {
            Route::Secrets => {
                let open = requests.enter();
                match state.secrets(request).await {
                    Ok((answer, share)) => {
                        return Ok(answer.map(|body| Either::Right(Held::new(body, (open, share)))));
                    }
                    Err(refusal) => refusal,
                }
            }
            Route::Health => state.health(),
            Route::OutboundHealth => state.outbound_health(),
            Route::Metadata => {
                let stores: Vec<_> = state.backend.engine.stores().collect();
                encode::json(&metadata(&state.backend.app_id, &stores))
            }
            Route::Shutdown => {
                state.stop.request();
                encode::no_content()
            }
            Route::MethodNotAllowed(allow) => {
                encode::method_not_allowed(state.backend.profile, allow)
            }
        };
        Ok(to_method(is_head, own).map(Either::Left))
    }

    /// Answers one request on the public port: the probes, without a token, and nothing else.
    pub(crate) fn answer_publicly<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let state = &*self.0;
        let path = request.uri().path();
        let own = match (route(request.method(), path), route(&Method::GET, path)) {
            (Route::Health, _) => state.health(),
            (Route::OutboundHealth, _) => state.outbound_health(),
            (Route::MethodNotAllowed(allow), Route::Health | Route::OutboundHealth) => {
                encode::method_not_allowed(state.backend.profile, allow)
            }
            _ => encode::not_found(state.backend.profile),
        };
        to_method(request.method() == Method::HEAD, own)
    }
}

fn to_method(is_head: bool, own: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    if is_head {
        encode::without_body(own)
    } else {
        own
    }
}

impl State {
    fn health(&self) -> Response<Full<Bytes>> {
        if self.listening.is_complete() {
            encode::no_content()
        } else {
            encode::not_ready(self.backend.profile)
        }
    }

    fn outbound_health(&self) -> Response<Full<Bytes>> {
        if self.backend.engine.is_ready() {
            encode::no_content()
        } else {
            encode::outbound_not_ready(self.backend.profile)
        }
    }

    /// The secrets service's answer, with its part of the budget; or why there is none.
    async fn secrets<B>(
        &self,
        request: Request<B>,
    ) -> Result<(Response<ResponseBody>, Share), Response<Full<Bytes>>> {
        let Some(admitted) = self.backend.admission.enter() else {
            return Err(encode::overloaded(self.backend.profile, Overload::Requests));
        };
        let answer = timeout(DEADLINE, self.secrets.clone().oneshot(request)).await;
        drop(admitted);
        let Ok(Ok(answer)) = answer else {
            return Err(encode::deadline_passed(self.backend.profile));
        };
        let size = answer.body().size_hint().upper().unwrap_or(u64::MAX);
        match self.backend.budget.take(size) {
            Some(share) => Ok((answer, share)),
            None => Err(encode::overloaded(self.backend.profile, Overload::Answers)),
        }
    }
}

/// daprd's metadata document, without the members that have no meaning here.
#[derive(Serialize)]
struct Metadata<'a> {
    id: &'a str,
    #[serde(rename = "runtimeVersion")]
    runtime_version: &'static str,
    components: Vec<Component<'a>>,
    extended: Extended,
}

#[derive(Serialize)]
struct Component<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    capabilities: &'a [&'a str],
}

/// A map of texts, as in daprd.
#[derive(Serialize)]
struct Extended {
    #[serde(rename = "daprRuntimeVersion")]
    dapr_runtime_version: &'static str,
    /// Left out when every store is ready.
    #[serde(rename = "notReadyStores", skip_serializing_if = "String::is_empty")]
    not_ready_stores: String,
}

fn metadata<'a>(app_id: &'a str, stores: &'a [StoreStatus]) -> Metadata<'a> {
    Metadata {
        id: app_id,
        runtime_version: VERSION,
        components: stores
            .iter()
            .map(|store| Component {
                name: store.name(),
                kind: store.component_type(),
                version: store.version(),
                capabilities: store.capabilities(),
            })
            .collect(),
        extended: Extended {
            dapr_runtime_version: VERSION,
            not_ready_stores: not_ready(stores),
        },
    }
}

/// The names of the stores that failed to initialise, joined by `,`; within a name `%` and `,` are percent-encoded.
fn not_ready(stores: &[StoreStatus]) -> String {
    let names: Vec<_> = stores
        .iter()
        .filter(|store| !store.is_ready())
        .map(|store| store.name().replace('%', "%25").replace(',', "%2C"))
        .collect();
    names.join(",")
}

#[cfg(test)]
#[path = "health_deadline_tests.rs"]
mod deadline_tests;

#[cfg(test)]
mod tests {
    use dapr_secrets_service::{Engine, Profile};
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::*;
    use crate::admission::Admission;
    use crate::budget::AnswerBudget;

    async fn answer(api: &RuntimeApi, method: Method, path: &str) -> (u16, Bytes) {
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        let Ok(response) = api.answer(request, &Gauge::new()).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await;
        (
            status,
            body.expect("an answer of ours cannot fail").to_bytes(),
        )
    }

    fn api(listening: Listening) -> RuntimeApi {
        let engine = Engine::builder().build().expect("no store is no mistake");
        let backend = Backend {
            engine,
            profile: Profile::Documented,
            app_id: String::new(),
            admission: Admission::new(1),
            budget: AnswerBudget::new(),
        };
        RuntimeApi::new(backend, listening, StopRequest::default())
    }

    #[tokio::test]
    async fn api_g1_the_public_port_serves_the_probes_and_nothing_else() {
        let api = api(Listening::new(0));
        let rows = [
            ("GET", "/v1.0/healthz", 204),
            ("HEAD", "/v1.0/healthz", 204),
            ("GET", "/v1.0/healthz/outbound", 204),
            ("POST", "/v1.0/healthz", 405),
            ("GET", "/v1.0/metadata", 404),
            ("POST", "/v1.0/metadata", 404),
            ("POST", "/v1.0/shutdown", 404),
            ("GET", "/v1.0/shutdown", 404),
            ("GET", "/v1.0/secrets/a/b", 404),
            ("GET", "/", 404),
        ];
        for (method, path, status) in rows {
            let request = Request::builder().method(method).uri(path);
            let request = request.body(()).expect("a request");
            let answer = api.answer_publicly(&request);
            assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn api_g6_requests_over_the_limit_are_refused_and_probes_are_not() {
        let api = api(Listening::new(0));
        let taken = api.0.backend.admission.enter().expect("room for one");
        let rows = [
            ("/v1.0/secrets/a/b", 503),
            ("/v1.0/healthz", 204),
            ("/v1.0/healthz/outbound", 204),
            ("/v1.0/metadata", 200),
        ];
        for (path, status) in rows {
            assert_eq!(answer(&api, Method::GET, path).await.0, status, "{path}");
        }
        let (_, body) = answer(&api, Method::GET, "/v1.0/secrets/a/b").await;
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["errorCode"], "ERR_OVERLOADED");
        drop(taken);
        for _ in 0..3 {
            assert_eq!(answer(&api, Method::GET, "/v1.0/secrets/a/b").await.0, 500);
        }
    }

    #[tokio::test]
    async fn api_g3_health_needs_every_listener() {
        let listening = Listening::new(2);
        let api = api(listening.clone());
        let path = "/v1.0/healthz";
        let first = listening.one_up();
        let (status, body) = answer(&api, Method::GET, path).await;
        assert_eq!(status, 500);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["errorCode"], "ERR_HEALTH_NOT_READY");
        let (status, body) = answer(&api, Method::HEAD, path).await;
        assert_eq!((status, body.as_ref()), (500, &b""[..]));

        let second = listening.one_up();
        assert_eq!(answer(&api, Method::GET, path).await.0, 204);
        drop((first, second));
        assert_eq!(answer(&api, Method::GET, path).await.0, 500);
        // The stores are another matter.
        assert_eq!(
            answer(&api, Method::GET, "/v1.0/healthz/outbound").await.0,
            204
        );
    }

    #[tokio::test]
    async fn every_other_path_goes_to_the_secrets_service() {
        let api = api(Listening::new(0));
        for (path, code) in [
            ("/v1.0/secrets/a/b", "ERR_SECRET_STORES_NOT_CONFIGURED"),
            ("/v1.0/nothing", "ERR_NOT_FOUND"),
        ] {
            let (_, body) = answer(&api, Method::GET, path).await;
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(body["errorCode"], code, "{path}");
        }
    }
}
