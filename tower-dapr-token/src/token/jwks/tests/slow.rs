//! Servers that take their time: pipes in place of sockets, on the paused clock.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};
use tower_service::Service;

use super::super::client::Client;
use super::super::schedule::Schedule;
use super::super::set::{RemoteKeySet, Shared};
use super::super::source::{KeySource, Place};
use super::super::url::{KeyUrl, Plaintext};
use super::super::{JwksErrorKind, KeySetSink};
use super::support::{DAY, Names, TokioClock, read_head};

/// How a server passes the time.
#[derive(Clone, Copy)]
enum Slow {
    /// It does not take the connection.
    Connect,
    /// It takes this long to take it.
    ConnectFor(Duration),
    /// It says nothing.
    Silent,
    /// It sends the head byte by byte, each after this long.
    Head(Duration),
    /// It sends the document byte by byte, each after this long.
    Body(Duration),
    /// It says "not yet" for ever.
    Informs(Duration),
    /// Not at all.
    Never,
}

impl Slow {
    async fn serve(self, mut stream: DuplexStream) -> io::Result<()> {
        read_head(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\n\r\n";
        let document = Names::document(&["a"]);
        match self {
            Self::Silent => pending().await,
            Self::Head(gap) => {
                trickle(&mut stream, head, gap).await?;
                stream.write_all(document.as_bytes()).await
            }
            Self::Body(gap) => {
                stream.write_all(head.as_bytes()).await?;
                trickle(&mut stream, &document, gap).await
            }
            Self::Informs(gap) => loop {
                stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await?;
                sleep(gap).await;
            },
            Self::Never | Self::Connect | Self::ConnectFor(_) => {
                stream
                    .write_all(format!("{head}{document}").as_bytes())
                    .await
            }
        }
    }
}

async fn trickle(stream: &mut DuplexStream, text: &str, gap: Duration) -> io::Result<()> {
    for byte in text.bytes() {
        sleep(gap).await;
        stream.write_all(&[byte]).await?;
    }
    Ok(())
}

/// Opens pipes to that server.
struct Pipes(Slow);

impl Service<Uri> for Pipes {
    type Response = TokioIo<DuplexStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let slow = self.0;
        Box::pin(async move {
            match slow {
                Slow::Connect => pending().await,
                Slow::ConnectFor(time) => sleep(time).await,
                _ => {}
            }
            let (ours, theirs) = tokio::io::duplex(1024);
            // A client that gave up is no error.
            tokio::spawn(async move { slow.serve(theirs).await.unwrap_or_default() });
            Ok(TokioIo::new(ours))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn t6_connecting_takes_two_seconds_at_most_and_the_whole_five() {
    let millis = Duration::from_millis;
    let table: &[(&str, Slow, Option<u64>)] = &[
        ("quick", Slow::Never, None),
        ("no connection", Slow::Connect, Some(2_000)),
        (
            "almost too late a connection",
            Slow::ConnectFor(millis(1_990)),
            None,
        ),
        (
            "too late a connection",
            Slow::ConnectFor(millis(2_010)),
            Some(2_000),
        ),
        ("no answer", Slow::Silent, Some(5_000)),
        ("trickling head", Slow::Head(millis(900)), Some(5_000)),
        ("head within the time", Slow::Head(millis(100)), None),
        ("trickling document", Slow::Body(millis(900)), Some(5_000)),
        ("document within the time", Slow::Body(millis(100)), None),
        ("never ready", Slow::Informs(millis(10)), Some(5_000)),
    ];
    for (name, slow, ends_after) in table {
        let names = Arc::new(Names::default());
        let url = KeyUrl::parse("https://h/keys", Plaintext::Never).expect("valid");
        let client = Client::over(Pipes(*slow));
        let source = KeySource::new(client, Place::KeySet(url), Arc::clone(&names) as _);
        let shared = Shared::new(Arc::clone(&names) as _, TokioClock::start(), None, DAY);
        let start = Instant::now();
        let set = RemoteKeySet::start(shared, source, Schedule::new(None, DAY)).expect("valid");
        let result = set.first_load().await;
        let took = u64::try_from(start.elapsed().as_millis()).expect("short");
        match ends_after {
            None => assert_eq!(result, Ok(()), "{name}"),
            Some(after) => {
                let kind = result.expect_err("too slow").kind();
                assert_eq!(kind, JwksErrorKind::TimedOut, "{name}");
                // The clock of Tokio counts whole milliseconds.
                assert!((*after..=after + 2).contains(&took), "{name}: {took} ms");
            }
        }
        assert_eq!(names.holds("a"), ends_after.is_none(), "{name}");
    }
}
