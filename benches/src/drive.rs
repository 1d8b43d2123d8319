//! What is done with a case: loop over it for callgrind, count its allocations, time it, or look at its answer.
//!
//! A case is a service and a request. It is driven by hand, without a runtime: one `poll_ready`, one `call`, one
//! `poll` with a waker that does nothing. A service that is not done by then does not belong here.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode};
use tower_service::Service;

use crate::allocator::allocations;
use crate::request::{Shape, Template};

/// What to do with a case.
#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// Serve so many requests and nothing else: this is what callgrind looks at.
    Repeat(u64),
    /// Count the allocations of one request.
    Allocations,
    /// Take the wall time of one request, once; see [`net_nanoseconds`](crate::figures::net_nanoseconds).
    Time,
    /// Look at the answer.
    Answer,
}

/// What came of a [`Plan`].
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// Of [`Plan::Repeat`]: how many requests were served.
    Served(u64),
    /// Of [`Plan::Allocations`]: the most that one request allocated.
    Allocations(u64),
    /// Of [`Plan::Time`]: one request, without its making.
    Time(Duration),
    /// Of [`Plan::Answer`]: the status, or nothing where a case has no response.
    Answer(Option<StatusCode>),
}

/// Follows the plan with requests of this shape.
pub fn drive<S, Q, B>(plan: Plan, shape: Shape, mut service: S) -> Outcome
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    Q: Default,
{
    let template = Template::new(shape);
    match plan {
        Plan::Repeat(times) => Outcome::Served(repeat(&mut service, &template, times)),
        Plan::Allocations => Outcome::Allocations(most_allocations(
            || template.fresh(),
            |request| respond(&mut service, request),
        )),
        Plan::Time => Outcome::Time(mean_time(
            || template.fresh(),
            |request| respond(&mut service, request),
        )),
        Plan::Answer => Outcome::Answer(
            respond(&mut service, template.fresh()).map(|response| response.status()),
        ),
    }
}

/// As [`drive`], with requests of these templates in turn.
pub fn drive_in_turn<S, Q, B>(plan: Plan, templates: &[Template], mut service: S) -> Outcome
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    Q: Default,
{
    let mut turns = templates.iter().cycle();
    let mut make = || turns.next().map_or_else(Request::default, Template::fresh);
    match plan {
        Plan::Repeat(times) => Outcome::Served(repeat_made(&mut service, make, times)),
        Plan::Allocations => Outcome::Allocations(most_allocations(make, |request| {
            respond(&mut service, request)
        })),
        Plan::Time => Outcome::Time(mean_time(make, |request| respond(&mut service, request))),
        Plan::Answer => {
            Outcome::Answer(respond(&mut service, make()).map(|response| response.status()))
        }
    }
}

/// Follows the plan with one clone of the service in the place of one request.
pub fn drive_clone<S: Clone>(plan: Plan, service: &S) -> Outcome {
    match plan {
        Plan::Repeat(times) => Outcome::Served(repeat_clone(service, times)),
        Plan::Allocations => Outcome::Allocations(most_allocations(|| (), |()| service.clone())),
        Plan::Time => Outcome::Time(mean_time(|| (), |()| service.clone())),
        Plan::Answer => Outcome::Answer(None),
    }
}

/// The loop that callgrind counts. Never inlined, so that it is one function of its own for every service.
#[inline(never)]
fn repeat<S, Q, B>(service: &mut S, template: &Template, times: u64) -> u64
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    Q: Default,
{
    let mut served = 0;
    for _ in 0..times {
        let response = respond(service, template.fresh());
        served += u64::from(black_box(&response).is_some());
    }
    served
}

/// The same for requests of several templates.
#[inline(never)]
fn repeat_made<S, Q, B>(service: &mut S, mut make: impl FnMut() -> Request<Q>, times: u64) -> u64
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
{
    let mut served = 0;
    for _ in 0..times {
        let response = respond(service, make());
        served += u64::from(black_box(&response).is_some());
    }
    served
}

#[inline(never)]
fn repeat_clone<S: Clone>(service: &S, times: u64) -> u64 {
    for _ in 0..times {
        let clone = black_box(service).clone();
        black_box(&clone);
    }
    times
}

/// One request through the service; `None` if it was not ready or not done at once.
#[inline(always)]
pub fn respond<S, Q, B>(service: &mut S, request: Request<Q>) -> Option<Response<B>>
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    if service.poll_ready(&mut context).is_pending() {
        return None;
    }
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => Some(response),
        Poll::Pending => None,
    }
}

/// The most that one call of `measured` allocates, what it was given not counted. The first calls are left out: they
/// fill whatever is filled once.
fn most_allocations<T, R>(mut make: impl FnMut() -> T, mut measured: impl FnMut(T) -> R) -> u64 {
    const UNCOUNTED: usize = 16;
    const COUNTED: usize = 64;
    let mut most = 0;
    for iteration in 0..UNCOUNTED + COUNTED {
        let made = make();
        let before = allocations();
        let result = black_box(measured(made));
        let after = allocations();
        drop(result);
        if iteration >= UNCOUNTED {
            most = most.max(after - before);
        }
    }
    most
}

/// The mean of one run. What is measured is made beforehand, in batches that fit into a cache. A run of what is slow is
/// cut short.
fn mean_time<T, R>(mut make: impl FnMut() -> T, mut measured: impl FnMut(T) -> R) -> Duration {
    const BATCHES: u32 = 1_000;
    const BATCH: u32 = 64;
    const ENOUGH: Duration = Duration::from_millis(200);
    let mut spent = Duration::ZERO;
    for batches in 1..=BATCHES {
        let batch: Vec<T> = (0..BATCH).map(|_| make()).collect();
        let started = Instant::now();
        for made in batch {
            drop(black_box(measured(made)));
        }
        spent += started.elapsed();
        if spent >= ENOUGH {
            return spent / batches / BATCH;
        }
    }
    spent / BATCHES / BATCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_of_the_measured_part_count_and_those_of_its_making_do_not() {
        assert_eq!(most_allocations(|| Box::new(1), |boxed| *boxed), 0);
        assert_eq!(
            most_allocations(|| 1, |number| (Box::new(number), Box::new(2))),
            2
        );
    }
}
