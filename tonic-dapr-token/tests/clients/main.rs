//! Clients of other languages before a server behind the layer. Each runs only if a variable names what it runs in:
//! `CLIENT_PYTHON` a Python with `python/requirements.txt` installed, `CLIENT_GO` the program built from `go/`.

// The server of the other tests, of which this one uses a part.
#[allow(dead_code, reason = "shared with the other tests")]
#[path = "../it/support.rs"]
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use support::{Echo, TOKEN, any_path, layer, soon};

/// Four forms of a call, each refused for four reasons and then accepted.
const ALL_IS_WELL: &str = "20 calls were as they should be\n";

/// What this variable names. Says so if it is not set, past the capture of the test's own output.
fn named(variable: &str) -> Option<std::ffi::OsString> {
    let named = std::env::var_os(variable);
    if named.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED a client of another language: {variable} is not set"
        );
    }
    named
}

/// Runs the client against a server; it must find all as it should be, on one connection.
async fn check(mut client: Command) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let incoming = TcpListenerStream::new(listener).map(move |connection| {
        counted.fetch_add(1, Ordering::Relaxed);
        connection
    });
    let echo = Echo::default();
    tokio::spawn(
        Server::builder()
            .layer(layer())
            .add_routes(any_path(echo.clone()))
            .serve_with_incoming(incoming),
    );
    client.arg(address.to_string()).arg(TOKEN);
    let run = tokio::task::spawn_blocking(move || client.output().expect("it runs"));
    let output = soon(run).await.expect("no panic");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), ALL_IS_WELL);
    assert!(output.status.success());
    assert_eq!(echo.take().len(), 4, "the accepted calls and no other");
    assert_eq!(
        connections.load(Ordering::Relaxed),
        1,
        "usable after each refusal"
    );
}

#[tokio::test]
async fn j2_j3_a_python_client_sees_unauthenticated_with_its_reason_in_every_form() {
    let Some(python) = named("CLIENT_PYTHON") else {
        return;
    };
    let mut client = Command::new(python);
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python/client.py"));
    check(client).await;
}

#[tokio::test]
async fn j2_j3_a_go_client_sees_unauthenticated_with_its_reason_in_every_form() {
    let Some(client) = named("CLIENT_GO") else {
        return;
    };
    check(Command::new(client)).await;
}
