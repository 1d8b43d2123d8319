//! The caller's deadline: the header `grpc-timeout`, and waits that it bounds.

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::route::Refusal;
use crate::request::InvalidRequest;

const MALFORMED: InvalidRequest = InvalidRequest::new("grpc-timeout is not a time");
/// Most digits of a time.
const DIGITS_MAX: usize = 8;

/// Until when the caller waits; forever unless it says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

/// The caller no longer waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passed;

impl From<Passed> for Refusal {
    fn from(_: Passed) -> Self {
        Self::DeadlinePassed
    }
}

impl Deadline {
    /// The deadline of the call with these headers, which has just come.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, InvalidRequest> {
        let mut times = headers.get_all("grpc-timeout").iter();
        let Some(time) = times.next() else {
            return Ok(Self(None));
        };
        if times.next().is_some() {
            return Err(MALFORMED);
        }
        let time = parse(time.as_bytes()).ok_or(MALFORMED)?;
        // What lies beyond the clock's reach is no deadline.
        Ok(Self(Instant::now().checked_add(time)))
    }

    /// Waits for `future` as long as the caller waits. It is dropped when the deadline passes, and
    /// asked at least once.
    pub(super) async fn bound<F: Future>(self, future: F) -> Result<F::Output, Passed> {
        match self.0 {
            None => Ok(future.await),
            Some(deadline) => timeout_at(deadline, future).await.map_err(|_| Passed),
        }
    }
}

/// One to eight digits and a unit.
fn parse(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits
        .iter()
        .fold(0_u64, |count, digit| count * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(count * 3600),
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_f4_a_timeout_is_eight_digits_and_a_unit() {
        let seconds = |count| Some(Duration::from_secs(count));
        for (text, expected) in [
            ("1H", seconds(3600)),
            ("2M", seconds(120)),
            ("3S", seconds(3)),
            ("4m", Some(Duration::from_millis(4))),
            ("5u", Some(Duration::from_micros(5))),
            ("6n", Some(Duration::from_nanos(6))),
            ("0S", seconds(0)),
            ("99999999H", seconds(99_999_999 * 3600)),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("1 S", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
            ("100000000S", None),
            ("1SS", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn api_f4_two_timeouts_are_no_deadline() {
        let mut headers = HeaderMap::new();
        assert!(Deadline::of(&headers).is_ok_and(|deadline| deadline.0.is_none()));
        headers.append("grpc-timeout", "1S".parse().expect("a value"));
        assert!(Deadline::of(&headers).is_ok_and(|deadline| deadline.0.is_some()));
        headers.append("grpc-timeout", "1S".parse().expect("a value"));
        assert!(Deadline::of(&headers).is_err());
    }
}
