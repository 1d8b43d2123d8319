//! The content of a token file: `LoadedTokens::from_lines` against a reading of its own (R2, C1).

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower_dapr_token::{
    DAPR_API_TOKEN, InvalidToken, LoadedTokens, RequireTokenLayer, SourceError, SourceErrorKind,
    TokenSource,
};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::poll;

/// Reads the input as a token file, twice over, and asks a layer which tokens came of it.
///
/// # Panics
///
/// If both readings differ.
pub fn check(input: &[u8]) -> String {
    let loaded = LoadedTokens::from_lines(input);
    let expected = match reading(input) {
        Ok(tokens) => tokens,
        Err(kind) => {
            assert_eq!(loaded.err().map(|error| error.kind()), Some(kind));
            return match kind {
                SourceErrorKind::Empty => "empty",
                SourceErrorKind::TooManyTokens => "too-many",
                _ => "invalid",
            }
            .to_owned();
        }
    };
    let source = Fixed(loaded.expect("a good file was refused"));
    let (layer, handle) = RequireTokenLayer::builder()
        .source(source)
        .build_with_handle()
        .expect("1 to 8 tokens");
    let mut service = layer.layer(Inner);
    let mut accepts = |value: &[u8]| {
        let mut request = Request::new(());
        let value = HeaderValue::from_bytes(value).expect("a byte of a token, or one like it");
        request.headers_mut().insert(DAPR_API_TOKEN, value);
        poll::call(&mut service, request).status() == 200
    };

    let mut different: Vec<&[u8]> = Vec::new();
    for token in expected {
        if !different.contains(&token) {
            different.push(token);
        }
    }
    assert_eq!(handle.reader().len(), different.len());
    let current = handle.reader().header_value().expect("a current token");
    assert_eq!(
        current.as_bytes(),
        different[0],
        "the first line is current"
    );
    assert!(current.is_sensitive());
    for token in &different {
        assert!(accepts(token), "{}", token.escape_ascii());
        for near in neighbours(token) {
            assert_eq!(
                accepts(&near),
                different.contains(&near.as_slice()),
                "{}",
                near.escape_ascii()
            );
        }
    }
    format!("tokens-{}", different.len())
}

/// The tokens of the lines that are not blank, in their order.
fn reading(content: &[u8]) -> Result<Vec<&[u8]>, SourceErrorKind> {
    let mut tokens = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        let line = trimmed(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            continue;
        }
        if tokens.len() == 8 {
            return Err(SourceErrorKind::TooManyTokens);
        }
        if line.len() > 1024 {
            return Err(SourceErrorKind::InvalidToken(InvalidToken::TooLong));
        }
        if line.iter().any(|byte| !(0x21..=0x7e).contains(byte)) {
            return Err(SourceErrorKind::InvalidToken(InvalidToken::InvalidByte));
        }
        tokens.push(line);
    }
    if tokens.is_empty() {
        return Err(SourceErrorKind::Empty);
    }
    Ok(tokens)
}

fn trimmed(mut line: &[u8]) -> &[u8] {
    let white = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | 0x0c);
    while let [first, rest @ ..] = line
        && white(*first)
    {
        line = rest;
    }
    while let [rest @ .., last] = line
        && white(*last)
    {
        line = rest;
    }
    line
}

/// Values that are almost the token: what a reading that cuts or joins lines otherwise would accept.
fn neighbours(token: &[u8]) -> [Vec<u8>; 5] {
    let mut changed = token.to_vec();
    if let Some(last) = changed.last_mut() {
        *last = if *last == b'~' { b'!' } else { *last + 1 };
    }
    [
        token[..token.len() - 1].to_vec(),
        token[1..].to_vec(),
        [token, b"x"].concat(),
        [token, b" "].concat(),
        changed,
    ]
}

#[derive(Clone)]
struct Fixed(LoadedTokens);

impl TokenSource for Fixed {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        Ok(self.0.clone())
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}
