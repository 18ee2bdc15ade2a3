use std::cmp::Ordering;

/// How often something took how long, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Upper bounds, ascending, with how many took no longer.
    buckets: Vec<(f64, f64)>,
    sum: f64,
    count: f64,
}

impl Histogram {
    /// Of upper bounds and how many took no longer, in any order; those of one bound are added up.
    pub fn new(buckets: impl Iterator<Item = (f64, f64)>, sum: f64, count: f64) -> Self {
        let mut all: Vec<(f64, f64)> = buckets.filter(|(bound, _)| !bound.is_nan()).collect();
        all.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        let mut buckets: Vec<(f64, f64)> = Vec::with_capacity(all.len());
        for (bound, count) in all {
            match buckets.last_mut() {
                Some((last, counted)) if *last == bound => *counted += count,
                _ => buckets.push((bound, count)),
            }
        }
        Self { buckets, sum, count }
    }

    /// What has come since the `earlier` one of the same process.
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| earlier.buckets.iter().find(|(other, _)| *other == bound);
        let buckets = self.buckets.iter().map(|(bound, count)| {
            let before = before(*bound).map_or(0.0, |(_, count)| *count);
            (*bound, count - before)
        });
        Self::new(buckets, self.sum - earlier.sum, self.count - earlier.count)
    }

    /// How many there are.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// All of them together, in seconds.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Seconds; `None` where there is nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }

    /// The seconds that a `share` of them does not exceed, as evenly as they may lie within a bucket. Those above the last bound
    /// count as that bound. `None` where there is nothing.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all = self
            .buckets
            .last()
            .map(|(_, count)| *count)
            .filter(|count| *count > 0.0)?;
        let rank = share * all;
        let (mut bound_below, mut below) = (0.0, 0.0);
        for (bound, count) in &self.buckets {
            if *count >= rank && *count > below {
                let part = (rank - below) / (count - below);
                let upper = if bound.is_finite() { *bound } else { bound_below };
                return Some(bound_below + part * (upper - bound_below));
            }
            (bound_below, below) = (if bound.is_finite() { *bound } else { bound_below }, count.max(below));
        }
        Some(bound_below)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: [f64; 5] = [0.01, 0.1, 1.0, 10.0, f64::INFINITY];

    fn of(values: &[f64]) -> Histogram {
        let buckets = BOUNDS.map(|bound| (bound, values.iter().filter(|value| **value <= bound).count() as f64));
        Histogram::new(buckets.into_iter(), values.iter().sum(), values.len() as f64)
    }

    /// The bucket that a value lies in.
    fn bucket(value: f64) -> usize {
        BOUNDS.iter().position(|bound| value <= *bound).unwrap_or(BOUNDS.len())
    }

    proptest! {
        #[test]
        fn a_quantile_lies_in_the_bucket_of_the_value_itself(
            mut values in prop::collection::vec(0.0001..20.0f64, 1..50),
            share in 0.01..1.0f64,
        ) {
            let found = of(&values).quantile(share).unwrap();
            values.sort_by(f64::total_cmp);
            let rank = (share * values.len() as f64).ceil() as usize;
            let wanted = values[rank.clamp(1, values.len()) - 1].min(10.0);
            prop_assert_eq!(bucket(found), bucket(wanted), "{} for {}", found, wanted);
        }

        #[test]
        fn a_difference_is_the_histogram_of_what_came_between(
            before in prop::collection::vec(0.0001..20.0f64, 0..20),
            later in prop::collection::vec(0.0001..20.0f64, 1..20),
        ) {
            let since = of(&[before.clone(), later.clone()].concat()).since(&of(&before));
            let wanted = of(&later);
            prop_assert_eq!(since.count(), wanted.count());
            prop_assert!((since.mean().unwrap() - wanted.mean().unwrap()).abs() < 1e-9);
            prop_assert_eq!(since.quantile(0.95), wanted.quantile(0.95));
        }
    }

    #[test]
    fn nothing_has_neither_mean_nor_quantile() {
        for nothing in [Histogram::default(), of(&[]), of(&[1.0]).since(&of(&[1.0]))] {
            assert_eq!((nothing.mean(), nothing.quantile(0.95)), (None, None));
        }
    }

    #[test]
    fn series_of_one_histogram_are_added_up() {
        let twice = [(1.0, 2.0), (f64::INFINITY, 2.0), (1.0, 0.0), (f64::INFINITY, 2.0)];
        let histogram = Histogram::new(twice.into_iter(), 5.0, 4.0);
        assert_eq!(histogram.buckets, [(1.0, 2.0), (f64::INFINITY, 4.0)]);
        assert_eq!(histogram.quantile(0.5), Some(1.0));
    }
}
