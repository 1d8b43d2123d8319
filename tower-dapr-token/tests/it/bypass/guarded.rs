//! The layer as a program may put it, around a service that keeps what reached it; and what must have reached it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Empty;
use tokio::net::{TcpListener, TcpStream};
use tower::util::BoxCloneService;
use tower::{Layer, Service, service_fn};
use tower_dapr_token::{
    Authenticated, Decision, Exempt, Observer, Outcome, RejectionKind, RequireTokenBuilder,
    RequireTokenLayer,
};

use super::table::Expected;
use crate::support::{NAME, TOKEN};

/// The twin of the header's name.
pub(super) const UNDERSCORES: &str = "dapr_api_token";
/// What the layers exempt: daprd's two health probes.
pub(super) const PROBE: &str = "/healthz";
pub(super) const GRPC_PROBE: &str = "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck";

/// How long a connection may take: the end of a test that hangs, not of one that is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both ends of one connection, until both are done; what the client read.
pub(super) async fn both<T>(client: impl Future<Output = T>, server: impl Future) -> T {
    tokio::time::timeout(PATIENCE, async { tokio::join!(client, server).0 })
        .await
        .expect("the server answers, or closes the connection")
}

/// What came through.
struct Arrival {
    method: Method,
    path: String,
    headers: HeaderMap,
    exempt: bool,
    authenticated: bool,
}

/// What an observer was told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Allowed,
    Exempt,
    Denied(RejectionKind),
}

#[derive(Default)]
struct Decisions(Mutex<Vec<Told>>);

impl Observer for Decisions {
    fn on_decision(&self, decision: &Decision) {
        let told = match decision.outcome() {
            Outcome::Allowed { .. } => Told::Allowed,
            Outcome::Exempt => Told::Exempt,
            Outcome::Denied(rejection) => Told::Denied(rejection.kind()),
            other => unreachable!("{other:?}"),
        };
        self.0.lock().expect("no test panicked").push(told);
    }
}

/// One way to put the layer. Each takes another arm of the flow.
pub(super) struct Setup {
    pub(super) name: &'static str,
    guard: Guard,
    /// One for all connections, so that a run does not use up the machine's ports.
    listener: TcpListener,
    keeps: bool,
    strips_twins: bool,
    /// Where the layer was asked to tell.
    decisions: Option<Arc<Decisions>>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

/// The layer of either kind.
enum Guard {
    AtOnce(RequireTokenLayer),
    #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
    Waiting(RequireTokenLayer<tower_dapr_token::Waiting>),
}

fn builder() -> RequireTokenBuilder<'static> {
    RequireTokenLayer::builder()
        .token(TOKEN.parse().expect("valid"))
        .http_health()
        .daprd_probes()
}

async fn setup(name: &'static str, builder: RequireTokenBuilder<'_>) -> Setup {
    Setup {
        name,
        guard: Guard::AtOnce(builder.build().expect("valid")),
        listener: TcpListener::bind("127.0.0.1:0").await.expect("a port"),
        keeps: false,
        strips_twins: false,
        decisions: None,
        arrivals: Arc::default(),
    }
}

/// The layer with its defaults, and with each option that decides by another arm.
pub(super) async fn setups() -> Vec<Setup> {
    let decisions = Arc::new(Decisions::default());
    vec![
        setup("by default", builder()).await,
        Setup {
            keeps: true,
            ..setup("keeps the header", builder().keep_header()).await
        },
        Setup {
            strips_twins: true,
            ..setup("strips underscores", builder().strip_underscore_variants()).await
        },
        Setup {
            decisions: Some(decisions.clone()),
            ..setup("tells", builder().with_extensions().observer(decisions)).await
        },
        #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
        beside_jwts().await,
        #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
        beside_fetched_keys().await,
    ]
}

/// A static token where JWTs are accepted too: the same verdicts by another check.
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
async fn beside_jwts() -> Setup {
    use tower_dapr_token::{Algorithm, JwtKeys, JwtRules};

    let rules = JwtRules::new("https://issuer.example", "orders").algorithms([Algorithm::HS256]);
    let keys = JwtKeys::secret([b'k'; 32]).expect("a secret");
    let decisions = Arc::new(Decisions::default());
    Setup {
        decisions: Some(decisions.clone()),
        ..setup(
            "beside JWTs",
            builder().jwt(keys, rules).observer(decisions),
        )
        .await
    }
}

/// The same where keys are fetched, and a request may wait for one.
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
async fn beside_fetched_keys() -> Setup {
    use crate::issuer::Issuer;
    use crate::signing::{Key, rules};

    let issuer = Issuer::with(&[&Key::new("key")]).await;
    let decisions = Arc::new(Decisions::default());
    let layer = builder()
        .observer(decisions.clone())
        .jwks(issuer.url(), rules())
        .build()
        .await
        .expect("keys");
    Setup {
        guard: Guard::Waiting(layer),
        decisions: Some(decisions),
        ..setup("beside fetched keys", builder()).await
    }
}

impl Setup {
    /// Both ends of a new connection: the client's, and the server's.
    pub(super) async fn connection(&self) -> (TcpStream, TcpStream) {
        let address = self.listener.local_addr().expect("bound");
        let client = TcpStream::connect(address).await.expect("connected");
        let (server, _) = self.listener.accept().await.expect("a connection");
        // An answer is more than one segment, and no one waits for the first to be confirmed.
        server.set_nodelay(true).expect("set");
        (client, server)
    }

    /// The layer around a service that answers 200 with no body, and keeps the head of each request.
    pub(super) fn guarded<B: Send + 'static>(
        &self,
    ) -> impl Service<
        Request<B>,
        Response = Response<
            impl http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
        >,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static {
        let arrivals = Arc::clone(&self.arrivals);
        let inner = service_fn(move |request: Request<B>| {
            let extensions = request.extensions();
            arrivals.lock().expect("no test panicked").push(Arrival {
                method: request.method().clone(),
                path: request.uri().path().to_owned(),
                exempt: extensions.get::<Exempt>().is_some(),
                authenticated: extensions.get::<Authenticated>().is_some(),
                headers: request.headers().clone(),
            });
            std::future::ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
        });
        match &self.guard {
            Guard::AtOnce(layer) => BoxCloneService::new(layer.layer(inner)),
            #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
            Guard::Waiting(layer) => BoxCloneService::new(layer.layer(inner)),
        }
    }

    /// Holds one request against what had to come of it. `statuses` are those of all answers.
    pub(super) fn check(&self, row: &str, expected: Expected, statuses: &[u16]) {
        let name = format!("{row}, {}", self.name);
        let arrivals = std::mem::take(&mut *self.arrivals.lock().expect("no test panicked"));
        let told = self.told();
        match expected {
            Expected::Accepted | Expected::Exempt => {
                assert_eq!(statuses, [200], "{name}");
                let [arrival] = &arrivals[..] else {
                    unreachable!("{name}: {} requests came through", arrivals.len());
                };
                self.check_stripped(&name, arrival);
                let exempt = expected == Expected::Exempt;
                if exempt {
                    assert_exempt(&name, arrival);
                }
                if let Some(told) = told {
                    let decision = if exempt { Told::Exempt } else { Told::Allowed };
                    assert_eq!(told, [decision], "{name}");
                    assert_eq!(arrival.exempt, exempt, "{name}: its mark");
                    assert_eq!(arrival.authenticated, !exempt, "{name}: its mark");
                }
            }
            Expected::Refused(kind) => {
                assert_eq!(statuses, [401], "{name}");
                assert!(arrivals.is_empty(), "{name}: came through");
                if let Some(told) = told {
                    assert_eq!(told, [Told::Denied(kind)], "{name}");
                }
            }
            Expected::NoRequest => {
                // No answer at all, or one of the server: ours are 200 and 401.
                assert!(matches!(statuses, [] | [400]), "{name}: {statuses:?}");
                assert!(arrivals.is_empty(), "{name}: came through");
                assert_eq!(told.unwrap_or_default(), [], "{name}: was asked");
            }
            Expected::CannotSay(_) => {
                assert_eq!(statuses, [0; 0], "{name}: not sent");
                assert!(arrivals.is_empty(), "{name}: not sent");
            }
        }
    }

    /// Holds what came through on one connection against what had to, in order: methods and paths.
    pub(super) fn check_arrivals(&self, row: &str, expected: &[&str]) {
        let name = format!("{row}, {}", self.name);
        let arrivals = std::mem::take(&mut *self.arrivals.lock().expect("no test panicked"));
        let lines: Vec<_> = arrivals
            .iter()
            .map(|arrival| format!("{} {}", arrival.method, arrival.path))
            .collect();
        assert_eq!(lines, expected, "{name}");
        let told = self.told();
        for (i, arrival) in arrivals.iter().enumerate() {
            self.check_stripped(&name, arrival);
            if told.is_some() && arrival.exempt {
                assert_exempt(&name, arrival);
            }
            if told.is_some() {
                assert!(arrival.exempt || arrival.authenticated, "{name}: {i}");
            }
        }
    }

    fn told(&self) -> Option<Vec<Told>> {
        let decisions = self.decisions.as_ref()?;
        Some(std::mem::take(
            &mut *decisions.0.lock().expect("no test panicked"),
        ))
    }

    /// No token goes on, whatever it was, and so no twin where they are stripped.
    fn check_stripped(&self, name: &str, arrival: &Arrival) {
        let mut kept = arrival.headers.get_all(NAME).iter();
        if self.keeps {
            assert!(kept.all(http::HeaderValue::is_sensitive), "{name}: marked");
        } else {
            assert_eq!(kept.count(), 0, "{name}: not stripped");
        }
        if self.strips_twins {
            let mut names = arrival.headers.keys().map(http::HeaderName::as_str);
            assert!(
                !names.any(|name| name.replace('_', "-") == NAME),
                "{name}: twin not stripped"
            );
        }
    }
}

/// What was exempted is what the app now sees.
fn assert_exempt(name: &str, arrival: &Arrival) {
    let seen = (arrival.method.as_str(), arrival.path.as_str());
    assert!(
        [("GET", PROBE), ("POST", GRPC_PROBE)].contains(&seen),
        "{name}: {seen:?}"
    );
}
