//! Durations as Go writes them, `5s`, `1m30s`, `1.5h`, `300ms`, or as whole seconds.

use std::time::Duration;

/// Parses a duration. `None` when it is none, or is negative, or longer than Go's (292 years).
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return parse_go_duration(&format!("{text}s"));
    }
    parse_go_duration(text)
}

fn parse_go_duration(text: &str) -> Option<Duration> {
    const NANOS_MAX: f64 = i64::MAX as f64;
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let number_len = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|len| *len > 0)?;
        let (number, after) = rest.split_at(number_len);
        let unit_len = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        nanos += number.parse::<f64>().ok()? * nanos_in(unit)?;
        rest = after;
    }
    // The text has no sign left and no exponent, so that this is neither negative nor NaN.
    (nanos <= NANOS_MAX).then(|| Duration::from_secs_f64(nanos / 1e9))
}

fn nanos_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3_600e9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s12_s16_durations_are_gos_or_whole_seconds() {
        for (text, seconds) in [
            ("5", 5.0),
            ("90", 90.0),
            ("00", 0.0),
            ("5s", 5.0),
            ("0", 0.0),
            ("0s", 0.0),
            ("+5s", 5.0),
            ("1m30s", 90.0),
            ("1.5h", 5_400.0),
            (".5s", 0.5),
            ("5.s", 5.0),
            ("300ms", 0.3),
            ("2us", 2e-6),
            ("2\u{b5}s", 2e-6),
            ("1h1m1s1ms", 3_661.001),
        ] {
            let parsed = parse_duration(text).map(|duration| duration.as_secs_f64());
            let off = parsed.map(|parsed| (parsed - seconds).abs());
            assert!(off.is_some_and(|off| off < 1e-9), "{text}: {parsed:?}");
        }
        for text in [
            "",
            "5.5",
            "+5",
            "99999999999",
            "s",
            "-5s",
            "5x",
            "5 s",
            " 5s",
            "1e3s",
            "1..5s",
            ".s",
            "five",
            "5s5",
            "99999999h",
            "infs",
            "NaNs",
            "+",
            "++5s",
        ] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }
}
