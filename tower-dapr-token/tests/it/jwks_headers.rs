//! JWT mode with keys that are fetched, on headers alone: nothing waits, and keys come for the next one.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc;
use tower_dapr_token::{
    Authenticated, ConfigError, Decision, HeaderVerifier, KeyEvent, Observer, Protocol,
    RejectionKind, RequireTokenBuilder, RequireTokenLayer,
};

use crate::issuer::Issuer;
use crate::signing::{Key, NOW, Wall, forged, rules};
use crate::support::NAME;

const STATIC: &str = "the-static-token-of-a-migration";

/// Keeps the reasons of decisions, and passes on what it is told of keys.
struct Told(Mutex<Vec<&'static str>>, mpsc::UnboundedSender<KeyEvent>);

impl Observer for Told {
    fn on_decision(&self, decision: &Decision) {
        let reason = decision.reason().map_or("none", |kind| kind.as_str());
        self.0.lock().expect("no test panicked").push(reason);
    }

    fn on_key_event(&self, event: &KeyEvent) {
        // A test that has ended listens no more.
        let _ = self.1.send(event.clone());
    }
}

fn verify(verifier: &HeaderVerifier, token: &str) -> Result<Authenticated, RejectionKind> {
    let mut headers = HeaderMap::new();
    headers.insert(NAME, HeaderValue::from_str(token).expect("a value"));
    let decided = verifier.verify(&mut headers, Protocol::Http);
    assert!(headers.is_empty(), "taken out");
    decided.map_err(|rejection| rejection.kind())
}

#[tokio::test]
async fn t7_t14_x6_o1_an_unknown_key_is_refused_while_it_is_fetched_and_then_known() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let mut issuer = Issuer::with(&[&old]).await;
    let (tell, mut events) = mpsc::unbounded_channel();
    let told = Arc::new(Told(Mutex::default(), tell));
    let verifier = RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .observer(told.clone())
        .jwks(issuer.url(), rules())
        .with(|layer| layer.token(STATIC.parse().expect("a token")))
        .build_verifier();
    let verifier = verifier.await.expect("keys");
    let first = events.recv().await.expect("told");
    assert_eq!(first.as_str(), "refreshed");
    let claims = verify(&verifier, &old.token()).expect("known");
    assert_eq!(claims.jwt().and_then(|jwt| jwt.subject()), Some("daprd"));
    verify(&verifier, STATIC).expect("static");

    issuer.has(&[&old, &new]);
    issuer.holds_up();
    let table = [
        ("begins the fetch", new.token(), Err(RejectionKind::Key)),
        ("under way", new.token(), Err(RejectionKind::Key)),
        ("another one", forged("none"), Err(RejectionKind::Key)),
        ("known", old.token(), Ok(())),
        ("static", STATIC.to_owned(), Ok(())),
    ];
    for (i, (name, token, expected)) in table.into_iter().enumerate() {
        assert_eq!(verify(&verifier, &token).map(drop), expected, "{name}");
        if i == 0 {
            issuer.was_asked(2).await;
        }
    }
    issuer.goes_on();
    for _ in 0..3 {
        let event = events.recv().await.expect("told");
        assert!(
            matches!(event, KeyEvent::UnknownKid { waits: false, .. }),
            "{event}"
        );
    }
    let fetched = events.recv().await.expect("told");
    assert_eq!(fetched.as_str(), "refreshed");
    verify(&verifier, &new.token()).expect("known by now");
    assert_eq!(
        verify(&verifier, &forged("none")).map(drop),
        Err(RejectionKind::Key)
    );
    assert_eq!(issuer.asked(), 2);
    let reasons = std::mem::take(&mut *told.0.lock().expect("no test panicked"));
    let expected = [
        "none", "none", "kid", "kid", "kid", "none", "none", "none", "kid",
    ];
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn e1_t7_t8_x6_a_verifier_of_bearer_tokens_has_no_keys_at_first_and_then_those_fetched() {
    let key = Key::new("a");
    let issuer = Issuer::with(&[&key]).await;
    let (tell, mut events) = mpsc::unbounded_channel();
    let verifier = RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .observer(Arc::new(Told(Mutex::default(), tell)))
        .jwks(issuer.url(), rules())
        .with(RequireTokenBuilder::authorization_bearer)
        .build_verifier_lazy()
        .expect("valid");
    let ask = || {
        let mut headers = HeaderMap::new();
        let value = format!("Bearer {}", key.token());
        headers.insert("authorization", value.parse().expect("a value"));
        let decided = verifier.verify(&mut headers, Protocol::Http);
        assert!(headers.is_empty(), "taken out");
        decided.map(drop).map_err(|rejection| rejection.kind())
    };
    assert_eq!(ask(), Err(RejectionKind::Unavailable));
    let first = events.recv().await.expect("told");
    assert_eq!(first.as_str(), "refreshed");
    assert_eq!(ask(), Ok(()));
}

#[test]
fn t6_a_verifier_with_fetched_keys_needs_a_runtime_when_it_is_built() {
    let builder = RequireTokenLayer::builder().jwks("http://127.0.0.1:1/keys", rules());
    let refused = builder.build_verifier_lazy().expect_err("no runtime");
    assert!(matches!(refused, ConfigError::NoRuntime), "{refused}");
}
