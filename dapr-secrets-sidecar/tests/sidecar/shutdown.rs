//! How the process ends: what is open finishes, a second signal does not wait.

use std::io::Write;
use std::net::TcpStream;

use rustix::process::Signal;

use crate::frames;
use crate::process::{Sidecar, Start, TOKEN};
use crate::store_files::Files;
use crate::unread::{LARGE, Unread, large_secrets};
use crate::wire::{connect, read_answer, request};

fn patient(files: &Files, seconds: &str) -> Sidecar {
    files
        .start(Start::new())
        .args(["--dapr-graceful-shutdown-seconds", seconds])
        .args(["--log-level", "debug"])
        .serve()
}

#[test]
fn api_g7_an_open_request_finishes_and_the_exit_code_is_0() {
    let files = large_secrets();
    for signal in [Signal::TERM, Signal::INT] {
        let mut sidecar = patient(&files, "60");
        let open = Unread::begin(sidecar.address());
        sidecar.signal(signal);
        // That of each API.
        sidecar.wait_for("a listener is closed");
        sidecar.wait_for("a listener is closed");
        TcpStream::connect(sidecar.address()).expect_err("new connections are refused");
        assert!(open.finish() > LARGE, "{signal:?}: the whole answer");
        let output = sidecar.finish();
        assert_eq!(output.code(), Some(0), "{signal:?}: {}", output.stderr);
        assert!(
            output.stderr.contains("drained"),
            "{signal:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn api_g7_idle_and_silent_connections_do_not_delay_the_end() {
    const PATH: &str = "/v1.0/secrets/files/a";
    let head = format!("GET {PATH} HTTP/1.1\r\nhost: x\r\ndapr-api-token: {TOKEN}\r\n\r\n");
    let preface = frames::preface_without_window();
    let settings_at = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
    let rows: [(&str, &[u8]); 6] = [
        ("silence", b""),
        ("half a head", &head.as_bytes()[..40]),
        ("half a preface of HTTP/2", &preface[..10]),
        (
            "a preface of HTTP/2 without settings",
            &preface[..settings_at],
        ),
        ("HTTP/2 without a request", &preface),
        (
            "HTTP/2 with a refusal that cannot be sent",
            &[&preface[..], &frames::get(1, PATH, None)].concat(),
        ),
    ];
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    for (name, bytes) in rows {
        let sidecar = patient(&files, "3600");
        let mut open = connect(sidecar.address());
        open.write_all(bytes).expect("a beginning");
        // Connections are accepted in turn: once this one is answered, the other is served as well.
        let mut idle = connect(sidecar.address());
        idle.write_all(head.as_bytes()).expect("a request");
        assert_eq!(read_answer(&mut idle, false).status, 200);
        idle.write_all(&head.as_bytes()[..40])
            .expect("half of a second request");
        let output = sidecar.stop();
        assert_eq!(output.code(), Some(0), "{name}: {}", output.stderr);
        assert!(
            output.stderr.contains("drained"),
            "{name}: {}",
            output.stderr
        );
    }
}

#[test]
fn api_g7_a_request_that_is_open_outlives_the_connections_that_are_not() {
    let files = large_secrets();
    let mut sidecar = patient(&files, "3600");
    let mut silent = connect(sidecar.address());
    silent
        .write_all(&frames::preface_without_window())
        .expect("no request");
    // Connections are accepted in turn: once this one is answered, the silent one is served as well.
    let open = Unread::begin(sidecar.address());
    sidecar.signal(Signal::TERM);
    // It is said 250 ms after the drain began: by then the open request would have been dropped as well.
    sidecar.wait_for("a connection without an open request is dropped");
    assert!(open.finish() > LARGE, "the whole answer");
    let output = sidecar.finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
}

#[test]
fn api_g7_the_limit_cuts_off_what_is_still_open() {
    let files = large_secrets();
    let sidecar = patient(&files, "0");
    let open = Unread::begin(sidecar.address());
    let output = sidecar.stop();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    let mut lines = output.stderr.lines();
    assert!(
        lines.any(|line| line.ends_with("connections=1")),
        "{}",
        output.stderr
    );
    assert!(open.finish() < LARGE, "cut off");
}

#[test]
fn api_g7_a_second_signal_ends_it_at_once() {
    let files = large_secrets();
    let rows = [
        (Signal::TERM, Signal::TERM, 143),
        (Signal::TERM, Signal::INT, 130),
        (Signal::INT, Signal::TERM, 143),
    ];
    for (first, second, code) in rows {
        let mut sidecar = patient(&files, "3600");
        let open = Unread::begin(sidecar.address());
        sidecar.signal(first);
        sidecar.wait_for("draining");
        sidecar.signal(second);
        let output = sidecar.finish();
        assert_eq!(
            output.code(),
            Some(code),
            "{first:?} {second:?}: {}",
            output.stderr
        );
        drop(open);
    }
}

#[test]
fn api_g3_a_shutdown_request_is_answered_and_then_ends_it() {
    let files = Files::with_secrets("{}");
    let sidecar = patient(&files, "3600");
    let refused = request(sidecar.address(), "POST", "/v1.0/shutdown", &[]);
    assert_eq!(refused.status, 401);
    let answer = request(
        sidecar.address(),
        "POST",
        "/v1.0/shutdown",
        &[("dapr-api-token", TOKEN)],
    );
    assert_eq!(answer.status, 204);
    let output = sidecar.finish();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn api_g8_the_process_writes_no_core() {
    let files = Files::with_secrets("{}");
    let sidecar = patient(&files, "0");
    let path = format!("/proc/{}/limits", sidecar.pid().as_raw_nonzero());
    let limits = std::fs::read_to_string(path).expect("the limits of a child");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("the limit of core files");
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
}
