//! The largest |t| of two classes of samples, over crops and over both orders.
//!
//! Times have a long tail of interrupts and cold caches, which hides a small difference between the bulks. So samples
//! above a row of percentiles are left out in turn, the same limit for both classes, and the test is made for what is
//! left. The second order compares the spreads: each sample less the mean of its class, squared.

use super::welch::{Moments, t};

/// What is kept of all samples, in thousandths; all of them first.
const CROPS: [usize; 15] = [
    1_000, 999, 990, 980, 950, 900, 800, 700, 600, 500, 400, 300, 200, 100, 50,
];

/// The crop in which the difference of the means is told.
const TOLD: usize = 900;

/// Fewer samples of one class in a crop are no basis for a judgement with a fixed limit.
const FEWEST: usize = 100;

/// The samples of two classes in nanoseconds.
pub(super) type Samples = [Vec<u32>; 2];

/// What two classes of samples say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    /// The largest |t|. Not a number if there were too few samples.
    pub(super) t: f64,
    /// How much longer the second class takes in the mean, the slowest tenth of all left out.
    pub(super) nanoseconds: f64,
}

/// Tests two classes against each other.
pub(super) fn difference(mut samples: Samples) -> Difference {
    let mut pooled = samples.concat();
    pooled.sort_unstable();
    for class in &mut samples {
        class.sort_unstable();
    }
    if samples.iter().any(|class| class.len() < FEWEST) {
        return Difference {
            t: f64::NAN,
            nanoseconds: f64::NAN,
        };
    }
    let t = CROPS
        .into_iter()
        .map(|crop| kept(&samples, percentile(&pooled, crop)))
        .filter(|kept| kept.iter().all(|class| class.len() >= FEWEST))
        .flat_map(|kept| [first_order(kept), second_order(kept)])
        .map(f64::abs)
        .max_by(f64::total_cmp)
        .unwrap_or(f64::NAN);
    let [first, second] = kept(&samples, percentile(&pooled, TOLD)).map(moments);
    Difference {
        t,
        nanoseconds: second.mean() - first.mean(),
    }
}

/// The smallest sample that so many thousandths of all do not exceed (nearest rank).
fn percentile(sorted: &[u32], thousandths: usize) -> u32 {
    let rank = (sorted.len() * thousandths).div_ceil(1_000);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// What does not exceed the limit.
fn kept(sorted: &Samples, limit: u32) -> [&[u32]; 2] {
    [&sorted[0], &sorted[1]].map(|class| {
        let end = class.partition_point(|sample| *sample <= limit);
        &class[..end]
    })
}

fn moments(class: &[u32]) -> Moments {
    class.iter().copied().map(f64::from).collect()
}

fn first_order(classes: [&[u32]; 2]) -> f64 {
    let [first, second] = classes.map(moments);
    t(first, second)
}

fn second_order(classes: [&[u32]; 2]) -> f64 {
    let [first, second] = classes.map(|class| {
        let mean = moments(class).mean();
        class
            .iter()
            .map(|sample| (f64::from(*sample) - mean).powi(2))
            .collect()
    });
    t(first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::random::Xorshift;

    #[test]
    fn c4_a_percentile_is_the_sample_of_its_rank() {
        let hundred: Vec<u32> = (1..=100).collect();
        for (thousandths, expected) in [(1_000, 100), (999, 100), (990, 99), (500, 50), (50, 5)] {
            assert_eq!(percentile(&hundred, thousandths), expected, "{thousandths}");
        }
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[], 500), 0);
    }

    #[test]
    fn c4_a_crop_has_one_limit_for_both_classes() {
        let sorted = [vec![1, 2, 3, 50], vec![2, 4, 90]];
        assert_eq!(kept(&sorted, 3), [&[1, 2, 3][..], &[2]]);
        assert_eq!(kept(&sorted, 90), [&[1, 2, 3, 50][..], &[2, 4, 90]]);
        assert!(kept(&sorted, 0).iter().all(|class| class.is_empty()));
    }

    /// 60 to 91, evenly.
    fn noise(random: &mut Xorshift) -> u32 {
        60 + u32::from(random.character() % 32)
    }

    fn drawn(count: usize, mut sample: impl FnMut(usize, &mut Xorshift) -> u32) -> Samples {
        let mut random = Xorshift::from_seed(11);
        let mut samples = Samples::default();
        for _ in 0..count {
            let class = random.class();
            let taken = sample(class, &mut random);
            samples[class].push(taken);
        }
        samples
    }

    #[test]
    fn c4_differences_of_the_mean_the_bulk_and_the_spread_are_found_and_equality_is_not_called_one()
    {
        let interrupted = |random: &mut Xorshift, otherwise: u32| {
            if random.character() == b'A' {
                60_000 + 10_000 * u32::from(random.character())
            } else {
                otherwise
            }
        };
        let found = |sample: &dyn Fn(usize, &mut Xorshift) -> u32| {
            difference(drawn(40_000, |class, random| sample(class, random)))
        };
        let slower = |class: usize| u32::from(class == 1);

        let none = found(&|_, random| noise(random));
        assert!(none.t < 4.5, "no difference: {none:?}");
        let mean = found(&|class, random| noise(random) + slower(class));
        assert!(mean.t > 4.5, "one nanosecond: {mean:?}");
        assert!((mean.nanoseconds - 1.0).abs() < 0.5, "{mean:?}");
        let bulk = found(&|class, random| {
            let usual = noise(random) + slower(class);
            interrupted(random, usual)
        });
        assert!(bulk.t > 4.5, "one nanosecond under a long tail: {bulk:?}");
        let spread = found(&|class, random| match class {
            0 => 70,
            _ => 69 + 2 * u32::from(random.class() == 1),
        });
        assert!(spread.t > 4.5, "one mean, two spreads: {spread:?}");
    }

    #[test]
    fn c4_a_tail_hides_what_its_crop_shows() {
        // All of the first are 10. Of the second 500 are 11, and 500 are 9 but for one, at 1010: the means are equal.
        let first = vec![10; 1_000];
        let mut second = [vec![11; 500], vec![9; 500]].concat();
        second[999] = 9 + 1_000;
        let raw = first_order([&first, &second]).abs();
        let cropped = difference([first, second]).t;
        assert!(raw < 1.1, "{raw}");
        assert!(cropped > 4.5, "{cropped}");
    }

    #[test]
    fn c4_too_few_samples_have_no_difference() {
        assert!(difference([vec![1; 99], vec![2; 1_000]]).t.is_nan());
        assert!(difference([vec![1; 100], vec![2; 1_000]]).t.is_infinite());
    }
}
