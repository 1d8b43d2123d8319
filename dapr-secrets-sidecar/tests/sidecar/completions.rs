//! `completions`: what the shells are told.

use std::process::Command;

use crate::process::Start;

fn script(shell: &str) -> String {
    let output = Start::bare().args(["completions", shell]).finish();
    assert_eq!(output.code(), Some(0), "{shell}: {}", output.stderr);
    assert_eq!(output.stderr, "", "{shell}");
    output.stdout
}

#[test]
fn api_g4_every_shell_learns_the_subcommands_and_flags() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = script(shell);
        for word in [
            "dapr-secrets-sidecar",
            "validate",
            "healthcheck",
            "resources-path",
            "outbound",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        // Flags of daprd that mean nothing here are nobody's to complete.
        assert!(!script.contains("placement-host-address"), "{shell}");
    }
}

#[test]
fn api_g4_bash_completes_what_is_begun() {
    for (typed, expected) in [
        (&["vali"][..], "validate"),
        (&["token", "gen"], "generate"),
        (&["healthcheck", "--outb"], "--outbound"),
        (&["completions", "z"], "zsh"),
    ] {
        let words = typed.join(" ");
        let last = typed.last().expect("a word");
        let before = typed.iter().rev().nth(1).unwrap_or(&"dapr-secrets-sidecar");
        // Bash is told the function's name by the script itself.
        let ask = format!(
            "{}\nCOMP_WORDS=(dapr-secrets-sidecar {words}); COMP_CWORD={}\n\
             [[ $(complete -p dapr-secrets-sidecar) =~ -F\\ ([^\\ ]+) ]]\n\
             \"${{BASH_REMATCH[1]}}\" dapr-secrets-sidecar '{last}' '{before}'\necho \"${{COMPREPLY[@]}}\"",
            script("bash"),
            typed.len()
        );
        let output = Command::new("bash")
            .args(["--norc", "--noprofile", "-c", &ask])
            .output()
            .expect("the gate runs in bash");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            expected,
            "{words}"
        );
    }
}
