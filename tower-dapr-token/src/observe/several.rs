//! Several observers where one is asked for: a pair tells both, and an `Arc` lets one be in several places.
//!
//! Every method is forwarded by name, because a forgotten one would compile and fall silent; a test tells each.

use std::sync::Arc;

use super::decision::Decision;
use super::event::Event;
use super::injection::Injection;
use super::notice::Notice;
use super::observer::Observer;
#[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::KeyEvent;
use crate::token::{Reloaded, SourceError};

/// Tells the first, then the second. Either may be a pair again.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_decision(&self, decision: &Decision) {
        self.0.on_decision(decision);
        self.1.on_decision(decision);
    }

    fn on_injection(&self, injection: Injection) {
        self.0.on_injection(injection);
        self.1.on_injection(injection);
    }

    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        self.0.on_reload(result);
        self.1.on_reload(result);
    }

    fn on_notice(&self, notice: &Notice) {
        self.0.on_notice(notice);
        self.1.on_notice(notice);
    }

    fn on_event(&self, event: &Event) {
        self.0.on_event(event);
        self.1.on_event(event);
    }

    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    fn on_key_event(&self, event: &KeyEvent) {
        self.0.on_key_event(event);
        self.1.on_key_event(event);
    }
}

/// The same observer, for whoever else holds it.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_decision(&self, decision: &Decision) {
        (**self).on_decision(decision);
    }

    fn on_injection(&self, injection: Injection) {
        (**self).on_injection(injection);
    }

    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        (**self).on_reload(result);
    }

    fn on_notice(&self, notice: &Notice) {
        (**self).on_notice(notice);
    }

    fn on_event(&self, event: &Event) {
        (**self).on_event(event);
    }

    #[cfg(any(feature = "jwks", feature = "jwt", feature = "jwt-rust-crypto"))]
    fn on_key_event(&self, event: &KeyEvent) {
        (**self).on_key_event(event);
    }
}
