//! All four forms of a call, refused and untouched.

use bytes::Bytes;
use tonic::{Code, Status};
use tonic_dapr_token::{RequireTokenLayer, TokenRejection};

use crate::support::{
    BOTH_WAYS, CLIENT_STREAM, Client, Echo, NAME, Replies, SERVER_STREAM, TOKEN, UNARY, WRONG, all,
    client, layer, serve, with,
};

/// The four forms of a call, and what [`call`] gets back in each.
pub(crate) const FORMS: [(&str, &[&str]); 4] = [
    (UNARY, &["hello"]),
    (SERVER_STREAM, &["0", "1", "2"]),
    (CLIENT_STREAM, &["3:11"]),
    (BOTH_WAYS, &["one", "two", "three"]),
];

/// Calls in one of the four forms; gives what came back.
pub(crate) async fn call(client: &mut Client, path: &str, values: &[&str]) -> Replies {
    let messages = || tokio_stream::iter(["one", "two", "three"].map(Bytes::from));
    match path {
        UNARY => client
            .unary(UNARY, with("hello", values))
            .await
            .map(|reply| vec![reply]),
        SERVER_STREAM => client.server_stream(with("3", values)).await,
        CLIENT_STREAM => client
            .client_stream(with(messages(), values))
            .await
            .map(|reply| vec![reply]),
        BOTH_WAYS => all(client.both_ways(with(messages(), values)).await?).await,
        other => unreachable!("{other}"),
    }
}

fn check_refusal(name: &str, status: &Status, missing: bool) {
    assert_eq!(status.code(), Code::Unauthenticated, "{name}");
    let (message, rejection) = if missing {
        ("missing api token", TokenRejection::Missing)
    } else {
        ("invalid api token", TokenRejection::Invalid)
    };
    assert_eq!(status.message(), message, "{name}");
    assert_eq!(
        TokenRejection::from_status(status),
        Some(rejection),
        "{name}"
    );
}

#[tokio::test]
async fn e2_e4_e5_j2_j3_every_form_of_a_call_is_refused_alike_and_passes_untouched() {
    let echo = Echo::default();
    let mut client = client(serve(layer(), echo.clone()).await).await;
    let too_long = "x".repeat(1025);
    for (path, expected) in FORMS {
        for (case, values) in [
            ("none", &[][..]),
            ("wrong", &[WRONG]),
            ("empty", &[""]),
            ("twice", &[TOKEN, TOKEN]),
            ("too long", &[too_long.as_str()]),
        ] {
            let name = format!("{path}, {case}");
            let status = call(&mut client, path, values).await.expect_err(&name);
            check_refusal(&name, &status, values.is_empty());
        }
        assert!(echo.take().is_empty(), "{path}: no handler saw any of it");

        let replies = call(&mut client, path, &[TOKEN]).await;
        assert_eq!(replies.expect(path), expected, "{path}");
        let seen = echo.take();
        assert_eq!(seen.len(), 1, "{path}");
        assert_eq!(seen[0].path, path);
        assert!(seen[0].metadata.get(NAME).is_none(), "{path}: taken out");
    }
}

#[tokio::test]
async fn e6_a_handler_finds_the_slot_in_the_extensions_of_its_request_if_that_was_asked_for() {
    let previous = "the-token-before-it-which-is-on-its-way-out";
    let builder = || {
        RequireTokenLayer::builder()
            .token(TOKEN.parse().expect("valid"))
            .add_previous(previous.parse().expect("valid"))
    };
    let table = [
        ("asked for", builder().with_extensions(), true),
        ("by default", builder(), false),
    ];
    for (name, builder, asked) in table {
        let echo = Echo::default();
        let layer = builder.build().expect("valid").into();
        let mut client = client(serve(layer, echo.clone()).await).await;
        for (slot, token) in [(0, TOKEN), (1, previous)] {
            let reply = client.unary(UNARY, with("hi", &[token])).await;
            reply.expect("accepted");
            let found = echo.take()[0].slot;
            assert_eq!(found, asked.then_some(Some(slot)), "{name}, slot {slot}");
        }
    }
}
