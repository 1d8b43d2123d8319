//! The JSON text of a secrets file becomes secrets: flat, or one level deep.
//!
//! 1. The text is one JSON object. Scalars keep the text they have in the file, so that a number
//!    keeps its digits; strings are unescaped.
//! 2. Flat: member names and array indexes are joined by the separator, each leaf is a secret.
//! 3. Multi-valued: a top-level string is a secret with one key of its own name, a top-level
//!    object a secret whose keys are its flattened members. Nothing else is served.
//! 4. A member that stands twice in one object, or two paths that flatten to one key, are an
//!    error that names the key and both lines.
//!
//! Limits: 128 levels, and 64 MiB of flattened keys and values.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_core::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::request::SecretName;
use crate::secret::{SecretMap, SecretValue};

/// Deepest nesting of objects and arrays.
const DEPTH_MAX: usize = 128;
/// Most bytes of keys and values once flattened: a long name is repeated in each of its leaves.
const FLATTENED_MAX: usize = 64 << 20;

/// How the document is read.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) separator: String,
    pub(super) multi_valued: bool,
}

/// What the document holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) secrets: BTreeMap<Arc<str>, SecretMap>,
    /// Names of what is in the file and cannot be asked for.
    pub(super) unserved: Vec<String>,
}

/// Why the document cannot be used. Names keys and lines, never a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

pub(super) fn read(text: &str, shape: &Shape) -> Result<Contents, Fault> {
    let mut reader = Reader {
        text,
        shape,
        flattened: 0,
    };
    let mut contents = Contents::default();
    let members = reader.top_level()?;
    if shape.multi_valued {
        for (name, value) in members {
            match reader.multi_valued(&name, value)? {
                Some(secret) if SecretName::check(&name).is_ok() => {
                    contents.secrets.insert(name.into(), secret);
                }
                _ => contents.unserved.push(name),
            }
        }
    } else {
        for (key, value) in reader.flatten_members(members)? {
            if SecretName::check(&key).is_ok() {
                let key: Arc<str> = key.into();
                contents
                    .secrets
                    .insert(Arc::clone(&key), SecretMap::single(key, value));
            } else {
                contents.unserved.push(key);
            }
        }
    }
    Ok(contents)
}

struct Reader<'t> {
    text: &'t str,
    shape: &'t Shape,
    flattened: usize,
}

/// A flattened leaf: its value, and where it stands.
type Leaves<'t> = BTreeMap<String, (SecretValue, &'t RawValue)>;

impl<'t> Reader<'t> {
    fn top_level(&self) -> Result<Vec<(String, &'t RawValue)>, Fault> {
        let raw: &RawValue =
            serde_json::from_str(self.text).map_err(|error| self.syntax_fault(&error, 0))?;
        if !raw.get().starts_with('{') {
            return Err(Fault {
                line: Some(self.line_of(raw)),
                message: "not valid: the top level is no JSON object".to_owned(),
            });
        }
        self.members(raw)
    }

    fn multi_valued(&mut self, name: &str, raw: &'t RawValue) -> Result<Option<SecretMap>, Fault> {
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                let value = self.scalar(raw)?;
                self.count(name.len() + value.expose().len(), raw)?;
                Ok(Some(SecretMap::single(name, value)))
            }
            Some(b'{') => {
                let members = self.members(raw)?;
                Ok(Some(self.flatten_members(members)?.into_iter().collect()))
            }
            _ => Ok(None),
        }
    }

    fn flatten_members(
        &mut self,
        members: Vec<(String, &'t RawValue)>,
    ) -> Result<Vec<(String, SecretValue)>, Fault> {
        let mut leaves = Leaves::new();
        for (mut name, value) in members {
            self.flatten(&mut name, value, 1, &mut leaves)?;
        }
        Ok(leaves
            .into_iter()
            .map(|(key, (value, _))| (key, value))
            .collect())
    }

    /// `path` grows by each name on the way down and shrinks on the way up: a child costs its own
    /// name, however long the names above it are.
    fn flatten(
        &mut self,
        path: &mut String,
        raw: &'t RawValue,
        depth: usize,
        leaves: &mut Leaves<'t>,
    ) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(self.fault(raw, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        let own_len = path.len();
        match raw.get().as_bytes().first() {
            Some(b'{') => {
                for (name, value) in self.members(raw)? {
                    path.push_str(&self.shape.separator);
                    path.push_str(&name);
                    self.flatten(path, value, depth + 1, leaves)?;
                    path.truncate(own_len);
                }
            }
            Some(b'[') => {
                for (index, value) in self.elements(raw)?.into_iter().enumerate() {
                    path.push_str(&self.shape.separator);
                    path.push_str(&index.to_string());
                    self.flatten(path, value, depth + 1, leaves)?;
                    path.truncate(own_len);
                }
            }
            _ => {
                let value = self.scalar(raw)?;
                self.count(path.len() + value.expose().len(), raw)?;
                if let Some((_, first)) = leaves.get(path.as_str()) {
                    return Err(self.repeated("two values flatten to", path, first, raw));
                }
                leaves.insert(path.clone(), (value, raw));
            }
        }
        Ok(())
    }

    fn members(&self, raw: &'t RawValue) -> Result<Vec<(String, &'t RawValue)>, Fault> {
        let Members(members) = self.parse(raw)?;
        let mut seen: HashMap<&str, &RawValue> = HashMap::with_capacity(members.len());
        for (name, value) in &members {
            if let Some(first) = seen.insert(name, value) {
                return Err(self.repeated("one object has two members", name, first, value));
            }
        }
        Ok(members)
    }

    fn elements(&self, raw: &'t RawValue) -> Result<Vec<&'t RawValue>, Fault> {
        self.parse(raw)
    }

    fn scalar(&self, raw: &'t RawValue) -> Result<SecretValue, Fault> {
        if raw.get().starts_with('"') {
            let Text(text) = self.parse(raw)?;
            return Ok(text);
        }
        Ok(SecretValue::from(raw.get()))
    }

    fn parse<T: Deserialize<'t>>(&self, raw: &'t RawValue) -> Result<T, Fault> {
        serde_json::from_str(raw.get())
            .map_err(|error| self.syntax_fault(&error, self.line_of(raw) - 1))
    }

    fn count(&mut self, bytes: usize, raw: &RawValue) -> Result<(), Fault> {
        self.flattened += bytes;
        if self.flattened > FLATTENED_MAX {
            return Err(self.fault(
                raw,
                "the flattened names and values take more than 64 MiB".to_owned(),
            ));
        }
        Ok(())
    }

    fn repeated(&self, what: &str, key: &str, first: &RawValue, second: &RawValue) -> Fault {
        let (first, line) = (self.line_of(first), self.line_of(second));
        Fault {
            line: Some(line),
            message: format!("{what} {}: lines {first} and {line}", shown(key)),
        }
    }

    fn fault(&self, raw: &RawValue, message: String) -> Fault {
        Fault {
            line: Some(self.line_of(raw)),
            message,
        }
    }

    /// Only what the parser says of the syntax: its other messages quote the value.
    fn syntax_fault(&self, error: &serde_json::Error, lines_before: usize) -> Fault {
        let text = error.to_string();
        let message = match error.classify() {
            serde_json::error::Category::Data | serde_json::error::Category::Io => {
                "a value of another kind was expected"
            }
            _ => text.split(" at line ").next().unwrap_or_default(),
        };
        Fault {
            line: Some(lines_before + error.line().max(1)),
            message: format!("not valid JSON: {message}"),
        }
    }

    fn line_of(&self, raw: &RawValue) -> usize {
        // Every raw value borrows from the text; the difference of the addresses is its offset.
        let offset = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }
}

/// A name in a message: escaped, and cut when it is long.
pub(super) fn shown(name: &str) -> String {
    const SHOWN_MAX: usize = 100;
    match name.char_indices().nth(SHOWN_MAX) {
        None => format!("{name:?}"),
        Some((cut, _)) => format!("{:?}...", &name[..cut]),
    }
}

/// The members of an object in order, repeated ones included.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A string, copied once, into memory that is wiped.
struct Text(SecretValue);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Copied;

        impl Visitor<'_> for Copied {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(SecretValue::from(text)))
            }
        }

        deserializer.deserialize_str(Copied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(separator: &str, multi_valued: bool) -> Shape {
        Shape {
            separator: separator.to_owned(),
            multi_valued,
        }
    }

    fn flat(text: &str) -> Vec<(String, String)> {
        read(text, &shape(":", false))
            .expect("valid")
            .secrets
            .iter()
            .map(|(name, secret)| {
                let value = secret.get(name).expect("named as the secret");
                (name.to_string(), value.expose().to_owned())
            })
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn f2_f3_s3_a_tree_is_flattened_and_scalars_keep_their_text() {
        for (name, text, expected) in [
            ("empty", "{}", &[][..]),
            ("white space around", " \n{ } \n", &[]),
            ("string", r#"{"a":"b"}"#, &[("a", "b")]),
            ("empty string", r#"{"a":""}"#, &[("a", "")]),
            (
                "escapes",
                r#"{"a\"b":"line1\nline2 é 😀"}"#,
                &[("a\"b", "line1\nline2 \u{e9} \u{1f600}")],
            ),
            ("nested", r#"{"db":{"user":"u"}}"#, &[("db:user", "u")]),
            (
                "array",
                r#"{"l":["a",["b"]]}"#,
                &[("l:0", "a"), ("l:1:0", "b")],
            ),
            ("nothing inside", r#"{"a":{},"b":[],"c":[{}]}"#, &[]),
            (
                "scalars as JSON text",
                r#"{"n":5432,"t":true,"f":false,"z":null}"#,
                &[("f", "false"), ("n", "5432"), ("t", "true"), ("z", "null")],
            ),
            (
                "numbers keep their digits",
                r#"{"a":1.50,"b":12345678901234567890,"c":1E+2,"d":-0.0,"e":0.1000000000000000055}"#,
                &[
                    ("a", "1.50"),
                    ("b", "12345678901234567890"),
                    ("c", "1E+2"),
                    ("d", "-0.0"),
                    ("e", "0.1000000000000000055"),
                ],
            ),
        ] {
            assert_eq!(flat(text), pairs(expected), "{name}");
        }
    }

    #[test]
    fn f2_the_separator_is_any_text() {
        let text = r#"{"db":{"user":"u","l":[1]}}"#;
        for (separator, keys) in [
            (".", ["db.l.0", "db.user"]),
            ("__", ["db__l__0", "db__user"]),
            ("", ["dbl0", "dbuser"]),
        ] {
            let contents = read(text, &shape(separator, false)).expect("valid");
            let names: Vec<&str> = contents.secrets.keys().map(AsRef::as_ref).collect();
            assert_eq!(names, keys, "{separator:?}");
        }
    }

    #[test]
    fn f4_multi_valued_keeps_one_level_and_names_what_it_does_not_serve() {
        let text = r#"{
            "single": "text",
            "db": {"user": "u", "port": 5432, "hosts": ["a", {"b": null}]},
            "none": {},
            "list": ["a"], "number": 1, "flag": true, "nothing": null
        }"#;
        let contents = read(text, &shape(":", true)).expect("valid");
        let seen: Vec<_> = contents
            .secrets
            .iter()
            .map(|(name, secret)| {
                let keys: Vec<_> = secret
                    .iter()
                    .map(|(key, value)| format!("{key}={}", value.expose()))
                    .collect();
                format!("{name}: {}", keys.join(" "))
            })
            .collect();
        assert_eq!(
            seen,
            [
                "db: hosts:0=a hosts:1:b=null port=5432 user=u",
                "none: ",
                "single: single=text"
            ]
        );
        assert_eq!(contents.unserved, ["list", "number", "flag", "nothing"]);
    }

    #[test]
    fn f5_two_ways_to_one_key_are_an_error_with_both_lines() {
        for (name, text, multi_valued, line, message) in [
            (
                "two paths",
                "{\n\"a:b\": \"1\",\n\"a\": {\"b\": \"2\"}\n}",
                false,
                3,
                "two values flatten to \"a:b\": lines 2 and 3",
            ),
            (
                "an index and a name",
                "{\"a\": [\"1\"],\n\"a:0\": \"2\"}",
                false,
                2,
                "two values flatten to \"a:0\": lines 1 and 2",
            ),
            (
                "one member twice",
                "{\"a\": \"1\",\n\n\"a\": \"1\"}",
                false,
                3,
                "one object has two members \"a\": lines 1 and 3",
            ),
            (
                "one member twice, with other leaves",
                "{\"a\": {\"x\": 1},\n\"a\": {\"y\": 2}}",
                false,
                2,
                "one object has two members \"a\": lines 1 and 2",
            ),
            (
                "spelt differently",
                "{\"a\": 1,\n\"\\u0061\": 2}",
                false,
                2,
                "one object has two members \"a\": lines 1 and 2",
            ),
            (
                "deep down",
                "{\"a\": {\"b\": [{\"c\": 1,\n\"c\": 2}]}}",
                false,
                2,
                "one object has two members \"c\": lines 1 and 2",
            ),
            (
                "multi-valued, top level",
                "{\"a\": \"1\",\n\"a\": {}}",
                true,
                2,
                "one object has two members \"a\": lines 1 and 2",
            ),
            (
                "multi-valued, inside",
                "{\"s\": {\"a:b\": 1,\n\"a\": {\"b\": 2}}}",
                true,
                2,
                "two values flatten to \"a:b\": lines 1 and 2",
            ),
        ] {
            let fault = read(text, &shape(":", multi_valued)).expect_err(name);
            assert_eq!(fault.line, Some(line), "{name}");
            assert_eq!(fault.message, message, "{name}");
        }
    }

    #[test]
    fn f1_what_is_not_one_json_object_is_an_error_with_its_line() {
        for (name, text, line, message) in [
            ("empty", "", 1, "not valid JSON: EOF while parsing a value"),
            (
                "an array",
                "\n[]",
                2,
                "not valid: the top level is no JSON object",
            ),
            (
                "a string",
                "\"hunter2\"",
                1,
                "not valid: the top level is no JSON object",
            ),
            (
                "cut off",
                "{\n\"a\": \"b\"",
                2,
                "not valid JSON: EOF while parsing an object",
            ),
            (
                "no comma",
                "{\"a\": 1\n\"b\": 2}",
                2,
                "not valid JSON: expected `,` or `}`",
            ),
            (
                "two documents",
                "{}\n{}",
                2,
                "not valid JSON: trailing characters",
            ),
            (
                "a comment",
                "{\n// x\n}",
                2,
                "not valid JSON: key must be a string",
            ),
            (
                "a byte order mark",
                "\u{feff}{}",
                1,
                "not valid JSON: expected value",
            ),
            (
                "half a surrogate pair",
                "{\"x\": 1,\n\"a\": {\n\"b\": \"\\ud800\"}}",
                3,
                "not valid JSON: unexpected end of hex escape",
            ),
        ] {
            let fault = read(text, &shape(":", false)).expect_err(name);
            assert_eq!(
                (fault.line, fault.message.as_str()),
                (Some(line), message),
                "{name}"
            );
        }
    }

    #[test]
    fn f1_deep_and_wide_documents_are_bounded() {
        let deep =
            |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(100), &shape(":", false)).is_ok());
        let fault = read(&deep(100_000), &shape(":", false)).expect_err("too deep");
        assert_eq!(fault.message, "nested deeper than 128 levels");

        let long = "n".repeat(1 << 20);
        let wide = format!("{{\"{long}\":[{}1]}}", "1,".repeat(100));
        let fault = read(&wide, &shape(":", false)).expect_err("too wide");
        assert_eq!(
            fault.message,
            "the flattened names and values take more than 64 MiB"
        );
    }

    #[test]
    fn f1_empty_children_cost_nothing_below_a_long_name() {
        // A copy of the name for each child would be half a terabyte.
        let long = "n".repeat(1 << 20);
        let text = format!("{{\"{long}\":[{}{{}}]}}", "[],".repeat(500_000));
        let started = std::time::Instant::now();
        let contents = read(&text, &shape(":", false)).expect("nothing in it is too large");
        assert!(contents.secrets.is_empty());
        let taken = started.elapsed();
        assert!(taken < std::time::Duration::from_secs(5), "{taken:?}");
    }

    #[test]
    fn n5_what_no_caller_can_ask_for_is_named_and_not_served() {
        let long = "n".repeat(2_049);
        let text = format!(r#"{{"": "a", "a\nb": "b", "{long}": "c", "good": "d"}}"#);
        for multi_valued in [false, true] {
            let contents = read(&text, &shape(":", multi_valued)).expect("valid");
            let served: Vec<&str> = contents.secrets.keys().map(AsRef::as_ref).collect();
            assert_eq!(served, ["good"]);
            assert_eq!(contents.unserved.len(), 3);
        }
    }

    #[test]
    fn s7_no_fault_quotes_a_value() {
        for text in [
            r#""hunter2""#,
            r#"{"a": hunter2}"#,
            r#"{"a": "hunter2" "b"}"#,
            r#"{"a": "hunter2\q"}"#,
            r#"{"a": "hunter2", "a": "hunter2"}"#,
            r#"{"a": "hunter2\ud800x"}"#,
        ] {
            for multi_valued in [false, true] {
                let fault = read(text, &shape(":", multi_valued)).expect_err(text);
                assert!(
                    !format!("{fault:?}").contains("hunter2"),
                    "{text}: {fault:?}"
                );
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn f1_no_text_panics(text in "[\\[\\]{}\",:a0\\\\u \n.-]{0,60}") {
            for multi_valued in [false, true] {
                let _ = read(&text, &shape(":", multi_valued));
            }
        }
    }
}
