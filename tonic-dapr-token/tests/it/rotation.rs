//! Rotation under load: no stream is cut, no right token is refused, and streams open while it goes on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::{Barrier, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;
use tonic_dapr_token::{RequireTokenLayer, TokenHandle, TokenRejection, TokenSet};

use crate::streams::{FORMS, call};
use crate::support::{Client, Echo, UNARY, client, serve, soon, with};

const STREAMS: usize = 100;
const ROTATIONS: usize = 1000;
/// A connection is served by one task, so that several are needed for decisions that are made at the same time.
const CONNECTIONS: usize = 8;
/// So many calls are on their way at a time. With more of them each takes longer, and so do the rotations.
const AT_ONCE: usize = 16;
/// So many tokens before the current one are accepted, whatever their time (`R7`).
const OVERLAP: usize = 2;

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

/// A token, as callers get to know it.
struct Published {
    token: String,
    is_used: AtomicBool,
}

/// What callers take for the current token. Whoever holds it has a call on its way.
#[derive(Clone)]
struct Publisher(Arc<Mutex<Arc<Published>>>);

impl Publisher {
    fn of(generation: usize) -> Self {
        Self(Arc::new(Mutex::new(Self::published(generation))))
    }

    fn published(generation: usize) -> Arc<Published> {
        Arc::new(Published {
            token: token(generation),
            is_used: AtomicBool::new(false),
        })
    }

    fn current(&self) -> Arc<Published> {
        Arc::clone(&self.0.lock().expect("no test panicked"))
    }

    /// Gives the one before.
    fn publish(&self, generation: usize) -> Arc<Published> {
        let mut current = self.0.lock().expect("no test panicked");
        std::mem::replace(&mut current, Self::published(generation))
    }
}

/// Opens one stream after the other, in all four forms in turn, until the tokens rotate no more. Gives how many.
async fn open_streams(
    mut client: Client,
    tokens: Publisher,
    places: Arc<Semaphore>,
    is_over: Arc<AtomicBool>,
) -> usize {
    let mut opened = 0;
    loop {
        for (path, expected) in FORMS {
            let _place = places.acquire().await.expect("not closed");
            let current = tokens.current();
            current.is_used.store(true, Ordering::SeqCst);
            let replies = soon(call(&mut client, path, &[&current.token])).await;
            // With the status, should it be refused.
            let replies = replies.map_err(|status| status.to_string());
            let expected = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(replies, Ok(expected), "{path}");
            opened += 1;
        }
        if is_over.load(Ordering::SeqCst) {
            return opened;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r7_r8_streams_that_open_during_a_thousand_rotations_are_refused_no_right_token() {
    let handle = TokenHandle::new(TokenSet::new(token(0).parse().expect("valid")));
    let require = RequireTokenLayer::builder().reader(handle.reader());
    let layer = require.build().expect("valid").into();
    let address = serve(layer, Echo::default()).await;
    let tokens = Publisher::of(0);
    let is_over = Arc::<AtomicBool>::default();
    let all_there = Arc::new(Barrier::new(STREAMS + 1));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(client(address).await);
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut callers = JoinSet::new();
    for i in 0..STREAMS {
        let client = clients[i % CONNECTIONS].clone();
        let (tokens, is_over) = (tokens.clone(), Arc::clone(&is_over));
        let (places, all_there) = (Arc::clone(&places), Arc::clone(&all_there));
        callers.spawn(async move {
            all_there.wait().await;
            open_streams(client, tokens, places, is_over).await
        });
    }
    let rotator = tokio::spawn(async move {
        all_there.wait().await;
        let mut overlapping = VecDeque::new();
        for generation in 1..=ROTATIONS {
            // Calls are on their way with each of the tokens when it is followed by the next one.
            while !tokens.current().is_used.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            // What an overlap is for: a token ends when nobody who began with it is on the way any more.
            if overlapping.len() == OVERLAP
                && let Some(ending) = overlapping.pop_front()
            {
                while Arc::strong_count(&ending) > 1 {
                    tokio::task::yield_now().await;
                }
            }
            let next = token(generation).parse().expect("valid");
            handle.rotate(next).expect("fits");
            overlapping.push_back(tokens.publish(generation));
        }
        is_over.store(true, Ordering::SeqCst);
        handle
    });
    let mut opened = 0;
    while let Some(caller) = callers.join_next().await {
        let caller = caller.expect("no token was refused");
        assert!(caller >= FORMS.len(), "each form at least once: {caller}");
        opened += caller;
    }
    let _handle = rotator.await.expect("no panic");
    assert!(
        opened >= ROTATIONS,
        "with each token one at least: {opened}"
    );
    let last = with("hi", &[&token(ROTATIONS)]);
    clients[0].unary(UNARY, last).await.expect("the last one");
    // The measure is not blind: the first one that is over is refused.
    let old = with("hi", &[&token(ROTATIONS - OVERLAP - 1)]);
    let refused = clients[0].unary(UNARY, old).await.expect_err("long gone");
    assert_eq!(
        TokenRejection::from_status(&refused),
        Some(TokenRejection::Invalid)
    );
}
