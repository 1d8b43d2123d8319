//! Connections from their first byte to their end: by paused time where time matters, by sockets where their order does.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::connection::{Connection, serve};
use super::crowd::Crowd;
use super::limits::Limits;
use super::pulse::Pulse;
use super::socket::Listener;
use super::tls::Tls;
use super::{Listening, Server};
use crate::gauge::Gauge;
use crate::held::Held;
use crate::shutdown::{Shutdown, Signals};

pub(super) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const PREFACE_AND_SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const GOAWAY: u8 = 7;

/// What keeps the drain from beginning, as long as it is held.
pub(super) fn shutdown() -> Shutdown {
    Shutdown::new(Signals::listen().expect("signals"), Duration::ZERO)
}

/// What belongs to a connection, and the gauge of its requests.
fn connection(shutdown: &Shutdown) -> (Connection, Gauge) {
    let pulse = Arc::new(Pulse::new(Instant::now()));
    let requests = Gauge::new();
    let (place, _) = Crowd::new(1).enter(&pulse, &requests).expect("room");
    let drain = shutdown.drain();
    let connection = Connection {
        limits: Limits::default(),
        pulse,
        requests: requests.clone(),
        place,
        counted: drain.connection(),
        drain,
    };
    (connection, requests)
}

/// A connection that is served, and its client's end.
pub(super) fn begin(
    shutdown: &Shutdown,
    tls: Option<Tls>,
    answer_after: Duration,
) -> (DuplexStream, JoinHandle<()>) {
    let (client, ours) = duplex(64 * 1024);
    let (connection, requests) = connection(shutdown);
    let service = tower::service_fn(move |_: Request<Incoming>| {
        let open = requests.enter();
        async move {
            sleep(answer_after).await;
            drop(open);
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hi"))))
        }
    });
    let task = tokio::spawn(serve(connection, Box::new(ours), tls, service));
    (client, task)
}

/// Reads to the end, which the server brings about; gives what came and after how many seconds of paused time.
async fn outlive(client: &mut DuplexStream) -> (Vec<u8>, u64) {
    let start = Instant::now();
    let mut bytes = Vec::new();
    client
        .read_to_end(&mut bytes)
        .await
        .expect("an orderly end");
    (bytes, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn api_g6_what_is_begun_and_not_finished_ends_after_10_s_and_silence_after_75() {
    let rows: [(&str, &[u8], u64); 8] = [
        ("silence", b"", 75),
        ("a byte", b"G", 10),
        ("half a head", &REQUEST[..20], 10),
        ("a byte of the preface", b"P", 10),
        ("half a preface", &PREFACE_AND_SETTINGS[..12], 10),
        (
            "a preface without settings",
            &PREFACE_AND_SETTINGS[..24],
            10,
        ),
        ("HTTP/2 without a request", PREFACE_AND_SETTINGS, 75),
        (
            "half a frame",
            &[PREFACE_AND_SETTINGS, b"\0\0\x20\x01"].concat(),
            10,
        ),
    ];
    let shutdown = shutdown();
    for (name, bytes, seconds) in rows {
        let (mut client, task) = begin(&shutdown, None, Duration::ZERO);
        client.write_all(bytes).await.expect("room");
        let (answer, lasted) = outlive(&mut client).await;
        assert_eq!(lasted, seconds, "{name}");
        // HTTP/2 clients are told, so that they send nothing more.
        let is_told = answer.windows(4).any(|bytes| bytes[3] == GOAWAY);
        assert_eq!(is_told, seconds == 75 && bytes.len() > 24, "{name}");
        task.await.expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn api_g6_a_client_of_one_byte_a_second_has_10_s() {
    let shutdown = shutdown();
    let (mut client, task) = begin(&shutdown, None, Duration::ZERO);
    let start = Instant::now();
    let mut sent = 0;
    let head = b"GET / HTTP/1.1\r\nx: "
        .iter()
        .chain(std::iter::repeat(&b'a'));
    for byte in head {
        if task.is_finished() {
            break;
        }
        // It is closed in between.
        if client.write_all(&[*byte]).await.is_err() {
            break;
        }
        sent += 1;
        sleep(Duration::from_secs(1)).await;
    }
    assert!((9..=12).contains(&sent), "{sent}");
    assert!(start.elapsed() < Duration::from_secs(13));
    let (answer, _) = outlive(&mut client).await;
    assert_eq!(answer, b"", "no answer");
}

#[tokio::test(start_paused = true)]
async fn api_g6_a_connection_that_is_used_again_within_75_s_stays() {
    let shutdown = shutdown();
    let (mut client, task) = begin(&shutdown, None, Duration::ZERO);
    let mut answers = 0;
    for _ in 0..5 {
        client.write_all(REQUEST).await.expect("open");
        let mut chunk = [0; 1024];
        let count = client.read(&mut chunk).await.expect("open");
        assert!(chunk[..count].starts_with(b"HTTP/1.1 200 OK\r\n"));
        answers += 1;
        sleep(Duration::from_secs(70)).await;
    }
    assert_eq!(answers, 5);
    let (_, lasted) = outlive(&mut client).await;
    assert_eq!(lasted, 5, "70 s of 75 have passed");
    task.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn api_g6_an_answer_may_take_longer_than_a_silence() {
    let shutdown = shutdown();
    let (mut client, task) = begin(&shutdown, None, Duration::from_secs(200));
    client.write_all(REQUEST).await.expect("room");
    let (answer, lasted) = outlive(&mut client).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(lasted, 275);
    task.await.expect("no panic");
}

/// More than the pipe holds, so that it is not sent before somebody reads.
const LARGE: usize = 1024 * 1024;

/// A connection whose answers are large, and count until their last byte is sent.
fn begin_large(shutdown: &Shutdown) -> (DuplexStream, JoinHandle<()>) {
    let (client, ours) = duplex(64 * 1024);
    let (connection, requests) = connection(shutdown);
    let service = tower::service_fn(move |_: Request<Incoming>| {
        let body = Full::new(Bytes::from(vec![b'x'; LARGE]));
        let answer = Response::new(Held::new(body, requests.enter()));
        async move { Ok::<_, Infallible>(answer) }
    });
    let task = tokio::spawn(serve(connection, Box::new(ours), None, service));
    (client, task)
}

#[tokio::test(start_paused = true)]
async fn api_g6_an_answer_that_nobody_reads_ends_after_75_s() {
    let shutdown = shutdown();
    let (mut client, task) = begin_large(&shutdown);
    client.write_all(REQUEST).await.expect("room");
    let start = Instant::now();
    task.await.expect("no panic");
    assert_eq!(start.elapsed().as_secs(), 75);
    let (answer, _) = outlive(&mut client).await;
    assert!(
        !answer.is_empty() && answer.len() < LARGE,
        "what fitted into the pipe"
    );
}

#[tokio::test(start_paused = true)]
async fn api_g6_an_answer_that_is_read_slowly_is_sent_to_its_end() {
    let shutdown = shutdown();
    let (mut client, task) = begin_large(&shutdown);
    client.write_all(REQUEST).await.expect("room");
    let start = Instant::now();
    let mut chunk = vec![0; 64 * 1024];
    let mut read = 0;
    while read < LARGE {
        sleep(Duration::from_secs(60)).await;
        let count = client.read(&mut chunk).await.expect("open");
        assert!(count > 0, "cut off after {read} bytes");
        read += count;
    }
    assert!(
        start.elapsed() > Duration::from_secs(600),
        "{:?}",
        start.elapsed()
    );
    let _ = outlive(&mut client).await;
    task.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn api_g6_two_requests_in_one_piece_get_two_answers() {
    let shutdown = shutdown();
    let (mut client, _task) = begin(&shutdown, None, Duration::from_secs(1));
    client
        .write_all(&[REQUEST, REQUEST, REQUEST].concat())
        .await
        .expect("room");
    let (answer, _) = outlive(&mut client).await;
    let answer = String::from_utf8(answer).expect("text");
    assert_eq!(answer.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{answer}");
}

#[tokio::test]
async fn api_g6_one_connection_too_many_closes_the_one_that_is_idle_longest() {
    let shutdown = shutdown();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = Server {
        limits: Limits::default(),
        crowd: Crowd::new(2),
        drain: shutdown.drain(),
        listening: Listening::new(1),
    };
    server.spawn(Listener::Tcp(listener), None, |_| {
        tower::service_fn(|_: Request<Incoming>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hi"))))
        })
    });
    async fn ask(stream: &mut TcpStream) -> usize {
        stream.write_all(REQUEST).await.expect("open");
        stream.read(&mut [0; 1024]).await.expect("open")
    }
    let mut first = TcpStream::connect(address).await.expect("it accepts");
    assert!(ask(&mut first).await > 0);
    let mut second = TcpStream::connect(address).await.expect("it accepts");
    assert!(ask(&mut second).await > 0);
    assert!(
        ask(&mut first).await > 0,
        "and now the second is idle longest"
    );
    let mut third = TcpStream::connect(address).await.expect("it accepts");
    assert!(ask(&mut third).await > 0);
    assert_eq!(second.read(&mut [0; 16]).await.expect("an orderly end"), 0);
    assert!(ask(&mut first).await > 0);
    assert!(ask(&mut third).await > 0);
}
