//! What an operator should know about configured tokens (`C1`), wherever they come from.

use std::borrow::Borrow;

use super::secret::Token;
use super::set::TokenSet;
use super::snapshot::TokenReader;
use crate::observe::Notice;

/// Each at most once, however many tokens it is about.
pub(super) fn of<T: Borrow<Token>>(tokens: impl IntoIterator<Item = T>) -> Vec<Notice> {
    let (mut short, mut comma) = (false, false);
    for token in tokens {
        let token = token.borrow();
        short |= token.is_short();
        comma |= token.has_comma();
    }
    let short = short.then_some(Notice::ShortToken);
    let comma = comma.then_some(Notice::TokenWithComma);
    short.into_iter().chain(comma).collect()
}

/// Of tokens that were set by hand.
pub(super) fn of_set(set: &TokenSet) -> Vec<Notice> {
    let token = |slot| TokenSet::none().with_slot_of(set, slot)?.current();
    of((0..set.len()).filter_map(token))
}

/// Of the tokens that a layer begins with, which somebody else changes.
pub(crate) fn of_reader(reader: &TokenReader) -> Vec<Notice> {
    of_set(reader.snapshot().verifier().token_set())
}
