//! Feature `testing`: does a store of your own keep the contract of [`SecretStore`]?
//!
//! [`conformance`] asks a store everything that the engine and its callers rely on, and lists what it finds. It belongs
//! into a test of the store, against the fake or the real backend that the test has filled:
//!
#![cfg_attr(feature = "file", doc = "```")]
#![cfg_attr(not(feature = "file"), doc = "```text")]
//! use dapr_secrets_service::FileStore;
//! use dapr_secrets_service::testing::conformance;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! // In your test: `let store = MyStore::new(..)`, and secrets that it holds.
//! let store = FileStore::builder().parse(r#"{"db": {"user": "admin", "password": "p@ss"}}"#)?;
//! conformance(
//!     store,
//!     &[
//!         ("db:user", &[("db:user", "admin")]),
//!         ("db:password", &[("db:password", "p@ss")]),
//!     ],
//!     &["db:host", "nothing"],
//! )
//! .await?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is asked
//!
//! [`Check`] has a name and a sentence for each question. Together: canonical names are pure, total and their own canonical
//! form; no secret is reached by a second name, which a deny list would not stop; a secret is read by the name in its permit;
//! a miss is a miss and nothing else; a bulk call keeps to its permit and its prefix, and says what `get` says; the shape of
//! a secret fits the advertised features; nothing panics on odd names, and nothing shows a value.
//!
//! # What is not
//!
//! - Names that no store accepts (empty, longer than 2,048 bytes, with control characters): the engine refuses them before a
//!   store is asked.
//! - What a backend does when it fails: each store has its own table of errors, and its own tests of it.
//! - Speed, and calls that never end: bound the test itself.
//!
//! A panic of the store is caught and listed, so that the rest is asked all the same; the panic hook still prints it.

mod bulk;
mod canonical;
mod check;
mod declared;
mod get;
mod names;
mod subject;
mod violation;

pub use check::Check;
pub use violation::{Violation, Violations};

use std::fmt::Debug;

use crate::store::SecretStore;
use subject::Subject;
use violation::Findings;

/// Asks `store` every question of [`Check`].
///
/// `known` are secrets that the store holds, each with its keys and values as a caller gets them who asks by that name: for a
/// store without [`MULTIPLE_KEY_VALUES_PER_SECRET`](crate::MULTIPLE_KEY_VALUES_PER_SECRET) that is one key, called as the
/// secret. `missing` are names that the store accepts and holds no secret of.
///
/// Give at least two known secrets, one missing name, and values that no other secret of the store has: a secret that answers
/// to a second name is found by its value. Nothing may change in the store meanwhile.
///
/// # Errors
///
/// [`Violations`]: at least one, in words that say what to mend. They name secrets and keys, and no value.
///
/// # Panics
///
/// When fewer secrets or names are given than that, so that a test with an empty list does not pass.
pub async fn conformance(
    store: impl SecretStore,
    known: &[(&str, &[(&str, &str)])],
    missing: &[&str],
) -> Result<(), Violations> {
    assert!(known.len() >= 2, "give at least two known secrets");
    assert!(!missing.is_empty(), "give at least one missing name");
    let mut findings = Findings::default();
    declared::check(&store, &mut findings);
    if let Some(subject) = Subject::new(&store, known, missing, &mut findings) {
        canonical::check(&subject, &mut findings);
        let sound = get::check(&subject, &mut findings).await;
        bulk::check(&subject, &mut findings).await;
        get::check_later(&subject, &sound, &mut findings).await;
    }
    findings.into_result()
}

/// Asks whether the `Debug` output of a store, or of anything else that holds them, shows a value of the known secrets.
///
/// It is a question of its own because [`SecretStore`] does not ask for `Debug`. Take values that cannot stand there by
/// accident: `1` can.
///
/// ```
/// use dapr_secrets_service::SecretMap;
/// use dapr_secrets_service::testing::debug_shows_no_value;
///
/// let known: &[(&str, &[(&str, &str)])] = &[("db", &[("password", "hunter2")])];
/// debug_shows_no_value(&SecretMap::single("password", "hunter2"), known)?;
/// debug_shows_no_value(&"hunter2", known).unwrap_err();
/// # Ok::<_, dapr_secrets_service::testing::Violations>(())
/// ```
///
/// # Errors
///
/// [`Violations`], one for each secret that is shown.
pub fn debug_shows_no_value(
    store: &dyn Debug,
    known: &[(&str, &[(&str, &str)])],
) -> Result<(), Violations> {
    let mut findings = Findings::default();
    let shown = [format!("{store:?}"), format!("{store:#?}")];
    for (name, keys) in known {
        let is_shown = |(_, value): &(&str, &str)| {
            // As it is, and as `Debug` quotes it.
            let quoted = format!("{value:?}");
            let quoted = quoted.trim_matches('"');
            let mut shown = shown.iter();
            !value.is_empty() && shown.any(|text| text.contains(value) || text.contains(quoted))
        };
        if keys.iter().any(is_shown) {
            findings.add(
                Check::Debug,
                format!("the Debug output shows a value of {name:?}"),
            );
        }
    }
    findings.into_result()
}
