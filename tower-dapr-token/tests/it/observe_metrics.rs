//! The ready-made metrics, over real layers, in a recorder of each test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, Version};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    InjectTokenBuilder, InjectTokenLayer, MetricsObserver, MetricsObserverBuilder, Overlap,
    RequireTokenLayer, Token, TokenHandle,
};

use crate::support::{MovedClock, Says, TOKEN, WRONG, request, send};

const PREVIOUS: &str = "the-token-that-was-current-before-this-one!";
const SECOND: Duration = Duration::from_secs(1);

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

/// A recorder of its own, the observer that writes to it, and the clock of both it and the tokens.
struct Watched {
    metrics: Arc<MetricsObserver>,
    clock: Arc<MovedClock>,
    snapshotter: Snapshotter,
}

impl Watched {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(adapt: impl FnOnce(MetricsObserverBuilder) -> MetricsObserverBuilder) -> Self {
        let recorder = DebuggingRecorder::new();
        let clock = Arc::new(MovedClock::default());
        let builder = MetricsObserver::builder().clock(clock.clone());
        let metrics = metrics::with_local_recorder(&recorder, || adapt(builder).build());
        Self {
            metrics: Arc::new(metrics),
            clock,
            snapshotter: recorder.snapshotter(),
        }
    }

    /// Every series with its value. **Taking it sets all of them to 0.**
    fn take(&self) -> BTreeMap<String, f64> {
        let snapshot = self.snapshotter.snapshot().into_vec().into_iter();
        snapshot
            .map(|(key, _, _, value)| {
                let labels: BTreeSet<_> = key
                    .key()
                    .labels()
                    .map(|label| format!("{}={}", label.key(), label.value()))
                    .collect();
                let labels = Vec::from_iter(labels).join(",");
                let series = format!("{}{{{labels}}}", key.key().name());
                let value = match value {
                    DebugValue::Counter(count) => f64::from(u32::try_from(count).expect("a few")),
                    DebugValue::Gauge(value) => value.into_inner(),
                    DebugValue::Histogram(_) => unreachable!("there is none"),
                };
                (series, value)
            })
            .collect()
    }

    /// The counters that are not 0.
    fn counted(&self) -> BTreeMap<String, f64> {
        let mut counted = self.take();
        counted.retain(|series, value| series.contains("_total{") && *value != 0.0);
        counted
    }

    /// The gauges without their prefix, refreshed: enforcing, generation, age, end of the previous token. They
    /// are told as they are after a snapshot took the values of the last one away.
    fn gauges(&self) -> [f64; 3] {
        self.metrics.refresh_gauges();
        let values = self.take();
        ["generation", "age_seconds", "previous_expires_in_seconds"]
            .map(|name| values[&format!("dapr_token_{name}{{}}")])
    }
}

fn series(entries: &[(&str, f64)]) -> BTreeMap<String, f64> {
    entries
        .iter()
        .map(|(series, value)| ((*series).to_owned(), *value))
        .collect()
}

fn requests(outcome: &str, reason: &str, protocol: &str, mode: &str) -> String {
    format!(
        "dapr_token_requests_total{{mode={mode},outcome={outcome},protocol={protocol},reason={reason}}}"
    )
}

fn grpc(values: &[&str]) -> Request<()> {
    let mut request = request(values);
    *request.version_mut() = Version::HTTP_2;
    let content_type = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", content_type);
    request
}

#[tokio::test]
async fn o1_o2_each_request_is_counted_once_under_what_was_decided() {
    let probe = || Request::get("/healthz").body(()).expect("valid");
    let long = "x".repeat(1025);
    // Which layer, the request, outcome, reason, mode.
    let table = [
        ("accepted", "static", request(&[TOKEN]), "allowed", "none"),
        ("exempt", "static", probe(), "exempt", "none"),
        ("missing", "static", request(&[]), "denied", "missing"),
        ("empty", "static", request(&[""]), "denied", "empty"),
        (
            "twice",
            "static",
            request(&[TOKEN, TOKEN]),
            "denied",
            "ambiguous",
        ),
        (
            "too long",
            "static",
            request(&[&long]),
            "denied",
            "too_large",
        ),
        ("wrong", "static", request(&[WRONG]), "denied", "mismatch"),
        ("over", "expired", request(&[PREVIOUS]), "denied", "expired"),
        (
            "none yet",
            "lazy",
            request(&[TOKEN]),
            "denied",
            "unavailable",
        ),
        (
            "accepted by a reader",
            "expired",
            request(&[TOKEN]),
            "allowed",
            "none",
        ),
        ("everything", "open", request(&[WRONG]), "allowed", "none"),
        ("nothing", "open", request(&[]), "allowed", "none"),
        ("everything, exempt", "open", probe(), "exempt", "none"),
    ];
    for (name, layer, sent, outcome, reason) in table {
        for is_grpc in [false, true] {
            let watched = Watched::new();
            let builder = RequireTokenLayer::builder()
                .http_health()
                .daprd_probes()
                .observer(watched.metrics.clone());
            let layer = match layer {
                "static" => builder.token(token(TOKEN)).build().expect("valid"),
                "open" => builder.insecure_allow_all().build().expect("valid"),
                "lazy" => {
                    let nothing = Says::tokens("");
                    builder.source(nothing).build_lazy().expect("valid").0
                }
                "expired" => {
                    let handle = TokenHandle::builder()
                        .tokens(token(PREVIOUS).into())
                        .overlap(Overlap::For(SECOND))
                        .clock(watched.clock.clone())
                        .build()
                        .expect("valid");
                    handle.rotate(token(TOKEN)).expect("fits");
                    watched.clock.advance(SECOND);
                    builder.reader(handle.reader()).build().expect("valid")
                }
                _ => unreachable!("{layer}"),
            };
            watched.take();
            let mut sent = sent.clone();
            if is_grpc {
                let uri = if sent.uri().path() == "/healthz" {
                    "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck"
                } else {
                    "/a.B/C"
                };
                *sent.method_mut() = http::Method::POST;
                *sent.uri_mut() = uri.parse().expect("valid");
                *sent.version_mut() = Version::HTTP_2;
                let content_type = HeaderValue::from_static("application/grpc");
                sent.headers_mut().insert("content-type", content_type);
            }
            let protocol = if is_grpc { "grpc" } else { "http" };
            let mode = if name.starts_with("everything") || name == "nothing" {
                "allow_all"
            } else {
                "static"
            };
            send(&layer, sent).await;
            let expected = requests(outcome, reason, protocol, mode);
            assert_eq!(
                watched.counted(),
                series(&[(&expected, 1.0)]),
                "{name}, {protocol}"
            );
        }
    }
}

#[tokio::test]
async fn o1_previous_accepted_counts_requests_with_a_previous_token_and_no_other() {
    let watched = Watched::new();
    let layer = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .add_previous(token(PREVIOUS))
        .observer(watched.metrics.clone())
        .build()
        .expect("valid");
    for (value, times) in [(TOKEN, 3), (PREVIOUS, 2), (WRONG, 4)] {
        for _ in 0..times {
            send(&layer, request(&[value])).await;
            send(&layer, grpc(&[value])).await;
        }
    }
    assert_eq!(
        watched.counted(),
        series(&[
            (&requests("allowed", "none", "http", "static"), 5.0),
            (&requests("allowed", "none", "grpc", "static"), 5.0),
            (&requests("denied", "mismatch", "http", "static"), 4.0),
            (&requests("denied", "mismatch", "grpc", "static"), 4.0),
            ("dapr_token_previous_accepted_total{}", 4.0),
        ])
    );
}

#[test]
fn o1_r5_every_reading_is_counted_under_its_result() {
    let watched = Watched::new();
    let source = Says::tokens("token-a");
    let handle = TokenHandle::builder()
        .source(source.clone())
        .observer(watched.metrics.clone())
        .build()
        .expect("a token");
    let result = |result: &str| format!("dapr_token_reloads_total{{result={result}}}");
    assert_eq!(
        watched.counted(),
        series(&[(&result("changed"), 1.0)]),
        "built"
    );
    for lines in [
        Ok("token-a"),
        Ok("token-b"),
        Err("is gone"),
        Ok(""),
        Ok("a b"),
        Ok("token-b"),
    ] {
        source.change_to(lines);
        let _counted = handle.refresh();
    }
    assert_eq!(
        watched.counted(),
        series(&[
            (&result("changed"), 1.0),
            (&result("unchanged"), 2.0),
            (&result("failed"), 3.0),
        ])
    );
    handle.rotate(token("token-c")).expect("fits");
    assert_eq!(watched.counted(), series(&[]), "no source was read");
}

#[tokio::test]
async fn o1_i3_every_outbound_request_is_counted_under_its_result() {
    type Adapt = fn(InjectTokenBuilder<'_>) -> InjectTokenBuilder<'_>;
    let plain: Adapt = |builder| builder.token(token(TOKEN));
    let keep: Adapt = |builder| builder.token(token(TOKEN)).keep_existing();
    let nothing: Adapt = |builder| builder.env_var("UNSET").optional();
    let full = |mut request: Request<()>| {
        for i in 0.. {
            let name = HeaderName::try_from(format!("x-{i}")).expect("a name");
            let value = HeaderValue::from_static("x");
            if request.headers_mut().try_insert(name, value).is_err() {
                break;
            }
        }
        request
    };
    let to = |uri: &str| Request::get(uri).body(()).expect("valid");
    let sidecar = || to("http://127.0.0.1:3500/");
    let with_own = || {
        let mut request = sidecar();
        let value = HeaderValue::from_static("mine");
        request.headers_mut().insert("dapr-api-token", value);
        request
    };
    for (result, adapt, request) in [
        ("injected", plain, sidecar()),
        ("kept_existing", keep, with_own()),
        ("origin_not_allowed", plain, to("http://evil.example/")),
        ("no_token", nothing, sidecar()),
        ("no_room", plain, full(sidecar())),
    ] {
        let watched = Watched::new();
        let environment = |_: &str| None;
        let builder = InjectTokenLayer::builder()
            .environment(&environment)
            .any_loopback_port()
            .observer(watched.metrics.clone());
        let client =
            adapt(builder)
                .build()
                .expect("valid")
                .layer(service_fn(|_: Request<()>| async {
                    Ok::<_, std::convert::Infallible>(Response::new(()))
                }));
        client.oneshot(request).await.expect("infallible");
        let expected = format!("dapr_token_injected_total{{result={result}}}");
        assert_eq!(watched.counted(), series(&[(&expected, 1.0)]), "{result}");
    }
}

#[tokio::test]
async fn o1_r1_enforcing_is_0_where_a_layer_lets_everything_through() {
    const ENFORCING: &str = "dapr_token_enforcing{}";
    let watched = Watched::new();
    let builder = || RequireTokenLayer::builder().observer(watched.metrics.clone());
    let strict = builder().token(token(TOKEN)).build().expect("valid");
    send(&strict, request(&[WRONG])).await;
    assert_eq!(watched.take()[ENFORCING], 1.0, "a strict layer");

    let watched = Watched::new();
    let builder = || RequireTokenLayer::builder().observer(watched.metrics.clone());
    let _open = builder().insecure_allow_all().build().expect("valid");
    let strict = builder().token(token(TOKEN)).build().expect("valid");
    send(&strict, request(&[TOKEN])).await;
    assert_eq!(
        watched.take()[ENFORCING],
        0.0,
        "an open one beside a strict one"
    );

    // One that was built later with the same recorder sets the same gauge to 1.
    let recorder = DebuggingRecorder::new();
    let first = metrics::with_local_recorder(&recorder, || Arc::new(MetricsObserver::new()));
    let layer = RequireTokenLayer::builder()
        .insecure_allow_all()
        .observer(first)
        .build()
        .expect("valid");
    metrics::with_local_recorder(&recorder, || drop(MetricsObserver::new()));
    send(&layer, request(&[])).await;
    let values = recorder.snapshotter().snapshot().into_vec();
    let enforcing = values
        .iter()
        .find(|(key, ..)| key.key().name() == "dapr_token_enforcing")
        .map(|(_, _, _, value)| value);
    assert_eq!(
        enforcing,
        Some(&DebugValue::Gauge(0.0.into())),
        "an unchecked request tells again"
    );
}

#[test]
fn o1_the_gauges_of_tokens_are_exact_when_they_are_refreshed() {
    let watched = Watched::new();
    assert_eq!(
        watched.gauges(),
        [0.0, 0.0, 0.0],
        "tokens that cannot change"
    );
    let source = Says::tokens("token-a");
    let handle = TokenHandle::builder()
        .source(source.clone())
        .overlap(Overlap::For(60 * SECOND))
        .clock(watched.clock.clone())
        .observer(watched.metrics.clone())
        .build()
        .expect("a token");
    assert_eq!(watched.gauges(), [2.0, 0.0, 0.0], "loaded");
    watched.clock.advance(5 * SECOND);
    assert_eq!(watched.gauges(), [2.0, 5.0, 0.0], "5 s later, nobody read");

    source.change_to(Err("is gone"));
    handle.refresh().expect_err("gone");
    assert_eq!(
        watched.gauges(),
        [2.0, 5.0, 0.0],
        "a failed reading is none"
    );
    watched.clock.advance(SECOND);
    assert_eq!(watched.gauges(), [2.0, 6.0, 0.0], "and the age goes on");

    source.change_to(Ok("token-b"));
    handle.refresh().expect("changed");
    assert_eq!(watched.gauges(), [3.0, 0.0, 60.0], "changed");
    watched.clock.advance(45 * SECOND + SECOND / 2);
    assert_eq!(
        watched.gauges(),
        [3.0, 45.5, 14.5],
        "the previous one on its way out"
    );
    watched.clock.advance(20 * SECOND);
    assert_eq!(watched.gauges(), [3.0, 65.5, 0.0], "and gone");

    handle.rotate(token("token-c")).expect("fits");
    assert_eq!(watched.gauges(), [4.0, 0.0, 60.0], "by hand");
    assert_eq!(handle.revoke_previous(), 2, "one of them over already");
    assert_eq!(watched.gauges(), [5.0, 0.0, 0.0], "revoked");
}

#[test]
fn o1_the_gauges_of_tokens_are_set_by_each_reading_without_a_refresh() {
    let watched = Watched::new();
    let source = Says::tokens("token-a");
    let handle = TokenHandle::builder()
        .source(source.clone())
        .clock(watched.clock.clone())
        .observer(watched.metrics.clone())
        .build()
        .expect("a token");
    watched.clock.advance(10 * SECOND);
    source.change_to(Err("is gone"));
    handle.refresh().expect_err("gone");
    let values = watched.take();
    assert_eq!(values["dapr_token_age_seconds{}"], 10.0);
    assert_eq!(values["dapr_token_generation{}"], 2.0);
}

#[tokio::test]
async fn o2_labels_hold_the_named_values_and_nothing_of_a_request() {
    const NAMED: &[(&str, &[&str])] = &[
        ("outcome", &["allowed", "denied", "exempt"]),
        (
            "reason",
            &[
                "alg",
                "ambiguous",
                "aud",
                "claims",
                "empty",
                "expired",
                "iss",
                "kid",
                "malformed",
                "mismatch",
                "missing",
                "none",
                "not_yet",
                "signature",
                "sub",
                "too_large",
                "unavailable",
            ],
        ),
        ("protocol", &["grpc", "http"]),
        ("mode", &["allow_all", "jwt", "static"]),
        (
            "result",
            &[
                "changed",
                #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
                "evict",
                "failed",
                #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
                "hit",
                "injected",
                "kept_existing",
                #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
                "miss",
                "no_room",
                "no_token",
                "origin_not_allowed",
                #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
                "refreshed",
                "unchanged",
            ],
        ),
    ];
    const METRICS: &[(&str, MetricKind, Unit, &[&str])] = &[
        (
            "dapr_token_requests_total",
            MetricKind::Counter,
            Unit::Count,
            &["mode", "outcome", "protocol", "reason"],
        ),
        (
            "dapr_token_previous_accepted_total",
            MetricKind::Counter,
            Unit::Count,
            &[],
        ),
        (
            "dapr_token_reloads_total",
            MetricKind::Counter,
            Unit::Count,
            &["result"],
        ),
        (
            "dapr_token_injected_total",
            MetricKind::Counter,
            Unit::Count,
            &["result"],
        ),
        ("dapr_token_enforcing", MetricKind::Gauge, Unit::Count, &[]),
        ("dapr_token_generation", MetricKind::Gauge, Unit::Count, &[]),
        (
            "dapr_token_age_seconds",
            MetricKind::Gauge,
            Unit::Seconds,
            &[],
        ),
        (
            "dapr_token_previous_expires_in_seconds",
            MetricKind::Gauge,
            Unit::Seconds,
            &[],
        ),
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        (
            "dapr_token_jwt_cache_total",
            MetricKind::Counter,
            Unit::Count,
            &["result"],
        ),
        #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
        (
            "dapr_token_jwks_refreshes_total",
            MetricKind::Counter,
            Unit::Count,
            &["result"],
        ),
        #[cfg(feature = "jwks")]
        (
            "dapr_token_unknown_kids_total",
            MetricKind::Counter,
            Unit::Count,
            &[],
        ),
        #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
        (
            "dapr_token_keys_skipped_total",
            MetricKind::Counter,
            Unit::Count,
            &[],
        ),
        #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
        (
            "dapr_token_jwks_age_seconds",
            MetricKind::Gauge,
            Unit::Seconds,
            &[],
        ),
        #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
        ("dapr_token_keys", MetricKind::Gauge, Unit::Count, &[]),
    ];
    let watched = Watched::new();
    let layer = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .http_health()
        .observer(watched.metrics.clone())
        .build()
        .expect("valid");
    for (method, uri, value) in [
        ("GET", "/hunter2?token=hunter2", Some("hunter2")),
        ("GET", "/healthz?hunter2", None),
        (
            "HUNTER2",
            "/hunter2,evil=hunter2",
            Some("hunter2\"},evil=\""),
        ),
        ("POST", "http://hunter2/hunter2", Some(TOKEN)),
    ] {
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header("user-agent", "hunter2");
        if let Some(value) = value {
            request = request.header("dapr-api-token", value);
        }
        send(&layer, request.body(()).expect("valid")).await;
    }

    let mut values = BTreeMap::<_, BTreeSet<_>>::new();
    let mut metrics = BTreeMap::new();
    for (key, unit, description, _) in watched.snapshotter.snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        let labels: BTreeSet<_> = key.labels().map(|label| label.key().to_owned()).collect();
        for label in key.labels() {
            let values = values.entry(label.key().to_owned()).or_default();
            values.insert(label.value().to_owned());
        }
        let description = description.expect("described").to_string();
        assert!(!description.contains("hunter2"), "{description}");
        assert_eq!(
            kind == MetricKind::Counter,
            key.name().ends_with("_total"),
            "{key:?}"
        );
        metrics.insert(key.name().to_owned(), (kind, unit.expect("a unit"), labels));
    }
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected: BTreeMap<String, BTreeSet<String>> = NAMED
        .iter()
        .map(|(label, values)| ((*label).to_owned(), named(values)))
        .collect();
    assert_eq!(values, expected);
    let expected: BTreeMap<String, (MetricKind, Unit, BTreeSet<String>)> = METRICS
        .iter()
        .map(|(name, kind, unit, labels)| ((*name).to_owned(), (*kind, *unit, named(labels))))
        .collect();
    assert_eq!(metrics, expected);
}

#[tokio::test]
async fn o1_labels_of_ones_own_stand_on_every_series_and_cannot_hide_ours() {
    let watched = Watched::with(|builder| {
        builder
            .add_label("listener", "admin")
            .add_label("outcome", "mine")
            .add_label("result", "mine")
            .add_label("listener", "again")
    });
    let layer = RequireTokenLayer::builder()
        .token(token(TOKEN))
        .observer(watched.metrics.clone())
        .build()
        .expect("valid");
    send(&layer, request(&[TOKEN])).await;
    let values = watched.take();
    for series in values.keys() {
        assert!(series.contains("listener=admin"), "{series}");
        assert!(
            !series.contains("mine") && !series.contains("again"),
            "{series}"
        );
    }
    let counted = "dapr_token_requests_total{listener=admin,mode=static,outcome=allowed,protocol=http,reason=none}";
    assert_eq!(values[counted], 1.0);
}

/// Counts how often a handle is looked up.
#[derive(Default)]
struct LookedUp {
    inner: DebuggingRecorder,
    times: AtomicUsize,
}

impl Recorder for LookedUp {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.inner.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.inner.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.inner.register_histogram(key, metadata)
    }
}

#[test]
fn o1_handles_are_looked_up_once_and_never_for_a_request() {
    let recorder = LookedUp::default();
    metrics::with_local_recorder(&recorder, || {
        let observer = Arc::new(MetricsObserver::new());
        let before = recorder.times.load(Ordering::Relaxed);
        assert!(before > 20, "counted: {before}");
        let (layer, handle) = RequireTokenLayer::builder()
            .source(Says::tokens(TOKEN))
            .observer(observer.clone())
            .build_with_handle()
            .expect("valid");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            for values in [&[TOKEN][..], &[WRONG], &[], &[TOKEN, TOKEN]] {
                send(&layer, request(values)).await;
                send(&layer, grpc(values)).await;
            }
        });
        handle.refresh().expect("unchanged");
        handle.rotate(token(PREVIOUS)).expect("fits");
        observer.refresh_gauges();
        assert_eq!(recorder.times.load(Ordering::Relaxed), before);
    });
}

#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[tokio::test]
async fn o1_t7_t8_t9_fetches_keys_and_remembered_tokens_are_counted() {
    use crate::issuer::Issuer;
    use crate::signing::{Key, NOW, Wall, forged, rules};

    let watched = Watched::new();
    let (told, mut fetched) = tokio::sync::mpsc::unbounded_channel();
    let key = Key::new("known");
    let mut issuer = Issuer::with(&[&key]).await;
    let layer = RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .observer(Arc::new((watched.metrics.clone(), Fetched(told))))
        .jwks(issuer.url(), rules())
        .with(|layer| layer.jwt_cache(1))
        .key_clock(watched.clock.clone())
        .build()
        .await
        .expect("keys");
    fetched.recv().await.expect("told");
    watched.clock.advance(7 * SECOND);
    let counted = |entries: &[(&str, f64)]| {
        let mut counted = watched.counted();
        counted.retain(|series, _| !series.contains("requests_total"));
        assert_eq!(counted, series(entries));
    };
    counted(&[("dapr_token_jwks_refreshes_total{result=refreshed}", 1.0)]);
    watched.metrics.refresh_gauges();
    assert_eq!(watched.take()["dapr_token_jwks_age_seconds{}"], 7.0);

    let ask = async |token: &str| {
        let app = service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(()))
        });
        let response = layer.layer(app).oneshot(request(&[token])).await;
        response.expect("infallible").status()
    };
    let (one, two) = (key.token(), key.token_of("somebody else"));
    for token in [&one, &one, &two, &two] {
        assert_eq!(ask(token).await, 200);
    }
    counted(&[
        ("dapr_token_jwt_cache_total{result=evict}", 1.0),
        ("dapr_token_jwt_cache_total{result=hit}", 2.0),
        ("dapr_token_jwt_cache_total{result=miss}", 1.0),
    ]);

    issuer.answers(500, "");
    assert_eq!(ask(&forged("other")).await, 401);
    assert_eq!(ask(&forged("another")).await, 401);
    fetched.recv().await.expect("told");
    counted(&[
        ("dapr_token_jwks_refreshes_total{result=failed}", 1.0),
        ("dapr_token_unknown_kids_total{}", 2.0),
    ]);

    issuer.has_and(&[&key], &serde_json::json!({ "kty": "none" }));
    watched.clock.advance(31 * SECOND);
    assert_eq!(ask(&forged("other")).await, 401);
    fetched.recv().await.expect("told");
    let values = watched.take();
    for (name, value) in [
        ("jwks_refreshes_total{result=refreshed}", 1.0),
        ("keys_skipped_total{}", 1.0),
        ("keys{}", 1.0),
        ("jwks_age_seconds{}", 0.0),
    ] {
        assert_eq!(values[&format!("dapr_token_{name}")], value, "{name}");
    }
    issuer.ends().await;
}

/// Each key set has series of its own, so that an old one cannot hide behind a fresh one.
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[tokio::test]
async fn o1_t8_two_key_sets_are_told_apart_by_a_label_of_the_users_own() {
    use tower_dapr_token::{JwtRules, RemoteKeys};

    use crate::issuer::Issuer;
    use crate::signing::{Key, NOW, Wall, forged, rules};

    let watched = Watched::new();
    let (told, mut fetched) = tokio::sync::mpsc::unbounded_channel();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let observer = |name: &str| {
        metrics::with_local_recorder(&recorder, || {
            MetricsObserver::builder()
                .clock(watched.clock.clone())
                .add_label("listener", "admin")
                .add_label("key_set", "gives way")
                .build_for_keys(name)
        })
    };
    let (blue, green) = (Arc::new(observer("blue")), Arc::new(observer("green")));
    let (one, two) = (Key::new("one"), Key::new("two"));
    let issuer = Issuer::with(&[&one, &two]).await;
    let mut other = Issuer::with(&[&two]).await;
    let keys = |issuer: &Issuer, observer: &Arc<MetricsObserver>| {
        let observer = (observer.clone(), Fetched(told.clone()));
        RemoteKeys::jwks(issuer.url()).observer(Arc::new(observer))
    };
    let other_rules = JwtRules::new("https://other.example", "orders");
    let layer = RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .observer(watched.metrics.clone())
        .remote_keys(keys(&issuer, &blue), rules())
        .add_remote_keys(keys(&other, &green), other_rules)
        .key_clock(watched.clock.clone())
        .build()
        .await
        .expect("keys");
    for _ in 0..2 {
        fetched.recv().await.expect("told");
    }
    other.ends().await;
    watched.clock.advance(40 * SECOND);
    // Fetched again: the first set is fresh, and the second one ages.
    let app =
        service_fn(|_: Request<()>| async { Ok::<_, std::convert::Infallible>(Response::new(())) });
    let response = layer.layer(app).oneshot(request(&[&forged("three")])).await;
    assert_eq!(response.expect("infallible").status(), 401);
    fetched.recv().await.expect("told");
    watched.clock.advance(2 * SECOND);
    blue.refresh_gauges();
    green.refresh_gauges();

    let told = Watched {
        metrics: watched.metrics.clone(),
        clock: watched.clock.clone(),
        snapshotter,
    };
    let mut values = told.take();
    values.retain(|_, value| *value != 0.0);
    let plain =
        |name: &str, set: &str| format!("dapr_token_{name}{{key_set={set},listener=admin}}");
    let refreshed = |set: &str| {
        format!("dapr_token_jwks_refreshes_total{{key_set={set},listener=admin,result=refreshed}}")
    };
    let expected = BTreeMap::from([
        (refreshed("blue"), 2.0),
        (refreshed("green"), 1.0),
        (plain("unknown_kids_total", "blue"), 1.0),
        (plain("keys", "blue"), 2.0),
        (plain("keys", "green"), 1.0),
        (plain("jwks_age_seconds", "blue"), 2.0),
        (plain("jwks_age_seconds", "green"), 42.0),
    ]);
    assert_eq!(values, expected, "and nothing else begins at 1");
    let mut values = watched.take();
    values.retain(|series, value| *value != 0.0 && !series.contains("requests_total"));
    let only = BTreeMap::from([("dapr_token_enforcing{}".to_owned(), 1.0)]);
    assert_eq!(values, only, "the layer's own observer is not told of them");
}

/// Passes on when keys were fetched, or could not be.
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
struct Fetched(tokio::sync::mpsc::UnboundedSender<()>);

#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
impl tower_dapr_token::Observer for Fetched {
    fn on_key_event(&self, event: &tower_dapr_token::KeyEvent) {
        if !matches!(event, tower_dapr_token::KeyEvent::UnknownKid { .. }) {
            // A test that has ended listens no more.
            let _ = self.0.send(());
        }
    }
}
