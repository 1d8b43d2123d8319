//! What belongs to the inner service stays its own: deadlines, cancellation, back pressure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tokio_stream::StreamExt as _;
use tonic::body::Body;
use tonic::transport::Server;
use tower::Layer as _;
use tower_test::mock;

use crate::support::{
    BOTH_WAYS, Client, Echo, NAME, NEVER, TOKEN, UNARY, Waiting, any_path, client, layer, serve,
    soon, with,
};

/// The other end of a server that is not on any socket, so that only the test's own clock runs.
fn in_memory(echo: Echo) -> tokio::io::DuplexStream {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let incoming = tokio_stream::once(Ok::<_, std::io::Error>(theirs));
    tokio::spawn(
        Server::builder()
            .layer(layer())
            .add_routes(any_path(echo))
            // It would stop taking connections, and then end, with the last one.
            .serve_with_incoming(incoming.chain(tokio_stream::pending())),
    );
    ours
}

#[tokio::test(start_paused = true)]
async fn j5_the_deadline_of_a_call_reaches_the_server_and_ends_the_handler() {
    let (echo, mut waiting) = Echo::and_waiting();
    // Not through a channel, which would end the call by a timer of its own.
    let (client, connection) = h2::client::handshake(in_memory(echo.clone()))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let mut client = client.ready().await.expect("ready");
    let call = |token: &str| {
        Request::post(format!("http://localhost{NEVER}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", "30S")
            .header(NAME, token)
            .body(())
            .expect("valid")
    };
    let began = Instant::now();
    let (response, mut body) = client.send_request(call(TOKEN), false).expect("room");
    body.send_data(Bytes::from_static(&[0; 5]), true)
        .expect("in the window");
    assert_eq!(waiting.recv().await, Some(Waiting::Began));
    let seen = echo.take();
    assert_eq!(seen[0].metadata.get("grpc-timeout").expect("there"), "30S");
    let response = response.await.expect("answered");
    assert_eq!(began.elapsed().as_secs(), 30, "on the test's own clock");
    assert_ne!(response.headers()["grpc-status"], "16", "not a refusal");
    assert_eq!(waiting.recv().await, Some(Waiting::Dropped));

    let (response, _) = client.send_request(call("wrong"), true).expect("room");
    let response = response.await.expect("answered");
    assert_eq!(response.headers()["grpc-status"], "16");
    assert_eq!(began.elapsed().as_secs(), 30, "refused at once");
}

#[tokio::test]
async fn j5_a_call_that_its_client_gives_up_is_dropped_behind_the_layer() {
    let (echo, mut waiting) = Echo::and_waiting();
    let mut client = client(serve(layer(), echo).await).await;
    let call = tokio::spawn(async move { client.unary(NEVER, with("hi", &[TOKEN])).await });
    assert_eq!(soon(waiting.recv()).await, Some(Waiting::Began));
    call.abort();
    assert_eq!(soon(waiting.recv()).await, Some(Waiting::Dropped));
}

#[tokio::test]
async fn j5_a_stream_that_is_read_slowly_is_sent_no_faster() {
    let mut ours = Some(in_memory(Echo::default()));
    let channel = tonic::transport::Endpoint::from_static("http://in.memory")
        .connect_with_connector(tower::service_fn(move |_| {
            let io = ours.take().map(TokioIo::new);
            std::future::ready(io.ok_or_else(|| std::io::Error::other("there is but one")))
        }))
        .await
        .expect("connected");
    let mut client = Client::new(channel);
    let (given, messages) = counted_messages();
    let mut answers = client
        .both_ways(with(messages, &[TOKEN]))
        .await
        .unwrap_or_else(|status| panic!("{BOTH_WAYS}: {status}"));
    // Nothing is read, so what goes out comes to an end, held by the windows of both ways.
    let mut before = usize::MAX;
    while before != given.load(Ordering::Relaxed) {
        before = given.load(Ordering::Relaxed);
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
    assert!(before < 200, "{before} messages of 64 KiB went out");
    let first = soon(answers.message()).await.expect("accepted");
    assert_eq!(first.expect("a message").len(), 64 << 10);
    for _ in 0..300 {
        let message = soon(answers.message()).await.expect("flows again");
        assert_eq!(message.expect("a message").len(), 64 << 10);
    }
}

/// As many messages of 64 KiB as are asked for, counted.
fn counted_messages() -> (
    Arc<AtomicUsize>,
    impl tokio_stream::Stream<Item = Bytes> + Send + 'static,
) {
    let given = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&given);
    let messages = tokio_stream::iter(std::iter::repeat_with(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        Bytes::from(vec![7; 64 << 10])
    }));
    (given, messages)
}

#[tokio::test]
async fn j5_readiness_is_that_of_the_inner_service_and_a_refusal_uses_none_of_it() {
    let (inner, mut handle) = mock::pair::<Request<Body>, Response<Body>>();
    let mut service = mock::Spawn::new(layer().layer(inner));
    let call = |values: &[&str]| {
        let mut request = Request::post(UNARY).version(http::Version::HTTP_2);
        request = request.header("content-type", "application/grpc");
        for value in values {
            request = request.header(NAME, *value);
        }
        request.body(Body::empty()).expect("valid")
    };
    handle.allow(0);
    assert!(service.poll_ready().is_pending(), "the inner one is busy");
    handle.allow(1);
    assert!(service.poll_ready().is_ready());

    let refused = service.call(call(&[])).await.expect("an answer");
    assert_eq!(refused.headers()["grpc-status"], "16");
    assert!(service.poll_ready().is_ready(), "its place was not used");

    let answer = service.call(call(&[TOKEN]));
    let (request, respond) = soon(handle.next_request()).await.expect("a call");
    assert!(!request.headers().contains_key(NAME));
    respond.send_response(Response::new(Body::empty()));
    let answer = soon(answer).await.expect("an answer");
    assert!(!answer.headers().contains_key("grpc-status"));
}
