//! What two threads serve together, each with its own clone of one layer's service, beside what one serves.
//!
//! `call` touches no counter and no lock that threads share, so two of them should serve nearly twice as much
//! (`docs/spec/performance.md`, section 1). Wall time of a machine that others use too: recorded, and gated by nothing.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use http::{Request, Response};
use tower_service::Service;

use crate::drive::respond;
use crate::floor::Body;
use crate::inner::{FORWARDED, Inner};
use crate::ours::{accepting, rotating};
use crate::request::{Shape, Template};
use crate::table::{grouped, markdown};

/// What is to be reached with the layer.
const TARGET: f64 = 1.9;
/// One thread and two, in turns, so often. The best turn of each counts: what else runs can only slow one down.
const TURNS: usize = 60;
/// How long each serves: short enough that some turns have the machine to themselves.
const SPAN: Duration = Duration::from_millis(25);
/// The clock is looked at after so many requests.
const BATCH: u32 = 200;

/// Sends one request, and says whether it was accepted.
type Serve<S> = fn(&mut S, Request<Body>) -> bool;

/// A row: its name, what is to be reached, and the requests a second that so many threads serve.
type Row = (&'static str, Option<f64>, Box<dyn Fn(usize) -> f64>);

/// The table: requests a second of one thread and of two, and how many times as much that is.
#[must_use]
pub fn table() -> String {
    let measured = measure(&[
        row("without a layer", None, Inner::<Body>::new(), serve),
        row(
            "`RequireTokenLayer`, one token",
            Some(TARGET),
            accepting(),
            serve,
        ),
        row(
            "the same, tokens that can change",
            Some(TARGET),
            rotating(),
            serve,
        ),
        row(
            "the same, the service cloned for each request",
            None,
            rotating(),
            serve_clone,
        ),
    ]);
    markdown(
        &[
            "service",
            "one thread, requests/s",
            "two threads",
            "times",
            "target",
        ],
        &measured,
    )
}

fn row<S>(name: &'static str, target: Option<f64>, service: S, serve: Serve<S>) -> Row
where
    S: Clone + Send + Sync + 'static,
{
    let rate = move |threads| throughput(threads, &service, serve);
    (name, target, Box::new(rate))
}

/// All rows in each turn, so that a turn in which the machine is quiet is one for all of them.
fn measure(rows: &[Row]) -> Vec<Vec<String>> {
    let mut best = vec![[0f64; 2]; rows.len()];
    for _ in 0..TURNS {
        for ((_, _, rate), [one, two]) in rows.iter().zip(&mut best) {
            *one = one.max(rate(1));
            *two = two.max(rate(2));
        }
    }
    rows.iter()
        .zip(best)
        .map(|((name, target, _), [one, two])| {
            let times = two / one;
            let judged = match target {
                None => "none".to_owned(),
                Some(target) if times >= *target => format!("{target}, met"),
                Some(target) => format!("{target}, missed by {:.2}", target - times),
            };
            vec![
                (*name).to_owned(),
                thousands(one),
                thousands(two),
                format!("{times:.2}"),
                judged,
            ]
        })
        .collect()
}

/// Requests a second of so many threads together. Each has a clone of the service and requests of its own, and nothing else
/// is shared.
fn throughput<S>(threads: usize, service: &S, serve: Serve<S>) -> f64
where
    S: Clone + Send + Sync,
{
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut service = service.clone();
                    let template = Template::new(Shape::Accepted);
                    start.wait();
                    rate(&template, |request| serve(&mut service, request))
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default())
            .sum()
    })
}

/// Requests a second of this thread. One that is not accepted does not count.
fn rate(template: &Template, mut serve: impl FnMut(Request<Body>) -> bool) -> f64 {
    let started = Instant::now();
    let mut served = 0;
    while started.elapsed() < SPAN {
        for _ in 0..BATCH {
            served += u32::from(serve(template.fresh()));
        }
    }
    f64::from(served) / started.elapsed().as_secs_f64()
}

fn serve<S, B>(service: &mut S, request: Request<Body>) -> bool
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    black_box(respond(service, request)).is_some_and(|response| response.status() == FORWARDED)
}

/// As hyper-util and axum do it: what threads share then is the count of the clones.
fn serve_clone<S, B>(service: &mut S, request: Request<Body>) -> bool
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
{
    serve(&mut service.clone(), request)
}

/// Rounded, as the last digits mean nothing.
fn thousands(rate: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "far below what an i64 holds"
    )]
    let rounded = (rate / 1_000.0).round() as i64 * 1_000;
    grouped(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measured_request_is_accepted() {
        let request = || Template::new(Shape::Accepted).fresh();
        assert!(serve(&mut Inner::<Body>::new(), request()));
        assert!(serve(&mut accepting(), request()));
        assert!(serve(&mut rotating(), request()));
        assert!(serve_clone(&mut rotating(), request()));
        let refused = Template::new(Shape::Wrong).fresh();
        assert!(!serve(&mut accepting(), refused), "and another one is not");
    }
}
