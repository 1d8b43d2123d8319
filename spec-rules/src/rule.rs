//! What a rule is: a letter and a number, in one of the three specifications that have numbered rules.

use std::fmt;

/// A specification with numbered rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SpecFile {
    Auth,
    SecretsApi,
    Stores,
}

impl SpecFile {
    pub(crate) const ALL: [Self; 3] = [Self::Auth, Self::SecretsApi, Self::Stores];

    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::Auth => "auth.md",
            Self::SecretsApi => "secrets-api.md",
            Self::Stores => "stores.md",
        }
    }

    pub(crate) fn from_file_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.file_name() == name)
    }
}

/// The id of a rule inside its specification: an upper-case letter and one or two digits, as in `E2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleId {
    letter: char,
    number: u8,
}

impl RuleId {
    /// Takes an id from the start of `text`, the letter in the given case, and gives what follows it.
    ///
    /// More than two digits, or a leading zero, is not an id.
    pub(crate) fn take(text: &str, is_letter: fn(&char) -> bool) -> Option<(Self, &str)> {
        let letter = text.chars().next().filter(is_letter)?;
        let after_letter = &text[letter.len_utf8()..];
        let digits = after_letter.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=2).contains(&digits) || after_letter.starts_with('0') {
            return None;
        }
        let number = after_letter[..digits].parse().ok()?;
        let id = Self {
            letter: letter.to_ascii_uppercase(),
            number,
        };
        Some((id, &after_letter[digits..]))
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.letter, self.number)
    }
}

/// One rule of one specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) file: SpecFile,
    pub(crate) id: RuleId,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file.file_name(), self.id)
    }
}

/// A rule in the form that failures print it in, `auth.md E2`, for the tables of the tests.
#[cfg(test)]
pub(crate) fn rule(text: &str) -> Rule {
    let (file, id) = text.split_once(' ').expect("`file id`");
    Rule {
        file: SpecFile::from_file_name(file).expect("a known file"),
        id: RuleId::take(id, char::is_ascii_uppercase).expect("an id").0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_letter_and_one_or_two_digits() {
        let table = [
            ("one digit", "E2 text", Some(("E2", " text"))),
            ("two digits", "S12**", Some(("S12", "**"))),
            ("nothing after it", "G3", Some(("G3", ""))),
            ("three digits", "G123", None),
            ("leading zero", "G03", None),
            ("zero", "G0", None),
            ("no digit", "GET", None),
            ("two letters", "AB1", None),
            ("lower case", "e2", None),
            ("a letter outside ASCII", "É2", None),
            ("empty", "", None),
        ];
        for (name, text, expected) in table {
            let taken = RuleId::take(text, char::is_ascii_uppercase);
            let shown = taken.map(|(id, rest)| (id.to_string(), rest));
            assert_eq!(
                shown.as_ref().map(|(id, rest)| (id.as_str(), *rest)),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn a_rule_is_printed_with_its_file() {
        assert_eq!(rule("secrets-api.md G3").to_string(), "secrets-api.md G3");
    }
}
