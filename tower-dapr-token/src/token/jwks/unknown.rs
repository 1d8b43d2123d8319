//! What becomes of requests whose `kid` is not known (`T7`): a pure state, to which every moment is an argument.
//!
//! - One fetch is shared by all. Who comes while one is under way, for whatever reason it was begun, waits for that.
//! - Such a request begins a fetch itself at most once in 30 s, counted from the moment when the last such fetch was
//!   claimed, before it began and whatever came of it. What the schedule fetches is not counted: a rollover right after
//!   it would otherwise be refused.
//! - 256 requests wait, each at most 1 s. More are refused at once.
//! - A `kid` that a successful fetch did not bring is remembered for the rest of those 30 s, and refused at once even
//!   while something is fetched. 128 are remembered; for more there is the shared pause alone. A fetch that failed
//!   says nothing about a `kid`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::task::Waker;
use std::time::Duration;

/// panva/jose uses the same, and it bounds a flood to two fetches a minute.
pub(super) const PAUSE: Duration = Duration::from_secs(30);
/// It bridges a rollover without letting a flood queue.
pub(super) const WAIT: Duration = Duration::from_secs(1);
pub(super) const MAX_WAITING: usize = 256;
pub(super) const MAX_REMEMBERED: usize = 128;
/// The longest `kid` that a token may have (`T3`), so that what is remembered is bounded in bytes too.
const MAX_KID_LEN: usize = 256;

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

#[derive(Debug, Default)]
pub(super) struct UnknownKids {
    flight: Flight,
    /// When a request last began a fetch.
    claimed: Option<Duration>,
    /// When the fetch under way began.
    began: Duration,
    tickets: u64,
    /// Those who come first are first, and their time ends first.
    waiting: BTreeMap<Ticket, Waiting>,
    /// What they wait for.
    sought: HashSet<Box<str>>,
    /// What is known not to exist, and until when that is believed.
    absent: HashMap<Box<str>, Duration>,
    /// Nobody fetches any more.
    closed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flight {
    #[default]
    None,
    /// A request wants it, and the task has not begun yet.
    Claimed,
    UnderWay,
}

#[derive(Debug)]
struct Waiting {
    until: Duration,
    waker: Option<Waker>,
}

impl UnknownKids {
    /// A request with this `kid`. `None` if it is to be refused at once.
    pub(super) fn ask(&mut self, kid: &str, now: Duration) -> Option<Ticket> {
        if self.waiting.len() >= MAX_WAITING || !self.seek(kid, now) {
            return None;
        }
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        let waiting = Waiting {
            until: now.saturating_add(WAIT),
            waker: None,
        };
        self.waiting.insert(ticket, waiting);
        Some(ticket)
    }

    /// Whether such a request has a place: it joins a fetch, or may claim one.
    pub(super) fn may_ask(&self, kid: &str, now: Duration) -> bool {
        self.waiting.len() < MAX_WAITING && self.may_seek(kid, now)
    }

    /// A request with this `kid` that cannot wait: whether a fetch that may bring it is under way, or is claimed now.
    pub(super) fn seek(&mut self, kid: &str, now: Duration) -> bool {
        if !self.may_seek(kid, now) {
            return false;
        }
        if self.flight == Flight::None {
            self.claimed = Some(now);
            self.flight = Flight::Claimed;
        }
        if self.sought.len() < MAX_REMEMBERED {
            self.sought.insert(kid.into());
        }
        true
    }

    fn may_seek(&self, kid: &str, now: Duration) -> bool {
        let is_absent = self.absent.get(kid).is_some_and(|until| now < *until);
        let in_pause = |claimed: Duration| now < claimed.saturating_add(PAUSE);
        let joins = self.flight != Flight::None;
        !self.closed
            && !is_absent
            && kid.len() <= MAX_KID_LEN
            && (joins || !self.claimed.is_some_and(in_pause))
    }

    /// Whether a request wants a fetch that has not begun.
    pub(super) fn is_claimed(&self) -> bool {
        self.flight == Flight::Claimed
    }

    /// A fetch begins, whatever for.
    pub(super) fn begin(&mut self, now: Duration) {
        self.flight = Flight::UnderWay;
        self.began = now;
    }

    /// The fetch has ended, and what it brought is in force. All who wait are to be woken.
    ///
    /// `holds` says whether there is such a key now; `None` if the fetch failed.
    pub(super) fn end(
        &mut self,
        now: Duration,
        holds: Option<&dyn Fn(&str) -> bool>,
    ) -> Vec<Waker> {
        self.flight = Flight::None;
        self.absent.retain(|_, until| now < *until);
        let until = self.began.saturating_add(PAUSE);
        for kid in self.sought.drain() {
            if holds.is_some_and(|holds| !holds(&kid)) && self.absent.len() < MAX_REMEMBERED {
                self.absent.insert(kid, until);
            }
        }
        self.release(|_| true)
    }

    /// Nothing will be fetched any more. All who wait are to be woken.
    pub(super) fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        self.flight = Flight::None;
        self.sought.clear();
        self.release(|_| true)
    }

    /// Those who have waited long enough are to be woken.
    pub(super) fn release_overdue(&mut self, now: Duration) -> Vec<Waker> {
        self.release(|waiting| waiting.until <= now)
    }

    /// When the next one has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.waiting
            .first_key_value()
            .map(|(_, waiting)| waiting.until)
    }

    fn release(&mut self, is_over: impl Fn(&Waiting) -> bool) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(first) = self.waiting.first_entry() {
            if !is_over(first.get()) {
                break;
            }
            wakers.extend(first.remove().waker);
        }
        wakers
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether this one still waits. If so, `waker` is called when it does no more; the one before is given back, to be
    /// dropped when nothing is locked.
    pub(super) fn wait(&mut self, ticket: Ticket, waker: Waker) -> (bool, Option<Waker>) {
        match self.waiting.get_mut(&ticket) {
            Some(waiting) => (true, waiting.waker.replace(waker)),
            None => (false, Some(waker)),
        }
    }

    /// This one waits no more. Its waker is given back, to be dropped when nothing is locked.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        self.waiting.remove(&ticket)?.waker
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Begins the claimed fetch and ends it with success, and without any of the keys.
    fn fetched_without(kids: &mut UnknownKids, from: u64, to: u64) {
        kids.begin(at(from));
        kids.end(at(to), Some(&|_| false));
    }

    #[test]
    fn t7_a_fetch_is_claimed_before_it_begins_and_shared() {
        let mut kids = UnknownKids::default();
        assert!(!kids.is_claimed());
        assert!(kids.ask("a", at(0)).is_some());
        assert!(kids.is_claimed());
        assert!(kids.ask("b", at(1)).is_some(), "joins it before it begins");
        kids.begin(at(2));
        assert!(!kids.is_claimed());
        assert!(kids.ask("a", at(3)).is_some(), "joins it under way");
        assert!(!kids.is_claimed(), "one is enough");
        assert_eq!(kids.waiting(), 3);
        kids.end(at(4), Some(&|_| false));
        assert_eq!(kids.waiting(), 0);
    }

    #[test]
    fn t7_to_look_whether_one_may_wait_claims_nothing() {
        let mut kids = UnknownKids::default();
        assert!(kids.may_ask("a", at(0)));
        assert!(!kids.is_claimed(), "looked at only");
        assert!(!kids.may_ask(&"a".repeat(MAX_KID_LEN + 1), at(0)));
        assert!(kids.ask("a", at(0)).is_some());
        assert!(kids.may_ask("b", at(1)), "would join it");
        fetched_without(&mut kids, 2, 3);
        for (kid, time, allowed) in [
            ("a", 4, false),
            ("b", 4, false),
            ("b", 29_999, false),
            ("b", 30_000, true),
        ] {
            assert_eq!(kids.may_ask(kid, at(time)), allowed, "{kid} at {time}");
        }
        kids.begin(at(10));
        assert!(kids.may_ask("b", at(11)), "would join that of the schedule");
        assert!(!kids.may_ask("a", at(11)), "just not found");
        kids.close();
        assert!(!kids.may_ask("b", at(40_000)));
    }

    #[test]
    fn t7_the_pause_counts_from_the_claim_whatever_came_of_the_fetch() {
        for (name, is_success) in [("found nothing", true), ("failed", false)] {
            let mut kids = UnknownKids::default();
            assert!(kids.ask("a", at(1_000)).is_some(), "{name}");
            kids.begin(at(1_100));
            kids.end(at(6_000), is_success.then_some(&|_| false));
            for (time, allowed) in [(6_000, false), (30_999, false), (31_000, true)] {
                let asked = kids.ask("b", at(time));
                assert_eq!(asked.is_some(), allowed, "{name} at {time}");
            }
            assert!(kids.is_claimed(), "{name}");
        }
    }

    #[test]
    fn t7_what_the_schedule_fetches_does_not_use_up_the_pause_and_is_joined() {
        let mut kids = UnknownKids::default();
        kids.begin(at(0));
        let ticket = kids.ask("new", at(100));
        assert!(ticket.is_some());
        assert!(!kids.is_claimed());
        kids.end(at(200), None);
        assert!(kids.ask("new", at(300)).is_some());
        assert!(kids.is_claimed(), "right after");
    }

    #[test]
    fn t7_ten_thousand_unknown_kids_make_one_fetch_in_thirty_seconds() {
        let mut kids = UnknownKids::default();
        let mut fetches = Vec::new();
        let mut waited = 0;
        for request in 0..100_000_u64 {
            // One a millisecond, each with a name of its own; a fetch takes 50 ms.
            let now = at(request);
            if kids.ask(&format!("kid-{request}"), now).is_some() {
                waited += 1;
            }
            if kids.is_claimed() {
                kids.begin(now);
                fetches.push(request);
            }
            if fetches.last().is_some_and(|begun| begun + 50 == request) {
                kids.end(now, Some(&|_| false));
            }
            assert!(kids.waiting() <= MAX_WAITING);
            assert!(kids.absent.len() <= MAX_REMEMBERED);
        }
        assert_eq!(fetches, [0, 30_000, 60_000, 90_000]);
        assert_eq!(waited, 4 * 51);
    }

    #[test]
    fn t7_two_hundred_and_fifty_six_wait_and_the_next_is_refused() {
        let mut kids = UnknownKids::default();
        let tickets: Vec<_> = (0..MAX_WAITING)
            .map(|n| kids.ask(&format!("{n}"), at(0)).expect("a place"))
            .collect();
        assert_eq!(tickets.len(), 256);
        assert_eq!(kids.ask("one more", at(0)), None);
        assert!(kids.leave(tickets[17]).is_none(), "nobody to wake");
        assert!(
            kids.ask("one more", at(0)).is_some(),
            "a place is free again"
        );
        assert_eq!(kids.ask("two more", at(0)), None);
        kids.leave(tickets[17]);
        assert_eq!(kids.ask("two more", at(0)), None, "nobody leaves twice");
    }

    #[test]
    fn t7_each_waits_for_a_second_at_most() {
        let mut kids = UnknownKids::default();
        let first = kids.ask("a", at(0)).expect("a place");
        let second = kids.ask("a", at(400)).expect("a place");
        kids.begin(at(0));
        assert_eq!(kids.next_deadline(), Some(at(1_000)));
        for ticket in [first, second] {
            assert!(kids.wait(ticket, Waker::noop().clone()).0);
        }
        for (time, woken, left) in [(999, 0, 2), (1_000, 1, 1), (1_399, 0, 1), (1_400, 1, 0)] {
            assert_eq!(kids.release_overdue(at(time)).len(), woken, "at {time}");
            assert_eq!(kids.waiting(), left, "at {time}");
        }
        assert_eq!(kids.next_deadline(), None);
        for ticket in [first, second] {
            assert!(!kids.wait(ticket, Waker::noop().clone()).0);
        }
    }

    #[test]
    fn t7_the_end_of_the_fetch_wakes_all() {
        let mut kids = UnknownKids::default();
        let tickets: Vec<_> = (0..3).filter_map(|_| kids.ask("a", at(0))).collect();
        for ticket in &tickets {
            kids.wait(*ticket, Waker::noop().clone());
        }
        kids.begin(at(1));
        assert_eq!(kids.end(at(2), None).len(), 3);
        assert!(!kids.wait(tickets[0], Waker::noop().clone()).0);
    }

    #[test]
    fn t7_a_kid_that_was_not_found_is_remembered_for_the_pause() {
        let mut kids = UnknownKids::default();
        assert!(kids.ask("absent", at(0)).is_some());
        fetched_without(&mut kids, 10, 20);
        // The schedule fetches, which others may join.
        kids.begin(at(5_000));
        assert_eq!(kids.ask("absent", at(5_001)), None);
        assert!(kids.ask("other", at(5_001)).is_some());
        kids.end(at(5_002), Some(&|_| false));
        kids.begin(at(30_000));
        assert_eq!(kids.ask("absent", at(30_009)), None);
        assert!(
            kids.ask("absent", at(30_010)).is_some(),
            "30 s after the fetch began"
        );
        assert_eq!(kids.ask("other", at(30_010)), None, "looked for later");
    }

    #[test]
    fn t7_a_kid_is_not_remembered_if_it_was_found_or_the_fetch_failed() {
        let found = |kid: &str| kid == "new";
        let table: &[(&str, Option<&dyn Fn(&str) -> bool>)] =
            &[("found", Some(&found)), ("failed", None)];
        for (name, holds) in table {
            let mut kids = UnknownKids::default();
            kids.ask("new", at(0));
            kids.begin(at(0));
            kids.end(at(1), *holds);
            kids.begin(at(2));
            assert!(kids.ask("new", at(3)).is_some(), "{name}");
        }
    }

    #[test]
    fn t7_a_hundred_and_twenty_eight_are_remembered_and_the_pause_holds_for_more() {
        let mut kids = UnknownKids::default();
        for n in 0..200 {
            assert!(kids.ask(&format!("kid-{n}"), at(0)).is_some(), "{n}");
        }
        fetched_without(&mut kids, 0, 10);
        assert_eq!(kids.absent.len(), MAX_REMEMBERED);
        for n in 0..200 {
            assert_eq!(
                kids.ask(&format!("kid-{n}"), at(20)),
                None,
                "{n}: in the pause"
            );
        }
        kids.begin(at(30));
        let refused = (0..200).filter(|n| kids.ask(&format!("kid-{n}"), at(40)).is_none());
        assert_eq!(refused.count(), MAX_REMEMBERED);
        kids.end(at(50), Some(&|_| false));
        assert_eq!(kids.absent.len(), MAX_REMEMBERED, "no more");
        // When their time is over they make room.
        assert!(kids.ask("later", at(40_000)).is_some());
        fetched_without(&mut kids, 40_000, 40_001);
        assert_eq!(kids.absent.len(), 1);
    }

    #[test]
    fn t7_who_comes_and_goes_while_one_fetch_is_under_way_fills_no_memory() {
        let mut kids = UnknownKids::default();
        for n in 0..10_000 {
            let ticket = kids.ask(&format!("kid-{n}"), at(0)).expect("a place");
            kids.leave(ticket);
        }
        assert_eq!(kids.sought.len(), MAX_REMEMBERED);
        assert_eq!(kids.waiting(), 0);
    }

    #[test]
    fn t3_t7_a_kid_of_more_than_256_bytes_is_not_kept() {
        let mut kids = UnknownKids::default();
        assert_eq!(kids.ask(&"k".repeat(257), at(0)), None);
        assert!(!kids.is_claimed());
        assert!(kids.ask(&"k".repeat(256), at(0)).is_some());
    }

    #[test]
    fn t7_who_cannot_wait_has_keys_fetched_within_the_same_limits_and_takes_no_place() {
        let mut kids = UnknownKids::default();
        assert!(kids.seek("a", at(0)));
        assert!(kids.is_claimed());
        assert!(kids.seek("b", at(1)), "joins it");
        assert_eq!(kids.waiting(), 0);
        fetched_without(&mut kids, 2, 10);
        for (kid, time, fetches) in [
            ("a", 10, false),
            ("c", 29_999, false),
            ("a", 30_000, false),
            ("c", 30_000, true),
            ("a", 30_001, false),
        ] {
            assert_eq!(kids.seek(kid, at(time)), fetches, "{kid} at {time}");
        }
        assert!(kids.is_claimed());
        assert!(!kids.seek(&"k".repeat(257), at(30_001)));
        kids.close();
        assert!(!kids.seek("d", at(100_000)), "nobody fetches any more");
        assert!(!kids.is_claimed());
    }

    #[test]
    fn t7_nobody_waits_for_a_task_that_is_gone() {
        let mut kids = UnknownKids::default();
        let ticket = kids.ask("a", at(0)).expect("a place");
        kids.wait(ticket, Waker::noop().clone());
        assert_eq!(kids.close().len(), 1);
        assert!(!kids.wait(ticket, Waker::noop().clone()).0);
        assert_eq!(kids.ask("a", at(100_000)), None);
    }
}
