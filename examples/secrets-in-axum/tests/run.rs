//! Starts the example in both of its places, and asks it over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const TOKEN: &str = "the-dapr-token-of-this-test";

/// The example, stopped when the test ends.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(place: &str) -> Self {
        // The resources name their secrets file from the root of the repository.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut child = Command::new(env!("CARGO_BIN_EXE_secrets-in-axum"))
            .args([place, "examples/resources", "127.0.0.1:0"])
            .current_dir(root)
            .env("DAPR_API_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.take().expect("piped");
        let mut running = Self {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on ");
        running.address = address.expect("an address").to_owned();
        running
    }

    /// The status and the body.
    fn get(&self, path: &str, token: Option<&str>) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let token = token.map_or(String::new(), |token| {
            format!("dapr-api-token: {token}\r\n")
        });
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{token}\r\n"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        (status.to_owned(), body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const REDIS: &str = "/v1.0/secrets/passwords/redis";

#[test]
fn api_b7_both_places_serve_the_secrets_to_who_knows_the_token_and_the_app_to_everyone() {
    for place in ["nest", "fallback"] {
        let app = Running::start(place);
        for (name, path, token, status, body) in [
            ("the app", "/", None, "200", "my app"),
            (
                "a secret",
                REDIS,
                Some(TOKEN),
                "200",
                r#"{"redis":"hunter2"}"#,
            ),
            (
                "an escape",
                "/v1.0/secrets/passwords/database%3Auser",
                Some(TOKEN),
                "200",
                r#"{"database:user":"app"}"#,
            ),
            (
                "all with a prefix",
                "/v1.0/secrets/credentials/bulk?metadata.prefix=d",
                Some(TOKEN),
                "200",
                r#"{"database":{"password":"correct-horse","port":"5432","user":"app"}}"#,
            ),
            (
                "a missing one",
                "/v1.0/secrets/passwords/nope",
                Some(TOKEN),
                "204",
                "",
            ),
            (
                "without the token",
                REDIS,
                None,
                "401",
                r#"{"errorCode":"ERR_API_TOKEN_MISSING","message":"missing api token"}"#,
            ),
        ] {
            let answered = app.get(path, token);
            assert_eq!(
                answered,
                (status.to_owned(), body.to_owned()),
                "{place}: {name}"
            );
        }
        let (status, _) = app.get(REDIS, Some("guess"));
        assert_eq!(status, "401", "{place}");
    }
}

#[test]
fn api_b7_the_places_differ_in_what_the_readme_says() {
    for (place, other, other_without_token, doubled) in [
        ("nest", "404", "404", "404"),
        ("fallback", "404", "401", "200"),
    ] {
        let app = Running::start(place);
        // The prefix is needed once, and only once.
        for path in [
            "/other",
            "/passwords/redis",
            &format!("/v1.0/secrets{REDIS}"),
        ] {
            assert_eq!(app.get(path, Some(TOKEN)).0, other, "{place}: {path}");
        }
        assert_eq!(app.get("/other", None).0, other_without_token, "{place}");
        let (status, _) = app.get(&format!("/{REDIS}"), Some(TOKEN));
        assert_eq!(status, doubled, "{place}");
    }
}

#[test]
fn it_says_how_it_is_called_and_what_it_lacks() {
    for (arguments, with_token, says) in [
        (&[][..], true, "error: usage: "),
        (&["elsewhere", "examples/resources"], true, "error: usage: "),
        (&["nest"], true, "error: usage: "),
        (&["nest", "no/such/folder"], true, "error: no/such/folder: "),
        (
            &["nest", "src"],
            false,
            "error: DAPR_API_TOKEN is not set: ",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-in-axum"));
        command.args(arguments).env_remove("DAPR_API_TOKEN");
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        if with_token {
            command.env("DAPR_API_TOKEN", TOKEN);
        }
        let output = command.output().expect("it runs");
        assert!(!output.status.success());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.starts_with(says), "{arguments:?}: {told}");
    }
}
