//! Messages that hold secrets, written by hand: a generated one would copy every value into a string
//! that nobody wipes. The tests read them with the generated code.
//!
//! Both answers are maps in field 1. An entry of a map is a message with its key in field 1 and its
//! value in field 2; every field here has a length and then its bytes.

use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};

use crate::api::wiped::WipedBuffer;
use crate::bulk::BulkSecrets;
use crate::secret::SecretMap;

/// Longest message that is answered, in bytes.
const MESSAGE_MAX: usize = 16 << 20;

const FIELD_1: u8 = 0x0a;
const FIELD_2: u8 = 0x12;

/// `GetSecretResponse`. A secret has at most 8 MiB, so it is never too large.
pub(super) fn secret(secret: &SecretMap) -> WipedBuffer {
    let length = map_len(secret);
    let mut out = framed(length);
    push_map(&mut out, secret);
    out
}

/// `GetBulkSecretResponse`; `None` when it would be too large.
pub(super) fn bulk(answer: &BulkSecrets) -> Option<WipedBuffer> {
    let length = answer
        .iter()
        .map(|(name, secret)| field_len(entry_len(name, map_len(secret))))
        .sum();
    if length > MESSAGE_MAX {
        return None;
    }
    let mut out = framed(length);
    for (name, secret) in answer.iter() {
        let secret_len = map_len(secret);
        push_prefix(&mut out, FIELD_1, entry_len(name, secret_len));
        push_field(&mut out, FIELD_1, name);
        push_prefix(&mut out, FIELD_2, secret_len);
        push_map(&mut out, secret);
    }
    Some(out)
}

/// A message without secrets.
pub(super) fn plain(message: &impl Message) -> WipedBuffer {
    let bytes = message.encode_to_vec();
    let mut out = framed(bytes.len());
    out.push(&bytes);
    out
}

/// A buffer for a message of this length, with its prefix: not compressed, and the length.
fn framed(length: usize) -> WipedBuffer {
    let mut out = WipedBuffer::with_capacity(length + 5);
    out.push(&[0]);
    // Bounded by what an answer may have: see above, and the limits of the engine.
    out.push(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    out
}

/// A map of text to text in field 1: `GetSecretResponse`, and `SecretResponse`.
fn push_map(out: &mut WipedBuffer, secret: &SecretMap) {
    for (key, value) in secret.iter() {
        let value = value.expose();
        push_prefix(out, FIELD_1, entry_len(key, value.len()));
        push_field(out, FIELD_1, key);
        push_field(out, FIELD_2, value);
    }
}

fn map_len(secret: &SecretMap) -> usize {
    secret
        .iter()
        .map(|(key, value)| field_len(entry_len(key, value.expose().len())))
        .sum()
}

/// An entry whose value has `value_len` bytes.
fn entry_len(key: &str, value_len: usize) -> usize {
    field_len(key.len()) + field_len(value_len)
}

/// A field of `len` bytes, with what is in front of them.
fn field_len(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

fn push_field(out: &mut WipedBuffer, field: u8, text: &str) {
    push_prefix(out, field, text.len());
    out.push(text.as_bytes());
}

fn push_prefix(out: &mut WipedBuffer, field: u8, len: usize) {
    // A length has at most ten bytes.
    let mut prefix = [0; 11];
    prefix[0] = field;
    let mut rest = &mut prefix[1..];
    encode_varint(len as u64, &mut rest);
    let unused = rest.len();
    out.push(&prefix[..prefix.len() - unused]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::grpc::dapr::{GetBulkSecretResponse, GetSecretResponse};

    /// The message behind its prefix, which must tell its length.
    fn unframed(written: WipedBuffer) -> Vec<u8> {
        let bytes = written.into_bytes().to_vec();
        let (prefix, message) = bytes.split_at(5);
        assert_eq!(prefix[0], 0);
        let length = u32::from_be_bytes(prefix[1..].try_into().expect("four bytes"));
        assert_eq!(length as usize, message.len());
        message.to_vec()
    }

    #[test]
    fn api_f1_generated_code_reads_what_is_written_by_hand() {
        let long = "x".repeat(300);
        let rows: [(&str, Vec<(&str, &str)>); 5] = [
            ("no key", vec![]),
            ("one key", vec![("a", "1")]),
            (
                "an empty key and an empty value",
                vec![("", "1"), ("b", "")],
            ),
            ("not ASCII", vec![("é", "✓"), ("b", "\0\n")]),
            ("lengths of two bytes", vec![("a", &long), (&long, "b")]),
        ];
        let mut answer = BulkSecrets::default();
        for (name, entries) in &rows {
            let map: SecretMap = entries.iter().copied().collect();
            let read = GetSecretResponse::decode(&unframed(secret(&map))[..]).expect(name);
            assert_eq!(read.data.len(), entries.len(), "{name}");
            for (key, value) in entries {
                assert_eq!(
                    read.data.get(*key).map(String::as_str),
                    Some(*value),
                    "{name}"
                );
            }
            answer.insert(*name, map);
        }
        let written = bulk(&answer).expect("small enough");
        let read = GetBulkSecretResponse::decode(&unframed(written)[..]).expect("a message");
        assert_eq!(read.data.len(), rows.len());
        for (name, entries) in rows {
            let secrets = &read.data[name].secrets;
            assert_eq!(secrets.len(), entries.len(), "{name}");
            for (key, value) in entries {
                assert_eq!(secrets.get(key).map(String::as_str), Some(value), "{name}");
            }
        }
    }

    #[test]
    fn api_f3_an_answer_has_at_most_16_mib() {
        let mut answer = BulkSecrets::default();
        // Three entries of lengths that take four bytes, around names of one byte.
        let around = 3 * (1 + 4 + 3 + 1 + 4 + 1 + 4 + 3 + 1 + 4);
        let value = |size: usize| SecretMap::single("k", "x".repeat(size));
        let third = (MESSAGE_MAX - around) / 3;
        let last = MESSAGE_MAX - around - 2 * third;
        answer.insert("a", value(third));
        answer.insert("b", value(third));
        answer.insert("c", value(last));
        let whole = bulk(&answer).expect("16 MiB fit");
        assert_eq!(unframed(whole).len(), MESSAGE_MAX);
        answer.insert("c", value(last + 1));
        assert!(bulk(&answer).is_none());
    }
}
