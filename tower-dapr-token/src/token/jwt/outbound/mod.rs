//! JWTs that a client sends: minted with a key at hand, or made by somebody else (`I9`).
//!
//! A [`JwtSource`] gives one token at a time; [`JwtSigner`] and [`JwtFile`] are two. `slot.rs` holds the token that is
//! sent now, and knows when the next one is due: at two thirds of its life. Whatever happens to the source, a token is
//! never sent once its `exp` is over.
//!
//! # Security
//!
//! - A private key is wiped when its signer is dropped, and so are the copies that reading it makes. No error, log or
//!   `Debug` shows a key or a token.
//! - RSA keys are not used with RustCrypto, whose signing takes a time that tells of the key (RUSTSEC-2023-0071).
//! - The signature of a token that somebody else made is not checked: who receives it does that. Its `exp` is believed
//!   only to stop sending it.

mod file;
mod handle;
mod minted;
mod private_key;
mod signer;
mod slot;
mod source;
#[cfg(feature = "tokio")]
mod task;
#[cfg(test)]
mod tests;

pub use file::JwtFile;
pub use handle::{JwtHandle, JwtHandleBuilder};
pub use minted::MintedToken;
pub use signer::{JwtSigner, JwtSignerBuilder};
pub use source::{JwtSource, Renewal};

pub(crate) use slot::Slot;
