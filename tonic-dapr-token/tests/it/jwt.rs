//! JWT mode behind tonic: the claims reach the method, by the layer and by the interceptor, and refusals are the same.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Response;
use serde::Deserialize;
use tonic::body::Body;
use tonic::service::InterceptorLayer;
use tonic::{Code, Status};
use tonic_dapr_token::tower_dapr_token::{Algorithm, JwtKeys, JwtRules, TokenMode, WallClock};
use tonic_dapr_token::{
    Authenticated, RequireTokenBuilder, RequireTokenInterceptor, RequireTokenLayer, TokenRejection,
};
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt as _, service_fn};

use crate::support::{NAME, UNARY};

const SECRET: &str = "64 bytes that are a secret in tests alone and nowhere else......";
/// Signed with it: `daprd` of the tenant `blue`, for `orders`, until a minute after the clock below.
const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoib3JkZXJzIiwic3ViIjoiZGFwcmQiLCJleHAiOjE4MDAwMDAwNjAsInRlbmFudCI6ImJsdWUifQ.2ZdozraeqXFETN6cu8xfgSivz60zZnconrNvTrd9MUg";

struct At(u64);

impl WallClock for At {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(self.0)
    }
}

fn builder(now: u64) -> RequireTokenBuilder<'static> {
    let rules = JwtRules::new("https://issuer.example", "orders")
        .algorithms([Algorithm::HS256])
        .leeway(Duration::ZERO);
    RequireTokenLayer::builder()
        .jwt(JwtKeys::secret(SECRET).expect("a secret"), rules)
        .wall_clock(Arc::new(At(now)))
}

type Method = BoxCloneService<http::Request<Body>, Response<Body>, Infallible>;

/// The refusal, if it was one, and what the method was told.
async fn call<L, Answer>(layer: L, token: Option<&str>) -> (Option<Status>, Option<Authenticated>)
where
    L: Layer<Method>,
    L::Service: Service<http::Request<Body>, Response = Response<Answer>>,
    <L::Service as Service<http::Request<Body>>>::Error: std::fmt::Debug,
{
    let told = Arc::new(Mutex::new(None));
    let kept = told.clone();
    let method = service_fn(move |request: http::Request<Body>| {
        assert!(!request.headers().contains_key(NAME), "taken out");
        *kept.lock().expect("no test panicked") = request.extensions().get().cloned();
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    });
    let mut request = http::Request::post(UNARY)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc");
    if let Some(token) = token {
        request = request.header(NAME, token);
    }
    let service = layer.layer(BoxCloneService::new(method));
    let request = request.body(Body::empty()).expect("valid");
    let response = service.oneshot(request).await.expect("an answer");
    let refused = response.headers().contains_key("grpc-status");
    let refused = refused.then(|| Status::from_header_map(response.headers()).expect("a status"));
    let told = told.lock().expect("no test panicked").take();
    (refused, told)
}

#[tokio::test]
async fn t4_e6_j2_x6_claims_reach_the_method_and_a_jwt_that_is_over_is_refused_by_both() {
    #[derive(Deserialize)]
    struct Mine {
        tenant: String,
    }

    for (name, now, token, expected) in [
        ("valid", 1_800_000_000, Some(JWT), None),
        (
            "over",
            1_800_000_060,
            Some(JWT),
            Some(TokenRejection::Invalid),
        ),
        (
            "no JWT",
            1_800_000_000,
            Some("abc"),
            Some(TokenRejection::Invalid),
        ),
        ("none", 1_800_000_000, None, Some(TokenRejection::Missing)),
    ] {
        let layer: RequireTokenLayer = builder(now).build().expect("valid").into();
        let verifier = builder(now).build_verifier().expect("valid");
        let interceptor = RequireTokenInterceptor::from(verifier);
        let by_layer = call(layer, token).await;
        let by_interceptor = call(InterceptorLayer::new(interceptor), token).await;
        let told_by = [("layer", by_layer), ("interceptor", by_interceptor)];
        for (who, (refused, told)) in &told_by {
            let rejection = refused.as_ref().and_then(TokenRejection::from_status);
            assert_eq!(rejection, expected, "{name}, {who}");
            assert_eq!(told.is_some(), expected.is_none(), "{name}, {who}");
            if let Some(refused) = refused {
                assert_eq!(refused.code(), Code::Unauthenticated, "{name}, {who}");
            }
            if let Some(told) = told {
                assert_eq!((told.mode(), told.slot()), (TokenMode::Jwt, None));
                let claims: Mine = told.claims().expect("they fit");
                assert_eq!(claims.tenant, "blue", "{who}");
            }
        }
        let [(_, (one, _)), (_, (other, _))] = &told_by;
        let details =
            |status: &Option<Status>| status.as_ref().map(|status| status.details().to_vec());
        assert_eq!(details(one), details(other), "{name}: the same bytes");
    }
}
