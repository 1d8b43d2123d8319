//! The gRPC port: who may call, what is served, and how it ends.

use std::net::TcpListener;

use prost::Message;
use rustix::process::Signal;
use tonic::Code;
use tonic_types::StatusExt;

use crate::dapr::{GetMetadataResponse, GetSecretResponse};
use crate::grpc_client::{BULK, Caller, GET, HEALTH, METADATA, WATCH, framed, secret, secrets};
use crate::http2::{Client, Window};
use crate::process::{Sidecar, Start, TOKEN};
use crate::store_files::{Files, file_store};
use crate::unread::{LARGE, large_secrets};
use crate::wire::{get, get_anonymously, request};

/// SERVING, and NOT_SERVING.
const SERVING: &[u8] = &[0x08, 1];
const NOT_SERVING: &[u8] = &[0x08, 2];

fn files() -> Files {
    Files::with_secrets(r#"{"a": "hunter2"}"#)
}

fn caller(sidecar: &Sidecar) -> Caller {
    Caller::connect(sidecar.addresses_of("grpc")[0], Window::Open)
}

#[test]
fn api_g2_every_call_but_health_needs_the_token() {
    let rows: [(&str, &[&str], Option<&str>); 8] = [
        ("the token", &[TOKEN], None),
        ("no token", &[], Some("API_TOKEN_MISSING")),
        (
            "another token",
            &["another-token-of-that-length"],
            Some("API_TOKEN_INVALID"),
        ),
        ("an empty token", &[""], Some("API_TOKEN_INVALID")),
        (
            "a part of the token",
            &[&TOKEN[..17]],
            Some("API_TOKEN_INVALID"),
        ),
        (
            "the token in upper case",
            &["TOK123TOK123TOK123"],
            Some("API_TOKEN_INVALID"),
        ),
        ("good and bad", &[TOKEN, "x"], Some("API_TOKEN_INVALID")),
        (
            "the token twice",
            &[TOKEN, TOKEN],
            Some("API_TOKEN_INVALID"),
        ),
    ];
    let files = files();
    let sidecar = files.start(Start::new()).serve();
    let mut caller = caller(&sidecar);
    for (name, tokens, refused) in rows {
        for (path, body) in [
            (GET, secret("files", "a")),
            (BULK, secrets("files")),
            (METADATA, framed(b"")),
        ] {
            let outcome = caller.call(path, tokens, body);
            match refused {
                None => assert_eq!(outcome.status.code(), Code::Ok, "{name} {path}"),
                Some(reason) => {
                    assert_eq!(
                        outcome.status.code(),
                        Code::Unauthenticated,
                        "{name} {path}"
                    );
                    let info = outcome.status.get_details_error_info();
                    let told = info.expect("an ErrorInfo").reason;
                    // Why a token is not accepted is nobody's business.
                    assert!(
                        told == reason || reason != "API_TOKEN_MISSING",
                        "{name}: {told}"
                    );
                    assert!(outcome.message.is_empty(), "{name}");
                }
            }
        }
    }
    for path in [
        "/dapr.proto.runtime.v1.Dapr/NoSuchMethod",
        "/no.such.Service/Method",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.health.v1.Health/List",
        "/grpc.health.v1.Health/Check/",
        "//grpc.health.v1.Health/Check",
        "/v1.0/healthz",
        "/",
    ] {
        let outcome = caller.call(path, &[], framed(b""));
        assert_eq!(outcome.status.code(), Code::Unauthenticated, "{path}");
    }
    // The probes of HTTP are none here, and the other way round.
    let address = sidecar.addresses_of("grpc")[0];
    assert_eq!(get_anonymously(address, "/v1.0/healthz").status, 401);
    let probe = request(sidecar.address(), "POST", HEALTH, &[]);
    assert_eq!(probe.status, 401);
}

#[test]
fn api_f3_api_g2_health_is_served_without_a_token() {
    let files = files();
    let sidecar = files.start(Start::new()).serve();
    let mut caller = caller(&sidecar);
    let named = |name: &str| {
        framed(
            &[
                &[0x0a, u8::try_from(name.len()).expect("short")],
                name.as_bytes(),
            ]
            .concat(),
        )
    };
    for tokens in [&[][..], &[TOKEN], &["another-token-of-that-length"]] {
        for service in ["", "dapr.proto.runtime.v1.Dapr"] {
            let outcome = caller.call(HEALTH, tokens, named(service));
            assert_eq!(outcome.status.code(), Code::Ok, "{service}");
            assert_eq!(outcome.message, SERVING, "{service}");
        }
    }
    let unknown = caller.call(HEALTH, &[], named("no.such.Service"));
    assert_eq!(unknown.status.code(), Code::NotFound);
    let mut watch = caller.begin(WATCH, &[], named(""));
    assert_eq!(caller.next(&mut watch).expect("a first message"), SERVING);
    // Who watches hears of the end, and does not delay it.
    sidecar.signal(Signal::TERM);
    assert_eq!(caller.next(&mut watch).expect("one more"), NOT_SERVING);
    let output = sidecar.finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("drained"), "{}", output.stderr);
}

#[test]
fn api_f1_other_services_are_unimplemented_and_http_1_is_no_grpc() {
    let files = files();
    let sidecar = files.start(Start::new()).serve();
    let mut caller = caller(&sidecar);
    let mut paths = vec![
        "/dapr.proto.runtime.v1.Dapr/NoSuchMethod",
        "/no.such.Service/Method",
        "/dapr.proto.runtime.v1.Daprx/GetSecret",
        "/",
    ];
    if !cfg!(feature = "reflection") {
        paths.push("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    }
    for path in paths {
        let outcome = caller.call(path, &[TOKEN], framed(b""));
        assert_eq!(outcome.status.code(), Code::Unimplemented, "{path}");
    }
    let address = sidecar.addresses_of("grpc")[0];
    assert_eq!(get(address, "/v1.0/secrets/files/a").status, 505);
    // Nor is the one API served on the port of the other.
    let mut http = Client::connect(address, Window::Open);
    let answer = http.send("GET", "/v1.0/secrets/files/a", Some(TOKEN));
    assert_eq!(answer.headers()["grpc-status"], "12");
    let mut wrong = Caller::connect(sidecar.address(), Window::Open);
    let answer = wrong.begin(GET, &[TOKEN], secret("files", "a"));
    assert_eq!(answer.status(), 404);
}

#[cfg(feature = "reflection")]
#[test]
fn api_f3_reflection_lists_the_services() {
    let files = files();
    let sidecar = files.start(Start::new()).serve();
    let mut caller = caller(&sidecar);
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        // list_services = ""
        let outcome = caller.call(&path, &[TOKEN], framed(&[0x3a, 0]));
        assert_eq!(outcome.status.code(), Code::Ok, "{version}");
        let text = String::from_utf8_lossy(&outcome.message).into_owned();
        for service in ["dapr.proto.runtime.v1.Dapr", "grpc.health.v1.Health"] {
            assert!(text.contains(service), "{version}: {text:?}");
        }
    }
}

#[test]
fn api_g3_metadata_is_the_same_over_both_apis() {
    let broken = file_store("broken,one", "nowhere.json") + "  ignoreErrors: true\n";
    let files = files().file("resources/broken.yaml", broken);
    for profile in ["documented", "daprd"] {
        let sidecar = files
            .start(Start::new())
            .args(["--profile", profile, "--app-id", "orders"])
            .serve();
        let http = get(sidecar.address(), "/v1.0/metadata")
            .json()
            .expect("JSON");
        let outcome = caller(&sidecar).call(METADATA, &[TOKEN], framed(b""));
        let grpc = GetMetadataResponse::decode(&*outcome.message).expect("a message");
        assert_eq!(grpc.id, http["id"]);
        assert_eq!(grpc.runtime_version, http["runtimeVersion"]);
        let extended = http["extended"].as_object().expect("an object");
        assert_eq!(extended["notReadyStores"], "broken%2Cone");
        assert_eq!(grpc.extended_metadata.len(), extended.len());
        for (key, value) in extended {
            assert_eq!(grpc.extended_metadata[key], *value, "{key}");
        }
        let components = http["components"].as_array().expect("a list");
        assert_eq!(grpc.registered_components.len(), components.len());
        for (ours, theirs) in grpc.registered_components.iter().zip(components) {
            assert_eq!(ours.name, theirs["name"]);
            assert_eq!(ours.r#type, theirs["type"]);
            assert_eq!(ours.version, theirs["version"]);
            let capabilities = theirs["capabilities"].as_array().map_or(0, Vec::len);
            assert_eq!(ours.capabilities.len(), capabilities);
        }
    }
}

#[test]
fn api_g1_the_port_comes_from_its_flag_or_its_variable() {
    let files = files();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let by_flag = files.start(Start::new()).args(["--dapr-grpc-port", &port]);
    let by_variable = files.start(Start::new()).env("DAPR_GRPC_PORT", &port);
    for start in [by_flag, by_variable] {
        let output = start.finish();
        assert_eq!(output.code(), Some(1), "{}", output.stderr);
        for text in ["in use", "--dapr-grpc-port", &port] {
            assert!(output.stderr.contains(text), "{}", output.stderr);
        }
    }
    let free = files
        .start(Start::new())
        .env("DAPR_GRPC_PORT", &port)
        .args(["--dapr-grpc-port", "0"])
        .serve();
    assert_ne!(free.addresses_of("grpc")[0].port(), 0);
    let outcome = caller(&free).call(GET, &[TOKEN], secret("files", "a"));
    let answer = GetSecretResponse::decode(&*outcome.message).expect("a message");
    assert_eq!(answer.data["a"], "hunter2");
}

#[test]
fn api_g2_without_a_token_both_ports_are_open_and_one_warning_says_so() {
    let files = files();
    let sidecar = files
        .start(Start::bare())
        .args(["--dapr-http-port", "0", "--insecure-allow-anonymous"])
        .serve();
    let outcome = caller(&sidecar).call(GET, &[], secret("files", "a"));
    assert_eq!(outcome.status.code(), Code::Ok);
    let stderr = sidecar.stop().stderr;
    assert_eq!(
        stderr.matches("the token check is off").count(),
        1,
        "{stderr}"
    );
}

#[test]
fn api_g6_api_d_large_answers_share_the_budget_of_both_apis() {
    // A little more than 14 MiB each: 18 of them fit into 256 MiB.
    let files = large_secrets();
    for profile in ["documented", "daprd"] {
        let sidecar = files
            .start(Start::new())
            .args(["--profile", profile])
            .serve();
        let mut http = Client::connect(sidecar.address(), Window::Closed);
        let over_http: Vec<_> = (0..9)
            .map(|_| http.begin("/v1.0/secrets/files/bulk", TOKEN))
            .collect();
        let mut greedy = Caller::connect(sidecar.addresses_of("grpc")[0], Window::Closed);
        let unread: Vec<_> = (0..10)
            .map(|_| greedy.begin(BULK, &[TOKEN], secrets("files")))
            .collect();
        let refused: Vec<_> = unread
            .iter()
            .filter_map(|answer| answer.headers().get("grpc-status"))
            .collect();
        assert_eq!(refused, ["8"], "the tenth is RESOURCE_EXHAUSTED");
        assert_eq!(
            get(sidecar.address(), "/v1.0/secrets/files/bulk").status,
            503
        );
        let small = caller(&sidecar).call(GET, &[TOKEN], secret("files", "small"));
        assert_eq!(small.status.code(), Code::Ok);
        drop((over_http, unread));
    }
}

#[test]
fn api_g7_an_open_call_finishes() {
    let files = large_secrets();
    let mut sidecar = files
        .start(Start::new())
        .args([
            "--dapr-graceful-shutdown-seconds",
            "60",
            "--log-level",
            "debug",
        ])
        .serve();
    let mut caller = Caller::connect(sidecar.addresses_of("grpc")[0], Window::Open);
    let open = caller.begin(BULK, &[TOKEN], secrets("files"));
    sidecar.signal(Signal::TERM);
    sidecar.wait_for("a listener is closed");
    let outcome = caller.finish(open);
    assert_eq!(outcome.status.code(), Code::Ok);
    assert!(outcome.message.len() > LARGE, "the whole answer");
    let output = sidecar.finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("drained"), "{}", output.stderr);
}

#[test]
fn api_g1_a_socket_serves_grpc_too() {
    let files = files().folder("sockets");
    let sidecar = files
        .start(Start::bare())
        .env("DAPR_API_TOKEN", TOKEN)
        .args(["--unix-domain-socket", "sockets", "--app-id", "orders"])
        .serve();
    let path = files.path().join("sockets/dapr-orders-grpc.socket");
    let mut caller = Caller::connect_unix(&path);
    for (tokens, code) in [(&[TOKEN][..], Code::Ok), (&[], Code::Unauthenticated)] {
        let outcome = caller.call(GET, tokens, secret("files", "a"));
        assert_eq!(outcome.status.code(), code);
    }
    drop(caller);
    let output = sidecar.stop();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    assert!(!path.exists(), "removed at the end");
}

#[test]
fn s7_no_log_line_holds_a_value_or_a_token() {
    const WRONG: &str = "another-token-of-that-length";
    let files = files();
    let sidecar = files
        .start(Start::new())
        .args(["--log-level", "trace"])
        .serve();
    let mut caller = caller(&sidecar);
    for tokens in [&[TOKEN][..], &[WRONG]] {
        for body in [
            secret("files", "a"),
            secret("files", "gone"),
            framed(b"\xff"),
        ] {
            caller.call(GET, tokens, body);
        }
    }
    drop(caller);
    let output = sidecar.stop();
    for secret in ["hunter2", TOKEN, WRONG] {
        assert!(
            !output.stderr.contains(secret),
            "{secret}: {}",
            output.stderr
        );
    }
}

#[cfg(feature = "tls")]
#[test]
fn api_g5_tls_is_on_the_grpc_port_too() {
    use crate::certificates::{Authority, Valid, client};

    let ours = Authority::new();
    let server = ours.server(Valid::Now);
    let files = files()
        .file("tls.crt", &server.certificate)
        .file("tls.key", &server.key);
    let sidecar = files
        .start(Start::new())
        .args(["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key"])
        .serve();
    let config = client(&ours, None, &["h2"]);
    let mut client = Client::connect_tls(sidecar.addresses_of("grpc")[0], config);
    // It is answered by gRPC's rules, and refused by gRPC's service, since the client sends no message.
    assert_eq!(client.send("POST", GET, Some(TOKEN)).status(), 415);
    assert_eq!(client.send("POST", GET, None).status(), 401);
}
