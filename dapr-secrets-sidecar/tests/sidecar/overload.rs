//! What one caller may take of the memory that all share.

use std::io::Write;
use std::time::Instant;

use crate::frames;
use crate::http2::{Client, Window};
use crate::process::{PATIENCE, Start, TOKEN};
use crate::store_files::Files;
use crate::unread::{Unread, large_secrets};
use crate::wire::{connect, get};

const SMALL: &str = "/v1.0/secrets/files/small";
const BULK: &str = "/v1.0/secrets/files/bulk";

#[test]
fn api_g6_large_answers_that_nobody_reads_are_refused_beyond_the_budget() {
    // A little more than 14 MiB each: 18 of them fit into 256 MiB.
    let files = large_secrets();
    let sidecar = files.start(Start::new()).serve();
    let over_http1: Vec<_> = (0..9).map(|_| Unread::begin(sidecar.address())).collect();
    let mut greedy = Client::connect(sidecar.address(), Window::Closed);
    let unread: Vec<_> = (0..11).map(|_| greedy.begin(BULK, TOKEN)).collect();
    let statuses: Vec<_> = unread
        .iter()
        .map(|answer| answer.status().as_u16())
        .collect();
    assert_eq!(statuses[..9], [200; 9]);
    assert_eq!(statuses[9..], [503; 2]);
    assert_eq!(unread[10].headers()["retry-after"], "1");

    // Other connections share the budget; small answers need none of it.
    let refused = get(sidecar.address(), BULK);
    assert_eq!(refused.status, 503);
    assert_eq!(refused.error_code().as_deref(), Some("ERR_OVERLOADED"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert_eq!(get(sidecar.address(), SMALL).status, 200);

    drop((over_http1, unread, greedy));
    let deadline = Instant::now() + PATIENCE;
    while get(sidecar.address(), BULK).status == 503 {
        assert!(Instant::now() < deadline, "it is given back");
    }
}

#[test]
fn api_g6_a_connection_has_at_most_64_open_streams() {
    const REFUSED_STREAM: u32 = 7;
    let files = Files::with_secrets(r#"{"small": "1"}"#);
    let sidecar = files.start(Start::new()).serve();
    let mut connection = connect(sidecar.address());
    let mut bytes = frames::preface_without_window();
    // Odd numbers are the client's; the 65th of them is 129.
    for id in (1..=129).step_by(2) {
        bytes.extend(frames::get(id, SMALL, Some(TOKEN)));
    }
    connection.write_all(&bytes).expect("65 requests");
    assert_eq!(
        frames::first_refusal(&mut connection),
        (129, REFUSED_STREAM)
    );
}
