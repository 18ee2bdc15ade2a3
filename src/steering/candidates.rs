/// A token the upstream offers for one position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Index into the vocabulary.
    pub index: usize,
    /// ln p_LLM, raw: before temperature, penalties and biases.
    pub logprob: f64,
}

/// All that is known of the upstream's distribution at one position: its top k, and tokens that were asked for by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidates {
    known: Vec<Candidate>,
    /// ln p of the least likely of the top k.
    least: f64,
}

/// How exact the sum of some dozen probabilities is. Servers print f32 logarithms, so each is exact to about 1e-7.
const MASS_ROUNDING: f64 = 1e-6;

impl Candidates {
    /// From the upstream's `top` k, in any order, with nothing filtered out.
    pub fn new(top: Vec<Candidate>) -> Self {
        let least = top.iter().map(|candidate| candidate.logprob);
        Self {
            least: least.fold(f64::INFINITY, f64::min),
            known: top,
        }
    }

    /// Adds tokens from outside the top k. Those that are known already keep their value.
    pub fn add(&mut self, others: impl IntoIterator<Item = Candidate>) {
        for other in others {
            if self.known.iter().all(|known| known.index != other.index) {
                self.known.push(other);
            }
        }
    }

    /// Every token whose ln p_LLM is known.
    pub fn known(&self) -> &[Candidate] {
        &self.known
    }

    /// The most ln p_LLM an unknown token can have: `min(k-th of the top k, ln(1 − mass of the known))`.
    pub fn unknown_at_most(&self) -> f64 {
        self.least.min(self.unknown_mass().ln())
    }

    /// The most that the probabilities of all unknown tokens come to.
    pub(super) fn unknown_mass(&self) -> f64 {
        let mass: f64 = self.known.iter().map(|candidate| candidate.logprob.exp()).sum();
        (1.0 - mass).max(MASS_ROUNDING)
    }

    /// The indexes of the known tokens in rising order.
    pub(super) fn sorted_indexes(&self) -> Vec<usize> {
        let mut indexes: Vec<usize> = self.known.iter().map(|candidate| candidate.index).collect();
        indexes.sort_unstable();
        indexes
    }

    /// The largest ln p_LLM among known tokens that are `selectable` (shape `[vocabulary]`); −∞ where none is.
    pub fn largest(&self, selectable: &[bool]) -> f64 {
        self.known
            .iter()
            .filter(|candidate| selectable.get(candidate.index).copied().unwrap_or(false))
            .map(|candidate| candidate.logprob)
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

/// Candidates 0, 1, 2, … with these log-probabilities.
#[cfg(test)]
pub(super) fn candidates(logprobs: &[f64]) -> Candidates {
    let numbered = logprobs.iter().enumerate();
    let all = numbered.map(|(index, logprob)| Candidate {
        index,
        logprob: *logprob,
    });
    Candidates::new(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_bounded_twice() {
        // Half of the mass is unknown, but no token of it is likelier than the least likely of the top.
        let mut known = candidates(&[0.3_f64.ln(), 0.2_f64.ln()]);
        assert!((known.unknown_at_most() - 0.2_f64.ln()).abs() < 1e-12);
        // What is asked for by id takes its mass away and leaves the other bound alone.
        known.add([Candidate {
            index: 7,
            logprob: 0.4_f64.ln(),
        }]);
        assert!((known.unknown_at_most() - 0.1_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn a_token_is_known_once() {
        let mut known = candidates(&[-1.0, -2.0]);
        known.add([Candidate {
            index: 1,
            logprob: -2.000_001,
        }]);
        assert_eq!(known.known().len(), 2);
        assert_eq!(known.known()[1].logprob, -2.0);
    }
}
