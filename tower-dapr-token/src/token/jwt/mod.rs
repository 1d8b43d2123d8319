//! JWT mode: what is required of a token that is a JSON Web Token, and why.
//!
//! A token is accepted if it is well formed, a key at hand has signed it, and it says that it is for this service, from
//! an expected issuer, now (section 9 of the specification). The order is fixed (`T1`):
//!
//! 1. size and form: two dots, strict base64url (`parse.rs`);
//! 2. the header: strict JSON, no extension, an algorithm that is allowed, a type that is meant (`header.rs`);
//! 3. the key, by name and algorithm; at most four are tried (`key_set.rs`);
//! 4. the signature (`key.rs`, `backend.rs`);
//! 5. the claims (`claims.rs`, `subject.rs`), by the rules of the issuer (`rules.rs`).
//!
//! `verify.rs` walks that order; `cache.rs` remembers for a short time who passed it. `key_reload.rs` reads the keys of a
//! file again. `outbound/` is the other way round:
//! tokens that a client sends (`I9`).
//!
//! # Security
//!
//! - The key chooses the algorithm; a header that asks for another one is refused. No address or key in a token is ever
//!   looked at.
//! - Key material is checked before any key type is built (`T11`), and the backend must answer known questions rightly
//!   before the first request (`T12`).
//! - The provider of the cryptography is named at each call; the default of the process is neither read nor set (`T10`).
//! - No claim, name of a key, or token is shown by an error, a log or `Debug`.

mod algorithm;
mod backend;
mod cache;
mod claims;
mod clock;
mod ed25519;
mod error;
mod header;
mod json;
mod jwk;
mod key;
mod key_reload;
mod key_set;
mod key_set_file;
mod known_answer;
mod local_keys;
mod outbound;
mod parse;
mod pem;
mod rules;
mod sentry;
mod subject;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod testing;
mod verify;

pub use algorithm::Algorithm;
pub use backend::Backend;
pub use claims::{Claims, ClaimsError};
pub use clock::{SystemWallClock, WallClock};
pub use error::JwtConfigError;
pub use key_set_file::{KeySetFile, KeySetFileBuilder};
pub use local_keys::JwtKeys;
pub use outbound::{
    JwtFile, JwtHandle, JwtHandleBuilder, JwtSigner, JwtSignerBuilder, JwtSource, MintedToken,
    Renewal,
};
pub use rules::JwtRules;
pub use subject::SubjectRule;

pub(crate) use self::outbound::Slot as JwtSlot;
pub(crate) use self::verify::{
    Accepted, CacheUse, GREATEST_MAX_LEN, JwtOptions, JwtVerifier, Refused, Trust,
};
#[cfg(feature = "jwks")]
pub(crate) use self::{
    algorithm::Algorithms,
    jwk::{KeySetError, Origin},
    key_set::{KeySet, KeySlot},
    verify::UnknownKid,
};
