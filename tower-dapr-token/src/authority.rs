//! What stands between the scheme and the path of an address: a host, which may be this machine, and a port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::uri::Authority;

pub(crate) fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

/// Host and port without user information. `None` if what follows the host is not a port: `http` takes
/// `host:99999` for an authority.
pub(crate) fn split(authority: &Authority) -> Option<(&str, Option<u16>)> {
    let host = authority.host();
    let text = authority.as_str();
    let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    match text.strip_prefix(host)? {
        "" => Some((host, None)),
        rest => Some((host, Some(port(rest.strip_prefix(':')?)?))),
    }
}

/// Digits alone: `+80` and `080` are ports to some programs and not to others.
fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

/// `localhost`, `127.0.0.0/8`, `::1` and the IPv4 loopback mapped into IPv6. No suffix rule:
/// `localhost.example.com` is somebody else.
pub(crate) fn is_loopback(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = match bare {
        Some(v6) => v6.parse::<Ipv6Addr>().map(|v6| v6.to_canonical()),
        None => host.parse::<Ipv4Addr>().map(IpAddr::V4),
    };
    address.is_ok_and(|address| address.is_loopback())
}
