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

/// What daprd says of a message of the bus that the app refused. The refusal alone would do for a binding, too.
const REFUSED: &str = "publishing a subscribed message to topic orders, \
    err: rpc error: code = Unauthenticated desc = invalid api token";

/// What it says once for each message that is refused, and once when the app takes it after all.
const RETRYING: &str = "Error processing operation component[bus] input";
const RECOVERED: &str = "Recovered processing operation component[bus] input";

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

    /// Waits until it has said this, if it has not yet.
    fn has_said(&mut self, what: &str) {
        if self.count(what) == 0 {
            self.wait_for(what);
        }
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
    /// How many orders were published.
    orders: usize,
    /// Those that it has not answered yet, as far as the test knows.
    unanswered: Vec<UnixStream>,
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
            // An app that is being started again is not given up: this kind of bus would forget its messages.
            .arg("--app-health-threshold=60")
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
        Self {
            program,
            folder,
            orders: 0,
            unanswered: Vec::new(),
        }
    }

    /// Asks its HTTP API.
    fn send(&self, path: &str, body: &str) -> UnixStream {
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
        stream
    }

    /// Publishes the next order; gives what the app says when it gets it. No answer is waited for: this kind of bus takes
    /// a message when the one before it is delivered, and answers then.
    fn publish(&mut self) -> String {
        self.orders += 1;
        let order = format!("\"order {}\"", self.orders);
        let answer = self.send("/v1.0/publish/bus/orders", &order);
        self.unanswered.push(answer);
        format!("event of orders: {order}")
    }

    /// Every order was taken, so that each but the last one has been delivered, or was for nobody.
    fn check_taken(&mut self) {
        for stream in std::mem::take(&mut self.unanswered) {
            let answer = answer(stream);
            assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        }
    }

    /// Publishes one order after the other until there is a sign that somebody gets one: daprd says that the app is
    /// subscribed before it is, and until then this kind of bus forgets what it is given. Gives all of them.
    fn publish_until(&mut self, mut sign: impl FnMut(&mut Program) -> bool) -> Vec<String> {
        let mut orders = Vec::new();
        for _ in 0..60 {
            orders.push(self.publish());
            if sign(&mut self.program) {
                return orders;
            }
        }
        unreachable!("nobody is subscribed:\n{}", self.program.said.join("\n"));
    }

    fn invoke(&self) -> String {
        answer(self.send("/v1.0/invoke/grpc-app/method/greet", "\"hello\""))
    }
}

/// The whole of it.
fn answer(mut stream: UnixStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn e5_x4_a_real_daprd_finds_the_app_healthy_and_all_its_calls_arrive() {
    let Some(daprd) = daprd() else { return };
    let (mut app, address) = app("127.0.0.1:0", TOKEN, None);
    let mut sidecar = Sidecar::start(daprd, &address);
    app.wait_for("binding tick");

    sidecar.publish_until(|_| app.says("event of orders: \"order ", A_MOMENT));
    sidecar.check_taken();

    let answer = sidecar.invoke();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"hello\""), "{answer}");
    app.wait_for("invoked greet");
}

/// Orders that were published while the app's token was another one, as the app says them.
struct Kept {
    /// One of them is the first that was refused. Those before it may have been for nobody.
    first: Vec<String>,
    /// Those after it.
    later: [String; 3],
}

/// What the app was called for while its token was another one: nothing. And daprd says why.
fn check_refused(app: &mut Program, sidecar: &mut Sidecar) -> Kept {
    let first = sidecar.publish_until(|daprd| daprd.says(REFUSED, A_MOMENT));
    sidecar.program.has_said(RETRYING);
    let later = [(); 3].map(|()| sidecar.publish());
    for _ in 0..5 {
        sidecar.program.wait_for(REFUSED);
    }
    let answer = sidecar.invoke();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("API_TOKEN_INVALID"), "{answer}");
    for call in ["event", "binding", "invoked"] {
        assert_eq!(app.count(call), 0, "{call}");
    }
    assert_eq!(sidecar.program.count(RECOVERED), 0, "none was given up");
    Kept { first, later }
}

/// Once the token is right, what was refused arrives, and so does what was published behind it. Each order arrives once:
/// the bus hands over one at a time, and again until the app has taken it, and no time limit ends an attempt halfway.
fn check_delivered(app: &mut Program, sidecar: &mut Sidecar, kept: &Kept) {
    for order in &kept.later {
        app.has_said(order);
    }
    sidecar.program.has_said(RECOVERED);
    // Behind all the others: when it is there, nothing of them is still to come.
    sidecar.check_taken();
    let last = sidecar.publish();
    app.wait_for(&last);
    sidecar.check_taken();
    for order in kept.later.iter().chain([&last]) {
        assert_eq!(app.count(order), 1, "neither lost nor twice: {order}");
    }
    let first: Vec<_> = kept.first.iter().map(|order| app.count(order)).collect();
    assert!(first.iter().all(|times| *times <= 1), "twice: {first:?}");
    assert!(first.contains(&1), "what was refused is lost: {first:?}");
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
    let kept = check_refused(&mut app, &mut sidecar);

    std::fs::write(&file, TOKEN).expect("written");
    check_delivered(&mut app, &mut sidecar, &kept);
}

#[test]
fn j2_a_message_that_is_refused_for_a_wrong_token_arrives_when_the_app_has_started_with_the_right_one()
 {
    let Some(daprd) = daprd() else { return };
    let (mut wrong, address) = app("127.0.0.1:0", WRONG, None);
    let mut sidecar = Sidecar::start(daprd, &address);
    let kept = check_refused(&mut wrong, &mut sidecar);

    wrong.stop();
    let (mut right, _) = app(&address, TOKEN, None);
    check_delivered(&mut right, &mut sidecar, &kept);
}
