//! The example behind a real daprd. Runs only if `DAPRD` names its binary: `tonic-dapr-token/tests/daprd` builds one.
#![cfg(unix)]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const TOKEN: &str = "the-app-token-of-this-test";
const WRONG: &str = "the-app-token-of-another-app";

/// What daprd says of a delivery that the app refused.
const REFUSED: &str = "code = Unauthenticated desc = invalid api token";

/// Longer than the ten seconds after which a token file is read again, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// After which a message is taken for lost on its way to nobody.
const A_MOMENT: Duration = Duration::from_secs(1);

/// The binary to test with. Says so if there is none, past the capture of the test's own output.
fn daprd() -> Option<OsString> {
    let daprd = std::env::var_os("DAPRD");
    if daprd.is_none() {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED {name}: set DAPRD to a daprd 1.18 binary"
        );
    }
    daprd
}

/// A program, what it said so far, and what it says. It is stopped when the test ends.
struct Program {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (to, lines) = channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| to.send(line))
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Whether it says this before so much time is over.
    fn says(&mut self, what: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                return false;
            };
            self.said.push(line);
            if self.said.last().is_some_and(|line| line.contains(what)) {
                return true;
            }
        }
    }

    /// The next line in which this stands.
    fn wait_for(&mut self, what: &str) -> String {
        let said = self.says(what, PATIENCE);
        assert!(said, "never said `{what}`, but:\n{}", self.said.join("\n"));
        self.said.last().cloned().unwrap_or_default()
    }

    /// How many lines there are by now in which this stands.
    fn count(&mut self, what: &str) -> usize {
        self.said.extend(self.lines.try_iter());
        self.said.iter().filter(|line| line.contains(what)).count()
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The example; gives it and where it listens.
fn app(address: &str, token: &str, file: Option<&Path>) -> (Program, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grpc-app"));
    command.arg(address).args(file).env("APP_API_TOKEN", token);
    let mut app = Program::start(&mut command);
    let line = app.wait_for("listening on ");
    let address = line.rsplit(' ').next().expect("an address").to_owned();
    (app, address)
}

/// daprd in front of the example, and the sockets of its own API.
struct Sidecar {
    program: Program,
    folder: TempDir,
}

impl Sidecar {
    /// Sends [`TOKEN`] to the app. Its probe and its discovery calls carry none.
    fn start(daprd: OsString, app: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/daprd");
        let (_, port) = app.rsplit_once(':').expect("an address");
        let mut command = Command::new(daprd);
        command
            // daprd makes the number of a port for its like out of this: each has a folder of its own.
            .current_dir(folder.path())
            .args(["--mode", "standalone", "--app-id", "grpc-app"])
            .args(["--app-port", port, "--app-protocol", "grpc"])
            .args(["--enable-app-health-check", "--app-health-probe-interval=1"])
            .args(["--enable-metrics=false", "--log-level=info"])
            .args(["--dapr-internal-grpc-listen-address", "127.0.0.1"])
            .arg("--resources-path")
            .arg(files.join("resources"))
            .arg("--config")
            .arg(files.join("config.yaml"))
            .arg("--unix-domain-socket")
            .arg(folder.path())
            .env("APP_API_TOKEN", TOKEN)
            .env_remove("DAPR_API_TOKEN")
            .stderr(Stdio::null());
        let mut program = Program::start(&mut command);
        program.wait_for("App entered healthy status");
        program.wait_for("app is subscribed to the following topics: [[orders]]");
        Self { program, folder }
    }

    /// Asks its HTTP API; gives the whole answer.
    fn ask(&self, path: &str, body: &str) -> String {
        let socket = self.folder.path().join("dapr-grpc-app-http.socket");
        let mut stream = UnixStream::connect(socket).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    fn publish(&self, order: &str) {
        let answer = self.ask("/v1.0/publish/bus/orders", &format!("\"{order}\""));
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }

    /// Publishes until there is a sign that somebody gets it: daprd says that the app is subscribed before it is, and
    /// until then this kind of bus forgets what it is given.
    fn publish_until(&mut self, order: &str, mut sign: impl FnMut(&mut Program) -> bool) {
        for _ in 0..60 {
            self.publish(order);
            if sign(&mut self.program) {
                return;
            }
        }
        unreachable!("nobody is subscribed:\n{}", self.program.said.join("\n"));
    }

    fn invoke(&self) -> String {
        self.ask("/v1.0/invoke/grpc-app/method/greet", "\"hello\"")
    }

    /// Waits until a delivery was refused and tried again some times.
    fn wait_for_refusals(&mut self) {
        for _ in 0..5 {
            self.program.wait_for(REFUSED);
        }
    }
}

#[test]
fn e5_x4_a_real_daprd_finds_the_app_healthy_and_all_its_calls_arrive() {
    let Some(daprd) = daprd() else { return };
    let (mut app, address) = app("127.0.0.1:0", TOKEN, None);
    let mut sidecar = Sidecar::start(daprd, &address);
    app.wait_for("binding tick");

    sidecar.publish_until("a book", |_| {
        app.says("event of orders: \"a book\"", A_MOMENT)
    });

    let answer = sidecar.invoke();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"hello\""), "{answer}");
    app.wait_for("invoked greet");
}

/// What the app was called for while its token was another one: nothing. And daprd says why.
fn check_refused(app: &mut Program, sidecar: &mut Sidecar) {
    sidecar.publish_until("a book", |daprd| daprd.says(REFUSED, A_MOMENT));
    sidecar.wait_for_refusals();
    let answer = sidecar.invoke();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("API_TOKEN_INVALID"), "{answer}");
    for call in ["event", "binding", "invoked"] {
        assert_eq!(app.count(call), 0, "{call}");
    }
}

/// Once the token is right, what was refused arrives, once, and what comes after it too.
fn check_delivered(app: &mut Program, sidecar: &mut Sidecar) {
    app.wait_for("event of orders: \"a book\"");
    let recovered = "Recovered processing operation component[bus] input";
    sidecar.program.wait_for(recovered);
    sidecar.publish("another");
    app.wait_for("event of orders: \"another\"");
    assert_eq!(app.count("event of orders: \"a book\""), 1, "not twice");
    app.wait_for("binding tick");
    assert!(sidecar.invoke().starts_with("HTTP/1.1 200"));
}

#[test]
fn j2_r7_a_message_that_is_refused_for_a_wrong_token_arrives_when_the_token_is_rotated() {
    let Some(daprd) = daprd() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, WRONG).expect("written");
    let (mut app, address) = app("127.0.0.1:0", TOKEN, Some(&file));
    let mut sidecar = Sidecar::start(daprd, &address);
    check_refused(&mut app, &mut sidecar);

    std::fs::write(&file, TOKEN).expect("written");
    check_delivered(&mut app, &mut sidecar);
}

#[test]
fn j2_a_message_that_is_refused_for_a_wrong_token_arrives_when_the_app_has_started_with_the_right_one()
 {
    let Some(daprd) = daprd() else { return };
    let (mut wrong, address) = app("127.0.0.1:0", WRONG, None);
    let mut sidecar = Sidecar::start(daprd, &address);
    check_refused(&mut wrong, &mut sidecar);

    wrong.stop();
    let (mut right, _) = app(&address, TOKEN, None);
    check_delivered(&mut right, &mut sidecar);
}
