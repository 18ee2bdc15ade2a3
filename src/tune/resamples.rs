use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// How often questions are drawn anew.
const COUNT: usize = 1000;

/// The same questions are always drawn, so that a report can be made again.
const SEED: u64 = 20;

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Draws of as many questions as there are, with replacement, for the percentile bootstrap. Whole questions are drawn, because the
/// positions of one answer are not independent.
pub struct Resamples(Vec<Vec<usize>>);

impl Resamples {
    /// Of this many questions.
    pub fn new(questions: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut draw = || (0..questions).map(|_| random.random_range(0..questions)).collect();
        Self((0..COUNT).map(|_| draw()).collect())
    }

    /// Σ `sums` / Σ `counts` over the questions of each draw; both have an entry a question.
    pub fn means(&self, sums: &[f64], counts: &[f64]) -> Vec<f64> {
        let drawn = self.0.iter().map(|draw| {
            let total = |of: &[f64]| draw.iter().filter_map(|index| of.get(*index)).sum::<f64>();
            total(sums) / total(counts)
        });
        drawn.collect()
    }
}

impl Interval {
    /// What 95 % of the values lie in.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * values.len().saturating_sub(1) as f64;
            values.get(place.round() as usize).copied().unwrap_or(f64::NAN)
        };
        Self {
            low: at(0.025),
            high: at(0.975),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_interval_has_the_mean_of_many_questions_in_it(values in prop::collection::vec(-5.0f64..5.0, 20..60)) {
            let ones = vec![1.0; values.len()];
            let Interval { low, high } = Interval::of(Resamples::new(values.len()).means(&values, &ones));
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!(low <= mean + 1e-9 && mean <= high + 1e-9);
        }

        #[test]
        fn equal_questions_leave_no_doubt(value in -5.0f64..5.0, questions in 1usize..30) {
            let Interval { low, high } = Interval::of(Resamples::new(questions).means(&vec![value; questions], &vec![1.0; questions]));
            prop_assert!((low - value).abs() < 1e-9 && (high - value).abs() < 1e-9);
        }
    }

    #[test]
    fn the_interval_is_as_wide_as_theory_says() {
        // Half zeros and half ones: the mean's standard error is 0.5 / √100.
        let values: Vec<f64> = (0..100).map(|index| f64::from(index % 2)).collect();
        let Interval { low, high } = Interval::of(Resamples::new(100).means(&values, &vec![1.0; 100]));
        assert!(
            (low - 0.402).abs() < 0.015 && (high - 0.598).abs() < 0.015,
            "{low} to {high}"
        );
    }
}
