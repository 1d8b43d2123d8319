//! What Tower asks of a layer: readiness, errors, bodies, and nothing of the inner service.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service, ServiceExt};
use tower_dapr_token::{
    ConfigError, InjectTokenLayer, Rejection, RequireToken, RequireTokenLayer, ResponseBody,
};
use tower_test::{assert_request_eq, mock};

use crate::support::{NAME, TOKEN, layer, request};

#[test]
fn j5_o4_public_types_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    fn clones<T: Clone + Send + Sync + 'static>() {}
    clones::<RequireTokenLayer>();
    clones::<InjectTokenLayer>();
    clones::<RequireToken<()>>();
    crosses::<ConfigError>();
    crosses::<Rejection>();
    crosses::<ResponseBody<()>>();
}

#[tokio::test]
async fn j5_readiness_is_the_inner_services_and_it_is_called_only_when_ready() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<()>, Response<String>, _>(layer());
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());

    // A refusal neither calls the inner service nor uses its readiness up.
    let refused = service.call(request(&[])).await.expect("a response");
    assert_eq!(refused.status(), 401);
    assert!(handle.poll_request().is_pending());
    let answered = service.call(request(&[TOKEN]));
    let (_, respond) = handle.next_request().await.expect("came through");
    respond.send_response(Response::new("inner".to_owned()));
    assert_eq!(answered.await.expect("a response").status(), 200);
}

#[tokio::test]
async fn j8_the_inner_services_errors_are_passed_on() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<()>, Response<String>, _>(layer());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let answered = service.call(request(&[TOKEN]));
    let (_, respond) = handle.next_request().await.expect("came through");
    respond.send_error("broken inside");
    let error = answered.await.expect_err("the inner error");
    assert_eq!(error.to_string(), "broken inside");
}

#[tokio::test]
async fn i2_injection_keeps_readiness_and_errors() {
    let layer = InjectTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .any_loopback_port()
        .build()
        .expect("valid");
    let (mut service, mut handle) = mock::spawn_layer::<Request<()>, Response<()>, _>(layer);
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let sent = service.call(Request::get("http://127.0.0.1:1/").body(()).expect("valid"));
    let (request, respond) = handle.next_request().await.expect("sent");
    assert_eq!(request.headers()[NAME], TOKEN);
    respond.send_error("refused");
    assert_eq!(
        sent.await.expect_err("the inner error").to_string(),
        "refused"
    );
}

/// Neither `Clone`, `Send` nor `Sync`, and with an error of its own.
struct Lonely(Rc<()>);

impl Service<Request<()>> for Lonely {
    type Response = Response<Undefaulted>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let _ = Rc::strong_count(&self.0);
        ready(Ok(Response::new(Undefaulted::new())))
    }
}

/// A body without `Default`, with hints that are easy to tell.
struct Undefaulted {
    left: usize,
}

impl Undefaulted {
    fn new() -> Self {
        Self { left: 2 }
    }
}

impl Body for Undefaulted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.left = self.left.saturating_sub(1);
        Poll::Ready((self.left > 0).then(|| Ok(Frame::data(Bytes::from_static(b"x")))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(7);
        hint.set_upper(11);
        hint
    }
}

#[tokio::test]
async fn j5_the_inner_service_need_be_neither_clone_nor_send_and_its_body_keeps_its_hints() {
    let mut service = layer().layer(Lonely(Rc::new(())));
    let response = service
        .ready()
        .await
        .expect("infallible")
        .call(request(&[TOKEN]))
        .await;
    let mut body = response.expect("infallible").into_body();
    assert_eq!(
        (body.size_hint().lower(), body.size_hint().upper()),
        (7, Some(11))
    );
    assert!(!body.is_end_stream());
    use http_body_util::BodyExt as _;
    assert!(body.frame().await.is_some());
    assert!(body.frame().await.is_none());
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn j2_a_refusal_over_grpc_is_at_its_end_with_nothing_in_it() {
    let mut service = layer().layer(Lonely(Rc::new(())));
    let mut refused = request(&[]);
    *refused.version_mut() = http::Version::HTTP_2;
    refused.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("application/grpc"),
    );
    let response = service
        .ready()
        .await
        .expect("infallible")
        .call(refused)
        .await;
    let body = response.expect("infallible").into_body();
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.is_end_stream());
}

/// A request body that must not be touched.
struct Untouchable(Arc<AtomicBool>);

impl Body for Untouchable {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.store(true, Ordering::Relaxed);
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn j5_the_body_of_a_refused_request_is_not_polled() {
    let touched = Arc::new(AtomicBool::new(false));
    let refused = request(&[]).map(|()| Untouchable(Arc::clone(&touched)));
    let (answer, seen) = crate::support::send(&layer(), refused).await;
    assert_eq!((answer.status, seen), (401, None));
    assert!(!touched.load(Ordering::Relaxed));
}

#[tokio::test]
async fn j5_dropping_the_future_drops_the_inner_one() {
    struct CountsDrops(Arc<AtomicUsize>);
    impl Drop for CountsDrops {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    let inner = tower::service_fn(|_: Request<()>| {
        let counted = CountsDrops(Arc::clone(&drops));
        async move {
            let _counted = counted;
            std::future::pending::<Result<Response<Undefaulted>, Infallible>>().await
        }
    });
    let mut service = layer().layer(inner);
    let future = service
        .ready()
        .await
        .expect("infallible")
        .call(request(&[TOKEN]));
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    drop(future);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn i1_a_mocked_client_sees_exactly_one_value() {
    let layer = InjectTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .any_loopback_port()
        .build()
        .expect("valid");
    let (service, mut handle) = mock::pair::<String, Response<()>>();
    let service = service.map_request(|request: Request<()>| {
        format!("{:?}", request.headers().get_all(NAME).iter().count())
    });
    let mut service = mock::Spawn::new(layer.layer(service));
    assert!(service.poll_ready().is_ready());
    let twice = Request::get("http://localhost/")
        .header(NAME, "a")
        .header(NAME, "b");
    let _sent = service.call(twice.body(()).expect("valid"));
    assert_request_eq!(handle, "1").send_response(Response::new(()));
}
