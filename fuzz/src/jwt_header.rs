//! The form and the header of a JWT, and which key it is tried with.
//!
//! | line | what it says |
//! | --- | --- |
//! | `k KEY ALG KID` | a key of the set; `-` is no `alg`, no text behind it no `kid`; `KEY` is a name of `signers.rs` |
//! | `w KEY` | a shared secret by itself, without a name |
//! | `g ALG` | an algorithm of the builder's list |
//! | `y TYPE`, `Y TYPE` | types, add_type |
//! | `o k` | allow_kidless |
//! | `x KEY ALG` | who signs, and how |
//! | `h JSON`, `p JSON` | header and payload to sign; each further line is one more line of it |
//! | `t VALUE` | the whole header value, in place of these |

use std::slice;

use http::HeaderValue;
use tower_dapr_token::{Algorithm, JwtKeys, JwtRules};

use crate::jwt::claims::Asked;
use crate::jwt::oracle::{ALGORITHMS, Key, Rules, is_kid, judge};
use crate::jwt::signers::{Material, Signer};
use crate::jwt::{AUDIENCE, ISSUER, NOW, Subject, base64url};
use crate::lines::{lines, split};

const PAYLOAD: &str =
    r#"{"iss":"https://issuer.example","aud":"dapr-app","exp":1767225900,"sub":"caller"}"#;
/// More of them say nothing more.
const MOST_KEYS: usize = 8;

/// Asks a layer of the input about the token of the input.
///
/// # Panics
///
/// If it decides otherwise than the oracle.
pub fn check(input: &[u8]) -> String {
    let scene = Scene::read(input);
    // Of a set, one key must be of use; of those that were given by themselves, each.
    let is_of_use = |key: &Key| !scene.rules.of_use(slice::from_ref(key)).is_empty();
    let is_valid = scene.rules.is_valid()
        && scene.keys.iter().any(is_of_use)
        && (scene.keys.iter().filter(|key| key.by_itself)).all(is_of_use);
    let subject = scene
        .jwt_keys()
        .and_then(|keys| Subject::new([(keys, scene.jwt_rules())]));
    assert_eq!(subject.is_some(), is_valid, "{scene:?}");
    let Some(subject) = subject else {
        return "no-layer".to_owned();
    };
    let token = scene.token();
    let Ok(value) = HeaderValue::from_bytes(&token) else {
        return "no-value".to_owned();
    };
    let expected = judge(&token, &scene.rules, &scene.keys, NOW);
    let first = subject.check(&value, NOW, &expected);
    // Whether it is remembered or not.
    assert_eq!(subject.check(&value, NOW, &expected), first);
    first.to_owned()
}

#[derive(Debug)]
struct Scene {
    keys: Vec<Key>,
    rules: Rules,
    signer: (Signer, &'static str),
    header: Vec<u8>,
    payload: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl Scene {
    fn read(input: &[u8]) -> Self {
        let mut scene = Self {
            keys: Vec::new(),
            rules: Rules {
                asked: Asked::plain(),
                algorithms: None,
                types: None,
                more_types: Vec::new(),
                allow_kidless: false,
            },
            signer: (Signer::Oct64, "HS256"),
            header: Vec::new(),
            payload: Vec::new(),
            value: None,
        };
        let (mut header, mut payload) = (Vec::new(), Vec::new());
        for (letter, rest) in lines(input) {
            match letter {
                b'h' => header.push(rest),
                b'p' => payload.push(rest),
                b't' => scene.value = Some(rest.to_vec()),
                _ => {
                    scene.read_line(letter, rest);
                }
            }
        }
        scene.header = header.join(&b'\n');
        scene.payload = if payload.is_empty() {
            PAYLOAD.as_bytes().to_vec()
        } else {
            payload.join(&b'\n')
        };
        if scene.keys.is_empty() {
            scene.keys.push(Key {
                kid: Some("one".to_owned()),
                ..key(Signer::Oct64)
            });
        }
        if scene.rules.algorithms.is_none() && scene.value.is_none() {
            scene.rules.algorithms = Some(vec!["HS256", "HS384", "HS512"]);
        }
        scene
    }

    fn read_line(&mut self, letter: u8, rest: &[u8]) -> Option<()> {
        let text = str::from_utf8(rest).ok()?;
        match letter {
            b'k' if self.keys.len() < MOST_KEYS => {
                let (name, rest) = split(rest, b' ')?;
                let (algorithm, kid) = match split(rest, b' ') {
                    Some((algorithm, kid)) => (algorithm, Some(str::from_utf8(kid).ok()?)),
                    None => (rest, None),
                };
                let mut key = key(Signer::named(name)?);
                if algorithm != b"-" {
                    key.names.retain(|name| name.as_bytes() == algorithm);
                }
                key.kid = kid.map(str::to_owned);
                // What is no key is the matter of another target.
                if !key.names.is_empty() && kid.is_none_or(is_kid) {
                    self.keys.push(key);
                }
            }
            b'w' if self.keys.len() < MOST_KEYS => {
                let mut key = key(Signer::named(rest)?);
                key.by_itself = true;
                if matches!(key.material, Material::Secret(_)) {
                    self.keys.push(key);
                }
            }
            b'g' => {
                let known = ALGORITHMS.into_iter().find(|known| *known == text)?;
                if known != "Ed25519" {
                    self.rules.algorithms.get_or_insert_default().push(known);
                }
            }
            b'y' => {
                let types = self.rules.types.get_or_insert_default();
                types.push(text.to_owned());
            }
            b'Y' => self.rules.more_types.push(text.to_owned()),
            b'o' => self.rules.allow_kidless |= rest.contains(&b'k'),
            b'x' => {
                let (name, algorithm) = split(rest, b' ')?;
                let mut all = ALGORITHMS.into_iter();
                let algorithm = all.find(|known| known.as_bytes() == algorithm)?;
                self.signer = (Signer::named(name)?, algorithm);
            }
            _ => {}
        }
        Some(())
    }

    fn token(&self) -> Vec<u8> {
        if let Some(value) = &self.value {
            return value.clone();
        }
        let header = base64url::encode(&self.header);
        let message = format!("{header}.{}", base64url::encode(&self.payload));
        let (signer, algorithm) = self.signer;
        let signature = signer.sign(algorithm, message.as_bytes());
        format!("{message}.{}", base64url::encode(&signature)).into_bytes()
    }

    /// The keys in the words of the crate.
    fn jwt_keys(&self) -> Option<JwtKeys> {
        let in_order = self.keys.iter().map(|key| {
            if let (Material::Secret(secret), true) = (&key.material, key.by_itself) {
                return JwtKeys::secret(secret).expect("a good secret");
            }
            let mut jwk = key.material.jwk();
            if let Some(kid) = &key.kid {
                let kid = kid.replace('\\', "\\\\").replace('"', "\\\"");
                jwk += &format!(r#","kid":"{kid}""#);
            }
            if key.names.len() < key.material.algorithms().len() {
                jwk += &format!(r#","alg":"{}""#, key.names[0]);
            }
            JwtKeys::key_set(format!(r#"{{"keys":[{{{jwk}}}]}}"#)).expect("a good key")
        });
        in_order.reduce(|keys, key| keys.and(key).expect("at most eight"))
    }

    fn jwt_rules(&self) -> JwtRules {
        let mut rules = JwtRules::new(ISSUER, AUDIENCE);
        if let Some(list) = &self.rules.algorithms {
            rules = rules.algorithms(list.iter().map(|name| algorithm(name)));
        }
        if let Some(types) = &self.rules.types {
            rules = rules.types(types);
        }
        for typ in &self.rules.more_types {
            rules = rules.add_type(typ);
        }
        if self.rules.allow_kidless {
            rules = rules.allow_kidless();
        }
        rules
    }
}

/// A key of a set, without a name.
fn key(signer: Signer) -> Key {
    let material = signer.material();
    Key {
        kid: None,
        names: material.algorithms(),
        material,
        by_itself: false,
    }
}

/// The algorithm of a first name.
pub(crate) fn algorithm(name: &str) -> Algorithm {
    match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "HS256" => Algorithm::HS256,
        "HS384" => Algorithm::HS384,
        "HS512" => Algorithm::HS512,
        _ => Algorithm::EdDSA,
    }
}
