//! [`Listening`]: which listeners are up.

use crate::gauge::{Counted, Gauge};

/// Clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    wanted: usize,
    up: Gauge,
}

impl Listening {
    /// `wanted` listeners, none of them up yet.
    pub(crate) fn new(wanted: usize) -> Self {
        Self {
            wanted,
            up: Gauge::new(),
        }
    }

    /// Whether every listener accepts connections.
    pub(crate) fn is_complete(&self) -> bool {
        self.up.count() == self.wanted
    }

    /// One listener is up, until the returned value is dropped.
    pub(crate) fn one_up(&self) -> Counted {
        self.up.enter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g3_every_listener_counts_as_long_as_it_is_held() {
        let listening = Listening::new(2);
        assert!(!listening.is_complete());
        let first = listening.one_up();
        assert!(!listening.is_complete());
        let second = listening.one_up();
        assert!(listening.is_complete());
        drop(first);
        assert!(!listening.is_complete());
        drop(second);
    }
}
