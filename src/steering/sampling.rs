use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Policy, Scored};

/// How a token is drawn from the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 0 takes the best; otherwise scores are divided by it before they become probabilities.
    pub temperature: f64,
    /// Draw from the smallest set of best candidates that holds this much probability; 1 draws from all.
    pub top_p: f64,
    /// The same seed draws the same tokens.
    pub seed: u64,
}

impl Sampling {
    /// The token for `position` (0 is the first of the answer). `None` only from an empty policy.
    ///
    /// The randomness depends on seed and position and on nothing else, so an answer does not change with the way its
    /// positions arrived.
    pub fn pick<'a>(&self, policy: &'a Policy, position: u64) -> Option<&'a Scored> {
        let best = policy.best()?;
        if self.temperature == 0.0 {
            return Some(best);
        }
        let weights: Vec<f64> = policy
            .scored()
            .iter()
            .map(|scored| ((scored.score - best.score) / self.temperature).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let mut kept = 0.0;
        let nucleus = weights
            .iter()
            .position(|weight| {
                kept += weight;
                kept >= self.top_p * total
            })
            .map_or(weights.len(), |last| last + 1);
        let mut point = self.uniform(position) * weights.iter().take(nucleus).sum::<f64>();
        policy
            .scored()
            .iter()
            .zip(&weights)
            .take(nucleus)
            .find(|(_, weight)| {
                point -= **weight;
                point < 0.0
            })
            .map(|(scored, _)| scored)
            .or(Some(best))
    }

    /// A number in [0, 1) that belongs to this seed and position alone.
    fn uniform(&self, position: u64) -> f64 {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(position);
        generator.random()
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::candidates;
    use super::super::{Delta, Rule, Strength};
    use super::*;

    fn policy(probabilities: &[f64]) -> Policy {
        let flat = vec![0.0; probabilities.len()];
        let delta = Delta::new(&flat, &flat, 0.0).unwrap();
        let rule = Rule {
            strength: Strength::new(1.0).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
        };
        let logprobs: Vec<f64> = probabilities.iter().map(|probability| probability.ln()).collect();
        Policy::new(&candidates(&logprobs), &delta, &rule, &vec![true; probabilities.len()])
    }

    fn counts(sampling: Sampling, policy: &Policy, draws: u64) -> Vec<f64> {
        let mut counts = vec![0.0; policy.scored().len()];
        for position in 0..draws {
            counts[sampling.pick(policy, position).unwrap().candidate.index] += 1.0;
        }
        counts
    }

    #[test]
    fn draws_follow_the_policy() {
        let wanted = [0.4, 0.3, 0.2, 0.06, 0.04];
        let sampling = Sampling {
            temperature: 1.0,
            top_p: 1.0,
            seed: 7,
        };
        let draws = 40_000;
        let chi_square: f64 = counts(sampling, &policy(&wanted), draws)
            .iter()
            .zip(wanted)
            .map(|(count, probability)| {
                let expected = probability * draws as f64;
                (count - expected).powi(2) / expected
            })
            .sum();
        // 99.9 % point of chi-square with 4 degrees of freedom.
        assert!(chi_square < 18.47, "chi-square {chi_square}");
    }

    #[test]
    fn a_nucleus_cuts_the_tail() {
        let sampling = Sampling {
            temperature: 1.0,
            top_p: 0.69,
            seed: 1,
        };
        let counts = counts(sampling, &policy(&[0.4, 0.3, 0.2, 0.1]), 2000);
        assert!(counts[0] > 0.0 && counts[1] > 0.0);
        assert_eq!(&counts[2..], [0.0, 0.0]);
    }

    #[test]
    fn a_seed_repeats_itself_and_another_differs() {
        let policy = policy(&[0.25; 4]);
        let with_seed = |seed| {
            let sampling = Sampling {
                temperature: 0.8,
                top_p: 1.0,
                seed,
            };
            let picks = (0..64).map(|position| sampling.pick(&policy, position).unwrap().candidate.index);
            picks.collect::<Vec<usize>>()
        };
        assert_eq!(with_seed(3), with_seed(3));
        assert_ne!(with_seed(3), with_seed(4));
    }

    #[test]
    fn temperature_zero_is_the_best() {
        let sampling = Sampling {
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
        };
        let policy = policy(&[0.2, 0.5, 0.3]);
        assert_eq!(sampling.pick(&policy, 9).unwrap().candidate.index, 1);
    }
}
