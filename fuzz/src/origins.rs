//! Where the outbound layer sends the token: nowhere but to an origin that is allowed to the letter (I2 to I4).
//!
//! | line | what it says |
//! | --- | --- |
//! | `s FLAGS` | settings: `d` dapr_origins, `l` any_loopback_port, `k` keep_existing, `e` leave_for_other_origins, `c` header_name(x-token) |
//! | `o ORIGIN` | add_origin |
//! | `O ORIGIN` | add_origin with allow_plaintext |
//! | `f ORIGIN` | for_fixed_origin; `unix` is a socket |
//! | `v NAME=VALUE` | an environment variable |
//! | `u TARGET` | the address of the request |
//! | `h NAME:VALUE` | a header of the request |

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::future::{Ready, ready};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::task::{Context, Poll};

use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use tower_dapr_token::{InjectTokenLayer, Origin};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::inbound::by_name;
use crate::lines::{lines, split};
use crate::poll;

const TOKEN: &str = "the-token";
const DEFAULT: &str = "dapr-api-token";
const CUSTOM: &str = "x-token";

/// Sends the request of the input through the layer of the input.
///
/// # Panics
///
/// If anything is otherwise than the oracle says.
pub fn check(input: &[u8]) -> String {
    let scene = Scene::read(input);
    let allowed = scene.allowed();
    let Some(layer) = scene.layer() else {
        assert!(allowed.is_none(), "a valid configuration was refused");
        return "no-layer".to_owned();
    };
    let allowed = allowed.expect("an invalid configuration was taken");
    let mut service = layer.layer(Inner { seen: Vec::new() });
    poll::call(&mut service, scene.request());
    let [parts] = service.get_ref().seen.as_slice() else {
        unreachable!("sent once");
    };
    assert_eq!(parts.uri, scene.uri);

    let name = if scene.settings.contains(&b'c') {
        CUSTOM
    } else {
        DEFAULT
    };
    let mut expected = scene.headers();
    let own = expected.get(name).map_or(0, Vec::len);
    let is_allowed = allowed.holds(&scene.target);
    let outcome = if !is_allowed && scene.settings.contains(&b'e') {
        "left"
    } else if !is_allowed {
        expected.remove(name);
        expected.remove(DEFAULT);
        "withheld"
    } else if scene.settings.contains(&b'k') && own == 1 {
        "kept"
    } else {
        expected.insert(name.to_owned(), vec![TOKEN.as_bytes().to_vec()]);
        "injected"
    };
    assert_eq!(by_name(&parts.headers), expected, "{outcome}");
    for (sent, value) in &parts.headers {
        assert_eq!(value.is_sensitive(), is_allowed && sent == name, "{sent}");
    }
    outcome.to_owned()
}

#[derive(Default)]
struct Scene {
    settings: Vec<u8>,
    /// Each with whether it may be plain.
    listed: Vec<(String, bool)>,
    fixed: Vec<String>,
    variables: BTreeMap<String, OsString>,
    target: Vec<u8>,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Scene {
    fn read(input: &[u8]) -> Self {
        let mut scene = Self {
            target: b"/".to_vec(),
            ..Self::default()
        };
        for (letter, rest) in lines(input) {
            scene.read_line(letter, rest);
        }
        scene
    }

    fn read_line(&mut self, letter: u8, rest: &[u8]) -> Option<()> {
        let text = || Some(str::from_utf8(rest).ok()?.to_owned());
        match letter {
            b's' => self.settings.extend_from_slice(rest),
            b'o' | b'O' => {
                let text = text()?;
                if read(&text).is_some() {
                    self.listed.push((text, letter == b'O'));
                }
            }
            b'f' => {
                let text = text()?;
                if text == "unix" || read(&text).is_some() {
                    self.fixed.push(text);
                }
            }
            b'v' => {
                let text = text()?;
                let (name, value) = text.split_once('=')?;
                self.variables.insert(name.to_owned(), value.into());
            }
            b'u' => {
                self.uri = Uri::try_from(rest).ok()?;
                self.target = rest.to_vec();
            }
            b'h' => {
                let (name, value) = split(rest, b':')?;
                let name = HeaderName::from_bytes(name).ok()?;
                self.headers
                    .push((name, HeaderValue::from_bytes(value).ok()?));
            }
            _ => {}
        }
        Some(())
    }

    fn layer(&self) -> Option<InjectTokenLayer> {
        let environment = |name: &str| self.variables.get(name).cloned();
        let mut builder = InjectTokenLayer::builder()
            .environment(&environment)
            .token(TOKEN.parse().expect("a token"));
        for flag in &self.settings {
            builder = match flag {
                b'd' => builder.dapr_origins(),
                b'l' => builder.any_loopback_port(),
                b'k' => builder.keep_existing(),
                b'e' => builder.leave_for_other_origins(),
                b'c' => builder.header_name(HeaderName::from_static(CUSTOM)),
                _ => builder,
            };
        }
        for (text, plain) in &self.listed {
            let origin = read(text).expect("it was one when it was read");
            builder = builder.add_origin(if *plain {
                origin.allow_plaintext()
            } else {
                origin
            });
        }
        for text in &self.fixed {
            let origin = if text == "unix" {
                Some(Origin::unix())
            } else {
                read(text)
            };
            builder = builder.for_fixed_origin(origin.expect("it was one when it was read"));
        }
        builder.build().ok()
    }

    /// What may get the token; `None` if there is a mistake.
    fn allowed(&self) -> Option<Allowed> {
        let mut allowed = Allowed::default();
        // Those that are not allowed to be plain, and those that are.
        let (mut strict, mut pardoned) = (Vec::new(), Vec::new());
        for (text, plain) in &self.listed {
            let place = place(text.trim())?;
            if *plain { &mut pardoned } else { &mut strict }.push(place);
        }
        for text in &self.fixed {
            allowed.without_authority = true;
            if text != "unix" {
                strict.push(place(text.trim())?);
            }
        }
        if self.settings.contains(&b'd') {
            for name in ["DAPR_HTTP_ENDPOINT", "DAPR_GRPC_ENDPOINT"] {
                if let Some(text) = self.variable(name) {
                    strict.extend(endpoint(&text)?);
                }
            }
            let mut ports = Vec::new();
            for (name, usual) in [("DAPR_HTTP_PORT", 3500), ("DAPR_GRPC_PORT", 50001)] {
                let port = match self.variable(name) {
                    Some(text) => text.parse().ok().filter(|port| *port != 0)?,
                    None => usual,
                };
                ports.push(port);
            }
            allowed.loopback = Some(ports);
        }
        allowed.any_loopback = self.settings.contains(&b'l');
        let exposed = strict
            .iter()
            .any(|place| !place.tls && !is_loopback(&place.host) && !pardoned.contains(place));
        allowed.listed = [strict, pardoned].concat();
        let somewhere = allowed.any_loopback
            || allowed.loopback.is_some()
            || allowed.without_authority
            || !allowed.listed.is_empty();
        (somewhere && !exposed).then_some(allowed)
    }

    /// A variable that is not blank.
    fn variable(&self, name: &str) -> Option<String> {
        let text = self.variables.get(name)?.to_str()?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = self.uri.clone();
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        request
    }

    fn headers(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        by_name(self.request().headers())
    }
}

/// An origin, if it is one; the oracle must agree. What it prints is the same origin.
fn read(text: &str) -> Option<Origin> {
    let origin = text.parse::<Origin>().ok();
    assert_eq!(origin.is_some(), place(text.trim()).is_some(), "{text:?}");
    if let Some(origin) = &origin {
        let again = origin.to_string().parse::<Origin>();
        assert_eq!(again.as_ref().ok(), Some(origin), "{text:?}");
    }
    origin
}

/// What may get the token, as it was written.
#[derive(Default)]
struct Allowed {
    listed: Vec<Place>,
    /// Loopback on these ports.
    loopback: Option<Vec<u16>>,
    any_loopback: bool,
    without_authority: bool,
}

#[derive(Clone, PartialEq)]
struct Place {
    tls: bool,
    /// In lower case.
    host: String,
    port: u16,
}

impl Allowed {
    fn holds(&self, target: &[u8]) -> bool {
        // What is no text is in the path or behind it, which is not looked at.
        let target = &*String::from_utf8_lossy(target);
        if target.starts_with('/') || target == "*" {
            return self.without_authority;
        }
        // Without a scheme it is an authority alone, which says nothing of how it is reached.
        let Some(place) = address(target, |authority| {
            authority
                .rsplit_once('@')
                .map_or(authority, |(_, rest)| rest)
                .to_owned()
        }) else {
            return false;
        };
        let on_loopback = is_loopback(&place.host)
            && (self.any_loopback
                || self
                    .loopback
                    .iter()
                    .flatten()
                    .any(|port| *port == place.port));
        on_loopback || self.listed.contains(&place)
    }
}

/// A configured origin: no query, no user information.
fn place(text: &str) -> Option<Place> {
    let before_path = text.split('#').next()?;
    if before_path.contains('?') || !is_address(text) {
        return None;
    }
    let place = address(text, str::to_owned)?;
    (!place.host.is_empty() && !place.host.contains('@')).then_some(place)
}

/// Whether `http` takes it for an address at all: which characters may stand where is not what is tested here.
fn is_address(text: &str) -> bool {
    text.parse::<Uri>().is_ok()
}

/// `DAPR_HTTP_ENDPOINT` and its like: the outer `None` is a mistake, the inner one a socket.
fn endpoint(text: &str) -> Option<Option<Place>> {
    if text.starts_with("unix:") {
        return Some(None);
    }
    let Some(address) = text.strip_prefix("dns:") else {
        return place(text).map(Some);
    };
    let (address, tls) = match address.split_once('?') {
        None => (address, false),
        Some((address, "tls=true")) => (address, true),
        Some((address, "tls=false")) => (address, false),
        Some(_) => return None,
    };
    let is_authority = address.parse::<http::uri::Authority>().is_ok();
    if !is_authority || address.contains('@') {
        return None;
    }
    let (host, port) = host_and_port(address)?;
    (!host.is_empty()).then_some(Some(Place {
        tls,
        host,
        port: port.unwrap_or(443),
    }))
}

/// `scheme://authority`, with what is to be done to the authority.
fn address(text: &str, authority_of: impl Fn(&str) -> String) -> Option<Place> {
    let (scheme, rest) = text.split_once("://")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = host_and_port(&authority_of(authority))?;
    Some(Place {
        tls,
        host,
        port: port.unwrap_or(if tls { 443 } else { 80 }),
    })
}

/// The host in lower case, and the port if one is given: digits that begin with no zero.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let end = match text.starts_with('[') {
        true => text.find(']')? + 1,
        false => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(end);
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        None => return None,
        Some(digits) => {
            if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            Some(digits.parse().ok()?)
        }
    };
    Some((host.to_ascii_lowercase(), port))
}

/// `localhost`, 127.0.0.0/8, `::1`, and the former mapped into IPv6.
fn is_loopback(host: &str) -> bool {
    if let Some(bare) = host.strip_prefix('[') {
        let Ok(address) = bare.trim_end_matches(']').parse::<Ipv6Addr>() else {
            return false;
        };
        let mapped = address
            .to_ipv4_mapped()
            .is_some_and(|v4| v4.octets()[0] == 127);
        return address == Ipv6Addr::LOCALHOST || mapped;
    }
    host == "localhost"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|v4| v4.octets()[0] == 127)
}

struct Inner {
    seen: Vec<Parts>,
}

impl Service<Request<()>> for Inner {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.seen.push(request.into_parts().0);
        ready(Ok(Response::default()))
    }
}
