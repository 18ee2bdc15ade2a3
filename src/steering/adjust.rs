use std::collections::{BTreeMap, HashMap, HashSet};

/// What a request asks to be done to single tokens' scores, after steering (OpenAI API reference; `repetition_penalty` as
/// in vLLM and transformers).
#[derive(Clone, Debug, PartialEq)]
pub struct Penalties {
    /// Added to the scores of these tokens, by index into the vocabulary.
    pub bias: BTreeMap<usize, f64>,
    /// Taken from the score of every token that is in the answer.
    pub presence: f64,
    /// Taken from it once for every time it is.
    pub frequency: f64,
    /// Divides positive and multiplies negative scores of tokens in prompt or answer; 1 does nothing. The upstream's logits are
    /// not known, so scores are log-probabilities, which are near 0 for a nearly certain token: the penalty hardly changes those.
    pub repetition: f64,
}

impl Default for Penalties {
    /// None.
    fn default() -> Self {
        Self {
            bias: BTreeMap::new(),
            presence: 0.0,
            frequency: 0.0,
            repetition: 1.0,
        }
    }
}

/// Penalties, and the tokens they apply to so far.
#[derive(Clone, Debug, Default)]
pub struct Adjustments {
    penalties: Penalties,
    /// How often each token is in the answer.
    answered: HashMap<usize, u32>,
    /// Tokens of prompt and answer; empty without a repetition penalty, which alone needs them.
    seen: HashSet<usize>,
}

impl Adjustments {
    /// At the beginning of an answer to a prompt of these tokens.
    pub fn new(penalties: Penalties, prompt: impl IntoIterator<Item = usize>) -> Self {
        let seen = if penalties.repetition == 1.0 {
            HashSet::new()
        } else {
            prompt.into_iter().collect()
        };
        Self {
            penalties,
            answered: HashMap::new(),
            seen,
        }
    }

    /// The answer has one more token.
    pub fn saw(&mut self, index: usize) {
        *self.answered.entry(index).or_default() += 1;
        if self.penalties.repetition != 1.0 {
            self.seen.insert(index);
        }
    }

    /// Whether a constant added to all scores of a position would change the pick. Repetition penalties multiply, so it would.
    pub fn needs_absolute_scores(&self) -> bool {
        self.penalties.repetition != 1.0
    }

    /// How many tokens have their score multiplied. What is taken from the score of any other is taken from its adjusted
    /// score, too.
    pub(super) fn multiplied(&self) -> usize {
        self.seen.len()
    }

    /// The score of a token after penalties and bias. It never falls where `score` rises.
    #[inline]
    pub fn adjusted(&self, index: usize, score: f64) -> f64 {
        let repetition = self.penalties.repetition;
        let score = match self.seen.contains(&index) {
            true if score > 0.0 => score / repetition,
            true => score * repetition,
            false => score,
        };
        let times = self.answered.get(&index).copied().unwrap_or(0);
        let penalty = if times > 0 {
            self.penalties.presence + self.penalties.frequency * f64::from(times)
        } else {
            0.0
        };
        let bias = self.penalties.bias.get(&index).copied().unwrap_or(0.0);
        score - penalty + bias
    }

    /// Tokens whose score may be higher after it than before, each once.
    pub fn raised(&self) -> HashSet<usize> {
        let mut raised: HashSet<usize> = HashSet::new();
        raised.extend(
            self.penalties
                .bias
                .iter()
                .filter(|(_, bias)| **bias > 0.0)
                .map(|(index, _)| *index),
        );
        if self.penalties.presence < 0.0 || self.penalties.frequency < 0.0 {
            raised.extend(self.answered.keys());
        }
        if self.penalties.repetition < 1.0 {
            raised.extend(&self.seen);
        }
        raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_penalty_does_what_its_documentation_says() {
        let penalties = Penalties {
            bias: BTreeMap::from([(7, 5.0)]),
            presence: 0.5,
            frequency: 0.25,
            repetition: 2.0,
        };
        let mut adjustments = Adjustments::new(penalties, [1]);
        assert_eq!(adjustments.adjusted(1, -3.0), -6.0);
        assert_eq!(adjustments.adjusted(1, 3.0), 1.5);
        assert_eq!(adjustments.adjusted(2, -3.0), -3.0);
        assert_eq!(adjustments.adjusted(7, -3.0), 2.0);
        adjustments.saw(2);
        adjustments.saw(2);
        assert_eq!(adjustments.adjusted(2, -3.0), -7.0);
        assert_eq!(adjustments.raised(), HashSet::from([7]));
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        let mut adjustments = Adjustments::default();
        adjustments.saw(3);
        assert_eq!(adjustments.adjusted(3, -1.25), -1.25);
        assert!(adjustments.raised().is_empty() && !adjustments.needs_absolute_scores());
    }
}
