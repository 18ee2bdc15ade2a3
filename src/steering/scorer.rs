use super::{Adjustments, Candidates, Delta, Policy, Rule, Scored};

/// One position, and everything that scores its tokens: what the upstream offers, how far the private context pulls at each
/// token, and what is asked for. Three things can be asked of it: the steered policy ([`Self::policy`]), which tokens outside
/// the candidates might have been picked ([`Self::uncertain`]), and how each candidate came to its score ([`Self::weighed`]).
#[derive(Clone, Copy)]
pub struct Scorer<'a> {
    /// What is scored.
    pub candidates: &'a Candidates,
    /// Δ of every token.
    pub delta: &'a Delta<'a>,
    /// How Δ moves a score.
    pub rule: &'a Rule,
    /// What the request asks to be done to single tokens' scores.
    pub adjustments: &'a Adjustments,
    /// Tokens that may be picked, shape `[vocabulary]`.
    pub selectable: &'a [bool],
}

impl Scorer<'_> {
    /// The steered policy over the candidates that may be picked and are plausible. It may come out empty.
    pub fn policy(&self) -> Policy {
        let (excess, least) = (self.excess(), self.least_logprob());
        let candidates = self.candidates.known().iter();
        let plausible = candidates
            .filter(|candidate| self.is_selectable(candidate.index))
            .filter(|candidate| candidate.logprob >= least && candidate.logprob > f64::NEG_INFINITY);
        Policy::of(plausible.map(|candidate| {
            let delta = self.delta.of(candidate.index);
            Scored {
                candidate: *candidate,
                delta,
                score: self.score(candidate.index, candidate.logprob, delta, excess),
            }
        }))
    }

    /// The adjusted score of a token that has `logprob` at the upstream and this Δ; `excess` is [`Self::excess`], computed once.
    #[inline]
    pub(super) fn score(&self, index: usize, logprob: f64, delta: f64, excess: f64) -> f64 {
        let pull = self.rule.strength.value() * delta;
        self.adjustments.adjusted(index, self.rule.score(logprob, pull, excess))
    }

    /// The constant of the position that is to be taken from every c·Δ. It is 0 where only differences matter.
    pub(super) fn excess(&self) -> f64 {
        if self.rule.cap.is_some() || self.adjustments.needs_absolute_scores() {
            self.rule.strength.value() * self.delta.zero()
        } else {
            0.0
        }
    }

    /// The least ln p_LLM a plausible token has.
    pub(super) fn least_logprob(&self) -> f64 {
        self.rule.least_logprob(self.candidates.largest(self.selectable))
    }

    /// Whether the token may be picked.
    #[inline]
    pub(super) fn is_selectable(&self, index: usize) -> bool {
        self.selectable.get(index).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Strength;
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

    /// The policy of one rule, where nothing is asked of single tokens.
    fn policy(candidates: &Candidates, delta: &Delta<'_>, rule: &Rule, selectable: &[bool]) -> Policy {
        let scorer = Scorer {
            candidates,
            delta,
            rule,
            adjustments: &Adjustments::default(),
            selectable,
        };
        scorer.policy()
    }

    #[test]
    fn ties_break_to_the_lower_id() {
        let flat = [0.0; 4];
        let delta = Delta::new(&flat, &flat, 0.0).unwrap();
        let policy = policy(&candidates(&[-2.0, -1.0, -1.0, -1.0]), &delta, &rule(1.0), &[true; 4]);
        assert_eq!(policy.best().unwrap().candidate.index, 1);
    }

    #[test]
    fn plausibility_drops_what_the_upstream_hardly_considers() {
        let private = [0.0, 9.0];
        let public = [9.0, 0.0];
        let delta = Delta::new(&private, &public, 0.0).unwrap();
        let offered = candidates(&[-0.01, -8.0]);
        let free = policy(&offered, &delta, &rule(1.0), &[true; 2]);
        assert_eq!(free.best().unwrap().candidate.index, 1);
        let strict = Rule {
            plausibility: 0.01,
            ..rule(1.0)
        };
        let policy = policy(&offered, &delta, &strict, &[true; 2]);
        assert_eq!(policy.scored().len(), 1);
        assert_eq!(policy.best().unwrap().candidate.index, 0);
    }

    #[test]
    fn what_is_not_selectable_is_never_picked() {
        let flat = [0.0; 3];
        let delta = Delta::new(&flat, &flat, 0.0).unwrap();
        let policy = policy(&candidates(&[-0.1, -3.0, -4.0]), &delta, &rule(1.0), &[false, true]);
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
            let policy = policy(&candidates(&logprobs), &delta, &rule(0.0), &[true; 12]);
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
                let policy = policy(&candidates(&[-2.0; 8]), &delta, &rule(1.78), &[true; 8]);
                policy.scored().iter().position(|scored| scored.candidate.index == chosen)
            };
            let mut raised = logits.clone();
            raised[chosen] += raise;
            prop_assert!(rank(&raised) <= rank(&logits));
        }
    }
}
