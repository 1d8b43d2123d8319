//! The header of a token (`T1`, `T3`): what it names, and what makes it unreadable.

use std::fmt;

use super::algorithm::AlgorithmName;
use super::json::Object;
use super::rules::Types;
use crate::inbound::RejectionKind;

/// How deep a header may be nested.
const MAX_DEPTH: usize = 8;

/// The longest name of a key.
const MAX_KID_LEN: usize = 256;

/// Members that change what a token is. Who does not know them must refuse the token (RFC 7515 section 4.1.11), and
/// nothing here is compressed, encrypted or detached.
const REFUSED: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// What a header says about the signature. Addresses and keys in it (`jku`, `x5u`, `x5c`, `jwk`) are never looked at.
pub(super) struct Header {
    pub(super) algorithm: AlgorithmName,
    pub(super) kid: Option<Kid>,
    pub(super) typ: Option<String>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, RejectionKind> {
        let object = Object::parse(json, MAX_DEPTH).map_err(|_| RejectionKind::Malformed)?;
        if REFUSED.iter().any(|name| object.has(name)) {
            return Err(RejectionKind::Malformed);
        }
        let typ = object.text("typ").map_err(|_| RejectionKind::Malformed)?;
        let algorithm = match object.text("alg") {
            Ok(Some(name)) => AlgorithmName::parse(&name),
            _ => None,
        };
        // What is wrong in itself has the reason of its own name.
        let kid = object.text("kid").map_err(|_| RejectionKind::Key)?;
        Ok(Self {
            algorithm: algorithm.ok_or(RejectionKind::Algorithm)?,
            kid: kid
                .map(|kid| Kid::new(&kid).ok_or(RejectionKind::Key))
                .transpose()?,
            typ,
        })
    }

    pub(super) fn check_type(&self, types: &Types) -> Result<(), RejectionKind> {
        if types.admit(self.typ.as_deref()) {
            Ok(())
        } else {
            Err(RejectionKind::Malformed)
        }
    }
}

/// The name of a key: at most 256 printable ASCII bytes (`T3`). It is compared and nothing else; a stranger chose
/// it, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kid(Box<str>);

impl Kid {
    pub(super) fn new(name: &str) -> Option<Self> {
        let printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (printable && name.len() <= MAX_KID_LEN).then(|| Self(name.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// To ask for the key, and for nothing else.
    #[cfg_attr(
        not(feature = "jwks"),
        allow(dead_code, reason = "for keys that are fetched")
    )]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kid(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::algorithm::Algorithm;
    use super::*;

    fn verdict(json: &str) -> Result<Algorithm, RejectionKind> {
        let header = Header::parse(json.as_bytes())?;
        header.check_type(&Types::default())?;
        Ok(header.algorithm.algorithm())
    }

    #[test]
    fn t1_t3_headers() {
        let bad = Err(RejectionKind::Malformed);
        let alg = Err(RejectionKind::Algorithm);
        let key = Err(RejectionKind::Key);
        let good = Ok(Algorithm::ES256);
        let longest = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(256));
        let too_long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(257));
        let table: &[(&str, &str, Result<Algorithm, RejectionKind>)] = &[
            ("algorithm alone", r#"{"alg":"ES256"}"#, good),
            ("usual", r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#, good),
            ("alg none", r#"{"alg":"none"}"#, alg),
            ("alg NONE", r#"{"alg":"NONE"}"#, alg),
            ("alg nOnE", r#"{"alg":"nOnE"}"#, alg),
            ("alg empty", r#"{"alg":""}"#, alg),
            ("alg in lower case", r#"{"alg":"es256"}"#, alg),
            ("alg with a space", r#"{"alg":"ES256 "}"#, alg),
            ("alg of encryption", r#"{"alg":"RSA-OAEP"}"#, alg),
            ("no alg", r#"{"kid":"a"}"#, alg),
            ("alg null", r#"{"alg":null}"#, alg),
            ("alg as a list", r#"{"alg":["ES256"]}"#, alg),
            ("alg twice", r#"{"alg":"ES256","alg":"ES256"}"#, bad),
            (
                "alg twice, once escaped",
                r#"{"alg":"ES256","\u0061lg":"none"}"#,
                bad,
            ),
            (
                "a member twice below",
                r#"{"alg":"ES256","x":{"a":1,"a":1}}"#,
                bad,
            ),
            ("crit", r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, bad),
            ("crit empty", r#"{"alg":"ES256","crit":[]}"#, bad),
            ("crit null", r#"{"alg":"ES256","crit":null}"#, bad),
            ("b64 false", r#"{"alg":"ES256","b64":false}"#, bad),
            ("b64 true", r#"{"alg":"ES256","b64":true}"#, bad),
            ("zip", r#"{"alg":"ES256","zip":"DEF"}"#, bad),
            ("enc", r#"{"alg":"ES256","enc":"A128GCM"}"#, bad),
            (
                "jku and jwk",
                r#"{"alg":"ES256","jku":"https://evil","jwk":{"kty":"oct","k":"AA"}}"#,
                good,
            ),
            (
                "x5u and x5c",
                r#"{"alg":"ES256","x5u":"https://evil","x5c":["AA"]}"#,
                good,
            ),
            ("typ JWT", r#"{"alg":"ES256","typ":"JWT"}"#, good),
            ("typ jwt", r#"{"alg":"ES256","typ":"jwt"}"#, good),
            ("typ at+jwt", r#"{"alg":"ES256","typ":"AT+jwt"}"#, good),
            (
                "typ with its prefix",
                r#"{"alg":"ES256","typ":"Application/at+JWT"}"#,
                good,
            ),
            (
                "typ with its prefix twice",
                r#"{"alg":"ES256","typ":"application/application/jwt"}"#,
                bad,
            ),
            (
                "typ with another prefix",
                r#"{"alg":"ES256","typ":"text/jwt"}"#,
                bad,
            ),
            (
                "typ with nothing after its prefix",
                r#"{"alg":"ES256","typ":"application/"}"#,
                bad,
            ),
            (
                "typ of another protocol",
                r#"{"alg":"ES256","typ":"dpop+jwt"}"#,
                bad,
            ),
            ("typ empty", r#"{"alg":"ES256","typ":""}"#, bad),
            ("typ null", r#"{"alg":"ES256","typ":null}"#, bad),
            ("typ as a number", r#"{"alg":"ES256","typ":1}"#, bad),
            ("kid as a number", r#"{"alg":"ES256","kid":1}"#, key),
            ("kid null", r#"{"alg":"ES256","kid":null}"#, key),
            ("kid beyond ASCII", r#"{"alg":"ES256","kid":"ä"}"#, key),
            ("kid with a newline", r#"{"alg":"ES256","kid":"a\nb"}"#, key),
            ("kid with NUL", r#"{"alg":"ES256","kid":"\u0000"}"#, key),
            (
                "kid like a path",
                r#"{"alg":"ES256","kid":"../../dev/null' OR 1=1"}"#,
                good,
            ),
            ("kid of 256 bytes", &longest, good),
            ("kid of 257 bytes", &too_long, key),
            ("an array", r#"["ES256"]"#, bad),
            ("nothing", "", bad),
        ];
        for (name, json, expected) in table {
            assert_eq!(verdict(json), *expected, "{name}");
        }
    }

    #[test]
    fn t1_the_list_of_types_is_configurable() {
        let typ = |json: &str, types: &Types| {
            let header = Header::parse(json.as_bytes()).expect("well formed");
            header.check_type(types).is_ok()
        };
        let only = Types::only(["at+jwt".to_owned()]);
        let more = Types::default().and("application/my+jwt".to_owned());
        let table = [
            (r#"{"alg":"ES256"}"#, false, true),
            (r#"{"alg":"ES256","typ":"JWT"}"#, false, true),
            (r#"{"alg":"ES256","typ":"AT+JWT"}"#, true, true),
            (r#"{"alg":"ES256","typ":"My+Jwt"}"#, false, true),
            (r#"{"alg":"ES256","typ":"application/my+jwt"}"#, false, true),
            (r#"{"alg":"ES256","typ":"my+jwt2"}"#, false, false),
        ];
        for (json, in_only, in_more) in table {
            assert_eq!(
                (typ(json, &only), typ(json, &more)),
                (in_only, in_more),
                "{json}"
            );
        }
    }

    #[test]
    fn t3_a_kid_is_never_shown() {
        let kid = Kid::new("hunter2").expect("printable");
        assert_eq!(format!("{kid:?}"), "Kid(..)");
    }

    proptest! {
        #[test]
        fn t1_random_headers_never_panic(json in r#"\{("(alg|kid|typ|crit)":("[ -~]{0,8}"|[0-9]{1,3}|\[\]|null),?){0,4}\}"#) {
            let _ = Header::parse(json.as_bytes());
        }
    }
}
