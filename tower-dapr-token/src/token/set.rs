//! [`TokenSet`]: the tokens that are accepted now.

use std::fmt;

use super::compare::{self, Compared, Padded};
use super::secret::Token;
use crate::error::ConfigError;

/// Every token is compared on every request, and a rotation needs two or three (`C1`).
pub(crate) const MAX_TOKENS: usize = 8;

/// The current token and the previous ones that are still accepted: at most eight, all different.
///
/// ```
/// use tower_dapr_token::TokenSet;
///
/// let set = TokenSet::new("the-current-token-of-32-bytes-ok".parse()?)
///     .add_previous("the-one-before-it".parse()?)?;
/// assert_eq!(set.len(), 2);
/// # Ok::<(), tower_dapr_token::ConfigError>(())
/// ```
pub struct TokenSet {
    /// In the order of the slots; the first is current. Made with room for all that there can be: growing would
    /// leave unwiped copies behind.
    tokens: Vec<Padded>,
    longest: usize,
}

impl TokenSet {
    /// A set of one token.
    #[must_use]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "taking the token over lets it be wiped here"
    )]
    pub fn new(current: Token) -> Self {
        let mut set = Self::none();
        set.push(&current);
        set
    }

    /// Adds a previous token. One that is in the set already is dropped (`C1`).
    ///
    /// # Errors
    ///
    /// [`ConfigError::TooManyTokens`] for a ninth token.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "taking the token over lets it be wiped here"
    )]
    pub fn add_previous(mut self, token: Token) -> Result<Self, ConfigError> {
        if self.compare(token.expose()).decide(u64::MAX).is_some() {
            return Ok(self);
        }
        if self.len() == MAX_TOKENS {
            return Err(ConfigError::TooManyTokens);
        }
        self.push(&token);
        Ok(self)
    }

    /// How many tokens are accepted.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// A set that accepts nothing.
    pub(super) fn none() -> Self {
        Self {
            tokens: Vec::with_capacity(MAX_TOKENS),
            longest: 0,
        }
    }

    fn push(&mut self, token: &Token) {
        self.longest = self.longest.max(token.expose().len());
        self.place().fill(token);
    }

    /// An empty place behind the last token.
    fn place(&mut self) -> &mut Padded {
        self.tokens.push(Padded::empty());
        self.tokens.last_mut().expect("one was just pushed")
    }

    /// This set and the token in that slot of another one; `None` if there is none, or it is in this set, or
    /// this set is full.
    pub(super) fn with_slot_of(&self, other: &Self, slot: usize) -> Option<Self> {
        let token = other.token(slot)?;
        let len = self.len();
        self.clone()
            .add_previous(token)
            .ok()
            .filter(|set| set.len() > len)
    }

    /// Without its previous tokens.
    pub(super) fn only_current(&self) -> Self {
        self.current().map_or_else(Self::none, Self::new)
    }

    /// The token that is sent. There is none in an empty set.
    pub(super) fn current(&self) -> Option<Token> {
        self.token(0)
    }

    /// Whether both hold the same tokens in the same order.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        compare::are_same(&self.tokens, &other.tokens)
    }

    fn token(&self, slot: usize) -> Option<Token> {
        Token::from_bytes(&self.tokens.get(slot)?.to_bytes()).ok()
    }

    /// The length of the longest token, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Compares the value with every token.
    #[inline(always)]
    pub(super) fn compare(&self, presented: &[u8]) -> Compared {
        compare::compare(presented, &self.tokens)
    }
}

impl Clone for TokenSet {
    fn clone(&self) -> Self {
        let mut set = Self::none();
        set.longest = self.longest;
        for token in &self.tokens {
            set.place().copy_from(token);
        }
        set
    }
}

impl From<Token> for TokenSet {
    fn from(current: Token) -> Self {
        Self::new(current)
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("tokens", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::Matched;
    use super::*;

    fn token(text: &str) -> Token {
        text.parse().expect("valid")
    }

    #[test]
    fn c1_duplicates_are_dropped_and_a_ninth_token_is_an_error() {
        let mut set = TokenSet::new(token("token-0"));
        for i in 0..8 {
            set = set
                .add_previous(token(&format!("token-{i}")))
                .expect("fits");
        }
        assert_eq!(set.len(), 8);
        assert_eq!(
            set.clone()
                .add_previous(token("token-3"))
                .expect("known")
                .len(),
            8,
            "a duplicate fits into a full set"
        );
        assert_eq!(
            set.add_previous(token("token-8")).map(|set| set.len()),
            Err(ConfigError::TooManyTokens)
        );
    }

    #[test]
    fn c3_the_slot_is_that_of_the_token_that_matched() {
        let set = TokenSet::new(token("current"))
            .add_previous(token("previous"))
            .expect("fits");
        for (value, slot) in [("current", Some(0)), ("previous", Some(1)), ("other", None)] {
            assert_eq!(
                set.compare(value.as_bytes())
                    .decide(u64::MAX)
                    .map(Matched::slot),
                slot,
                "{value}"
            );
        }
    }

    #[test]
    fn c5_a_set_prints_how_many_tokens_it_has_and_none_of_them() {
        let set = TokenSet::new(token("hunter2-hunter2"));
        assert_eq!(format!("{set:?}"), "TokenSet { tokens: 1, .. }");
    }
}
