//! The preset for tokens of Dapr's Sentry, with keys that Sentry serves behind the certificate of the cluster's own root.

use std::convert::Infallible;
use std::fs;
use std::process::Command;

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{
    ConfigError, JwksErrorKind, JwtRules, RemoteKeys, RequireTokenLayer, Waiting,
};

use crate::authority::Authority;
use crate::signing::{Key, NOW, Wall, key_set};
use crate::support::NAME;

const KEYS: &str = "/jwks.json";

/// What Sentry says of a workload: no issuer, unless one is configured there.
fn claims(issuer: Option<&str>, subject: &str) -> String {
    let mut claims = serde_json::json!({
        "aud": ["public"], "sub": subject, "exp": NOW + 600, "iat": NOW, "nbf": NOW,
    });
    if let Some(issuer) = issuer {
        claims["iss"] = issuer.into();
    }
    claims.to_string()
}

async fn built(
    keys: RemoteKeys,
    rules: JwtRules,
) -> Result<RequireTokenLayer<Waiting>, ConfigError> {
    RequireTokenLayer::builder()
        .wall_clock(Wall::at(NOW))
        .remote_keys(keys, rules)
        .build()
        .await
}

async fn ask(layer: &RequireTokenLayer<Waiting>, token: &str) -> u16 {
    let app = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let request = Request::post("/orders").header(NAME, token).body(());
    let asked = layer.layer(app).oneshot(request.expect("valid")).await;
    asked.expect("infallible").status().as_u16()
}

fn preset() -> JwtRules {
    JwtRules::dapr_sentry("public").expect("a trust domain")
}

#[tokio::test]
async fn t5_t6_keys_of_sentry_are_fetched_behind_the_root_of_the_cluster_and_no_other() {
    let (cluster, other) = (Authority::new(), Authority::new());
    let key = Key::new("sentry");
    let document = key_set(&[&key]);
    let origin = cluster.serve(move |_| document.clone()).await;
    let keys = || RemoteKeys::jwks(format!("{origin}{KEYS}"));
    let both = format!("{}{}", other.root(), cluster.root());

    for (name, root, accepted) in [
        ("the cluster's root", cluster.root(), true),
        ("a bundle during the change of the root", &both, true),
        ("another root", other.root(), false),
    ] {
        let layer = built(keys().root_certificate(root), preset()).await;
        if !accepted {
            let Err(ConfigError::KeySet { error, .. }) = layer else {
                panic!("{name}: keys of a server that nobody vouches for");
            };
            assert_eq!(error.kind(), JwksErrorKind::Untrusted, "{name}");
            continue;
        }
        let layer = layer.expect(name);
        for (subject, issuer, expected) in [
            ("spiffe://public/ns/default/orders", None, 200),
            ("spiffe://private/ns/default/orders", None, 401),
            ("orders", None, 401),
            (
                "spiffe://public/ns/default/orders",
                Some("https://else"),
                401,
            ),
        ] {
            let token = key.token_with(&claims(issuer, subject));
            let got = ask(&layer, &token).await;
            assert_eq!(got, expected, "{name}: {subject}, {issuer:?}");
        }
        let stranger = Key::new("sentry");
        let forged = stranger.token_with(&claims(None, "spiffe://public/ns/default/orders"));
        assert_eq!(
            ask(&layer, &forged).await,
            401,
            "{name}: another key of that name"
        );
    }
}

#[tokio::test]
async fn t5_t6_the_discovery_document_of_sentry_and_its_keys_stand_behind_the_same_root() {
    let (cluster, other) = (Authority::new(), Authority::new());
    let key = Key::new("sentry");
    let document = key_set(&[&key]);
    let origin = cluster
        .serve(move |path| match path {
            KEYS => document.clone(),
            _ => r#"{"issuer":"{origin}","jwks_uri":"{origin}/jwks.json"}"#.to_owned(),
        })
        .await;
    let rules = || preset().add_issuer(&*origin);
    let keys = |root| RemoteKeys::discovery(&*origin).root_certificate(root);

    let layer = built(keys(cluster.root()), rules()).await.expect("keys");
    let subject = "spiffe://public/ns/default/orders";
    let token = |issuer| key.token_with(&claims(issuer, subject));
    assert_eq!(ask(&layer, &token(Some(&origin))).await, 200);
    assert_eq!(ask(&layer, &token(None)).await, 401, "it is configured now");

    let error = built(keys(other.root()), rules())
        .await
        .expect_err("refused");
    let ConfigError::KeySet { error, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), JwksErrorKind::Untrusted);
}

const ORIGIN: &str = "TOWER_DAPR_TOKEN_TEST_ORIGIN";
const OTHER_ROOT: &str = "TOWER_DAPR_TOKEN_TEST_OTHER_ROOT";
const TEST: &str = "sentry::t5_t6_given_roots_stand_in_place_of_those_of_the_system";

/// A child has an environment of its own, in which the authority of the server is one of the operating system's.
#[tokio::test]
async fn t5_t6_given_roots_stand_in_place_of_those_of_the_system() {
    if let (Ok(origin), Ok(other)) = (std::env::var(ORIGIN), std::env::var(OTHER_ROOT)) {
        let keys = || RemoteKeys::jwks(format!("{origin}{KEYS}"));
        assert!(
            built(keys(), preset()).await.is_ok(),
            "a root of the system"
        );
        let error = built(keys().root_certificate(other), preset()).await;
        let Err(ConfigError::KeySet { error, .. }) = error else {
            panic!("the roots of the system count beside the given one");
        };
        assert_eq!(error.kind(), JwksErrorKind::Untrusted);
        return;
    }
    let (system, other) = (Authority::new(), Authority::new());
    let document = key_set(&[&Key::new("sentry")]);
    let origin = system.serve(move |_| document.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, system.root()).expect("written");
    let other = other.root().to_owned();
    // The server answers on this thread, so the child is waited for on another one.
    let child = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", TEST, "--nocapture"])
            .env_clear()
            .env("SSL_CERT_FILE", roots)
            .env(ORIGIN, origin)
            .env(OTHER_ROOT, other)
            .output()
            .expect("it runs")
    });
    let output = child.await.expect("no panic");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}{stderr}"
    );
}
