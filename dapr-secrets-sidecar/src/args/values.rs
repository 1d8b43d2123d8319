//! Values of flags: sizes and spans of time.

use std::time::Duration;

/// Largest size that a flag takes: one connection could hold that much.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// Longest span that a flag takes, in milliseconds: 1,000 days.
const MAX_SPAN: u64 = 1000 * 24 * 3_600_000;

/// A number of bytes, with a suffix as in Kubernetes: `16Ki`, `1Mi`, `16k`, `1M`, or none.
///
/// # Errors
///
/// A text that says what is expected.
pub(super) fn size(text: &str) -> Result<usize, String> {
    const EXPECTED: &str = "expected a number of bytes of at most 16Mi, such as 16Ki";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    let factor = match suffix {
        "" => 1,
        "k" => 1000,
        "Ki" => 1024,
        "M" => 1_000_000,
        "Mi" => 1024 * 1024,
        _ => return Err(EXPECTED.to_owned()),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor));
    bytes
        .filter(|bytes| *bytes <= MAX_SIZE)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| EXPECTED.to_owned())
}

/// A span of time as Go writes it: `1h`, `1h30m`, `90s`, `500ms`, or `0`.
///
/// # Errors
///
/// A text that says what is expected.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a span of time, such as 1h, 90s or 0";
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let factor = match unit {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return Err(EXPECTED.to_owned()),
        };
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor));
        millis = part
            .and_then(|part| millis.checked_add(part))
            .filter(|millis| *millis <= MAX_SPAN)
            .ok_or_else(|| EXPECTED.to_owned())?;
        rest = tail;
    }
    if text.is_empty() {
        return Err(EXPECTED.to_owned());
    }
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g1_sizes_are_read_as_kubernetes_writes_them() {
        let rows = [
            ("16Ki", Some(16 * 1024)),
            ("4Ki", Some(4096)),
            ("16384", Some(16384)),
            ("0", Some(0)),
            ("16k", Some(16_000)),
            ("1M", Some(1_000_000)),
            ("16Mi", Some(16 * 1024 * 1024)),
            ("17Mi", None),
            ("1Gi", None),
            ("", None),
            ("Ki", None),
            ("-1", None),
            ("1.5Ki", None),
            ("16 Ki", None),
            ("16KiB", None),
            ("\u{664}Ki", None),
            ("18446744073709551615Ki", None),
            ("18446744073709551616", None),
        ];
        for (text, expected) in rows {
            assert_eq!(size(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn api_g2_spans_are_read_as_go_writes_them() {
        let rows = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("1h", Some(3_600_000)),
            ("1h30m", Some(5_400_000)),
            ("90s", Some(90_000)),
            ("1500ms", Some(1500)),
            ("24000h", Some(24_000 * 3_600_000)),
            ("24001h", None),
            ("", None),
            ("1", None),
            ("h", None),
            ("-1h", None),
            ("1.5h", None),
            ("1d", None),
            ("1h 30m", None),
            ("18446744073709551616ms", None),
            ("18446744073709551615h", None),
        ];
        for (text, expected) in rows {
            assert_eq!(
                span(text).ok().map(|span| span.as_millis()),
                expected,
                "{text:?}"
            );
        }
    }
}
