//! What the rows say that the rivals leave out, each shown with a request that the rival answers otherwise than ours.
//!
//! Constant time cannot be shown by an answer: the closures here compare with `==`, and so does the layer of Dapr's SDK, by
//! its source. What such a comparison tells is shown by `timing`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::HttpBody;
use dapr_token_benches::drive::respond;
use dapr_token_benches::inner::FORWARDED;
use dapr_token_benches::request::{OTHER_TOKEN, Shape, TOKEN, TOKEN_HEADER, Template, WRONG_TOKEN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use tonic_dapr_token::tower_dapr_token::{InjectTokenLayer, RequireTokenLayer};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::{
    axum_from_fn, dapr_sdk, tonic_interceptor, tower_http_exempt, tower_http_set_header,
    tower_http_validate,
};

/// The service behind a layer. It keeps the headers that arrive.
#[derive(Clone, Default)]
struct Behind(Arc<Mutex<Option<HeaderMap>>>);

impl<B: Default> Service<Request<B>> for Behind {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        *self.0.lock().unwrap() = Some(request.into_parts().0.headers);
        let mut response = Response::new(B::default());
        *response.status_mut() = FORWARDED;
        ready(Ok(response))
    }
}

/// What came of a request.
#[derive(Debug)]
struct Came {
    status: StatusCode,
    headers: HeaderMap,
    has_body: bool,
    /// The headers that the service behind the layer got, if the request was forwarded.
    arrived: Option<HeaderMap>,
}

impl Came {
    fn passed(&self) -> bool {
        assert_eq!(self.status == FORWARDED, self.arrived.is_some());
        self.arrived.is_some()
    }

    fn token_arrived(&self) -> bool {
        let arrived = self.arrived.as_ref();
        arrived.is_some_and(|headers| headers.contains_key(TOKEN_HEADER))
    }

    fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// A status and nothing else.
    fn is_bare(&self) -> bool {
        self.headers.is_empty() && !self.has_body
    }
}

/// Sends the request through what `around` puts around the service.
fn send<Q, S, B>(request: &Request<()>, around: impl FnOnce(Behind) -> S) -> Came
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    Q: Default,
    B: HttpBody,
{
    let behind = Behind::default();
    let mut service = around(behind.clone());
    let request = request.clone().map(|()| Q::default());
    let (parts, body) = respond(&mut service, request).unwrap().into_parts();
    let arrived = behind.0.lock().unwrap().take();
    Came {
        status: parts.status,
        headers: parts.headers,
        has_body: !body.is_end_stream(),
        arrived,
    }
}

/// Ours, with a previous token, and daprd's probes of both protocols exempt.
fn ours(
    inner: Behind,
) -> impl Service<Request<Full>, Response = Response<impl HttpBody>, Error = Infallible> {
    RequireTokenLayer::builder()
        .token(TOKEN.parse().unwrap())
        .add_previous(OTHER_TOKEN.parse().unwrap())
        .http_health()
        .grpc_health()
        .build()
        .unwrap()
        .layer(inner)
}

type Full = dapr_token_benches::floor::Body;

/// Whom the lines of [`everyone`] are about.
const NAMES: [&str; 6] = [
    "ours",
    "tower-http",
    "dapr",
    "axum",
    "tower-http with paths",
    "tonic",
];

/// What each makes of the request, in the order of [`NAMES`].
fn everyone(request: &Request<()>) -> [Came; 6] {
    [
        send(request, ours),
        send(request, tower_http_validate::around),
        send(request, |inner| dapr_sdk::around(inner, Some(TOKEN))),
        send(request, axum_from_fn::around),
        send(request, tower_http_exempt::around),
        send(request, tonic_interceptor::around),
    ]
}

fn request(shape: Shape) -> Request<()> {
    Template::new(shape).fresh()
}

fn with_tokens(tokens: &[&'static str]) -> Request<()> {
    let mut request = request(Shape::Missing);
    for token in tokens {
        let value = HeaderValue::from_static(token);
        request.headers_mut().append(TOKEN_HEADER, value);
    }
    request
}

fn without_token(method: Method, path: &'static str) -> Request<()> {
    let mut request = request(Shape::Missing);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from_static(path);
    request
}

#[test]
fn the_rivals_let_through_what_their_rows_say() {
    let (all, none) = ([true; 6], [false; 6]);
    let all_but_ours = [false, true, true, true, true, true];
    let ours_alone = [true, false, false, false, false, false];
    let paths_alone = [false, false, false, false, true, false];
    for (name, request, expected) in [
        ("the token", request(Shape::Accepted), all),
        ("the token, by gRPC", request(Shape::AcceptedGrpc), all),
        // Duplicates.
        (
            "two values, the first right",
            with_tokens(&[TOKEN, WRONG_TOKEN]),
            all_but_ours,
        ),
        ("twice the token", with_tokens(&[TOKEN; 2]), all_but_ours),
        // Rotation.
        (
            "the previous token",
            with_tokens(&[OTHER_TOKEN]),
            ours_alone,
        ),
        // Exemptions.
        (
            "a probe without a token",
            without_token(Method::GET, "/healthz"),
            [true, false, false, false, true, false],
        ),
        (
            "a probe by gRPC without a token",
            without_token(Method::POST, "/grpc.health.v1.Health/Check"),
            ours_alone,
        ),
        (
            "another method of the path of a probe",
            without_token(Method::DELETE, "/healthz"),
            paths_alone,
        ),
        // What they do check: a row that they let everything through would prove nothing.
        ("another token", request(Shape::Wrong), none),
        ("no token", request(Shape::Missing), none),
        (
            "two values, the first wrong",
            with_tokens(&[WRONG_TOKEN, TOKEN]),
            none,
        ),
    ] {
        let passed = everyone(&request).map(|came| came.passed());
        assert_eq!(passed, expected, "{name}: {NAMES:?}");
    }
}

#[test]
fn behind_the_rivals_the_token_arrives() {
    for shape in [Shape::Accepted, Shape::AcceptedGrpc] {
        let arrived = everyone(&request(shape)).map(|came| came.token_arrived());
        let all_but_ours = [false, true, true, true, true, true];
        assert_eq!(arrived, all_but_ours, "{shape:?}: {NAMES:?}");
    }
}

#[test]
fn the_layer_of_the_sdk_is_open_without_a_token() {
    for (name, configured) in [("unset", None), ("empty", Some(""))] {
        for shape in [Shape::Missing, Shape::Wrong] {
            let came = send(&request(shape), |inner| dapr_sdk::around(inner, configured));
            assert!(came.passed(), "{name}, {shape:?}");
        }
    }
    let ours = RequireTokenLayer::builder().build();
    assert!(ours.is_err(), "ours cannot be built without a token");
}

#[test]
fn the_rivals_refuse_as_their_rows_say() {
    let (http, grpc) = (request(Shape::Wrong), request(Shape::WrongGrpc));
    let unauthorized = StatusCode::UNAUTHORIZED;
    let [ours, tower_http, dapr, axum, with_paths, tonic] = everyone(&grpc);
    assert_eq!(ours.status, StatusCode::OK);
    assert!(ours.has("grpc-status") && ours.has("grpc-status-details-bin"));
    // A client of gRPC gets an HTTP 401, which is not one of its own answers.
    assert_eq!(dapr.status, unauthorized);
    assert!(!dapr.has("content-type"));
    assert_eq!(tonic.status, StatusCode::OK);
    assert!(tonic.has("grpc-status"));
    assert!(!tonic.has("grpc-status-details-bin"), "`ErrorInfo`");
    for bare in [tower_http, axum, with_paths] {
        assert_eq!(bare.status, unauthorized);
        assert!(bare.is_bare(), "{bare:?}");
    }

    let [ours, tower_http, dapr, axum, with_paths, tonic] = everyone(&http);
    assert_eq!(ours.status, unauthorized);
    assert!(ours.has("www-authenticate") && ours.has_body);
    assert_eq!(dapr.status, unauthorized);
    for bare in [tower_http, axum, with_paths] {
        assert_eq!(bare.status, unauthorized);
        assert!(bare.is_bare(), "{bare:?}");
    }
    // gRPC only: who asks by HTTP is told that all went well.
    assert_eq!(tonic.status, StatusCode::OK);
    assert_eq!(tonic.arrived, None);
}

#[test]
fn the_header_of_tower_http_goes_to_any_host() {
    let ours = |inner| {
        InjectTokenLayer::builder()
            .token(TOKEN.parse().unwrap())
            .any_loopback_port()
            .build()
            .unwrap()
            .layer(inner)
    };
    for (shape, to_ours) in [(Shape::Outbound, true), (Shape::Elsewhere, false)] {
        let request = request(shape);
        let came = send::<Full, _, _>(&request, ours);
        assert_eq!(came.token_arrived(), to_ours, "ours, {shape:?}");
        let came = send(&request, tower_http_set_header::around);
        assert!(came.token_arrived(), "tower-http, {shape:?}");
    }
}
