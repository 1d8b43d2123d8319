//! Key-set documents: which of their keys are taken (T2, T8, T11), and which tokens are accepted under them.
//!
//! The input is the document. Tokens are signed by every key whose private half is at hand (`signers.rs`) and by every
//! shared secret that stands in the document, under each name that stands there, and without one.

use http::HeaderValue;
use tower_dapr_token::{JwtConfigError, JwtKeys, JwtRules};

use crate::jwt::claims::Asked;
use crate::jwt::json::{Json, Unread};
use crate::jwt::oracle::{ALGORITHMS, Key, Rules, Verdict, is_kid, judge};
use crate::jwt::signers::{Material, Signer};
use crate::jwt::{AUDIENCE, ISSUER, NOW, Subject, base64url};
use crate::jwt_header::algorithm;

const PAYLOAD: &[u8] =
    br#"{"iss":"https://issuer.example","aud":"dapr-app","exp":1767225900,"sub":"caller"}"#;
/// More names than these are not signed under.
const MOST_NAMES: usize = 4;
/// More secrets of a document do not sign.
const MOST_SECRETS: usize = 4;
/// 2^255 - 19, little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};
/// The y of a point of order 8; that of the other one is its negative.
const ORDER_8: &str = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";

/// Reads the input as a key set, and asks a layer that trusts it about tokens.
///
/// # Panics
///
/// If other keys are taken, or other tokens accepted, than the oracle says.
pub fn check(input: &[u8]) -> String {
    let taken = JwtKeys::key_set(input);
    let document = match Json::read(input) {
        // No document of 1000 levels has anything to say, and the parser came back from it.
        Err(Unread::TooDeep) => return "too-deep".to_owned(),
        document => document.ok(),
    };
    let elements = document
        .as_ref()
        .filter(|_| input.len() <= 256 * 1024)
        .filter(|document| document.names_differ())
        .and_then(|document| document.member("keys"))
        .and_then(|keys| match keys {
            Json::Array(elements) if elements.len() <= 64 => Some(elements),
            _ => None,
        });
    let read: Vec<Key> = elements.into_iter().flatten().filter_map(key).collect();
    let expected = (!read.is_empty()).then_some(read.len());
    assert_eq!(taken.as_ref().ok().map(JwtKeys::len), expected);
    let keys = match taken {
        Ok(keys) => keys,
        Err(error) => {
            let is_set = elements.is_some();
            let told = is_key_error(&error);
            assert_eq!(told, is_set, "a set without keys, or no set: {error}");
            return if is_set { "no-key" } else { "no-set" }.to_owned();
        }
    };
    let all = elements.map_or(0, Vec::len);
    assert_eq!(keys.skipped(), all - read.len());

    // Off their curves (T10), and otherwise as they stand there.
    let mut of_use = read.clone();
    of_use.retain(|key| key.material.is_on_its_curve());
    let rules = rules(&read);
    let subject = Subject::new([(keys, jwt_rules(&rules))]);
    assert_eq!(subject.is_some(), !rules.of_use(&of_use).is_empty());
    let Some(subject) = subject else {
        return "no-point".to_owned();
    };
    let elements = elements.map_or(&[][..], Vec::as_slice);
    let mut accepted = 0;
    let mut ask = |signs: &dyn Fn(&str, &[u8]) -> Vec<u8>, algorithms: &[&str]| {
        for kid in names(elements) {
            for algorithm in algorithms {
                let token = token(kid, algorithm, signs);
                let value = HeaderValue::from_str(&token).expect("letters and dots");
                let expected = judge(token.as_bytes(), &rules, &of_use, NOW);
                subject.check(&value, NOW, &expected);
                accepted += usize::from(expected == Verdict::Accepted);
            }
        }
    };
    for (_, signer) in Signer::ALL {
        let material = signer.material();
        if !matches!(material, Material::Secret(_)) && stands_in(elements, &material) {
            // Those of RSA are slow to sign with, and nothing but a name apart.
            let algorithms = material.algorithms();
            let signs = |algorithm: &str, message: &[u8]| signer.sign(algorithm, message);
            ask(&signs, &few(&algorithms, &of_use, &material));
        }
    }
    for secret in secrets(elements) {
        let secret = Material::Secret(secret);
        let signs = |algorithm: &str, message: &[u8]| secret.sign(algorithm, message);
        ask(&signs, &["HS256", "HS384", "HS512"]);
    }
    format!("{}-of-{all}-accept-{accepted}", read.len())
}

/// Whether it says that a key is wrong, and not the set.
fn is_key_error(error: &tower_dapr_token::ConfigError) -> bool {
    let tower_dapr_token::ConfigError::Jwt { error, .. } = error else {
        unreachable!("of JWT mode: {error}");
    };
    matches!(error, JwtConfigError::Key { .. })
}

/// An element as a key, if it is one.
fn key(element: &Json) -> Option<Key> {
    if !(matches!(element, Json::Object(_)) && element.is_strict(8)) {
        return None;
    }
    if let Some(made_for) = element.member("use")
        && made_for.text() != Some("sig")
    {
        return None;
    }
    if let Some(operations) = element.member("key_ops")
        && !operations.texts()?.contains(&"verify")
    {
        return None;
    }
    let kid = match element.member("kid") {
        None => None,
        Some(kid) => Some(kid.text().filter(|kid| is_kid(kid))?.to_owned()),
    };
    let material = material(element)?;
    let mut names = material.algorithms();
    if let Some(name) = element.member("alg") {
        let name = name.text()?;
        names.retain(|known| *known == name);
    }
    (!names.is_empty()).then_some(Key {
        kid,
        material,
        names,
        by_itself: false,
    })
}

fn material(element: &Json) -> Option<Material> {
    let bytes = |name| base64url::decode(element.member(name)?.text()?.as_bytes());
    let kind = element.member("kty")?.text()?;
    if kind == "oct" {
        let secret = bytes("k")?;
        let begin = b"-----BEGIN ";
        let is_pem = secret.windows(begin.len()).any(|part| part == begin);
        let is_taken = (32..=1024).contains(&secret.len()) && !is_pem;
        return is_taken.then_some(Material::Secret(secret));
    }
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if private.iter().any(|name| element.member(name).is_some()) {
        return None;
    }
    let curve = match element.member("crv") {
        None => None,
        Some(curve) => Some(curve.text()?),
    };
    let point = |len| {
        let (x, y) = (bytes("x")?, bytes("y")?);
        let is_right = x.len() == len && y.len() == len;
        is_right.then(|| [&[4], &*x, &*y].concat())
    };
    match (kind, curve) {
        ("EC", Some("P-256")) => point(32).map(Material::P256),
        ("EC", Some("P-384")) => point(48).map(Material::P384),
        ("OKP", Some("Ed25519")) => {
            let x = bytes("x")?;
            is_ed25519(&x).then_some(Material::Ed25519(x))
        }
        ("RSA", _) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            let n = &n[zeros..];
            let bits = match n {
                [first, rest @ ..] => 8 - first.leading_zeros() as usize + 8 * rest.len(),
                [] => 0,
            };
            // 2^33 has five bytes.
            let is_short = e.len() <= 5 && e.first().is_some_and(|first| *first != 0);
            let exponent = e
                .iter()
                .take(8)
                .fold(0u64, |e, byte| e << 8 | u64::from(*byte));
            let is_good = (2048..=8192).contains(&bits)
                && n.last().is_some_and(|last| last % 2 == 1)
                && is_short
                && exponent % 2 == 1
                && (3..1 << 33).contains(&exponent);
            is_good.then(|| Material::Rsa { n: n.to_vec(), e })
        }
        _ => None,
    }
}

/// 32 bytes, y below the prime, and no point whose order divides 8 (T11).
fn is_ed25519(x: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(x) else {
        return false;
    };
    y[31] &= 0x7f;
    let order_8 = std::array::from_fn(|i| {
        u8::from_str_radix(&ORDER_8[2 * i..2 * i + 2], 16).expect("hexadecimal")
    });
    let (zero, mut one) = ([0; 32], [0; 32]);
    one[0] = 1;
    let small = [zero, one, negative(&one), order_8, negative(&order_8)];
    let is_below = y.iter().rev().lt(PRIME.iter().rev());
    is_below && !small.contains(&y)
}

/// The prime less this.
fn negative(y: &[u8; 32]) -> [u8; 32] {
    let mut borrow = 0;
    std::array::from_fn(|i| {
        let digit = i16::from(PRIME[i]) - i16::from(y[i]) - borrow;
        borrow = i16::from(digit < 0);
        (digit & 0xff) as u8
    })
}

/// Some of the names that stand in the document, each once, and none.
fn names(elements: &[Json]) -> Vec<Option<&str>> {
    let mut names = vec![None];
    for element in elements {
        let kid = element.member("kid").and_then(Json::text);
        if kid.is_some() && !names.contains(&kid) && names.len() <= MOST_NAMES {
            names.push(kid);
        }
    }
    names
}

/// Shared secrets in the document, taken or not.
fn secrets(elements: &[Json]) -> Vec<Vec<u8>> {
    let secret = |element: &Json| {
        let secret = element.member("k")?.text()?.as_bytes();
        base64url::decode(secret).filter(|secret| !secret.is_empty())
    };
    let mut secrets: Vec<Vec<u8>> = elements.iter().filter_map(secret).collect();
    secrets.dedup();
    secrets.truncate(MOST_SECRETS);
    secrets
}

/// Whether the key stands there, in whatever element, with zeros before it or without.
fn stands_in(elements: &[Json], material: &Material) -> bool {
    let (name, bytes) = match material {
        Material::Ed25519(x) => ("x", &x[..]),
        Material::P256(point) => ("x", &point[1..33]),
        Material::P384(point) => ("x", &point[1..49]),
        Material::Rsa { n, .. } => ("n", &n[..]),
        Material::Secret(_) => return false,
    };
    let has = |element: &Json| {
        let member = element.member(name).and_then(Json::text);
        let member = member.and_then(|member| base64url::decode(member.as_bytes()));
        member.is_some_and(|member| member.ends_with(bytes))
    };
    elements.iter().any(has)
}

/// At most one algorithm that the key is asked for by, and one that it is not.
fn few(algorithms: &[&'static str], of_use: &[Key], material: &Material) -> Vec<&'static str> {
    let is_asked = |name: &&&str| {
        let mut keys = of_use.iter().filter(|key| key.material == *material);
        keys.any(|key| key.names.contains(name))
    };
    let asked = algorithms.iter().find(is_asked);
    let other = algorithms.iter().find(|name| !is_asked(name));
    asked.into_iter().chain(other).copied().collect()
}

fn token(kid: Option<&str>, algorithm: &str, sign: &dyn Fn(&str, &[u8]) -> Vec<u8>) -> String {
    let mut header = format!(r#"{{"alg":"{algorithm}""#);
    if let Some(kid) = kid {
        header.push_str(r#","kid":""#);
        for unit in kid.encode_utf16() {
            header.push_str(&format!("\\u{unit:04x}"));
        }
        header.push('"');
    }
    header.push('}');
    let header = base64url::encode(header.as_bytes());
    let message = format!("{header}.{}", base64url::encode(PAYLOAD));
    let signature = sign(algorithm, message.as_bytes());
    format!("{message}.{}", base64url::encode(&signature))
}

/// The algorithms that keys of the document are for: a layer tests each one that it is told of.
fn rules(keys: &[Key]) -> Rules {
    let mut algorithms = Vec::new();
    for name in ALGORITHMS {
        let first = if name == "Ed25519" { "EdDSA" } else { name };
        let is_asked = keys.iter().any(|key| key.names.contains(&name));
        if is_asked && !algorithms.contains(&first) {
            algorithms.push(first);
        }
    }
    Rules {
        asked: Asked::plain(),
        algorithms: Some(algorithms),
        types: None,
        more_types: Vec::new(),
        allow_kidless: false,
    }
}

fn jwt_rules(rules: &Rules) -> JwtRules {
    let list = rules.algorithms.iter().flatten();
    JwtRules::new(ISSUER, AUDIENCE).algorithms(list.map(|name| algorithm(name)))
}
