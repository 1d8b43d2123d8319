//! A program without a backend for signatures, though with `jwks`: JWT mode is not there, and the compiler says how to have
//! it (`T10`). It has tests only in such a build.
#![cfg(not(any(feature = "jwt", feature = "jwt-rust-crypto")))]

use std::convert::Infallible;

use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_dapr_token::RequireTokenLayer;

#[test]
fn t10_without_a_backend_the_compiler_names_the_features_that_bring_one() {
    trybuild::TestCases::new().compile_fail("tests/ui/without_backend/*.rs");
}

#[tokio::test]
async fn t10_without_a_backend_a_jwt_is_a_wrong_token_and_a_static_one_is_accepted() {
    let token = "a-token-of-16-bytes-or-more";
    let layer = RequireTokenLayer::new(token.parse().expect("valid"));
    for (value, expected) in [
        (token, 200),
        ("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.AAAA", 401),
        ("a.b.c", 401),
        ("..", 401),
    ] {
        let app = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
        let request = Request::post("/orders").header("dapr-api-token", value);
        let asked = layer.layer(app).oneshot(request.body(()).expect("valid"));
        let answer = asked.await.expect("infallible");
        assert_eq!(answer.status(), expected, "{value}");
    }
}
