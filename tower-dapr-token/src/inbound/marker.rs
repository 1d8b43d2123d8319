//! [`Immediate`] and [`Waiting`]: the two ways of a layer, told apart by its type (`J5`).

/// The way of a [`RequireTokenLayer`](crate::RequireTokenLayer) that decides at once: it asks nothing of the inner
/// service. The default, and no value: it stands in types alone.
#[derive(Clone, Copy, Debug)]
pub enum Immediate {}

/// The way of a [`RequireTokenLayer`](crate::RequireTokenLayer) with keys that are fetched: a request with a JWT whose
/// key is not known yet may wait for it, at most a second (`T7`).
///
/// The inner service is then asked to be `Clone`: the instance that is ready goes with the waiting request, and its clone
/// takes its place. Up to 256 requests wait at a time, and each keeps what its instance holds, such as the permit of a
/// concurrency limit, inside of this layer or outside: strangers could use up a limit that is not well above 256 for as
/// long as a fetch takes. No value: it stands in types alone.
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[cfg_attr(
    docsrs,
    doc(cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto"))))
)]
#[derive(Clone, Copy, Debug)]
pub enum Waiting {}
