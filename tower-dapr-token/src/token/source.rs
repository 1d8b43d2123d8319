//! [`TokenSource`]: where tokens come from, again and again.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::notices;
use super::secret::Token;
use super::set::{MAX_TOKENS, TokenSet};
use crate::error::{ConfigError, InvalidToken};
use crate::observe::Notice;

/// A place that tokens can be loaded from more than once (`R1`).
///
/// [`FileSource`](crate::FileSource) is one. A source of your own may ask anything, such as a secret store:
///
/// ```
/// use tower_dapr_token::{LoadedTokens, RequireTokenLayer, SourceError, TokenSource};
///
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn load(&self) -> Result<LoadedTokens, SourceError> {
///         let answer = b"the-current-token-of-32-bytes-ok\n";
///         LoadedTokens::from_lines(answer)
///     }
/// }
///
/// let (layer, handle) = RequireTokenLayer::builder()
///     .source(Vault)
///     .build_with_handle()?;
/// assert_eq!(handle.reader().len(), 1);
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// The tokens of this moment. It may block; it is never called on the path of a request.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there is no token to be had. The last good ones then stay (`R5`).
    fn load(&self) -> Result<LoadedTokens, SourceError>;

    /// Whether one load can never see half of a change. New tokens of a source that says so are believed
    /// at once; those of any other are loaded a second time, 100 ms later, and must be the same (`R4`).
    fn is_atomic(&self) -> bool {
        false
    }

    /// The files that tokens are read from, if they are: what `watch_files()` (feature `inotify`) watches. Asked
    /// before every load, in the same way.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

impl<T: TokenSource + ?Sized> TokenSource for Box<T> {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        (**self).load()
    }

    fn is_atomic(&self) -> bool {
        (**self).is_atomic()
    }

    fn files(&self) -> Vec<PathBuf> {
        (**self).files()
    }
}

/// The tokens of one load: the current one, and the previous ones that the source still lists.
///
/// A source that lists previous tokens is believed: a token that it does not list ends at once. A source
/// that names the current token alone leaves the one before it to [`Overlap`](crate::Overlap) (`R7`).
#[derive(Clone, Debug)]
pub struct LoadedTokens {
    pub(crate) current: Token,
    pub(crate) previous: Vec<Token>,
}

impl LoadedTokens {
    /// The current token and no other.
    #[must_use]
    pub fn new(current: Token) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }

    /// Adds a previous token that is to be accepted as long as the source lists it.
    #[must_use]
    pub fn add_previous(mut self, token: Token) -> Self {
        self.previous.push(token);
        self
    }

    /// One token a line, the current one first. White space around a token and blank lines mean nothing;
    /// there is no comment syntax (`R2`).
    ///
    /// # Errors
    ///
    /// [`SourceErrorKind::Empty`] without a token, [`SourceErrorKind::InvalidToken`] if any line is not one, and
    /// [`SourceErrorKind::TooManyTokens`] for more than eight lines.
    pub fn from_lines(content: &[u8]) -> Result<Self, SourceError> {
        let mut lines = lines(content);
        let current = lines.next().ok_or(SourceErrorKind::Empty)??;
        let mut previous = Vec::with_capacity(MAX_TOKENS);
        for token in lines {
            if previous.len() == MAX_TOKENS - 1 {
                return Err(SourceErrorKind::TooManyTokens.into());
            }
            previous.push(token?);
        }
        Ok(Self { current, previous })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Token> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// What an operator should know about these tokens (`C1`), each at most once.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        notices::of(self.iter())
    }

    pub(crate) fn into_set(self) -> Result<TokenSet, ConfigError> {
        self.previous
            .into_iter()
            .try_fold(TokenSet::new(self.current), TokenSet::add_previous)
    }
}

/// The tokens in the lines that are not blank.
pub(super) fn lines(
    content: &[u8],
) -> impl Iterator<Item = Result<Token, SourceErrorKind>> + use<'_> {
    content
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| Token::from_bytes(line).map_err(SourceErrorKind::InvalidToken))
}

/// Why tokens could not be loaded. It holds nothing of what was read (`O4`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    kind: SourceErrorKind,
    path: Option<PathBuf>,
}

/// What stood in the way of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// There is no such file.
    NotFound,
    /// There is something else of that name, such as a folder.
    NotAFile,
    /// The operating system refused.
    Unreadable(io::ErrorKind),
    /// More than 64 KiB.
    TooLarge,
    /// Nothing but white space.
    Empty,
    /// A line is not a token (`C1`).
    InvalidToken(InvalidToken),
    /// More than eight tokens.
    TooManyTokens,
    /// A token is longer than the layer's limit on values, so that no request could present it.
    LongerThanLimit,
    /// Read twice, 100 ms apart, it was not the same: somebody is writing (`R4`).
    Unsettled,
    /// Not a JWT of three parts in base64url, whose payload is a JSON object (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    NotAJwt,
    /// A JWT of more than 8 KiB (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    JwtTooLong,
    /// A JWT that does not say when it ends, or not as a number of seconds (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    JwtWithoutExpiry,
    /// A JWT whose time is over (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    JwtExpired,
    /// A key-set file of more than 256 KiB (`T8`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    KeySetTooLong,
    /// Not a JSON Web Key Set (`T8`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    NotAKeySet,
    /// A key set of more than 64 keys (`T8`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    TooManyKeys,
    /// A key set without a key that every layer which follows the file could use (`T8`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
    NoUsableKey,
    /// What a source of the user's own says.
    Other(&'static str),
}

impl SourceError {
    /// An error of a source of your own. The text is part of the program, so that it can hold no secret.
    #[must_use]
    pub fn other(reason: &'static str) -> Self {
        SourceErrorKind::Other(reason).into()
    }

    /// What stood in the way.
    #[must_use]
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// The file, if it was one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn at(path: &Path, kind: SourceErrorKind) -> Self {
        Self {
            kind,
            path: Some(path.to_owned()),
        }
    }
}

impl From<SourceErrorKind> for SourceError {
    fn from(kind: SourceErrorKind) -> Self {
        Self { kind, path: None }
    }
}

impl fmt::Display for SourceErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("is not there"),
            Self::NotAFile => f.write_str("is not a file"),
            Self::Unreadable(kind) => write!(f, "cannot be read ({kind})"),
            Self::TooLarge => f.write_str("is longer than 64 KiB"),
            Self::Empty => f.write_str("holds no token"),
            Self::InvalidToken(reason) => write!(f, "has a line that {reason}"),
            Self::TooManyTokens => write!(f, "holds more than {MAX_TOKENS} tokens"),
            Self::LongerThanLimit => f.write_str("holds a token above the layer's limit on values"),
            Self::Unsettled => f.write_str("changed while it was read"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::NotAJwt => f.write_str("holds no JWT"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::JwtTooLong => f.write_str("holds a JWT longer than 8 KiB"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::JwtWithoutExpiry => f.write_str("holds a JWT without a usable `exp`"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::JwtExpired => f.write_str("holds a JWT whose `exp` is over"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::KeySetTooLong => f.write_str("is longer than 256 KiB"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::NotAKeySet => f.write_str("holds no JSON Web Key Set"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::TooManyKeys => f.write_str("holds more than 64 keys"),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Self::NoUsableKey => f.write_str(
                "holds no key that can be used: check their types and the allowed algorithms",
            ),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{} {}", path.display(), self.kind),
            None => write!(f, "the token source {}", self.kind),
        }
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_the_first_line_is_current_and_the_others_are_previous() {
        use SourceErrorKind as Kind;

        let invalid = |reason| Err(Kind::InvalidToken(reason));
        let eight = "abcdefgh".split("").collect::<Vec<_>>().join("\n");
        let nine = format!("{eight}i\n");
        let long = "x".repeat(1025);
        let table: &[(&str, &[u8], Result<&str, Kind>)] = &[
            ("one line", b"a", Ok("a")),
            ("one line with its end", b"a\n", Ok("a")),
            ("two lines", b"a\nb\n", Ok("a b")),
            ("lines of another system", b"a\r\nb\r\n", Ok("a b")),
            ("white space around", b" a \n\tb", Ok("a b")),
            ("blank lines", b"\n \na\n\n\r\nb\n\n", Ok("a b")),
            ("no comments", b"#a\n//b\n", Ok("#a //b")),
            ("eight", eight.as_bytes(), Ok("a b c d e f g h")),
            ("nothing", b"", Err(Kind::Empty)),
            ("blank", b" \r\n\t\n", Err(Kind::Empty)),
            ("nine", nine.as_bytes(), Err(Kind::TooManyTokens)),
            ("space inside", b"a b\n", invalid(InvalidToken::InvalidByte)),
            ("not UTF-8", b"\xff\xfe", invalid(InvalidToken::InvalidByte)),
            (
                "byte order mark",
                b"\xef\xbb\xbfa",
                invalid(InvalidToken::InvalidByte),
            ),
            ("NUL", b"a\0", invalid(InvalidToken::InvalidByte)),
            (
                "bad second line",
                b"a\nb c\n",
                invalid(InvalidToken::InvalidByte),
            ),
            ("too long", long.as_bytes(), invalid(InvalidToken::TooLong)),
        ];
        for (name, content, expected) in table {
            let tokens = LoadedTokens::from_lines(content)
                .map_err(|error| error.kind())
                .map(|loaded| {
                    let tokens: Vec<_> = loaded
                        .iter()
                        .map(|token| str::from_utf8(token.expose()).expect("ASCII"))
                        .collect();
                    tokens.join(" ")
                });
            assert_eq!(tokens.as_deref(), expected.as_deref(), "{name}");
        }
    }

    #[test]
    fn o4_an_error_says_what_is_wrong_and_nothing_of_the_content() {
        let error = LoadedTokens::from_lines(b"hunter2 hunter2").expect_err("a space");
        assert_eq!(
            error.to_string(),
            "the token source has a line that contains a space, a control character or a byte that \
             is not ASCII"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(
            SourceError::at(Path::new("/a/b"), SourceErrorKind::TooLarge).to_string(),
            "/a/b is longer than 64 KiB"
        );
    }
}
