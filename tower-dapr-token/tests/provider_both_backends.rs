//! A program in which both backends are compiled in, so that `jsonwebtoken` has no default provider to choose (`T10`).

use std::convert::Infallible;
use std::panic::catch_unwind;

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::{Algorithm, Backend, JwtKeys, RequireTokenLayer};

use signing::{ISSUER, Key, NOW, Wall, forged, key_set, rules, signed};

#[allow(dead_code, reason = "other programs share this file")]
#[path = "it/signing.rs"]
mod signing;

async fn ask(layer: &RequireTokenLayer, token: &str) -> u16 {
    let app = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let request = Request::post("/orders").header("dapr-api-token", token);
    let request = request.body(()).expect("valid");
    let asked = layer.layer(app).oneshot(request).await;
    asked.expect("infallible").status().as_u16()
}

#[tokio::test]
async fn t10_with_both_backends_each_verifies_though_the_default_of_the_process_panics() {
    // What a layer over the library's own `decode` would do at its first request.
    let asked = catch_unwind(|| {
        let key = jsonwebtoken::DecodingKey::from_secret(b"a secret");
        jsonwebtoken::crypto::verify("", b"", &key, jsonwebtoken::Algorithm::HS256)
    });
    assert!(asked.is_err(), "the default of the process panics");

    let secret = [7; 64];
    let key = Key::new("a");
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"orders","exp":{}}}"#, NOW + 60);
    for backend in [None, Some(Backend::AwsLc), Some(Backend::RustCrypto)] {
        let built = |keys, rules| {
            let builder = RequireTokenLayer::builder()
                .jwt(keys, rules)
                .wall_clock(Wall::at(NOW));
            let builder = match backend {
                Some(backend) => builder.jwt_backend(backend),
                None => builder,
            };
            builder.build().expect("valid")
        };
        let public = JwtKeys::key_set(key_set(&[&key])).expect("a key");
        let asymmetric = built(public, rules());
        let shared = JwtKeys::secret(secret).expect("long enough");
        let symmetric = built(shared, rules().algorithms([Algorithm::HS256]));
        for (name, layer, token, expected) in [
            ("good", &asymmetric, key.token(), 200),
            ("by another key", &asymmetric, Key::new("a").token(), 401),
            ("forged", &asymmetric, forged("a"), 401),
            ("no JWT", &asymmetric, "a.b.c".to_owned(), 401),
            (
                "good, by the secret",
                &symmetric,
                signed(&claims, &secret),
                200,
            ),
            (
                "by another secret",
                &symmetric,
                signed(&claims, &[8; 64]),
                401,
            ),
        ] {
            assert_eq!(ask(layer, &token).await, expected, "{backend:?}: {name}");
        }
    }
}
