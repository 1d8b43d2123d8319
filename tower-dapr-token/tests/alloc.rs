//! The hot path allocates nothing: counted, on every path, with the eight headers of a usual request.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response, Version};
use tower::{Layer, Service};
use tower_dapr_token::{
    Clock, InjectTokenLayer, Observer, RequireTokenLayer, Token, TokenHandle, TokenSet,
};

/// Counts the allocations of each thread by itself, so that the test harness does not disturb.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is going down has no counter left, and nobody who asks for it.
    let _ = ALLOCATIONS.try_with(|counter| counter.set(counter.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TOKEN: &str = "the-token-that-is-accepted-43-bytes-long-ok";
const PREVIOUS: &str = "the-token-that-was-current-before-this-one!";
const WRONG: &str = "the-token-that-is-accepted-43-bytes-long-oK";

#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(String::new())))
    }
}

struct Silent;

impl Observer for Silent {}

/// Seven headers that requests carry, and the token as the eighth.
fn request(uri: &str, content_type: &str, token: Option<&str>) -> Request<()> {
    let mut request = Request::post(uri)
        .header("host", "127.0.0.1:8080")
        .header("user-agent", "Go-http-client/1.1")
        .header("accept", "*/*")
        .header("content-type", content_type)
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .header("content-length", "2")
        .header("x-forwarded-for", "10.0.0.1");
    if let Some(token) = token {
        request = request.header("dapr-api-token", token);
    }
    let version = if content_type == "application/grpc" {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    };
    request.version(version).body(()).expect("valid")
}

/// The same with a header that is there twice, in a map that was full before.
fn repeated(mut request: Request<()>) -> Request<()> {
    let twice = http::HeaderValue::from_static("a=b");
    request.headers_mut().append("cookie", twice.clone());
    request.headers_mut().append("cookie", twice);
    request
}

/// The status of the answer and the allocations around `call` and the one poll.
fn counted<S, B>(service: &mut S, request: Request<()>) -> (u16, usize)
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let before = ALLOCATIONS.get();
    let answered = {
        let mut future = pin!(service.call(request));
        future.as_mut().poll(&mut context)
    };
    let allocations = ALLOCATIONS.get() - before;
    let Poll::Ready(Ok(response)) = answered else {
        unreachable!("the inner service is ready at once");
    };
    (response.status().as_u16(), allocations)
}

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.get();
    let boxed = std::hint::black_box(Box::new(1));
    assert_eq!(ALLOCATIONS.get() - before, 1);
    drop(boxed);
}

#[test]
fn p3_j6_accept_exempt_and_reject_allocate_nothing() {
    const JSON: &str = "application/json";
    const GRPC: &str = "application/grpc";
    let builder = || {
        RequireTokenLayer::builder()
            .token(token(TOKEN))
            .add_previous(token(PREVIOUS))
    };
    let usual = builder()
        .daprd_probes()
        .daprd_discovery()
        .http_health()
        .build()
        .expect("valid");
    let kept = builder().keep_header().build().expect("valid");
    let observed = builder().observer(Arc::new(Silent)).build().expect("valid");
    let table = [
        ("accept", &usual, request("/orders", JSON, Some(TOKEN)), 200),
        (
            "accept the previous token",
            &usual,
            request("/orders", JSON, Some(PREVIOUS)),
            200,
        ),
        (
            "accept, header kept",
            &kept,
            request("/orders", JSON, Some(TOKEN)),
            200,
        ),
        (
            "accept, header kept, another one repeated",
            &kept,
            repeated(request("/orders", JSON, Some(TOKEN))),
            200,
        ),
        (
            "accept, observed",
            &observed,
            request("/orders", JSON, Some(TOKEN)),
            200,
        ),
        (
            "exempt",
            &usual,
            request(
                "/dapr.proto.runtime.v1.AppCallback/ListInputBindings",
                GRPC,
                None,
            ),
            200,
        ),
        (
            "reject over HTTP: wrong",
            &usual,
            request("/orders", JSON, Some(WRONG)),
            401,
        ),
        (
            "reject over HTTP: missing",
            &usual,
            request("/orders", JSON, None),
            401,
        ),
        (
            "reject over gRPC: wrong",
            &usual,
            request("/a.B/C", GRPC, Some(WRONG)),
            200,
        ),
        (
            "reject over gRPC: missing",
            &usual,
            request("/a.B/C", GRPC, None),
            200,
        ),
    ];
    for (name, layer, request, status) in table {
        let mut service = layer.layer(Inner);
        assert_eq!(counted(&mut service, request), (status, 0), "{name}");
    }
}

/// What they write to is in force while they are made, and allocates nothing itself.
#[cfg(all(feature = "metrics", feature = "tracing"))]
#[test]
fn p3_o1_o3_the_ready_made_observers_are_told_without_an_allocation() {
    use tower_dapr_token::{MetricsObserver, TracingObserver};

    const JSON: &str = "application/json";
    const GRPC: &str = "application/grpc";
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let observer = metrics::with_local_recorder(&recorder, || {
        Arc::new((MetricsObserver::new(), TracingObserver::new()))
    });
    let layer = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .add_previous(token(PREVIOUS))
        .http_health()
        .observer(observer.clone())
        .build()
        .expect("valid");
    let mut service = layer.layer(Inner);
    let mut client = InjectTokenLayer::builder()
        .token(token(TOKEN))
        .any_loopback_port()
        .observer(observer.clone())
        .build()
        .expect("valid")
        .layer(Inner);
    let cases = [
        ("accept", "/orders", JSON, Some(TOKEN), 200),
        (
            "accept the previous one",
            "/orders",
            JSON,
            Some(PREVIOUS),
            200,
        ),
        ("reject over HTTP: wrong", "/orders", JSON, Some(WRONG), 401),
        ("reject over HTTP: missing", "/orders", JSON, None, 401),
        ("reject over gRPC: wrong", "/a.B/C", GRPC, Some(WRONG), 200),
    ];
    for (name, path, content_type, presented, status) in cases {
        for time in ["the first time", "again"] {
            let request = request(path, content_type, presented);
            assert_eq!(
                counted(&mut service, request),
                (status, 0),
                "{name}, {time}"
            );
        }
    }
    for uri in ["http://127.0.0.1:3500/", "http://elsewhere.example/"] {
        assert_eq!(
            counted(&mut client, request(uri, JSON, None)),
            (200, 0),
            "{uri}"
        );
    }
    let before = ALLOCATIONS.get();
    observer.0.refresh_gauges();
    assert_eq!(ALLOCATIONS.get() - before, 0, "the gauges");

    let counted: u64 = recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .into_iter()
        .filter(|(key, ..)| key.key().name() == "dapr_token_requests_total")
        .map(|(_, _, _, value)| match value {
            metrics_util::debugging::DebugValue::Counter(count) => count,
            other => unreachable!("{other:?}"),
        })
        .sum();
    assert_eq!(counted, 10, "they were told");
}

#[test]
fn j6_a_refusal_of_a_request_without_any_header_makes_the_two_tables_of_a_map() {
    let mut service = RequireTokenLayer::new(token(TOKEN)).layer(Inner);
    let bare = Request::post("/orders").body(()).expect("valid");
    let (status, allocations) = counted(&mut service, bare);
    assert_eq!(status, 401);
    assert!(allocations <= 2, "{allocations}");
}

#[test]
fn i2_injection_allocates_nothing_where_the_map_has_room() {
    let mut service = InjectTokenLayer::builder()
        .token(token(TOKEN))
        .any_loopback_port()
        .build()
        .expect("valid")
        .layer(Inner);
    for existing in [None, Some("mine")] {
        let request = request("http://127.0.0.1:3500/", "application/json", existing);
        assert_eq!(
            counted(&mut service, request),
            (200, 0),
            "existing: {existing:?}"
        );
    }
}

#[test]
fn p3_r8_tokens_that_change_cost_no_allocation_even_for_the_first_request_after_a_change() {
    const JSON: &str = "application/json";
    const GRPC: &str = "application/grpc";
    const THIRD: &str = "the-token-that-comes-after-all-of-the-others";
    let handle = TokenHandle::new(TokenSet::new(token(PREVIOUS)));
    let layer = RequireTokenLayer::builder()
        .reader(handle.reader())
        .http_health()
        .build()
        .expect("valid");
    let client = InjectTokenLayer::builder()
        .reader(handle.reader())
        .any_loopback_port()
        .build()
        .expect("valid");
    let before = layer.layer(Inner);
    let client_before = client.layer(Inner);
    handle.rotate(token(TOKEN)).expect("fits");
    let after = layer.layer(Inner);
    let cases = [
        ("current", JSON, Some(TOKEN), 200),
        ("previous, which reads the clock", JSON, Some(PREVIOUS), 200),
        ("wrong", JSON, Some(WRONG), 401),
        ("missing", JSON, None, 401),
        ("wrong, over gRPC", GRPC, Some(WRONG), 200),
    ];
    for (name, content_type, presented, status) in cases {
        for (state, service) in [("stale", &before), ("fresh", &after)] {
            let count = ALLOCATIONS.get();
            let mut service = service.clone();
            assert_eq!(ALLOCATIONS.get() - count, 0, "{state} clone");
            let request = request("/orders", content_type, presented);
            let answer = counted(&mut service, request);
            assert_eq!(answer, (status, 0), "{name}, {state}");
        }
    }
    for mut client in [client_before, client.layer(Inner)] {
        let request = request("http://127.0.0.1:3500/", JSON, None);
        assert_eq!(counted(&mut client, request), (200, 0), "injected");
    }

    // A previous token that was taken away.
    handle.rotate(token(THIRD)).expect("fits");
    assert_eq!(handle.revoke_previous(), 2);
    for (state, service) in [("stale", &before), ("fresh", &layer.layer(Inner))] {
        let mut service = service.clone();
        let request = request("/orders", JSON, Some(TOKEN));
        assert_eq!(counted(&mut service, request), (401, 0), "revoked, {state}");
    }
}

/// A clock that the test moves, in seconds.
#[derive(Default)]
struct Moved(AtomicU64);

impl Clock for Moved {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn wait(&self, _: Duration) {}
}

#[test]
fn p3_r7_a_previous_token_costs_no_allocation_before_its_end_and_after_it() {
    let clock = Arc::new(Moved::default());
    let handle = TokenHandle::builder()
        .tokens(TokenSet::new(token(PREVIOUS)))
        .clock(clock.clone())
        .build()
        .expect("valid");
    let layer = RequireTokenLayer::builder()
        .reader(handle.reader())
        .build()
        .expect("valid");
    let stale = layer.layer(Inner);
    handle.rotate(token(TOKEN)).expect("fits");
    // An hour is the overlap.
    for (seconds, status) in [(0, 200), (3_599, 200), (3_600, 401), (1_000_000, 401)] {
        clock.0.store(seconds, Ordering::Relaxed);
        for (state, service) in [("stale", &stale), ("fresh", &layer.layer(Inner))] {
            let mut service = service.clone();
            let previous = request("/orders", "application/json", Some(PREVIOUS));
            let answer = counted(&mut service, previous);
            assert_eq!(answer, (status, 0), "after {seconds} s, {state}");
            let current = request("/orders", "application/json", Some(TOKEN));
            assert_eq!(counted(&mut service, current), (200, 0), "the current one");
        }
    }
}

#[test]
fn p3_cloning_the_service_allocates_nothing() {
    let service = RequireTokenLayer::new(token(TOKEN)).layer(Inner);
    let before = ALLOCATIONS.get();
    let clone = service.clone();
    assert_eq!(ALLOCATIONS.get() - before, 0);
    drop(clone);
}
