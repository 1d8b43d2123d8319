//! Text from outside (flags, file names, names in files) as it is printed: on one line, without control characters.
//!
//! A name that holds a line feed could otherwise write a log line of its own, one that holds an escape could steer the
//! terminal that shows it, and one with a mark of text direction could be shown as another name.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with each such character as `\n`, `\r`, `\t` or `\uXXXX`, which JSON strings know as well.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(needs_escape) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            char if needs_escape(char) => {
                // Writing to a `String` cannot fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(char));
            }
            char => escaped.push(char),
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, line and paragraph separators, marks of text direction; each has four hexadecimal digits.
fn needs_escape(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        let rows = [
            ("plain", "a.yaml:3: \"ä\" \\n", "a.yaml:3: \"ä\" \\n"),
            ("line feed", "a\nerror: b", "a\\nerror: b"),
            ("return and tab", "a\r\tb", "a\\r\\tb"),
            ("escape", "\u{1b}[2J", "\\u001b[2J"),
            ("nul", "\0", "\\u0000"),
            ("delete", "\u{7f}", "\\u007f"),
            ("C1", "\u{9b}2J\u{85}", "\\u009b2J\\u0085"),
            ("separator", "a\u{2028}b", "a\\u2028b"),
            ("direction", "\u{202e}lmay\u{2066}", "\\u202elmay\\u2066"),
        ];
        for (name, text, expected) in rows {
            let escaped = one_line(text);
            assert_eq!(escaped, expected, "{name}");
            assert_eq!(one_line(&escaped), expected, "{name}, twice");
        }
    }
}
