//! `token generate`.

use std::collections::BTreeSet;

use crate::process::Start;
use crate::store_files::Files;
use crate::wire::request;

fn generate(args: &[&str]) -> String {
    let output = Start::bare()
        .args(["token", "generate"])
        .args(args)
        .finish();
    assert_eq!(output.code(), Some(0), "{args:?}: {}", output.stderr);
    assert_eq!(output.stderr, "", "{args:?}");
    output.stdout
}

#[test]
fn api_g4_a_token_is_one_line_of_base64url_as_long_as_asked() {
    for (args, length) in [
        (&[][..], 43),
        (&["--bytes", "32"], 43),
        (&["--bytes", "16"], 22),
        (&["--bytes", "17"], 23),
        (&["--bytes", "18"], 24),
        (&["--bytes", "512"], 683),
    ] {
        let token = generate(args);
        assert_eq!(token.len(), length, "{args:?}: {token}");
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        assert!(token.bytes().all(is_base64url), "{token}");
    }
}

#[test]
fn api_g4_no_two_tokens_are_equal() {
    let tokens: BTreeSet<String> = (0..20).map(|_| generate(&["--bytes", "16"])).collect();
    assert_eq!(tokens.len(), 20);
    // Every character is drawn: of 20 tokens no position has the same one throughout.
    for position in 0..21 {
        let drawn: BTreeSet<u8> = tokens
            .iter()
            .map(|token| token.as_bytes()[position])
            .collect();
        assert!(drawn.len() > 1, "position {position}");
    }
}

#[test]
fn api_g4_a_token_that_could_be_guessed_is_not_made() {
    for bytes in ["0", "15", "513", "-1", "x", ""] {
        let output = Start::bare()
            .args(["token", "generate", &format!("--bytes={bytes}")])
            .finish();
        assert_eq!(output.code(), Some(2), "{bytes}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{bytes}");
        assert!(output.stderr.contains("--bytes"), "{}", output.stderr);
    }
}

#[test]
fn api_g4_api_g2_the_longest_token_is_one_that_run_takes() {
    let token = generate(&["--bytes", "512"]);
    let files = Files::with_secrets(r#"{"a": "1"}"#);
    let start = Start::bare()
        .env("DAPR_API_TOKEN", &token)
        .args(["--dapr-http-port", "0"]);
    let sidecar = files.start(start).serve();
    for (presented, status) in [(&*token, 200), (&token[1..], 401)] {
        let headers = [("dapr-api-token", presented)];
        let answer = request(sidecar.address(), "GET", "/v1.0/secrets/files/a", &headers);
        assert_eq!(answer.status, status);
    }
}
