use super::{Scorer, Threshold};

/// A token that might have been picked, had the upstream listed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertain {
    /// Index into the vocabulary.
    pub index: usize,
    /// The most its score and noise can come to.
    pub at_most: f64,
}

impl<'a> Scorer<'a> {
    /// Tokens outside the candidates that cannot be proved to stay below `threshold`, each once. Those that the request raised
    /// come first.
    ///
    /// Every unknown token has at most [`super::Candidates::unknown_at_most`] of ln p_LLM, and its Δ, its adjustment and its
    /// noise are known. With a plausibility limit above that bound nothing outside is a candidate at all. At least one
    /// candidate must be selectable.
    pub(super) fn reaching(self, threshold: Threshold) -> impl Iterator<Item = Uncertain> + 'a {
        let excess = self.excess();
        let unknown = self.candidates.unknown_at_most();
        let known = self.candidates.sorted_indexes();
        let plausible = unknown >= self.least_logprob();
        let tokens = if plausible { self.selectable.len() } else { 0 };
        // Most adjustments lower a score, which cannot make a token uncertain. Those that raise one are few.
        let raised = self.adjustments.raised();
        let lifted: Vec<usize> = raised.iter().copied().filter(|index| *index < tokens).collect();
        let others = self
            .suspects(&threshold, unknown, tokens)
            .filter(move |index| !raised.contains(index));
        lifted
            .into_iter()
            .chain(others)
            .filter(move |index| self.is_selectable(*index) && known.binary_search(index).is_err())
            .filter_map(move |index| {
                let score = self.score(index, unknown, self.delta.of(index), excess);
                let at_most = score + threshold.noise().of(index);
                // NaN proves nothing, so the token stays uncertain.
                (at_most >= threshold.value() || at_most.is_nan()).then_some(Uncertain { index, at_most })
            })
    }

    /// Every index below `tokens` that may reach the threshold from `unknown` of ln p_LLM, and some that may not, in rising
    /// order.
    fn suspects(self, threshold: &Threshold, unknown: f64, tokens: usize) -> Box<dyn Iterator<Item = usize> + 'a> {
        // Copied: it is looked at for every token of the vocabulary.
        let (delta, rule) = (self.delta, *self.rule);
        let (excess, least) = (self.excess(), threshold.value());
        let strength = rule.strength.value();
        let noise = threshold.noise();
        if noise.is_silent() {
            if let Some(cap) = rule.cap {
                if unknown + cap.nats() < least {
                    return Box::new(std::iter::empty());
                }
                if unknown - cap.nats() >= least {
                    return Box::new(0..tokens);
                }
                // Between the two, a pull reaches the threshold with the cap just where it does without.
            }
            let known_to_branches = delta.reaching(strength, least - (unknown - excess));
            let unknown_to_branches = delta.vocabulary()..tokens;
            return Box::new(
                known_to_branches
                    .take_while(move |index| *index < tokens)
                    .chain(unknown_to_branches),
            );
        }
        let with_noise = (0..tokens).zip(noise.bounds());
        Box::new(
            with_noise
                .filter(move |(index, noise)| {
                    let at_most = rule.score(unknown, delta.pull_at_most(*index, strength), excess);
                    at_most + noise >= least
                })
                .map(|(index, _)| index),
        )
    }
}
