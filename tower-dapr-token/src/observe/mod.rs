//! What an operator is told: decisions, injections, reloads and oddities, through an [`Observer`].
//!
//! An observer gets no token, no length or hash of one, no path and no header (`O2`, `O3`). What there is to tell
//! is here, feature or not; the two ready-made observers get nothing that an observer of the user's own does not.

mod decision;
mod event;
mod injection;
#[cfg(feature = "metrics")]
mod metrics;
mod notice;
mod observer;
mod several;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::{MetricsObserver, MetricsObserverBuilder};
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub use decision::JwtCache;
pub use decision::{Decision, Outcome, Protocol, TokenMode};
pub use event::{Event, TokenStatus};
pub use injection::Injection;
pub use notice::{ExemptionList, Notice};
pub use observer::Observer;
