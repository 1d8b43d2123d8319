//! Guides: one page for each task, with examples that are compiled and run.
//!
//! The rules themselves are on the pages of the modules [`inbound`](crate::inbound) and
//! [`outbound`](crate::outbound). These pages say how to use them.
//!
//! | to do | page |
//! | --- | --- |
//! | put the check in front of an app, and know what it covers | [`placement`] |
//! | accept JSON Web Tokens, alone or beside a static token | [`jwt`] |
//! | send the token to the sidecar, and nowhere else | [`outbound`] |
//! | change the token without a restart | [`rotation`] |
//! | end a token that somebody else knows | [`leaked_token`] |
//! | log, count, and be alerted | [`observing`] |
//! | test an app behind the layer | [`testing`] |
//! | know what this protects from, and what not | [`threats`] |
//! | replace another check | [`migration`] |

pub mod placement {
    #![doc = include_str!("placement.md")]
}

pub mod jwt {
    #![doc = include_str!("jwt.md")]
    #![cfg_attr(
        not(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto"))),
        allow(
            rustdoc::broken_intra_doc_links,
            reason = "what it links to is not compiled in"
        )
    )]
}

pub mod outbound {
    #![doc = include_str!("outbound.md")]
}

pub mod rotation {
    #![doc = include_str!("rotation.md")]
}

pub mod leaked_token {
    #![doc = include_str!("leaked-token.md")]
}

pub mod observing {
    #![doc = include_str!("observing.md")]
}

pub mod testing {
    #![doc = include_str!("testing.md")]
}

pub mod threats {
    #![doc = include_str!("threats.md")]
}

pub mod migration {
    #![doc = include_str!("migration.md")]
}
