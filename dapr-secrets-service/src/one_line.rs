//! Text for one line of a terminal or a log: what could end the line or steer the terminal is escaped.

use std::fmt::{self, Write};

/// Displays a value with its control characters, line separators and marks of text direction
/// escaped, as in `\n` and `\u{1b}`. Everything else stays as it is; backslashes too, so that
/// text which has been through here once does not change again.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, character)) = rest.char_indices().find(|(_, c)| needs_escape(*c)) {
            self.0.write_str(&rest[..at])?;
            write!(self.0, "{}", character.escape_default())?;
            rest = &rest[at + character.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_a_line_or_steer_a_terminal_is_escaped() {
        for (name, text, shown) in [
            ("plain", "a b/c.yaml:3", "a b/c.yaml:3"),
            ("not ASCII", "é✓😀", "é✓😀"),
            ("line ends", "a\r\nb", "a\\r\\nb"),
            ("an escape sequence", "\u{1b}[31mred", "\\u{1b}[31mred"),
            ("one byte for the same", "\u{9b}31m", "\\u{9b}31m"),
            ("delete and nul", "\u{7f}\0", "\\u{7f}\\u{0}"),
            ("line separators", "\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("right to left", "\u{202e}a\u{2066}", "\\u{202e}a\\u{2066}"),
            ("escaped before", "a\\nb", "a\\nb"),
        ] {
            assert_eq!(OneLine(text).to_string(), shown, "{name}");
        }
    }
}
