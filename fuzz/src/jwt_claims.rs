//! What a JWT with a good signature says, against the rules of the layer, at one time after the other.
//!
//! | line | what it says |
//! | --- | --- |
//! | `i ISSUER`, `a AUDIENCE` | what is configured; each further line adds one |
//! | `j ISSUER` | a second issuer, with a key of its own |
//! | `x 2` | it is the second key that signs |
//! | `l SECONDS` | leeway |
//! | `s SUBJECT`, `q ID` | exact and SPIFFE subjects |
//! | `m SECONDS` | max_lifetime |
//! | `c SCOPE` | require_scope |
//! | `n SECONDS.MILLIS` | a time to ask at; each further line asks once more, the same layer |
//! | `p JSON` | the payload; each further line is one more line of it |

use std::time::Duration;

use http::HeaderValue;
use tower_dapr_token::{Algorithm, JwtKeys, JwtRules, SubjectRule};

use crate::jwt::claims::Asked;
use crate::jwt::oracle::{Key, Rules, judge_among};
use crate::jwt::signers::Signer;
use crate::jwt::{AUDIENCE, ISSUER, NOW, Subject, base64url};
use crate::lines::{lines, split};

/// Before it the leeway would reach beyond 1970.
const EARLIEST: u64 = 1_000_000;
const LATEST: u64 = 1 << 60;
/// An input that asks more often says nothing more.
const MOST_TIMES: usize = 8;

/// Signs the payload of the input, and asks a layer about it.
///
/// # Panics
///
/// If it decides otherwise than the oracle.
pub fn check(input: &[u8]) -> String {
    let scene = Scene::read(input);
    let trusts = scene.trusts();
    // Whose token it is must be plain: no issuer may have two sets of keys.
    let is_plain = scene
        .second
        .as_ref()
        .is_none_or(|second| !scene.asked.issuers.contains(second));
    let is_valid = is_plain && trusts.iter().all(|(rules, _)| rules.is_valid());
    let configured = trusts.iter().map(|(rules, keys)| {
        let set = format!(r#"{{"keys":[{{{}}}]}}"#, keys[0].material.jwk());
        let set = JwtKeys::key_set(set).expect("a good key");
        (set, jwt_rules(&rules.asked))
    });
    let subject = Subject::new(configured);
    assert_eq!(subject.is_some(), is_valid, "{:?}", scene.asked);
    let Some(subject) = subject else {
        return "no-layer".to_owned();
    };

    let message = format!(
        "{}.{}",
        base64url::encode(br#"{"alg":"HS256"}"#),
        base64url::encode(&scene.payload)
    );
    let signature = scene.signer.sign("HS256", message.as_bytes());
    let token = format!("{message}.{}", base64url::encode(&signature));
    let value = HeaderValue::from_str(&token).expect("letters and dots");
    let outcomes: Vec<&str> = scene
        .times
        .iter()
        .map(|now| {
            let expected = judge_among(token.as_bytes(), &trusts, *now);
            let first = subject.check(&value, *now, &expected);
            // Whether it is remembered or not.
            assert_eq!(subject.check(&value, *now, &expected), first);
            first
        })
        .collect();
    outcomes.join("-")
}

struct Scene {
    asked: Asked,
    /// The second issuer.
    second: Option<String>,
    signer: Signer,
    times: Vec<u64>,
    payload: Vec<u8>,
}

impl Scene {
    fn read(input: &[u8]) -> Self {
        let mut scene = Self {
            asked: Asked {
                issuers: Vec::new(),
                audiences: Vec::new(),
                ..Asked::plain()
            },
            second: None,
            signer: Signer::Oct32,
            times: Vec::new(),
            payload: Vec::new(),
        };
        let mut payload: Vec<&[u8]> = Vec::new();
        for (letter, rest) in lines(input) {
            if letter == b'p' {
                payload.push(rest);
            } else {
                scene.read_line(letter, rest);
            }
        }
        scene.payload = payload.join(&b'\n');
        let asked = &mut scene.asked;
        if asked.issuers.is_empty() {
            asked.issuers.push(ISSUER.to_owned());
        }
        if asked.audiences.is_empty() {
            asked.audiences.push(AUDIENCE.to_owned());
        }
        if scene.times.is_empty() {
            scene.times.push(NOW);
        }
        scene
    }

    fn read_line(&mut self, letter: u8, rest: &[u8]) -> Option<()> {
        let text = str::from_utf8(rest).ok()?;
        let asked = &mut self.asked;
        match letter {
            b'j' => self.second = Some(text.to_owned()),
            b'x' => self.signer = Signer::Other,
            b'i' => asked.issuers.push(text.to_owned()),
            b'a' => asked.audiences.push(text.to_owned()),
            b's' => asked.exact_subjects.push(text.to_owned()),
            b'q' => asked.spiffe_subjects.push(text.to_owned()),
            b'c' => asked.scopes.push(text.to_owned()),
            b'l' => asked.leeway = text.parse().ok()?,
            b'm' => asked.max_lifetime = Some(text.parse().ok()?),
            b'n' if self.times.len() < MOST_TIMES => {
                let (seconds, millis) = split(rest, b'.').unwrap_or((rest, b"0"));
                let number = |text| -> Option<u64> { str::from_utf8(text).ok()?.parse().ok() };
                let seconds = number(seconds)?.checked_mul(1000)?;
                let time = seconds.checked_add(number(millis)?)?;
                self.times.push(time.clamp(EARLIEST, LATEST));
            }
            _ => {}
        }
        Some(())
    }

    /// Whom the layer trusts, with which keys.
    fn trusts(&self) -> Vec<(Rules, Vec<Key>)> {
        let second = self.second.iter().map(|issuer| {
            let issuers = vec![issuer.clone()];
            let plain = Asked::plain();
            (Asked { issuers, ..plain }, Signer::Other)
        });
        let all = std::iter::once((self.asked.clone(), Signer::Oct32)).chain(second);
        all.map(|(asked, signer)| {
            let rules = Rules {
                asked,
                algorithms: Some(vec!["HS256"]),
                types: None,
                more_types: Vec::new(),
                allow_kidless: false,
            };
            let key = Key {
                kid: None,
                material: signer.material(),
                names: vec!["HS256"],
                by_itself: false,
            };
            (rules, vec![key])
        })
        .collect()
    }
}

/// The same in the words of the crate.
fn jwt_rules(asked: &Asked) -> JwtRules {
    let mut rules = JwtRules::new(&asked.issuers[0], &asked.audiences[0])
        .algorithms([Algorithm::HS256])
        .leeway(Duration::from_secs(asked.leeway));
    for issuer in &asked.issuers[1..] {
        rules = rules.add_issuer(issuer);
    }
    for audience in &asked.audiences[1..] {
        rules = rules.add_audience(audience);
    }
    for subject in &asked.exact_subjects {
        rules = rules.add_subject(SubjectRule::exact(subject));
    }
    for id in &asked.spiffe_subjects {
        rules = rules.add_subject(SubjectRule::spiffe(id));
    }
    for scope in &asked.scopes {
        rules = rules.require_scope(scope);
    }
    match asked.max_lifetime {
        Some(limit) => rules.max_lifetime(Duration::from_secs(limit)),
        None => rules,
    }
}
