//! Welch's t-test: how far two means lie apart, in units of what chance would do to them.

/// Count, mean and variance, taken in one pass (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// Of the mean, squared: the unbiased variance over the count.
    fn squared_error(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        values.into_iter().fold(Self::default(), |moments, value| {
            let count = moments.count + 1.0;
            let off = value - moments.mean;
            let mean = moments.mean + off / count;
            Self {
                count,
                mean,
                squares: moments.squares + off * (value - mean),
            }
        })
    }
}

/// Welch's t, positive if the first mean is the larger. Infinite if two means differ of which neither varies. Not a
/// number for fewer than two samples, which no limit lets pass.
pub(super) fn t(first: Moments, second: Moments) -> f64 {
    let apart = first.mean - second.mean;
    let error = (first.squared_error() + second.squared_error()).sqrt();
    if apart == 0.0 && error == 0.0 {
        return 0.0;
    }
    apart / error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        values.iter().copied().collect()
    }

    #[test]
    fn c4_t_is_what_a_hand_computes() {
        // Means 3 and 6, variances 2.5 and 10, five samples each: -3 / sqrt(0.5 + 2).
        let table: &[(&str, &[f64], &[f64], f64)] = &[
            (
                "two spreads",
                &[1.0, 2.0, 3.0, 4.0, 5.0],
                &[2.0, 4.0, 6.0, 8.0, 10.0],
                -3.0 / 2.5_f64.sqrt(),
            ),
            // Means 2 and 5, variances 1 and 2, three samples and two: -3 / sqrt(1/3 + 1).
            (
                "two counts",
                &[1.0, 2.0, 3.0],
                &[4.0, 6.0],
                -3.0 / (4.0_f64 / 3.0).sqrt(),
            ),
            ("the same", &[1.0, 2.0], &[2.0, 1.0], 0.0),
            ("neither varies", &[7.0, 7.0], &[7.0, 7.0], 0.0),
            (
                "neither varies, apart",
                &[8.0, 8.0],
                &[7.0, 7.0],
                f64::INFINITY,
            ),
        ];
        for (name, first, second, expected) in table {
            let found = t(of(first), of(second));
            assert!(
                found == *expected || (found - expected).abs() < 1e-12,
                "{name}: {found}"
            );
            assert_eq!(t(of(second), of(first)), -found, "{name}, turned round");
        }
    }

    #[test]
    fn c4_too_few_samples_have_no_t() {
        for (first, second) in [(&[][..], &[1.0, 2.0][..]), (&[1.0], &[1.0, 2.0])] {
            assert!(t(of(first), of(second)).is_nan());
        }
    }
}
