//! A reader of JSON that shares nothing with the crate or with `serde_json`: RFC 8259, and what `T1` asks beyond it.

/// Deeper than every limit that is tested, and no danger to the stack.
const DEEPEST: usize = 1000;

/// A value. What a text of Rust cannot hold is `None`: half of a surrogate pair.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool,
    /// As it stands there.
    Number(String),
    Text(Option<String>),
    Array(Vec<Json>),
    Object(Vec<(Option<String>, Json)>),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    NotJson,
    /// It may be JSON, but is not read to its end here.
    TooDeep,
}

impl Json {
    pub(crate) fn read(text: &[u8]) -> Result<Self, Unread> {
        let text = str::from_utf8(text).map_err(|_| Unread::NotJson)?;
        let mut reader = Reader {
            rest: text.as_bytes(),
        };
        let value = reader.value(DEEPEST)?;
        reader.space();
        if reader.rest.is_empty() {
            Ok(value)
        } else {
            Err(Unread::NotJson)
        }
    }

    /// An object that every reader reads alike, at most so many levels deep (`T1`).
    pub(crate) fn strict_object(text: &[u8], depth: usize) -> Option<Self> {
        let value = Self::read(text).ok()?;
        (matches!(value, Self::Object(_)) && value.is_strict(depth)).then_some(value)
    }

    pub(crate) fn is_strict(&self, depth: usize) -> bool {
        match self {
            Self::Null | Self::Bool => true,
            Self::Number(number) => number.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Text(text) => text.is_some(),
            Self::Array(elements) => {
                depth > 0 && elements.iter().all(|element| element.is_strict(depth - 1))
            }
            Self::Object(members) => {
                depth > 0
                    && self.names_differ()
                    && members.iter().all(|(_, value)| value.is_strict(depth - 1))
            }
        }
    }

    /// No name of this object twice, and each of them a text. Its members are not looked at.
    pub(crate) fn names_differ(&self) -> bool {
        let Self::Object(members) = self else {
            return false;
        };
        let mut names: Vec<&Option<String>> = members.iter().map(|(name, _)| name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        names.len() == all && !names.contains(&&None)
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let found = members.iter().find(|(n, _)| n.as_deref() == Some(name));
        found.map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.as_deref(),
            _ => None,
        }
    }

    /// A list of texts and of nothing else.
    pub(crate) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Self::Array(elements) => elements.iter().map(Self::text).collect(),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn next(&mut self) -> Result<u8, Unread> {
        let [first, rest @ ..] = self.rest else {
            return Err(Unread::NotJson);
        };
        self.rest = rest;
        Ok(*first)
    }

    fn eat(&mut self, wanted: &[u8]) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Unread> {
        self.space();
        match self.rest.first() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.text().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat(b"null") => Ok(Json::Null),
            _ if self.eat(b"true") || self.eat(b"false") => Ok(Json::Bool),
            _ => Err(Unread::NotJson),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Unread> {
        let depth = depth.checked_sub(1).ok_or(Unread::TooDeep)?;
        let mut members = Vec::new();
        self.next()?;
        self.space();
        if self.eat(b"}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.rest.first() != Some(&b'"') {
                return Err(Unread::NotJson);
            }
            let name = self.text()?;
            self.space();
            if !self.eat(b":") {
                return Err(Unread::NotJson);
            }
            members.push((name, self.value(depth)?));
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Json::Object(members)),
                _ => return Err(Unread::NotJson),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, Unread> {
        let depth = depth.checked_sub(1).ok_or(Unread::TooDeep)?;
        let mut elements = Vec::new();
        self.next()?;
        self.space();
        if self.eat(b"]") {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth)?);
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Json::Array(elements)),
                _ => return Err(Unread::NotJson),
            }
        }
    }

    fn number(&mut self) -> Result<Json, Unread> {
        let all = self.rest;
        self.eat(b"-");
        if !self.eat(b"0") {
            self.digits()?;
        }
        if self.eat(b".") {
            self.digits()?;
        }
        if self.eat(b"e") || self.eat(b"E") {
            let _ = self.eat(b"+") || self.eat(b"-");
            self.digits()?;
        }
        let number = &all[..all.len() - self.rest.len()];
        Ok(Json::Number(
            String::from_utf8(number.to_vec()).expect("ASCII"),
        ))
    }

    /// One or more.
    fn digits(&mut self) -> Result<(), Unread> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        if count == 0 {
            return Err(Unread::NotJson);
        }
        Ok(())
    }

    fn text(&mut self) -> Result<Option<String>, Unread> {
        self.next()?;
        // As UTF-16, which half of a pair is no fault of.
        let mut bytes = Vec::new();
        let mut is_text = true;
        loop {
            match self.next()? {
                b'"' => break,
                0..0x20 => return Err(Unread::NotJson),
                b'\\' => match self.escape()? {
                    Some(letter) => {
                        bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => is_text = false,
                },
                byte => bytes.push(byte),
            }
        }
        let text = String::from_utf8(bytes).expect("cut at ASCII only");
        Ok(is_text.then_some(text))
    }

    /// What stands behind a backslash; `None` for half of a pair.
    fn escape(&mut self) -> Result<Option<char>, Unread> {
        Ok(Some(match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return Ok(char::from_u32(first));
                }
                let before = self.rest;
                if self.eat(b"\\u") {
                    let second = self.unit()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let letter = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(letter));
                    }
                }
                // What follows is read by itself.
                self.rest = before;
                return Ok(None);
            }
            _ => return Err(Unread::NotJson),
        }))
    }

    fn unit(&mut self) -> Result<u32, Unread> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16);
            unit = unit << 4 | digit.ok_or(Unread::NotJson)?;
        }
        Ok(unit)
    }
}
