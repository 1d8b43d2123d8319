//! What keeps the process from starting: a message that says where and what, and an exit code.

use std::ffi::{OsStr, OsString};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;

use crate::process::{Output, Start, TOKEN};
use crate::store_files::{Files, file_store};

/// Every text must be somewhere in what is said on stderr.
fn assert_refused(name: &str, output: &Output, code: i32, says: &[&str]) {
    let stderr = &output.stderr;
    assert_eq!(output.code(), Some(code), "{name}: {stderr}");
    assert_eq!(output.stdout, "", "{name}: nothing is ready");
    for text in says {
        assert!(
            stderr.contains(text),
            "{name}: `{text}` is missing in:\n{stderr}"
        );
    }
    assert!(!stderr.contains("panicked"), "{name}: {stderr}");
}

struct Case {
    name: &'static str,
    files: Files,
    says: &'static [&'static str],
}

fn bad_files() -> Vec<Case> {
    let component = |tail: &str| {
        let head =
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: files\nspec:\n";
        Files::empty().file("resources/files.yaml", format!("{head}{tail}"))
    };
    vec![
        Case {
            name: "missing secrets file",
            files: Files::empty().file("resources/files.yaml", file_store("files", "gone.json")),
            says: &["resources/files.yaml:", "gone.json"],
        },
        Case {
            name: "a folder in place of the secrets file",
            files: Files::empty()
                .folder("secrets.json")
                .file("resources/files.yaml", file_store("files", "secrets.json")),
            says: &["resources/files.yaml:", "secrets.json", "directory"],
        },
        Case {
            name: "a secrets file that is not UTF-8",
            files: Files::with_secrets(b"{\"a\": \"h\xffidden\"}"),
            says: &["secrets.json", "UTF-8"],
        },
        Case {
            name: "broken JSON",
            files: Files::with_secrets("{\n  \"a\": \"hidden\",\n  \"b\" 1\n}"),
            says: &["secrets.json:3"],
        },
        Case {
            name: "JSON that is no object",
            files: Files::with_secrets("[\"hidden\"]"),
            says: &["secrets.json", "object"],
        },
        Case {
            name: "two paths to one key",
            files: Files::with_secrets("{\"a:b\": \"hidden\", \"a\": {\"b\": \"hidden\"}}"),
            says: &["secrets.json", "a:b"],
        },
        Case {
            name: "broken YAML",
            files: Files::empty().file(
                "resources/files.yaml",
                "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: files\nspec: [\n",
            ),
            says: &["resources/files.yaml:"],
        },
        Case {
            name: "unknown component type",
            files: component("  type: secretstores.no.such.store\n  version: v1\n"),
            says: &[
                "resources/files.yaml:",
                "unknown component type",
                "secretstores.no.such.store",
            ],
        },
        Case {
            name: "unknown version",
            files: component("  type: secretstores.local.env\n  version: v2\n"),
            says: &[
                "resources/files.yaml:",
                "couldn't find secret store secretstores.local.env/v2",
            ],
        },
        Case {
            name: "missing secretsFile",
            files: component("  type: secretstores.local.file\n  version: v1\n"),
            says: &[
                "resources/files.yaml:",
                "missing local secrets file in metadata",
            ],
        },
        Case {
            name: "unknown metadata key",
            files: component(
                "  type: secretstores.local.env\n  version: v1\n  metadata:\n    - name: prefx\n      value: X_\n",
            ),
            says: &["resources/files.yaml:9", "prefx", "prefix"],
        },
        Case {
            name: "a secretKeyRef that says nothing of a store",
            files: component(
                "  type: secretstores.local.file\n  version: v1\n  metadata:\n    - name: secretsFile\n      \
                 secretKeyRef:\n        name: a\n        key: b\n",
            ),
            says: &[
                "resources/files.yaml:10",
                "secretKeyRef",
                "auth.secretStore",
            ],
        },
        Case {
            name: "one name for two components",
            files: Files::with_secrets("{}")
                .file("resources/more.yaml", file_store("files", "secrets.json")),
            says: &["resources/files.yaml:4", "resources/more.yaml:4", "files"],
        },
    ]
}

#[test]
fn f1_f5_s5_s8_s10_s11_s19_bad_files_are_refused_with_their_place() {
    for Case { name, files, says } in bad_files() {
        for subcommand in ["run", "validate"] {
            let output = files
                .start(Start::bare().args([subcommand]))
                .env("DAPR_API_TOKEN", TOKEN)
                .args(["--dapr-http-port", "0"])
                .finish();
            let context = format!("{subcommand}: {name}");
            assert_refused(&context, &output, 1, says);
            assert!(
                !output.stderr.contains("hidden"),
                "{context}: {}",
                output.stderr
            );
        }
    }
}

#[test]
fn api_g4_every_problem_is_reported_at_once() {
    let files = Files::empty()
        .file("resources/a.yaml", file_store("a", "gone.json"))
        .file("resources/b.yaml", "kind: Component\nmetadata: [\n")
        .file(
            "resources/c.yaml",
            file_store("c", "gone.json").replace("local.file", "unknown"),
        );
    let output = files.start(Start::bare().args(["validate"])).finish();
    assert_refused(
        "three files",
        &output,
        1,
        &[
            "resources/a.yaml:",
            "resources/b.yaml:2: ",
            "resources/c.yaml:",
        ],
    );
}

#[test]
fn api_e3_bad_scopes_are_refused_with_their_place() {
    let configuration = |scopes: &str| {
        let head =
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: scopes\nspec:\n";
        Files::with_secrets("{}").file(
            "config.yaml",
            format!("{head}  secrets:\n    scopes:\n{scopes}"),
        )
    };
    let rows: [(&str, Files, &[&str]); 4] = [
        (
            "unknown store",
            configuration("      - storeName: nobody\n"),
            &["config.yaml:8", "nobody"],
        ),
        (
            "one store twice",
            configuration("      - storeName: files\n      - storeName: files\n"),
            &["config.yaml:9", "files"],
        ),
        (
            "bad default",
            configuration("      - storeName: files\n        defaultAccess: maybe\n"),
            &["config.yaml:9", "defaultAccess"],
        ),
        (
            "unknown field",
            configuration("      - storeName: files\n        allowed: [a]\n"),
            &["config.yaml:9", "allowed"],
        ),
    ];
    for (name, files, says) in rows {
        let output = files
            .start(Start::new().args(["--config", "config.yaml"]))
            .finish();
        assert_refused(name, &output, 1, says);
    }
}

#[test]
fn auth_r1_auth_c1_api_g2_without_a_usable_token_the_process_does_not_start() {
    let files = Files::with_secrets("{}");
    let broken = OsString::from_vec(b"pre\xfffix-of-a-token".to_vec());
    let long = "x".repeat(1025);
    let rows: [(&str, Option<&OsStr>, &[&str]); 8] = [
        ("unset", None, &["DAPR_API_TOKEN is not set", "set it to"]),
        ("empty", Some("".as_ref()), &["DAPR_API_TOKEN", "empty"]),
        (
            "blank",
            Some(" \t\n".as_ref()),
            &["DAPR_API_TOKEN", "empty"],
        ),
        (
            "control character",
            Some("pre\u{1}fix-of-a-token".as_ref()),
            &["DAPR_API_TOKEN", "control character"],
        ),
        (
            "line feed inside",
            Some("pre\nfix-of-a-token".as_ref()),
            &["DAPR_API_TOKEN", "control character"],
        ),
        (
            "space inside",
            Some("pre fix-of-a-token".as_ref()),
            &["DAPR_API_TOKEN", "space"],
        ),
        ("not ASCII", Some(&broken), &["DAPR_API_TOKEN", "ASCII"]),
        ("too long", Some(long.as_ref()), &["DAPR_API_TOKEN", "1024"]),
    ];
    for (name, token, says) in rows {
        let mut start = files.start(Start::bare().args(["--dapr-http-port", "0"]));
        if let Some(token) = token {
            start = start.env("DAPR_API_TOKEN", token);
        }
        let output = start.finish();
        assert_refused(name, &output, 1, says);
        assert!(
            !output.stderr.contains("fix-of-a-token"),
            "{name}: {}",
            output.stderr
        );
    }
}

#[test]
fn api_g2_allowing_anonymous_does_not_forgive_a_broken_token() {
    let files = Files::with_secrets("{}");
    let output = files
        .start(Start::bare())
        .env("DAPR_API_TOKEN", "a b")
        .args(["--dapr-http-port", "0", "--insecure-allow-anonymous"])
        .finish();
    assert_refused("a broken token", &output, 1, &["DAPR_API_TOKEN", "space"]);
}

#[test]
fn api_g4_the_flag_parser_ends_with_2_and_everything_else_with_1() {
    let files = Files::with_secrets("{}");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let rows: [(&str, i32, &[&str], &[&str]); 11] = [
        (
            "unknown flag",
            2,
            &["--resource-path", "x"],
            &["'--resource-path'", "'--resources-path'"],
        ),
        ("unknown subcommand", 2, &["resolve", "x"], &["resolve"]),
        (
            "no port",
            2,
            &["--dapr-http-port", "http"],
            &["--dapr-http-port"],
        ),
        (
            "port above 65535",
            2,
            &["--dapr-http-port", "65536"],
            &["65536"],
        ),
        (
            "no address",
            2,
            &["--dapr-listen-addresses", "localhost"],
            &["--dapr-listen-addresses", "IPv4 or IPv6"],
        ),
        (
            "unknown profile",
            2,
            &["--profile", "other"],
            &["documented", "daprd"],
        ),
        ("unknown mode", 2, &["--mode", "other"], &["standalone"]),
        (
            "a flag of daprd in the documented profile",
            2,
            &["--app-port", "8080"],
            &["'--app-port'", "--profile daprd"],
        ),
        (
            "Kubernetes",
            1,
            &["--mode", "kubernetes"],
            &["--mode kubernetes", "--mode standalone"],
        ),
        (
            "a port in use",
            1,
            &["--dapr-http-port", &port],
            &["127.0.0.1", "in use", "--dapr-http-port"],
        ),
        (
            "an address of another machine",
            1,
            &[
                "--dapr-listen-addresses",
                "192.0.2.1",
                "--dapr-http-port",
                "0",
            ],
            &["192.0.2.1", "--dapr-listen-addresses"],
        ),
    ];
    for (name, code, args, says) in rows {
        let output = files
            .start(Start::bare())
            .env("DAPR_API_TOKEN", TOKEN)
            .args(args)
            .finish();
        assert_refused(name, &output, code, says);
    }
}

#[test]
fn api_g1_a_variable_that_is_no_port_is_refused() {
    let output = Files::with_secrets("{}")
        .start(Start::bare())
        .env("DAPR_API_TOKEN", TOKEN)
        .env("DAPR_HTTP_PORT", "http")
        .finish();
    assert_refused("a variable", &output, 1, &["DAPR_HTTP_PORT", "a port"]);
}

#[test]
fn s8_a_resources_path_that_is_not_there_is_refused() {
    for path in ["nowhere", "secrets.json"] {
        let output = Files::with_secrets("{}")
            .start(Start::new().args(["--resources-path", path]))
            .finish();
        assert_refused(path, &output, 1, &[path]);
    }
}

#[test]
fn errors_are_json_lines_when_logs_are() {
    let output = Start::bare().args(["--log-as-json"]).finish();
    assert_eq!(output.code(), Some(1));
    for line in output.stderr.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
        assert_eq!(line["level"], "ERROR");
    }
    assert!(
        output.stderr.contains("DAPR_API_TOKEN is not set"),
        "{}",
        output.stderr
    );
}
