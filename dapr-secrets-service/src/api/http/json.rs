//! Writes JSON into buffers that are wiped. Members come in the order they are given.

use crate::api::wiped::WipedBuffer;
use crate::secret::SecretMap;

/// Bytes of the JSON of a secret when nothing in it needs escaping.
pub(super) fn estimate(secret: &SecretMap) -> usize {
    secret.content_len() + 6 * secret.len() + 2
}

pub(super) fn write_secret(json: &mut WipedBuffer, secret: &SecretMap) {
    write_object(json, secret.iter(), |json, value| {
        write_text(json, value.expose());
    });
}

pub(super) fn write_object<N: AsRef<str>, V>(
    json: &mut WipedBuffer,
    members: impl Iterator<Item = (N, V)>,
    mut write_value: impl FnMut(&mut WipedBuffer, V),
) {
    json.push(b"{");
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            json.push(b",");
        }
        write_text(json, name.as_ref());
        json.push(b":");
        write_value(json, value);
    }
    json.push(b"}");
}

pub(super) fn write_text(json: &mut WipedBuffer, text: &str) {
    serde_json::to_writer(json, text).expect("text is JSON, and the buffer takes everything");
}
