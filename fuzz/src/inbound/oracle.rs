//! What must become of a request, by the rules of `docs/spec/auth.md` (sections 4, 5, 7 and 8) and over the bytes as they
//! were sent: no header map, no parsed address, no code of the crate.

use std::collections::BTreeMap;
use std::fmt;

use http::{Method, Version};

use super::scene::Scene;

const DEFAULT: &[u8] = b"dapr-api-token";
const LONGEST: usize = 1024;

/// How many values of a repeated header are looked at, where one is enough (E2).
const MOST_VALUES: usize = 4;

/// Names that HTTP uses itself (E1).
const TAKEN: [&[u8]; 16] = [
    b"connection",
    b"content-length",
    b"content-type",
    b"cookie",
    b"expect",
    b"host",
    b"http2-settings",
    b"keep-alive",
    b"origin",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

pub(super) enum Verdict {
    /// With the slot of the token, if there are tokens.
    Accepted(Option<u32>),
    Exempt,
    Refused(Reason),
}

/// Under the names of O2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Missing,
    Empty,
    Ambiguous,
    TooLarge,
    Mismatch,
    Unavailable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Ambiguous => "ambiguous",
            Self::TooLarge => "too_large",
            Self::Mismatch => "mismatch",
            Self::Unavailable => "unavailable",
        })
    }
}

/// A configured token without the white space around it, if it is one (C1).
pub(super) fn token(text: &[u8]) -> Option<&[u8]> {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c);
    let start = text.iter().position(|byte| !white(byte))?;
    let end = text.iter().rposition(|byte| !white(byte))? + 1;
    let token = &text[start..end];
    let plain = token.iter().all(|byte| (0x21..=0x7e).contains(byte));
    (plain && token.len() <= LONGEST).then_some(token)
}

/// The different tokens in their order; none if one of them is not a token.
fn tokens(scene: &Scene) -> Option<Vec<&[u8]>> {
    let mut tokens = Vec::new();
    for text in &scene.tokens {
        let token = token(text)?;
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    Some(tokens)
}

/// Whether a layer can be built (E1, E4, C1, X3).
pub(super) fn is_valid(scene: &Scene) -> bool {
    let Some(tokens) = tokens(scene) else {
        return false;
    };
    let limit = limit(scene);
    let tokens_fit = match scene.options {
        options if options.allow_all => true,
        options if options.unavailable => limit <= LONGEST,
        _ => {
            let longest = tokens.iter().map(|token| token.len()).max();
            tokens.len() <= 8 && limit <= LONGEST && Some(limit) >= longest
        }
    };
    let name = name(scene);
    let grpc = name.starts_with(b"grpc-") || name.ends_with(b"-bin");
    let cors = name.starts_with(b"access-control-");
    let odd = name.contains(&b'_') || name.starts_with(b"-");
    let name_fits = !grpc && !cors && !odd && !TAKEN.contains(&name);
    tokens_fit
        && name_fits
        && scene
            .exempt
            .iter()
            .all(|(_, path)| is_exact(path.as_bytes()))
}

/// Whether a path can be exempt: it means itself and nothing more (X3).
fn is_exact(path: &[u8]) -> bool {
    let plain = path.iter().all(|byte| {
        (0x21..=0x7e).contains(byte) && !matches!(byte, b'?' | b'#' | b'%' | b'*' | b'{')
    });
    let mut segments = path.split(|byte| *byte == b'/');
    let dots = segments.any(|segment| matches!(segment, b"." | b".."));
    let doubled = path.windows(2).any(|pair| pair == b"//");
    path.starts_with(b"/") && plain && !dots && !doubled
}

fn name(scene: &Scene) -> &[u8] {
    scene
        .name
        .as_ref()
        .map_or(DEFAULT, |name| name.as_str().as_bytes())
}

fn limit(scene: &Scene) -> usize {
    scene.limit.unwrap_or(LONGEST)
}

pub(super) fn verdict(scene: &Scene) -> Verdict {
    let reason = match judge(scene) {
        Ok(slot) => return Verdict::Accepted(Some(slot)),
        Err(reason) => reason,
    };
    let path = path(&scene.target);
    let listed = scene
        .exemptions()
        .iter()
        .any(|(method, exempt)| *method == scene.method && Some(exempt.as_bytes()) == path);
    let preflight = scene.options.preflight
        && scene.method == Method::OPTIONS
        && has(scene, b"origin")
        && has(scene, b"access-control-request-method");
    if listed || preflight {
        Verdict::Exempt
    } else if scene.options.allow_all {
        Verdict::Accepted(None)
    } else {
        Verdict::Refused(reason)
    }
}

/// The slot of the token (E2 to E4, C2).
fn judge(scene: &Scene) -> Result<u32, Reason> {
    let values: Vec<&[u8]> = scene
        .headers
        .iter()
        .filter(|(sent, _)| sent.eq_ignore_ascii_case(name(scene)))
        .map(|(_, value)| value.as_bytes())
        .collect();
    match values.as_slice() {
        [] => Err(Reason::Missing),
        // The first that is accepted; else what is wrong with the first of all.
        [first, ..] if scene.options.any_valid => values
            .iter()
            .take(MOST_VALUES)
            .find_map(|value| judge_value(scene, value).ok())
            .map_or_else(|| judge_value(scene, first), Ok),
        [value] => judge_value(scene, value),
        _ => Err(Reason::Ambiguous),
    }
}

/// The same of one value.
fn judge_value(scene: &Scene, value: &[u8]) -> Result<u32, Reason> {
    if value.is_empty() {
        return Err(Reason::Empty);
    }
    if value.len() > limit(scene) {
        return Err(Reason::TooLarge);
    }
    if scene.options.allow_all {
        return Err(Reason::Mismatch);
    }
    if scene.options.unavailable {
        return Err(Reason::Unavailable);
    }
    let tokens = tokens(scene).unwrap_or_default();
    (0..)
        .zip(tokens)
        .find_map(|(slot, token)| (token == value).then_some(slot))
        .ok_or(Reason::Mismatch)
}

/// The path of a request target as it was sent (RFC 9112, 3.2), if its form has one.
fn path(target: &[u8]) -> Option<&[u8]> {
    let end = |text: &[u8]| text.iter().position(|byte| matches!(byte, b'?' | b'#'));
    let target = end(target).map_or(target, |end| &target[..end]);
    if target == b"*" || target.starts_with(b"/") {
        return Some(target);
    }
    let authority = target.windows(3).position(|part| part == b"://")? + 3;
    let rest = &target[authority..];
    Some(
        rest.iter()
            .position(|byte| *byte == b'/')
            .map_or(b"/", |slash| &rest[slash..]),
    )
}

fn has(scene: &Scene, name: &[u8]) -> bool {
    scene
        .headers
        .iter()
        .any(|(sent, _)| sent.eq_ignore_ascii_case(name))
}

/// Whether it is the header that is read: what is left of it must be marked.
pub(super) fn is_token_header(scene: &Scene, sent: &[u8]) -> bool {
    sent.eq_ignore_ascii_case(name(scene))
}

/// What the inner service sees: every name with its values in their order (E5).
pub(super) fn forwarded(scene: &Scene) -> BTreeMap<String, Vec<Vec<u8>>> {
    let name = name(scene);
    let is_twin = |sent: &[u8], name: &[u8]| {
        sent != name
            && sent.len() == name.len()
            && sent
                .iter()
                .zip(name)
                .all(|(s, n)| s == n || (*s == b'_' && *n == b'-'))
    };
    let mut names = BTreeMap::<String, Vec<Vec<u8>>>::new();
    for (sent, value) in &scene.headers {
        let sent = sent.to_ascii_lowercase();
        let taken_out = if sent == name {
            !scene.options.keep
        } else {
            sent == DEFAULT
                || (scene.options.strip && (is_twin(&sent, name) || is_twin(&sent, DEFAULT)))
        };
        if !taken_out {
            let sent = String::from_utf8(sent).expect("a header name is ASCII");
            names
                .entry(sent)
                .or_default()
                .push(value.as_bytes().to_vec());
        }
    }
    names
}

/// The content type of the answer, if it is one of gRPC's (J2).
pub(super) fn format(scene: &Scene) -> Option<&'static str> {
    let (_, value) = scene
        .headers
        .iter()
        .find(|(sent, _)| sent.eq_ignore_ascii_case(b"content-type"))?;
    let value = value.as_bytes().to_ascii_lowercase();
    let end = value
        .iter()
        .position(|byte| matches!(byte, b'+' | b';'))
        .unwrap_or(value.len());
    let (kind, suffix) = value.split_at(end);
    let suffix_end = suffix
        .iter()
        .position(|byte| *byte == b';')
        .unwrap_or(suffix.len());
    let is_proto = &suffix[..suffix_end] == b"+proto";
    if scene.method != Method::POST {
        return None;
    }
    match kind {
        b"application/grpc" if scene.version >= Version::HTTP_2 => Some("application/grpc"),
        b"application/grpc-web" if is_proto => Some("application/grpc-web+proto"),
        b"application/grpc-web" => Some("application/grpc-web"),
        b"application/grpc-web-text" if is_proto => Some("application/grpc-web-text+proto"),
        b"application/grpc-web-text" => Some("application/grpc-web-text"),
        _ => None,
    }
}
