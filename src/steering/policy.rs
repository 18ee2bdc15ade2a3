use super::{Adjustments, Candidate, Candidates, Cap, Delta, Strength};

/// A candidate with everything steering knows about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// What the upstream said.
    pub candidate: Candidate,
    /// Δ, in nats, up to a constant of the position.
    pub delta: f64,
    /// ln p_LLM + c·Δ within the cap, adjusted: the log of the policy up to a constant.
    pub score: f64,
}

/// What turns Δ and candidates into a policy; constant over a session.
///
/// With a cap M a candidate's chance, in a draw at temperature T from all of them, is within a factor of `exp(±2M/T)` of
/// what it is without steering, and of `exp(±4M/T)` of what it is with another private context. [`Cap`] says why, and
/// when not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The factor c.
    pub strength: Strength,
    /// ε of [`Delta`].
    pub delta_floor: f64,
    /// Keep only candidates with `p_LLM ≥ plausibility · max p_LLM`; 0 keeps all.
    pub plausibility: f64,
    /// The most that c·Δ, with Δ between true log-probabilities, may move a score; `None` is the paper.
    pub cap: Option<Cap>,
}

impl Rule {
    /// What c·Δ has too much, as a constant of the position; 0 where only differences matter.
    pub(super) fn excess(&self, delta: &Delta<'_>, adjustments: &Adjustments) -> f64 {
        if self.cap.is_some() || adjustments.needs_absolute_scores() {
            self.strength.value() * delta.zero()
        } else {
            0.0
        }
    }

    /// The score of a token before adjustments; `pull` is c·Δ. Never falls where `logprob` or `pull` rises, rounding
    /// included, so what bounds them bounds it.
    pub(super) fn score(&self, logprob: f64, pull: f64, excess: f64) -> f64 {
        match self.cap {
            None => logprob + pull - excess,
            Some(cap) => logprob + cap.cut(pull - excess),
        }
    }

    /// c·Δ within the cap, of a Δ between true log-probabilities.
    pub(super) fn shift(&self, delta: f64) -> f64 {
        let pull = self.strength.value() * delta;
        self.cap.map_or(pull, |cap| cap.cut(pull))
    }

    /// The least ln p_LLM a token must have to be a candidate, given the largest among them.
    pub(super) fn least_logprob(&self, largest: f64) -> f64 {
        if self.plausibility > 0.0 {
            largest + self.plausibility.ln()
        } else {
            f64::NEG_INFINITY
        }
    }
}

/// The steered policy of one position: candidates in falling order of score, ties by rising id.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    scored: Vec<Scored>,
}

impl Policy {
    /// Scores `candidates` that are `selectable` (shape `[vocabulary]`) by `rule` and what is asked of single tokens. May come
    /// out empty.
    pub fn new(
        candidates: &Candidates,
        delta: &Delta<'_>,
        rule: &Rule,
        adjustments: &Adjustments,
        selectable: &[bool],
    ) -> Self {
        let excess = rule.excess(delta, adjustments);
        let least = rule.least_logprob(candidates.largest(selectable));
        let mut scored: Vec<Scored> = candidates
            .known()
            .iter()
            .filter(|candidate| selectable.get(candidate.index).copied().unwrap_or(false))
            .filter(|candidate| candidate.logprob >= least && candidate.logprob > f64::NEG_INFINITY)
            .map(|candidate| {
                let delta = delta.of(candidate.index);
                Scored {
                    candidate: *candidate,
                    delta,
                    score: adjustments.adjusted(
                        candidate.index,
                        rule.score(candidate.logprob, rule.strength.value() * delta, excess),
                    ),
                }
            })
            .filter(|scored| !scored.score.is_nan())
            .collect();
        scored.sort_unstable_by(|left, right| {
            right
                .score
                .total_cmp(&left.score)
                .then(left.candidate.index.cmp(&right.candidate.index))
        });
        Self { scored }
    }

    /// The candidates, best first.
    pub fn scored(&self) -> &[Scored] {
        &self.scored
    }

    /// The candidate with the highest score; the lower id where scores are equal.
    pub fn best(&self) -> Option<&Scored> {
        self.scored.first()
    }

    /// ln of the policy for each entry of [`Self::scored`]; their exponentials sum to 1.
    pub fn log_policy(&self) -> Vec<f64> {
        let Some(best) = self.best() else {
            return Vec::new();
        };
        // A score of +∞ (both probabilities of a branch pair at the edge) takes all the mass.
        let relative = |scored: &Scored| {
            if scored.score == best.score {
                0.0
            } else {
                scored.score - best.score
            }
        };
        let sum: f64 = self.scored.iter().map(|scored| relative(scored).exp()).sum();
        self.scored.iter().map(|scored| relative(scored) - sum.ln()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::candidates::candidates;
    use super::*;

    fn rule(strength: f64) -> Rule {
        Rule {
            strength: Strength::new(strength).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        }
    }

    #[test]
    fn ties_break_to_the_lower_id() {
        let flat = [0.0; 4];
        let delta = Delta::new(&flat, &flat, 0.0).unwrap();
        let policy = Policy::new(
            &candidates(&[-2.0, -1.0, -1.0, -1.0]),
            &delta,
            &rule(1.0),
            &Adjustments::default(),
            &[true; 4],
        );
        assert_eq!(policy.best().unwrap().candidate.index, 1);
    }

    #[test]
    fn plausibility_drops_what_the_upstream_hardly_considers() {
        let private = [0.0, 9.0];
        let public = [9.0, 0.0];
        let delta = Delta::new(&private, &public, 0.0).unwrap();
        let offered = candidates(&[-0.01, -8.0]);
        let free = Policy::new(&offered, &delta, &rule(1.0), &Adjustments::default(), &[true; 2]);
        assert_eq!(free.best().unwrap().candidate.index, 1);
        let strict = Rule {
            plausibility: 0.01,
            ..rule(1.0)
        };
        let policy = Policy::new(&offered, &delta, &strict, &Adjustments::default(), &[true; 2]);
        assert_eq!(policy.scored().len(), 1);
        assert_eq!(policy.best().unwrap().candidate.index, 0);
    }

    #[test]
    fn what_is_not_selectable_is_never_picked() {
        let flat = [0.0; 3];
        let delta = Delta::new(&flat, &flat, 0.0).unwrap();
        let policy = Policy::new(
            &candidates(&[-0.1, -3.0, -4.0]),
            &delta,
            &rule(1.0),
            &Adjustments::default(),
            &[false, true],
        );
        assert_eq!(policy.scored().len(), 1);
        assert_eq!(policy.best().unwrap().candidate.index, 1);
    }

    proptest! {
        #[test]
        fn strength_zero_is_the_upstream_alone(
            logits in prop::collection::vec(-9.0f32..9.0, 12),
            logprobs in prop::collection::vec(-9.0f64..0.0, 12),
        ) {
            let public: Vec<f32> = logits.iter().rev().copied().collect();
            let delta = Delta::new(&logits, &public, 0.0).unwrap();
            let policy = Policy::new(&candidates(&logprobs), &delta, &rule(0.0), &Adjustments::default(), &[true; 12]);
            let largest = logprobs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(policy.best().unwrap().candidate.logprob, largest);
            let mass: f64 = policy.log_policy().iter().map(|logprob| logprob.exp()).sum();
            prop_assert!((mass - 1.0).abs() < 1e-12);
        }

        #[test]
        fn raising_a_tokens_delta_never_lowers_its_rank(
            logits in prop::collection::vec(-9.0f32..9.0, 8),
            raise in 0.0f32..5.0,
            chosen in 0usize..8,
        ) {
            let flat = [0.0f32; 8];
            let rank = |private: &[f32]| {
                let delta = Delta::new(private, &flat, 0.0).unwrap();
                let policy = Policy::new(&candidates(&[-2.0; 8]), &delta, &rule(1.78), &Adjustments::default(), &[true; 8]);
                policy.scored().iter().position(|scored| scored.candidate.index == chosen)
            };
            let mut raised = logits.clone();
            raised[chosen] += raise;
            prop_assert!(rank(&raised) <= rank(&logits));
        }
    }
}
