//! Starts the binary, reads what it says, and ends it.
//!
//! Every wait is bounded by [`PATIENCE`] and ends at the event that it waits for.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, empty};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a healthy process may take for anything, on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The token of every test that needs one.
pub(crate) const TOKEN: &str = "tok123tok123tok123";

/// What the binary is started with.
pub(crate) struct Start {
    command: Command,
}

impl Start {
    /// No arguments, and no variable but that of the gRPC port, which would be the same for every test.
    pub(crate) fn bare() -> Self {
        Self::through(Command::new(env!("CARGO_BIN_EXE_dapr-secrets-sidecar")))
    }

    /// `command` is the binary, or something that ends up as it.
    pub(crate) fn through(mut command: Command) -> Self {
        command
            .env_clear()
            .env("DAPR_GRPC_PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command }
    }

    /// A token, and a free port.
    pub(crate) fn new() -> Self {
        Self::bare()
            .env("DAPR_API_TOKEN", TOKEN)
            .args(["--dapr-http-port", "0"])
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn resources(self, folder: impl AsRef<Path>) -> Self {
        self.args([OsStr::new("--resources-path"), folder.as_ref().as_os_str()])
    }

    pub(crate) fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Writes to `file` in place of a pipe: nothing of stdout is read then.
    pub(crate) fn stdout(mut self, file: File) -> Self {
        self.command.stdout(file);
        self
    }

    fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().expect("the binary starts");
        let stdout = match child.stdout.take() {
            Some(pipe) => lines(pipe),
            None => lines(empty()),
        };
        let stderr = lines(child.stderr.take().expect("stderr is piped"));
        Running {
            child,
            stdout,
            stderr,
            said: String::new(),
        }
    }

    /// Starts it and waits for the ready line.
    pub(crate) fn serve(self) -> Sidecar {
        self.serve_when("")
    }

    /// Starts it and waits for a line of stdout in which this stands.
    pub(crate) fn serve_when(self, says: &str) -> Sidecar {
        let mut running = self.spawn();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match running.stdout.recv_timeout(left) {
                Ok(ready) if ready.contains(says) => return Sidecar { running, ready },
                Ok(_) => {}
                Err(error) => {
                    let _ = running.child.kill();
                    let _ = running.hear_the_rest();
                    panic!("no ready line ({error}); stderr:\n{}", running.said)
                }
            }
        }
    }

    /// Runs it to its end, which must come by itself.
    pub(crate) fn finish(self) -> Output {
        self.spawn().finish()
    }
}

/// What a process that has ended left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// What was read from `stderr` so far.
    said: String,
}

impl Running {
    /// Reads stderr to its end, which comes with the end of the process.
    fn hear_the_rest(&mut self) -> Result<(), RecvTimeoutError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stderr.recv_timeout(left) {
                Ok(line) => self.note(&line),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn note(&mut self, line: &str) {
        self.said.push_str(line);
        self.said.push('\n');
    }

    fn finish(mut self) -> Output {
        if self.hear_the_rest().is_err() {
            // Dropping it kills it.
            panic!("it does not end; stderr:\n{}", self.said);
        }
        let status = self.child.wait().expect("a child of ours");
        let stdout: Vec<String> = self.stdout.iter().collect();
        Output {
            status,
            stdout: stdout.join("\n"),
            stderr: std::mem::take(&mut self.said),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that serves; it is killed when this is dropped.
pub(crate) struct Sidecar {
    running: Running,
    ready: String,
}

impl Sidecar {
    /// The ready line.
    pub(crate) fn ready_line(&self) -> &str {
        &self.ready
    }

    /// The addresses of the ready line, text form.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses_of("http")
    }

    /// The addresses of one part of the ready line, text form.
    pub(crate) fn addresses_of(&self, api: &str) -> Vec<SocketAddr> {
        let parts = self.ready.strip_prefix("listening ");
        let list = parts
            .into_iter()
            .flat_map(|parts| parts.split(' '))
            .find_map(|part| part.strip_prefix(api)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("a ready line: {}", self.ready));
        list.split(',')
            .map(|address| address.parse().expect("an address"))
            .collect()
    }

    /// The first address of the ready line.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses()[0]
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.running.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the child is there");
    }

    /// Waits until a line of stderr contains `text`, and returns that line.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.running.stderr.recv_timeout(left) {
                Ok(line) => {
                    self.running.note(&line);
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("stderr never said `{text}`:\n{}", self.running.said)
                }
            }
        }
    }

    /// Waits for it to end by itself.
    pub(crate) fn finish(self) -> Output {
        let Self { running, ready } = self;
        let mut output = running.finish();
        output.stdout = format!("{ready}\n{}", output.stdout);
        output
    }

    /// Ends it with SIGTERM.
    pub(crate) fn stop(self) -> Output {
        self.signal(Signal::TERM);
        self.finish()
    }
}

/// The lines of `pipe`, read by a thread so that a wait for one can be bounded.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { break };
            if send
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                break;
            }
        }
    });
    receive
}
