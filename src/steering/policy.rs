use super::Candidate;

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

/// The steered policy of one position: candidates in falling order of score, ties by rising id.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    scored: Vec<Scored>,
}

impl Policy {
    /// Of these candidates, in any order; those whose score is no number are left out.
    pub(super) fn of(scored: impl Iterator<Item = Scored>) -> Self {
        let mut scored: Vec<Scored> = scored.filter(|scored| !scored.score.is_nan()).collect();
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
