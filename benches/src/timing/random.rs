//! Chance for the choice of classes and the making of wrong tokens. Not for secrets that guard anything.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The characters of base64 for URLs, as most tokens are written.
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Marsaglia's xorshift, its state multiplied on the way out (xorshift64*), of which the upper bits are used.
#[derive(Debug)]
pub(super) struct Xorshift(u64);

impl Xorshift {
    /// Another row of numbers in every run.
    pub(super) fn seeded() -> Self {
        Self::from_seed(RandomState::new().build_hasher().finish())
    }

    pub(super) fn from_seed(seed: u64) -> Self {
        // From zero it would never move.
        Self(seed.max(1))
    }

    fn upper_bits(&mut self, bits: u32) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let upper = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> (u64::BITS - bits);
        usize::try_from(upper).unwrap_or_default()
    }

    /// 0 or 1, each as likely as the other.
    pub(super) fn class(&mut self) -> usize {
        self.upper_bits(1)
    }

    /// Any number below this one, which is at most a few thousand.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.upper_bits(32) % end
    }

    pub(super) fn character(&mut self) -> u8 {
        CHARACTERS[self.upper_bits(6)]
    }

    /// Any character but this one.
    pub(super) fn other_character(&mut self, than: u8) -> u8 {
        loop {
            let character = self.character();
            if character != than {
                return character;
            }
        }
    }

    pub(super) fn text(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.character()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_classes_are_interleaved_by_chance() {
        const DRAWS: usize = 100_000;
        let mut random = Xorshift::from_seed(7);
        let classes: Vec<usize> = (0..DRAWS).map(|_| random.class()).collect();
        let second = classes.iter().sum::<usize>();
        // Five standard deviations of a fair coin are 790 of 100,000.
        assert!(second.abs_diff(DRAWS / 2) < 790, "{second}");
        for apart in 1..=8 {
            let changes = classes
                .iter()
                .zip(&classes[apart..])
                .filter(|(one, other)| one != other)
                .count();
            assert!(
                changes.abs_diff((DRAWS - apart) / 2) < 790,
                "{changes} of {DRAWS}, {apart} apart"
            );
        }
    }

    #[test]
    fn what_is_drawn_keeps_its_bounds_and_every_run_draws_anew() {
        let mut random = Xorshift::from_seed(0);
        for _ in 0..1_000 {
            assert_ne!(random.other_character(b'A'), b'A');
            assert!(random.below(7) < 7);
        }
        assert_ne!(Xorshift::seeded().text(43), Xorshift::seeded().text(43));
    }
}
