//! The inputs as text: one setting a line, so that a seed is written and a finding is read by hand.
//!
//! A line is a letter, a space, and the rest as it stands. A value of the form `*N*text` is the text again and again,
//! N bytes of it, so that one changed digit makes a value longer than a limit.

/// Longer than every limit that is tested, and short enough to be fast.
const LONGEST: usize = 2048;

/// The lines of an input, each with its letter. A line of another form is left out.
pub(crate) fn lines(input: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| match line {
            [letter, b' ', rest @ ..] => Some((*letter, rest)),
            _ => None,
        })
}

/// A value, repeated if it asks for it.
pub(crate) fn value(text: &[u8]) -> Vec<u8> {
    repeated(text).unwrap_or_else(|| text.to_vec())
}

fn repeated(text: &[u8]) -> Option<Vec<u8>> {
    let (number, part) = split(text.strip_prefix(b"*")?, b'*')?;
    let len: usize = str::from_utf8(number).ok()?.parse().ok()?;
    (!part.is_empty()).then(|| {
        part.iter()
            .copied()
            .cycle()
            .take(len.min(LONGEST))
            .collect()
    })
}

/// What is before the first such byte, and what is after it.
pub(crate) fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = text.iter().position(|byte| *byte == at)?;
    Some((&text[..index], &text[index + 1..]))
}
