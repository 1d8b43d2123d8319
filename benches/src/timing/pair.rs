//! The pairs of classes, and what is asked of each.

use tower_dapr_token::{RequireToken, RequireTokenLayer, Token};
use tower_layer::Layer;

use super::TimingError;
use super::crop::{Difference, difference};
use super::equality::Equality;
use super::presented::{Presented, Tokens};
use super::random::Xorshift;
use super::sample::{sample, sample_fresh};
use crate::floor::Body;
use crate::inner::Inner;

/// Two classes of requests to one service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) name: &'static str,
    /// Which comparison it is, which differs from row to row only to prove the test itself.
    pub(super) subject: Subject,
    pub(super) tokens: Tokens,
    pub(super) classes: [Presented; 2],
    pub(super) asked: Asked,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The layer as a program uses it.
    RequireToken,
    /// The same, built anew for every request, with one token whose length is that of the class. The lengths should be
    /// ones for which allocators have blocks of one size.
    TokenOfLength([usize; 2]),
    /// A layer that compares with `==`.
    Equality,
}

/// What a pair has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// No difference: what differs is secret.
    Alike,
    /// Nothing: what differs is public, or not ours.
    Shown,
    /// No difference, or the test sees what is not there.
    ControlAlike,
    /// A large one, or the test does not see what is there.
    ControlApart,
}

/// 32 random bytes in base64 without padding: the usual token.
const USUAL: Tokens = Tokens::Random { count: 1, len: 43 };
const LONGEST: Tokens = Tokens::Random {
    count: 1,
    len: 1_024,
};
const EIGHT: Tokens = Tokens::Random { count: 8, len: 43 };

/// The rows, in their order.
pub(super) const PAIRS: &[Pair] = &[
    ours(
        "refused: last byte wrong / random",
        USUAL,
        [Presented::LastByteWrong, Presented::Random(43)],
        Asked::Alike,
    ),
    ours(
        "refused: last byte wrong / first byte wrong",
        USUAL,
        [Presented::LastByteWrong, Presented::FirstByteWrong],
        Asked::Alike,
    ),
    ours(
        "refused: last byte wrong / first byte wrong, 1,024 bytes",
        LONGEST,
        [Presented::LastByteWrong, Presented::FirstByteWrong],
        Asked::Alike,
    ),
    ours(
        "refused by eight: last byte wrong / random",
        EIGHT,
        [Presented::LastByteWrong, Presented::Random(43)],
        Asked::Alike,
    ),
    ours(
        "refused by eight lengths: wrong in the length alone / random",
        Tokens::Nested,
        [Presented::Prefix(43), Presented::Random(43)],
        Asked::Alike,
    ),
    Pair {
        name: "refused: as long as the token / 13 bytes shorter",
        subject: Subject::TokenOfLength([43, 56]),
        tokens: USUAL,
        classes: [Presented::Random(43), Presented::Random(43)],
        asked: Asked::Alike,
    },
    ours(
        "accepted: the token in slot 0 of eight / in slot 7",
        EIGHT,
        [Presented::Right(0), Presented::Right(7)],
        Asked::Alike,
    ),
    ours(
        "accepted: the token in slot 0 of eight / any other",
        EIGHT,
        [Presented::Right(0), Presented::AnyRightBut0],
        Asked::Alike,
    ),
    ours(
        "accepted: three others right but for a byte / none",
        Tokens::Near,
        [Presented::Right(0), Presented::Right(7)],
        Asked::Alike,
    ),
    ours(
        "accepted / refused: the token / random",
        USUAL,
        [Presented::Right(0), Presented::Random(43)],
        Asked::Shown,
    ),
    ours(
        "refused: 43 bytes / 20 bytes, both random",
        USUAL,
        [Presented::Random(43), Presented::Random(20)],
        Asked::Shown,
    ),
    ours(
        "refused: random / random",
        USUAL,
        [Presented::Random(43), Presented::Random(43)],
        Asked::ControlAlike,
    ),
    equality(
        "`==`: last byte wrong / first byte wrong, 1,024 bytes",
        LONGEST,
        Asked::ControlApart,
    ),
    equality(
        "`==`: last byte wrong / first byte wrong",
        USUAL,
        Asked::Shown,
    ),
];

const fn ours(name: &'static str, tokens: Tokens, classes: [Presented; 2], asked: Asked) -> Pair {
    Pair {
        name,
        subject: Subject::RequireToken,
        tokens,
        classes,
        asked,
    }
}

const fn equality(name: &'static str, tokens: Tokens, asked: Asked) -> Pair {
    Pair {
        name,
        subject: Subject::Equality,
        tokens,
        classes: [Presented::LastByteWrong, Presented::FirstByteWrong],
        asked,
    }
}

/// What was found of a pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) decided: Difference,
    /// Nothing where one class is forwarded and the other refused: the answers differ by nature.
    pub(super) answered: Option<Difference>,
}

impl Pair {
    /// Measures the pair with so many requests, against tokens drawn for this run.
    pub(super) fn measure(&self, count: usize) -> Result<Found, TimingError> {
        let tokens = self.tokens.draw(&mut Xorshift::seeded());
        let sampled = match self.subject {
            Subject::RequireToken => sample(&mut require(&tokens)?, &tokens, self.classes, count),
            Subject::TokenOfLength(lens) => {
                let service =
                    |class: usize, random: &mut Xorshift| require(&[random.text(lens[class])]);
                sample_fresh(service, self.classes, count)
            }
            Subject::Equality => {
                let mut service = Equality::new(tokens[0].clone());
                sample(&mut service, &tokens, self.classes, count)
            }
        }?;
        let [first, second] = self.classes.map(Presented::is_accepted);
        Ok(Found {
            decided: difference(sampled.decided),
            answered: (first == second).then(|| difference(sampled.answered)),
        })
    }
}

/// The layer with these tokens, the first of them current.
fn require(tokens: &[Vec<u8>]) -> Result<RequireToken<Inner<Body>>, TimingError> {
    let mut tokens = tokens.iter().cloned().map(Token::try_from);
    let mut builder = RequireTokenLayer::builder();
    if let Some(current) = tokens.next() {
        builder = builder.token(current?);
    }
    for previous in tokens {
        builder = builder.add_previous(previous?);
    }
    Ok(builder.build()?.layer(Inner::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_every_pair_is_answered_as_its_classes_say() {
        for pair in PAIRS {
            let found = pair.measure(1_000).unwrap();
            let [first, second] = pair.classes.map(Presented::is_accepted);
            assert_eq!(found.answered.is_some(), first == second, "{}", pair.name);
            assert!(!found.decided.t.is_nan(), "{}", pair.name);
        }
    }

    #[test]
    fn c4_what_is_gated_are_secrets_of_the_layer_alone() {
        for pair in PAIRS.iter().filter(|pair| pair.asked == Asked::Alike) {
            assert_ne!(pair.subject, Subject::Equality, "{}", pair.name);
            let mut random = Xorshift::from_seed(2);
            let tokens = pair.tokens.draw(&mut random);
            let [first, second] = pair
                .classes
                .map(|presented| presented.draw(&tokens, &mut random).len());
            assert_eq!(
                first, second,
                "{}: the presented length is public",
                pair.name
            );
        }
        for asked in [Asked::Alike, Asked::ControlAlike, Asked::ControlApart] {
            assert!(PAIRS.iter().any(|pair| pair.asked == asked), "{asked:?}");
        }
    }
}
