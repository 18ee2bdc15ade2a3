use super::{Cap, Strength};

/// What turns Δ and candidates into a policy; constant over a session.
///
/// With a cap M a candidate's chance, in a draw at temperature T from all of them, is within a factor of `exp(±2M/T)` of
/// what it is without steering, and of `exp(±4M/T)` of what it is with another private context. [`Cap`] has the proof and the
/// exceptions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The factor c.
    pub strength: Strength,
    /// ε of [`Delta`].
    pub delta_floor: f64,
    /// Keep only candidates with `p_LLM ≥ plausibility · max p_LLM`; 0 keeps all.
    pub plausibility: f64,
    /// The most that c·Δ, with Δ between true log-probabilities, may move a score; `None`, as in the paper, is no cap.
    pub cap: Option<Cap>,
}

impl Rule {
    /// The score of a token before adjustments; `pull` is c·Δ. Never falls where `logprob` or `pull` rises, rounding
    /// included, so what bounds them bounds it.
    #[inline]
    pub(super) fn score(&self, logprob: f64, pull: f64, excess: f64) -> f64 {
        match self.cap {
            None => logprob + pull - excess,
            Some(cap) => logprob + cap.cut(pull - excess),
        }
    }

    /// c·Δ within the cap, of a Δ between true log-probabilities.
    #[inline]
    pub(super) fn shift(&self, delta: f64) -> f64 {
        let pull = self.strength.value() * delta;
        self.cap.map_or(pull, |cap| cap.cut(pull))
    }

    /// The least ln p_LLM a token must have to be a candidate, given the largest among them.
    #[inline]
    pub(super) fn least_logprob(&self, largest: f64) -> f64 {
        if self.plausibility > 0.0 {
            largest + self.plausibility.ln()
        } else {
            f64::NEG_INFINITY
        }
    }
}
