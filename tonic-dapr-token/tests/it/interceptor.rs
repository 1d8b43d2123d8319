//! The interceptor beside the layer: the same verdict, the same refusal, and no exemption.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Response};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::service::interceptor::InterceptedService;
use tonic::service::{Interceptor, InterceptorLayer};
use tonic::transport::Server;
use tonic::{Code, Request, Status};
use tonic_dapr_token::tower_dapr_token::{
    Clock, Decision, LoadedTokens, Outcome, Overlap, Protocol, SourceError,
};
use tonic_dapr_token::{
    Authenticated, Exempt, Observer, RequireTokenBuilder, RequireTokenInterceptor,
    RequireTokenLayer, TokenHandle, TokenReader, TokenRejection, TokenSet, TokenSource,
};
use tower::{Layer, Service, ServiceExt as _};

use crate::support::{Client, Echo, NAME, TOKEN, UNARY, WRONG, channel, with};

const PREVIOUS: &str = "the-token-before-it-which-is-on-its-way-out";

fn interceptor(builder: RequireTokenBuilder<'_>) -> RequireTokenInterceptor {
    builder.build_verifier().expect("valid").into()
}

fn one_token<'e>() -> RequireTokenBuilder<'e> {
    RequireTokenLayer::builder().token(TOKEN.parse().expect("valid"))
}

/// A gRPC call as it arrives, with these values of the header.
fn arriving(name: &str, values: &[&str]) -> http::Request<Body> {
    let mut request = http::Request::post(UNARY)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for value in values {
        request = request.header(name, *value);
    }
    // One message, of no bytes.
    let message = Full::new(Bytes::from_static(&[0; 5]));
    request.body(Body::new(message)).expect("valid")
}

/// The status of a refusal; `None` if the call came through.
fn refusal<B>(response: &Response<B>) -> Option<Status> {
    let status = response.headers().contains_key("grpc-status");
    status.then(|| Status::from_header_map(response.headers()).expect("a status"))
}

/// One call through this service.
async fn ask<S, B>(service: S, values: &[&str]) -> (Option<Status>, Response<B>)
where
    S: Service<http::Request<Body>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
{
    let response = service.oneshot(arriving(NAME, values)).await;
    let response = response.expect("an answer");
    let refused = refusal(&response);
    if refused.is_some() {
        assert!(response.body().is_end_stream(), "{values:?}: trailers-only");
        assert_eq!(response.headers()["content-type"], "application/grpc");
    }
    (refused, response)
}

/// A source without a token, ever.
struct Nothing;

impl TokenSource for Nothing {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        Err(SourceError::other("nothing to be had"))
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

#[derive(Default)]
struct Moved(Mutex<Duration>);

impl Clock for Moved {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no test panicked")
    }

    fn wait(&self, duration: Duration) {
        *self.0.lock().expect("no test panicked") += duration;
    }
}

/// The current token, a previous one whose time is over, and its handle.
fn after_the_overlap() -> TokenHandle {
    let clock = Arc::new(Moved::default());
    let first = TokenSet::new(PREVIOUS.parse().expect("valid"));
    let handle = TokenHandle::builder()
        .tokens(first)
        .overlap(Overlap::For(Duration::from_secs(60)))
        .clock(clock.clone())
        .build()
        .expect("valid");
    handle.rotate(TOKEN.parse().expect("valid")).expect("fits");
    clock.wait(Duration::from_secs(61));
    handle
}

fn never_loaded() -> TokenReader {
    let handle = TokenHandle::builder().source(Nothing).build_lazy();
    handle.expect("lazy").reader()
}

#[tokio::test]
async fn x6_j2_j3_j4_a_refusal_has_the_code_message_and_details_of_the_layers_own() {
    let expired = after_the_overlap().reader();
    let unavailable = never_loaded();
    let reader = |reader: &TokenReader| RequireTokenLayer::builder().reader(reader.clone());
    let too_long = "x".repeat(1025);
    let too_long = [too_long.as_str()];
    type Case<'a> = (
        &'a str,
        &'a dyn Fn() -> RequireTokenBuilder<'static>,
        &'a [&'a str],
        Option<(Code, &'a str)>,
    );
    let missing = Some((Code::Unauthenticated, "missing api token"));
    let invalid = Some((Code::Unauthenticated, "invalid api token"));
    let unauthorized = Some((Code::Unauthenticated, "Unauthorized"));
    let later = Some((Code::Unavailable, "authentication unavailable"));
    let static_token: &dyn Fn() -> _ = &one_token;
    let after_overlap: &dyn Fn() -> _ = &|| reader(&expired);
    let nothing_loaded: &dyn Fn() -> _ = &|| reader(&unavailable);
    let as_daprd: &dyn Fn() -> _ = &|| one_token().daprd_compat();
    let allow_all: &dyn Fn() -> _ = &|| RequireTokenLayer::builder().insecure_allow_all();
    let table: &[Case<'_>] = &[
        ("the token", static_token, &[TOKEN], None),
        ("none", static_token, &[], missing),
        ("wrong", static_token, &[WRONG], invalid),
        ("empty", static_token, &[""], invalid),
        ("twice", static_token, &[TOKEN, TOKEN], invalid),
        ("good then bad", static_token, &[TOKEN, WRONG], invalid),
        ("bad then good", static_token, &[WRONG, TOKEN], invalid),
        ("too long", static_token, &too_long, invalid),
        ("a space", static_token, &[concat!("x", " ")], invalid),
        ("current", after_overlap, &[TOKEN], None),
        ("expired", after_overlap, &[PREVIOUS], invalid),
        ("unavailable", nothing_loaded, &[TOKEN], later),
        ("unavailable, none sent", nothing_loaded, &[], missing),
        ("as daprd, none", as_daprd, &[], unauthorized),
        ("as daprd, wrong", as_daprd, &[WRONG], unauthorized),
        ("as daprd, the token", as_daprd, &[TOKEN], None),
        ("all allowed, none", allow_all, &[], None),
        ("all allowed, wrong", allow_all, &[WRONG], None),
    ];
    for (name, builder, values, expected) in table {
        let layer: RequireTokenLayer = builder().build().expect("valid").into();
        let (theirs, by_layer) = ask(layer.layer(Echo::default()), values).await;
        let intercepted = InterceptedService::new(Echo::default(), interceptor(builder()));
        let (ours, by_interceptor) = ask(intercepted, values).await;
        assert_eq!(
            ours.as_ref()
                .map(|status| (status.code(), status.message())),
            *expected,
            "{name}"
        );
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            assert!(expected.is_none(), "{name}: the layer agrees");
            continue;
        };
        assert_eq!(ours.code(), theirs.code(), "{name}");
        assert_eq!(ours.message(), theirs.message(), "{name}");
        assert_eq!(ours.details(), theirs.details(), "{name}");
        assert!(TokenRejection::from_status(&ours).is_some(), "{name}");
        let details = |response: &http::HeaderMap| response["grpc-status-details-bin"].clone();
        assert_eq!(
            details(by_interceptor.headers()),
            details(by_layer.headers()),
            "{name}: to the byte"
        );
        assert_eq!(by_interceptor.headers().len(), 4, "{name}: nothing else");
    }
}

#[test]
fn x6_an_exemption_or_an_answer_of_ones_own_cannot_be_asked_of_an_interceptor() {
    let unauthorized = |_: &_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::UNAUTHORIZED;
        response
    };
    let table = [
        ("probes", one_token().daprd_probes(), "exempt()"),
        ("discovery", one_token().daprd_discovery(), "exempt()"),
        ("health", one_token().grpc_health(), "exempt()"),
        ("preflight", one_token().exempt_cors_preflight(), "exempt()"),
        (
            "answer",
            one_token().respond_with(unauthorized),
            "respond_with()",
        ),
        (
            "rejection",
            one_token().rejection_in_extensions(),
            "rejection_in_extensions()",
        ),
    ];
    for (name, builder, setting) in table {
        let error = builder.build_verifier().expect_err(name).to_string();
        assert!(
            error.starts_with(&format!("{setting} has no effect on headers alone")),
            "{name}: {error}"
        );
    }
    let error = RequireTokenInterceptor::builder().build_verifier();
    let error = error.expect_err("no source").to_string();
    assert!(error.contains("no token was configured"), "{error}");
}

#[test]
fn x6_its_documentation_says_that_nothing_is_exempt_and_names_the_layer() {
    let source = include_str!("../../src/interceptor.rs");
    let page: String = source
        .lines()
        .filter_map(|line| line.strip_prefix("/// "))
        .collect::<Vec<_>>()
        .join(" ");
    for said in [
        "**without any exemption**",
        "Prefer [`RequireTokenLayer`]",
        "sees no path",
        "ListTopicSubscriptions",
        "ListInputBindings",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains("## Layer or interceptor"));
}

/// What the handler gets: the metadata behind the interceptor.
fn passed(interceptor: &mut RequireTokenInterceptor, request: Request<()>) -> MetadataMap {
    let request = interceptor.call(request).expect("accepted");
    request.into_parts().0
}

#[test]
fn e1_e5_x6_every_copy_of_the_key_leaves_the_metadata() {
    let mut plain = interceptor(one_token());
    let mut request = with((), &[TOKEN]);
    let other = "kept".parse().expect("a value");
    request.metadata_mut().insert("x-other", other);
    let left = passed(&mut plain, request);
    assert_eq!(left.len(), 1);
    assert_eq!(left.get("x-other").expect("kept"), "kept");

    let name = HeaderName::from_static("x-token");
    let mut custom = interceptor(one_token().header_name(name));
    let mut request = with((), &[WRONG, WRONG]);
    let token = TOKEN.parse().expect("a value");
    request.metadata_mut().insert("x-token", token);
    assert!(
        passed(&mut custom, request).is_empty(),
        "and the usual name beside another one"
    );

    let mut keeping = interceptor(one_token().keep_header());
    let left = passed(&mut keeping, with((), &[TOKEN]));
    let headers: &http::HeaderMap = left.as_ref();
    assert!(headers[NAME].is_sensitive());

    let open = RequireTokenLayer::builder().insecure_allow_all();
    let left = passed(&mut interceptor(open), with((), &[WRONG, TOKEN]));
    assert!(left.is_empty(), "even where all is allowed");
}

#[test]
fn e6_x6_a_handler_finds_the_slot_if_that_was_asked_for_and_no_foreign_mark() {
    let two = || one_token().add_previous(PREVIOUS.parse().expect("valid"));
    let mut marking = interceptor(two().with_extensions());
    for (slot, token) in [(0, TOKEN), (1, PREVIOUS)] {
        let request = marking.call(with((), &[token])).expect("accepted");
        let mark = request.extensions().get::<Authenticated>();
        assert_eq!(mark.and_then(Authenticated::slot), Some(slot));
        // Somebody else's word, put in front of another check.
        let (_, forged, ()) = request.into_parts();
        let (metadata, _, ()) = with((), &[TOKEN]).into_parts();
        let request = Request::from_parts(metadata, forged, ());
        let request = marking.call(request).expect("accepted");
        let mark = request.extensions().get::<Authenticated>();
        assert_eq!(mark.and_then(Authenticated::slot), Some(0));
        assert!(request.extensions().get::<Exempt>().is_none());
    }
    let request = interceptor(two()).call(with((), &[TOKEN]));
    let request = request.expect("accepted");
    assert!(request.extensions().is_empty(), "off by default");
}

#[test]
fn r7_r8_x6_the_interceptor_and_its_clones_follow_the_tokens() {
    let handle = TokenHandle::new(TokenSet::new(PREVIOUS.parse().expect("valid")));
    let mut first = interceptor(RequireTokenLayer::builder().reader(handle.reader()));
    let mut clone = first.clone();
    for interceptor in [&mut first, &mut clone] {
        interceptor.call(with((), &[PREVIOUS])).expect("the first");
        interceptor.call(with((), &[TOKEN])).expect_err("not yet");
    }
    handle.rotate(TOKEN.parse().expect("valid")).expect("fits");
    for interceptor in [&mut first, &mut clone] {
        interceptor.call(with((), &[PREVIOUS])).expect("overlaps");
        interceptor.call(with((), &[TOKEN])).expect("the second");
    }
    assert_eq!(handle.revoke_previous(), 1);
    for interceptor in [&mut first, &mut clone] {
        interceptor.call(with((), &[PREVIOUS])).expect_err("over");
        interceptor.call(with((), &[TOKEN])).expect("the second");
    }
}

#[test]
fn o1_x6_the_observer_is_told_of_every_decision() {
    #[derive(Default)]
    struct Told(Mutex<Vec<(String, Protocol)>>);

    impl Observer for Told {
        fn on_decision(&self, decision: &Decision) {
            let outcome = match decision.outcome() {
                Outcome::Allowed { slot, .. } => format!("allowed by {slot:?}"),
                Outcome::Denied(rejection) => rejection.kind().to_string(),
                other => format!("{other:?}"),
            };
            let mut told = self.0.lock().expect("no test panicked");
            told.push((outcome, decision.protocol()));
        }
    }

    let told = Arc::new(Told::default());
    let mut observed = interceptor(one_token().observer(told.clone()));
    for values in [&[TOKEN][..], &[WRONG], &[TOKEN, TOKEN], &[]] {
        let _ = observed.call(with((), values));
    }
    let told = told.0.lock().expect("no test panicked");
    let expected = ["allowed by Some(0)", "mismatch", "ambiguous", "missing"];
    let expected = expected.map(|outcome| (outcome.to_owned(), Protocol::Grpc));
    assert_eq!(*told, expected);
}

#[test]
fn c5_neither_the_interceptor_nor_its_refusal_prints_a_token() {
    let mut interceptor = interceptor(one_token());
    let refused = interceptor.call(with((), &[WRONG])).expect_err("wrong");
    let printed = format!(
        "{interceptor:?} {refused:?} {refused} {:?}",
        refused.metadata()
    );
    for secret in [TOKEN, WRONG, &TOKEN[..12]] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn x6_a_server_with_the_interceptor_refuses_daprds_own_calls_and_keeps_its_names() {
    let echo = Echo::default();
    // As the `with_interceptor` of generated code has it; its type can be written down.
    let service: InterceptedService<Echo, RequireTokenInterceptor> =
        InterceptedService::new(echo.clone(), interceptor(one_token()));
    fn name<S: NamedService>(_: &S) -> &'static str {
        S::NAME
    }
    assert_eq!(name(&service), "test.Echo");
    let around_all = InterceptorLayer::new(interceptor(one_token()));

    for whole_server in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let incoming = TcpListenerStream::new(listener);
        if whole_server {
            let routes = crate::support::any_path(echo.clone());
            let server = Server::builder()
                .layer(around_all.clone())
                .add_routes(routes);
            tokio::spawn(server.serve_with_incoming(incoming));
        } else {
            let server = Server::builder().add_service(service.clone());
            tokio::spawn(server.serve_with_incoming(incoming));
        }
        let mut client = Client::new(channel(address).await);
        for (values, expected) in [
            (&[][..], Some(TokenRejection::Missing)),
            (&[WRONG], Some(TokenRejection::Invalid)),
            (&[TOKEN, TOKEN], Some(TokenRejection::Invalid)),
            (&[TOKEN], None),
        ] {
            let reply = client.unary(UNARY, with("hi", values)).await;
            let refused = reply.as_ref().err();
            let rejection = refused.and_then(TokenRejection::from_status);
            assert_eq!(rejection, expected, "{values:?}");
            assert_eq!(reply.ok(), expected.is_none().then(|| "hi".to_owned()));
        }
        let seen = echo.take();
        assert_eq!(seen.len(), 1);
        assert!(seen[0].metadata.get(NAME).is_none());
        if whole_server {
            let probe = "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck";
            let reply = client.unary(probe, with("", &[])).await;
            let status = reply.expect_err("it sees no path");
            assert_eq!(status.code(), Code::Unauthenticated);
        }
    }
}
