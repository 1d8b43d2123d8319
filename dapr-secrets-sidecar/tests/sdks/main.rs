//! The official SDKs of Dapr before the sidecar, in both profiles. Each runs only if a variable names what it runs in: `run` beside
//! this file installs them all and sets `SDK_PYTHON`, `SDK_JAVASCRIPT`, `SDK_GO`, `SDK_JAVA` and `SDK_RUST`. With `DAPRD` set to the
//! binary of a real daprd 1.18, they run before that too, and what they show must be what they show in the `daprd` profile.
#![allow(
    clippy::panic,
    reason = "the helpers of these tests are no test functions themselves"
)]

mod daprd;
mod shown;
mod steps;

// The sidecar of the other tests, of which these use a part.
#[allow(dead_code, reason = "shared with the other tests")]
#[path = "../sidecar/process.rs"]
mod process;
#[allow(dead_code, reason = "shared with the other tests")]
#[path = "../sidecar/recording.rs"]
mod recording;
#[allow(dead_code, reason = "shared with the other tests")]
#[path = "../sidecar/wire.rs"]
mod wire;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use process::{Start, TOKEN};
use steps::{Outcome, Profile, Step};

/// One SDK over one protocol.
struct Sdk {
    name: &'static str,
    /// What it runs in.
    variable: &'static str,
    client: fn(&OsStr) -> Command,
    /// What it makes of an outcome.
    shows: fn(&Outcome) -> Value,
}

const PYTHON: Sdk = Sdk {
    name: "Python",
    variable: "SDK_PYTHON",
    client: |python| {
        let mut client = Command::new(python);
        client.arg(here().join("python/client.py"));
        client
    },
    shows: shown::python,
};

const JAVASCRIPT_HTTP: Sdk = Sdk {
    name: "JavaScript over HTTP",
    variable: "SDK_JAVASCRIPT",
    client: |program| node(program, "http"),
    shows: shown::javascript_http,
};

const JAVASCRIPT_GRPC: Sdk = Sdk {
    name: "JavaScript over gRPC",
    variable: "SDK_JAVASCRIPT",
    client: |program| node(program, "grpc"),
    shows: shown::javascript_grpc,
};

const GO: Sdk = Sdk {
    name: "Go",
    variable: "SDK_GO",
    client: |program| Command::new(program),
    shows: shown::go,
};

const JAVA: Sdk = Sdk {
    name: "Java",
    variable: "SDK_JAVA",
    client: |class_path| {
        let mut client = Command::new("java");
        client.arg("-cp").arg(class_path).arg("Client");
        client
    },
    shows: shown::java,
};

const RUST: Sdk = Sdk {
    name: "Rust",
    variable: "SDK_RUST",
    client: |program| Command::new(program),
    shows: shown::rust,
};

/// Where the clients are.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks")
}

fn node(program: &OsStr, protocol: &str) -> Command {
    let mut client = Command::new("node");
    client.arg(program).arg(protocol);
    client
}

/// What this variable names. Says so if it is not set, past the capture of the test's own output.
fn named(variable: &str) -> Option<OsString> {
    let named = std::env::var_os(variable);
    if named.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED an official SDK: {variable} is not set"
        );
    }
    named
}

/// Where a sidecar listens.
#[derive(Clone, Copy)]
struct Ports {
    http: SocketAddr,
    grpc: SocketAddr,
}

impl Sdk {
    /// What the client prints for each step, when it is told of the sidecar as apps are: by its environment.
    fn run(&self, runs_in: &OsStr, ports: Ports, token: &str, steps: &[Step]) -> Vec<Value> {
        let output = Start::through((self.client)(runs_in))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DAPR_HTTP_PORT", ports.http.port().to_string())
            .env("DAPR_GRPC_PORT", ports.grpc.port().to_string())
            .env("DAPR_API_TOKEN", token)
            .args(steps.iter().map(|step| step.asked))
            .finish();
        assert_eq!(output.code(), Some(0), "{}: {output:?}", self.name);
        let lines = output.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    }

    /// Runs it, and compares what it shows step by step.
    fn check(&self, runs_in: &OsStr, ports: Ports, token: &str, profile: Profile, steps: &[Step]) {
        let lines = self.run(runs_in, ports, token, steps);
        assert_eq!(lines.len(), steps.len(), "{}: {lines:?}", self.name);
        for (line, step) in lines.iter().zip(steps) {
            let outcome = step.outcome(profile);
            let mut expected = (self.shows)(&outcome);
            expected["step"] = json!(step.asked);
            assert_eq!(
                *line, expected,
                "{}, {profile:?}, {}",
                self.name, step.asked
            );
        }
    }

    /// Before the sidecar, in each profile.
    fn check_both(&self, token: &str, steps: &[Step]) {
        let Some(runs_in) = named(self.variable) else {
            return;
        };
        for (flag, profile) in [
            ("documented", Profile::Documented),
            ("daprd", Profile::Daprd),
        ] {
            let sidecar = recording::sidecar(flag);
            let ports = Ports {
                http: sidecar.address(),
                grpc: sidecar.addresses_of("grpc")[0],
            };
            self.check(&runs_in, ports, token, profile, steps);
        }
    }
}

#[test]
fn api_f1_api_f2_api_a1_python_reads_secrets() {
    PYTHON.check_both(TOKEN, &steps::secrets());
}

#[test]
fn api_c1_api_c2_api_d1_api_a1_javascript_reads_secrets_over_http() {
    JAVASCRIPT_HTTP.check_both(TOKEN, &steps::secrets());
}

#[test]
fn api_f1_api_f2_api_a1_javascript_reads_secrets_over_grpc() {
    JAVASCRIPT_GRPC.check_both(TOKEN, &steps::secrets());
}

#[test]
fn api_f1_api_f2_api_a1_go_reads_secrets() {
    GO.check_both(TOKEN, &steps::secrets());
}

#[test]
fn api_f1_api_f2_api_a1_java_reads_secrets() {
    JAVA.check_both(TOKEN, &steps::secrets());
}

#[test]
fn api_f1_api_a1_rust_reads_secrets() {
    RUST.check_both(TOKEN, &steps::secrets());
}

/// JavaScript is left out: over either protocol it waits half a minute for a sidecar that lets it in.
#[test]
fn api_g2_every_sdk_sees_why_its_token_is_refused() {
    for sdk in [PYTHON, GO, JAVA, RUST] {
        sdk.check_both("another-token-of-that-length", &steps::refusals());
    }
}

#[test]
fn api_a1_api_a3_a_real_daprd_shows_every_sdk_the_same() {
    let Some(binary) = named("DAPRD") else { return };
    let daprd = daprd::Daprd::start(&binary);
    for sdk in [PYTHON, JAVASCRIPT_HTTP, JAVASCRIPT_GRPC, GO, JAVA, RUST] {
        let Some(runs_in) = named(sdk.variable) else {
            continue;
        };
        let steps = steps::as_daprd();
        sdk.check(&runs_in, daprd.ports(), TOKEN, Profile::Daprd, &steps);
    }
    let wrong = "another-token-of-that-length";
    for sdk in [PYTHON, GO, JAVA, RUST] {
        if let Some(runs_in) = named(sdk.variable) {
            let steps = steps::refusals();
            sdk.check(&runs_in, daprd.ports(), wrong, Profile::Daprd, &steps);
        }
    }
}
