//! The nearest known word to one that is not known.

/// ` (did you mean ...?)` when one of the words is near, else nothing.
pub(crate) fn did_you_mean(unknown: &str, known: &[&str]) -> String {
    // Longer words are no slip of the finger, and the table below is quadratic.
    const LENGTH_MAX: usize = 64;
    if unknown.len() > LENGTH_MAX {
        return String::new();
    }
    known
        .iter()
        .map(|word| (distance(unknown, word), word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4 && *distance < word.len())
        .min()
        .map(|(_, word)| format!(" (did you mean `{word}`?)"))
        .unwrap_or_default()
}

/// ` (did you mean ...?)` when one of the words is near, else which words there are.
pub(crate) fn did_you_mean_or_known(unknown: &str, known: &[&str]) -> String {
    const SHOWN_MAX: usize = 8;
    let suggestion = did_you_mean(unknown, known);
    if !suggestion.is_empty() {
        return suggestion;
    }
    let shown: Vec<_> = known.iter().take(SHOWN_MAX).copied().collect();
    match known.len() {
        0 => "; there are none".to_owned(),
        count if count > SHOWN_MAX => format!("; known are {}, ...", shown.join(", ")),
        _ => format!("; known are {}", shown.join(", ")),
    }
}

/// Whether a word is one of these, or so near to one that it may be a slip of the finger.
pub(crate) fn is_near(word: &str, known: &[&str]) -> bool {
    !did_you_mean(word, known).is_empty()
}

/// How many letters must be added, left out or changed; letter case is free.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.to_lowercase().chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let changed = above[column] + usize::from(letter != *other);
            current.push(changed.min(above[column + 1] + 1).min(current[column] + 1));
        }
        above = current;
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s19_the_nearest_known_word_is_suggested() {
        let known = ["secretsFile", "nestedSeparator", "multiValued"];
        for (unknown, suggested) in [
            ("secretFile", " (did you mean `secretsFile`?)"),
            ("secrets_file", " (did you mean `secretsFile`?)"),
            ("nestedSeperator", " (did you mean `nestedSeparator`?)"),
            ("multivalue", " (did you mean `multiValued`?)"),
            ("vaultAddr", ""),
            ("", ""),
        ] {
            assert_eq!(did_you_mean(unknown, &known), suggested, "{unknown}");
        }
        assert_eq!(did_you_mean("b", &["a"]), "", "every letter is another one");
        let all = "; known are secretsFile, nestedSeparator, multiValued";
        assert_eq!(did_you_mean_or_known("vaultAddr", &known), all);
        assert_eq!(
            did_you_mean_or_known("secretFile", &known),
            " (did you mean `secretsFile`?)"
        );
        assert_eq!(did_you_mean_or_known("x", &[]), "; there are none");
        assert_eq!(
            did_you_mean_or_known("x", &["word"; 9]),
            format!("; known are {}...", "word, ".repeat(8))
        );
        assert_eq!(did_you_mean(&"secretsFile".repeat(1_000), &known), "");
        assert!(is_near("SecretsFile", &known) && !is_near("vaultAddr", &known));
    }
}
