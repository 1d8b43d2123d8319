//! The word-wise fold over all tokens. The only file that compares a secret.
//!
//! A presented value is copied into a zero-padded array of 64-bit words, whose size depends on the
//! presented length alone. The differences of all words, and of the lengths, are folded with OR
//! into one word per configured token; that word becomes one bit without a branch, and one
//! [`subtle`] comparison of all bits together is the decision (`C2`). `subtle` over byte slices
//! was measured at about fourteen instructions a byte, which is more than the rest of the layer.
//!
//! What constant time covers: nothing branches on, or indexes by, a byte or the length of a
//! secret. What it does not: the presented length and the number of tokens show.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::secret::Token;
use crate::header::MAX_TOKEN_LEN;

const WORD: usize = size_of::<u64>();
/// 64, 256 and 1024 bytes: the first holds any random token in hex or base64 of up to 32 bytes.
const SMALL: usize = 8;
const MEDIUM: usize = 32;
const LARGE: usize = MAX_TOKEN_LEN / WORD;

/// A configured token, padded to the largest class so that its length never branches.
///
/// It is made empty, put where it stays, and filled there: moving it would leave unwiped copies on the stack.
pub(super) struct Padded {
    len: u64,
    words: [u64; LARGE],
}

impl Padded {
    pub(super) fn empty() -> Self {
        Self {
            len: 0,
            words: [0; LARGE],
        }
    }

    pub(super) fn fill(&mut self, token: &Token) {
        self.len = token.expose().len() as u64;
        for (word, bytes) in self.words.iter_mut().zip(token.expose().chunks(WORD)) {
            let mut padded = Zeroizing::new([0; WORD]);
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(*padded);
        }
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.len = other.len;
        self.words.copy_from_slice(&other.words);
    }

    /// The token as it was before it was padded, in memory that is wiped.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let len = usize::try_from(self.len).unwrap_or(MAX_TOKEN_LEN);
        // Room for all of it: a growing vector would leave unwiped copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TOKEN_LEN));
        bytes.extend(self.words.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.truncate(len);
        bytes
    }
}

impl Padded {
    fn wipe(&mut self) {
        self.len.zeroize();
        self.words.zeroize();
    }
}

impl Drop for Padded {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl ZeroizeOnDrop for Padded {}

/// What came of comparing a value with every token: one bit for each, set where both are equal. Nothing is
/// decided yet.
#[derive(Clone, Copy)]
pub(super) struct Compared(u64);

impl Compared {
    /// Decides whether the value equals one of the tokens in these slots, a bit for each.
    #[inline(always)]
    pub(super) fn decide(self, slots: u64) -> Option<Matched> {
        let matched = self.0 & slots;
        // The one decision, through a comparison that the optimiser cannot turn into a branch on the bits
        // before it.
        if bool::from(matched.ct_eq(&0)) {
            None
        } else {
            Some(Matched(matched))
        }
    }
}

/// Which of the tokens a value equals: one bit for each, at least one of them set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matched(u64);

impl Matched {
    /// The slot of the token, worked out only after the decision (`C3`): 0 is the current one.
    pub(super) fn slot(self) -> u32 {
        self.0.trailing_zeros()
    }
}

/// Compares the presented value with every token.
///
/// A value longer than any token can be equals none. At most 64 tokens; a
/// [`TokenSet`](super::TokenSet) holds at most eight.
#[inline(always)]
pub(super) fn compare(presented: &[u8], tokens: &[Padded]) -> Compared {
    Compared(match presented.len() {
        0..=64 => fold::<SMALL>(presented, tokens),
        _ => fold_long(presented, tokens),
    })
}

/// Whether both are the same tokens in the same order. Every word is compared.
pub(super) fn are_same(ours: &[Padded], theirs: &[Padded]) -> bool {
    let mut difference = ours.len() as u64 ^ theirs.len() as u64;
    for (ours, theirs) in ours.iter().zip(theirs) {
        difference |= ours.len ^ theirs.len;
        for (ours, theirs) in ours.words.iter().zip(&theirs.words) {
            difference |= ours ^ theirs;
        }
    }
    bool::from(difference.ct_eq(&0))
}

/// The two larger classes, out of the way of the usual one.
#[inline(never)]
fn fold_long(presented: &[u8], tokens: &[Padded]) -> u64 {
    match presented.len() {
        0..=256 => fold::<MEDIUM>(presented, tokens),
        257..=MAX_TOKEN_LEN => fold::<LARGE>(presented, tokens),
        _ => 0,
    }
}

#[inline]
fn fold<const WORDS: usize>(presented: &[u8], tokens: &[Padded]) -> u64 {
    let words: [u64; WORDS] = to_words(presented);
    let len = presented.len() as u64;
    let mut matched = 0;
    for (slot, token) in tokens.iter().enumerate() {
        let mut difference = len ^ token.len;
        for (ours, theirs) in token.words.iter().zip(&words) {
            difference |= ours ^ theirs;
        }
        // The top bit of `d | -d` is set exactly when `d` is not zero.
        let equal = ((difference | difference.wrapping_neg()) >> 63) ^ 1;
        matched |= equal << slot;
    }
    matched
}

/// Zero-padded words of a value that is no longer than `WORDS` words; the rest of a longer one is
/// left out, which no caller relies on.
#[inline]
fn to_words<const WORDS: usize>(value: &[u8]) -> [u64; WORDS] {
    let mut padded = [[0; WORD]; WORDS];
    let bytes = padded.as_flattened_mut();
    let copied = WORDS == SMALL
        && (copy_ends::<32>(bytes, value)
            || copy_ends::<16>(bytes, value)
            || copy_ends::<8>(bytes, value));
    if !copied {
        for (to, from) in bytes.iter_mut().zip(value) {
            *to = *from;
        }
    }
    padded.map(u64::from_ne_bytes)
}

/// Copies a value of `N` to `2 * N` bytes as its first and its last `N` bytes, which overlap: two moves of
/// a constant size instead of a call of `memcpy`.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else {
        return false;
    };
    let Some(end) = to.get_mut(from.len() - N..from.len()) else {
        return false;
    };
    end.copy_from_slice(last);
    to[..N].copy_from_slice(first);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn padded(tokens: &[&[u8]]) -> Vec<Padded> {
        tokens
            .iter()
            .map(|bytes| {
                let mut padded = Padded::empty();
                padded.fill(&Token::try_from(bytes.to_vec()).expect("valid"));
                padded
            })
            .collect()
    }

    /// The bits that are set.
    fn matches(presented: &[u8], tokens: &[Padded]) -> u64 {
        compare(presented, tokens)
            .decide(u64::MAX)
            .map_or(0, |matched| matched.0)
    }

    #[test]
    fn c2_every_length_class_compares_all_bytes_and_the_length() {
        for len in [1_usize, 7, 8, 9, 43, 63, 64, 65, 255, 256, 257, 1023, 1024] {
            let token: Vec<u8> = (b'!'..b'{').cycle().take(len).collect();
            let tokens = padded(&[&token]);
            assert_eq!(matches(&token, &tokens), 1, "{len} bytes, equal");
            for at in 0..len {
                let mut wrong = token.clone();
                wrong[at] ^= 1;
                assert_eq!(matches(&wrong, &tokens), 0, "{len} bytes, byte {at} wrong");
            }
            assert_eq!(
                matches(&token[..len - 1], &tokens),
                0,
                "{len} bytes, right prefix"
            );
            assert_eq!(
                matches(&token[1..], &tokens),
                0,
                "{len} bytes, right suffix"
            );
            let mut longer = token.clone();
            longer.push(0);
            assert_eq!(matches(&longer, &tokens), 0, "{len} bytes and a NUL");
            longer.pop();
            longer.push(b'x');
            assert_eq!(matches(&longer, &tokens), 0, "{len} bytes and one more");
        }
    }

    #[test]
    fn c2_every_token_is_compared_whichever_matches() {
        let all: Vec<Vec<u8>> = (0..8)
            .map(|i| format!("token-number-{i}").into_bytes())
            .collect();
        for count in 1..=8 {
            let tokens = padded(&all[..count].iter().map(Vec::as_slice).collect::<Vec<_>>());
            for (slot, token) in all.iter().enumerate() {
                let expected = if slot < count { 1 << slot } else { 0 };
                assert_eq!(matches(token, &tokens), expected, "slot {slot} of {count}");
            }
        }
    }

    #[test]
    fn c2_only_the_slots_that_are_asked_for_decide() {
        let compared = compare(b"b", &padded(&[b"a", b"b"]));
        for (slots, expected) in [(0, 0), (0b01, 0), (0b10, 0b10), (0b11, 0b10)] {
            let decided = compared.decide(slots).map_or(0, |matched| matched.0);
            assert_eq!(decided, expected, "{slots:b}");
        }
    }

    #[test]
    fn r3_two_sets_are_the_same_if_every_token_is_and_their_order() {
        let sets: [&[&[u8]]; 7] = [
            &[],
            &[b"a"],
            &[b"b"],
            &[b"a", b"b"],
            &[b"b", b"a"],
            &[b"a", b"b", b"c"],
            &[b"ab"],
        ];
        for (i, ours) in sets.iter().enumerate() {
            for (j, theirs) in sets.iter().enumerate() {
                assert_eq!(
                    are_same(&padded(ours), &padded(theirs)),
                    i == j,
                    "{ours:?} and {theirs:?}"
                );
            }
        }
    }

    #[test]
    fn i7_what_was_padded_comes_out_as_it_went_in() {
        for len in [1, 7, 8, 9, 64, 65, MAX_TOKEN_LEN] {
            let token: Vec<u8> = (b'!'..b'{').cycle().take(len).collect();
            assert_eq!(*padded(&[&token])[0].to_bytes(), token, "{len} bytes");
        }
    }

    #[test]
    fn c5_what_holds_a_token_is_wiped_on_drop() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &T) {}
        is_wiped(&Padded::empty());
        is_wiped(&Zeroizing::new(Box::<[u8]>::default()));

        // What `drop` does, seen while the memory is still there.
        let mut padded = Padded::empty();
        padded.fill(&"hunter2-hunter2".parse().expect("valid"));
        assert_ne!(padded.words, [0; LARGE]);
        padded.wipe();
        assert_eq!((padded.len, padded.words), (0, [0; LARGE]));
    }

    #[test]
    fn c2_a_nul_padded_value_is_not_its_unpadded_self() {
        let tokens = padded(&[b"abc"]);
        assert_eq!(matches(b"abc\0", &tokens), 0);
        assert_eq!(matches(b"", &tokens), 0);
    }

    proptest! {
        #[test]
        fn c2_agrees_with_plain_equality(
            tokens in prop::collection::vec("[!-~]{1,80}", 1..8),
            presented in "[!-~]{0,80}",
            pick in any::<prop::sample::Index>(),
            use_pick in any::<bool>(),
        ) {
            let presented = if use_pick { pick.get(&tokens).clone() } else { presented };
            let set = padded(&tokens.iter().map(String::as_bytes).collect::<Vec<_>>());
            let matched = matches(presented.as_bytes(), &set);
            for (slot, token) in tokens.iter().enumerate() {
                prop_assert_eq!(matched >> slot & 1 == 1, *token == presented);
            }
            prop_assert_eq!(matched != 0, tokens.contains(&presented));
        }
    }
}
