//! Heads that are too large, and how large they may be.

use crate::process::{Start, TOKEN};
use crate::store_files::Files;
use crate::wire::{get, request};

const SECRET: &str = "/v1.0/secrets/files/a";

fn files() -> Files {
    Files::with_secrets(r#"{"a": "1"}"#)
}

#[test]
fn api_b4_names_and_queries_of_any_size_get_an_answer() {
    let files = files();
    let long = |length: usize| format!("/v1.0/secrets/files/{}", "x".repeat(length));
    let query = |count: usize| {
        let parameters: Vec<_> = (0..count).map(|at| format!("a{at}=b")).collect();
        format!("{SECRET}?{}", parameters.join("&"))
    };
    // target, with the buffer of 16 KiB, with one of 256 KiB
    let rows = [
        ("a name of 2,048 bytes", long(2048), 204, 204),
        ("a name over that", long(2049), 400, 400),
        ("a name of 10 KB", long(10_000), 400, 400),
        ("a name of 60 KB", long(60_000), 431, 400),
        ("a name of 100 KB", long(100_000), 431, 414),
        ("a hundred parameters", query(100), 200, 200),
        ("a query over 8 KiB", query(1200), 400, 400),
        ("10,000 parameters", query(10_000), 431, 414),
    ];
    for (flags, which) in [(&[][..], 0), (&["--read-buffer-size", "256Ki"], 1)] {
        let sidecar = files.start(Start::new()).args(flags).serve();
        for (name, target, small, large) in &rows {
            let answer = get(sidecar.address(), target);
            assert_eq!(answer.status, [*small, *large][which], "{name}: {flags:?}");
        }
        assert_eq!(get(sidecar.address(), SECRET).status, 200);
    }
}

#[test]
fn api_g1_api_b4_the_read_buffer_is_as_large_as_the_flag_says() {
    let files = files();
    let notice_of_least = "raised to 8Ki";
    let notice_of_twin = "--dapr-http-read-buffer-size is deprecated";
    let rows: [(&[&str], usize, usize, &[&str]); 5] = [
        (&["--read-buffer-size", "32Ki"], 30_000, 34_000, &[]),
        (
            &["--read-buffer-size", "4Ki"],
            7_000,
            9_000,
            &[notice_of_least],
        ),
        (&["--read-buffer-size=8192"], 7_000, 9_000, &[]),
        (
            &["--dapr-http-read-buffer-size", "32"],
            30_000,
            34_000,
            &[notice_of_twin],
        ),
        (
            &["--dapr-http-read-buffer-size", "4"],
            7_000,
            9_000,
            &[notice_of_twin, notice_of_least],
        ),
    ];
    for (args, fits, too_long, notices) in rows {
        let sidecar = files.start(Start::new()).args(args).serve();
        for (length, status) in [(fits, 200), (too_long, 431)] {
            let filler = "x".repeat(length);
            let headers = [("dapr-api-token", TOKEN), ("x-filler", filler.as_str())];
            let answer = request(sidecar.address(), "GET", SECRET, &headers);
            assert_eq!(answer.status, status, "{args:?}: {length}");
        }
        let stderr = sidecar.stop().stderr;
        for notice in [notice_of_least, notice_of_twin] {
            assert_eq!(
                stderr.contains(notice),
                notices.contains(&notice),
                "{args:?}: {stderr}"
            );
        }
    }
}
