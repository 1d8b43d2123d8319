//! A header value that notes when it is dropped.
//!
//! [`RequireToken`](tower_dapr_token::RequireToken) takes the token out of the request, compares it where it lies, and
//! drops it before it goes on to forward or to refuse. So the moment of the drop ends the decision, seen from outside
//! and through public API alone: the span that holds the comparison and hardly anything else.

use std::cell::Cell;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use http::header::InvalidHeaderValue;

thread_local! {
    static DROPPED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Owns the bytes of a value.
struct Stamped(Vec<u8>);

impl AsRef<[u8]> for Stamped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Stamped {
    fn drop(&mut self) {
        DROPPED.set(Some(Instant::now()));
    }
}

/// A value that notes when its last copy is dropped.
pub(super) fn stamped(value: Vec<u8>) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from_owner(Stamped(value)))
}

/// When a value was last dropped on this thread, and forgets it.
pub(super) fn take_dropped() -> Option<Instant> {
    DROPPED.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_copy_of_a_value_notes_when_it_is_dropped() {
        let before = Instant::now();
        let value = stamped(b"token".to_vec()).unwrap();
        let copy = value.clone();
        assert_eq!(copy, "token");
        drop(value);
        assert_eq!(take_dropped(), None);
        drop(copy);
        assert!(take_dropped().unwrap() >= before);
        assert_eq!(take_dropped(), None);
    }
}
