//! [`Crowd`]: the connections that are open together, and which of them makes room for another.
//!
//! At the limit the one that is idle longest is closed (`docs/spec/secrets-api.md`, G6). One with an open request never
//! is: when all have one, the newcomer is closed, since each of those requests has passed the token check or is just
//! being answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::pulse::Pulse;
use crate::gauge::Gauge;

/// The connections of one or several listeners; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Crowd(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    by_number: HashMap<u64, Arc<Member>>,
}

#[derive(Debug)]
struct Member {
    pulse: Arc<Pulse>,
    requests: Gauge,
    leave: Notify,
    gone: watch::Sender<bool>,
}

impl Crowd {
    /// At most `limit` connections, at least one.
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Inner {
            limit: limit.max(1),
            members: Mutex::default(),
        }))
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Nothing below panics while it is held.
        self.0
            .members
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection, and who leaves for it; `None` when every place is taken by a connection with an open
    /// request.
    ///
    /// `requests` counts the requests of the connection that passed the token check.
    pub(super) fn enter(
        &self,
        pulse: &Arc<Pulse>,
        requests: &Gauge,
    ) -> Option<(Place, Option<Leaving>)> {
        let members = &mut *self.members();
        let mut leaving = None;
        if members.by_number.len() >= self.0.limit {
            let idle = members.by_number.iter().filter_map(|(number, member)| {
                let since = member.pulse.idle_since(member.requests.count() > 0)?;
                Some((since, *number))
            });
            // Of two that are idle equally long, the one that came first.
            let (_, number) = idle.min()?;
            if let Some(member) = members.by_number.remove(&number) {
                leaving = Some(Leaving(member.gone.subscribe()));
                member.leave.notify_one();
            }
        }
        let number = members.next;
        members.next += 1;
        let member = Arc::new(Member {
            pulse: Arc::clone(pulse),
            requests: requests.clone(),
            leave: Notify::new(),
            gone: watch::Sender::new(false),
        });
        members.by_number.insert(number, Arc::clone(&member));
        let place = Place {
            crowd: self.clone(),
            number,
            member,
        };
        Some((place, leaving))
    }
}

/// A connection that was asked to make room.
#[derive(Debug)]
pub(super) struct Leaving(watch::Receiver<bool>);

impl Leaving {
    /// Returns when its socket is closed, so that a burst of connections cannot use up the files of the process.
    pub(super) async fn finish(mut self) {
        // An error means that it is gone as well.
        let _ = self.0.wait_for(|gone| *gone).await;
    }
}

/// The place of one connection, until this is dropped or [`taken`](Self::taken) returns.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    number: u64,
    member: Arc<Member>,
}

impl Place {
    /// Returns when another connection has taken the place.
    pub(super) async fn taken(&self) {
        self.member.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.members().by_number.remove(&self.number);
        self.member.gone.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    fn is_taken(place: &Place) -> bool {
        let mut taken = Box::pin(place.taken());
        taken
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn api_g6_at_the_limit_the_connection_that_is_idle_longest_makes_room() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let crowd = Crowd::new(3);
        let enter = |seconds| {
            let pulse = Arc::new(Pulse::new(at(seconds)));
            let (place, leaving) = crowd.enter(&pulse, &Gauge::new()).expect("room");
            assert_eq!(leaving.is_some(), seconds == 5, "{seconds}");
            (pulse, place)
        };
        let (first_pulse, first) = enter(0);
        let (_second_pulse, second) = enter(1);
        let (_third_pulse, third) = enter(2);
        // The first one has asked something since.
        first_pulse.asked(at(3));
        first_pulse.answered(at(4));
        let (_, fourth) = enter(5);
        let taken = [&first, &second, &third, &fourth].map(is_taken);
        assert_eq!(taken, [false, true, false, false]);
        // The place is the fourth's: that the second ends frees none.
        drop(second);
        assert_eq!(crowd.members().by_number.len(), 3);
        drop((first, third, fourth));
        assert_eq!(crowd.members().by_number.len(), 0);
    }

    #[test]
    fn api_g6_a_connection_with_an_open_request_never_makes_room() {
        let start = Instant::now();
        let crowd = Crowd::new(2);
        let pulse = || Arc::new(Pulse::new(start));
        let (answering, unsent) = (pulse(), pulse());
        let requests = Gauge::new();
        let (first, _) = crowd.enter(&answering, &Gauge::new()).expect("room");
        let (second, _) = crowd.enter(&unsent, &requests).expect("room");
        answering.asked(start);
        let open = requests.enter();
        assert!(crowd.enter(&pulse(), &Gauge::new()).is_none());
        assert!(!is_taken(&first) && !is_taken(&second));
        drop(open);
        assert!(crowd.enter(&pulse(), &Gauge::new()).is_some());
        assert!(!is_taken(&first) && is_taken(&second));
    }

    #[tokio::test]
    async fn api_g6_who_leaves_is_gone_when_its_place_is_given_back() {
        let crowd = Crowd::new(1);
        let pulse = Arc::new(Pulse::new(Instant::now()));
        let (first, _) = crowd.enter(&pulse, &Gauge::new()).expect("room");
        let (_second, leaving) = crowd.enter(&pulse, &Gauge::new()).expect("room");
        let mut gone = Box::pin(leaving.expect("the first").finish());
        let mut context = Context::from_waker(Waker::noop());
        assert!(gone.as_mut().poll(&mut context).is_pending());
        drop(first);
        gone.await;
    }
}
