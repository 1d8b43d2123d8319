//! In the `daprd` profile every recorded call gets the recorded answer, save for a named list.

use tonic::Code;

use crate::grpc_client::Caller;
use crate::grpc_recording::{EXCEPTIONS, Exception, Expected, judge, lines};
use crate::http2::Window;
use crate::process::{Start, TOKEN};
use crate::recording;
use crate::store_files::Files;

const SERVICES: &str = "a service that is not served is no call to another app";

/// What the library's tests do not see: tokens, and other services.
static FURTHER: [Exception; 4] = [
    Exception {
        name: "token twice good first",
        reason: "of two values nobody can tell which one counts (auth.md E2)",
        expected: Expected::Code(Code::Unauthenticated),
    },
    Exception {
        name: "health check",
        reason: "health is served (F3)",
        expected: Expected::Code(Code::Ok),
    },
    Exception {
        name: "health check without token",
        reason: "health needs no token (G2)",
        expected: Expected::Code(Code::Ok),
    },
    Exception {
        name: "unknown service",
        reason: SERVICES,
        expected: Expected::Code(Code::Unimplemented),
    },
];

#[test]
fn api_a1_api_a3_api_d1_api_g2_every_recorded_call_gets_the_recorded_answer() {
    let with_stores = recording::sidecar("daprd");
    let empty = Files::empty();
    let without = empty
        .start(Start::new())
        .args(["--profile", "daprd", "--app-id", "t"])
        .serve();
    let connect = |sidecar: &crate::process::Sidecar| {
        Caller::connect(sidecar.addresses_of("grpc")[0], Window::Open)
    };
    let (mut with_stores, mut without) = (connect(&with_stores), connect(&without));
    let exceptions = || EXCEPTIONS.iter().chain(&FURTHER);
    let mut unused: Vec<_> = exceptions().map(|exception| exception.name).collect();
    for line in lines() {
        let caller = if line.has_stores() {
            &mut with_stores
        } else {
            &mut without
        };
        let tokens: Vec<_> = line
            .tokens()
            .into_iter()
            .map(|token| if token == "<token>" { TOKEN } else { token })
            .collect();
        let outcome = caller.call(line.path(), &tokens, line.body());
        let exception = exceptions().find(|exception| exception.name == line.name());
        if let Some(exception) = exception {
            assert!(!exception.reason.is_empty());
            unused.retain(|name| *name != exception.name);
        }
        judge(&line, &outcome, exception);
    }
    assert_eq!(unused, [""; 0], "exceptions that no recorded line needs");
}
