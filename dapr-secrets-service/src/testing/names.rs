//! Names that are asked for: odd ones, and other spellings of known ones.

use std::fmt::Write;

use crate::request::SecretName;

/// Names that the engine lets through and that a backend may stumble over.
pub(super) fn odd() -> Vec<String> {
    let names = [
        ".",
        "..",
        "/",
        "//",
        "../..",
        "../../etc/passwd",
        "a/../b",
        "\\",
        "C:\\x",
        "?",
        "a?b=c",
        "#",
        "a#b",
        "%",
        "%00",
        "%2e%2e%2f",
        "%zz",
        " ",
        " a ",
        "=",
        "a=b",
        "&",
        ":",
        "::",
        "a:b:c",
        "*",
        "$(x)",
        "${x}",
        "{{x}}",
        "'",
        "\"",
        "`",
        ";",
        "--",
        "-",
        "_",
        "bulk",
        "null",
        "[]",
        "{}",
        "0",
        "-1",
        "1e999",
        "é",
        "e\u{301}",
        "\u{130}",
        "ß",
        "\u{1f511}",
        "\u{202e}txt",
        "\u{feff}",
        "\u{200b}",
        "\u{10ffff}",
    ];
    let longest = "a".repeat(2_048);
    let longest_of_several_bytes = "é".repeat(1_024);
    let deepest = "a/".repeat(1_024);
    names
        .into_iter()
        .map(str::to_owned)
        .chain([longest, longest_of_several_bytes, deepest])
        .collect()
}

/// Other ways to write `name`, which some backend takes for the same.
pub(super) fn other_spellings(name: &str) -> Vec<String> {
    let escaped = name.bytes().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "%{byte:02X}");
        text
    });
    let mut spellings = vec![
        escaped,
        name.to_uppercase(),
        name.to_lowercase(),
        name.replace('-', "_"),
        name.replace('_', "-"),
        name.replace(':', "/"),
        name.replace('/', "//"),
    ];
    for (before, after) in [
        ("", "/"),
        ("", "/."),
        ("", "\\"),
        ("", "?"),
        ("", "?x"),
        ("", "#"),
        ("", "#x"),
        ("", ";x"),
        ("", "."),
        ("", ":"),
        ("", ":1"),
        ("", "@"),
        ("", " "),
        ("", "\u{200b}"),
        ("", "%00"),
        ("", "%20"),
        ("/", ""),
        ("//", ""),
        ("./", ""),
        ("a/../", ""),
        ("../", ""),
        (" ", ""),
        ("\u{feff}", ""),
    ] {
        spellings.push(format!("{before}{name}{after}"));
    }
    spellings.retain(|spelling| spelling != name && SecretName::check(spelling).is_ok());
    spellings
}
