//! Remote keys as a whole: over fake fetches on Tokio's paused clock, and over real servers on loopback.

mod fetch;
mod hostile;
mod requests;
mod schedule;
mod slow;
mod support;
mod tls;
