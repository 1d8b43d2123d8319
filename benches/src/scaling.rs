//! What two threads serve together, each with its own clone of one layer's service, beside what one serves.
//!
//! `call` touches no counter and no lock that threads share, so two of them should serve nearly twice as much
//! (`docs/spec/performance.md`, section 1). Wall time of a machine that others use too: recorded, and gated by nothing.
//! What no layer could reach at the time, because the row without one did not, is not judged.

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

/// What one thread serves, and what two serve, in requests a second.
type Rates = [f64; 2];

/// The table: requests a second of one thread and of two, how many times as much that is, and what part of the row without
/// a layer, the floor.
#[must_use]
pub fn table() -> String {
    let rows = [
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
    ];
    let best = measure(&rows);
    let floor = best.first().copied().map_or(0.0, times);
    let lines: Vec<Vec<String>> = rows
        .iter()
        .zip(best)
        .map(|((name, target, _), rates)| line(name, *target, rates, floor))
        .collect();
    markdown(
        &[
            "service",
            "one thread, requests/s",
            "two threads",
            "times",
            "share of the floor",
            "target",
        ],
        &lines,
    )
}

fn row<S>(name: &'static str, target: Option<f64>, service: S, serve: Serve<S>) -> Row
where
    S: Clone + Send + Sync + 'static,
{
    let rate = move |threads| throughput(threads, &service, serve);
    (name, target, Box::new(rate))
}

/// The best turn of each row. All rows take part in each turn, so that one in which the machine is quiet is so for all.
fn measure(rows: &[Row]) -> Vec<Rates> {
    let mut best = vec![[0f64; 2]; rows.len()];
    for _ in 0..TURNS {
        for ((_, _, rate), [one, two]) in rows.iter().zip(&mut best) {
            *one = one.max(rate(1));
            *two = two.max(rate(2));
        }
    }
    best
}

/// How many times as much two threads serve.
fn times([one, two]: Rates) -> f64 {
    two / one
}

/// A line of the table. `floor` is what the row without a layer reached.
fn line(name: &str, target: Option<f64>, rates: Rates, floor: f64) -> Vec<String> {
    let reached = times(rates);
    let judged = match target {
        None => "none".to_owned(),
        Some(target) if floor < target => format!("{target}, not judged: the floor is {floor:.2}"),
        Some(target) if reached >= target => format!("{target}, met"),
        Some(target) => format!("{target}, missed by {:.2}", target - reached),
    };
    vec![
        name.to_owned(),
        thousands(rates[0]),
        thousands(rates[1]),
        format!("{reached:.2}"),
        format!("{:.0} %", 100.0 * reached / floor),
        judged,
    ]
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
    fn a_row_is_judged_only_where_the_machine_lets_two_threads_serve_enough() {
        for (name, two, floor, share, judged) in [
            ("met", 1.95, 2.0, "98 %", "1.9, met"),
            ("met at the edge", 1.9, 1.9, "100 %", "1.9, met"),
            ("missed", 1.5, 2.0, "75 %", "1.9, missed by 0.40"),
            (
                "a floor below the target",
                1.49,
                1.38,
                "108 %",
                "1.9, not judged: the floor is 1.38",
            ),
            (
                "met above such a floor",
                1.95,
                1.5,
                "130 %",
                "1.9, not judged: the floor is 1.50",
            ),
        ] {
            let line = line(name, Some(TARGET), [1e6, two * 1e6], floor);
            assert_eq!(line[4..], [share, judged], "{name}");
        }
        let without_target = line("a clone", None, [1e6, 1e6], 2.0);
        assert_eq!(without_target[4..], ["50 %", "none"]);
    }

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
