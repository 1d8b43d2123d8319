//! Public keys in PEM and DER (`T2`).
//!
//! A SubjectPublicKeyInfo of RSA, P-256, P-384 or Ed25519, or a PKCS#1 RSA public key. A certificate is refused: nobody
//! here would look at its dates, names or signature, and taking its key alone would look as if somebody did.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs1::RsaPublicKey;
use spki::der::Decode as _;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::key::{Material, UnusableKey};

/// No key needs as much.
pub(super) const MAX_LEN: usize = 64 * 1024;

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Reads one key. A text is PEM, anything else DER: a text that is neither is never taken for a secret.
pub(super) fn parse(bytes: &[u8]) -> Result<Material, UnusableKey> {
    if bytes.len() > MAX_LEN {
        return Err(UnusableKey::Size);
    }
    let text = str::from_utf8(bytes).map(str::trim_ascii);
    match text {
        Ok(text) if text.starts_with(BEGIN) => parse_pem(text),
        _ => parse_der(bytes),
    }
}

/// Whether a text is a key in PEM, public or private, or a certificate.
pub(super) fn looks_like_pem(bytes: &[u8]) -> bool {
    bytes
        .windows(BEGIN.len())
        .any(|window| window == BEGIN.as_bytes())
}

/// What a text calls itself and what it holds, encoded, if it is one block and nothing else (RFC 7468).
pub(super) fn frame(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.strip_prefix(BEGIN)?.split_once(DASHES)?;
    let (body, end) = rest.split_once(END)?;
    (end.strip_prefix(label) == Some(DASHES)).then_some((label, body))
}

fn parse_pem(text: &str) -> Result<Material, UnusableKey> {
    let (label, body) = frame(text).ok_or(UnusableKey::Malformed)?;
    if label.ends_with("PRIVATE KEY") {
        return Err(UnusableKey::Private);
    }
    let body: Vec<u8> = body
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let der = STANDARD.decode(body).map_err(|_| UnusableKey::Malformed)?;
    match label {
        "PUBLIC KEY" => subject_public_key_info(&der),
        "RSA PUBLIC KEY" => rsa_public_key(&der),
        _ => Err(UnusableKey::UnknownType),
    }
}

/// The two forms cannot be taken for each other: in the outer sequence a sequence comes first, or an integer.
fn parse_der(der: &[u8]) -> Result<Material, UnusableKey> {
    match subject_public_key_info(der) {
        Err(UnusableKey::Malformed) => rsa_public_key(der),
        result => result,
    }
}

fn subject_public_key_info(der: &[u8]) -> Result<Material, UnusableKey> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| UnusableKey::Malformed)?;
    let key = info
        .subject_public_key
        .as_bytes()
        .ok_or(UnusableKey::Malformed)?;
    match info.algorithm.oid {
        RSA => rsa_public_key(key),
        ED25519 => Material::ed25519(key),
        EC => {
            let curve = info
                .algorithm
                .parameters_oid()
                .map_err(|_| UnusableKey::UnknownType)?;
            point(curve, key)
        }
        _ => Err(UnusableKey::UnknownType),
    }
}

/// An uncompressed point: the byte 4 and two coordinates.
fn point(curve: ObjectIdentifier, key: &[u8]) -> Result<Material, UnusableKey> {
    let (form, coordinates) = key.split_first().ok_or(UnusableKey::Malformed)?;
    let (x, y) = coordinates
        .split_at_checked(coordinates.len() / 2)
        .ok_or(UnusableKey::Malformed)?;
    match (curve, form) {
        (P256, 4) => Material::p256(x, y),
        (P384, 4) => Material::p384(x, y),
        (P256 | P384, _) => Err(UnusableKey::Malformed),
        _ => Err(UnusableKey::UnknownType),
    }
}

fn rsa_public_key(der: &[u8]) -> Result<Material, UnusableKey> {
    let key = RsaPublicKey::from_der(der).map_err(|_| UnusableKey::Malformed)?;
    Material::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::backend::Backend;
    use super::super::key::{Key, KeySpec};
    use super::super::testing::{ED25519, P256 as P256_PAIR, P384 as P384_PAIR, RSA, RSA_PKCS1};
    use super::*;

    fn der(pem: &str) -> Vec<u8> {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(lines).expect("base64")
    }

    fn label(pem: &str, label: &str) -> String {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(der(pem))
        )
    }

    fn kind(key: impl AsRef<[u8]>) -> Result<String, UnusableKey> {
        parse(key.as_ref()).map(|material| format!("{material:?}"))
    }

    #[test]
    fn t2_public_keys_in_every_form() {
        for (name, pem, expected) in [
            ("RSA", RSA.public, "RSA"),
            ("RSA in PKCS#1", RSA_PKCS1, "RSA"),
            ("P-256", P256_PAIR.public, "P-256"),
            ("P-384", P384_PAIR.public, "P-384"),
            ("Ed25519", ED25519.public, "Ed25519"),
        ] {
            let windows = pem.replace('\n', "\r\n");
            let one_line = pem.trim_end();
            let inside = format!("\n\t {pem}\n\n");
            for text in [pem, &windows, one_line, &inside] {
                assert_eq!(kind(text).as_deref(), Ok(expected), "{name}: {text:?}");
            }
            assert_eq!(kind(der(pem)).as_deref(), Ok(expected), "{name} in DER");
        }
    }

    #[test]
    fn t2_forms_of_one_key_are_one_key() {
        let id = |key: &[u8]| {
            let spec = KeySpec::by_itself(parse(key).expect("a public key"));
            Key::new(&spec, Backend::default()).expect("usable").id()
        };
        assert!(id(RSA.public.as_bytes()) == id(RSA_PKCS1.as_bytes()));
        assert!(id(P256_PAIR.public.as_bytes()) == id(&der(P256_PAIR.public)));
        assert!(id(RSA.public.as_bytes()) != id(P256_PAIR.public.as_bytes()));
    }

    #[test]
    fn t2_t11_what_is_no_public_key_is_refused() {
        use UnusableKey::{Malformed, Private, Size, UnknownType};

        let pem = P256_PAIR.public;
        let private = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        let good = der(pem);
        let cut = &good[..good.len() - 1];
        let long = [&*good, &[0]].concat();
        let mut compressed = good.clone();
        compressed[26] = 2;
        let mut other_curve = good.clone();
        other_curve[22] = 8;
        let ed448 = der(ED25519.public)
            .iter()
            .map(|byte| if *byte == 112 { 113 } else { *byte })
            .collect::<Vec<_>>();
        let short_ed = [
            &[0x30, 0x29, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x20, 0],
            &[7; 31][..],
        ]
        .concat();
        let table: &[(&str, &[u8], UnusableKey)] = &[
            ("nothing", b"", Malformed),
            ("text", b"hunter2", Malformed),
            ("a private key", private.as_bytes(), Private),
            ("a private key in DER", P256_PAIR.private, Malformed),
            ("two keys", &[pem, pem].concat().into_bytes(), Malformed),
            (
                "text in front",
                &[b"x ", pem.as_bytes()].concat(),
                Malformed,
            ),
            (
                "another end",
                &pem.replace("END PUBLIC", "END RSA PUBLIC").into_bytes(),
                Malformed,
            ),
            (
                "no end",
                pem.split("-----END").next().expect("a part").as_bytes(),
                Malformed,
            ),
            ("no label", b"-----BEGIN ", Malformed),
            ("not base64", &pem.replace('A', "*").into_bytes(), Malformed),
            (
                "a certificate",
                &label(pem, "CERTIFICATE").into_bytes(),
                UnknownType,
            ),
            (
                "a request",
                &label(pem, "CERTIFICATE REQUEST").into_bytes(),
                UnknownType,
            ),
            (
                "another form than it says",
                &label(pem, "RSA PUBLIC KEY").into_bytes(),
                Malformed,
            ),
            ("cut", cut, Malformed),
            ("a byte behind", &long, Malformed),
            ("a compressed point", &compressed, Malformed),
            ("another curve", &other_curve, UnknownType),
            ("Ed448", &ed448, UnknownType),
            ("Ed25519 of 31 bytes", &short_ed, Size),
            ("too long", &vec![b' '; MAX_LEN + 1], Size),
        ];
        for (name, key, expected) in table {
            assert_eq!(kind(key), Err(*expected), "{name}");
        }
    }

    proptest! {
        #[test]
        fn t11_a_changed_key_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>(), which in 0_usize..4) {
            let pem = [RSA.public, RSA_PKCS1, P384_PAIR.public, ED25519.public][which];
            let mut key = der(pem);
            let place = place.index(key.len());
            key[place] = byte;
            if let Ok(material) = parse(&key) {
                for backend in Backend::ALL {
                    let _ = Key::new(&KeySpec::by_itself(material.clone()), *backend);
                }
            }
        }
    }
}
