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
    Authenticated, Decision, Exempt, Observer, Outcome, RejectionKind, RequireTokenLayer,
};

use super::setups::SequenceRow;
use super::table::Expected;
use crate::support::NAME;

/// The twin of the header's name.
pub(super) const UNDERSCORES: &str = "dapr_api_token";
/// Another name of the same length, which some setups read in place of the usual one.
pub(super) const CUSTOM: &str = "corp-api-token";
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
pub(super) struct Arrival {
    method: Method,
    path: String,
    headers: HeaderMap,
    exempt: bool,
    authenticated: bool,
}

/// What an observer was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Allowed,
    Exempt,
    Denied(RejectionKind),
}

#[derive(Default)]
pub(super) struct Decisions(Mutex<Vec<Told>>);

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
    pub(super) guard: Guard,
    /// One for all connections, so that a run does not use up the machine's ports.
    pub(super) listener: TcpListener,
    pub(super) keeps: bool,
    pub(super) strips_twins: bool,
    /// It reads [`CUSTOM`].
    pub(super) has_custom_name: bool,
    /// The rows that come to something else here.
    pub(super) otherwise: &'static [(&'static str, Expected)],
    pub(super) sequences_otherwise: &'static [SequenceRow],
    /// Where the layer was asked to tell.
    pub(super) decisions: Option<Arc<Decisions>>,
    pub(super) arrivals: Arc<Mutex<Vec<Arrival>>>,
}

/// The layer of either kind.
pub(super) enum Guard {
    AtOnce(RequireTokenLayer),
    #[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
    Waiting(RequireTokenLayer<tower_dapr_token::Waiting>),
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

    /// What is sent here for these bytes of a row. Where the header has a name of its own, the usual name and that one
    /// change places, in any case and with anything for a hyphen. No length changes.
    pub(super) fn spelt(&self, bytes: &[u8]) -> Vec<u8> {
        let mut spelt = bytes.to_vec();
        if !self.has_custom_name {
            return spelt;
        }
        for (at, window) in bytes.windows(NAME.len()).enumerate() {
            let part = |from, to| window[from..to].to_ascii_lowercase();
            let other = match (&part(0, 4)[..], &part(5, 8)[..], &part(9, 14)[..]) {
                (b"dapr", b"api", b"token") => b"corp",
                (b"corp", b"api", b"token") => b"dapr",
                _ => continue,
            };
            for (byte, other) in spelt[at..].iter_mut().zip(other) {
                *byte = match byte.is_ascii_uppercase() {
                    true => other.to_ascii_uppercase(),
                    false => *other,
                };
            }
        }
        spelt
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
        match self.expected(row, expected) {
            expected @ (Expected::Accepted | Expected::Exempt) => {
                assert_eq!(statuses, [200], "{name}");
                let [arrival] = &arrivals[..] else {
                    unreachable!("{name}: {} requests came through", arrivals.len());
                };
                self.check_stripped(&name, arrival);
                let exempt = expected == Expected::Exempt;
                if exempt {
                    self.assert_exempt(&name, arrival);
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

    /// What must come of a row here, if it becomes a request at all.
    fn expected(&self, row: &str, by_default: Expected) -> Expected {
        match by_default {
            Expected::NoRequest | Expected::CannotSay(_) => by_default,
            Expected::Accepted | Expected::Exempt | Expected::Refused(_) => self
                .otherwise
                .iter()
                .find(|(name, _)| *name == row)
                .map_or(by_default, |(_, otherwise)| *otherwise),
        }
    }

    /// Holds several requests on one connection against what had to come of them, in order. What came through is told by
    /// method and path.
    pub(super) fn check_sequence(
        &self,
        row: &str,
        found: &[u16],
        statuses: &[u16],
        arrivals: &[&str],
    ) {
        let otherwise = self
            .sequences_otherwise
            .iter()
            .find(|(name, ..)| *name == row);
        let (statuses, expected) = match otherwise {
            Some((_, statuses, arrivals)) => (*statuses, *arrivals),
            None => (statuses, arrivals),
        };
        let name = format!("{row}, {}", self.name);
        assert_eq!(found, statuses, "{name}");
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
                self.assert_exempt(&name, arrival);
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
        let read = if self.has_custom_name { CUSTOM } else { NAME };
        let headers = &arrival.headers;
        let mut kept = headers.get_all(read).iter();
        if self.keeps {
            assert!(kept.all(http::HeaderValue::is_sensitive), "{name}: marked");
        } else {
            assert_eq!(kept.count(), 0, "{name}: not stripped");
        }
        assert!(
            read == NAME || !headers.contains_key(NAME),
            "{name}: the usual name is not stripped"
        );
        if self.strips_twins {
            let mut twins = headers.keys().map(http::HeaderName::as_str).filter(|sent| {
                let plain = sent.replace('_', "-");
                sent.contains('_') && [read, NAME].contains(&plain.as_str())
            });
            assert_eq!(twins.next(), None, "{name}: twin not stripped");
        }
    }

    /// What was exempted is what the app now sees.
    fn assert_exempt(&self, name: &str, arrival: &Arrival) {
        let has = |header| arrival.headers.contains_key(header);
        let is_preflight = has("origin") && has("access-control-request-method");
        match (arrival.method.as_str(), arrival.path.as_str()) {
            ("GET", PROBE) | ("POST", GRPC_PROBE) => {}
            ("OPTIONS", _) if is_preflight && self.exempts_preflights() => {}
            seen => unreachable!("{name}: {seen:?}"),
        }
    }

    fn exempts_preflights(&self) -> bool {
        self.otherwise == super::setups::PREFLIGHTS
    }
}

#[test]
fn names_change_places_and_nothing_else_does() {
    let table = [
        ("dapr-api-token: x", "corp-api-token: x"),
        ("corp-api-token", "dapr-api-token"),
        (
            "Dapr-Api-Token DAPR_API_TOKEN",
            "Corp-Api-Token CORP_API_TOKEN",
        ),
        (
            "dapr.api_tokendapr-api-token",
            "corp.api_tokencorp-api-token",
        ),
        ("/dapr.proto dapr-api-toke", "/dapr.proto dapr-api-toke"),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let setups = runtime.block_on(super::setups::setups());
    for setup in &setups {
        for (from, to) in table {
            let expected = if setup.has_custom_name { to } else { from };
            assert_eq!(setup.spelt(from.as_bytes()), expected.as_bytes(), "{from}");
        }
    }
}
