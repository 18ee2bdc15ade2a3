/// What is expected of drafts before any was seen.
const EXPECTED: f64 = 0.85;
/// How many positions that expectation counts for.
const WEIGHT: f64 = 8.0;
/// An old position counts for 1/e after so many newer ones.
const MEMORY: f64 = 32.0;

/// How often a pick equals its draft.
#[derive(Clone, Debug, Default)]
pub struct Survival {
    /// Picks seen; old ones have faded.
    seen: f64,
    /// Those of them that equalled their drafts.
    equal: f64,
}

impl Survival {
    /// Of `used` picks in a row, only the last may have differed.
    pub fn learn(&mut self, used: usize, broke: bool) {
        let fade = (-(used as f64) / MEMORY).exp();
        self.seen = self.seen * fade + used as f64;
        self.equal = self.equal * fade + (used.saturating_sub(usize::from(broke))) as f64;
    }

    /// The chance that a pick equals its draft after so many others of the same draft did: above 0, below 1.
    ///
    /// It rises from pick to pick, because each that is equal speaks for drafts that last.
    pub fn chance(&self, equal: usize) -> f64 {
        let equal = equal as f64;
        (self.equal + equal + EXPECTED * WEIGHT) / (self.seen + equal + WEIGHT)
    }

    /// The chances that 0, 1, 2, … picks of a draft equal it.
    pub fn chances(&self) -> impl Iterator<Item = f64> {
        (0..).scan(1.0, |reached, equal| {
            let chance = *reached;
            *reached *= self.chance(equal);
            Some(chance)
        })
    }
}

#[cfg(test)]
impl Survival {
    /// A chance that is as good as certain.
    pub fn steady(chance: f64) -> Self {
        let seen = 1e12;
        Self {
            seen,
            equal: chance * seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_outweighs_what_was_expected_and_what_is_old() {
        let mut survival = Survival::default();
        assert!((survival.chance(0) - EXPECTED).abs() < 1e-9);
        (0..30).for_each(|_| survival.learn(1, true));
        assert!(survival.chance(0) < 0.3, "{}", survival.chance(0));
        (0..20).for_each(|_| survival.learn(10, false));
        assert!(survival.chance(0) > 0.95, "{}", survival.chance(0));
    }
}
