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
        let (noise, least) = (threshold.noise(), threshold.value());
        if noise.is_silent() {
            return self.scoring(least, unknown, tokens);
        }
        // Copied: it is looked at for every token of the vocabulary.
        let (delta, rule, excess) = (self.delta, *self.rule, self.excess());
        let may_reach = move |index: usize, noise: f64| {
            let pull = delta.pull_at_most(index, rule.strength.value());
            rule.score(unknown, pull, excess) + noise >= least
        };
        let with_noise = (0..tokens).zip(noise.bounds());
        if !delta.is_projected() {
            let suspects = with_noise.filter(move |(index, noise)| may_reach(*index, *noise));
            return Box::new(suspects.map(|(index, _)| index));
        }
        // Here Δ is put together for each token that is looked at. Without much noise, a token has to have a score near the
        // threshold, and those are found without looking.
        let much = noise.in_one_of_hundreds();
        let mut near = self.scoring(least - much, unknown, tokens);
        let mut next_near = near.next();
        let suspects = with_noise.filter(move |(index, noise)| {
            let is_near = next_near == Some(*index);
            if is_near {
                next_near = near.next();
            }
            (is_near || *noise >= much) && may_reach(*index, *noise)
        });
        Box::new(suspects.map(|(index, _)| index))
    }

    /// Every index below `tokens` that may have a score of `least` without noise, and some that may not, in rising order.
    fn scoring(self, least: f64, unknown: f64, tokens: usize) -> Box<dyn Iterator<Item = usize> + 'a> {
        if let Some(cap) = self.rule.cap {
            if unknown + cap.nats() < least {
                return Box::new(std::iter::empty());
            }
            if unknown - cap.nats() >= least {
                return Box::new(0..tokens);
            }
            // Between the two, a pull reaches it with the cap just where it does without.
        }
        let strength = self.rule.strength.value();
        let known_to_branches = self.delta.reaching(strength, least - (unknown - self.excess()));
        let unknown_to_branches = self.delta.vocabulary()..tokens;
        Box::new(
            known_to_branches
                .take_while(move |index| *index < tokens)
                .chain(unknown_to_branches),
        )
    }
}
