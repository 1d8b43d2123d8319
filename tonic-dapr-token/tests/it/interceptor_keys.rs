//! Keys that change behind an interceptor: fetched ones and those of a file. It never waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tonic::Code;
use tonic::service::Interceptor as _;
use tonic::service::interceptor::InterceptedService;
use tonic_dapr_token::tower_dapr_token::{Clock, HeaderVerifier, KeySetFile, Reloaded};
use tonic_dapr_token::{
    ConfigError, JwtRules, RequireTokenBuilder, RequireTokenInterceptor, RequireTokenLayer,
    TokenRejection,
};

use crate::jwks::{
    At, ISSUER, Keys, NOW, REFUSED, WhoAmI, ask, builder, jwt, key_set, serve_service,
};
use crate::support::{Client, soon, with};

/// For so long no unknown key has the keys fetched again (`T7`).
const PAUSE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Moved(AtomicU64);

impl Moved {
    fn by(&self, duration: Duration) {
        self.0.fetch_add(duration.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn wait(&self, duration: Duration) {
        self.by(duration);
    }
}

/// A server whose one service has this check before it.
async fn serve(verifier: HeaderVerifier) -> Client {
    let require = RequireTokenInterceptor::from(verifier);
    serve_service(InterceptedService::new(WhoAmI, require)).await
}

/// Whether it accepts a token that was signed with this key.
fn accepts(require: &mut RequireTokenInterceptor, kid: &str) -> bool {
    let decided = require.call(with((), &[&jwt(kid, "orders")]));
    let refused = decided.as_ref().err();
    assert!(refused.is_none_or(|status| status.code() == Code::Unauthenticated));
    decided.is_ok()
}

#[tokio::test]
async fn t6_t7_t8_x6_fetched_keys_roll_over_behind_an_interceptor() {
    let keys = Keys::with(&["old"]).await;
    let clock = Arc::new(Moved::default());
    let (builder, mut told) = builder(&keys);
    let verifier = soon(builder.key_clock(clock.clone()).build_verifier()).await;
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    let mut client = serve(verifier.expect("keys")).await;
    let accepted = Ok("daprd for 300 s".to_owned());
    assert_eq!(ask(&mut client, &jwt("old", "orders")).await, accepted);
    assert_eq!(ask(&mut client, &jwt("old", "bills")).await, REFUSED, "aud");

    // Used as soon as it is published. Whoever waited for the keys would be let through.
    keys.answers(200, key_set(&["old", "new"]));
    assert_eq!(ask(&mut client, &jwt("new", "orders")).await, REFUSED);
    assert_eq!(soon(told.recv()).await, Some("unknown_kid"));
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    for kid in ["new", "old"] {
        let reply = ask(&mut client, &jwt(kid, "orders")).await;
        assert_eq!(reply, accepted, "{kid}");
    }

    // The old one is taken out. This is learnt with the next fetch.
    keys.answers(200, key_set(&["new"]));
    assert_eq!(ask(&mut client, &jwt("old", "orders")).await, accepted);
    clock.by(PAUSE);
    assert_eq!(ask(&mut client, &jwt("none", "orders")).await, REFUSED);
    assert_eq!(soon(told.recv()).await, Some("unknown_kid"));
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    assert_eq!(ask(&mut client, &jwt("old", "orders")).await, REFUSED);
    assert_eq!(ask(&mut client, &jwt("new", "orders")).await, accepted);
    assert_eq!(keys.asked(), 3);
}

#[tokio::test]
async fn t7_x6_an_unknown_key_is_refused_at_once_and_from_any_thread_and_is_there_for_the_next_one()
{
    let keys = Keys::with(&["old"]).await;
    let (builder, mut told) = builder(&keys);
    let verifier = soon(builder.build_verifier()).await.expect("keys");
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    let mut require = RequireTokenInterceptor::from(verifier);
    assert!(accepts(&mut require, "old"));

    keys.answers(200, key_set(&["old", "new"]));
    // The only thread of the runtime stands still meanwhile: nothing could be fetched, nor waited for.
    let mut elsewhere = require.clone();
    let outside = std::thread::spawn(move || accepts(&mut elsewhere, "new"));
    assert!(!outside.join().expect("no panic"));
    assert!(!accepts(&mut require, "new"));
    assert_eq!(keys.asked(), 1);
    for event in ["unknown_kid", "unknown_kid", "refreshed"] {
        assert_eq!(soon(told.recv()).await, Some(event));
    }
    assert!(accepts(&mut require, "new"));
}

#[tokio::test]
async fn t7_x6_a_flood_of_unknown_keys_before_an_interceptor_makes_one_fetch_in_thirty_seconds() {
    let keys = Keys::with(&["known"]).await;
    let clock = Arc::new(Moved::default());
    let (builder, mut told) = builder(&keys);
    let verifier = soon(builder.key_clock(clock.clone()).build_verifier()).await;
    let mut require = RequireTokenInterceptor::from(verifier.expect("keys"));
    assert_eq!(soon(told.recv()).await, Some("refreshed"));
    for round in 1..=3 {
        for n in 0..300 {
            assert!(!accepts(&mut require, &format!("{round}-{n}")));
        }
        assert!(
            accepts(&mut require, "known"),
            "{round}: while it is fetched"
        );
        while soon(told.recv()).await == Some("unknown_kid") {}
        // In the pause: not even what the others did not ask for.
        for n in 300..600 {
            assert!(!accepts(&mut require, &format!("{round}-{n}")));
        }
        assert_eq!(keys.asked(), 1 + round);
        clock.by(PAUSE);
    }
}

#[tokio::test]
async fn t8_j2_x6_a_call_is_unavailable_until_the_first_keys_are_there() {
    let keys = Keys::with(&[]).await;
    keys.answers(500, String::new());
    let (builder, mut told) = builder(&keys);
    let verifier = builder.build_verifier_lazy().expect("valid");
    assert_eq!(soon(told.recv()).await, Some("failed"));
    let mut client = serve(verifier).await;
    let unavailable = Err((Code::Unavailable, Some(TokenRejection::Unavailable)));
    assert_eq!(ask(&mut client, &jwt("a", "orders")).await, unavailable);

    // It is tried again about a second later.
    keys.answers(200, key_set(&["a"]));
    while soon(told.recv()).await != Some("refreshed") {}
    let accepted = Ok("daprd for 300 s".to_owned());
    assert_eq!(ask(&mut client, &jwt("a", "orders")).await, accepted);
}

#[tokio::test]
async fn t6_t8_x6_what_cannot_be_built_is_refused_and_nothing_is_fetched_for_what_never_could() {
    let keys = Keys::with(&["a"]).await;
    keys.answers(404, String::new());
    let remote = || builder(&keys).0;
    let exempting = remote().with(RequireTokenBuilder::daprd_probes);
    let answering = remote().with(RequireTokenBuilder::rejection_in_extensions);
    for (name, builder, setting) in [
        ("exemption", exempting, "exempt"),
        ("extensions", answering, "rejection_in_extensions"),
    ] {
        let refused = soon(builder.build_verifier()).await.expect_err(name);
        assert!(
            matches!(refused, ConfigError::NeedsRequest { setting: found, .. } if found == setting),
            "{name}: {refused}"
        );
    }
    assert_eq!(keys.asked(), 0);
    let refused = soon(remote().build_verifier()).await;
    let refused = refused.expect_err("no keys there");
    assert!(matches!(refused, ConfigError::KeySet { .. }), "{refused}");
    assert_eq!(keys.asked(), 1);
    let elsewhere = remote();
    let outside = std::thread::scope(|scope| {
        let build = scope.spawn(|| elsewhere.build_verifier_lazy().err());
        build.join().expect("no panic")
    });
    assert!(matches!(outside, Some(ConfigError::NoRuntime)));
}

#[tokio::test]
async fn t8_x6_an_interceptor_follows_a_file_of_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, key_set(&["old"])).expect("written");
    let keys = KeySetFile::builder(&path).clock(Arc::new(Moved::default()));
    let keys = keys.build().expect("keys");
    let verifier = RequireTokenLayer::builder()
        .wall_clock(Arc::new(At(NOW)))
        .key_set_file(&keys, JwtRules::new(ISSUER, "orders"))
        .build_verifier();
    let mut client = serve(verifier.expect("valid")).await;
    let accepted = Ok("daprd for 300 s".to_owned());
    for (says, reloaded, known) in [
        (&["old"][..], Reloaded::Unchanged, [true, false]),
        (&["old", "new"], Reloaded::Changed, [true, true]),
        (&["new"], Reloaded::Changed, [false, true]),
    ] {
        std::fs::write(&path, key_set(says)).expect("written");
        assert_eq!(keys.refresh().expect("read"), reloaded, "{says:?}");
        for (kid, known) in ["old", "new"].into_iter().zip(known) {
            let reply = ask(&mut client, &jwt(kid, "orders")).await;
            let expected = if known { accepted.clone() } else { REFUSED };
            assert_eq!(reply, expected, "{says:?}: {kid}");
        }
    }
    // Half of a set changes nothing.
    std::fs::write(&path, r#"{"keys":[{"kty""#).expect("written");
    keys.refresh().expect_err("no set");
    assert_eq!(ask(&mut client, &jwt("new", "orders")).await, accepted);
}
