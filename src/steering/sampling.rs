use super::{Noise, Policy, Scored, Threshold};

/// How a token is drawn from the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 0 takes the best; otherwise scores are divided by it before they become probabilities.
    pub temperature: f64,
    /// Draw from the smallest set of best candidates that holds this much probability; 1 draws from all.
    pub top_p: f64,
    /// Draw from as many of the best candidates at most; 0 draws from all.
    pub top_k: usize,
    /// Draw from candidates that have at least this share of the best one's probability; 0 draws from all.
    pub min_p: f64,
    /// The same seed draws the same tokens.
    pub seed: u64,
}

impl Default for Sampling {
    /// The best token, always.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            seed: 0,
        }
    }
}

impl Sampling {
    /// The token for `position` (0 is the first of the answer): the largest score and noise in the nucleus. `None` only
    /// from an empty policy.
    ///
    /// The randomness depends on seed, position and token and on nothing else, so an answer does not change with the way
    /// its positions arrived.
    pub fn pick<'a>(&self, policy: &'a Policy, position: u64) -> Option<&'a Scored> {
        let best = policy.best()?;
        if self.temperature == 0.0 {
            return Some(best);
        }
        let noise = Noise::new(self.seed, position, self.temperature);
        let nucleus = policy.scored().iter().take(self.nucleus(policy));
        nucleus
            .map(|scored| (scored, scored.score + noise.of(scored.candidate.index)))
            // The last of equals wins below, and should be the first.
            .rev()
            .max_by(|left, right| left.1.total_cmp(&right.1))
            .map(|(scored, _)| scored)
    }

    /// What a token outside the candidates would have to exceed to be picked, where all tokens are drawn from.
    pub(super) fn threshold(&self, policy: &Policy, position: u64) -> Threshold {
        let noise = Noise::new(self.seed, position, self.temperature);
        let values = policy
            .scored()
            .iter()
            .map(|scored| scored.score + noise.of(scored.candidate.index));
        let value = values.fold(f64::NEG_INFINITY, f64::max);
        Threshold::new(noise, value)
    }

    /// Whether some tokens are not drawn from, however the noise falls.
    pub(super) fn has_nucleus(&self) -> bool {
        self.temperature > 0.0 && (self.top_p < 1.0 || self.top_k > 0 || self.min_p > 0.0)
    }

    /// How many of the best candidates are drawn from: of what [`Self::left`] leaves as many as hold `top_p` of it.
    pub(super) fn nucleus(&self, policy: &Policy) -> usize {
        if !self.has_nucleus() {
            return policy.scored().len();
        }
        let left = self.left(policy);
        let total: f64 = left.iter().sum();
        let mut kept = 0.0;
        let last = left.iter().position(|weight| {
            kept += weight;
            kept >= self.top_p * total
        });
        last.map_or(left.len(), |last| last + 1).max(1)
    }

    /// The weights, against the best one's, of the candidates that `top_p` chooses from: those that are likely enough, and of
    /// these at most `top_k` (vLLM's order).
    pub(super) fn left(&self, policy: &Policy) -> Vec<f64> {
        let best = policy.best().map_or(f64::NEG_INFINITY, |best| best.score);
        let weights = policy.scored().iter().map(|scored| self.weight(scored.score, best));
        weights
            .take_while(|weight| *weight >= self.min_p)
            .take(if self.top_k > 0 { self.top_k } else { usize::MAX })
            .collect()
    }

    /// What a token of this score weighs in a draw, against the best one.
    pub(super) fn weight(&self, score: f64, best: f64) -> f64 {
        ((score - best) / self.temperature).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::super::candidates::candidates;
    use super::super::{Adjustments, Delta, Rule, Scorer, Strength};
    use super::*;

    /// A policy steered with `strength` by a private branch that says these logits and a public one that is flat.
    fn steered(probabilities: &[f64], private: &[f32], strength: f64) -> Policy {
        let rule = Rule {
            strength: Strength::new(strength).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        };
        let logprobs: Vec<f64> = probabilities.iter().map(|probability| probability.ln()).collect();
        let public = vec![0.0; private.len()];
        let scorer = Scorer {
            candidates: &candidates(&logprobs),
            delta: &Delta::new(private, &public, 0.0).unwrap(),
            rule: &rule,
            adjustments: &Adjustments::default(),
            selectable: &vec![true; probabilities.len()],
        };
        scorer.policy()
    }

    fn policy(probabilities: &[f64]) -> Policy {
        steered(probabilities, &vec![0.0; probabilities.len()], 1.0)
    }

    fn counts(sampling: Sampling, policy: &Policy, draws: u64) -> Vec<f64> {
        let mut counts = vec![0.0; policy.scored().len()];
        for position in 0..draws {
            counts[sampling.pick(policy, position).unwrap().candidate.index] += 1.0;
        }
        counts
    }

    /// Chi-square of 30,000 draws, each made with another seed or at another position, from a steered policy.
    fn chi_square(temperature: f64, vary_seed: bool) -> f64 {
        let policy = steered(&[0.4, 0.3, 0.2, 0.06, 0.04], &[0.5, -0.5, 1.0, 0.0, -1.0], 0.8);
        let mut counts = [0.0; 5];
        let draws = 30_000;
        for draw in 0..draws {
            let (seed, position) = if vary_seed { (draw, 3) } else { (11, draw) };
            let sampling = Sampling {
                temperature,
                seed,
                ..Sampling::default()
            };
            counts[sampling.pick(&policy, position).unwrap().candidate.index] += 1.0;
        }
        let weights = policy.scored().iter().map(|scored| (scored.score / temperature).exp());
        let total: f64 = weights.clone().sum();
        let expected = policy.scored().iter().zip(weights);
        expected
            .map(|(scored, weight)| {
                let expected = draws as f64 * weight / total;
                (counts[scored.candidate.index] - expected).powi(2) / expected
            })
            .sum()
    }

    #[test]
    fn draws_follow_the_policy() {
        for temperature in [0.6, 1.0, 1.7] {
            for vary_seed in [false, true] {
                let chi_square = chi_square(temperature, vary_seed);
                // 99.9 % point of chi-square with 4 degrees of freedom.
                assert!(chi_square < 18.47, "temperature {temperature}: chi-square {chi_square}");
            }
        }
    }

    #[test]
    fn a_nucleus_cuts_the_tail() {
        let sampling = Sampling {
            temperature: 1.0,
            top_p: 0.69,
            seed: 1,
            ..Sampling::default()
        };
        let counts = counts(sampling, &policy(&[0.4, 0.3, 0.2, 0.1]), 2000);
        assert!(counts[0] > 0.0 && counts[1] > 0.0);
        assert_eq!(&counts[2..], [0.0, 0.0]);
    }

    #[test]
    fn each_limit_cuts_where_it_should() {
        let policy = policy(&[0.4, 0.3, 0.2, 0.1]);
        let drawn = |sampling: Sampling| {
            let sampling = Sampling {
                temperature: 1.0,
                ..sampling
            };
            counts(sampling, &policy, 2000)
                .iter()
                .filter(|count| **count > 0.0)
                .count()
        };
        let none = Sampling::default();
        assert_eq!(drawn(none), 4);
        assert_eq!(drawn(Sampling { top_k: 2, ..none }), 2);
        assert_eq!(drawn(Sampling { min_p: 0.45, ..none }), 3);
        // Of the two that are left the first holds 57 %.
        let both = Sampling {
            top_k: 2,
            top_p: 0.55,
            ..none
        };
        assert_eq!(drawn(both), 1);
    }

    #[test]
    fn a_seed_repeats_itself_and_another_differs() {
        let policy = policy(&[0.25; 4]);
        let with_seed = |seed| {
            let sampling = Sampling {
                temperature: 0.8,
                seed,
                ..Sampling::default()
            };
            let picks = (0..64).map(|position| sampling.pick(&policy, position).unwrap().candidate.index);
            picks.collect::<Vec<usize>>()
        };
        assert_eq!(with_seed(3), with_seed(3));
        assert_ne!(with_seed(3), with_seed(4));
    }

    #[test]
    fn temperature_zero_is_the_best() {
        let sampling = Sampling::default();
        let policy = policy(&[0.2, 0.5, 0.3]);
        assert_eq!(sampling.pick(&policy, 9).unwrap().candidate.index, 1);
    }
}
