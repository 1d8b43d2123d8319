//! Everything that is traced, by whomever, and every metric, while a server and a client work: no token in it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use metrics_util::debugging::DebuggingRecorder;
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    InjectTokenLayer, MetricsObserver, Notice, Observer, Overlap, RequireTokenLayer, Token,
    TokenHandle, TokenSet, TracingObserver,
};

use crate::capture::Capture;
use crate::secrets::{BAD, CURRENT, NEXT, PREVIOUS, WRONG, assert_none_in};
use crate::support::{MovedClock, NAME, Told};

const SECOND: Duration = Duration::from_secs(1);

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

/// Sends one request over a connection of its own, through a real client and a real server, and gives all that can be
/// printed of the answer.
async fn exchange(
    layer: &RequireTokenLayer,
    client: &InjectTokenLayer,
    request: Request<Body>,
) -> String {
    let app = Router::new()
        .route("/healthz", any(|| async { "fit" }))
        .fallback(any(
            |headers: HeaderMap| async move { format!("{headers:?}") },
        ))
        .layer(layer.clone());
    let (near, far) = tokio::io::duplex(64 * 1024);
    let over_http2 = request.version() == Version::HTTP_2;
    let server = tokio::spawn(async move {
        let (io, app) = (TokioIo::new(far), TowerToHyperService::new(app));
        if over_http2 {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(io, app).await;
        } else {
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(io, app).await;
        }
    });
    let near = TokioIo::new(near);
    let response: Response<hyper::body::Incoming> = if over_http2 {
        let executor = TokioExecutor::new();
        let (sender, connection) = hyper::client::conn::http2::handshake(executor, near)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        let send = service_fn(move |request| {
            let mut sender = sender.clone();
            async move { sender.send_request(request).await }
        });
        client
            .layer(send)
            .oneshot(request)
            .await
            .expect("an answer")
    } else {
        let (sender, connection) = hyper::client::conn::http1::handshake(near)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        let sender = Arc::new(tokio::sync::Mutex::new(sender));
        let send = service_fn(move |request| {
            let sender = Arc::clone(&sender);
            async move { sender.lock().await.send_request(request).await }
        });
        client
            .layer(send)
            .oneshot(request)
            .await
            .expect("an answer")
    };
    let printed = format!("{response:?}");
    let body = response.into_body().collect().await.expect("a body");
    server.abort();
    format!("{printed} {body:?}")
}

fn requests(uri: &'static str, content_type: &'static str, values: &[&str]) -> [Request<Body>; 2] {
    [Version::HTTP_11, Version::HTTP_2].map(|version| {
        let mut request = Request::post(uri)
            .version(version)
            .header("content-type", content_type);
        for value in values {
            request = request.header(NAME, *value);
        }
        request.body(Body::from("a body")).expect("valid")
    })
}

#[tokio::test]
async fn o3_c5_no_token_is_traced_counted_or_answered_while_requests_are_served() {
    const APP: &str = "http://127.0.0.1:3500/orders";
    const ELSEWHERE: &str = "http://elsewhere.example/orders";
    let capture = Capture::start();
    let recorder = DebuggingRecorder::new();
    let clock = Arc::new(MovedClock::default());
    let metrics = metrics::with_local_recorder(&recorder, || {
        Arc::new(MetricsObserver::builder().clock(clock.clone()).build())
    });
    let log = TracingObserver::with_clock(clock.clone());
    let told = Arc::new(Told::default());
    let observer: Arc<dyn Observer> = Arc::new(((metrics.clone(), log), told.clone()));
    let handle = TokenHandle::builder()
        .tokens(TokenSet::new(token(PREVIOUS)))
        .overlap(Overlap::For(100 * SECOND))
        .clock(clock.clone())
        .observer(observer.clone())
        .build()
        .expect("valid");
    handle.rotate(token(CURRENT)).expect("fits");
    let builder = || {
        RequireTokenLayer::builder()
            .reader(handle.reader())
            .http_health()
            .with_extensions()
            .observer(observer.clone())
    };
    let layers = [
        builder().build().expect("valid"),
        builder().daprd_compat().build().expect("valid"),
    ];
    let clients = [true, false].map(|with_token| {
        let builder = InjectTokenLayer::builder()
            .any_loopback_port()
            .leave_for_other_origins()
            .keep_existing()
            .observer(observer.clone());
        let builder = if with_token {
            builder.reader(handle.reader())
        } else {
            builder
                .env_var("UNSET")
                .optional()
                .environment(&|_: &str| None)
        };
        builder.build().expect("valid")
    });
    let mut answers = BTreeSet::new();
    for layer in &layers {
        for client in &clients {
            for content_type in ["application/json", "application/grpc"] {
                for values in [
                    &[][..],
                    &[CURRENT],
                    &[PREVIOUS],
                    &[WRONG],
                    &[CURRENT, WRONG],
                    &[BAD, BAD],
                    &[""],
                ] {
                    for uri in [APP, ELSEWHERE] {
                        for request in requests(uri, content_type, values) {
                            answers.insert(exchange(layer, client, request).await);
                            clock.advance(SECOND / 10);
                        }
                    }
                }
            }
        }
    }
    // Four fifths of the overlap are over, and not all of it, with what the requests took.
    clock.advance(65 * SECOND);
    for request in requests(ELSEWHERE, "text/plain", &[PREVIOUS]) {
        exchange(&layers[0], &clients[0], request).await;
    }
    handle.rotate(token(NEXT)).expect("fits");
    let both = TokenSet::new(token(NEXT)).add_previous(token(CURRENT));
    handle.replace(both.expect("fits")).expect("fits");
    let _ = handle.revoke_previous();
    for values in [[NEXT], [CURRENT]] {
        for request in requests(ELSEWHERE, "text/plain", &values) {
            exchange(&layers[0], &clients[0], request).await;
        }
    }

    metrics.refresh_gauges();
    let rendered = format!("{:#?}", recorder.snapshotter().snapshot().into_vec());
    assert!(rendered.contains("mismatch"), "{rendered}");
    assert_none_in("the metrics", &rendered);
    let answers = Vec::from_iter(answers).join("\n");
    assert!(
        answers.contains("401") && answers.contains("200"),
        "both are among them"
    );
    assert_none_in("the answers", &answers);
    let told = Vec::from_iter(told.take().into_iter().collect::<BTreeSet<_>>()).join("\n");
    assert!(told.contains("PreviousStillUsed"), "{told}");
    assert_none_in("what an observer is told", &told);
    assert_silent(
        &capture,
        &[
            "dapr_token::decision",
            "dapr_token::injection",
            "dapr_token::reload",
            "h2::",
        ],
    );
}

#[test]
fn o3_o4_no_token_is_traced_or_counted_while_its_source_changes_and_fails() {
    let capture = Capture::start();
    let recorder = DebuggingRecorder::new();
    let metrics = metrics::with_local_recorder(&recorder, || Arc::new(MetricsObserver::new()));
    let clock = Arc::new(MovedClock::default());
    let observer = Arc::new((metrics.clone(), TracingObserver::with_clock(clock.clone())));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, CURRENT).expect("written");
    let (_layer, handle) = RequireTokenLayer::builder()
        .file(&path)
        .clock(clock.clone())
        .observer(observer)
        .build_with_handle()
        .expect("a token");
    let nine = (0..9).map(|i| format!("{BAD}{i}\n")).collect();
    let contents = [
        (format!("{NEXT}\n{CURRENT}\n"), true),
        (format!("{BAD} {BAD}"), false),
        (nine, false),
        (BAD.repeat(40), false),
        (BAD.repeat(4000), false),
        (format!("{NEXT}\n{BAD}\u{fc}\n"), false),
        (format!("{BAD}\0"), false),
        (String::new(), false),
        ("a,b".to_owned(), true),
        (format!("{PREVIOUS}\n"), true),
    ];
    let mut printed = String::new();
    for (content, is_good) in contents {
        std::fs::write(&path, content).expect("written");
        let result = handle.refresh();
        assert_eq!(result.is_ok(), is_good, "{result:?}");
        let next = handle.refresh();
        writeln!(printed, "{result:?} {result:#?} {next:?}").expect("a String takes everything");
        if let Err(error) = result {
            let notice = Notice::ReloadFailing(error.clone());
            writeln!(printed, "{error} {} {notice} {notice:#?}", error.kind())
                .expect("a String takes everything");
        }
        clock.advance(10 * SECOND);
    }
    metrics.refresh_gauges();
    let rendered = format!("{:#?}", recorder.snapshotter().snapshot().into_vec());
    assert!(rendered.contains("failed"), "{rendered}");
    assert_none_in("the metrics", &rendered);
    assert_none_in("results", &printed);
    assert_silent(&capture, &["dapr_token::reload", "dapr_token::notice"]);
}

/// Nothing in any line of any target; these are among them.
fn assert_silent(capture: &Capture, targets: &[&str]) {
    let lines = capture.take();
    for target in targets {
        assert!(
            lines.iter().any(|line| line.target.starts_with(target)),
            "{target} says nothing"
        );
    }
    // Each line once: of most of them there are hundreds.
    let lines: BTreeSet<_> = lines.iter().map(|line| format!("{line:?}")).collect();
    assert_none_in("the log", &Vec::from_iter(lines).join("\n"));
}
