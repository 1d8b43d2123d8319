//! Every public type, printed in every way that it can be, with a token in it. The list is held against the sources:
//! a type that is exported and not printed here fails the test.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt::{Debug, Display};
use std::future::Future as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use http::header::HeaderValue;
use http::{Method, Request, Response};
use tower::{Layer, Service, ServiceExt};
use tower_dapr_token::{
    Authenticated, ConfigError, DAPR_API_TOKEN, Decision, Event, Exempt, FileSource,
    InjectTokenLayer, Injection, InvalidToken, JwksError, JwksErrorKind, JwtCache, KeyEvent,
    KeySetFile, LoadedTokens, MetricsObserver, Notice, Observer, Origin, Outcome, Overlap,
    ProcessEnvironment, Protocol, RejectionKind, Reloaded, RemoteKeys, RequireTokenBuilder,
    RequireTokenLayer, SourceError, SourceErrorKind, SystemClock, Token, TokenHandle, TokenMode,
    TokenSet, TracingObserver,
};

use crate::secrets::{BAD, CURRENT, NEXT, PREVIOUS, WRONG, assert_none_in};
use crate::support::{NAME, request};

/// What was printed, and of which types.
#[derive(Default)]
struct Printed {
    text: String,
    types: BTreeSet<String>,
}

impl Printed {
    fn keep<T: Debug>(&mut self, value: &T, displayed: Option<String>) {
        self.text += &format!("{value:?}\n{value:#?}\n{}\n", displayed.unwrap_or_default());
        if let Some(name) = exported_as(std::any::type_name::<T>()) {
            self.types.insert(name);
        }
    }
}

/// `crate::token::secret::Token` is exported as `token::Token`; other crates' types are not.
fn exported_as(type_name: &str) -> Option<String> {
    let path = type_name
        .split('<')
        .next()?
        .strip_prefix("tower_dapr_token::")?;
    let (module, _) = path.split_once("::")?;
    let (_, name) = path.rsplit_once("::")?;
    Some(format!("{module}::{name}"))
}

/// Prints by `Display` what has one: the call finds the first of these that fits.
struct Shown<'v, T>(&'v T);

trait ByDisplay {
    fn displayed(&self) -> Option<String>;
}

impl<T: Display> ByDisplay for Shown<'_, T> {
    fn displayed(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

trait ByDebugAlone {
    fn displayed(&self) -> Option<String>;
}

impl<T> ByDebugAlone for &Shown<'_, T> {
    fn displayed(&self) -> Option<String> {
        None
    }
}

macro_rules! show {
    ($printed:expr, $($value:expr),+ $(,)?) => {
        $({
            let value = &$value;
            let displayed = (&Shown(value)).displayed();
            $printed.keep(value, displayed);
        })+
    };
}

/// Keeps what it is told, as it is.
#[derive(Default)]
struct Kept {
    decisions: Mutex<Vec<Decision>>,
    injections: Mutex<Vec<Injection>>,
    notices: Mutex<Vec<Notice>>,
    events: Mutex<Vec<Event>>,
}

impl Observer for Kept {
    fn on_decision(&self, decision: &Decision) {
        self.decisions.lock().expect("sound").push(decision.clone());
    }

    fn on_injection(&self, injection: Injection) {
        self.injections.lock().expect("sound").push(injection);
    }

    fn on_notice(&self, notice: &Notice) {
        self.notices.lock().expect("sound").push(notice.clone());
    }

    fn on_event(&self, event: &Event) {
        self.events.lock().expect("sound").push(*event);
    }
}

/// Answers with the extensions and the headers of the request, as they print.
#[derive(Clone, Debug)]
struct Echo;

impl Service<Request<()>> for Echo {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let marks = (
            request.extensions().get::<Authenticated>().cloned(),
            request.extensions().get::<Exempt>().cloned(),
        );
        let mut response = Response::new(format!("{request:?} {marks:?}"));
        response.extensions_mut().insert(marks);
        std::future::ready(Ok(response))
    }
}

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

fn request_to_sidecar(value: Option<&str>) -> Request<()> {
    let mut request = Request::get("http://127.0.0.1:3500/")
        .body(())
        .expect("valid");
    if let Some(value) = value {
        let value = HeaderValue::from_str(value).expect("valid");
        request.headers_mut().insert(DAPR_API_TOKEN, value);
    }
    request
}

async fn inbound(printed: &mut Printed, kept: &Arc<Kept>) {
    let builder = RequireTokenLayer::builder()
        .token(token(CURRENT))
        .add_previous(token(PREVIOUS))
        .http_health()
        .with_extensions()
        .rejection_in_extensions()
        .observer(kept.clone());
    show!(printed, builder);
    let layer = builder.build().expect("valid");
    let service = layer.layer(Echo);
    show!(printed, layer, service);
    let probe = Request::get("/healthz").header(NAME, WRONG).body(());
    let requests = [
        request(&[CURRENT]),
        request(&[PREVIOUS]),
        request(&[WRONG]),
        request(&[BAD, BAD]),
        request(&[]),
        probe.expect("valid"),
    ];
    for request in requests {
        let mut service = service.clone();
        let mut future = service.ready().await.expect("infallible").call(request);
        show!(printed, future);
        let mut future = pin!(&mut future);
        let response = future.as_mut().await.expect("infallible");
        show!(printed, response);
        if let Some((authenticated, exempt)) = response
            .extensions()
            .get::<(Option<Authenticated>, Option<Exempt>)>()
        {
            if let Some(authenticated) = authenticated {
                show!(printed, *authenticated);
            }
            if let Some(exempt) = exempt {
                show!(printed, *exempt);
            }
        }
        show!(printed, response.into_body());
        // Polled once too often, with a refusal in it, it panics as any future may.
        let again = catch_unwind(AssertUnwindSafe(|| {
            let _ready = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
        }));
        if let Err(panic) = again {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            printed.text += text.expect("a text");
        }
    }
    let kinds = [
        RejectionKind::Missing,
        RejectionKind::Mismatch,
        RejectionKind::Ambiguous,
    ];
    for decision in kept.decisions.lock().expect("sound").iter() {
        show!(
            printed,
            *decision,
            *decision.outcome(),
            decision.protocol(),
            decision.mode()
        );
        if let Outcome::Denied(rejection) = decision.outcome() {
            show!(printed, *rejection, rejection.kind());
            assert!(kinds.contains(&rejection.kind()), "{rejection}");
        }
    }
    show!(printed, Protocol::Grpc, TokenMode::AllowAll);

    let verifier = RequireTokenLayer::builder().token(token(CURRENT));
    let verifier = verifier.build_verifier().expect("valid");
    show!(printed, verifier);
    for values in [&[CURRENT][..], &[WRONG], &[BAD, BAD]] {
        let mut headers = request(values).headers().clone();
        match verifier.verify(&mut headers, Protocol::Grpc) {
            Ok(authenticated) => show!(printed, authenticated),
            Err(rejection) => {
                show!(printed, rejection, verifier.answer(&rejection));
            }
        }
        show!(printed, headers);
    }
}

async fn outbound(printed: &mut Printed, kept: &Arc<Kept>) {
    let origin: Origin = "http://127.0.0.1:3500".parse().expect("valid");
    show!(printed, origin, Origin::unix());
    let injector = InjectTokenLayer::builder()
        .token(token(CURRENT))
        .add_origin(origin.clone())
        .build_injector(origin.clone())
        .expect("valid");
    show!(printed, injector);
    let mut headers = request(&[]).headers().clone();
    show!(printed, injector.inject(&mut headers), headers);
    let builder = InjectTokenLayer::builder()
        .token(token(CURRENT))
        .add_origin(origin)
        .keep_existing()
        .observer(kept.clone());
    show!(printed, builder);
    let layer = builder.build().expect("valid");
    let service = layer.layer(Echo);
    show!(printed, layer, service);
    for value in [None, Some(PREVIOUS)] {
        let mut service = service.clone();
        let ready = service.ready().await.expect("infallible");
        let future = ready.call(request_to_sidecar(value));
        show!(printed, future);
        let response = future.await.expect("infallible");
        assert!(response.body().contains(NAME), "the header was printed");
        show!(printed, response);
    }
    for injection in kept.injections.lock().expect("sound").iter() {
        show!(printed, *injection);
    }
}

/// A JWT whose signature is one of the texts that are searched for, and what gives and holds it.
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
async fn outbound_jwt(printed: &mut Printed) {
    use tower_dapr_token::{JwtFile, JwtHandle, JwtSigner, MintedToken, Renewal};

    // {"alg":"ES256"} and {"exp":4102444800}
    let jwt =
        |signature: &str| format!("eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.{signature}AAA");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, jwt(CURRENT)).expect("written");
    let file = JwtFile::new(&path);
    let minted = MintedToken::new(jwt(CURRENT).into_bytes()).expect("a JWT");
    show!(printed, file, minted, Renewal::Polled);
    let wall = || crate::signing::Wall::at(crate::signing::NOW);
    let builder = JwtHandle::builder(file).wall_clock(wall());
    show!(printed, builder);
    let handle = builder.build().expect("a token");
    show!(printed, handle, handle.header_value());
    let layer = InjectTokenLayer::builder()
        .jwt_handle(&handle)
        .any_loopback_port();
    show!(printed, layer);
    let service = layer.build().expect("valid").layer(Echo);
    show!(printed, service);
    let response = service.oneshot(request_to_sidecar(None)).await;
    let response = response.expect("infallible");
    assert!(response.body().contains(NAME), "the header was printed");
    show!(printed, response);
    for content in [
        BAD.to_owned(),
        jwt(&BAD.repeat(300)),
        format!("{BAD}.{BAD}.{BAD}"),
    ] {
        std::fs::write(&path, &content).expect("written");
        let error = handle.refresh().expect_err("no token");
        show!(printed, error, error.kind());
        let built = JwtHandle::builder(JwtFile::new(&path)).wall_clock(wall());
        let built = built.build();
        show!(printed, built.expect_err("no token"));
        show!(
            printed,
            MintedToken::new(content.into_bytes()).expect_err("no JWT")
        );
    }
    let label = "PRIVATE KEY";
    // The key of RFC 8037, and what is none.
    let key = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    for (text, good) in [(key, true), (BAD, false)] {
        let builder = JwtSigner::builder()
            .pem(format!(
                "-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"
            ))
            .issuer(CURRENT)
            .audience(NEXT);
        show!(printed, builder);
        match builder.build() {
            Ok(signer) => show!(printed, signer),
            Err(error) => {
                show!(printed, error);
                assert!(!good, "{error}");
            }
        }
    }
    assert!(!printed.text.contains(&key[20..]), "the key is printed");
}

fn tokens(printed: &mut Printed, kept: &Arc<Kept>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, format!("{CURRENT}\n{PREVIOUS}\n")).expect("written");
    let loaded = LoadedTokens::new(token(CURRENT)).add_previous(token(PREVIOUS));
    let set = TokenSet::new(token(CURRENT))
        .add_previous(token(PREVIOUS))
        .expect("fits");
    show!(printed, token(CURRENT), loaded, set, Some(token(NEXT)));
    show!(
        printed,
        FileSource::new(&path),
        Overlap::default(),
        SystemClock::default()
    );
    let builder = TokenHandle::builder().file(&path).observer(kept.clone());
    show!(printed, builder);
    show!(printed, TokenHandle::builder().tokens(set));
    let handle = builder.build().expect("a token");
    let reader = handle.reader();
    show!(printed, handle, reader, reader.header_value());
    for content in [
        format!("{BAD} {BAD}"),
        BAD.repeat(4000),
        format!("{BAD}\n").repeat(9),
        String::new(),
    ] {
        std::fs::write(&path, content).expect("written");
        let error: SourceError = handle.refresh().expect_err("no token");
        show!(printed, error, error.kind());
        let built = TokenHandle::builder().file(&path).build();
        show!(printed, built.expect_err("no token"));
    }
    show!(printed, SourceErrorKind::Unsettled, Reloaded::Changed);
    std::fs::write(&path, NEXT).expect("written");
    show!(printed, handle.refresh().expect("a token"));
    handle.rotate(token(CURRENT)).expect("fits");
    for notice in kept.notices.lock().expect("sound").iter() {
        show!(printed, *notice);
        if let Notice::Exemptions(list) = notice {
            show!(printed, *list);
        }
    }
    for event in kept.events.lock().expect("sound").iter() {
        show!(printed, *event);
        match event {
            Event::Tokens { status, .. } => show!(printed, *status),
            other => unreachable!("{other:?}"),
        }
    }
}

fn mistakes(printed: &mut Printed) {
    for text in [
        format!("{BAD} {BAD}"),
        String::new(),
        BAD.repeat(40),
        format!("{BAD}\u{7}"),
    ] {
        let error = text.parse::<Token>().expect_err("no token");
        show!(printed, error);
        if let ConfigError::TokenInvalid { reason, .. } = error {
            show!(printed, reason);
        }
        let error = Token::try_from(text.clone().into_bytes()).expect_err("no token");
        show!(printed, error);
        let environment = |_: &str| Some(OsString::from(&text));
        let builder = RequireTokenLayer::builder().app_token();
        show!(
            printed,
            builder
                .environment(&environment)
                .build()
                .expect_err("no token")
        );
    }
    show!(printed, InvalidToken::InvalidByte, ProcessEnvironment);
    let previous_alone = |name: &str| {
        name.ends_with("_PREVIOUS")
            .then(|| OsString::from(PREVIOUS))
    };
    let endpoint = |name: &str| match name {
        "DAPR_API_TOKEN" => Some(OsString::from(CURRENT)),
        "DAPR_HTTP_ENDPOINT" => Some(OsString::from(format!("https://{BAD}@dapr.example.com"))),
        _ => None,
    };
    let builder = || RequireTokenLayer::builder().token(token(CURRENT));
    let inbound: [(&str, RequireTokenBuilder<'_>); 8] = [
        ("nothing named", RequireTokenLayer::builder()),
        ("named twice", builder().token(token(NEXT))),
        ("a short limit", builder().max_value_len(8)),
        (
            "a bad header name",
            builder().header_name(http::HeaderName::from_static("a_b")),
        ),
        ("a bad exemption", builder().exempt(Method::GET, "no-slash")),
        ("an idle setting", builder().overlap(Overlap::None)),
        (
            "too many",
            (0..8).fold(builder(), |builder, i| {
                builder.add_previous(token(&format!("{BAD}{i}")))
            }),
        ),
        (
            "the previous one alone",
            RequireTokenLayer::builder()
                .app_token()
                .environment(&previous_alone),
        ),
    ];
    for (name, builder) in inbound {
        show!(printed, builder.build().expect_err(name));
    }
    let outbound = [
        InjectTokenLayer::builder().token(token(CURRENT)),
        InjectTokenLayer::builder()
            .dapr_token()
            .environment(&endpoint),
        InjectTokenLayer::builder()
            .token(token(CURRENT))
            .add_origin("http://dapr.example.com".parse().expect("valid")),
    ];
    for builder in outbound {
        show!(printed, builder.build().expect_err("a mistake"));
    }
    let address = format!("https://{BAD}@dapr.example.com");
    show!(
        printed,
        address.parse::<Origin>().expect_err("user information")
    );
}

/// An address may hold what opens it, and a request that waits holds a token. What failed at an address is printed in the
/// tests of the fetches.
async fn remote_keys(printed: &mut Printed) {
    use crate::issuer::Issuer;
    use crate::signing::{Key, forged, key_set, rules};

    let issuer = Issuer::with(&[&Key::new("known")]).await;
    let builder = RequireTokenLayer::builder()
        .wall_clock(crate::signing::Wall::at(crate::signing::NOW))
        .jwks(issuer.url(), rules());
    show!(printed, builder);
    let layer = builder.build().await.expect("keys");
    issuer.holds_up();
    let mut service = layer.layer(Echo);
    show!(printed, layer, service);
    let ready = service.ready().await.expect("infallible");
    let mut waiting = Box::pin(ready.call(request(&[&forged(CURRENT)])));
    let polled = waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "there is a token in it");
    show!(printed, *waiting, JwtCache::Evict);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, key_set(&[&Key::new("known")])).expect("written");
    let builder = KeySetFile::builder(&path);
    show!(printed, builder);
    let keys = builder.build().expect("keys");
    show!(printed, keys);
    // The name of a file may be told; what is in it may not.
    std::fs::write(&path, BAD).expect("written");
    show!(printed, keys.refresh().expect_err("no key set"));
    show!(
        printed,
        KeySetFile::builder(&path).build().expect_err("no key set")
    );

    let address = format!("https://{BAD}:{BAD}@login.example.com/{BAD}?key={BAD}");
    let keys = RemoteKeys::jwks(&*address).root_certificate(BAD);
    show!(printed, keys, RemoteKeys::discovery(address));
    let kind = JwksErrorKind::Status(500);
    show!(printed, kind, JwksError::from(kind), KeyEvent::Unchanged);
}

/// Exported names that stand for no value: traits, constants, and the ways of a layer.
const NO_VALUES: &[&str] = &[
    "environment::Environment",
    "header::DAPR_API_TOKEN",
    "header::MAX_TOKEN_LEN",
    "inbound::Immediate",
    "inbound::Waiting",
    "observe::Observer",
    "token::Clock",
    "token::JwtSource",
    "token::TokenSource",
    "token::WallClock",
];

/// What is exported, as the sources say it: `module::Name`.
fn exported() -> BTreeSet<String> {
    let root = include_str!("../../src/lib.rs");
    let mut names: BTreeSet<_> = reexports(root)
        .flat_map(|(path, names)| names.into_iter().map(move |name| format!("{path}::{name}")))
        .collect();
    for (module, source) in [
        ("inbound", include_str!("../../src/inbound/mod.rs")),
        ("outbound", include_str!("../../src/outbound/mod.rs")),
    ] {
        let own = reexports(source).flat_map(|(_, names)| names);
        names.extend(own.map(|name| format!("{module}::{name}")));
    }
    names
}

/// `pub use a::b::{C, D};` is `("a", ["C", "D"])`.
fn reexports(source: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    source.split("\npub use ").skip(1).map(|rest| {
        let (item, _) = rest.split_once(';').expect("it ends");
        let (path, names) = item.split_once("::").expect("a path");
        let names = match names.split_once('{') {
            Some((_, names)) => names.trim_end_matches('}'),
            None => names.rsplit("::").next().expect("a name"),
        };
        (
            path,
            names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect(),
        )
    })
}

/// The secret and the claims hold what may not be printed. Rules are configuration, and name what they ask for.
async fn jwt(printed: &mut Printed) {
    use crate::signing::{NOW, Wall, signed};
    use tower_dapr_token::{
        Algorithm, Backend, JwtConfigError, JwtKeys, JwtRules, SubjectRule, SystemWallClock,
    };

    let secret = format!("{CURRENT}{NEXT}");
    let keys = JwtKeys::secret(&secret).expect("a secret");
    let rules = JwtRules::new("https://issuer.example", "orders")
        .algorithms([Algorithm::HS256])
        .add_subject(SubjectRule::exact(PREVIOUS));
    show!(
        printed,
        JwtRules::new("https://issuer.example", "orders"),
        SubjectRule::exact("daprd")
    );
    show!(
        printed,
        keys,
        Algorithm::HS256,
        Backend::default(),
        SystemWallClock
    );
    show!(
        printed,
        JwtConfigError::NoIssuer,
        JwtKeys::pem(BAD).expect_err("no key")
    );
    let layer = RequireTokenLayer::builder()
        .jwt(keys, rules)
        .wall_clock(Wall::at(NOW))
        .build()
        .expect("valid");
    show!(printed, layer);
    let token = signed(
        &format!(
            r#"{{"iss":"https://issuer.example","aud":"orders","sub":"{PREVIOUS}","exp":{},"n":"{BAD}"}}"#,
            NOW + 60
        ),
        secret.as_bytes(),
    );
    let told = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&told);
    let service = layer.layer(tower::service_fn(move |request: Request<()>| {
        *kept.lock().expect("sound") = request.extensions().get::<Authenticated>().cloned();
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let sent = Request::post("/x").header(NAME, token);
    let answer = service.oneshot(sent.body(()).expect("valid")).await;
    assert_eq!(answer.expect("infallible").status(), 200);
    let told = told.lock().expect("sound").take().expect("accepted");
    show!(printed, told, *told.jwt().expect("it was one"));
    show!(
        printed,
        told.claims::<Vec<u8>>().expect_err("they do not fit")
    );
}

#[tokio::test]
async fn c5_o4_no_public_type_prints_a_token() {
    let mut printed = Printed::default();
    let kept = Arc::new(Kept::default());
    inbound(&mut printed, &kept).await;
    outbound(&mut printed, &kept).await;
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    outbound_jwt(&mut printed).await;
    tokens(&mut printed, &kept);
    mistakes(&mut printed);
    jwt(&mut printed).await;
    remote_keys(&mut printed).await;
    let builder = MetricsObserver::builder();
    show!(printed, builder);
    show!(printed, builder.build(), TracingObserver::new());

    assert!(printed.text.contains(NAME), "headers were printed");
    assert_none_in("what types print", &printed.text);
    let not_printed: Vec<_> = exported()
        .into_iter()
        .filter(|name| !NO_VALUES.contains(&name.as_str()) && !printed.types.contains(name))
        .collect();
    assert!(
        not_printed.is_empty(),
        "exported, and not printed here: {not_printed:?}"
    );
}

#[test]
fn the_list_of_exported_names_is_read_from_the_sources() {
    let exported = exported();
    for name in [
        "token::Token",
        "observe::TracingObserver",
        "observe::MetricsObserverBuilder",
        "inbound::ResponseFuture",
        "outbound::ResponseFuture",
        "outbound::Origin",
    ] {
        assert!(exported.contains(name), "{name}: {exported:?}");
    }
    for name in NO_VALUES {
        assert!(exported.contains(*name), "{name} is exported no more");
    }
    let modules: Vec<_> = include_str!("../../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(
        modules,
        ["guide", "inbound", "outbound"],
        "read above, but for the guide"
    );
    assert_eq!(
        exported_as("tower_dapr_token::a::b::C<d::E>").as_deref(),
        Some("a::C")
    );
    assert_eq!(
        exported_as("core::option::Option<tower_dapr_token::a::B>"),
        None
    );
}
