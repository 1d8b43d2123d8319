//! An input as a configuration and a request.
//!
//! | line | what it says |
//! | --- | --- |
//! | `o FLAGS` | options: `k` keep_header, `s` strip_underscore_variants, `v` any_valid, `e` with_extensions, `d` daprd_compat, `r` rejection_in_extensions, `c` exempt_cors_preflight, `l` tokens from a reader, `u` no token loaded yet, `a` insecure_allow_all |
//! | `n NAME` | header_name |
//! | `m N` | max_value_len |
//! | `t TOKEN` | a token; the first is the current one |
//! | `p FLAGS` | presets: `h` http_health, `p` daprd_probes, `d` daprd_discovery, `g` grpc_health |
//! | `x METHOD PATH` | exempt |
//! | `r METHOD VERSION TARGET` | the request line |
//! | `h NAME:VALUE` | a header |
//!
//! What cannot be said in the types of `http` is left out: no server would hand it on.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use tower_dapr_token::{
    ConfigError, LoadedTokens, RequireTokenLayer, SourceError, Token, TokenHandle, TokenSet,
    TokenSource,
};

use super::oracle;
use crate::lines::{lines, split, value};

/// Where nothing else is said.
const TOKEN: &[u8] = b"the-token";

pub(super) struct Scene {
    pub(super) options: Options,
    pub(super) name: Option<HeaderName>,
    pub(super) limit: Option<usize>,
    pub(super) tokens: Vec<Vec<u8>>,
    pub(super) exempt: Vec<(Method, String)>,
    pub(super) method: Method,
    pub(super) version: Version,
    /// As it was sent.
    pub(super) target: Vec<u8>,
    pub(super) uri: Uri,
    /// As they were sent, in their order.
    pub(super) headers: Vec<(Vec<u8>, HeaderValue)>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) keep: bool,
    pub(super) strip: bool,
    pub(super) any_valid: bool,
    pub(super) extensions: bool,
    pub(super) daprd: bool,
    pub(super) rejection: bool,
    pub(super) preflight: bool,
    pub(super) reader: bool,
    pub(super) unavailable: bool,
    pub(super) allow_all: bool,
    http_health: bool,
    probes: bool,
    discovery: bool,
    grpc_health: bool,
}

impl Scene {
    pub(super) fn read(input: &[u8]) -> Self {
        let mut scene = Self {
            options: Options::default(),
            name: None,
            limit: None,
            tokens: Vec::new(),
            exempt: Vec::new(),
            method: Method::POST,
            version: Version::HTTP_11,
            target: b"/".to_vec(),
            uri: Uri::from_static("/"),
            headers: Vec::new(),
        };
        for (letter, rest) in lines(input) {
            scene.read_line(letter, rest);
        }
        if scene.tokens.is_empty() {
            scene.tokens.push(TOKEN.to_vec());
        }
        scene
    }

    fn read_line(&mut self, letter: u8, rest: &[u8]) -> Option<()> {
        match letter {
            b'o' => rest.iter().for_each(|flag| self.options.set(*flag)),
            b'p' => rest.iter().for_each(|flag| self.options.set_preset(*flag)),
            b'n' => self.name = Some(HeaderName::from_bytes(rest).ok()?),
            b'm' => self.limit = Some(str::from_utf8(rest).ok()?.parse().ok()?),
            b't' => self.tokens.push(value(rest)),
            b'x' => {
                let (method, path) = split(rest, b' ')?;
                let path = str::from_utf8(path).ok()?.to_owned();
                self.exempt.push((Method::from_bytes(method).ok()?, path));
            }
            b'r' => {
                let (method, rest) = split(rest, b' ')?;
                let (version, target) = split(rest, b' ')?;
                self.method = Method::from_bytes(method).ok()?;
                self.version = match version {
                    b"0.9" => Version::HTTP_09,
                    b"1.0" => Version::HTTP_10,
                    b"1.1" => Version::HTTP_11,
                    b"2" => Version::HTTP_2,
                    b"3" => Version::HTTP_3,
                    _ => return None,
                };
                self.uri = Uri::try_from(target).ok()?;
                self.target = target.to_vec();
            }
            b'h' => {
                let (name, rest) = split(rest, b':')?;
                HeaderName::from_bytes(name).ok()?;
                let value = HeaderValue::from_bytes(&value(rest)).ok()?;
                self.headers.push((name.to_vec(), value));
            }
            _ => {}
        }
        Some(())
    }

    /// The layer, if the configuration is taken.
    pub(super) fn layer(&self) -> Option<RequireTokenLayer> {
        let tokens: Option<Vec<Token>> = self.tokens.iter().map(|token| read(token)).collect();
        let mut builder = RequireTokenLayer::builder();
        if let Some(name) = &self.name {
            builder = builder.header_name(name.clone());
        }
        if let Some(limit) = self.limit {
            builder = builder.max_value_len(limit);
        }
        for (method, path) in &self.exempt {
            builder = builder.exempt(method.clone(), path);
        }
        let options = self.options;
        for (asked, method) in [
            (options.keep, RequireTokenBuilder::keep_header as Setting),
            (
                options.strip,
                RequireTokenBuilder::strip_underscore_variants,
            ),
            (options.any_valid, RequireTokenBuilder::any_valid),
            (options.extensions, RequireTokenBuilder::with_extensions),
            (options.daprd, RequireTokenBuilder::daprd_compat),
            (
                options.rejection,
                RequireTokenBuilder::rejection_in_extensions,
            ),
            (
                options.preflight,
                RequireTokenBuilder::exempt_cors_preflight,
            ),
            (options.http_health, RequireTokenBuilder::http_health),
            (options.probes, RequireTokenBuilder::daprd_probes),
            (options.discovery, RequireTokenBuilder::daprd_discovery),
            (options.grpc_health, RequireTokenBuilder::grpc_health),
        ] {
            if asked {
                builder = method(builder);
            }
        }
        with_tokens(builder, tokens?, options).ok()
    }

    pub(super) fn request(&self) -> Request<()> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name).expect("it was one when it was read");
            headers.append(name, value.clone());
        }
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = headers;
        request
    }

    /// The exemptions, presets included.
    pub(super) fn exemptions(&self) -> Vec<(Method, &str)> {
        let mut pairs: Vec<(Method, &str)> = self
            .exempt
            .iter()
            .map(|(method, path)| (method.clone(), path.as_str()))
            .collect();
        for (asked, method, paths) in [
            (self.options.http_health, Method::GET, &["/healthz"][..]),
            (
                self.options.probes,
                Method::POST,
                &["/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck"],
            ),
            (
                self.options.discovery,
                Method::POST,
                &[
                    "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions",
                    "/dapr.proto.runtime.v1.AppCallback/ListInputBindings",
                ],
            ),
            (
                self.options.grpc_health,
                Method::POST,
                &[
                    "/grpc.health.v1.Health/Check",
                    "/grpc.health.v1.Health/Watch",
                ],
            ),
        ] {
            if asked {
                pairs.extend(paths.iter().map(|path| (method.clone(), *path)));
            }
        }
        pairs
    }
}

impl Options {
    fn set(&mut self, flag: u8) {
        match flag {
            b'k' => self.keep = true,
            b's' => self.strip = true,
            b'v' => self.any_valid = true,
            b'e' => self.extensions = true,
            b'd' => self.daprd = true,
            b'r' => self.rejection = true,
            b'c' => self.preflight = true,
            b'l' => self.reader = true,
            b'u' => self.unavailable = true,
            b'a' => self.allow_all = true,
            _ => {}
        }
    }

    fn set_preset(&mut self, flag: u8) {
        match flag {
            b'h' => self.http_health = true,
            b'p' => self.probes = true,
            b'd' => self.discovery = true,
            b'g' => self.grpc_health = true,
            _ => {}
        }
    }
}

type RequireTokenBuilder = tower_dapr_token::RequireTokenBuilder<'static>;
type Setting = fn(RequireTokenBuilder) -> RequireTokenBuilder;

/// A token, if it is one; the oracle must agree.
fn read(text: &[u8]) -> Option<Token> {
    let token = Token::try_from(text.to_vec()).ok();
    let told = token.as_ref().map(Token::expose);
    assert_eq!(told, oracle::token(text), "{}", text.escape_ascii());
    token
}

fn with_tokens(
    builder: RequireTokenBuilder,
    tokens: Vec<Token>,
    options: Options,
) -> Result<RequireTokenLayer, ConfigError> {
    if options.allow_all {
        return builder.insecure_allow_all().build();
    }
    if options.unavailable {
        return builder.source(Nothing).build_lazy().map(|(layer, _)| layer);
    }
    let mut tokens = tokens.into_iter();
    let current = tokens.next().expect("there is a default");
    if options.reader {
        let set = tokens.try_fold(TokenSet::new(current), TokenSet::add_previous)?;
        return builder.reader(TokenHandle::new(set).reader()).build();
    }
    tokens
        .fold(builder.token(current), RequireTokenBuilder::add_previous)
        .build()
}

/// A source that is not there yet.
struct Nothing;

impl TokenSource for Nothing {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        Err(SourceError::other("is not there"))
    }
}
