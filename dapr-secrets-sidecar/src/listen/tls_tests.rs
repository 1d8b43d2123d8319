//! Handshakes with certificates made for the test, and files that change.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::*;
use crate::certificates::{Authority, Identity, Valid, client};
use crate::listen::tests::{REQUEST, begin, shutdown};

const HTTP1: &[&str] = &["http/1.1"];

/// A folder with the three files.
struct Folder(TempDir);

impl Folder {
    fn new(server: &Identity, clients: Option<&Authority>) -> Self {
        let folder = Self(TempDir::new().expect("a temporary folder"));
        folder.put(server, clients);
        folder
    }

    fn put(&self, server: &Identity, clients: Option<&Authority>) {
        self.write("tls.crt", &server.certificate);
        self.write("tls.key", &server.key);
        if let Some(clients) = clients {
            self.write("ca.crt", &clients.pem);
        }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), content).expect("written");
    }

    fn files(&self, with_clients: bool) -> TlsFiles {
        files(self.0.path(), with_clients)
    }
}

fn files(folder: &Path, with_clients: bool) -> TlsFiles {
    TlsFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        client_ca: with_clients.then(|| folder.join("ca.crt")),
    }
}

/// Whether a client is let in and reads an answer; and what it hears if not.
async fn ask(tls: &Tls, client: Arc<ClientConfig>) -> io::Result<()> {
    let (near, far) = duplex(64 * 1024);
    let tls = tls.clone();
    let server = tokio::spawn(async move {
        let mut stream = tls.accept(Box::new(far)).await?;
        stream.write_all(b"hi").await?;
        stream.shutdown().await
    });
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = TlsConnector::from(client).connect(name, near).await?;
    let mut answer = Vec::new();
    // With TLS 1.3 a client learns only here that its certificate was refused.
    stream.read_to_end(&mut answer).await?;
    assert_eq!(answer, b"hi");
    server.await.expect("no panic")
}

#[tokio::test]
async fn api_g5_a_client_needs_a_certificate_of_the_authority_that_is_valid() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = Folder::new(&ours.server(Valid::Now), Some(&ours));
    let (_, tls) = Reloader::begin(folder.files(true)).expect("good files");
    let good = ours.client(Valid::Now);
    let expired = ours.client(Valid::NoMore);
    let foreign = theirs.client(Valid::Now);
    let no_client = ours.server(Valid::Now);
    let rows = [
        ("its own", Some(&good), true),
        ("none", None, false),
        ("expired", Some(&expired), false),
        ("of another authority", Some(&foreign), false),
        ("of a server", Some(&no_client), false),
    ];
    for (name, identity, expected) in rows {
        let asked = ask(&tls, client(&ours, identity, HTTP1)).await;
        assert_eq!(asked.is_ok(), expected, "{name}: {asked:?}");
    }
    // A server of an authority that the client does not know.
    ask(&tls, client(&theirs, Some(&good), HTTP1))
        .await
        .expect_err("the client refuses");
}

#[tokio::test]
async fn api_g5_without_authorities_no_client_certificate_is_asked_for() {
    let ours = Authority::new();
    let folder = Folder::new(&ours.server(Valid::Now), None);
    let (_, tls) = Reloader::begin(folder.files(false)).expect("good files");
    ask(&tls, client(&ours, None, HTTP1)).await.expect("let in");
}

#[tokio::test]
async fn api_g5_new_files_are_in_force_for_new_connections_and_bad_ones_never() {
    let (old, new) = (Authority::new(), Authority::new());
    let folder = Folder::new(&old.server(Valid::NoMore), None);
    let (mut reloader, tls) = Reloader::begin(folder.files(false)).expect("good files");
    let trusting_old = || client(&old, None, HTTP1);
    let trusting_new = || client(&new, None, HTTP1);
    ask(&tls, trusting_old()).await.expect_err("expired");

    folder.put(&old.server(Valid::Now), None);
    reloader.reload().await;
    ask(&tls, trusting_old()).await.expect("renewed");

    let good = new.server(Valid::Now);
    let other = new.server(Valid::Now);
    let half = &good.certificate[..good.certificate.len() / 2];
    let rows: [(&str, &str, &str); 8] = [
        ("no PEM", "nonsense", &good.key),
        ("nothing", "", &good.key),
        ("half a certificate", half, &good.key),
        ("a key in place of the certificate", &good.key, &good.key),
        (
            "a certificate in place of the key",
            &good.certificate,
            &good.certificate,
        ),
        (
            "the key of another certificate",
            &good.certificate,
            &other.key,
        ),
        ("no key", &good.certificate, ""),
        ("too large", &"x".repeat(1024 * 1024 + 1), &good.key),
    ];
    for (at, (name, certificate, key)) in rows.iter().enumerate() {
        folder.write("tls.crt", certificate);
        folder.write("tls.key", key);
        for _ in 0..2 {
            reloader.reload().await;
            let problem = reloader.failing.as_ref().map(ToString::to_string);
            let problem = problem.unwrap_or_else(|| panic!("{name}: a problem"));
            assert!(problem.contains("tls."), "{name}: {problem}");
            assert!(!problem.contains("nonsense"), "{name}: {problem}");
        }
        ask(&tls, trusting_old())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            reloader.failures >= 1 && reloader.failures <= at as u64 + 1,
            "{name}"
        );
    }
    fs::remove_file(folder.0.path().join("tls.crt")).expect("there");
    reloader.reload().await;
    ask(&tls, trusting_old())
        .await
        .expect("a file that is gone changes nothing");

    folder.put(&good, None);
    reloader.reload().await;
    assert_eq!(reloader.failing, None);
    ask(&tls, trusting_new()).await.expect("the new one");
    ask(&tls, trusting_old())
        .await
        .expect_err("not the old one");
}

#[tokio::test]
async fn api_g5_a_turned_link_of_a_mount_is_seen() {
    let ours = Authority::new();
    let folder = TempDir::new().expect("a temporary folder");
    let put = |version: &str| {
        let path = folder.path().join(version);
        fs::create_dir(&path).expect("made");
        let identity = ours.server(Valid::Now);
        fs::write(path.join("tls.crt"), &identity.certificate).expect("written");
        fs::write(path.join("tls.key"), &identity.key).expect("written");
        let link = folder.path().join("..next");
        std::os::unix::fs::symlink(version, &link).expect("linked");
        fs::rename(link, folder.path().join("..data")).expect("turned");
    };
    put("..1");
    for name in ["tls.crt", "tls.key"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), folder.path().join(name))
            .expect("linked");
    }
    let (mut reloader, tls) = Reloader::begin(files(folder.path(), false)).expect("good files");
    let before = Arc::as_ptr(&tls.0.borrow());
    reloader.reload().await;
    assert_eq!(Arc::as_ptr(&tls.0.borrow()), before, "nothing is new");
    put("..2");
    reloader.reload().await;
    assert_ne!(Arc::as_ptr(&tls.0.borrow()), before);
    assert_eq!(reloader.failing, None);
    ask(&tls, client(&ours, None, HTTP1)).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn api_g5_files_that_still_change_are_not_in_force() {
    let ours = Authority::new();
    let folder = Folder::new(&ours.server(Valid::Now), None);
    let (mut reloader, tls) = Reloader::begin(folder.files(false)).expect("good files");
    let in_force = || Arc::as_ptr(&tls.0.borrow());
    let before = in_force();
    folder.put(&ours.server(Valid::Now), None);
    tokio::join!(reloader.reload(), async {
        tokio::time::sleep(SETTLE / 2).await;
        folder.put(&ours.server(Valid::Now), None);
    });
    assert_eq!(in_force(), before);
    assert_eq!(reloader.failing, None, "they may be good yet");
    reloader.reload().await;
    assert_ne!(in_force(), before);
}

#[tokio::test]
async fn api_g5_a_removed_authority_ends_resumption_too() {
    let (old, new) = (Authority::new(), Authority::new());
    let server = old.server(Valid::Now);
    let folder = Folder::new(&server, Some(&old));
    let (mut reloader, tls) = Reloader::begin(folder.files(true)).expect("good files");
    let identity = old.client(Valid::Now);
    // One configuration, so that the client resumes where it may.
    let resuming = client(&old, Some(&identity), HTTP1);
    for _ in 0..2 {
        ask(&tls, Arc::clone(&resuming)).await.expect("let in");
    }
    folder.put(&server, Some(&new));
    reloader.reload().await;
    assert_eq!(reloader.failing, None);
    ask(&tls, resuming)
        .await
        .expect_err("no certificate of the new authority");
}

#[test]
fn api_g5_files_that_cannot_be_used_are_named_at_the_start() {
    let ours = Authority::new();
    let good = ours.server(Valid::Now);
    let other = ours.server(Valid::Now);
    let rows: [(&str, &str, &str, &str, &str); 5] = [
        ("certificate", "nonsense", &good.key, &ours.pem, "tls.crt"),
        ("key", &good.certificate, "nonsense", &ours.pem, "tls.key"),
        (
            "authorities",
            &good.certificate,
            &good.key,
            "nonsense",
            "ca.crt",
        ),
        (
            "no authority at all",
            &good.certificate,
            &good.key,
            "",
            "ca.crt",
        ),
        (
            "they do not belong together",
            &good.certificate,
            &other.key,
            &ours.pem,
            "tls.key",
        ),
    ];
    for (name, certificate, key, clients, named) in rows {
        let folder = Folder::new(&good, Some(&ours));
        folder.write("tls.crt", certificate);
        folder.write("tls.key", key);
        folder.write("ca.crt", clients);
        let Err(problem) = Reloader::begin(folder.files(true)) else {
            panic!("{name}: a problem");
        };
        let text = problem.to_string();
        assert!(text.contains(named), "{name}: {text}");
        assert!(
            !text.contains("nonsense") && !text.contains("BEGIN"),
            "{name}: {text}"
        );
    }
    let missing = files(Path::new("/there/is/no/such/folder"), false);
    assert!(Reloader::begin(missing).is_err());
}

#[tokio::test(start_paused = true)]
async fn api_g5_api_g6_a_handshake_has_10_s() {
    let ours = Authority::new();
    let folder = Folder::new(&ours.server(Valid::Now), None);
    let (_, tls) = Reloader::begin(folder.files(false)).expect("good files");
    let shutdown = shutdown();
    let rows: [(&str, &[u8]); 3] = [
        ("silence", b""),
        ("half a record", b"\x16\x03\x01\x02\x00\x01"),
        ("a byte", b"\x16"),
    ];
    for (name, bytes) in rows {
        let (mut near, task) = begin(&shutdown, Some(tls.clone()), Duration::ZERO);
        let start = Instant::now();
        near.write_all(bytes).await.expect("room");
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.expect("an end");
        assert_eq!(start.elapsed().as_secs(), 10, "{name}");
        task.await.expect("no panic");
    }
    // HTTP without TLS is no handshake.
    let (mut near, _task) = begin(&shutdown, Some(tls), Duration::ZERO);
    near.write_all(REQUEST).await.expect("room");
    let mut rest = Vec::new();
    near.read_to_end(&mut rest).await.expect("an end");
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn api_g5_an_open_connection_outlives_new_files() {
    let (old, new) = (Authority::new(), Authority::new());
    let folder = Folder::new(&old.server(Valid::Now), None);
    let (mut reloader, tls) = Reloader::begin(folder.files(false)).expect("good files");
    let shutdown = shutdown();
    let (near, _task) = begin(&shutdown, Some(tls.clone()), Duration::ZERO);
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(client(&old, None, HTTP1));
    let mut stream = connector.connect(name, near).await.expect("let in");
    for _ in 0..2 {
        stream.write_all(REQUEST).await.expect("open");
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).await.expect("open");
        assert!(chunk[..count].starts_with(b"HTTP/1.1 200 OK\r\n"));
        folder.put(&new.server(Valid::Now), None);
        reloader.reload().await;
        assert_eq!(reloader.failing, None);
    }
    ask(&tls, client(&new, None, HTTP1))
        .await
        .expect("the new one");
}
