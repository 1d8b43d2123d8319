//! Strict JSON objects: one value for each name at every depth, a bounded depth, and numbers as their text.
//!
//! What a token says must not depend on which of two equal names a parser takes, or on how it rounds a number.
//! Values are kept as slices of the text, so that no feature of `serde_json` that somebody else in the build turns
//! on changes what is seen.

use std::collections::BTreeMap;
use std::fmt;
use std::str::Chars;

use serde_core::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A text that is no JSON object, is nested too deeply, or names a member twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotStrict;

/// A member of another type than asked for. `null` is one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongType;

/// The members of one object, none of them twice.
pub(super) struct Object<'a> {
    members: BTreeMap<String, &'a RawValue>,
}

impl<'a> Object<'a> {
    /// Reads an object whose arrays and objects, with itself, are at most `depth` deep.
    ///
    /// The text is read once for each level of depth at most, without recursion below that.
    pub(super) fn parse(text: &'a [u8], depth: usize) -> Result<Self, NotStrict> {
        let text = str::from_utf8(text).map_err(|_| NotStrict)?;
        Self::parse_text(text, depth)
    }

    fn parse_text(text: &'a str, depth: usize) -> Result<Self, NotStrict> {
        let inner = depth.checked_sub(1).ok_or(NotStrict)?;
        let members = members(text)?;
        for value in members.values() {
            check(value, inner)?;
        }
        Ok(Self { members })
    }

    /// Reads an object without looking into its members: for a document whose parts are judged one by one.
    pub(super) fn parse_outline(text: &'a [u8]) -> Result<Self, NotStrict> {
        let text = str::from_utf8(text).map_err(|_| NotStrict)?;
        let members = members(text)?;
        Ok(Self { members })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// A string.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, WrongType> {
        self.members.get(name).map(|value| text(value)).transpose()
    }

    /// A string that may be a secret: no other memory holds it on the way, and it is wiped when it is dropped.
    pub(super) fn secret_text(&self, name: &str) -> Result<Option<Zeroizing<String>>, WrongType> {
        let secret = |value: &&RawValue| {
            // Nothing is longer than its escape, so that the text never grows out of its block.
            let mut text = Zeroizing::new(String::with_capacity(value.get().len()));
            each_char(value, |next| text.push(next))?;
            Ok(text)
        };
        self.members.get(name).map(secret).transpose()
    }

    /// The text of a number, as it stands there.
    pub(super) fn number(&self, name: &str) -> Result<Option<&'a str>, WrongType> {
        let number = |value: &&'a RawValue| {
            let number = value.get();
            let first = number.as_bytes().first();
            match first {
                Some(b'-' | b'0'..=b'9') => Ok(number),
                _ => Err(WrongType),
            }
        };
        self.members.get(name).map(number).transpose()
    }

    /// An array of strings.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, WrongType> {
        let texts = |value: &&RawValue| match shape(value) {
            Shape::Array => array(value)?.into_iter().map(text).collect(),
            _ => Err(WrongType),
        };
        self.members.get(name).map(texts).transpose()
    }

    /// A string, or an array of strings.
    pub(super) fn text_or_texts(&self, name: &str) -> Result<Option<Vec<String>>, WrongType> {
        match self.text(name) {
            Ok(text) => Ok(text.map(|text| vec![text])),
            Err(WrongType) => self.texts(name),
        }
    }

    /// An array of objects. What is not an object in it is `None`.
    pub(super) fn objects(
        &self,
        name: &str,
        depth: usize,
    ) -> Result<Option<Vec<Option<Object<'a>>>>, WrongType> {
        let objects = |value: &&'a RawValue| match shape(value) {
            Shape::Array => Ok(array(value)?
                .into_iter()
                .map(|element| Object::parse_text(element.get(), depth).ok())
                .collect()),
            _ => Err(WrongType),
        };
        self.members.get(name).map(objects).transpose()
    }
}

enum Shape {
    Text,
    Object,
    Array,
    Other,
}

/// What a value is, by its first byte: the text has been read as JSON before, and begins with no white space.
fn shape(value: &RawValue) -> Shape {
    match value.get().as_bytes().first() {
        Some(b'"') => Shape::Text,
        Some(b'{') => Shape::Object,
        Some(b'[') => Shape::Array,
        _ => Shape::Other,
    }
}

fn text(value: &RawValue) -> Result<String, WrongType> {
    match shape(value) {
        Shape::Text => serde_json::from_str(value.get()).map_err(|_| WrongType),
        _ => Err(WrongType),
    }
}

/// Hands on the characters of a string, one by one, and keeps none: it may be a secret. It is JSON already, but may hold
/// half of a surrogate pair.
fn each_char(value: &RawValue, mut take: impl FnMut(char)) -> Result<(), WrongType> {
    let inner = value.get().strip_prefix('"');
    let inner = inner.and_then(|inner| inner.strip_suffix('"'));
    let mut chars = inner.ok_or(WrongType)?.chars();
    while let Some(next) = chars.next() {
        take(match next {
            '\\' => escaped(&mut chars).ok_or(WrongType)?,
            next => next,
        });
    }
    Ok(())
}

/// What an escape means, from behind its backslash (RFC 8259 section 7).
fn escaped(chars: &mut Chars<'_>) -> Option<char> {
    match chars.next()? {
        same @ ('"' | '\\' | '/') => Some(same),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'u' => match code_unit(chars)? {
            high @ 0xd800..=0xdbff => {
                let has_second = chars.next()? == '\\' && chars.next()? == 'u';
                let low = code_unit(chars).filter(|_| has_second)?;
                let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)
            }
            // Not the other half, which is no character.
            unit => char::from_u32(unit),
        },
        _ => None,
    }
}

/// Four digits.
fn code_unit(chars: &mut Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.to_digit(16)?))
}

fn array(value: &RawValue) -> Result<Vec<&RawValue>, WrongType> {
    serde_json::from_str(value.get()).map_err(|_| WrongType)
}

/// Looks for a name that stands twice, for what is too deep, and for what no reader could hand on.
fn check(value: &RawValue, depth: usize) -> Result<(), NotStrict> {
    match shape(value) {
        // Half of a surrogate pair is JSON, and no text in UTF-8. Only an escape can be one.
        Shape::Text if value.get().contains("\\u") => each_char(value, drop).map_err(|_| NotStrict),
        Shape::Text => Ok(()),
        Shape::Other => match value.get().parse::<f64>() {
            Ok(number) if !number.is_finite() => Err(NotStrict),
            // `true`, `false` and `null` are not numbers.
            _ => Ok(()),
        },
        Shape::Object => Object::parse_text(value.get(), depth).map(|_| ()),
        Shape::Array => {
            let inner = depth.checked_sub(1).ok_or(NotStrict)?;
            let elements = array(value).map_err(|_| NotStrict)?;
            elements
                .into_iter()
                .try_for_each(|element| check(element, inner))
        }
    }
}

fn members(text: &str) -> Result<BTreeMap<String, &RawValue>, NotStrict> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer
        .deserialize_map(Members)
        .map_err(|_| NotStrict)?;
    deserializer.end().map_err(|_| NotStrict)?;
    Ok(members)
}

/// Collects members and refuses the second of a name.
struct Members;

impl<'a> Visitor<'a> for Members {
    type Value = BTreeMap<String, &'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, &'a RawValue>()? {
            if members.insert(name, value).is_some() {
                return Err(serde_core::de::Error::custom("a name stands twice"));
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn t1_t4_an_object_has_each_name_once_at_every_depth() {
        let deep = |depth: usize| {
            let inner = depth - 1;
            format!(r#"{{"a":{}{}}}"#, "[".repeat(inner), "]".repeat(inner))
        };
        let (eight, nine, very, open) =
            (deep(8), deep(9), deep(100_000), "[{\"a\":".repeat(20_000));
        let table: &[(&str, &[u8], bool)] = &[
            ("empty", b"{}", true),
            ("white space around", b" \r\n{ \"a\" : 1 }\t", true),
            ("nested", br#"{"a":{"b":[{"c":1},{"c":2}]}}"#, true),
            (
                "equal names in different objects",
                br#"{"a":{"a":1}}"#,
                true,
            ),
            ("twice", br#"{"a":1,"a":1}"#, false),
            ("twice, once escaped", br#"{"a":1,"\u0061":1}"#, false),
            ("twice below", br#"{"a":{"b":1,"b":2}}"#, false),
            ("twice in an array", br#"{"a":[0,{"b":1,"b":2}]}"#, false),
            ("names that differ in case", br#"{"a":1,"A":1}"#, true),
            ("eight deep", eight.as_bytes(), true),
            ("nine deep", nine.as_bytes(), false),
            ("very deep", very.as_bytes(), false),
            ("deep and open", open.as_bytes(), false),
            ("array", b"[]", false),
            ("string", br#""{}""#, false),
            ("number", b"1", false),
            ("null", b"null", false),
            ("nothing", b"", false),
            ("more after it", b"{}{}", false),
            ("a comment", b"{}//", false),
            ("comma at the end", br#"{"a":1,}"#, false),
            ("single quotes", b"{'a':1}", false),
            ("byte order mark", b"\xef\xbb\xbf{}", false),
            ("not UTF-8", b"{\"a\":\"\xff\"}", false),
            ("NUL after it", b"{}\0", false),
            ("number of no form", br#"{"a":01}"#, false),
            ("not a number", br#"{"a":NaN}"#, false),
            ("a number too large for any type", br#"{"a":1e400}"#, false),
            ("such a number below", br#"{"a":[{"b":-1e999}]}"#, false),
            (
                "the largest number",
                br#"{"a":1.7976931348623157e308}"#,
                true,
            ),
            (
                "a number too small to tell from 0",
                br#"{"a":1e-999}"#,
                true,
            ),
            ("half a surrogate pair", br#"{"a":"\ud800"}"#, false),
            ("half a surrogate pair below", br#"{"a":["\udfff"]}"#, false),
            ("half a surrogate pair as a name", br#"{"\ud800":1}"#, false),
            ("a surrogate pair", br#"{"a":"\ud83d\ude00"}"#, true),
            (
                "an escaped backslash before a u",
                br#"{"a":"\\ud800"}"#,
                true,
            ),
            (
                "the name that a feature of the parser gives numbers",
                br#"{"a":{"$serde_json::private::Number":"1"}}"#,
                true,
            ),
        ];
        for (name, text, strict) in table {
            assert_eq!(Object::parse(text, 8).is_ok(), *strict, "{name}");
        }
    }

    #[test]
    fn t4_a_member_has_the_type_asked_for_or_is_wrong() {
        let text =
            br#"{"t":"x\u0041","n":-1.50e+3,"a":["x","y"],"m":["x",1],"z":null,"o":{},"b":true,
            "k":[{"a":1},2,{"a":1}]}"#;
        let object = Object::parse(text, 4).expect("strict");
        assert_eq!(object.text("t"), Ok(Some("xA".to_owned())));
        assert_eq!(object.number("n"), Ok(Some("-1.50e+3")));
        let list = Some(vec!["x".to_owned(), "y".to_owned()]);
        assert_eq!(object.texts("a"), Ok(list.clone()));
        assert_eq!(object.text_or_texts("a"), Ok(list));
        assert_eq!(object.text_or_texts("t"), Ok(Some(vec!["xA".to_owned()])));
        let keys = object.objects("k", 2).expect("an array").expect("there");
        let found: Vec<_> = keys.iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false, true]);

        for name in ["n", "a", "m", "z", "o", "b"] {
            assert_eq!(object.text(name), Err(WrongType), "{name} as text");
            assert_eq!(object.secret_text(name), Err(WrongType), "{name} as secret");
        }
        for name in ["t", "a", "z", "o", "b"] {
            assert_eq!(object.number(name), Err(WrongType), "{name} as number");
        }
        for name in ["n", "m", "z", "o", "b"] {
            assert_eq!(object.text_or_texts(name), Err(WrongType), "{name} as list");
        }
        assert_eq!(object.texts("t"), Err(WrongType));
        assert!(object.objects("t", 2).is_err());
        assert_eq!((object.text("q"), object.number("q")), (Ok(None), Ok(None)));
        assert!(object.has("z") && !object.has("q"));
    }

    proptest! {
        #[test]
        fn t1_our_own_reading_of_strings_is_that_of_the_parser(
            text in r#"([a\u{e9}\u{1f600}]|\\[\\"/bfnrt]|\\u[dD][89abCDef0][0-9a-f]{2}|\\u00[0-9A-F]{2}|\\u[0-9a-f]{4}){0,6}"#
        ) {
            let document = format!(r#"{{"a":"{text}"}}"#);
            let expected = serde_json::from_str::<String>(&format!(r#""{text}""#)).ok();
            let outline = Object::parse_outline(document.as_bytes()).expect("JSON");
            let read = outline.secret_text("a").ok().flatten();
            prop_assert_eq!(read.as_ref().map(|read| read.as_str()), expected.as_deref());
            let is_strict = Object::parse(document.as_bytes(), 1).is_ok();
            prop_assert_eq!(is_strict, expected.is_some());
        }

        #[test]
        fn t1_any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Object::parse(&bytes, 8);
        }

        #[test]
        fn t1_anything_like_json_never_panics(text in r#"\{("a":[\[\]{}0-9e,:"\\u.-]{0,40},?){0,4}\}"#) {
            if let Ok(object) = Object::parse(text.as_bytes(), 8) {
                let _ = (object.text("a"), object.number("a"), object.text_or_texts("a"));
            }
        }
    }
}
