//! The attack table of JWT mode, over the whole decision.

use proptest::prelude::*;

use super::super::algorithm::{Algorithm, AlgorithmName};
use super::super::testing::{
    AUDIENCE, ED25519, ISSUER, NOW, OTHER_P256, OTHER_RSA, P256, P384, Pair, RSA, SECRET,
    claims_and, encode, good, header,
};
use super::*;

fn rules() -> JwtRules {
    JwtRules::new(ISSUER, AUDIENCE)
}

fn verifier(keys: &JwtKeys, rules: JwtRules) -> JwtVerifier {
    verifier_with(keys, rules, JwtOptions::default())
}

fn verifier_with(keys: &JwtKeys, rules: JwtRules, options: JwtOptions) -> JwtVerifier {
    let trust = Trust::local(keys, rules, options.backend).expect("usable keys");
    JwtVerifier::new(vec![trust], options).expect("good rules")
}

fn verdict(verifier: &JwtVerifier, token: &str) -> Result<(), RejectionKind> {
    verifier
        .verify(token.as_bytes(), NOW)
        .map(|_| ())
        .map_err(|refused| refused.kind)
}

#[test]
fn t2_t10_every_algorithm_is_verified_by_every_backend() {
    for backend in Backend::ALL {
        for algorithm in Algorithm::ALL {
            let options = JwtOptions {
                backend: *backend,
                ..JwtOptions::default()
            };
            let keys = Pair::of(algorithm).keys();
            let verifier = verifier_with(&keys, rules().algorithms([algorithm]), options);
            let name = format!("{algorithm}, {backend:?}");
            let token = good(algorithm);
            assert_eq!(verdict(&verifier, &token), Ok(()), "{name}");

            // The last character but one: the last one may hold bits that are not part of the signature.
            let mut altered = token.into_bytes();
            let place = altered.len() - 2;
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert_eq!(
                verdict(&verifier, &altered),
                Err(RejectionKind::Signature),
                "{name}"
            );
        }
    }
}

#[test]
fn t1_t2_t3_a_header_never_chooses_the_key_or_the_algorithm() {
    use RejectionKind::{Algorithm as Alg, Key, Malformed, Signature};

    let keys = P256.named("p256").and(RSA.named("rsa")).expect("few");
    let verifier = verifier(&keys, rules());
    let claims = claims_and("");
    let p256 = |header: &str| P256.sign(Algorithm::ES256, header, &claims);
    let unsigned = |header: &str| format!("{}.{}.", encode(header), encode(&claims));
    let confused = Pair {
        private: RSA.public.as_bytes(),
        public: "",
    };
    let table: &[(&str, String, Result<(), RejectionKind>)] = &[
        ("good", p256(r#"{"alg":"ES256","kid":"p256"}"#), Ok(())),
        ("good, without a name", p256(r#"{"alg":"ES256"}"#), Ok(())),
        (
            "good, with an address that is not looked at",
            p256(r#"{"alg":"ES256","jku":"https://evil","jwk":{}}"#),
            Ok(()),
        ),
        ("none", unsigned(r#"{"alg":"none"}"#), Err(Alg)),
        ("NONE", unsigned(r#"{"alg":"NONE"}"#), Err(Alg)),
        ("nOnE", unsigned(r#"{"alg":"nOnE"}"#), Err(Alg)),
        (
            "no signature",
            unsigned(r#"{"alg":"ES256"}"#),
            Err(Signature),
        ),
        (
            "HMAC with the public key as the secret",
            confused.sign(Algorithm::HS256, r#"{"alg":"HS256","kid":"rsa"}"#, &claims),
            Err(Alg),
        ),
        (
            "another algorithm than that of the key",
            p256(r#"{"alg":"ES384","kid":"p256"}"#),
            Err(Alg),
        ),
        (
            "an algorithm of another key",
            p256(r#"{"alg":"RS256","kid":"p256"}"#),
            Err(Alg),
        ),
        (
            "an algorithm of another key, with a signature as long as that needs",
            RSA.sign(Algorithm::RS256, r#"{"alg":"RS256","kid":"p256"}"#, &claims),
            Err(Alg),
        ),
        (
            "the name of another key",
            p256(r#"{"alg":"ES256","kid":"rsa"}"#),
            Err(Alg),
        ),
        (
            "an unknown name",
            p256(r#"{"alg":"ES256","kid":"P256"}"#),
            Err(Key),
        ),
        (
            "an empty name",
            p256(r#"{"alg":"ES256","kid":""}"#),
            Err(Key),
        ),
        (
            "signed by a stranger",
            OTHER_P256.sign(Algorithm::ES256, r#"{"alg":"ES256","kid":"p256"}"#, &claims),
            Err(Signature),
        ),
        (
            "signed with the key in its own header",
            OTHER_P256.sign(
                Algorithm::ES256,
                r#"{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#,
                &claims,
            ),
            Err(Signature),
        ),
        (
            "crit",
            p256(r#"{"alg":"ES256","crit":["x"],"x":1}"#),
            Err(Malformed),
        ),
        (
            "b64",
            p256(r#"{"alg":"ES256","b64":false}"#),
            Err(Malformed),
        ),
        (
            "zip",
            p256(r#"{"alg":"ES256","zip":"DEF"}"#),
            Err(Malformed),
        ),
        (
            "typ of another protocol",
            p256(r#"{"alg":"ES256","typ":"logout+jwt"}"#),
            Err(Malformed),
        ),
        (
            "two algorithms",
            p256(r#"{"alg":"ES256","alg":"ES256"}"#),
            Err(Malformed),
        ),
        (
            "two tokens",
            format!("{0},{0}", p256(r#"{"alg":"ES256"}"#)),
            Err(Malformed),
        ),
        (
            "a space in front",
            format!(" {}", p256(r#"{"alg":"ES256"}"#)),
            Err(Malformed),
        ),
        (
            "a newline behind",
            format!("{}\n", p256(r#"{"alg":"ES256"}"#)),
            Err(Malformed),
        ),
    ];
    for (name, token, expected) in table {
        assert_eq!(verdict(&verifier, token), *expected, "{name}");
    }
}

#[test]
fn t2_the_key_of_a_set_narrows_the_algorithm() {
    let of = |alg: &str| {
        let key: serde_json::Value =
            serde_json::from_str(include_str!("../known_answer/keys.json")).expect("JSON");
        let mut key = key["keys"][0].clone();
        key["alg"] = alg.into();
        KeySet::parse_jwks(
            serde_json::json!({ "keys": [key] }).to_string().as_bytes(),
            super::super::jwk::Origin::Remote,
            Backend::default(),
            rules().algorithms,
        )
        .map(|(set, _)| set)
    };
    let set = of("PS256").expect("an RSA key");
    for algorithm in Algorithm::ALL {
        let name = AlgorithmName::parse(algorithm.as_str()).expect("known");
        let found = set.candidates(None, name, false).is_ok();
        assert_eq!(found, algorithm == Algorithm::PS256, "{algorithm}");
    }
    for alg in ["ES256", "RSA-OAEP", "none", "HS256", ""] {
        assert!(of(alg).is_err(), "{alg:?} for an RSA key");
    }
}

#[test]
fn t3_a_key_without_a_name_stands_for_every_name_and_a_named_one_for_its_own() {
    let token = P256.sign(
        Algorithm::ES256,
        r#"{"alg":"ES256","kid":"what the issuer calls it"}"#,
        claims_and(""),
    );
    assert_eq!(verdict(&verifier(&P256.keys(), rules()), &token), Ok(()));
    let named = verifier(&P256.named("a"), rules());
    assert_eq!(verdict(&named, &token), Err(RejectionKind::Key));
    let both = P256
        .keys()
        .and(OTHER_P256.named("what the issuer calls it"))
        .expect("few");
    assert_eq!(
        verdict(&verifier(&both, rules()), &token),
        Err(RejectionKind::Signature),
        "a key of that name comes before one without"
    );
}

#[test]
fn t3_without_a_kid_one_key_must_fit_or_four_are_tried() {
    let keys = |pairs: &[Pair]| {
        let mut pairs = pairs.iter().map(|pair| pair.keys());
        let first = pairs.next().expect("one");
        pairs.try_fold(first, JwtKeys::and).expect("few")
    };
    let token = good(Algorithm::ES256);
    let one = verifier(&keys(&[RSA, ED25519, P256, P384]), rules());
    assert_eq!(verdict(&one, &token), Ok(()), "one of its type");
    let two = keys(&[OTHER_P256, P256]);
    assert_eq!(
        verdict(&verifier(&two, rules()), &token),
        Err(RejectionKind::Key)
    );
    assert_eq!(
        verdict(&verifier(&two, rules().allow_kidless()), &token),
        Ok(())
    );
    let none = verifier(&keys(&[RSA, ED25519]), rules());
    assert_eq!(verdict(&none, &token), Err(RejectionKind::Algorithm));
}

#[test]
fn t3_at_most_four_keys_are_tried_by_name_and_without_one() {
    /// Five keys of one name; the one that signed stands at this place.
    fn five(place: usize) -> JwtKeys {
        let stranger = |byte: u8| JwtKeys::secret([byte; 64]).expect("long enough");
        let key = |at: usize| match u8::try_from(at) {
            _ if at == place => JwtKeys::secret(SECRET).expect("long enough"),
            Ok(at) => stranger(at),
            Err(_) => unreachable!("five"),
        };
        let named = |at| key(at).with_kid("a").expect("a good name");
        (1..5)
            .map(named)
            .fold(named(0), |all, next| all.and(next).expect("few"))
    }

    let hs256 = || rules().algorithms([Algorithm::HS256]);
    let pair = Pair::of(Algorithm::HS256);
    let token = |header: &str| pair.sign(Algorithm::HS256, header, claims_and(""));
    let (named, kidless) = (
        token(r#"{"alg":"HS256","kid":"a"}"#),
        token(r#"{"alg":"HS256"}"#),
    );
    for place in 0..5 {
        let expected = if place < 4 {
            Ok(())
        } else {
            Err(RejectionKind::Signature)
        };
        let by_name = verifier(&five(place), hs256());
        assert_eq!(verdict(&by_name, &named), expected, "the key at {place}");
        assert_eq!(verdict(&by_name, &kidless), Err(RejectionKind::Key));
        let all = verifier(&five(place), hs256().allow_kidless());
        assert_eq!(verdict(&all, &kidless), expected, "no name, {place}");
    }
}

#[test]
fn t2_a_key_that_names_its_algorithm_is_not_meant_by_the_other_name_of_it() {
    let token = |alg: &str| {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        ED25519.sign(Algorithm::EdDSA, &header, claims_and(""))
    };
    let x = encode(&ED25519.keys_der()[12..]);
    let judged = |key_alg: &str, alg: &str| {
        let key = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"{key_alg}}}]}}"#);
        let keys = JwtKeys::key_set(key).expect("a good key");
        verdict(&verifier(&keys, rules()), &token(alg))
    };
    let alg = Err(RejectionKind::Algorithm);
    for (key_alg, by_eddsa, by_ed25519) in [
        ("", Ok(()), Ok(())),
        (r#","alg":"EdDSA""#, Ok(()), alg),
        (r#","alg":"Ed25519""#, alg, Ok(())),
    ] {
        let found = (judged(key_alg, "EdDSA"), judged(key_alg, "Ed25519"));
        assert_eq!(found, (by_eddsa, by_ed25519), "{key_alg}");
    }
}

#[test]
fn t1_t3_only_a_well_formed_token_with_an_unknown_kid_may_wait_for_keys() {
    let verifier = verifier(&P256.named("a"), rules());
    let claims = claims_and("");
    let refused = |header: &str| {
        let token = P256.sign(Algorithm::ES256, header, &claims);
        verifier.verify(token.as_bytes(), NOW).expect_err("refused")
    };
    let unknown = refused(r#"{"alg":"ES256","kid":"b"}"#);
    let expected = UnknownKid {
        trust: 0,
        kid: Kid::new("b").expect("printable"),
    };
    assert_eq!(unknown.unknown_kid, Some(expected));
    assert!(!format!("{unknown:?}").contains("\"b\""));
    for header in [
        r#"{"alg":"HS256","kid":"b"}"#,
        r#"{"alg":"none","kid":"b"}"#,
        r#"{"alg":"ES256","kid":"b","crit":[]}"#,
        r#"{"alg":"ES256","kid":"b","typ":"x"}"#,
        r#"{"alg":"ES384","kid":"a"}"#,
        // Its signature has a length that no key of this algorithm gives.
        r#"{"alg":"RS256","kid":"b"}"#,
        r#"{"alg":"ES256","kid":"ä"}"#,
    ] {
        assert_eq!(refused(header).unknown_kid, None, "{header}");
    }
    let kind = refused(r#"{"alg":"RS256","kid":"b"}"#).kind;
    assert_eq!(
        kind,
        RejectionKind::Key,
        "the key comes before the signature"
    );
    let bad = OTHER_P256.sign(Algorithm::ES256, r#"{"alg":"ES256","kid":"a"}"#, &claims);
    let refused = verifier.verify(bad.as_bytes(), NOW).expect_err("refused");
    assert_eq!(
        refused,
        RejectionKind::Signature.into(),
        "a known name never fetches"
    );
}

#[test]
fn t1_with_several_issuers_the_exact_iss_chooses_the_keys() {
    let trust = |issuer: &str, pair: Pair| {
        let rules = JwtRules::new(issuer, AUDIENCE);
        Trust::local(&pair.keys(), rules, Backend::default()).expect("usable keys")
    };
    let sentry = JwtRules::dapr_sentry("public").expect("a trust domain");
    let sentry = Trust::local(&ED25519.keys(), sentry, Backend::default()).expect("usable keys");
    let trusts = vec![
        trust("https://a", P256),
        trust("https://b", OTHER_P256),
        sentry,
    ];
    let verifier = JwtVerifier::new(trusts, JwtOptions::default()).expect("good rules");
    let exp = NOW.as_secs() + 600;
    let sign =
        |pair: Pair, algorithm, claims: String| pair.sign(algorithm, &header(algorithm), claims);
    let es256 = |pair, iss: &str| {
        let claims = format!(r#"{{"iss":{iss},"aud":"orders","exp":{exp}}}"#);
        sign(pair, Algorithm::ES256, claims)
    };
    let sentry = |more: &str| {
        let claims =
            format!(r#"{{"aud":"public","sub":"spiffe://public/ns/shop/cart","exp":{exp}{more}}}"#);
        sign(ED25519, Algorithm::EdDSA, claims)
    };
    let table = [
        ("a by a", es256(P256, r#""https://a""#), Ok(())),
        ("b by b", es256(OTHER_P256, r#""https://b""#), Ok(())),
        (
            "a by b",
            es256(OTHER_P256, r#""https://a""#),
            Err(RejectionKind::Signature),
        ),
        (
            "a with a slash",
            es256(P256, r#""https://a/""#),
            Err(RejectionKind::Issuer),
        ),
        (
            "unknown",
            es256(P256, r#""https://c""#),
            Err(RejectionKind::Issuer),
        ),
        (
            "a list",
            es256(P256, r#"["https://a"]"#),
            Err(RejectionKind::Claims),
        ),
        (
            "twice",
            es256(P256, r#""https://a","iss":"https://b""#),
            Err(RejectionKind::Claims),
        ),
        (
            "twice, below, and signed by nobody",
            es256(OTHER_P256, r#""https://a","x":{"y":1,"y":2}"#),
            Err(RejectionKind::Signature),
        ),
        (
            "twice, below, and signed",
            es256(P256, r#""https://a","x":{"y":1,"y":2}"#),
            Err(RejectionKind::Claims),
        ),
        (
            "too deep, and signed by nobody",
            es256(
                OTHER_P256,
                &format!(r#""https://a","x":{}{}"#, "[".repeat(40), "]".repeat(40)),
            ),
            Err(RejectionKind::Signature),
        ),
        (
            "half of a surrogate pair, with a forbidden header",
            {
                let claims = format!(r#"{{"iss":"https://a","x":"\ud800","exp":{exp}}}"#);
                P256.sign(Algorithm::ES256, r#"{"alg":"ES256","typ":"x"}"#, claims)
            },
            Err(RejectionKind::Malformed),
        ),
        ("no issuer", sentry(""), Ok(())),
        (
            "an issuer where there is none",
            sentry(r#","iss":"https://sentry""#),
            Err(RejectionKind::Issuer),
        ),
        (
            "no issuer, by a",
            {
                let claims = format!(r#"{{"aud":"public","exp":{exp}}}"#);
                sign(P256, Algorithm::ES256, claims)
            },
            Err(RejectionKind::Algorithm),
        ),
    ];
    for (name, token, expected) in table {
        assert_eq!(verdict(&verifier, &token), expected, "{name}");
    }
}

#[test]
fn t5_tokens_of_sentry() {
    let rules = || JwtRules::dapr_sentry("public").expect("a trust domain");
    let exp = NOW.as_secs() + 600;
    let verdict = |rules, claims: &str| {
        let claims = format!(r#"{{"exp":{exp},{claims}}}"#);
        let token = ED25519.sign(
            Algorithm::EdDSA,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"x"}"#,
            claims,
        );
        verdict(&verifier(&ED25519.keys(), rules), &token)
    };
    let sub = r#""sub":"spiffe://public/ns/shop/cart""#;
    let aud = r#""aud":["public"]"#;
    let table = [
        ("usual", rules(), format!("{sub},{aud}"), Ok(())),
        (
            "another audience",
            rules(),
            format!(r#"{sub},"aud":"orders""#),
            Err(RejectionKind::Audience),
        ),
        (
            "a given audience",
            rules().audience("orders"),
            format!(r#"{sub},"aud":"orders""#),
            Ok(()),
        ),
        (
            "a given audience alone",
            rules().audience("orders"),
            format!("{sub},{aud}"),
            Err(RejectionKind::Audience),
        ),
        (
            "another trust domain",
            rules(),
            format!(r#""sub":"spiffe://public2/ns/shop/cart",{aud}"#),
            Err(RejectionKind::Subject),
        ),
        (
            "no workload",
            rules(),
            format!(r#""sub":"spiffe://public/ns",{aud}"#),
            Err(RejectionKind::Subject),
        ),
        (
            "outside ns",
            rules(),
            format!(r#""sub":"spiffe://public/nsx/a",{aud}"#),
            Err(RejectionKind::Subject),
        ),
        (
            "no subject",
            rules(),
            aud.to_owned(),
            Err(RejectionKind::Claims),
        ),
        (
            "an issuer that is not expected",
            rules(),
            format!(r#"{sub},{aud},"iss":"https://s""#),
            Err(RejectionKind::Issuer),
        ),
        (
            "the issuer",
            rules().add_issuer("https://s"),
            format!(r#"{sub},{aud},"iss":"https://s""#),
            Ok(()),
        ),
        (
            "no issuer where one is expected",
            rules().add_issuer("https://s"),
            format!("{sub},{aud}"),
            Err(RejectionKind::Claims),
        ),
    ];
    for (name, rules, claims, expected) in table {
        assert_eq!(verdict(rules, &claims), expected, "{name}");
    }
    for (algorithm, expected) in [
        (Algorithm::RS256, true),
        (Algorithm::ES256, true),
        (Algorithm::EdDSA, true),
        (Algorithm::PS256, false),
        (Algorithm::ES384, false),
        (Algorithm::HS256, false),
    ] {
        assert_eq!(
            rules().algorithms.contains(algorithm),
            expected,
            "{algorithm}"
        );
    }
    for name in [
        "",
        "Public",
        "spiffe://public",
        "public/ns",
        "a b",
        &"x".repeat(256),
    ] {
        assert!(JwtRules::dapr_sentry(name).is_err(), "{name:?}");
    }
}

#[test]
fn t2_keys_that_no_rule_lets_be_used_are_an_error() {
    let error = |keys: &JwtKeys, rules| {
        Trust::local(keys, rules, Backend::default())
            .expect_err("useless")
            .to_string()
    };
    let secret = JwtKeys::secret(SECRET).expect("long enough");
    assert!(error(&secret, rules()).contains("fits none of the allowed algorithms"));
    let short = JwtKeys::secret([7; 32]).expect("long enough");
    assert!(error(&short, rules().algorithms([Algorithm::HS512])).contains("fits none"));
    assert!(error(&P256.keys(), rules().algorithms([Algorithm::RS256])).contains("fits none"));
    let both = P256.keys().and(secret).expect("few");
    assert!(error(&both, rules()).contains("fits none"), "one of two");
    assert!(
        error(
            &RSA.keys().and(OTHER_RSA.keys()).expect("few"),
            rules().algorithms([Algorithm::ES256])
        )
        .contains("fits none")
    );
}

#[test]
fn t1_rules_are_checked_before_the_first_token() {
    let trust = |rules| Trust::local(&P256.keys(), rules, Backend::default()).expect("usable keys");
    let build = |trusts| JwtVerifier::new(trusts, JwtOptions::default()).map(|_| ());
    assert_eq!(build(Vec::new()), Err(JwtConfigError::NoIssuer.into()));
    assert_eq!(
        build(vec![
            trust(rules()),
            trust(JwtRules::new("https://b", "x").add_issuer(ISSUER))
        ]),
        Err(JwtConfigError::IssuerTwice.into())
    );
    let sentry = || trust(JwtRules::dapr_sentry("public").expect("a trust domain"));
    assert_eq!(
        build(vec![sentry(), sentry()]),
        Err(JwtConfigError::IssuerTwice.into())
    );
    assert_eq!(build(vec![sentry(), trust(rules())]), Ok(()));
    assert!(build(vec![trust(JwtRules::new("", "x"))]).is_err());
}

#[test]
fn t8_without_a_key_set_the_answer_is_unavailable_but_nonsense_stays_nonsense() {
    let slot = KeySlot::empty();
    let trust = Trust::following(slot.clone(), rules());
    let verifier = JwtVerifier::new(vec![trust], JwtOptions::default()).expect("good rules");
    let token = good(Algorithm::ES256);
    assert_eq!(verdict(&verifier, &token), Err(RejectionKind::Unavailable));
    assert_eq!(verdict(&verifier, "a.b"), Err(RejectionKind::Malformed));
    let set = KeySet::new(P256.keys().specs(), Backend::default(), rules().algorithms).0;
    slot.publish(set);
    assert_eq!(verdict(&verifier, &token), Ok(()));
    slot.withdraw();
    assert_eq!(
        verdict(&verifier, &token),
        Err(RejectionKind::Unavailable),
        "not even from memory"
    );
}

#[test]
fn t10_a_verifier_is_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<JwtVerifier>();
    shared::<KeySlot>();
    shared::<Accepted>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn t1_any_byte_that_is_changed_refuses_the_token(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut token = good(Algorithm::EdDSA).into_bytes();
        let place = place.index(token.len());
        prop_assume!(token[place] != byte);
        let verifier = verifier(&ED25519.keys(), rules());
        prop_assert!(verifier.verify(&token, NOW).is_ok());
        token[place] = byte;
        prop_assert!(verifier.verify(&token, NOW).is_err());
    }

    #[test]
    fn t1_anything_with_two_dots_never_panics(token in r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,100}") {
        let verifier = verifier(&ED25519.keys(), rules());
        prop_assert!(verifier.verify(token.as_bytes(), NOW).is_err());
    }
}

/// What the cache is asked about one token.
fn uses(verifier: &JwtVerifier, token: &str, now: Duration) -> Result<CacheUse, RejectionKind> {
    verifier
        .verify(token.as_bytes(), now)
        .map(|accepted| accepted.cache)
        .map_err(|refused| refused.kind)
}

#[test]
fn t9_a_hit_checks_time_and_key_again() {
    let after = |seconds| NOW + Duration::from_secs(seconds);
    let slot = KeySlot::empty();
    let publish = |keys: JwtKeys| {
        slot.publish(KeySet::new(keys.specs(), Backend::default(), rules().algorithms).0);
    };
    publish(P256.keys());
    let trust = Trust::following(slot.clone(), rules());
    let verifier = JwtVerifier::new(vec![trust], JwtOptions::default()).expect("good rules");
    let token = good(Algorithm::ES256);
    let (hit, miss) = (Ok(CacheUse::Hit), Ok(CacheUse::Miss));

    assert_eq!(uses(&verifier, &token, NOW), miss, "the first time");
    assert_eq!(
        uses(&verifier, &token, after(299)),
        hit,
        "within five minutes"
    );
    assert_eq!(uses(&verifier, &token, after(300)), miss, "after them");
    assert_eq!(
        uses(&verifier, &token, after(299)),
        miss,
        "the clock was set back"
    );
    assert_eq!(uses(&verifier, &token, after(599)), miss, "again");
    assert_eq!(
        uses(&verifier, &token, after(600)),
        miss,
        "by the leeway, which is never remembered"
    );
    assert_eq!(uses(&verifier, &token, after(600)), miss);
    assert_eq!(
        uses(&verifier, &token, after(660)),
        Err(RejectionKind::Expired)
    );

    assert_eq!(uses(&verifier, &token, NOW), miss);
    publish(P256.keys().and(RSA.keys()).expect("few"));
    assert_eq!(
        uses(&verifier, &token, NOW),
        hit,
        "the key is in the next set too"
    );
    publish(RSA.keys());
    assert_eq!(
        uses(&verifier, &token, NOW),
        Err(RejectionKind::Algorithm),
        "the key is gone"
    );
    publish(OTHER_P256.keys());
    assert_eq!(uses(&verifier, &token, NOW), Err(RejectionKind::Signature));
    publish(P256.keys());
    assert_eq!(uses(&verifier, &token, NOW), miss, "forgotten");
}

#[test]
fn t9_no_two_tokens_are_taken_for_each_other() {
    let verifier = verifier(&RSA.keys(), rules());
    let claims = claims_and("");
    let sign = || RSA.sign(Algorithm::PS256, &header(Algorithm::PS256), &claims);
    // PSS is random: equal claims, another signature.
    let (first, second) = (sign(), sign());
    assert_ne!(first, second);
    assert_eq!(uses(&verifier, &first, NOW), Ok(CacheUse::Miss));
    assert_eq!(
        uses(&verifier, &second, NOW),
        Ok(CacheUse::Miss),
        "equal claims"
    );

    let prefix = first.rsplit_once('.').expect("a signature").0;
    let stranger = OTHER_RSA.sign(Algorithm::PS256, &header(Algorithm::PS256), &claims);
    let (same, signature) = stranger.rsplit_once('.').expect("a signature");
    assert_eq!(same, prefix);
    let forged = format!("{prefix}.{signature}");
    for time in 0..3 {
        assert_eq!(
            uses(&verifier, &forged, NOW),
            Err(RejectionKind::Signature),
            "{time}: a common prefix"
        );
    }
    assert_eq!(uses(&verifier, &first, NOW), Ok(CacheUse::Hit));
}

#[test]
fn t9_what_is_refused_is_not_remembered() {
    let verifier = verifier(&P256.keys(), rules());
    let begins = NOW.as_secs() + 100;
    let token = P256.sign(
        Algorithm::ES256,
        &header(Algorithm::ES256),
        claims_and(&format!(r#","nbf":{begins}"#)),
    );
    assert_eq!(uses(&verifier, &token, NOW), Err(RejectionKind::NotYet));
    assert_eq!(uses(&verifier, &token, NOW), Err(RejectionKind::NotYet));
    let later = NOW + Duration::from_secs(60);
    assert_eq!(uses(&verifier, &token, later), Ok(CacheUse::Miss));
    assert_eq!(uses(&verifier, &token, later), Ok(CacheUse::Hit));
    assert_eq!(
        uses(&verifier, &token, NOW),
        Err(RejectionKind::NotYet),
        "nbf is checked again"
    );
}

#[test]
fn t9_the_cache_is_bounded_and_can_be_turned_off() {
    let with = |cache_entries| {
        let options = JwtOptions {
            cache_entries,
            ..JwtOptions::default()
        };
        verifier_with(&P256.keys(), rules(), options)
    };
    let token = |more: &str| {
        P256.sign(
            Algorithm::ES256,
            &header(Algorithm::ES256),
            claims_and(more),
        )
    };
    let (first, second) = (token(""), token(r#","n":2"#));
    let off = with(0);
    assert_eq!(uses(&off, &first, NOW), Ok(CacheUse::Off));
    assert_eq!(uses(&off, &first, NOW), Ok(CacheUse::Off));
    let one = with(1);
    assert_eq!(uses(&one, &first, NOW), Ok(CacheUse::Miss));
    assert_eq!(uses(&one, &second, NOW), Ok(CacheUse::Evicted));
    assert_eq!(uses(&one, &second, NOW), Ok(CacheUse::Hit));
    assert_eq!(uses(&one, &first, NOW), Ok(CacheUse::Evicted));

    let long = token(&format!(r#","x":"{}""#, "x".repeat(3000)));
    assert!(long.len() > 4096 && long.len() < 8192);
    assert_eq!(
        uses(&one, &long, NOW),
        Ok(CacheUse::Off),
        "longer than 4 KiB"
    );
    let too_many = JwtOptions {
        cache_entries: 65_537,
        ..JwtOptions::default()
    };
    let trust = Trust::local(&P256.keys(), rules(), Backend::default()).expect("usable keys");
    assert!(JwtVerifier::new(vec![trust], too_many).is_err());
}

#[test]
fn e4_a_token_above_the_limit_is_not_looked_at() {
    let options = JwtOptions {
        max_len: 100,
        ..JwtOptions::default()
    };
    let verifier = verifier_with(&P256.keys(), rules(), options);
    assert_eq!(
        verdict(&verifier, &good(Algorithm::ES256)),
        Err(RejectionKind::TooLarge)
    );
    assert_eq!(
        verdict(&verifier, &"a".repeat(101)),
        Err(RejectionKind::TooLarge)
    );
    assert_eq!(
        verdict(&verifier, &"a".repeat(100)),
        Err(RejectionKind::Malformed)
    );
}

#[test]
fn t2_a_public_key_is_never_taken_for_a_secret() {
    for text in [
        RSA.public.to_owned(),
        format!(" \n{}", RSA.public),
        format!("\u{feff}{}", P384.public),
    ] {
        let error = JwtKeys::secret(&text).expect_err("a key in PEM");
        assert!(error.to_string().contains("is a key in PEM"), "{error}");
        let set = format!(r#"{{"keys":[{{"kty":"oct","k":"{}"}}]}}"#, encode(&text));
        let error = JwtKeys::key_set(&set).expect_err("a key in PEM");
        assert!(error.to_string().contains("is a key in PEM"), "{error}");
    }
}

#[test]
fn o2_the_reasons_have_the_names_under_which_they_are_counted() {
    use RejectionKind as K;

    let table = [
        (K::Malformed, "malformed"),
        (K::Expired, "expired"),
        (K::NotYet, "not_yet"),
        (K::Audience, "aud"),
        (K::Issuer, "iss"),
        (K::Subject, "sub"),
        (K::Algorithm, "alg"),
        (K::Key, "kid"),
        (K::Signature, "signature"),
        (K::Claims, "claims"),
    ];
    for (kind, name) in table {
        assert_eq!((kind.as_str(), kind.to_string()), (name, name.to_owned()));
    }
}
