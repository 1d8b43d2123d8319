//! Starts the app and the client of the example beside an issuer on loopback, with tokens of the shape that the API server
//! makes, in a folder of the shape that the kubelet makes.

#[path = "../../support/issuer.rs"]
mod issuer;
#[path = "../src/orders.rs"]
mod orders;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::StatusCode;
use issuer::{Issuer, now};
use orders::Orders;
use serde_json::{Value, json};
use tempfile::TempDir;

const MANIFEST: &str = include_str!("../deploy.yaml");

/// A program of the example, stopped when the test ends.
struct Running {
    child: Child,
    line: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it, and waits for its first line.
fn start(command: &mut Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let stdout = child.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    Running { child, line }
}

/// The app, and its address.
fn app(issuer: &Issuer) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service-account-app"));
    command
        .arg("127.0.0.1:0")
        .env("TOKEN_ISSUER", issuer.name())
        .env("TOKEN_AUDIENCE", "orders")
        .env("ALLOWED_SERVICE_ACCOUNTS", "shop/cart,shop/web")
        .env_remove("KEY_SET")
        .env_remove("CLUSTER_CA");
    let running = start(&mut command);
    let address = running.line.trim().strip_prefix("listening on ");
    let url = format!("http://{}", address.expect("an address"));
    (running, url)
}

/// What the API server writes into a token of a pod, with these members in place of its own.
fn claims(issuer: &Issuer, ends: u64, changed: &Value) -> Value {
    let mut claims = json!({
        "aud": ["orders"],
        "exp": ends,
        "iat": now(),
        "iss": issuer.name(),
        "jti": "0f5a8b8e-5a0b-4d9f-8f0c-6a3c1d2e4b5f",
        "kubernetes.io": {
            "namespace": "shop",
            "node": { "name": "node-1", "uid": "4c3f4b8a-6a3e-4a53-9a0e-0d6f7b1b2c3d" },
            "pod": { "name": "cart-7d4b9", "uid": "9b1f3e0a-1c2d-4e5f-8a9b-0c1d2e3f4a5b" },
            "serviceaccount": { "name": "cart", "uid": "1a2b3c4d-5e6f-4a8b-9c0d-1e2f3a4b5c6d" },
        },
        "nbf": now(),
        "sub": "system:serviceaccount:shop:cart",
    });
    for (name, value) in changed.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

fn token(issuer: &Issuer, ends: u64) -> String {
    issuer.token(&claims(issuer, ends, &json!({})))
}

/// A projected volume: `orders` leads through `..data` to the folder of one version.
struct Mount {
    folder: TempDir,
    versions: usize,
}

impl Mount {
    fn new(token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        symlink("..data/orders", folder.path().join("orders")).expect("a link");
        let mut mount = Self {
            folder,
            versions: 0,
        };
        mount.renew(token);
        mount
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn token(&self) -> PathBuf {
        self.path().join("orders")
    }

    /// Writes the next version beside the last one, turns the link in one step, and removes the last one.
    fn renew(&mut self, token: &str) {
        self.versions += 1;
        let version = |number| format!("..2026_11_23.{number}");
        let next = self.path().join(version(self.versions));
        std::fs::create_dir(&next).expect("a folder");
        std::fs::write(next.join("orders"), token).expect("written");
        let link = self.path().join("..data_tmp");
        symlink(version(self.versions), &link).expect("a link");
        std::fs::rename(&link, self.path().join("..data")).expect("turned");
        let last = self.path().join(version(self.versions - 1));
        if last.exists() {
            std::fs::remove_dir_all(last).expect("removed");
        }
    }
}

/// The status of an order with this token.
fn order(url: &str, token: Option<&str>) -> String {
    let address = url.strip_prefix("http://").expect("of this test");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let token = token.map_or(String::new(), |token| {
        format!("dapr-api-token: {token}\r\n")
    });
    write!(
        stream,
        "POST /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{token}content-length: 0\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer.split(' ').nth(1).expect("a status").to_owned()
}

#[test]
fn the_client_shows_its_token_and_the_app_knows_the_pod() {
    let issuer = Issuer::start("cluster-key");
    let (_app, url) = app(&issuer);
    let ends = now() + 600;
    let mount = Mount::new(&token(&issuer, ends));
    let client = start(
        Command::new(env!("CARGO_BIN_EXE_service-account-client"))
            .env("ORDERS_URL", &url)
            .env("TOKEN_FILE", mount.token())
            .env_remove("ORDERS_NETWORK_ENCRYPTS"),
    );
    assert_eq!(
        client.line.trim(),
        format!(
            "200 OK: taken: one book, from pod cart-7d4b9 of shop/cart, whose token ends at {ends}"
        )
    );
}

/// The time of the client is that of the runtime, which goes on where everybody waits: no poll is waited for.
#[tokio::test(start_paused = true)]
async fn a_renewed_token_is_sent_before_the_old_one_ends_and_no_order_is_refused() {
    let issuer = Issuer::start("cluster-key");
    let (_app, url) = app(&issuer);
    let (first, second) = (now() + 600, now() + 1200);
    let mut mount = Mount::new(&token(&issuer, first));
    let orders = Orders::new(mount.token(), &url, false).expect("a good token");
    let taken_until = async || {
        let (status, answer) = orders.send("one book").await.expect("answered");
        assert_eq!(status, StatusCode::OK, "{answer}");
        let (_, ends) = answer.rsplit_once(' ').expect("a time");
        ends.parse::<u64>().expect("a time")
    };
    assert_eq!(taken_until().await, first);

    mount.renew(&token(&issuer, second));
    // It is still good, whichever of them goes out.
    taken_until().await;
    // Longer than from one poll to the next.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(taken_until().await, second);

    mount.renew("half of a tok");
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(taken_until().await, second, "the last good one stays");
}

#[test]
fn tokens_for_others_of_others_and_from_others_are_refused() {
    let issuer = Issuer::start("cluster-key");
    let stranger = Issuer::start("cluster-key");
    let (_app, url) = app(&issuer);
    let signed = |changed: Value| issuer.token(&claims(&issuer, now() + 600, &changed));
    for (name, token, status) in [
        ("good", signed(json!({})), "200"),
        (
            "of the other caller",
            signed(json!({ "sub": "system:serviceaccount:shop:web" })),
            "200",
        ),
        (
            "for the API server",
            signed(json!({ "aud": ["https://kubernetes.default.svc.cluster.local"] })),
            "401",
        ),
        (
            "for another app",
            signed(json!({ "aud": ["stock"] })),
            "401",
        ),
        (
            "of another namespace",
            signed(json!({ "sub": "system:serviceaccount:other:cart" })),
            "401",
        ),
        (
            "of another account",
            signed(json!({ "sub": "system:serviceaccount:shop:cart2" })),
            "401",
        ),
        (
            "of a user with that name",
            signed(json!({ "sub": "cart" })),
            "401",
        ),
        ("over", signed(json!({ "exp": now() - 61 })), "401"),
        (
            "of another cluster",
            signed(json!({ "iss": stranger.name() })),
            "401",
        ),
        (
            "signed by another cluster",
            stranger.token(&claims(&issuer, now() + 600, &json!({}))),
            "401",
        ),
        (
            "out of a Secret, without an end",
            issuer.token(&json!({
                "iss": "kubernetes/serviceaccount",
                "sub": "system:serviceaccount:shop:cart",
                "kubernetes.io/serviceaccount/namespace": "shop",
            })),
            "401",
        ),
    ] {
        assert_eq!(order(&url, Some(&token)), status, "{name}");
    }
    assert_eq!(order(&url, None), "401");
}

#[test]
fn what_is_not_configured_is_told_with_what_to_do() {
    let told = |command: &mut Command| {
        let output = command.env_clear().output().expect("it runs");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).expect("text")
    };
    let app = env!("CARGO_BIN_EXE_service-account-app");
    let client = env!("CARGO_BIN_EXE_service-account-client");
    let app = told(&mut Command::new(app));
    assert!(
        app.starts_with("error: ALLOWED_SERVICE_ACCOUNTS is not set: set it to"),
        "{app}"
    );
    let client = told(&mut Command::new(client));
    assert!(
        client.starts_with("error: ORDERS_URL is not set: set it to"),
        "{client}"
    );
}

#[test]
fn a_client_without_a_token_or_over_an_open_network_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("orders");
    let error = |token: &Path, url: &str| {
        let error = Orders::new(token, url, false).err().expect("refused");
        error.to_string()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    let told = error(&missing, "http://127.0.0.1:1");
    assert!(told.starts_with("no JWT could be had: "), "{told}");
    std::fs::write(&missing, "not a token").expect("written");
    let told = error(&missing, "http://orders.shop.svc:8080");
    assert!(told.contains("would get the token unencrypted"), "{told}");
}

/// Both halves of the manifest must name the same things, and what the programs read.
#[test]
fn the_manifest_says_what_the_programs_ask_for() {
    for line in [
        "audience: orders",
        "path: orders",
        "expirationSeconds: 600",
        "mountPath: /var/run/secrets/tokens",
        "value: shop/cart",
        "name: TOKEN_AUDIENCE",
        "name: ALLOWED_SERVICE_ACCOUNTS",
        "name: CLUSTER_CA",
        "name: ORDERS_URL",
        "name: system:service-account-issuer-discovery",
        "path: /healthz",
    ] {
        let lines = MANIFEST
            .lines()
            .map(|known| known.trim().trim_start_matches("- "));
        assert!(lines.into_iter().any(|known| known == line), "{line}");
    }
}
