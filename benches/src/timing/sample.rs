//! The measurement: requests of two classes in random order, one after the other through one service.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use http::{Request, Response};
use tower_service::Service;

use super::TimingError;
use super::crop::Samples;
use super::presented::Presented;
use super::random::Xorshift;
use super::stamp::{stamped, take_dropped};
use crate::drive::respond;
use crate::floor::Body;
use crate::inner::FORWARDED;
use crate::request::{Shape, TOKEN_HEADER, Template};

/// So many requests are prepared before they are measured: far enough from the measured part that nothing of the
/// preparation is still under way in the processor, few enough to stay in its nearest cache.
const BATCH: usize = 8;

/// So many are served before the first that counts.
const UNCOUNTED: usize = 10_000;

/// Nanoseconds from the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Until the token was dropped, which is when the service had decided.
    pub(super) decided: u32,
    /// Until the response was there.
    pub(super) answered: u32,
}

/// The samples of both classes, from the same requests.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) decided: Samples,
    pub(super) answered: Samples,
}

/// Serves `count` requests with values of both classes, and some before that which do not count.
pub(super) fn sample<S, B>(
    service: &mut S,
    tokens: &[Vec<u8>],
    classes: [Presented; 2],
    count: usize,
) -> Result<Sampled, TimingError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let template = Template::new(Shape::Missing);
    interleave(
        count,
        &mut Xorshift::seeded(),
        |class, random| prepare(&template, tokens, classes, class, random),
        |class, request| serve(service, request, classes[class].is_accepted()),
    )
}

/// The same with services of its own for every request, for what cannot differ between requests to one service. Both
/// classes get a service each, made in an order that is drawn too, and the one of the request's class is called: so
/// neither what was done before the call nor the place in memory depends on the class.
pub(super) fn sample_fresh<S, B>(
    mut service: impl FnMut(usize, &mut Xorshift) -> Result<S, TimingError>,
    classes: [Presented; 2],
    count: usize,
) -> Result<Sampled, TimingError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let template = Template::new(Shape::Missing);
    interleave(
        count,
        &mut Xorshift::seeded(),
        |class, random| {
            let made_first = random.class();
            let services = [
                service(made_first, random)?,
                service(1 - made_first, random)?,
            ];
            let request = prepare(&template, &[], classes, class, random)?;
            Ok((services, class ^ made_first, request))
        },
        |class, (mut services, called, request)| {
            serve(&mut services[called], request, classes[class].is_accepted())
        },
    )
}

/// Takes samples of both classes in random order. Everything is prepared in batches, outside the measured part.
fn interleave<T>(
    count: usize,
    random: &mut Xorshift,
    mut prepare: impl FnMut(usize, &mut Xorshift) -> Result<T, TimingError>,
    mut measured: impl FnMut(usize, T) -> Result<Times, TimingError>,
) -> Result<Sampled, TimingError> {
    let mut sampled = Sampled::default();
    let mut batch = Vec::with_capacity(BATCH);
    let mut served = 0;
    while served < UNCOUNTED + count {
        for _ in 0..BATCH.min(UNCOUNTED + count - served) {
            let class = random.class();
            batch.push((class, prepare(class, random)?));
        }
        for (class, prepared) in batch.drain(..) {
            let times = measured(class, prepared)?;
            if served >= UNCOUNTED {
                sampled.decided[class].push(times.decided);
                sampled.answered[class].push(times.answered);
            }
            served += 1;
        }
    }
    Ok(sampled)
}

/// A request of a class. The same work and the same blocks of memory for either: both values are drawn, and one is
/// copied to where the other would be.
fn prepare(
    template: &Template,
    tokens: &[Vec<u8>],
    classes: [Presented; 2],
    class: usize,
    random: &mut Xorshift,
) -> Result<Request<Body>, TimingError> {
    let drawn = classes.map(|presented| presented.draw(tokens, random));
    let mut value = Vec::with_capacity(drawn[0].len().max(drawn[1].len()));
    value.extend_from_slice(&drawn[class]);
    let value = stamped(value).map_err(|_| TimingError::NoHeaderValue)?;
    let mut request = template.fresh::<Body>();
    request.headers_mut().insert(TOKEN_HEADER, value);
    Ok(request)
}

/// The measured part. Never inlined, so that it is one piece of code for all classes.
#[inline(never)]
fn serve<S, B>(
    service: &mut S,
    request: Request<Body>,
    accepted: bool,
) -> Result<Times, TimingError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let _earlier = take_dropped();
    let called = Instant::now();
    let response = respond(service, black_box(request));
    let answered = Instant::now();
    let decided = take_dropped().ok_or(TimingError::TokenKept)?;
    let status = response.map(|response| response.status());
    if status.is_none_or(|status| (status == FORWARDED) != accepted) {
        return Err(TimingError::WrongAnswer);
    }
    Ok(Times {
        decided: nanoseconds(called, decided),
        answered: nanoseconds(called, answered),
    })
}

/// From one moment to another; at most four seconds.
pub(super) fn nanoseconds(start: Instant, end: Instant) -> u32 {
    u32::try_from((end - start).as_nanos()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::crop::difference;

    /// A comparison whose time is known: a nanosecond for every byte that is right from the beginning, or for all.
    fn simulated(stops_early: bool) -> Sampled {
        let token = Xorshift::from_seed(5).text(43);
        let classes = [Presented::FirstByteWrong, Presented::LastByteWrong];
        let tokens = [token.clone()];
        let mut noise = Xorshift::from_seed(9);
        interleave(
            20_000,
            &mut Xorshift::from_seed(1),
            |class, random| Ok(classes[class].draw(&tokens, random)),
            |_, value| {
                let right = value.iter().zip(&token).take_while(|(a, b)| a == b).count();
                let compared = if stops_early { right } else { token.len() };
                let decided = u32::try_from(compared).unwrap() + u32::from(noise.character());
                Ok(Times {
                    decided,
                    answered: decided + 100,
                })
            },
        )
        .unwrap()
    }

    #[test]
    fn c4_a_comparison_that_stops_early_is_told_from_one_that_does_not() {
        for (name, stops_early) in [("stops early", true), ("compares all", false)] {
            let sampled = simulated(stops_early);
            for samples in [sampled.decided, sampled.answered] {
                let found = difference(samples);
                assert_eq!(found.t > 4.5, stops_early, "{name}: {found:?}");
            }
        }
    }

    #[test]
    fn c4_both_classes_are_sampled_and_only_what_counts_is_kept() {
        let mut prepared = 0;
        let sampled = interleave(
            1_003,
            &mut Xorshift::from_seed(1),
            |class, _| {
                prepared += 1;
                Ok(class)
            },
            |class, of| {
                assert_eq!(class, of);
                let time = u32::try_from(class).unwrap();
                Ok(Times {
                    decided: time,
                    answered: time + 2,
                })
            },
        )
        .unwrap();
        assert_eq!(prepared, UNCOUNTED + 1_003);
        let [first, second] = &sampled.decided;
        assert_eq!(first.len() + second.len(), 1_003);
        assert!(first.len().abs_diff(second.len()) < 200);
        assert!(first.iter().all(|time| *time == 0) && second.iter().all(|time| *time == 1));
        let [first, second] = &sampled.answered;
        assert!(first.iter().all(|time| *time == 2) && second.iter().all(|time| *time == 3));
    }
}
