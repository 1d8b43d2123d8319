//! A key set in JSON (RFC 7517) becomes keys (`T2`, `T8`): what cannot be used is skipped and counted.

use zeroize::Zeroizing;

use super::algorithm::AlgorithmName;
use super::header::Kid;
use super::json::Object;
use super::key::{KeySpec, Material, UnusableKey};
use super::parse::decode_and_wipe;
use crate::token::MAX_KEY_SET_LEN;

/// The most keys of one document, and of one set.
pub(super) const MAX_KEYS: usize = 64;

/// How deep a key may be nested. A key and a list in it are two.
const MAX_DEPTH: usize = 8;

/// Members of a private key (RFC 7518 sections 6.2.2 and 6.3.2), and of a shared secret, in a public one.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Whose document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Configuration of this machine. It may hold shared secrets.
    Local,
    /// Fetched from an issuer.
    #[cfg_attr(
        not(feature = "jwks"),
        allow(dead_code, reason = "for keys that are fetched")
    )]
    Remote,
}

/// Why a document gives no keys at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeySetError {
    /// More than 256 KiB.
    TooLarge,
    /// No strict JSON object.
    NotJson,
    /// It has no list `keys`.
    NotAKeySet,
    /// More than 64 keys.
    TooManyKeys,
    /// No key in it can be used; one reason of those counted.
    #[cfg_attr(
        not(feature = "jwks"),
        allow(dead_code, reason = "for keys that are fetched")
    )]
    NoUsableKey(Option<UnusableKey>),
}

impl KeySetError {
    /// What is wrong, as the rest of a sentence about the document.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "is longer than 256 KiB",
            Self::NotJson => "is not a JSON object, or names a member twice",
            Self::NotAKeySet => "has no list `keys`",
            Self::TooManyKeys => "holds more than 64 keys",
            Self::NoUsableKey(_) => "holds no key that can be used",
        }
    }
}

/// The keys that were left out, counted by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    reasons: Vec<UnusableKey>,
}

impl Skipped {
    pub(super) fn add(&mut self, reason: UnusableKey) {
        self.reasons.push(reason);
    }

    #[cfg_attr(
        not(feature = "jwks"),
        allow(dead_code, reason = "for keys that are fetched")
    )]
    pub(super) fn join(&mut self, other: Self) {
        self.reasons.extend(other.reasons);
    }

    /// How many.
    pub(crate) fn total(&self) -> usize {
        self.reasons.len()
    }

    /// Why each was, in the order of the document. At most 64.
    pub(crate) fn reasons(&self) -> &[UnusableKey] {
        &self.reasons
    }
}

/// Reads a document. Keys that are not usable are counted; the rest may be empty.
pub(super) fn parse(
    document: &[u8],
    origin: Origin,
) -> Result<(Vec<KeySpec>, Skipped), KeySetError> {
    if document.len() > MAX_KEY_SET_LEN {
        return Err(KeySetError::TooLarge);
    }
    // What is wrong within one key is no fault of the others.
    let object = Object::parse_outline(document).map_err(|_| KeySetError::NotJson)?;
    let listed = match object.objects("keys", MAX_DEPTH) {
        Ok(Some(keys)) => keys,
        _ => return Err(KeySetError::NotAKeySet),
    };
    if listed.len() > MAX_KEYS {
        return Err(KeySetError::TooManyKeys);
    }
    let mut keys = Vec::with_capacity(listed.len());
    let mut skipped = Skipped::default();
    for key in listed {
        match key
            .ok_or(UnusableKey::Malformed)
            .and_then(|key| read(&key, origin))
        {
            Ok(key) => keys.push(key),
            Err(reason) => skipped.add(reason),
        }
    }
    Ok((keys, skipped))
}

fn read(key: &Object<'_>, origin: Origin) -> Result<KeySpec, UnusableKey> {
    check_use(key)?;
    let kid = text(key, "kid")?;
    let kid = kid
        .map(|kid| Kid::new(&kid).ok_or(UnusableKey::Kid))
        .transpose()?;
    let material = material(key, origin)?;
    let algorithms = match text(key, "alg")? {
        None => material.algorithms(),
        Some(name) => {
            let name = AlgorithmName::parse(&name).ok_or(UnusableKey::Algorithm)?;
            material.algorithms().and(name.into())
        }
    };
    if algorithms.is_empty() {
        return Err(UnusableKey::Algorithm);
    }
    Ok(KeySpec {
        kid,
        material,
        algorithms,
        by_itself: false,
    })
}

fn check_use(key: &Object<'_>) -> Result<(), UnusableKey> {
    if text(key, "use")?.is_some_and(|made_for| made_for != "sig") {
        return Err(UnusableKey::Use);
    }
    let operations = key.texts("key_ops").map_err(|_| UnusableKey::Malformed)?;
    if operations
        .is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
    {
        return Err(UnusableKey::Use);
    }
    Ok(())
}

fn material(key: &Object<'_>, origin: Origin) -> Result<Material, UnusableKey> {
    let kty = text(key, "kty")?.ok_or(UnusableKey::Malformed)?;
    if kty == "oct" {
        return match origin {
            Origin::Local => Material::secret(&bytes(key, "k")?),
            Origin::Remote => Err(UnusableKey::Secret),
        };
    }
    if PRIVATE.iter().any(|name| key.has(name)) {
        return Err(UnusableKey::Private);
    }
    match (kty.as_str(), text(key, "crv")?.as_deref()) {
        ("RSA", _) => Material::rsa(&bytes(key, "n")?, &bytes(key, "e")?),
        ("EC", Some("P-256")) => Material::p256(&bytes(key, "x")?, &bytes(key, "y")?),
        ("EC", Some("P-384")) => Material::p384(&bytes(key, "x")?, &bytes(key, "y")?),
        ("OKP", Some("Ed25519")) => Material::ed25519(&bytes(key, "x")?),
        _ => Err(UnusableKey::UnknownType),
    }
}

fn text(key: &Object<'_>, name: &str) -> Result<Option<String>, UnusableKey> {
    key.text(name).map_err(|_| UnusableKey::Malformed)
}

/// Base64url without padding. It may be a secret, and nothing of it is left in memory.
fn bytes(key: &Object<'_>, name: &str) -> Result<Zeroizing<Vec<u8>>, UnusableKey> {
    let encoded = key.secret_text(name).ok().flatten();
    encoded
        .and_then(|encoded| decode_and_wipe(encoded.as_bytes()))
        .ok_or(UnusableKey::Malformed)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::super::algorithm::Algorithm;
    use super::super::backend::Backend;
    use super::super::key_set::KeySet;
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn ed(more: &str) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"{more}}}"#)
    }

    fn ec(x: &str, y: &str) -> String {
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
    }

    fn set(keys: &[String]) -> String {
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    fn rsa(bits: usize, e: &str) -> String {
        let n = URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8]);
        format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#)
    }

    /// What becomes of one key that is fetched, with a good one beside it (`T8`).
    fn fetched(key: &str, backend: Backend) -> Option<UnusableKey> {
        let document = set(&[key.to_owned(), ed(r#","kid":"good""#)]);
        let all = Algorithm::ALL.into_iter().collect();
        let (set, skipped) = KeySet::parse_jwks(document.as_bytes(), Origin::Remote, backend, all)
            .expect("one is good");
        assert_eq!(set.len() + skipped.total(), 2, "{key}");
        skipped.reasons().first().copied()
    }

    #[test]
    fn t2_t8_t11_a_key_is_taken_or_skipped_with_its_reason() {
        use UnusableKey as U;

        let short = &P256_X[..42];
        let zeros = URL_SAFE_NO_PAD.encode([&[0; 1], &[7; 31][..]].concat());
        let secret = URL_SAFE_NO_PAD.encode([7; 64]);
        let table: &[(&str, String, Option<UnusableKey>)] = &[
            ("Ed25519", ed(""), None),
            (
                "with everything that may be there",
                ed(r#","use":"sig","key_ops":["verify"],"alg":"EdDSA","x5c":["AA"]"#),
                None,
            ),
            ("alg Ed25519", ed(r#","alg":"Ed25519""#), None),
            (
                "alg of another type",
                ed(r#","alg":"ES256""#),
                Some(U::Algorithm),
            ),
            (
                "alg unknown",
                ed(r#","alg":"RSA-OAEP""#),
                Some(U::Algorithm),
            ),
            ("alg none", ed(r#","alg":"none""#), Some(U::Algorithm)),
            ("alg null", ed(r#","alg":null"#), Some(U::Malformed)),
            ("use enc", ed(r#","use":"enc""#), Some(U::Use)),
            ("use empty", ed(r#","use":"""#), Some(U::Use)),
            ("use as a list", ed(r#","use":["sig"]"#), Some(U::Malformed)),
            ("for signing", ed(r#","key_ops":["sign"]"#), Some(U::Use)),
            (
                "for signing and verifying",
                ed(r#","key_ops":["sign","verify"]"#),
                None,
            ),
            ("for nothing", ed(r#","key_ops":[]"#), Some(U::Use)),
            (
                "key_ops as text",
                ed(r#","key_ops":"verify""#),
                Some(U::Malformed),
            ),
            ("kid as a number", ed(r#","kid":1"#), Some(U::Malformed)),
            (
                "kid too long",
                ed(&format!(r#","kid":"{}""#, "k".repeat(257))),
                Some(U::Kid),
            ),
            ("the private half", ed(r#","d":"AA""#), Some(U::Private)),
            (
                "the private half, empty",
                ed(r#","d":null"#),
                Some(U::Private),
            ),
            (
                "a private factor",
                rsa(2048, r#"AQAB","p":"AA"#),
                Some(U::Private),
            ),
            ("a secret in it", ed(r#","k":"AA""#), Some(U::Private)),
            (
                "of small order",
                ed("").replace(X, &URL_SAFE_NO_PAD.encode([0; 32])),
                Some(U::SmallOrder),
            ),
            ("a member twice", ed(r#","kty":"OKP""#), Some(U::Malformed)),
            (
                "too deep",
                ed(&format!(r#","a":{}1{}"#, "[".repeat(9), "]".repeat(9))),
                Some(U::Malformed),
            ),
            ("Ed25519 of 0 bytes", ed("").replace(X, ""), Some(U::Size)),
            (
                "Ed25519 of 31 bytes",
                ed("").replace(X, &URL_SAFE_NO_PAD.encode([7; 31])),
                Some(U::Size),
            ),
            (
                "Ed25519 of 33 bytes",
                ed("").replace(X, &URL_SAFE_NO_PAD.encode([7; 33])),
                Some(U::Size),
            ),
            (
                "Ed25519 with padding",
                ed("").replace(X, &format!("{X}=")),
                Some(U::Malformed),
            ),
            (
                "no x",
                r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(),
                Some(U::Malformed),
            ),
            (
                "Ed448",
                ed("").replace("Ed25519", "Ed448"),
                Some(U::UnknownType),
            ),
            (
                "X25519",
                ed("").replace("Ed25519", "X25519"),
                Some(U::UnknownType),
            ),
            ("P-256", ec(P256_X, P256_Y), None),
            ("P-256, short", ec(short, P256_Y), Some(U::Malformed)),
            (
                "P-256 of 31 bytes",
                ec(&URL_SAFE_NO_PAD.encode([7; 31]), P256_Y),
                Some(U::Size),
            ),
            (
                "P-256 of 33 bytes",
                ec(&URL_SAFE_NO_PAD.encode([7; 33]), P256_Y),
                Some(U::Size),
            ),
            ("P-256 off the curve", ec(P256_Y, P256_X), Some(U::Refused)),
            (
                "P-256 off the curve, with a zero",
                ec(&zeros, P256_Y),
                Some(U::Refused),
            ),
            (
                "P-521",
                ec(P256_X, P256_Y).replace("P-256", "P-521"),
                Some(U::UnknownType),
            ),
            (
                "secp256k1",
                ec(P256_X, P256_Y).replace("P-256", "secp256k1"),
                Some(U::UnknownType),
            ),
            (
                "EC without a curve",
                r#"{"kty":"EC"}"#.to_owned(),
                Some(U::UnknownType),
            ),
            ("RSA 1024", rsa(1024, "AQAB"), Some(U::Size)),
            ("RSA 2048", rsa(2048, "AQAB"), None),
            ("RSA 4096", rsa(4096, "AQAB"), None),
            ("RSA 8200", rsa(8200, "AQAB"), Some(U::Size)),
            ("RSA, exponent 1", rsa(2048, "AQ"), Some(U::Size)),
            ("RSA, exponent 2", rsa(2048, "Ag"), Some(U::Size)),
            ("RSA, exponent 3", rsa(2048, "Aw"), None),
            (
                "RSA, exponent 3 after a zero",
                rsa(2048, "AAM"),
                Some(U::Size),
            ),
            ("RSA, exponent 2^33", rsa(2048, "AgAAAAA"), Some(U::Size)),
            (
                "a shared secret",
                format!(r#"{{"kty":"oct","k":"{secret}"}}"#),
                Some(U::Secret),
            ),
            (
                "an unknown type",
                r#"{"kty":"AKP"}"#.to_owned(),
                Some(U::UnknownType),
            ),
            ("no type", "{}".to_owned(), Some(U::Malformed)),
            ("a number", "1".to_owned(), Some(U::Malformed)),
        ];
        for backend in Backend::ALL {
            for (name, key, expected) in table {
                assert_eq!(fetched(key, *backend), *expected, "{name}, {backend:?}");
            }
            let large = fetched(&rsa(8192, "AQAB"), *backend);
            let expected = (backend.max_rsa_bits() < 8192).then_some(U::SizeForBackend);
            assert_eq!(large, expected, "RSA 8192, {backend:?}");
        }
    }

    #[test]
    fn t2_t6_t8_documents() {
        use KeySetError as E;

        let local =
            |document: &str| parse(document.as_bytes(), Origin::Local).map(|(keys, _)| keys.len());
        let remote = |document: &str| {
            let all = Algorithm::ALL.into_iter().collect();
            KeySet::parse_jwks(document.as_bytes(), Origin::Remote, Backend::default(), all)
                .map(|(set, _)| set.len())
        };
        let many = |count: usize| {
            set(&(0..count)
                .map(|i| ed(&format!(r#","kid":"{i}""#)))
                .collect::<Vec<_>>())
        };
        let padded = |len: usize| {
            let document = set(&[ed("")]);
            format!("{document}{}", " ".repeat(len - document.len()))
        };
        let secret = format!(
            r#"{{"kty":"oct","k":"{}"}}"#,
            URL_SAFE_NO_PAD.encode([7; 64])
        );
        let useless = Some(UnusableKey::Secret);
        let table = [
            ("one key", set(&[ed("")]), Ok(1), Ok(1)),
            ("64 keys", many(64), Ok(64), Ok(64)),
            (
                "65 keys",
                many(65),
                Err(E::TooManyKeys),
                Err(E::TooManyKeys),
            ),
            ("the same key twice", set(&[ed(""), ed("")]), Ok(2), Ok(1)),
            ("256 KiB", padded(256 * 1024), Ok(1), Ok(1)),
            (
                "a byte more",
                padded(256 * 1024 + 1),
                Err(E::TooLarge),
                Err(E::TooLarge),
            ),
            ("empty", set(&[]), Ok(0), Err(E::NoUsableKey(None))),
            (
                "a secret",
                set(std::slice::from_ref(&secret)),
                Ok(1),
                Err(E::NoUsableKey(useless)),
            ),
            (
                "a key alone",
                ed(""),
                Err(E::NotAKeySet),
                Err(E::NotAKeySet),
            ),
            (
                "no list",
                r#"{"keys":{}}"#.to_owned(),
                Err(E::NotAKeySet),
                Err(E::NotAKeySet),
            ),
            (
                "an object",
                "{}".to_owned(),
                Err(E::NotAKeySet),
                Err(E::NotAKeySet),
            ),
            ("a list", "[]".to_owned(), Err(E::NotJson), Err(E::NotJson)),
            (
                "a page",
                "<html>".to_owned(),
                Err(E::NotJson),
                Err(E::NotJson),
            ),
            ("nothing", String::new(), Err(E::NotJson), Err(E::NotJson)),
            (
                "a key with a member twice",
                set(&[ed(r#","kty":"OKP""#)]),
                Ok(0),
                Err(E::NoUsableKey(Some(UnusableKey::Malformed))),
            ),
            (
                "a key with a member twice, alone",
                ed(r#","kty":"OKP""#),
                Err(E::NotJson),
                Err(E::NotJson),
            ),
            (
                "two lists",
                r#"{"keys":[],"keys":[]}"#.to_owned(),
                Err(E::NotJson),
                Err(E::NotJson),
            ),
            (
                "more members",
                format!(r#"{{"x":1,"keys":[{}]}}"#, ed("")),
                Ok(1),
                Ok(1),
            ),
        ];
        for (name, document, by_local, by_remote) in table {
            assert_eq!(
                (local(&document), remote(&document)),
                (by_local, by_remote),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn t8_any_document_never_panics(document in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&document, Origin::Local);
        }

        #[test]
        fn t11_any_key_never_panics(
            kty in "RSA|EC|OKP|oct", crv in "P-256|P-384|Ed25519", n in "[A-Za-z0-9_-]{0,90}", e in "[A-Za-z0-9_-]{0,9}"
        ) {
            let key = format!(r#"{{"kty":"{kty}","crv":"{crv}","n":"{n}","e":"{e}","x":"{n}","y":"{n}","k":"{n}"}}"#);
            for backend in Backend::ALL {
                let all = Algorithm::ALL.into_iter().collect();
                let _ = KeySet::parse_jwks(set(std::slice::from_ref(&key)).as_bytes(), Origin::Local, *backend, all);
            }
        }
    }
}
