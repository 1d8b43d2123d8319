//! [`Pulse`]: what one connection is doing, and until when it may; the time is an argument.
//!
//! | the connection | may go on |
//! | --- | --- |
//! | is in the middle of a head, or of another frame of HTTP/2 than a body's | `Limits::head` from the first byte of it |
//! | waits for our answer | as long as the answer takes, which has a limit of its own |
//! | has an answer to read | `Limits::idle` from the last byte that it took |
//! | has none of that | `Limits::idle` from the last request |
//!
//! Bytes alone never prolong anything: neither those of a head, nor pings.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::head::{Progress, Seen};
use super::limits::Limits;

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// A head takes too long.
    Head,
    /// Nothing is asked, or nothing is read.
    Idle,
}

/// Shared by what reads, what answers, and what decides.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<State>);

#[derive(Debug)]
struct State {
    progress: Progress,
    /// The first byte of what is not whole yet.
    head_since: Option<Instant>,
    /// Requests whose answer is being made.
    answering: usize,
    /// The last request, or its answer.
    asked: Instant,
    /// The last byte that the client took.
    wrote: Instant,
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            progress: Progress::new(),
            head_since: None,
            answering: 0,
            asked: now,
            wrote: now,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came from the client.
    pub(super) fn read(&self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        let state = &mut *self.state();
        match state.progress.read(bytes) {
            // While a request is answered they are its body, or wait for their turn.
            Seen::Bytes if state.answering > 0 => {}
            Seen::Bytes => {
                state.head_since.get_or_insert(now);
            }
            Seen::Frames { partial: false, .. } => state.head_since = None,
            Seen::Frames { finished: true, .. } => state.head_since = Some(now),
            Seen::Frames { .. } => {
                state.head_since.get_or_insert(now);
            }
        }
    }

    /// The client took bytes.
    pub(super) fn wrote(&self, now: Instant) {
        self.state().wrote = now;
    }

    /// A request is there.
    pub(super) fn asked(&self, now: Instant) {
        let state = &mut *self.state();
        state.answering += 1;
        state.asked = now;
        if matches!(state.progress, Progress::Http1) {
            state.head_since = None;
        }
    }

    /// An answer is made, or will never be.
    pub(super) fn answered(&self, now: Instant) {
        let state = &mut *self.state();
        state.answering = state.answering.saturating_sub(1);
        state.asked = now;
        // What the client has not taken yet counts from here.
        state.wrote = now;
    }

    /// Since when nothing was asked; `None` while a request is open. `unsent` tells of answers to valid tokens.
    pub(super) fn idle_since(&self, unsent: bool) -> Option<Instant> {
        let state = self.state();
        (state.answering == 0 && !unsent).then_some(state.asked)
    }

    /// Until when it may go on as it is, and what it is then; `None` while its answer is made.
    pub(super) fn deadline(&self, unsent: bool, limits: &Limits) -> Option<(Instant, Overdue)> {
        let state = self.state();
        let head = state
            .head_since
            .map(|since| (since + limits.head, Overdue::Head));
        let idle = (state.answering == 0).then(|| {
            let since = if unsent {
                state.asked.max(state.wrote)
            } else {
                state.asked
            };
            (since + limits.idle, Overdue::Idle)
        });
        match (head, idle) {
            (Some(head), Some(idle)) => Some(if idle.0 < head.0 { idle } else { head }),
            (head, idle) => head.or(idle),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: fn() -> Limits = Limits::default;
    const PREFACE_AND_SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0";

    /// Seconds after the start, as the deadline of a pulse.
    fn due(pulse: &Pulse, start: Instant, unsent: bool) -> Option<(u64, Overdue)> {
        let (at, why) = pulse.deadline(unsent, &LIMITS())?;
        Some(((at - start).as_secs(), why))
    }

    #[test]
    fn api_g6_a_silent_connection_may_stay_75_s() {
        let start = Instant::now();
        let pulse = Pulse::new(start);
        assert_eq!(due(&pulse, start, false), Some((75, Overdue::Idle)));
        assert_eq!(pulse.idle_since(false), Some(start));
    }

    #[test]
    fn api_g6_a_head_has_10_s_from_its_first_byte_however_steadily_it_drips() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let half_a_frame = [PREFACE_AND_SETTINGS, b"\0\0\x20\x01"].concat();
        for first in [&b"GET /"[..], b"PRI * HT", &half_a_frame] {
            let pulse = Pulse::new(start);
            pulse.read(first, at(20));
            for second in 21..29 {
                pulse.read(b"x", at(second));
                // Whole frames reset it, of which a few bytes are none.
                assert_eq!(
                    due(&pulse, start, false),
                    Some((30, Overdue::Head)),
                    "{first:?}"
                );
            }
        }
    }

    #[test]
    fn api_g6_the_head_after_a_request_has_10_s_of_its_own() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pulse = Pulse::new(start);
        pulse.read(b"GET / HTTP/1.1\r\n\r\n", at(1));
        pulse.asked(at(1));
        assert_eq!(due(&pulse, start, false), None, "an answer is being made");
        assert_eq!(pulse.idle_since(false), None);
        pulse.read(b"its body", at(2));
        assert_eq!(due(&pulse, start, false), None, "a body is no head");
        pulse.answered(at(3));
        assert_eq!(due(&pulse, start, false), Some((78, Overdue::Idle)));
        assert_eq!(pulse.idle_since(false), Some(at(3)));
        pulse.read(b"GET", at(50));
        assert_eq!(due(&pulse, start, false), Some((60, Overdue::Head)));
    }

    #[test]
    fn api_g6_pings_prolong_nothing() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pulse = Pulse::new(start);
        pulse.read(PREFACE_AND_SETTINGS, at(1));
        for second in (10..70).step_by(10) {
            pulse.read(PING, at(second));
            pulse.wrote(at(second));
            assert_eq!(due(&pulse, start, false), Some((75, Overdue::Idle)));
        }
        pulse.read(&PING[..5], at(60));
        assert_eq!(due(&pulse, start, false), Some((70, Overdue::Head)));
        // Traffic that never ends at the end of a frame is none that hangs.
        pulse.read(&[&PING[5..], &PING[..5]].concat(), at(64));
        assert_eq!(due(&pulse, start, false), Some((74, Overdue::Head)));
    }

    #[test]
    fn api_g6_an_answer_that_is_read_goes_on_and_one_that_is_not_does_not() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pulse = Pulse::new(start);
        pulse.asked(at(1));
        pulse.answered(at(2));
        assert_eq!(due(&pulse, start, true), Some((77, Overdue::Idle)));
        assert_eq!(
            pulse.idle_since(true),
            None,
            "it is not the one to make room"
        );
        pulse.wrote(at(40));
        assert_eq!(due(&pulse, start, true), Some((115, Overdue::Idle)));
        // Once it is read, the request counts and not its last byte.
        assert_eq!(due(&pulse, start, false), Some((77, Overdue::Idle)));
    }

    #[test]
    fn api_g6_a_request_that_is_answered_does_not_excuse_another_head() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pulse = Pulse::new(start);
        pulse.read(PREFACE_AND_SETTINGS, at(0));
        pulse.asked(at(1));
        pulse.read(&PING[..5], at(2));
        assert_eq!(due(&pulse, start, false), Some((12, Overdue::Head)));
    }
}
