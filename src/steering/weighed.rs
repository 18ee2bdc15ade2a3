use super::{Candidate, Noise, Policy, Sampling, Scorer};

/// A candidate with everything that decides whether it is picked: the pick has the largest sum of `score` and `noise`, and the
/// lowest index of equals. An infinite value is replaced by the largest f64 of its sign: JSON can hold that, and the order of the
/// candidates stays the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighed {
    /// What the upstream said.
    pub candidate: Candidate,
    /// Δ between true log-probabilities, in nats: 0 is no pull.
    pub delta: f64,
    /// c·Δ within the cap, in nats.
    pub shift: f64,
    /// ln p_LLM + shift, adjusted.
    pub score: f64,
    /// The steered policy's, over the candidates, before temperature.
    pub probability: f64,
    /// Temperature times a Gumbel variable: 0 at temperature 0, `None` where a nucleus leaves the candidate out.
    pub noise: Option<f64>,
}

impl Scorer<'_> {
    /// The candidates of `policy`, best first. It must be the scorer's own [`Self::policy`].
    pub fn weighed(&self, policy: &Policy, sampling: &Sampling, position: u64) -> Vec<Weighed> {
        // Scores are up to this constant where only their differences matter.
        let constant = self.rule.strength.value() * self.delta.zero() - self.excess();
        let noise = Noise::new(sampling.seed, position, sampling.temperature);
        let nucleus = sampling.nucleus(policy);
        let candidates = policy.scored().iter().zip(policy.log_policy()).enumerate();
        candidates
            .map(|(rank, (scored, logprob))| {
                let delta = scored.delta - self.delta.zero();
                Weighed {
                    candidate: scored.candidate,
                    delta: finite(delta),
                    shift: finite(self.rule.shift(delta)),
                    score: finite(scored.score - constant),
                    probability: logprob.exp(),
                    noise: (rank < nucleus).then(|| noise.of(scored.candidate.index)),
                }
            })
            .collect()
    }
}

fn finite(nats: f64) -> f64 {
    nats.clamp(f64::MIN, f64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::candidates::candidates;
    use super::super::{Adjustments, Cap, Delta, Penalties, Rule, Strength};
    use super::*;

    #[test]
    fn what_is_infinite_keeps_its_place() {
        let delta = Delta::new(&[0.0, 1.0, f32::NEG_INFINITY], &[f32::NEG_INFINITY, 1.0, 1.0], 0.0).unwrap();
        let rule = Rule {
            strength: Strength::new(1.0).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        };
        let scorer = Scorer {
            candidates: &candidates(&[-3.0, -1.0, -0.5]),
            delta: &delta,
            rule: &rule,
            adjustments: &Adjustments::default(),
            selectable: &[true; 3],
        };
        let all = scorer.weighed(&scorer.policy(), &Sampling::default(), 0);
        let scores: Vec<f64> = all.iter().map(|one| one.score).collect();
        assert_eq!((scores[0], scores[2]), (f64::MAX, f64::MIN));
        assert!(scores[1].is_finite() && all[0].candidate.index == 0);
        assert!((all[0].probability - 1.0).abs() < 1e-9, "{}", all[0].probability);
    }

    proptest! {
        #[test]
        fn the_pick_follows_from_what_is_weighed(
            rows in prop::collection::vec((-9.0..0.0f64, -5.0..5.0f32, -5.0..5.0f32), 1..30),
            strength in -3.0..3.0f64,
            floor in prop_oneof![Just(0.0), Just(1e-4)],
            cap in prop_oneof![Just(0.0), 0.1..4.0f64],
            temperature in prop_oneof![Just(0.0), 0.2..2.0f64],
            top_p in prop_oneof![Just(1.0), 0.2..1.0f64],
            repetition in prop_oneof![Just(1.0), 0.5..2.0f64],
            seed in any::<u64>(),
        ) {
            let logprobs: Vec<f64> = rows.iter().map(|row| row.0).collect();
            let (private, public): (Vec<f32>, Vec<f32>) = rows.iter().map(|row| (row.1, row.2)).unzip();
            let delta = Delta::new(&private, &public, floor).unwrap();
            let rule = Rule {
                strength: Strength::new(strength).unwrap(),
                delta_floor: floor,
                plausibility: 0.0,
                cap: Cap::new(cap),
            };
            let penalties = Penalties { repetition, ..Penalties::default() };
            let adjustments = Adjustments::new(penalties, [0, 2]);
            let sampling = Sampling { temperature, top_p, seed, ..Sampling::default() };
            let scorer = Scorer {
                candidates: &candidates(&logprobs),
                delta: &delta,
                rule: &rule,
                adjustments: &adjustments,
                selectable: &vec![true; rows.len()],
            };
            let policy = scorer.policy();
            let all = scorer.weighed(&policy, &sampling, 3);
            let picked = sampling.pick(&policy, 3).unwrap().candidate.index;
            let sum = |index: usize| {
                let found = all.iter().find(|one| one.candidate.index == index).unwrap();
                found.score + found.noise.unwrap_or(f64::NEG_INFINITY)
            };
            let most = (0..rows.len()).map(sum).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(sum(picked) >= most - 1e-9, "{} is not {most}", sum(picked));
            for one in &all {
                let index = one.candidate.index;
                let expected = adjustments.adjusted(index, one.candidate.logprob + one.shift);
                prop_assert!((one.score - expected).abs() < 1e-6, "{} is not {expected}", one.score);
            }
            let total: f64 = all.iter().map(|one| one.probability).sum();
            prop_assert!((total - 1.0).abs() < 1e-9);
        }
    }
}
