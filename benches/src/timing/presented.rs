//! What the requests of a class present, drawn anew for every request.

use super::random::Xorshift;

/// A kind of token value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// The token in this slot.
    Right(usize),
    /// The token in any slot but 0, drawn for each request.
    AnyRightBut0,
    /// Random characters, so many.
    Random(usize),
    /// The token in slot 0, its first byte replaced by another one.
    FirstByteWrong,
    /// The token in slot 0, its last byte replaced by another one.
    LastByteWrong,
    /// So many bytes of the token in slot 0, from its beginning.
    Prefix(usize),
}

impl Presented {
    /// Whether a service with these tokens lets the value through.
    pub(super) fn is_accepted(self) -> bool {
        matches!(self, Self::Right(_) | Self::AnyRightBut0)
    }

    /// Draws a value.
    pub(super) fn draw(self, tokens: &[Vec<u8>], random: &mut Xorshift) -> Vec<u8> {
        let mut value = match self {
            Self::Right(slot) => tokens[slot].clone(),
            Self::AnyRightBut0 => tokens[1 + random.below(tokens.len() - 1)].clone(),
            Self::Random(len) => random.text(len),
            Self::FirstByteWrong | Self::LastByteWrong => tokens[0].clone(),
            Self::Prefix(len) => tokens[0][..len].to_vec(),
        };
        let wrong = match self {
            Self::FirstByteWrong => value.first_mut(),
            Self::LastByteWrong => value.last_mut(),
            _ => None,
        };
        if let Some(byte) = wrong {
            *byte = random.other_character(*byte);
        }
        value
    }
}

/// The tokens that a service is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tokens {
    /// So many, all random and of one length.
    Random {
        /// How many.
        count: usize,
        /// How long each is.
        len: usize,
    },
    /// Eight of differing lengths, each of which begins with all shorter ones: a value cut from the longest is right in
    /// every byte and wrong in its length alone. The longest is in slot 0.
    Nested,
    /// Eight of 43 bytes: those in the slots 0 to 3 differ from each other in the last byte alone, the others in all.
    Near,
}

/// The lengths of [`Tokens::Nested`]. None is 43.
const NESTED: [usize; 8] = [64, 20, 32, 42, 44, 48, 56, 60];

impl Tokens {
    pub(super) fn draw(self, random: &mut Xorshift) -> Vec<Vec<u8>> {
        match self {
            Self::Random { count, len } => (0..count).map(|_| random.text(len)).collect(),
            Self::Nested => {
                let longest = random.text(NESTED[0]);
                NESTED.map(|len| longest[..len].to_vec()).to_vec()
            }
            Self::Near => {
                let mut tokens: Vec<_> = (0..8).map(|_| random.text(43)).collect();
                let prefix = tokens[0][..42].to_vec();
                for (token, last) in tokens.iter_mut().zip(*b"ABCD") {
                    token[..42].copy_from_slice(&prefix);
                    token[42] = last;
                }
                tokens
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_each_kind_of_value_differs_from_the_token_where_its_name_says() {
        let mut random = Xorshift::from_seed(3);
        let tokens = Tokens::Random { count: 8, len: 43 }.draw(&mut random);
        let first = &tokens[0];
        for _ in 0..100 {
            let mut draw = |presented: Presented| presented.draw(&tokens, &mut random);
            assert_eq!(&draw(Presented::Right(0)), first);
            assert_eq!(draw(Presented::Right(7)), tokens[7]);
            assert!(tokens[1..].contains(&draw(Presented::AnyRightBut0)));
            let wrong = draw(Presented::FirstByteWrong);
            assert_eq!(wrong[1..], first[1..]);
            assert_ne!(wrong[0], first[0]);
            let wrong = draw(Presented::LastByteWrong);
            assert_eq!(wrong[..42], first[..42]);
            assert_ne!(wrong[42], first[42]);
            assert_eq!(draw(Presented::Prefix(20)), first[..20]);
            assert_eq!(draw(Presented::Random(20)).len(), 20);
            assert_ne!(draw(Presented::Random(43)), draw(Presented::Random(43)));
        }
    }

    #[test]
    fn c4_nested_tokens_are_all_different_and_none_is_as_long_as_what_is_presented() {
        let tokens = Tokens::Nested.draw(&mut Xorshift::from_seed(3));
        let presented = Presented::Prefix(43).draw(&tokens, &mut Xorshift::from_seed(3));
        assert_eq!(tokens.len(), 8);
        for token in &tokens {
            let common = token.len().min(presented.len());
            assert_eq!(token[..common], presented[..common]);
            assert_ne!(token.len(), presented.len());
            assert_eq!(tokens.iter().filter(|other| *other == token).count(), 1);
        }
    }

    #[test]
    fn c4_of_near_tokens_four_differ_in_the_last_byte_alone() {
        let tokens = Tokens::Near.draw(&mut Xorshift::from_seed(3));
        for (slot, token) in tokens.iter().enumerate() {
            assert_eq!(token[..42] == tokens[0][..42], slot < 4, "slot {slot}");
            assert_eq!(tokens.iter().filter(|other| *other == token).count(), 1);
        }
    }
}
