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

    /// The size among `1..=most` for which a token is expected to cost least, and the seconds for a pass over it.
    ///
    /// It is at most twice the largest that was measured: what lies further on is too uncertain.
    pub fn best(&self, most: usize, survival: &Survival) -> (usize, f64) {
        let most = most.clamp(1, 2 * self.largest());
        let mut tokens = 0.0;
        let mut best = (1, self.seconds(1));
        let mut least = f64::INFINITY;
        for (positions, reached) in (1..=most).zip(survival.chances()) {
            tokens += reached;
            let seconds = self.seconds(positions);
            if seconds / tokens < least {
                least = seconds / tokens;
                best = (positions, seconds);
            }
        }
        best
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
        assert_eq!(measured(&[(1, 0.02), (2, 0.04)]).best(64, &Survival::steady(0.95)).0, 1);
        let mut passes = Passes::default();
        for _ in 0..7 {
            let (best, _) = passes.best(64, &Survival::steady(0.98));
            passes.add(best, 0.020 + 0.0002 * best as f64);
        }
        assert!(passes.largest() >= 32, "{}", passes.largest());
    }

    #[test]
    fn a_slow_pass_does_not_rule_a_size_out_for_ever() {
        let mut passes = measured(&[(1, 0.02), (4, 2.0)]);
        assert_eq!(passes.best(4, &Survival::steady(0.9)).0, 1);
        let tried = (0..2 * FORGOTTEN).any(|_| {
            let (best, _) = passes.best(4, &Survival::steady(0.9));
            passes.add(best, 0.02 + 0.005 * (best - 1) as f64);
            best == 4
        });
        assert!(tried);
    }
}
