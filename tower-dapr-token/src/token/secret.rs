//! [`Token`]: one secret, wiped and redacted.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{ConfigError, InvalidToken};
use crate::header::{MAX_TOKEN_LEN, SHORT_TOKEN_LEN};

/// One secret token: 1 to 1024 bytes of printable ASCII without spaces (`C1`).
///
/// White space at both ends is trimmed, because files end in a newline and daprd trims too. The
/// memory is overwritten with zeros on drop. `Debug` prints a fixed text; there is no `Display`,
/// no `PartialEq` and no way to serialize a token.
///
/// ```
/// use tower_dapr_token::Token;
///
/// let token: Token = "8f14e45fceea167a5a36dedd4bea2543\n".parse()?;
/// assert_eq!(token.expose().len(), 32);
/// assert_eq!(format!("{token:?}"), "Token([redacted])");
///
/// assert!("two words".parse::<Token>().is_err());
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Token(Zeroizing<Box<[u8]>>);

impl Token {
    /// The secret bytes. The one way to read them: a search for `expose` finds every use.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Takes a value out of the environment and wipes what it came in.
    pub(crate) fn from_variable(variable: &str, value: OsString) -> Result<Self, ConfigError> {
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        Self::from_bytes(&bytes).map_err(|reason| ConfigError::TokenInvalid {
            variable: Some(variable.to_owned()),
            reason,
        })
    }

    /// The value of an outbound header, marked sensitive. The token moves into it and is wiped when the
    /// last copy of the value is dropped.
    pub(crate) fn into_header_value(self) -> HeaderValue {
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Exposed(self)))
            .expect("a token holds visible ASCII only");
        value.set_sensitive(true);
        value
    }

    /// Whether a guess is within reach.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() < SHORT_TOKEN_LEN
    }

    /// Whether some proxy may take this one value for two.
    pub(crate) fn has_comma(&self) -> bool {
        self.0.contains(&b',')
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidToken> {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return Err(InvalidToken::Empty);
        }
        if bytes.len() > MAX_TOKEN_LEN {
            return Err(InvalidToken::TooLong);
        }
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(InvalidToken::InvalidByte);
        }
        Ok(Self(Zeroizing::new(bytes.into())))
    }
}

/// Owns the bytes of an outbound header value.
struct Exposed(Token);

impl AsRef<[u8]> for Exposed {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

impl FromStr for Token {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(text.as_bytes()).map_err(|reason| ConfigError::TokenInvalid {
            variable: None,
            reason,
        })
    }
}

/// Takes the bytes over and wipes them, whether they are a token or not.
impl TryFrom<Vec<u8>> for Token {
    type Error = ConfigError;

    fn try_from(mut bytes: Vec<u8>) -> Result<Self, Self::Error> {
        let token = Self::from_bytes(&bytes);
        bytes.zeroize();
        token.map_err(|reason| ConfigError::TokenInvalid {
            variable: None,
            reason,
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_a_token_is_trimmed_and_then_1_to_1024_printable_bytes() {
        let longest = "x".repeat(MAX_TOKEN_LEN);
        let too_long = "x".repeat(MAX_TOKEN_LEN + 1);
        let table: &[(&str, &[u8], Result<&[u8], InvalidToken>)] = &[
            ("plain", b"abc", Ok(b"abc")),
            ("newline at the end, as a file has it", b"abc\n", Ok(b"abc")),
            ("white space at both ends", b" \t\r\nabc\x0c ", Ok(b"abc")),
            ("every printable character", b"!~,:/\"", Ok(b"!~,:/\"")),
            ("longest", longest.as_bytes(), Ok(longest.as_bytes())),
            ("nothing", b"", Err(InvalidToken::Empty)),
            ("white space alone", b" \n\t", Err(InvalidToken::Empty)),
            (
                "one byte too long",
                too_long.as_bytes(),
                Err(InvalidToken::TooLong),
            ),
            ("space inside", b"a b", Err(InvalidToken::InvalidByte)),
            ("newline inside", b"a\nb", Err(InvalidToken::InvalidByte)),
            ("NUL", b"a\0b", Err(InvalidToken::InvalidByte)),
            ("delete", b"a\x7f", Err(InvalidToken::InvalidByte)),
            (
                "beyond ASCII",
                "gr\u{fc}n".as_bytes(),
                Err(InvalidToken::InvalidByte),
            ),
            ("not UTF-8", b"\xff\xfe", Err(InvalidToken::InvalidByte)),
        ];
        for (name, bytes, expected) in table {
            let token = Token::from_bytes(bytes);
            assert_eq!(
                token.as_ref().map(Token::expose).map_err(|e| *e),
                *expected,
                "{name}"
            );
            assert_eq!(
                Token::try_from(bytes.to_vec()).is_ok(),
                expected.is_ok(),
                "{name}: from a vector"
            );
        }
    }

    #[test]
    fn c5_a_token_prints_a_fixed_text() {
        let token: Token = "hunter2hunter2hunter2".parse().expect("valid");
        assert_eq!(
            format!("{token:?} {token:#?}"),
            "Token([redacted]) Token([redacted])"
        );
    }

    #[test]
    fn c1_short_and_comma_are_noticed() {
        let token: Token = "short,one".parse().expect("valid");
        assert!(token.is_short() && token.has_comma());
        let token: Token = "sixteen-bytes-ok".parse().expect("valid");
        assert!(!token.is_short() && !token.has_comma());
    }
}
