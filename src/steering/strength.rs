/// How far the private context pulls: the factor `c` before Δ. Zero is no steering, negative steers away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength(f64);

impl Strength {
    /// The largest magnitude accepted. The paper's numbers give 1.78; far beyond this only Δ would speak.
    pub const LIMIT: f64 = 100.0;

    /// `None` unless `value` is a number within ±[`Self::LIMIT`].
    pub fn new(value: f64) -> Option<Self> {
        (value.abs() <= Self::LIMIT).then_some(Self(value))
    }

    /// The factor itself.
    #[inline]
    pub fn value(self) -> f64 {
        self.0
    }
}

/// The five numbers of the paper's update (its section on online optimisation), before they collapse to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ftrl {
    /// T, how often the update runs.
    pub iterations: u32,
    /// α, weight of the player's own move away from the LLM.
    pub alpha: f64,
    /// β, weight of Δ in the utility.
    pub beta: f64,
    /// λ, pull back to the LLM.
    pub lambda: f64,
    /// η, step size.
    pub eta: f64,
}

impl Ftrl {
    /// The paper's own numbers, which come to 1.783.
    pub const PAPER: Self = Self {
        iterations: 20,
        alpha: 2.0,
        beta: 1.0,
        lambda: 2.0,
        eta: 10.0,
    };

    /// The scalar `c` that T iterations amount to.
    ///
    /// Every iterate of the update is `log p_LLM + a_t·Δ` up to a constant, so only `a_t` has to be followed:
    /// `S_t = S_{t−1} + α·a_{t−1} + β` and `a_t = (S_t + a_{t−1}/η) / (t·λ + 1/η)`, from `a_0 = S_0 = 0`.
    ///
    /// `None` when the numbers give no finite strength within [`Strength::LIMIT`].
    pub fn strength(&self) -> Option<Strength> {
        let (mut a, mut utility) = (0.0, 0.0);
        for t in 1..=self.iterations {
            utility += self.alpha * a + self.beta;
            a = (utility + a / self.eta) / (f64::from(t) * self.lambda + 1.0 / self.eta);
        }
        Strength::new(a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_numbers_give_its_strength() {
        assert!((Ftrl::PAPER.strength().unwrap().value() - 1.783_256_843).abs() < 1e-9);
        let once = Ftrl {
            iterations: 1,
            ..Ftrl::PAPER
        };
        assert!((once.strength().unwrap().value() - 0.476_190_476).abs() < 1e-9);
    }

    #[test]
    fn numbers_without_a_finite_strength_give_none() {
        assert_eq!(
            Ftrl {
                eta: 0.0,
                ..Ftrl::PAPER
            }
            .strength(),
            None
        );
        assert_eq!(
            Ftrl {
                alpha: 1e9,
                ..Ftrl::PAPER
            }
            .strength(),
            None
        );
        assert_eq!(Strength::new(f64::NAN), None);
    }
}
