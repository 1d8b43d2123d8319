//! Many connections at once.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::frames;
use crate::process::Start;
use crate::store_files::Files;
use crate::wire::{connect, get, read_some};

const SECRET: &str = "/v1.0/secrets/files/a";

/// Lets this process, and those that it starts, open as many files as it may.
fn raise_file_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit");
    limit.maximum.unwrap_or(u64::MAX)
}

#[cfg(target_os = "linux")]
fn resident_kib(pid: rustix::process::Pid) -> u64 {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let status = std::fs::read_to_string(path).expect("a child of ours");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn api_g6_2000_silent_connections_neither_delay_an_honest_one_nor_take_much_memory() {
    assert!(
        raise_file_limit() > 4096,
        "this test opens 2,000 connections"
    );
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let half_a_head = format!("GET {SECRET} HTTP/1.1\r\nhost: {}", "x".repeat(4000));
    let rows: [(&str, &str, &[u8]); 4] = [
        ("silent", "1024", b""),
        ("half a head", "1024", half_a_head.as_bytes()),
        ("HTTP/2", "1024", &frames::preface_without_window()),
        ("all kept", "4000", b""),
    ];
    for (name, limit, bytes) in rows {
        let sidecar = files
            .start(Start::new())
            .args(["--max-connections", limit])
            .serve();
        let crowd: Vec<TcpStream> = (0..2000)
            .map(|_| {
                let mut stream = connect(sidecar.address());
                // The oldest ones are closed meanwhile.
                let _ = stream.write_all(bytes);
                stream
            })
            .collect();
        let begun = Instant::now();
        assert_eq!(get(sidecar.address(), SECRET).status, 200, "{name}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        let resident = resident_kib(sidecar.pid());
        assert!(resident <= 64 * 1024, "{name}: {resident} KiB");
        drop(crowd);
    }
}

#[test]
fn api_g6_the_oldest_of_the_idle_connections_is_closed_at_the_limit() {
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let sidecar = files
        .start(Start::new())
        .args(["--max-connections", "8"])
        .serve();
    let mut crowd: Vec<TcpStream> = (0..8).map(|_| connect(sidecar.address())).collect();
    assert_eq!(
        get(sidecar.address(), SECRET).status,
        200,
        "the ninth is served"
    );
    assert_eq!(
        read_some(&mut crowd[0], &mut Vec::new()),
        0,
        "the first is closed"
    );
    for stream in &mut crowd[1..] {
        stream.set_nonblocking(true).expect("a mode");
        let waits = stream
            .peek(&mut [0])
            .expect_err("nothing to read, and no end");
        assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
    }
}
