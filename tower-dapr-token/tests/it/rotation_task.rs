//! The task that reloads in the background, on the paused clock of Tokio.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceExt};
use tower_dapr_token::{
    ConfigError, InjectTokenLayer, LoadedTokens, RequireTokenLayer, SourceError, TokenHandle,
    TokenSource,
};

/// Tells of each load, and has one token.
struct Telling {
    loads: mpsc::UnboundedSender<()>,
    panics: Arc<AtomicBool>,
}

impl TokenSource for Telling {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        // Nobody listens any more at the end of a test.
        let _ = self.loads.send(());
        assert!(!self.panics.load(Ordering::Relaxed), "told to");
        Ok(LoadedTokens::new("a-token".parse().expect("valid")))
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

fn telling() -> (Telling, mpsc::UnboundedReceiver<()>, Arc<AtomicBool>) {
    let (loads, loaded) = mpsc::unbounded_channel();
    let panics = Arc::new(AtomicBool::new(false));
    let source = Telling {
        loads,
        panics: Arc::clone(&panics),
    };
    (source, loaded, panics)
}

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Time passes only while nothing can run.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn r3_the_task_polls_every_ten_seconds_give_or_take_one() {
    let (source, mut loaded, _) = telling();
    let _handle = TokenHandle::builder()
        .source(source)
        .reload_in_background()
        .build()
        .expect("valid");
    loaded.recv().await.expect("the first load");
    let mut last = Instant::now();
    for poll in 0..20 {
        loaded.recv().await.expect("polled");
        let apart = last.elapsed().as_millis();
        // The clock of Tokio counts whole milliseconds.
        assert!((8_990..=11_010).contains(&apart), "{poll}: {apart} ms");
        last = Instant::now();
    }
}

#[tokio::test(start_paused = true)]
async fn r9_the_task_ends_with_the_last_handle_layer_and_service() {
    let (source, mut loaded, _) = telling();
    let (layer, handle) = RequireTokenLayer::builder()
        .source(source)
        .reload_in_background()
        .build_with_handle()
        .expect("valid");
    let inner = tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let service = layer.layer(inner);
    let other_handle = handle.clone();
    loaded.recv().await.expect("the first load");
    for (name, held) in [
        ("handle", Box::new(handle) as Box<dyn std::any::Any>),
        ("other handle", Box::new(other_handle)),
        ("layer", Box::new(layer)),
    ] {
        drop(held);
        assert_eq!(tasks(), 1, "without the {name}");
        loaded.recv().await.expect("still polled");
        settled().await;
    }
    drop(service);
    settled().await;
    assert_eq!(tasks(), 0);
    assert_eq!(
        timeout(Duration::from_secs(60), loaded.recv()).await,
        Ok(None),
        "source dropped"
    );
}

#[tokio::test(start_paused = true)]
async fn r9_a_reader_does_not_keep_the_task_and_its_tokens_stay() {
    let (source, _loaded, _) = telling();
    let handle = TokenHandle::builder()
        .source(source)
        .reload_in_background()
        .build()
        .expect("valid");
    let reader = handle.reader();
    assert_eq!(tasks(), 1);
    drop(handle);
    settled().await;
    assert_eq!(tasks(), 0);
    assert_eq!(reader.header_value().expect("a token"), "a-token");
}

#[tokio::test(start_paused = true)]
async fn r9_a_source_that_panics_does_not_end_the_task() {
    let (source, mut loaded, panics) = telling();
    let handle = TokenHandle::builder()
        .source(source)
        .reload_in_background()
        .build()
        .expect("valid");
    loaded.recv().await.expect("the first load");
    panics.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        loaded.recv().await.expect("polled all the same");
    }
    panics.store(false, Ordering::Relaxed);
    loaded.recv().await.expect("polled");
    settled().await;
    assert!(handle.refresh().is_ok());
}

#[tokio::test(start_paused = true)]
async fn i6_a_refused_token_wakes_the_task_and_a_flood_of_them_once_a_second() {
    let (source, mut loaded, _) = telling();
    let layer = InjectTokenLayer::builder()
        .source(source)
        .reload_in_background()
        .any_loopback_port()
        .build()
        .expect("valid");
    loaded.recv().await.expect("the first load");
    let sent = AtomicUsize::new(0);
    let refused = async || {
        sent.fetch_add(1, Ordering::Relaxed);
        let client = layer.layer(tower::service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::builder().status(401).body(()).expect("valid"))
        }));
        let request = Request::get("http://localhost/").body(()).expect("valid");
        client.oneshot(request).await.expect("infallible");
    };
    settled().await;
    let started = Instant::now();
    refused().await;
    loaded.recv().await.expect("loaded");
    assert!(started.elapsed() < Duration::from_millis(10), "at once");

    let started = Instant::now();
    let mut loads = 0;
    while started.elapsed() < Duration::from_secs(5) {
        refused().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        while loaded.try_recv().is_ok() {
            loads += 1;
        }
    }
    assert!(
        (4..=6).contains(&loads),
        "{loads} loads for {sent:?} refusals"
    );
}

#[test]
fn r9_without_a_runtime_the_builder_says_what_to_do() {
    let (source, _loaded, _) = telling();
    let error = RequireTokenLayer::builder()
        .source(source)
        .reload_in_background()
        .build()
        .expect_err("no runtime");
    assert_eq!(error, ConfigError::NoRuntime);
    assert!(error.to_string().contains("call refresh()"), "{error}");

    let error = RequireTokenLayer::builder()
        .token("a-token".parse().expect("valid"))
        .reload_in_background()
        .build()
        .expect_err("nothing to reload");
    assert!(
        matches!(
            error,
            ConfigError::NothingToReload {
                setting: "reload_in_background",
                ..
            }
        ),
        "{error}"
    );
}
