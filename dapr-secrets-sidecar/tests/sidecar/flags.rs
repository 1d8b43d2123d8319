//! Flags and variables, and what is said at the start.

use std::net::{IpAddr, SocketAddr, TcpListener};

use serde_json::{Value, json};

use crate::process::{Start, TOKEN};
use crate::store_files::{Files, file_store};
use crate::wire::{get, get_anonymously};

#[test]
fn api_g4_help_and_version_are_answers() {
    let rows: [(&[&str], &[&str]); 11] = [
        (
            &["--version"],
            &["dapr-secrets-sidecar ", env!("CARGO_PKG_VERSION")],
        ),
        (
            &["--help"],
            &[
                "--resources-path",
                "validate",
                "Example:",
                "DAPR_API_TOKEN=",
                "curl ",
            ],
        ),
        (&["-h"], &["--resources-path"]),
        (
            &["run", "--help"],
            &["--dapr-http-port", "Example:", "sidecar run "],
        ),
        (
            &["validate", "--help"],
            &["file:line: message", "Example:", "sidecar validate "],
        ),
        (
            &["get", "--help"],
            &[
                "--bulk",
                "--metadata",
                "--app-id",
                "Example:",
                "sidecar get ",
            ],
        ),
        (&["token", "--help"], &["generate", "Example:"]),
        (
            &["token", "generate", "--help"],
            &["--bytes", "Example:", "sidecar token generate"],
        ),
        (
            &["healthcheck", "--help"],
            &["--outbound", "--timeout", "Example", "\"healthcheck\""],
        ),
        (
            &["completions", "--help"],
            &["zsh", "Example:", "sidecar completions "],
        ),
        (
            &["resolve", "--help"],
            &["--reveal", "Example:", "sidecar resolve "],
        ),
    ];
    for (args, says) in rows {
        let output = Start::bare().args(args).finish();
        assert_eq!(output.code(), Some(0), "{args:?}: {}", output.stderr);
        assert_eq!(output.stderr, "", "{args:?}");
        for text in says {
            assert!(
                output.stdout.contains(text),
                "{args:?}: `{text}` is missing in\n{}",
                output.stdout
            );
        }
    }
}

#[test]
fn api_g4_help_names_no_subcommand_that_does_not_exist() {
    let help = Start::bare().args(["--help"]).finish().stdout;
    let (_, rest) = help
        .split_once("Commands:\n")
        .expect("a list of subcommands");
    let (list, _) = rest.split_once("\n\n").expect("an end of it");
    let names: Vec<_> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        names,
        [
            "run",
            "validate",
            "get",
            "token",
            "healthcheck",
            "completions",
            "resolve"
        ]
    );
}

#[test]
fn api_g4_help_of_get_shows_no_flag_that_means_nothing_to_it() {
    let help = Start::bare().args(["get", "--help"]).finish().stdout;
    let (_, flags) = help.split_once("Options:\n").expect("a list of flags");
    let (flags, _) = flags.split_once("Example:").expect("an end of it");
    for flag in [
        "port",
        "listen",
        "token",
        "anonymous",
        "graceful",
        "profile",
    ] {
        assert!(!flags.contains(flag), "{flag}: {flags}");
    }
}

#[test]
fn api_g1_the_ready_line_is_the_only_line_on_stdout() {
    let files = Files::with_secrets("{}");
    for (flag, expected) in [
        ("--log-as-json=false", "listening http=127.0.0.1:"),
        ("--log-as-json", "{"),
    ] {
        let sidecar = files.start(Start::new()).args([flag]).serve();
        assert!(
            sidecar.ready_line().starts_with(expected),
            "{}",
            sidecar.ready_line()
        );
        let output = sidecar.stop();
        assert_eq!(
            output.stdout.trim_end().lines().count(),
            1,
            "{}",
            output.stdout
        );
    }
}

#[test]
fn api_g1_the_ready_line_can_be_json() {
    let files = Files::with_secrets("{}");
    let sidecar = files.start(Start::new()).args(["--log-as-json"]).serve();
    let line: Value = serde_json::from_str(sidecar.ready_line()).expect("JSON");
    let address = line["http"][0].as_str().expect("an address");
    let grpc = line["grpc"][0].as_str().expect("an address");
    assert_eq!(
        line,
        json!({ "event": "listening", "http": [address], "grpc": [grpc] })
    );
    let address = address.parse().expect("an address");
    assert_eq!(get_anonymously(address, "/v1.0/healthz").status, 204);
    let output = sidecar.stop();
    for line in output.stderr.lines() {
        let line: Value = serde_json::from_str(line).expect("a JSON line");
        assert!(line["level"].is_string(), "{line}");
    }
}

#[test]
fn api_g1_every_listen_address_is_served_ipv6_too() {
    let files = Files::with_secrets("{}");
    let start = files
        .start(Start::new())
        .args(["--dapr-listen-addresses", "127.0.0.1,[::1]"]);
    if TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6: an address that cannot be had is an error, never left out.
        let output = start.finish();
        assert_eq!(output.code(), Some(1), "{}", output.stderr);
        assert!(output.stderr.contains("[::1]:0"), "{}", output.stderr);
        return;
    }
    let sidecar = start.serve();
    let addresses = sidecar.addresses();
    assert_eq!(sidecar.addresses_of("grpc").len(), addresses.len());
    let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
    assert_eq!(
        ips,
        ["127.0.0.1", "::1"].map(|ip| ip.parse::<IpAddr>().expect("an address"))
    );
    for address in addresses {
        assert_eq!(
            get_anonymously(address, "/v1.0/healthz").status,
            204,
            "{address}"
        );
    }
}

#[test]
fn listeners_that_are_not_served_yet_are_named_once_and_not_opened() {
    let files = Files::with_secrets("{}");
    let rows: [(&[&str], Option<&str>); 3] = [
        (&[], Some("metrics (port 9090)")),
        (&["--enable-metrics=false"], None),
        (&["--metrics-port", "2"], Some("metrics (port 2)")),
    ];
    for (args, named) in rows {
        let sidecar = files.start(Start::new()).args(args).serve();
        assert!(
            !sidecar.ready_line().contains("metrics"),
            "{}",
            sidecar.ready_line()
        );
        let stderr = sidecar.stop().stderr;
        let lines: Vec<_> = stderr
            .lines()
            .filter(|line| line.contains("not opened"))
            .collect();
        assert_eq!(
            lines.len(),
            usize::from(named.is_some()),
            "{args:?}: {stderr}"
        );
        if let Some(text) = named {
            assert!(lines[0].contains(text), "{args:?}: {}", lines[0]);
            assert!(!lines[0].contains("grpc"), "{args:?}: {}", lines[0]);
        }
    }
}

#[test]
fn api_g1_flags_of_daprd_are_named_in_one_warning() {
    let files = Files::with_secrets("{}");
    let sidecar = files
        .start(Start::new())
        .args([
            "--profile",
            "daprd",
            "--app-port",
            "not-to-be-repeated",
            "--enable-mtls=true",
        ])
        .args([
            "-placement-host-address",
            "localhost:50005",
            "--app-max-concurrency",
            "-1",
        ])
        .serve();
    let stderr = sidecar.stop().stderr;
    let lines: Vec<_> = stderr
        .lines()
        .filter(|line| line.contains("are ignored"))
        .collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    for flag in [
        "--app-port",
        "--enable-mtls",
        "--placement-host-address",
        "--app-max-concurrency",
    ] {
        assert!(lines[0].contains(flag), "{}", lines[0]);
    }
    // What was given to them is not repeated.
    assert!(!stderr.contains("not-to-be-repeated"), "{stderr}");
}

#[test]
fn api_g1_variables_stand_in_for_flags() {
    let scoped = file_store("scoped", "secrets.json") + "scopes: [from-the-environment]\n";
    let elsewhere = file_store("elsewhere", "secrets.json")
        .replace("name: elsewhere", "name: elsewhere\n  namespace: other");
    let files = Files::with_secrets(r#"{"a": "1"}"#)
        .file("resources/scoped.yaml", scoped)
        .file("resources/elsewhere.yaml", elsewhere);
    let sidecar = files
        .start(Start::bare())
        .env("DAPR_API_TOKEN", TOKEN)
        .env("DAPR_HTTP_PORT", "0")
        .env("APP_ID", "from-the-environment")
        .env("NAMESPACE", "this")
        .serve();
    assert_ne!(sidecar.address().port(), 3500);
    let metadata = get(sidecar.address(), "/v1.0/metadata")
        .json()
        .expect("JSON");
    assert_eq!(metadata["id"], "from-the-environment");
    assert_eq!(get(sidecar.address(), "/v1.0/secrets/scoped/a").status, 200);
    assert_eq!(
        get(sidecar.address(), "/v1.0/secrets/elsewhere/a").status,
        400
    );
    assert_ne!(sidecar.addresses_of("grpc")[0].port(), 50_001);
}

#[test]
fn api_g1_api_e5_without_an_app_id_scoped_components_are_skipped() {
    let scoped = file_store("scoped", "secrets.json") + "scopes: [t]\n";
    let files = Files::with_secrets(r#"{"a": "1"}"#).file("resources/scoped.yaml", scoped);
    let rows: [(&[&str], u16); 4] = [
        (&[], 400),
        (&["--app-id", "t"], 200),
        (&["--app-id", "T"], 400),
        (&["--app-id", ""], 400),
    ];
    for (args, status) in rows {
        let sidecar = files.start(Start::new()).args(args).serve();
        let answer = get(sidecar.address(), "/v1.0/secrets/scoped/a");
        assert_eq!(answer.status, status, "{args:?}");
        assert_eq!(
            get(sidecar.address(), "/v1.0/secrets/files/a").status,
            200,
            "{args:?}"
        );
    }
}

#[test]
fn api_g1_resources_paths_add_up() {
    let files = Files::with_secrets(r#"{"a": "1"}"#)
        .folder("more")
        .file("more/more.yaml", file_store("more", "secrets.json"));
    let rows: [&[&str]; 3] = [
        &["--resources-path", "resources", "--resources-path", "more"],
        &["--resources-path", "resources,more"],
        &["--components-path", "resources", "--resources-path=more"],
    ];
    for args in rows {
        let sidecar = Start::new().current_dir(files.path()).args(args).serve();
        for store in ["files", "more"] {
            let answer = get(sidecar.address(), &format!("/v1.0/secrets/{store}/a"));
            assert_eq!(answer.status, 200, "{args:?}: {store}");
        }
    }
}

#[test]
fn log_lines_below_the_level_are_left_out() {
    let files = Files::with_secrets("{}");
    for (level, expected) in [
        ("info", true),
        ("WARN", true),
        ("error", false),
        ("fatal", false),
    ] {
        let sidecar = files
            .start(Start::new())
            .args(["--log-level", level])
            .serve();
        let stderr = sidecar.stop().stderr;
        assert_eq!(stderr.contains("not opened"), expected, "{level}: {stderr}");
        assert_eq!(
            stderr.contains("drained"),
            level == "info",
            "{level}: {stderr}"
        );
    }
}
