//! The methods and their answers, as a client sees them, and what is on the wire.

use dapr_secrets_service::{Engine, Profile, Scope, SecretMap, SecretsGrpc, SecretsService};
use http_body::Body as _;
use http_body_util::BodyExt;
use tonic::Code;
use tonic::server::NamedService;

use crate::call::{bulk, client, client_of, connect, framed, get, send};
use crate::dapr::GetMetadataRequest;
use crate::shelf::Shelf;
use crate::talk::PROFILES;

fn engine() -> Engine {
    let shelf = Shelf::default()
        .with("one", "1")
        .with("bulk", "a secret like any other")
        .with("denied", "never")
        .with("a/b +%2f", "odd")
        .with("empty", "")
        .with_map("none", SecretMap::from_iter::<[(&str, &str); 0]>([]));
    Engine::builder()
        .add_store("shelf", shelf)
        .add_scope("shelf", Scope::default().add_denied("denied"))
        .add_store("other", Shelf::default().with("x", "2"))
        .build()
        .expect("sound")
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn api_b2_api_f1_one_secret_whatever_it_is_called() {
    for profile in PROFILES {
        let mut client = client_of(&engine(), profile).await;
        for (name, expected) in [
            ("one", pairs(&[("one", "1")])),
            ("bulk", pairs(&[("bulk", "a secret like any other")])),
            ("a/b +%2f", pairs(&[("a/b +%2f", "odd")])),
            ("empty", pairs(&[("empty", "")])),
            ("none", vec![]),
        ] {
            let answer = get(&mut client, "shelf", name).await.expect(name);
            assert_eq!(answer, expected, "{name}");
        }
        let error = get(&mut client, "shelf", "denied")
            .await
            .expect_err("denied");
        assert_eq!(error.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn api_f1_bulk_is_what_the_scope_and_the_prefix_leave() {
    let mut client = client_of(&engine(), Profile::Documented).await;
    let names = |answer: tonic::Response<crate::dapr::GetBulkSecretResponse>| {
        let mut names: Vec<_> = answer.into_inner().data.into_keys().collect();
        names.sort();
        names
    };
    let all = bulk(&mut client, "shelf", &[]).await.expect("answered");
    assert_eq!(all.get_ref().data["one"].secrets["one"], "1");
    assert_eq!(names(all), ["a/b +%2f", "bulk", "empty", "none", "one"]);
    let some = bulk(&mut client, "shelf", &[("prefix", "b")]).await;
    assert_eq!(names(some.expect("answered")), ["bulk"]);
    let other = bulk(&mut client, "other", &[]).await;
    assert_eq!(names(other.expect("answered")), ["x"]);
}

#[tokio::test]
async fn api_f1_every_other_method_is_unimplemented() {
    assert_eq!(SecretsGrpc::NAME, "dapr.proto.runtime.v1.Dapr");
    let mut connection = connect(SecretsGrpc::new(engine())).await;
    for method in [
        "SetMetadata",
        "Shutdown",
        "GetState",
        "SaveState",
        "PublishEvent",
        "InvokeService",
        "GetConfiguration",
        "SubscribeConfiguration",
        "NoSuchMethod",
        "getSecret",
        "",
    ] {
        let path = format!("/{}/{method}", SecretsGrpc::NAME);
        let answer = send(
            &mut connection,
            &path,
            &[("content-type", "application/grpc"), ("te", "trailers")],
            framed(b""),
        )
        .await;
        assert_eq!(answer.status(), 200, "{method}");
        assert_eq!(answer.headers()["grpc-status"], "12", "{method}");
        assert!(answer.body().is_end_stream(), "{method}: trailers-only");
    }
}

#[tokio::test]
async fn api_f1_get_metadata_tells_app_version_and_stores() {
    let service = SecretsGrpc::builder(engine()).app_id("checkout").build();
    let mut client = client(service).await;
    let answer = client.get_metadata(GetMetadataRequest {}).await;
    let answer = answer.expect("answered").into_inner();
    assert_eq!(answer.id, "checkout");
    assert_eq!(answer.runtime_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(answer.extended_metadata.len(), 1);
    assert_eq!(
        answer.extended_metadata["daprRuntimeVersion"],
        answer.runtime_version
    );
    let components: Vec<_> = answer
        .registered_components
        .iter()
        .map(|component| (&*component.name, &*component.r#type, &*component.version))
        .collect();
    assert_eq!(
        components,
        [
            ("shelf", "secretstores.shelf", "v1"),
            ("other", "secretstores.shelf", "v1")
        ]
    );
}

#[tokio::test]
async fn api_a1_the_service_of_http_hands_on_its_profile() {
    for (profile, code) in [
        (Profile::Documented, Code::NotFound),
        (Profile::Daprd, Code::Internal),
    ] {
        let http = SecretsService::builder(engine()).profile(profile).build();
        let mut client = client(http.grpc()).await;
        let error = get(&mut client, "shelf", "nope")
            .await
            .expect_err("missing");
        assert_eq!(error.code(), code, "{profile:?}");
    }
}

#[tokio::test]
async fn api_f1_an_answer_is_a_head_a_message_and_trailers() {
    const GET: &str = "/dapr.proto.runtime.v1.Dapr/GetSecret";
    const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");
    let mut connection = connect(SecretsGrpc::new(engine())).await;
    let asked = framed(b"\x0a\x05shelf\x12\x03one");
    let answer = send(&mut connection, GET, &[GRPC], asked.clone()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    for absent in ["content-length", "grpc-status"] {
        assert_eq!(answer.headers().get(absent), None, "{absent}");
    }
    let body = answer.into_body().collect().await.expect("whole");
    let trailers = body.trailers().cloned().expect("trailers");
    assert_eq!(trailers.len(), 1);
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(body.to_bytes(), framed(b"\x0a\x08\x0a\x03one\x12\x011"));

    // An error is the head alone.
    let missing = framed(b"\x0a\x05shelf\x12\x03two");
    let answer = send(&mut connection, GET, &[GRPC], missing).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["grpc-status"], "5");
    assert!(answer.headers().contains_key("grpc-status-details-bin"));
    assert!(answer.body().is_end_stream());

    // What is no gRPC is told so in HTTP.
    for kind in ["application/json", "application/grpc-web"] {
        let answer = send(
            &mut connection,
            GET,
            &[("content-type", kind)],
            asked.clone(),
        )
        .await;
        assert_eq!(answer.status(), 415, "{kind}");
        assert!(answer.body().is_end_stream(), "{kind}");
    }
    let compressed = [GRPC, ("grpc-encoding", "gzip")];
    let answer = send(&mut connection, GET, &compressed, asked).await;
    assert_eq!(answer.headers()["grpc-status"], "12");
    assert_eq!(answer.headers()["grpc-accept-encoding"], "identity");
}
