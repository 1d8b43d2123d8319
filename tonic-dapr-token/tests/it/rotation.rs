//! Rotation under load: no stream is cut, and no right token is refused.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;
use tonic_dapr_token::{RequireTokenLayer, TokenHandle, TokenRejection, TokenSet};

use crate::support::{Client, Echo, UNARY, client, serve, soon, with};

const STREAMS: usize = 100;
const ROTATIONS: usize = 1000;

fn token(generation: usize) -> String {
    format!("the-token-of-generation-{generation:08}")
}

/// A stream both ways that is open.
struct Open {
    to: mpsc::UnboundedSender<Bytes>,
    from: Streaming<Bytes>,
}

impl Open {
    async fn new(client: &mut Client, token: &str) -> Self {
        let (to, messages) = mpsc::unbounded_channel();
        let messages = UnboundedReceiverStream::new(messages);
        let from = client.both_ways(with(messages, &[token])).await;
        Self {
            to,
            from: from.expect("the token is the current one"),
        }
    }

    async fn echoes(&mut self, text: String) -> bool {
        let sent = Bytes::from(text);
        self.to.send(sent.clone()).is_ok()
            && matches!(soon(self.from.next()).await, Some(Ok(came)) if came == sent)
    }
}

#[tokio::test]
async fn r7_r8_a_thousand_rotations_under_a_hundred_streams_refuse_no_right_token() {
    let handle = TokenHandle::new(TokenSet::new(token(0).parse().expect("valid")));
    let require = RequireTokenLayer::builder().reader(handle.reader());
    let layer = require.build().expect("valid").into();
    let mut client = client(serve(layer, Echo::default()).await).await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(Open::new(&mut client, &token(0)).await);
    }
    for generation in 1..=ROTATIONS {
        // Begun before the rotation, and decided before or after it: the token is right either way.
        let mut caller = client.clone();
        let before = tokio::spawn(async move {
            let token = token(generation - 1);
            caller.unary(UNARY, with("hi", &[&token])).await
        });
        if generation % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let next = token(generation).parse().expect("valid");
        handle.rotate(next).expect("fits");
        let after = with("hi", &[&token(generation)]);
        let (before, after) = tokio::join!(before, client.unary(UNARY, after));
        let name = format!("generation {generation}");
        before
            .expect("no panic")
            .unwrap_or_else(|status| panic!("{name}, before: {status}"));
        after.unwrap_or_else(|status| panic!("{name}, after: {status}"));
        let stream = &mut streams[generation % STREAMS];
        assert!(
            stream.echoes(name.clone()).await,
            "{name}: a stream was cut"
        );
    }
    // The measure is not blind: of tokens long gone it knows nothing any more.
    let old = with("hi", &[&token(ROTATIONS - 4)]);
    let refused = client.unary(UNARY, old).await.expect_err("long gone");
    assert_eq!(
        TokenRejection::from_status(&refused),
        Some(TokenRejection::Invalid)
    );
    for (i, stream) in streams.iter_mut().enumerate() {
        assert!(stream.echoes(format!("last words of {i}")).await, "{i}");
    }
}
