//! Step 1: method, path and query become a request, or a refusal. Pure.
//!
//! 1. The raw path is split on `/`, and empty segments are dropped. A segment that is `.` or
//!    `..` is no name: the path matches nothing.
//! 2. The route's own segments are compared raw. The store and the name are decoded once:
//!    `%XX`, and `+` to a space. A bad triplet, or bytes that are not UTF-8: bad request.
//! 3. The raw segment `bulk` asks for everything; `bul%6B` asks for a secret of that name.
//! 4. The method is looked at when the path has matched, the names after that.
//! 5. `metadata.KEY=VALUE` parameters become request metadata, the first of equal keys wins,
//!    other parameters are ignored. A parameter that cannot be decoded is a bad request, or is
//!    dropped in the daprd profile.

use std::borrow::Cow;

use http::{Method, Uri};

use crate::api::Profile;
use crate::request::{InvalidRequest, Metadata, SecretName, SecretsRequest, StoreName};

/// Longest query in bytes, as it arrives.
const QUERY_MAX: usize = 8 << 10;
/// What every path starts with, unless the service is nested.
const PREFIX: [&str; 2] = ["v1.0", "secrets"];

/// Which part of the path the service sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mount {
    /// All of it.
    FullPath,
    /// What is left after `/v1.0/secrets`.
    Nested,
}

/// Why a request is not one for the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NotFound,
    MethodNotAllowed,
    Bad(InvalidRequest),
}

impl From<InvalidRequest> for Refusal {
    fn from(fault: InvalidRequest) -> Self {
        Self::Bad(fault)
    }
}

pub(super) fn route(
    method: &Method,
    uri: &Uri,
    mount: Mount,
    profile: Profile,
) -> Result<SecretsRequest, Refusal> {
    let (store, name) = match_path(uri.path(), mount).ok_or(Refusal::NotFound)?;
    if method != Method::GET && method != Method::HEAD {
        return Err(Refusal::MethodNotAllowed);
    }
    let store = StoreName::try_from(&*decode_segment(store)?)?;
    if name == "bulk" {
        let metadata = metadata(uri.query(), profile)?;
        return Ok(SecretsRequest::Bulk { store, metadata });
    }
    let name = SecretName::try_from(&*decode_segment(name)?)?;
    let metadata = metadata(uri.query(), profile)?;
    Ok(SecretsRequest::Get {
        store,
        name,
        metadata,
    })
}

/// The raw segments of the store and of the name.
fn match_path(path: &str, mount: Mount) -> Option<(&str, &str)> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    if mount == Mount::FullPath && !PREFIX.iter().all(|part| segments.next() == Some(part)) {
        return None;
    }
    let (store, name) = (segments.next()?, segments.next()?);
    let is_dots = |segment| matches!(segment, "." | "..");
    if segments.next().is_some() || is_dots(store) || is_dots(name) {
        return None;
    }
    Some((store, name))
}

fn decode_segment(raw: &str) -> Result<Cow<'_, str>, InvalidRequest> {
    decode(raw).ok_or(InvalidRequest::new(
        "the path holds a bad percent escape, or is not UTF-8 once decoded",
    ))
}

fn metadata(query: Option<&str>, profile: Profile) -> Result<Metadata, InvalidRequest> {
    let mut metadata = Metadata::default();
    let query = query.unwrap_or_default();
    if query.len() > QUERY_MAX {
        return Err(InvalidRequest::new("the query is longer than 8192 bytes"));
    }
    for parameter in query.split('&') {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (decode(key), decode(value)) {
            (Some(key), Some(value)) => match key.strip_prefix("metadata.") {
                Some(key) if !key.is_empty() => metadata.insert(key, &value)?,
                _ => {}
            },
            _ if profile == Profile::Daprd => {}
            _ => {
                return Err(InvalidRequest::new(
                    "the query holds a bad percent escape, or is not UTF-8 once decoded",
                ));
            }
        }
    }
    Ok(metadata)
}

/// Decodes `%XX` and `+`, once. `None` for a bad triplet or for bytes that are not UTF-8.
fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains(['%', '+']) {
        return Some(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, target: &str, mount: Mount, profile: Profile) -> Result<String, Refusal> {
        let uri: Uri = target.parse().expect("a target that a server accepts");
        let method: Method = method.parse().expect("a method");
        route(&method, &uri, mount, profile).map(|request| match request {
            SecretsRequest::Get {
                store,
                name,
                metadata,
            } => format!("{}|{}{}", store.as_str(), name.as_str(), shown(&metadata)),
            SecretsRequest::Bulk { store, metadata } => {
                format!("{}|*{}", store.as_str(), shown(&metadata))
            }
        })
    }

    fn shown(metadata: &Metadata) -> String {
        metadata.iter().map(|(k, v)| format!("|{k}={v}")).collect()
    }

    fn get(target: &str) -> Result<String, Refusal> {
        ask("GET", target, Mount::FullPath, Profile::Documented)
    }

    fn is_bad(answer: &Result<String, Refusal>) -> bool {
        matches!(answer, Err(Refusal::Bad(_)))
    }

    #[test]
    fn api_b1_segments_are_split_raw_and_decoded_once() {
        for (name, target, seen) in [
            ("plain", "/v1.0/secrets/s/n", "s|n"),
            ("escaped slash", "/v1.0/secrets/s/a%2Fb", "s|a/b"),
            ("lower-case hex", "/v1.0/secrets/s/a%2fb", "s|a/b"),
            ("escaped space", "/v1.0/secrets/s/a%20b", "s|a b"),
            ("plus is a space", "/v1.0/secrets/s/a+b", "s|a b"),
            ("escaped plus", "/v1.0/secrets/s/a%2Bb", "s|a+b"),
            ("decoded only once", "/v1.0/secrets/s/a%252Fb", "s|a%2Fb"),
            ("a colon", "/v1.0/secrets/s/db:user", "s|db:user"),
            ("an escaped colon", "/v1.0/secrets/s/db%3Auser", "s|db:user"),
            ("a quote", "/v1.0/secrets/s/quote%22d", "s|quote\"d"),
            ("not ASCII", "/v1.0/secrets/s/h%C3%A9", "s|h\u{e9}"),
            (
                "the store too",
                "/v1.0/secrets/file%73tore/n",
                "filestore|n",
            ),
            ("question mark", "/v1.0/secrets/s/a%3Fb", "s|a?b"),
            ("number sign", "/v1.0/secrets/s/a%23b", "s|a#b"),
            ("backslash", "/v1.0/secrets/s/a%5Cb", "s|a\\b"),
            ("semicolon", "/v1.0/secrets/s/a;b=c", "s|a;b=c"),
            ("absolute form", "http://h/v1.0/secrets/s/n", "s|n"),
        ] {
            assert_eq!(get(target).as_deref(), Ok(seen), "{name}");
        }
    }

    #[test]
    fn api_b1_what_cannot_be_decoded_is_a_bad_request() {
        for (name, target) in [
            ("bad triplet", "/v1.0/secrets/s/%zz"),
            ("cut triplet", "/v1.0/secrets/s/a%2"),
            ("lone percent", "/v1.0/secrets/s/100%"),
            ("sign in a triplet", "/v1.0/secrets/s/%+1"),
            ("not UTF-8", "/v1.0/secrets/s/%ff"),
            ("overlong slash", "/v1.0/secrets/s/%c0%af"),
            ("surrogate", "/v1.0/secrets/s/%ed%a0%80"),
            ("bad store", "/v1.0/secrets/%zz/n"),
            ("bad store, bulk", "/v1.0/secrets/%zz/bulk"),
            ("nul", "/v1.0/secrets/s/%00"),
            ("line feed", "/v1.0/secrets/s/a%0Ab"),
            ("carriage return in the store", "/v1.0/secrets/s%0D/n"),
            ("delete", "/v1.0/secrets/s/%7F"),
            ("a control of the second block", "/v1.0/secrets/s/%C2%85"),
        ] {
            assert!(is_bad(&get(target)), "{name}");
        }
    }

    #[test]
    fn api_b2_only_the_raw_segment_bulk_means_bulk() {
        for (name, target, seen) in [
            ("bulk", "/v1.0/secrets/s/bulk", "s|*"),
            ("escaped", "/v1.0/secrets/s/bul%6B", "s|bulk"),
            ("other case", "/v1.0/secrets/s/Bulk", "s|Bulk"),
            ("store called bulk", "/v1.0/secrets/bulk/bulk", "bulk|*"),
            ("secret of that store", "/v1.0/secrets/bulk/n", "bulk|n"),
        ] {
            assert_eq!(get(target).as_deref(), Ok(seen), "{name}");
        }
    }

    #[test]
    fn api_b3_empty_segments_are_dropped_and_dots_never_resolved() {
        for (name, target, seen) in [
            ("trailing slash", "/v1.0/secrets/s/n/", Ok("s|n")),
            ("doubled inside", "/v1.0//secrets/s/n", Ok("s|n")),
            ("doubled at the start", "//v1.0/secrets/s/n", Ok("s|n")),
            ("before the name", "/v1.0/secrets/s//n", Ok("s|n")),
            ("bulk and a slash", "/v1.0/secrets/s/bulk/", Ok("s|*")),
            ("no name", "/v1.0/secrets/s", Err(Refusal::NotFound)),
            ("empty name", "/v1.0/secrets/s/", Err(Refusal::NotFound)),
            ("empty names", "/v1.0/secrets/s///", Err(Refusal::NotFound)),
            ("no store", "/v1.0/secrets/", Err(Refusal::NotFound)),
            (
                "one segment more",
                "/v1.0/secrets/s/a/b",
                Err(Refusal::NotFound),
            ),
            (
                "dots before",
                "/v1.0/x/../secrets/s/n",
                Err(Refusal::NotFound),
            ),
            (
                "a dot before",
                "/v1.0/./secrets/s/n",
                Err(Refusal::NotFound),
            ),
            (
                "dots as the name",
                "/v1.0/secrets/s/..",
                Err(Refusal::NotFound),
            ),
            (
                "a dot as the name",
                "/v1.0/secrets/s/.",
                Err(Refusal::NotFound),
            ),
            (
                "dots as the store",
                "/v1.0/secrets/../n",
                Err(Refusal::NotFound),
            ),
            (
                "dots behind",
                "/v1.0/secrets/s/n/..",
                Err(Refusal::NotFound),
            ),
            (
                "escaped dots are a name",
                "/v1.0/secrets/s/%2e%2E",
                Ok("s|.."),
            ),
            ("an escaped dot is a name", "/v1.0/secrets/s/%2e", Ok("s|.")),
            ("three dots are a name", "/v1.0/secrets/s/...", Ok("s|...")),
        ] {
            assert_eq!(get(target).as_deref(), seen.as_ref().copied(), "{name}");
        }
    }

    #[test]
    fn api_b_any_other_path_is_not_found() {
        for target in [
            "/",
            "*",
            "/v1.0",
            "/v1.0/secret/s/n",
            "/V1.0/secrets/s/n",
            "/v1.0/Secrets/s/n",
            "/v1%2E0/secrets/s/n",
            "/v1.0/secret%73/s/n",
            "/v1.0%2Fsecrets/s/n",
            "/s/n",
            "/v1.1/secrets/s/n",
            "/v1.0-alpha1/secrets/s/watch",
        ] {
            assert_eq!(get(target), Err(Refusal::NotFound), "{target}");
        }
    }

    #[test]
    fn api_b7_a_nested_service_never_takes_the_full_path_too() {
        for (name, target, mount, seen) in [
            ("nested", "/s/n", Mount::Nested, Ok("s|n")),
            ("nested bulk", "/s/bulk", Mount::Nested, Ok("s|*")),
            (
                "nested, full path",
                "/v1.0/secrets/s/n",
                Mount::Nested,
                Err(Refusal::NotFound),
            ),
            (
                "nested, prefix alone",
                "/v1.0/secrets",
                Mount::Nested,
                Ok("v1.0|secrets"),
            ),
            (
                "full, short path",
                "/s/n",
                Mount::FullPath,
                Err(Refusal::NotFound),
            ),
        ] {
            let answer = ask("GET", target, mount, Profile::Documented);
            assert_eq!(answer.as_deref(), seen.as_ref().copied(), "{name}");
        }
    }

    #[test]
    fn api_b_the_method_is_checked_after_the_path_and_before_the_names() {
        for (name, method, target, seen) in [
            ("HEAD", "HEAD", "/v1.0/secrets/s/n", Ok("s|n")),
            (
                "POST",
                "POST",
                "/v1.0/secrets/s/n",
                Err(Refusal::MethodNotAllowed),
            ),
            (
                "DELETE bulk",
                "DELETE",
                "/v1.0/secrets/s/bulk",
                Err(Refusal::MethodNotAllowed),
            ),
            (
                "OPTIONS",
                "OPTIONS",
                "/v1.0/secrets/s/n",
                Err(Refusal::MethodNotAllowed),
            ),
            (
                "unknown method",
                "PROPFIND",
                "/v1.0/secrets/s/n",
                Err(Refusal::MethodNotAllowed),
            ),
            (
                "lower case is another method",
                "get",
                "/v1.0/secrets/s/n",
                Err(Refusal::MethodNotAllowed),
            ),
            (
                "bad name",
                "PUT",
                "/v1.0/secrets/s/%zz",
                Err(Refusal::MethodNotAllowed),
            ),
            (
                "other path",
                "POST",
                "/v1.0/secrets/s",
                Err(Refusal::NotFound),
            ),
        ] {
            let answer = ask(method, target, Mount::FullPath, Profile::Documented);
            assert_eq!(answer.as_deref(), seen.as_ref().copied(), "{name}");
        }
    }

    #[test]
    fn api_b4_lengths_are_those_after_decoding_and_case_counts() {
        let path = |store: &str, name: &str| format!("/v1.0/secrets/{store}/{name}");
        let query = |len: usize| format!("/v1.0/secrets/s/n?{}", "q".repeat(len));
        for (name, target, accepted) in [
            ("longest store", path(&"s".repeat(256), "n"), true),
            ("store too long", path(&"s".repeat(257), "n"), false),
            ("longest name", path("s", &"n".repeat(2_048)), true),
            (
                "longest name, all escaped",
                path("s", &"%6e".repeat(2_048)),
                true,
            ),
            ("name too long", path("s", &"n".repeat(2_049)), false),
            ("bytes count", path("s", &"%C3%A9".repeat(1_025)), false),
            ("longest query", query(8_192), true),
            ("query too long", query(8_193), false),
        ] {
            let answer = get(&target);
            assert_eq!(answer.is_ok(), accepted, "{name}");
            assert_eq!(is_bad(&answer), !accepted, "{name}");
        }
        assert_ne!(get("/v1.0/secrets/s/N"), get("/v1.0/secrets/s/n"));
        assert_ne!(get("/v1.0/secrets/S/n"), get("/v1.0/secrets/s/n"));
    }

    #[test]
    fn api_b5_metadata_parameters_become_request_metadata() {
        for (name, query, seen) in [
            ("none", "", "s|n"),
            ("one", "metadata.version_id=1", "s|n|version_id=1"),
            (
                "the first wins, others are ignored",
                "metadata.a=1&metadata.a=2&other=3",
                "s|n|a=1",
            ),
            (
                "keys are case-sensitive",
                "metadata.A=1&metadata.a=2",
                "s|n|A=1|a=2",
            ),
            ("the prefix is too", "Metadata.a=1&METADATA.b=2", "s|n"),
            ("decoded", "metadata.a%20b=c+d%2Be", "s|n|a b=c d+e"),
            ("an escaped prefix", "metadata%2Ea=1", "s|n|a=1"),
            ("no value", "metadata.a", "s|n|a="),
            ("an equals sign in the value", "metadata.a=b=c", "s|n|a=b=c"),
            ("no key", "metadata.=1&metadata=2&=3&&", "s|n"),
        ] {
            for profile in [Profile::Documented, Profile::Daprd] {
                let target = format!("/v1.0/secrets/s/n?{query}");
                let answer = ask("GET", &target, Mount::FullPath, profile);
                assert_eq!(answer.as_deref(), Ok(seen), "{name}");
            }
        }
        assert_eq!(
            get("/v1.0/secrets/s/bulk?metadata.prefix=a%3A").as_deref(),
            Ok("s|*|prefix=a:")
        );
    }

    #[test]
    fn api_b5_a_bad_escape_is_refused_or_in_the_daprd_profile_dropped() {
        for (name, query, kept) in [
            ("in a value", "metadata.a=%zz&metadata.b=2", "s|n|b=2"),
            ("in a key", "metadata.%z=1&metadata.b=2", "s|n|b=2"),
            ("not UTF-8", "metadata.a=%ff&metadata.b=2", "s|n|b=2"),
            ("in another parameter", "x=%&metadata.b=2", "s|n|b=2"),
            (
                "a dropped one is no first one",
                "metadata.b=%zz&metadata.b=2",
                "s|n|b=2",
            ),
        ] {
            let target = format!("/v1.0/secrets/s/n?{query}");
            assert!(is_bad(&get(&target)), "{name}");
            let answer = ask("GET", &target, Mount::FullPath, Profile::Daprd);
            assert_eq!(answer.as_deref(), Ok(kept), "{name}");
        }
    }

    #[test]
    fn api_b5_at_most_32_keys() {
        let keys = |count: usize| {
            (0..count)
                .map(|index| format!("metadata.k{index}=v&"))
                .collect::<String>()
        };
        for (name, query, accepted) in [
            ("32 keys", keys(32), true),
            ("33 keys", keys(33), false),
            ("32 keys twice", keys(32) + &keys(32), true),
        ] {
            for profile in [Profile::Documented, Profile::Daprd] {
                let target = format!("/v1.0/secrets/s/n?{query}");
                let answer = ask("GET", &target, Mount::FullPath, profile);
                assert_eq!(answer.is_ok(), accepted, "{name}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn api_b1_n4_any_name_survives_one_escaping(name in "\\PC{1,64}") {
            let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let target = format!("/v1.0/secrets/s/{escaped}");
            let seen = get(&target);
            let expected = format!("s|{name}");
            proptest::prop_assert_eq!(seen.as_deref(), Ok(expected.as_str()));
        }

        #[test]
        fn api_b1_no_target_panics(path in "[/a-z.%+0-9A-F]{0,80}", query in "[a-z.%+&=0-9]{0,80}") {
            if let Ok(uri) = format!("/{path}?{query}").parse::<Uri>() {
                for mount in [Mount::FullPath, Mount::Nested] {
                    let _ = route(&Method::GET, &uri, mount, Profile::Documented);
                }
            }
        }
    }
}
