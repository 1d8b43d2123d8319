//! The compact form of a token and its three parts (`T1`), sizes first.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{Engine as _, decoded_len_estimate};
use memchr::memchr;
use zeroize::Zeroizing;

use crate::inbound::RejectionKind;

/// The longest header, decoded.
pub(super) const MAX_HEADER_LEN: usize = 4096;

/// As many characters of base64 hold that.
const MAX_ENCODED_HEADER_LEN: usize = MAX_HEADER_LEN.div_ceil(3) * 4;

/// Where the parts of a token end. Nothing is decoded yet.
#[derive(Clone, Copy)]
pub(super) struct Compact<'a> {
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    /// The header, the first dot and the payload: what is signed.
    signed: &'a [u8],
}

/// What the parts hold.
pub(super) struct Parts<'a> {
    pub(super) header: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) signed: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Finds the two dots. A third one ends the search.
    pub(super) fn find(token: &'a [u8], max_len: usize) -> Result<Self, RejectionKind> {
        if token.len() > max_len {
            return Err(RejectionKind::TooLarge);
        }
        let (header, rest) = split(token).ok_or(RejectionKind::Malformed)?;
        let (payload, signature) = split(rest).ok_or(RejectionKind::Malformed)?;
        if memchr(b'.', signature).is_some() {
            return Err(RejectionKind::Malformed);
        }
        let signed = token
            .get(..header.len() + 1 + payload.len())
            .ok_or(RejectionKind::Malformed)?;
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }

    /// Decodes base64url: its own alphabet, no padding, no bits left over.
    pub(super) fn decode(self) -> Result<Parts<'a>, RejectionKind> {
        if self.header.len() > MAX_ENCODED_HEADER_LEN {
            return Err(RejectionKind::TooLarge);
        }
        let header = decode(self.header)?;
        if header.len() > MAX_HEADER_LEN {
            return Err(RejectionKind::TooLarge);
        }
        Ok(Parts {
            header,
            payload: decode(self.payload)?,
            signature: decode(self.signature)?,
            signed: self.signed,
        })
    }

    /// The payload of a token that is somebody's secret, by the same rules: nothing that was decoded is left in memory.
    pub(super) fn decode_payload(self) -> Result<Zeroizing<Vec<u8>>, RejectionKind> {
        let decode = |part| decode_and_wipe(part).ok_or(RejectionKind::Malformed);
        if self.header.len() > MAX_ENCODED_HEADER_LEN {
            return Err(RejectionKind::TooLarge);
        }
        if decode(self.header)?.len() > MAX_HEADER_LEN {
            return Err(RejectionKind::TooLarge);
        }
        let payload = decode(self.payload)?;
        decode(self.signature)?;
        Ok(payload)
    }
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = memchr(b'.', text)?;
    let (head, rest) = text.split_at_checked(dot)?;
    Some((head, rest.get(1..)?))
}

fn decode(part: &[u8]) -> Result<Vec<u8>, RejectionKind> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| RejectionKind::Malformed)
}

/// The same for what is or may be a secret: it is wiped when it is dropped, and what was decoded before a mistake too.
pub(super) fn decode_and_wipe(part: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(vec![0; decoded_len_estimate(part.len())]);
    let len = URL_SAFE_NO_PAD.decode_slice(part, &mut decoded).ok()?;
    decoded.truncate(len);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Both ways to decode must say the same.
    fn parts(token: &[u8]) -> Result<(Vec<u8>, Vec<u8>, Vec<u8>), RejectionKind> {
        let compact = Compact::find(token, 8192)?;
        let parts = compact.decode();
        let payload = compact.decode_payload().map(|payload| payload.to_vec());
        let same = parts.as_ref().map(|parts| parts.payload.clone());
        assert_eq!(payload, same.map_err(|kind| *kind));
        let parts = parts?;
        Ok((parts.header, parts.payload, parts.signature))
    }

    #[test]
    fn t1_a_token_has_exactly_two_dots() {
        let bad = Err(RejectionKind::Malformed);
        let large = Err(RejectionKind::TooLarge);
        let dots = ".".repeat(10_000);
        let table: &[(&str, &[u8], Result<(), RejectionKind>)] = &[
            ("two", b"YQ.Yg.Yw", Ok(())),
            ("none", b"YQYgYw", bad),
            ("one", b"YQ.Yg", bad),
            ("three", b"YQ.Yg.Yw.ZA", bad),
            ("four, as an encrypted token has", b"YQ.Yg.Yw.ZA.ZQ", bad),
            ("two alone", b"..", Ok(())),
            ("10,000", dots.as_bytes(), large),
            ("8,000", &dots.as_bytes()[..8000], bad),
            ("nothing", b"", bad),
            ("two tokens with a space", b"YQ.Yg.Yw YQ.Yg.Yw", bad),
            ("two tokens with a comma", b"YQ.Yg.Yw,YQ.Yg.Yw", bad),
        ];
        for (name, token, expected) in table {
            assert_eq!(parts(token).map(|_| ()), *expected, "{name}");
        }
    }

    #[test]
    fn t1_base64url_is_strict_in_each_part() {
        for (name, part) in [
            ("padding", "YQ=="),
            ("padding in part", "YQ="),
            ("plus", "ab+d"),
            ("slash", "ab/d"),
            ("space", "YQ "),
            ("newline", "YQ\n"),
            ("bits left over", "YR"),
            ("one character", "Y"),
            ("five characters", "YWFhY"),
            ("comma", "YQ,"),
            ("percent", "YQ%3D"),
            ("beyond ASCII", "Y\u{e4}"),
            ("NUL", "YQ\0"),
        ] {
            for token in [
                format!("{part}.Yg.Yw"),
                format!("YQ.{part}.Yw"),
                format!("YQ.Yg.{part}"),
            ] {
                assert_eq!(
                    parts(token.as_bytes()),
                    Err(RejectionKind::Malformed),
                    "{name}: {token:?}"
                );
            }
        }
        let all = parts(b"YQ.--__.YWI").expect("strict");
        assert_eq!(all, (b"a".to_vec(), vec![0xfb, 0xef, 0xff], b"ab".to_vec()));
    }

    #[test]
    fn t1_sizes_come_first() {
        let header = |len: usize| format!("{}.Yg.Yw", URL_SAFE_NO_PAD.encode(vec![b' '; len]));
        assert!(parts(header(4096).as_bytes()).is_ok());
        assert_eq!(parts(header(4097).as_bytes()), Err(RejectionKind::TooLarge));
        assert_eq!(parts(header(4098).as_bytes()), Err(RejectionKind::TooLarge));
        assert_eq!(parts(header(5120).as_bytes()), Err(RejectionKind::TooLarge));
        let longest = format!("YQ.{}.Yw", "A".repeat(8192 - 6));
        assert!(parts(longest.as_bytes()).is_ok());
        let longer = format!("YQ.{}.Yw", "A".repeat(8192 - 5));
        assert_eq!(parts(longer.as_bytes()), Err(RejectionKind::TooLarge));
    }

    proptest! {
        #[test]
        fn t1_random_bytes_never_panic(token in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parts(&token);
        }

        #[test]
        fn t1_what_is_signed_is_the_token_up_to_the_second_dot(
            header in "[A-Za-z0-9_-]{0,9}", payload in "[A-Za-z0-9_-]{0,9}", signature in "[A-Za-z0-9_-]{0,9}"
        ) {
            let token = format!("{header}.{payload}.{signature}");
            let compact = Compact::find(token.as_bytes(), 8192).expect("two dots");
            let signed = format!("{header}.{payload}");
            prop_assert_eq!(compact.signed, signed.as_bytes());
        }
    }
}
