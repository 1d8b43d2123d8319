//! The calls about secrets that a real daprd answered, replayed in the daprd profile.

use std::collections::BTreeSet;

use dapr_secrets_service::{Engine, Profile, SecretsGrpc};
use tonic::server::NamedService;

use crate::call::{Connection, connect, send};
use crate::grpc_recording::{EXCEPTIONS, Outcome, judge, lines};
use crate::recorded;

async fn serve(engine: Engine) -> Connection {
    let service = SecretsGrpc::builder(engine)
        .profile(Profile::Daprd)
        .app_id("t");
    connect(service.build()).await
}

#[tokio::test]
async fn api_a1_api_a3_api_d1_the_daprd_profile_answers_what_daprd_answered() {
    let mut with_stores = serve(recorded::service().engine().clone()).await;
    let mut without = serve(Engine::builder().build().expect("empty")).await;
    let mut unused: BTreeSet<&str> = EXCEPTIONS.iter().map(|except| except.name).collect();
    assert_eq!(unused.len(), EXCEPTIONS.len());
    let mut replayed = 0;
    for line in lines() {
        // The library checks no token, and serves nothing else.
        if line.tokens() != ["<token>"] || !line.path()[1..].starts_with(SecretsGrpc::NAME) {
            continue;
        }
        replayed += 1;
        let connection = if line.has_stores() {
            &mut with_stores
        } else {
            &mut without
        };
        let headers = [("content-type", "application/grpc"), ("te", "trailers")];
        let answer = send(connection, line.path(), &headers, line.body()).await;
        let exception = EXCEPTIONS.iter().find(|except| except.name == line.name());
        if let Some(exception) = exception {
            unused.remove(exception.name);
            assert!(!exception.reason.is_empty());
        }
        judge(&line, &Outcome::of(answer).await, exception);
    }
    assert!(unused.is_empty(), "no such lines: {unused:?}");
    assert_eq!(replayed, 64);
}
