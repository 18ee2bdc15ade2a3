use std::collections::BTreeMap;

use super::recent::Recent;
use super::survival::Survival;

/// Seconds for a pass over one position, before any was seen.
const ONE: f64 = 0.025;
/// What each further position adds, as a share of the first, before two sizes were seen. It is on the low side, so that
/// larger blocks are tried.
const FURTHER: f64 = 0.3;
/// A size that was not measured in so many passes is forgotten, so that one slow pass cannot rule it out for ever.
const FORGOTTEN: u64 = 64;

#[derive(Clone, Debug)]
struct Size {
    took: Recent,
    /// The pass in which it was measured last.
    last: u64,
}

/// How long a local pass takes, by the number of positions in it.
#[derive(Clone, Debug, Default)]
pub struct Passes {
    sizes: BTreeMap<usize, Size>,
    count: u64,
}

impl Passes {
    pub fn add(&mut self, positions: usize, seconds: f64) {
        self.count += 1;
        let count = self.count;
        let size = self.sizes.entry(positions).or_insert_with(|| Size {
            took: Recent::default(),
            last: count,
        });
        size.took.add(seconds);
        size.last = count;
        self.sizes.retain(|_, size| count - size.last < FORGOTTEN);
    }

    /// The largest size that was measured; 1 before any was.
    pub fn largest(&self) -> usize {
        self.sizes.keys().next_back().copied().unwrap_or(1)
    }

    /// For 1, 2, 3, … positions at hand, up to `most`: the size of pass for which a token is expected to cost least, and the seconds
    /// for it.
    ///
    /// None is more than twice the largest that was measured: what lies further on is too uncertain.
    pub fn best(&self, most: usize, survival: &Survival) -> Vec<(usize, f64)> {
        let most = most.clamp(1, 2 * self.largest());
        let mut tokens = 0.0;
        let mut least = f64::INFINITY;
        let mut best = (1, 0.0);
        let choose = |(positions, reached): (usize, f64)| {
            tokens += reached;
            let seconds = self.seconds(positions);
            if seconds / tokens < least {
                least = seconds / tokens;
                best = (positions, seconds);
            }
            best
        };
        (1..=most).zip(survival.chances()).map(choose).collect()
    }

    /// Seconds for a pass over so many positions: measured, or on the line through the sizes around it.
    pub fn seconds(&self, positions: usize) -> f64 {
        let below = self.measured(self.sizes.range(..=positions).next_back());
        let above = self.measured(self.sizes.range(positions..).next());
        match (below, above) {
            (Some((size, seconds)), _) if size == positions => seconds,
            (Some((smaller, less)), Some((larger, more))) => {
                let share = (positions - smaller) as f64 / (larger - smaller) as f64;
                less + share * (more - less)
            }
            (Some((smaller, less)), None) => less + (positions - smaller) as f64 * self.slope(smaller, less),
            (None, Some((larger, more))) => more * expected(positions) / expected(larger),
            (None, None) => ONE * expected(positions),
        }
    }

    /// Seconds for each position beyond the largest size measured: as between it and the smallest, once there are two.
    fn slope(&self, largest: usize, seconds: f64) -> f64 {
        match self.measured(self.sizes.iter().next()) {
            Some((smallest, least)) if smallest < largest => ((seconds - least) / (largest - smallest) as f64).max(0.0),
            _ => seconds * FURTHER / expected(largest),
        }
    }

    fn measured(&self, size: Option<(&usize, &Size)>) -> Option<(usize, f64)> {
        size.and_then(|(positions, size)| Some((*positions, size.took.middle()?)))
    }
}

/// How much a pass takes beside one over one position, as far as is known without measuring.
fn expected(positions: usize) -> f64 {
    1.0 + FURTHER * positions.saturating_sub(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(table: &[(usize, f64)]) -> Passes {
        let mut passes = Passes::default();
        table
            .iter()
            .for_each(|(positions, seconds)| passes.add(*positions, *seconds));
        passes
    }

    fn best(passes: &Passes, most: usize, chance: f64) -> usize {
        passes.best(most, &Survival::steady(chance)).last().unwrap().0
    }

    #[test]
    fn what_was_not_measured_lies_on_a_line() {
        let passes = measured(&[(1, 0.020), (5, 0.060)]);
        let near = |positions, seconds: f64| assert!((passes.seconds(positions) - seconds).abs() < 1e-9, "{positions}");
        near(1, 0.020);
        near(3, 0.040);
        near(9, 0.100);
    }

    #[test]
    fn a_dear_engine_is_asked_for_one_and_a_cheap_one_for_more_and_more() {
        assert_eq!(best(&measured(&[(1, 0.02), (2, 0.04)]), 64, 0.95), 1);
        let mut passes = Passes::default();
        for _ in 0..7 {
            let size = best(&passes, 64, 0.98);
            passes.add(size, 0.020 + 0.0002 * size as f64);
        }
        assert!(passes.largest() >= 32, "{}", passes.largest());
    }

    #[test]
    fn a_slow_pass_does_not_rule_a_size_out_for_ever() {
        let mut passes = measured(&[(1, 0.02), (4, 2.0)]);
        assert_eq!(best(&passes, 4, 0.9), 1);
        let tried = (0..2 * FORGOTTEN).any(|_| {
            let size = best(&passes, 4, 0.9);
            passes.add(size, 0.02 + 0.005 * (size - 1) as f64);
            size == 4
        });
        assert!(tried);
    }
}
