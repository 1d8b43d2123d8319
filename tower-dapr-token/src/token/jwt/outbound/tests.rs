//! Keys, minted tokens and their renewal, against the verifier of this crate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::super::algorithm::Algorithm;
use super::super::backend::Backend;
use super::super::clock::WallClock;
use super::super::local_keys::JwtKeys;
use super::super::rules::JwtRules;
use super::super::testing::{
    AUDIENCE, ED25519, ISSUER, NOW, OTHER_P256, P256, P384, Pair, RSA, encode,
};
use super::super::verify::{JwtOptions, JwtVerifier, Trust};
use super::minted::MintedToken;
use super::private_key::{Kind, PrivateKey};
use super::*;
use crate::error::ConfigError;
use crate::inbound::RejectionKind;
use crate::token::{Reloaded, SourceError, SourceErrorKind};

/// Written in two parts, so that no tool takes this file for a key.
fn block(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).expect("ASCII"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// In PKCS#8; the key of RSA is stored in PKCS#1.
fn pem(pair: Pair) -> String {
    if pair.private == RSA.private {
        block("RSA PRIVATE KEY", pair.private)
    } else {
        block("PRIVATE KEY", pair.private)
    }
}

/// The private half inside of PKCS#8, with its curve named as SEC1 files have it.
fn sec1(pair: Pair, at: usize, head: usize, curve: &[u8]) -> Vec<u8> {
    let inner = &pair.private[at..];
    let number = head + 3 + 2 + if pair.private == P384.private { 48 } else { 32 };
    let body = [&inner[head..number], curve, &inner[number..]].concat();
    let len = u8::try_from(body.len()).expect("short");
    match head {
        2 => [&[0x30, len], &*body].concat(),
        _ => [&[0x30, 0x81, len], &*body].concat(),
    }
}

fn sec1_p256() -> Vec<u8> {
    let curve = [0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    sec1(P256, 29, 2, &curve)
}

fn sec1_p384() -> Vec<u8> {
    sec1(P384, 27, 3, &[0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 0x22])
}

fn builder(pem: impl AsRef<[u8]>) -> JwtSignerBuilder {
    JwtSigner::builder()
        .pem(pem)
        .key_id("a")
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .subject("shop")
}

fn signer() -> JwtSigner {
    builder(pem(P256)).build().expect("valid")
}

fn verdict(keys: &JwtKeys, token: &MintedToken, now: Duration) -> Result<(), RejectionKind> {
    let rules = JwtRules::new(ISSUER, AUDIENCE)
        .leeway(Duration::ZERO)
        .max_lifetime(Duration::from_secs(3600));
    let options = JwtOptions::default();
    let trust = Trust::local(keys, rules, options.backend).expect("usable keys");
    let verifier = JwtVerifier::new(vec![trust], options).expect("good rules");
    let verdict = verifier.verify(token.expose(), now);
    verdict.map(|_| ()).map_err(|refused| refused.kind)
}

fn part(token: &MintedToken, index: usize) -> String {
    let text = str::from_utf8(token.expose()).expect("ASCII");
    let part = text.split('.').nth(index).expect("a part");
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("text")
}

fn reason(builder: JwtSignerBuilder) -> String {
    match builder.build() {
        Err(error @ ConfigError::JwtSigner { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn i9_every_algorithm_is_minted_and_the_verifier_accepts_it() {
    for backend in Backend::ALL {
        for algorithm in Algorithm::ALL {
            let name = format!("{algorithm}, {backend:?}");
            let pair = Pair::of(algorithm);
            if pair.public.is_empty() {
                continue;
            }
            let built = builder(pem(pair))
                .algorithm(algorithm)
                .backend(*backend)
                .build();
            #[cfg(feature = "jwt-rust-crypto")]
            if pair.private == RSA.private && *backend == Backend::RustCrypto {
                let error = built.expect_err("refused").to_string();
                assert!(error.contains("RUSTSEC-2023-0071"), "{name}: {error}");
                continue;
            }
            let signer = built.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(signer.algorithm(), algorithm);
            assert_eq!(signer.renewal(), Renewal::Minted);
            let token = signer.fetch(NOW).expect("minted");
            assert_eq!(token.expires_at(), NOW + Duration::from_secs(300), "{name}");
            let keys = pair.named("a");
            let end = token.expires_at();
            assert_eq!(verdict(&keys, &token, NOW), Ok(()), "{name}");
            assert_eq!(
                verdict(&keys, &token, end),
                Err(RejectionKind::Expired),
                "{name}"
            );
            let other = OTHER_P256.named("a");
            assert!(verdict(&other, &token, NOW).is_err(), "{name}: another key");
        }
    }
}

#[test]
fn i9_private_keys_in_every_form() {
    let rsa_version_algorithm = [
        0x02, 0x01, 0x00, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
    ];
    let len = |len: usize| u16::try_from(len).expect("short").to_be_bytes();
    let octets = [&[4, 0x82], &len(RSA.private.len())[..], RSA.private].concat();
    let content = [&rsa_version_algorithm, &*octets].concat();
    let rsa_pkcs8 = [&[0x30, 0x82], &len(content.len())[..], &content].concat();
    let table = [
        ("P-256", pem(P256), Kind::P256, P256),
        ("P-384", pem(P384), Kind::P384, P384),
        ("Ed25519", pem(ED25519), Kind::Ed25519, ED25519),
        (
            "P-256 in SEC1",
            block("EC PRIVATE KEY", &sec1_p256()),
            Kind::P256,
            P256,
        ),
        (
            "P-384 in SEC1",
            block("EC PRIVATE KEY", &sec1_p384()),
            Kind::P384,
            P384,
        ),
        ("RSA in PKCS#1", pem(RSA), Kind::Rsa, RSA),
        (
            "RSA in PKCS#8",
            block("PRIVATE KEY", &rsa_pkcs8),
            Kind::Rsa,
            RSA,
        ),
    ];
    for (name, pem, kind, pair) in table {
        for text in [
            pem.clone(),
            pem.replace('\n', "\r\n"),
            format!("\n {pem}\n\n"),
        ] {
            let key = PrivateKey::from_pem(text.as_bytes());
            let key = key.unwrap_or_else(|error| panic!("{name} {error}"));
            assert_eq!(key.kind, kind, "{name}");
        }
        for backend in Backend::ALL {
            #[cfg(feature = "jwt-rust-crypto")]
            if kind == Kind::Rsa && *backend == Backend::RustCrypto {
                continue;
            }
            let signer = builder(&pem).backend(*backend).build();
            let token = signer
                .unwrap_or_else(|error| panic!("{name}, {backend:?}: {error}"))
                .fetch(NOW)
                .expect("minted");
            assert_eq!(verdict(&pair.keys(), &token, NOW), Ok(()), "{name}");
        }
    }
}

#[test]
fn i9_t11_what_is_no_private_key_is_refused() {
    let good = pem(P256);
    let changed = |place: usize, byte: u8| {
        let mut der = P256.private.to_vec();
        der[place] = byte;
        block("PRIVATE KEY", &der)
    };
    let mut short = ED25519.private[..ED25519.private.len() - 1].to_vec();
    for (place, byte) in [(1, 0x2d), (13, 0x21), (15, 0x1f)] {
        short[place] = byte;
    }
    let without_curve = &P256.private[29..];
    let cut = &P256.private[..P256.private.len() - 1];
    // P-256 outside and P-384 inside.
    let torn = {
        let inside = sec1(P256, 29, 2, &[0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 0x22]);
        let len = |len: usize| u8::try_from(len).expect("short");
        let octets = [&[4, len(inside.len())], &*inside].concat();
        let content = [&P256.private[3..27], &octets].concat();
        [&[0x30, 0x81, len(content.len())], &*content].concat()
    };
    let table = [
        (
            "two curves",
            block("PRIVATE KEY", &torn),
            "is not one private key",
        ),
        ("nothing", String::new(), "is not one private key"),
        ("text", "hunter2".to_owned(), "is not one private key"),
        (
            "two keys",
            format!("{good}{good}"),
            "is not one private key",
        ),
        (
            "text in front",
            format!("x{good}"),
            "is not one private key",
        ),
        ("a public key", P256.public.to_owned(), "is no private key"),
        (
            "encrypted",
            block("ENCRYPTED PRIVATE KEY", P256.private),
            "is encrypted",
        ),
        (
            "not base64",
            good.replace('M', "*"),
            "is not one private key",
        ),
        (
            "another end",
            good.replace("END PRIVATE", "END RSA PRIVATE"),
            "is not one private key",
        ),
        ("cut", block("PRIVATE KEY", cut), "is not one private key"),
        ("another curve", changed(26, 8), "is neither RSA"),
        ("another algorithm", changed(16, 2), "is neither RSA"),
        (
            "a short Ed25519 key",
            block("PRIVATE KEY", &short),
            "is not one private key",
        ),
        (
            "SEC1 that does not name its curve",
            block("EC PRIVATE KEY", without_curve),
            "does not name its curve",
        ),
        (
            "PKCS#1 that is PKCS#8",
            block("RSA PRIVATE KEY", P256.private),
            "is not one private key",
        ),
        (
            "too long",
            " ".repeat(64 * 1024 + 1),
            "is longer than 64 KiB",
        ),
    ];
    for (name, text, expected) in table {
        let text = reason(builder(text));
        assert!(
            text.starts_with("pem(..) of the JWT signer") && text.contains(expected),
            "{name}: {text}"
        );
    }
}

#[test]
fn i9_a_token_says_who_for_whom_about_whom_and_until_when() {
    let exp = NOW.as_secs() + 300;
    let iat = NOW.as_secs();
    let token = signer().fetch(NOW).expect("minted");
    assert_eq!(part(&token, 0), r#"{"alg":"ES256","typ":"JWT","kid":"a"}"#);
    assert_eq!(
        part(&token, 1),
        format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"shop","iat":{iat},"exp":{exp}}}"#)
    );
    let other = JwtSigner::builder()
        .pem(pem(ED25519))
        .issuer("a \"quoted\" \u{fc}")
        .audience("b")
        .audience("c")
        .token_type("at+jwt")
        .lifetime(Duration::from_secs(3600))
        .build()
        .expect("valid")
        .fetch(NOW + Duration::from_millis(999))
        .expect("minted");
    assert_eq!(part(&other, 0), r#"{"alg":"EdDSA","typ":"at+jwt"}"#);
    assert_eq!(
        part(&other, 1),
        format!(
            r#"{{"iss":"a \"quoted\" ü","aud":["b","c"],"sub":"a \"quoted\" ü","iat":{iat},"exp":{}}}"#,
            iat + 3600
        )
    );
}

#[test]
fn i9_every_setting_of_a_signer_is_checked_before_the_first_token() {
    let good = || builder(pem(P256));
    let life = |seconds, nanos| good().lifetime(Duration::new(seconds, nanos));
    let none = || JwtSigner::builder().pem(pem(P256));
    let table = [
        ("no key", JwtSigner::builder(), "pem(..)"),
        ("no issuer", none().audience("a"), "issuer(..)"),
        ("no audience", none().issuer("a"), "audience(..)"),
        ("an empty issuer", good().issuer(""), "issuer(..)"),
        ("an empty audience", good().audience(""), "audience(..)"),
        ("an empty subject", good().subject(""), "subject(..)"),
        ("an empty name", good().key_id(""), "key_id(..)"),
        ("a long name", good().key_id("k".repeat(257)), "key_id(..)"),
        ("a name in two lines", good().key_id("a\nb"), "key_id(..)"),
        ("an empty type", good().token_type(""), "token_type(..)"),
        (
            "a long type",
            good().token_type("t".repeat(65)),
            "token_type(..)",
        ),
        (
            "a type of two words",
            good().token_type("a b"),
            "token_type(..)",
        ),
        ("no life", life(0, 0), "lifetime(..)"),
        ("a short life", life(29, 999_999_999), "lifetime(..)"),
        ("a long life", life(3600, 1), "lifetime(..)"),
        ("for ever", good().lifetime(Duration::MAX), "lifetime(..)"),
        (
            "an algorithm of another key",
            good().algorithm(Algorithm::ES384),
            "algorithm(..)",
        ),
        (
            "a shared secret's algorithm",
            good().algorithm(Algorithm::HS256),
            "algorithm(..)",
        ),
        (
            "claims of 8 KiB",
            good().subject("s".repeat(8192)),
            "issuer, audience or subject(..)",
        ),
    ];
    for (name, builder, setting) in table {
        let text = reason(builder);
        assert!(text.starts_with(setting), "{name}: {text}");
    }
    for seconds in [30, 3600] {
        assert!(life(seconds, 0).build().is_ok(), "{seconds} s");
    }
}

#[test]
fn i9_o4_a_clock_that_tells_nothing_gives_no_token() {
    for now in [Duration::MAX, Duration::from_secs(1 << 53)] {
        let error = signer().fetch(now).expect_err("no time");
        assert!(error.to_string().contains("clock"), "{error}");
    }
}

#[test]
fn i9_a_token_of_somebody_else_must_say_when_it_ends() {
    use SourceErrorKind::{Empty, JwtTooLong, JwtWithoutExpiry, NotAJwt};

    let token = |payload: &str| format!("{}.{}.AAAA", encode("{}"), encode(payload));
    let of_len = |len: usize| {
        let head = format!("{}.{}.", encode("{}"), encode(r#"{"exp":1800000300}"#));
        format!("{head}{}", "A".repeat(len - head.len()))
    };
    let good = token(r#"{"exp":1800000300}"#);
    let table = [
        ("good", good.clone(), Ok(1_800_000_300)),
        (
            "white space around",
            format!(" {good}\r\n"),
            Ok(1_800_000_300),
        ),
        (
            "a fraction",
            token(r#"{"exp":1800000300.9}"#),
            Ok(1_800_000_300),
        ),
        ("over", token(r#"{"exp":0}"#), Ok(0)),
        ("8 KiB", of_len(8192), Ok(1_800_000_300)),
        ("more", of_len(8196), Err(JwtTooLong)),
        ("nothing", String::new(), Err(Empty)),
        ("blank", " \n".to_owned(), Err(Empty)),
        ("a static token", "hunter2hunter2".to_owned(), Err(NotAJwt)),
        (
            "half of it",
            good[..good.len() - 6].to_owned(),
            Err(NotAJwt),
        ),
        ("two", format!("{good}\n{good}"), Err(NotAJwt)),
        ("a name in front", format!("Bearer {good}"), Err(NotAJwt)),
        ("no object", token("[1]"), Err(NotAJwt)),
        ("twice", token(r#"{"exp":1,"exp":2}"#), Err(NotAJwt)),
        ("no exp", token("{}"), Err(JwtWithoutExpiry)),
        (
            "text",
            token(r#"{"exp":"1800000300"}"#),
            Err(JwtWithoutExpiry),
        ),
        ("null", token(r#"{"exp":null}"#), Err(JwtWithoutExpiry)),
        ("negative", token(r#"{"exp":-1}"#), Err(JwtWithoutExpiry)),
        (
            "2^53 + 1",
            token(r#"{"exp":9007199254740993}"#),
            Err(JwtWithoutExpiry),
        ),
        ("no number", token(r#"{"exp":1e400}"#), Err(NotAJwt)),
    ];
    for (name, text, expected) in table {
        let read = MintedToken::new(text.into_bytes());
        let read = read.map(|token| token.expires_at().as_secs());
        assert_eq!(read.map_err(|error| error.kind()), expected, "{name}");
    }
}

/// A wall clock that the test sets.
pub(super) struct Set(AtomicU64);

impl Set {
    fn to(&self, now: Duration) {
        let millis = u64::try_from(now.as_millis()).expect("not that far");
        self.0.store(millis, Ordering::Relaxed);
    }
}

impl WallClock for Set {
    fn unix_time(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

fn at(seconds: u64) -> Duration {
    NOW + Duration::from_secs(seconds)
}

/// When the token ends that a request gets now, in seconds after the start.
fn ends(handle: &JwtHandle) -> Option<u64> {
    let value = handle.header_value()?;
    assert!(value.is_sensitive());
    let token = MintedToken::new(value.as_bytes().to_vec()).expect("a JWT");
    Some((token.expires_at() - NOW).as_secs())
}

#[test]
fn i9_a_new_token_is_minted_at_two_thirds_of_the_life_and_verified() {
    let clock = Arc::new(Set(AtomicU64::default()));
    clock.to(NOW);
    let handle = JwtHandle::builder(signer())
        .wall_clock(clock.clone())
        .build()
        .expect("minted");
    for (name, now, expected) in [
        ("at once", at(0), 300),
        ("before two thirds", at(200) - Duration::from_millis(1), 300),
        ("at two thirds", at(200), 500),
        ("after them", at(399), 500),
        ("after its end", at(5000), 5300),
        ("the clock was set back", at(1000), 1300),
    ] {
        clock.to(now);
        assert_eq!(ends(&handle), Some(expected), "{name}");
        let value = handle.header_value().expect("a token");
        let token = MintedToken::new(value.as_bytes().to_vec()).expect("a JWT");
        assert_eq!(verdict(&P256.named("a"), &token, now), Ok(()), "{name}");
    }
}

/// A source that can be broken, and that counts.
#[derive(Clone)]
struct Breakable {
    signer: Arc<JwtSigner>,
    broken: Arc<Mutex<bool>>,
    fetches: Arc<AtomicU64>,
    renewal: Renewal,
}

impl Breakable {
    fn new(renewal: Renewal) -> Self {
        Self {
            // Its signatures of the same claims are the same, so that a poll can settle.
            signer: Arc::new(builder(pem(ED25519)).build().expect("valid")),
            broken: Arc::default(),
            fetches: Arc::default(),
            renewal,
        }
    }

    fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl JwtSource for Breakable {
    fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        if *self.broken.lock().expect("no test panicked") {
            return Err(SourceError::other("is broken"));
        }
        self.signer.fetch(now)
    }

    fn renewal(&self) -> Renewal {
        self.renewal
    }
}

#[test]
fn i9_the_old_token_is_sent_until_its_end_and_never_after_it() {
    for renewal in [Renewal::Minted, Renewal::Fetched] {
        let clock = Arc::new(Set(AtomicU64::default()));
        clock.to(NOW);
        let source = Breakable::new(renewal);
        let handle = JwtHandle::builder(source.clone())
            .wall_clock(clock.clone())
            .build()
            .expect("minted");
        assert!(!handle.is_renewal_due());
        *source.broken.lock().expect("sound") = true;
        for (name, now, expected) in [
            ("due", at(200), Some(300)),
            (
                "before its end",
                at(300) - Duration::from_millis(1),
                Some(300),
            ),
            ("at its end", at(300), None),
            ("after it", at(301), None),
        ] {
            clock.to(now);
            assert!(handle.refresh().is_err(), "{name}");
            assert!(handle.is_renewal_due(), "{name}");
            assert_eq!(ends(&handle), expected, "{name}, {renewal:?}");
        }
        *source.broken.lock().expect("sound") = false;
        assert_eq!(handle.refresh(), Ok(Reloaded::Changed));
        assert_eq!(ends(&handle), Some(601));
        assert!(!handle.is_renewal_due());
    }
}

/// Takes as long for each fetch as it is told to.
struct Slow {
    clock: Arc<Set>,
    takes: Mutex<Duration>,
    renewal: Renewal,
}

impl JwtSource for Arc<Slow> {
    fn fetch(&self, now: Duration) -> Result<MintedToken, SourceError> {
        let minted = signer().fetch(now);
        self.clock.to(now + *self.takes.lock().expect("sound"));
        minted
    }

    fn renewal(&self) -> Renewal {
        self.renewal
    }
}

#[test]
fn i9_a_token_that_expired_while_it_was_fetched_does_not_take_the_place_of_the_one_before() {
    let clock = Arc::new(Set(AtomicU64::default()));
    clock.to(NOW);
    let source = Arc::new(Slow {
        clock: clock.clone(),
        takes: Mutex::default(),
        renewal: Renewal::Fetched,
    });
    let handle = JwtHandle::builder(source.clone())
        .wall_clock(clock.clone())
        .clock(Arc::new(Still))
        .build()
        .expect("minted");
    clock.to(at(10));
    for (seconds, expected) in [
        (301, Err(SourceErrorKind::JwtExpired)),
        (300, Err(SourceErrorKind::JwtExpired)),
        (299, Ok(Reloaded::Changed)),
    ] {
        clock.to(at(10));
        *source.takes.lock().expect("sound") = Duration::from_secs(seconds);
        let refreshed = handle.refresh().map_err(|error| error.kind());
        assert_eq!(refreshed, expected, "{seconds} s");
        clock.to(at(20));
        let end = if expected.is_ok() { 310 } else { 300 };
        assert_eq!(ends(&handle), Some(end), "{seconds} s");
    }
}

#[test]
fn i9_a_request_mints_only_what_may_be_minted_there_and_not_again_and_again() {
    for (renewal, expected) in [
        (Renewal::Minted, 1),
        (Renewal::Fetched, 0),
        (Renewal::Polled, 0),
    ] {
        let clock = Arc::new(Set(AtomicU64::default()));
        clock.to(NOW);
        let source = Breakable::new(renewal);
        let handle = JwtHandle::builder(source.clone())
            .wall_clock(clock.clone())
            .clock(Arc::new(Still))
            .build()
            .expect("minted");
        let begun = source.fetches();
        clock.to(at(250));
        *source.broken.lock().expect("sound") = true;
        for _ in 0..50 {
            assert_eq!(ends(&handle), Some(300));
        }
        assert_eq!(source.fetches() - begun, expected, "{renewal:?}");
    }
}

/// No time passes.
struct Still;

impl crate::token::Clock for Still {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self, _: Duration) {}
}

#[test]
fn i9_many_threads_that_find_a_token_due_mint_one() {
    let clock = Arc::new(Set(AtomicU64::default()));
    clock.to(NOW);
    let source = Breakable::new(Renewal::Minted);
    let handle = JwtHandle::builder(source.clone())
        .wall_clock(clock.clone())
        .build()
        .expect("minted");
    for (round, now) in (2_u64..).zip([at(200), at(900)]) {
        clock.to(now);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                // Due: the old one or the new one. Over: everybody gets the new one.
                scope.spawn(|| assert!(handle.header_value().is_some()));
            }
        });
        assert_eq!(source.fetches(), round);
    }
}

#[test]
fn i9_c5_the_kept_key_wipes_itself() {
    fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}

    wiped(&signer().key);
    wiped(
        &PrivateKey::from_pem(pem(P256).as_bytes())
            .expect("valid")
            .encoding,
    );
    wiped(&signer().fetch(NOW).expect("minted").text);
}

#[test]
fn i9_c5_no_key_and_no_token_is_printed() {
    let text = pem(P256);
    let signer = signer();
    let token = signer.fetch(NOW).expect("minted");
    let handle = JwtHandle::builder(builder(&text).build().expect("valid"))
        .build()
        .expect("minted");
    let value = handle.header_value().expect("a token");
    let printed = format!(
        "{signer:?} {signer:#?} {token:?} {token:#?} {:?} {handle:?} {value:?} {:?}",
        builder(&text),
        JwtHandle::builder(self::signer()),
    );
    let token = str::from_utf8(token.expose()).expect("ASCII");
    let sent = value.to_str().expect("ASCII");
    for secret in [token, sent, text.lines().nth(1).expect("a line")] {
        for piece in secret.as_bytes().windows(12) {
            let piece = str::from_utf8(piece).expect("ASCII");
            assert!(!printed.contains(piece), "{piece} in {printed}");
        }
    }
}

proptest! {
    #[test]
    fn i9_any_file_is_a_token_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = MintedToken::new(bytes);
    }

    #[test]
    fn i9_t11_a_changed_key_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>(), which in 0_usize..5) {
        let (label, mut der) = match which {
            0 => ("PRIVATE KEY", P256.private.to_vec()),
            1 => ("PRIVATE KEY", P384.private.to_vec()),
            2 => ("PRIVATE KEY", ED25519.private.to_vec()),
            3 => ("EC PRIVATE KEY", sec1_p256()),
            _ => ("RSA PRIVATE KEY", RSA.private.to_vec()),
        };
        let place = place.index(der.len());
        der[place] = byte;
        for backend in Backend::ALL {
            let _ = builder(block(label, &der)).backend(*backend).build();
        }
    }
}
