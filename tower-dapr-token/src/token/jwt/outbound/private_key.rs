//! [`PrivateKey`]: a private key out of PEM, checked by our code before a backend sees it (`I9`, `T11`).
//!
//! Every copy that is made on the way is wiped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::EncodingKey;
use pkcs1::RsaPrivateKey;
use spki::der::asn1::{AnyRef, OctetStringRef};
use spki::der::{self, Decode as _, Reader as _, Tag, TagNumber, Tagged as _};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier};
use zeroize::Zeroizing;

use super::super::algorithm::Algorithm;
use super::super::key::{Material, UnusableKey};
use super::super::pem::{EC, ED25519, MAX_LEN, P256, P384, RSA, frame};

const MALFORMED: &str = "is not one private key in PEM, without anything around it";
const UNKNOWN_TYPE: &str = "is neither RSA, P-256, P-384 nor Ed25519";

/// The version and the algorithm of PKCS#8, for a P-256 and a P-384 key (RFC 5208, RFC 5480).
const P256_PREFIX: &[u8] = &[
    0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
];
const P384_PREFIX: &[u8] = &[
    0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
    0x2b, 0x81, 0x04, 0x00, 0x22,
];

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Kind {
    /// What such a key signs with, the usual one first.
    pub(super) fn algorithms(self) -> &'static [Algorithm] {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};

        match self {
            Self::Rsa => &[RS256, RS384, RS512, PS256, PS384, PS512],
            Self::P256 => &[ES256],
            Self::P384 => &[ES384],
            Self::Ed25519 => &[EdDSA],
        }
    }

    /// Of the private number, in bytes.
    fn len(self) -> usize {
        if self == Self::P384 { 48 } else { 32 }
    }
}

/// A private key in the form that the library takes. It wipes itself.
pub(super) struct PrivateKey {
    pub(super) kind: Kind,
    pub(super) encoding: EncodingKey,
}

impl PrivateKey {
    /// Reads one block: PKCS#8, SEC1 of a named curve, or PKCS#1. What is wrong is the rest of a sentence.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        if pem.len() > MAX_LEN {
            return Err("is longer than 64 KiB");
        }
        let text = str::from_utf8(pem).map_err(|_| MALFORMED)?.trim_ascii();
        let (label, body) = frame(text).ok_or(MALFORMED)?;
        let read = match label {
            "PRIVATE KEY" => pkcs8,
            "EC PRIVATE KEY" => sec1,
            "RSA PRIVATE KEY" => pkcs1,
            "ENCRYPTED PRIVATE KEY" => return Err("is encrypted: decrypt it first"),
            _ => return Err("is no private key"),
        };
        read(&decode(body)?)
    }
}

/// Into memory that has room for all of it from the start: a growing vector would leave unwiped copies behind.
fn decode(body: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    text.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let mut der = Zeroizing::new(Vec::with_capacity(text.len() + 3));
    STANDARD
        .decode_vec(&*text, &mut der)
        .map_err(|_| MALFORMED)?;
    Ok(der)
}

fn pkcs8(der: &[u8]) -> Result<PrivateKey, &'static str> {
    let (algorithm, key) = AnyRef::from_der(der)
        .and_then(|info| {
            info.sequence(|fields| {
                let _version: u8 = fields.decode()?;
                let algorithm: AlgorithmIdentifierRef<'_> = fields.decode()?;
                let key: OctetStringRef<'_> = fields.decode()?;
                // Attributes, and the public half.
                while !fields.is_finished() {
                    let _: AnyRef<'_> = fields.decode()?;
                }
                Ok((algorithm, key.as_bytes()))
            })
        })
        .map_err(|_| MALFORMED)?;
    match algorithm.oid {
        RSA => pkcs1(key),
        ED25519 => {
            let seed = OctetStringRef::from_der(key).map_err(|_| MALFORMED)?;
            if seed.as_bytes().len() != Kind::Ed25519.len() {
                return Err(MALFORMED);
            }
            Ok(PrivateKey {
                kind: Kind::Ed25519,
                encoding: EncodingKey::from_ed_der(der),
            })
        }
        EC => {
            let kind = curve(algorithm.parameters_oid().map_err(|_| UNKNOWN_TYPE)?)?;
            let (number_len, named) = elliptic(key).map_err(|_| MALFORMED)?;
            let is_same_curve = named.is_none_or(|named| curve(named) == Ok(kind));
            if number_len != kind.len() || !is_same_curve {
                return Err(MALFORMED);
            }
            Ok(PrivateKey {
                kind,
                encoding: EncodingKey::from_ec_der(der),
            })
        }
        _ => Err(UNKNOWN_TYPE),
    }
}

/// Put into PKCS#8, which is what the backends read.
fn sec1(der: &[u8]) -> Result<PrivateKey, &'static str> {
    let (number_len, named) = elliptic(der).map_err(|_| MALFORMED)?;
    let kind = curve(named.ok_or("does not name its curve: convert it to PKCS#8")?)?;
    // 400 bytes are more than any key of these curves has.
    if number_len != kind.len() || der.len() > 400 {
        return Err(MALFORMED);
    }
    let prefix = match kind {
        Kind::P384 => P384_PREFIX,
        _ => P256_PREFIX,
    };
    let octets = head(0x04, der.len());
    let content = prefix.len() + octets.len() + der.len();
    let mut info = Zeroizing::new(Vec::with_capacity(content + 4));
    for part in [&*head(0x30, content), prefix, &octets, der] {
        info.extend_from_slice(part);
    }
    Ok(PrivateKey {
        kind,
        encoding: EncodingKey::from_ec_der(&info),
    })
}

fn pkcs1(der: &[u8]) -> Result<PrivateKey, &'static str> {
    let key = RsaPrivateKey::from_der(der).map_err(|_| MALFORMED)?;
    Material::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
        .map_err(UnusableKey::as_str)?;
    Ok(PrivateKey {
        kind: Kind::Rsa,
        encoding: EncodingKey::from_rsa_der(der),
    })
}

/// How long the private number is, and the curve if it is named (RFC 5915).
fn elliptic(der: &[u8]) -> der::Result<(usize, Option<ObjectIdentifier>)> {
    let named = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber::N0,
    };
    AnyRef::from_der(der)?.sequence(|fields| {
        let _version: u8 = fields.decode()?;
        let number: OctetStringRef<'_> = fields.decode()?;
        let mut curve = None;
        while !fields.is_finished() {
            let field: AnyRef<'_> = fields.decode()?;
            if field.tag() == named {
                curve = Some(ObjectIdentifier::from_der(field.value())?);
            }
        }
        Ok((number.as_bytes().len(), curve))
    })
}

fn curve(oid: ObjectIdentifier) -> Result<Kind, &'static str> {
    match oid {
        P256 => Ok(Kind::P256),
        P384 => Ok(Kind::P384),
        _ => Err(UNKNOWN_TYPE),
    }
}

/// Tag and length in DER, for a content below 64 KiB.
fn head(tag: u8, len: usize) -> Vec<u8> {
    match u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes() {
        [0, low] if low < 0x80 => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    }
}
