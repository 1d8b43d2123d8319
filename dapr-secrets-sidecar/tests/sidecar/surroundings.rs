//! What the process asks of the system that it runs on: no user, no writable file system.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::process::{Start, TOKEN};
use crate::store_files::Files;
use crate::wire::get;

#[test]
fn api_g8_any_user_will_do_and_nothing_is_written() {
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let readable = |name: &str, mode: u32| {
        fs::set_permissions(files.path().join(name), Permissions::from_mode(mode)).expect("a mode");
    };
    for (name, mode) in [
        ("secrets.json", 0o444),
        ("resources/files.yaml", 0o444),
        ("resources", 0o555),
        ("", 0o555),
    ] {
        readable(name, mode);
    }
    let mut command = Command::new("/bin/sh");
    // No file may grow: a process that writes to one is ended.
    command.args([
        "-c",
        r#"ulimit -f 0 && exec "$@""#,
        "sh",
        env!("CARGO_BIN_EXE_dapr-secrets-sidecar"),
    ]);
    if rustix::process::geteuid().is_root() {
        // A user that no file of the system knows. Other users run this test as themselves.
        command.uid(64_123).gid(64_123);
    }
    let start = Start::through(command).env("DAPR_API_TOKEN", TOKEN).args([
        "--dapr-http-port",
        "0",
        "--log-level",
        "debug",
    ]);
    let sidecar = files.start(start).serve();
    assert_eq!(get(sidecar.address(), "/v1.0/secrets/files/a").status, 200);
    assert_eq!(
        get(sidecar.address(), "/v1.0/secrets/files/bulk").status,
        200
    );
    let output = sidecar.stop();
    assert_eq!(output.code(), Some(0), "{}", output.stderr);
    readable("", 0o755);
    readable("resources", 0o755);
    let names = |path: &str| {
        fs::read_dir(files.path().join(path))
            .expect("a folder")
            .count()
    };
    assert_eq!((names(""), names("resources")), (2, 1), "nothing new");
}
