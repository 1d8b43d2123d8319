//! The buffer that answers are written into, wiped when it is dropped.

use std::io;

use bytes::Bytes;
use zeroize::Zeroizing;

/// A buffer that leaves no copy behind when it grows, and none when it is dropped.
pub(in crate::api) struct WipedBuffer(Zeroizing<Vec<u8>>);

impl WipedBuffer {
    pub(in crate::api) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(in crate::api) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes; they are overwritten when the last handle to them is dropped.
    pub(in crate::api) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }

    pub(in crate::api) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity() * 2));
            larger.extend_from_slice(&self.0);
            // The outgrown buffer is wiped by its own drop.
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
    }
}

impl io::Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_a_growing_buffer_keeps_its_content() {
        let mut buffer = WipedBuffer::with_capacity(0);
        for byte in 0..=255_u8 {
            buffer.push(&[byte]);
        }
        assert!(buffer.0.iter().copied().eq(0..=255));
    }
}
